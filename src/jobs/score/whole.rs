//! Every account of the ledger scored from one reading of the facts.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use futures::TryStreamExt;

use crate::domain::{Account, AccountId};
use crate::score::{Kept, Measured, ScoreCard, card};

use super::super::Context;
use super::compare::{Beside, Entered, comparisons, tell};
use super::{ACCOUNTS, Judging, facts, tables};

/// Every account measured once, and what the comparisons tell of it.
///
/// Facts are read account by account and let go; only numbers are kept, some hundreds of bytes an
/// account, so that a nation needs neither a second reading nor much memory.
pub struct Whole<'a> {
    context: &'a Context,
    judging: Judging<'a>,
    kept: BTreeMap<&'a str, Kept>,
    places: HashMap<AccountId, (&'a str, usize)>,
    beside: Beside,
}

/// Measures every account and compares those of each scheme with their peers.
///
/// # Errors
/// The database does not answer; a scheme compiled over other measures than this program's.
pub async fn measure<'a>(context: &'a Context, judging: Judging<'a>) -> anyhow::Result<Whole<'a>> {
    let mut kept: BTreeMap<&str, Kept> = BTreeMap::new();
    let mut places = HashMap::new();
    let mut entered: HashMap<&str, Entered<'_>> = comparisons(context, &judging);
    let inputs = context.store.score_inputs(judging.facts(context)).try_chunks(ACCOUNTS);
    let mut inputs = std::pin::pin!(inputs);
    while let Some(inputs) = inputs.try_next().await.context("reading facts")? {
        for (account, facts) in facts::of(context, &judging, inputs).await? {
            let Some((scheme, _)) = judging.scheme_of(context, &account) else { continue };
            let measured = Measured::of(scheme, &facts, tables(context));
            if let Some((comparison, accounts)) = entered.get_mut(scheme.id.as_str()) {
                comparison.enter(&measured, &facts.subject)?;
                accounts.push(account.id);
            }
            let place = kept.entry(&scheme.id).or_default().put(&measured);
            places.insert(account.id, (scheme.id.as_str(), place));
        }
    }
    let beside = tell(context, &judging, entered).await?;
    Ok(Whole { context, judging, kept, places, beside })
}

impl Whole<'_> {
    /// The card of an account; none where no scheme judges it, or it came to the ledger meanwhile.
    ///
    /// # Errors
    /// A scheme compiled over other measures than this program's.
    pub fn card(&self, account: &Account) -> anyhow::Result<Option<ScoreCard>> {
        let Some((id, at)) = self.places.get(&account.id) else { return Ok(None) };
        let judged_by = self.judging.scheme_of(self.context, account);
        let Some((scheme, row)) = judged_by.filter(|(scheme, _)| scheme.id == *id) else {
            return Ok(None);
        };
        let measured = self.kept[id].get(*at);
        let subject = facts::subject(account);
        let beside = self.beside.of(account.id);
        let mut card = card(scheme, &measured, &subject, &beside, tables(self.context))?;
        card.assigned_by = row.map(ToString::to_string);
        Ok(Some(card))
    }
}
