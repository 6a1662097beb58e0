//! The sponsors of named accounts are told through the outbox of letters, as of any other finding.

use anyhow::ensure;
use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{FindingId, FindingState};
use crate::jobs::Context;
use crate::jobs::findings::write_letters;
use crate::store::PublishedBulletin;

/// How the sponsor of a named account is told of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// 账号编号.
    pub key: String,
    /// 主办单位.
    pub sponsor: String,
    /// The finding under which the account is named.
    pub finding: FindingId,
    /// How far it has come.
    pub state: TellingState,
}

/// How far a sponsor has been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TellingState {
    /// The newest letter was sent then; its time ends at the second instant.
    Sent(DateTime<Utc>, DateTime<Utc>),
    /// A letter stands in the outbox: its day, its channel and its state there.
    InOutbox(NaiveDate, String, String),
    /// The finding has come to where no letter is due.
    NotDue(FindingState),
}

/// Puts into the outbox whatever is to be told and is not there yet, and says how far the sponsors
/// of an issue's named accounts have been told.
///
/// # Errors
/// `[notify]` is not enabled; the database does not answer.
pub async fn tell_sponsors(
    context: &Context,
    issue: &PublishedBulletin,
) -> anyhow::Result<Vec<Telling>> {
    ensure!(context.notify.enabled, "notify.enabled is false: no letter is written");
    write_letters(context).await?;
    let accounts = context.store.bulletin_accounts(issue.id).await?;
    let named: Vec<_> = accounts.into_iter().filter(|one| one.withheld.is_none()).collect();
    let findings: Vec<FindingId> = named.iter().flat_map(|one| one.findings.clone()).collect();
    let waiting = context.store.unsent_letters_of(&findings).await?;
    let mut told = Vec::with_capacity(findings.len());
    for account in named {
        for finding in account.findings {
            let Some(record) = context.store.finding(finding).await? else { continue };
            let sent = context.store.notices_of(finding).await?;
            let state = match (waiting.get(&finding), sent.last()) {
                (Some((day, channel, state)), _) => {
                    TellingState::InOutbox(*day, channel.clone(), state.clone())
                }
                (None, Some(notice)) => TellingState::Sent(notice.issued_at, notice.deadline),
                (None, None) => TellingState::NotDue(record.state),
            };
            let sponsor = record.sponsor.unwrap_or_default();
            told.push(Telling { key: account.key.clone(), sponsor, finding, state });
        }
    }
    Ok(told)
}
