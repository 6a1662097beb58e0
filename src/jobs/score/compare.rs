//! What only a comparison of all accounts tells, before any of them is scored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use futures::TryStreamExt;

use crate::domain::{Account, AccountId};
use crate::scheme::Scheme;
use crate::score::{Comparison, Measured, Period, PeriodFacts, Points, Reading, Told};
use crate::store::StoreError;

use super::super::Context;
use super::cores::on_all_cores;
use super::{ACCOUNTS, Judging, facts, tables};

/// Accounts of which is asked together what persons entered and what is on record: no more are read
/// together.
const TOLD_AT_ONCE: usize = 2000;

/// How many periods back a run of places is followed.
const PERIODS_BACK: usize = 12;

/// What an account had of a score in the periods before, the newest first.
pub type Earlier = BTreeMap<String, Vec<Option<Points>>>;

/// What the comparisons tell.
#[derive(Debug, Default)]
pub struct Beside {
    told: Vec<Told>,
    /// Which of those tells of an account, and where.
    places: HashMap<AccountId, (usize, usize)>,
    /// What runs of places look back to, by account and score.
    pub earlier: HashMap<AccountId, Earlier>,
}

impl Beside {
    /// The numbers of an account that come from a comparison.
    pub fn of(&self, account: AccountId) -> BTreeMap<String, Reading> {
        let place = self.places.get(&account);
        place.map(|(told, at)| self.told[*told].of(*at)).unwrap_or_default()
    }
}

/// One scheme's comparisons, with the accounts in the order in which they were entered.
pub(super) type Entered<'a> = (Comparison<'a>, Vec<AccountId>);

/// The comparisons of the schemes that compare, with nobody in them.
pub(super) fn comparisons<'a>(
    context: &'a Context,
    judging: &Judging<'a>,
) -> HashMap<&'a str, Entered<'a>> {
    let one = judging.scheme.into_iter();
    let all = context.schemes.iter().filter(|_| judging.scheme.is_none());
    let schemes = one.chain(all);
    let begun =
        schemes.map(|scheme| (scheme.id.as_str(), Comparison::new(scheme, tables(context))));
    begun
        .filter(|(_, comparison)| comparison.is_needed())
        .map(|(id, comparison)| (id, (comparison, Vec::new())))
        .collect()
}

/// Reads every account once and compares those of each scheme with their peers; does nothing where
/// no scheme compares.
///
/// # Errors
/// The database does not answer; a scheme compiled over other measures than this program's.
pub async fn compare(context: &Context, judging: &Judging<'_>) -> anyhow::Result<Beside> {
    let mut schemes = comparisons(context, judging);
    if schemes.is_empty() {
        return Ok(Beside::default());
    }
    let compared: BTreeSet<&str> = schemes.keys().copied().collect();
    let work = |scheme: &Scheme, facts: &PeriodFacts| {
        let is_compared = compared.contains(scheme.id.as_str());
        is_compared.then(|| Measured::of(scheme, facts, tables(context)))
    };
    each(context, judging, work, |scheme, account, measured| {
        match (schemes.get_mut(scheme.id.as_str()), measured) {
            (Some(entered), Some(measured)) => enter(entered, account, &measured),
            _ => Ok(()),
        }
    })
    .await?;
    tell(context, judging, schemes).await
}

/// Makes something of the facts of every account that a scheme judges, on several cores, and hands
/// it over in the order of the accounts; the facts are let go.
///
/// # Errors
/// The database does not answer; an error of `take`.
pub async fn each<'a, T: Send>(
    context: &'a Context,
    judging: &Judging<'a>,
    work: impl Fn(&'a Scheme, &PeriodFacts) -> T + Sync,
    mut take: impl FnMut(&'a Scheme, &Account, T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let rows = context.store.score_rows(judging.facts(context), TOLD_AT_ONCE);
    let mut rows = std::pin::pin!(rows);
    while let Some(rows) = rows.try_next().await.context("reading facts")? {
        let accounts: Vec<AccountId> = rows.iter().map(|one| one.account.id).collect();
        let told = facts::Told::of(context, judging, &accounts).await?;
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let done = on_all_cores(rows.by_ref().take(ACCOUNTS).collect(), |one| {
                let Some((scheme, _)) = judging.scheme_of(context, &one.account) else {
                    return Ok(None);
                };
                let (account, facts) = told.facts(one.read()?);
                Ok(Some((scheme, account, work(scheme, &facts))))
            });
            for one in done {
                let one: Result<_, StoreError> = one;
                if let Some((scheme, account, made)) = one.context("reading facts")? {
                    take(scheme, &account, made)?;
                }
            }
            // Crawls and answers on the same runtime have their turn.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// Enters an account into its scheme's comparison.
pub(super) fn enter(
    (comparison, accounts): &mut Entered<'_>,
    account: &Account,
    measured: &Measured,
) -> anyhow::Result<()> {
    comparison.enter(measured, &facts::subject(account))?;
    accounts.push(account.id);
    Ok(())
}

/// What the comparisons tell of those who were entered.
pub(super) async fn tell(
    context: &Context,
    judging: &Judging<'_>,
    schemes: HashMap<&str, Entered<'_>>,
) -> anyhow::Result<Beside> {
    let mut beside = Beside::default();
    for (scheme, entered) in schemes {
        told(context, judging, scheme, &entered, &mut beside).await?;
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
    let own = beside.told.len();
    beside.told.push(comparison.told(|of| earlier.get(of).cloned().unwrap_or_default()));
    let places = accounts.iter().enumerate();
    beside.places.extend(places.map(|(at, account)| (*account, (own, at))));
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
