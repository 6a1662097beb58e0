//! Publishing a bulletin (印发通报): only here is anybody named.

mod candidates;
mod standing;
mod telling;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest, Sha256};

use crate::report::{Bulletin, Issue, Wording, bulletin_document};
use crate::store::{Assessment, BulletinAccount, NewBulletin, PublishedBulletin, Store};

use super::Context;
use super::report::{Listed, check_of};

pub use candidates::{Candidate, candidates};
pub use standing::Standing;
pub use telling::{Telling, TellingState, tell_sponsors};

/// What is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Publish<'a> {
    /// The frozen assessment.
    pub assessment: &'a Assessment,
    /// What the office itself decides.
    pub wording: &'a Wording,
    /// Who publishes.
    pub actor: &'a str,
    /// Why it corrects what was published; absent for the first issue.
    pub correction: Option<&'a str>,
}

/// What came of it.
#[derive(Debug)]
pub enum Published {
    /// It stands.
    Issued(PublishedBulletin),
    /// Nothing was published: some namings wait for a second person.
    Waiting(Vec<Candidate>),
}

/// Publishes the bulletin of a frozen assessment: every failed account is named under its findings
/// or withheld with a reason, and document, list and namings are kept for ever, or nothing is.
///
/// A failed account that no finding speaks of gets one, raised in the publisher's name; while one
/// of them waits for approval nothing is published.
///
/// # Errors
/// It was published already and this is no correction, or the other way round; the assessment was
/// superseded; the database does not answer.
pub async fn publish(context: &Context, wanted: &Publish<'_>) -> anyhow::Result<Published> {
    let one = wanted.assessment;
    ensure!(!wanted.actor.trim().is_empty(), "the actor must name somebody");
    if let Some(newer) = one.superseded_by {
        bail!("assessment {} was corrected by {newer}: that one is to be published", one.id);
    }
    let corrected = corrected(&context.store, wanted).await?;
    let first = candidates(context, one).await?;
    for candidate in first.iter().filter(|one| matches!(one.standing, Standing::Unraised)) {
        candidates::raise(context, one, candidate, wanted.actor.trim()).await?;
    }
    let all = candidates(context, one).await?;
    if all.iter().any(|one| matches!(one.standing, Standing::Waiting(_) | Standing::Unraised)) {
        return Ok(Published::Waiting(all));
    }
    let issue = Issue {
        number: corrected.as_ref().map_or(1, |one| one.issue + 1),
        reason: wanted.correction.unwrap_or_default().trim().to_owned(),
    };
    let withheld: BTreeMap<String, Option<String>> =
        all.iter().map(|one| (one.key.clone(), one.withheld())).collect();
    let listed = Listed { issue: issue.clone(), withheld: &withheld };
    let check = check_of(&context.store, one, Some(&listed)).await?;
    let document = bulletin_document(&Bulletin::of(&check), wanted.wording).json();
    let new = NewBulletin {
        assessment: one.id,
        supersedes: corrected.map(|one| one.id),
        reason: issue.reason,
        actor: wanted.actor.trim().to_owned(),
        due: wanted.wording.due,
        digest: format!("sha256:{}", hex::encode(Sha256::digest(&document))),
        document,
        accounts: all.into_iter().map(Candidate::into_row).collect(),
    };
    let published = context.store.publish_bulletin(&new, context.clock.now()).await?;
    let published = published.context(
        "nothing was published: another issue was meanwhile, or a finding was dismissed",
    )?;
    Ok(Published::Issued(published))
}

/// The issue that is corrected; `None` for the first of its series.
async fn corrected(
    store: &Store,
    wanted: &Publish<'_>,
) -> anyhow::Result<Option<PublishedBulletin>> {
    let one = wanted.assessment;
    let newest = newest_issue(store, one).await?;
    match (&newest, wanted.correction) {
        (Some(issued), None) => bail!(
            "{} is published already (issue {} of {}): a correction says why, with report correct",
            one.period,
            issued.issue,
            issued.published_at
        ),
        (None, Some(_)) => bail!("{} is not published: there is nothing to correct", one.period),
        (Some(_), Some(reason)) => ensure!(!reason.trim().is_empty(), "a correction says why"),
        (None, None) => {}
    }
    Ok(newest)
}

/// The newest issue of the period and scheme of an assessment.
///
/// # Errors
/// The database does not answer.
pub async fn newest_issue(
    store: &Store,
    one: &Assessment,
) -> anyhow::Result<Option<PublishedBulletin>> {
    let all = store.bulletins(Some(&one.period)).await?;
    Ok(all.into_iter().find(|it| it.superseded_by.is_none() && it.scheme == one.scheme))
}

impl Candidate {
    fn into_row(self) -> BulletinAccount {
        let withheld = self.withheld();
        let findings = match self.standing {
            Standing::Ready(findings) => findings,
            _ => Vec::new(),
        };
        BulletinAccount {
            key: self.key,
            account: self.account.map(|account| account.id),
            findings,
            withheld,
        }
    }
}
