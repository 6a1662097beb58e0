//! Every account of the ledger scored from one reading of the facts.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{Account, AccountId};
use crate::scheme::Scheme;
use crate::score::{Kept, Measured, PeriodFacts, ScoreCard, card};

use super::super::Context;
use super::compare::{Beside, Entered, comparisons, each, enter, tell};
use super::{Judging, facts, tables};

/// Every account measured once, and what the comparisons tell of it.
///
/// Facts are made of some accounts at a time and let go; only numbers are kept, some hundreds of
/// bytes an account, so that a nation needs neither a second reading nor much memory.
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
    let work = |scheme: &Scheme, facts: &PeriodFacts| Measured::of(scheme, facts, tables(context));
    each(context, &judging, work, |scheme, account, measured| {
        if let Some(entered) = entered.get_mut(scheme.id.as_str()) {
            enter(entered, account, &measured)?;
        }
        let place = kept.entry(&scheme.id).or_default().put(&measured);
        places.insert(account.id, (scheme.id.as_str(), place));
        Ok(())
    })
    .await?;
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
