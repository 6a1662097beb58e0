//! What only a comparison of all accounts tells, before any of them is scored.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use futures::TryStreamExt;

use crate::domain::AccountId;
use crate::score::{Comparison, Period, Points, Reading};

use super::super::Context;
use super::{ACCOUNTS, Judging, facts, tables};

/// How many periods back a run of places is followed.
const PERIODS_BACK: usize = 12;

/// What an account had of a score in the periods before, the newest first.
pub type Earlier = BTreeMap<String, Vec<Option<Points>>>;

/// What the comparisons tell.
#[derive(Debug, Default)]
pub struct Beside {
    /// The numbers of each account that come from a comparison.
    pub readings: HashMap<AccountId, BTreeMap<String, Reading>>,
    /// What runs of places look back to, by account and score.
    pub earlier: HashMap<AccountId, Earlier>,
}

/// One scheme's comparisons, with the accounts in the order in which they were entered.
type Entered<'a> = (Comparison<'a>, Vec<AccountId>);

/// Reads every account once and compares those of each scheme with their peers; does nothing where
/// no scheme compares.
///
/// # Errors
/// The database does not answer; a scheme compiled over other measures than this program's.
pub async fn compare(context: &Context, judging: &Judging<'_>) -> anyhow::Result<Beside> {
    let one = judging.scheme.into_iter();
    let all = context.schemes.iter().filter(|_| judging.scheme.is_none());
    let mut schemes: HashMap<&str, Entered<'_>> = HashMap::new();
    for scheme in one.chain(all) {
        let comparison = Comparison::new(scheme, tables(context));
        if comparison.is_needed() {
            schemes.insert(&scheme.id, (comparison, Vec::new()));
        }
    }
    if schemes.is_empty() {
        return Ok(Beside::default());
    }
    let inputs = context.store.score_inputs(judging.facts()).try_chunks(ACCOUNTS);
    let mut inputs = std::pin::pin!(inputs);
    while let Some(inputs) = inputs.try_next().await.context("reading facts to compare")? {
        for (account, facts) in facts::of(context, judging, inputs).await? {
            let Some((scheme, _)) = judging.scheme_of(context, &account) else { continue };
            let Some((comparison, accounts)) = schemes.get_mut(scheme.id.as_str()) else {
                continue;
            };
            comparison.enter(&facts)?;
            accounts.push(account.id);
        }
    }
    let mut beside = Beside::default();
    for (scheme, entered) in &schemes {
        told(context, judging, scheme, entered, &mut beside).await?;
    }
    Ok(beside)
}

/// What a scheme's comparisons tell each of its accounts.
async fn told(
    context: &Context,
    judging: &Judging<'_>,
    scheme: &str,
    (comparison, accounts): &Entered<'_>,
    beside: &mut Beside,
) -> anyhow::Result<()> {
    let mut earlier: BTreeMap<&str, Vec<Vec<Option<Points>>>> = BTreeMap::new();
    for of in comparison.looks_back_to() {
        earlier.insert(of, before(context, judging, scheme, of, accounts).await?);
    }
    for (at, account) in accounts.iter().enumerate().filter(|_| !earlier.is_empty()) {
        let own = earlier.iter().map(|(of, periods)| {
            ((*of).to_owned(), periods.iter().map(|points| points[at]).collect())
        });
        beside.earlier.insert(*account, own.collect());
    }
    let readings = comparison.told(|of| earlier.get(of).cloned().unwrap_or_default());
    beside.readings.extend(accounts.iter().copied().zip(readings));
    Ok(())
}

/// The points of the periods before, the newest first, as far back as there are any; each in the
/// order of the accounts.
async fn before(
    context: &Context,
    judging: &Judging<'_>,
    scheme: &str,
    of: &str,
    accounts: &[AccountId],
) -> anyhow::Result<Vec<Vec<Option<Points>>>> {
    let mut all = Vec::new();
    let mut period: Period = judging.period;
    for _ in 0..PERIODS_BACK {
        period = period.previous();
        let past = context
            .store
            .past_scores(&period.to_string(), scheme, of, judging.known_at)
            .await
            .context("reading earlier scores")?;
        if past.is_empty() {
            break;
        }
        let points: HashMap<AccountId, Points> = past
            .into_iter()
            .map(|one| (one.account, Points { points: one.points, low: one.low, high: one.high }))
            .collect();
        all.push(accounts.iter().map(|account| points.get(account).copied()).collect());
    }
    Ok(all)
}
