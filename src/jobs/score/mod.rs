//! The scores of the current period, kept current.

mod compare;
mod cores;
mod facts;
mod rows;
mod silence;
mod whole;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use crate::domain::{Account, shanghai_date};
use crate::scheme::{Assignment, Scheme};
use crate::score::frozen::Summing;
use crate::score::{Period, ScoreCard, Tables, score};
use crate::store::{FactsOf, NewScoreRun, ScoreInput, ScoreRunId};

use super::Context;

pub use crate::scheme::DEFAULT_SCHEME;
pub use compare::{Beside, Earlier, compare, each};
pub(super) use facts::of as period_facts;
pub use whole::{Whole, measure};

/// Accounts scored at once: their numbers are in memory together, the facts of one for each core.
const ACCOUNTS: usize = 200;

/// Accounts whose scores are written at once: a card tells how each of its points came about.
const SAVED: i64 = 25;

/// Before the longest tier, so that its confirmations and the post before it are read too.
const BEFORE_TIER: chrono::Duration = chrono::Duration::days(7);

/// What is judged, as of when, by which scheme.
#[derive(Debug, Clone, Copy)]
pub struct Judging<'a> {
    /// The period.
    pub period: Period,
    /// 监测时间点: facts at or after it are not judged.
    pub cutoff: DateTime<Utc>,
    /// Facts recorded later are not known.
    pub known_at: DateTime<Utc>,
    /// The scheme for every account; absent: the one that the assignments name for each.
    pub scheme: Option<&'a Scheme>,
    /// The accounts (账号编号) that are judged, where only a sample is; absent: all.
    pub only: Option<&'a BTreeSet<String>>,
}

impl<'a> Judging<'a> {
    /// The facts that are read for it: as far back as the longest silence that a scheme asks for.
    pub fn facts(&self, context: &Context) -> FactsOf {
        let from = self.period.from();
        let named = context.schemes.assignments().iter().map(|row| row.scheme.as_str());
        let named = named.chain([DEFAULT_SCHEME]).filter_map(|id| context.schemes.get(id));
        let schemes = named.filter(|_| self.scheme.is_none()).chain(self.scheme);
        let silences: Vec<_> = schemes.flat_map(Scheme::silences).collect();
        let begin = |at| silences.iter().map(|one| one.limit.before(at)).min().unwrap_or(from);
        // What is judged live speaks of an observation of some time ago; a day is a calendar's.
        let earliest = self.cutoff - context.observe.max_age() - chrono::Duration::days(1);
        FactsOf {
            since: from.min(begin(self.cutoff) - BEFORE_TIER),
            asked_from: begin(earliest),
            from,
            to: self.cutoff,
            known_at: self.known_at,
        }
    }

    /// The scheme that judges an account, with the row that says so; none for one that is not in
    /// the sample.
    pub(super) fn scheme_of(
        &self,
        context: &'a Context,
        account: &Account,
    ) -> Option<(&'a Scheme, Option<&'a Assignment>)> {
        if self.only.is_some_and(|only| !only.contains(&account.entry.key)) {
            return None;
        }
        match self.scheme {
            Some(scheme) => Some((scheme, None)),
            // The last day of the period that has begun by the cutoff.
            None => {
                let last = self.cutoff.min(self.period.to()) - chrono::Duration::milliseconds(1);
                context.schemes.of(&account.entry, shanghai_date(last.max(self.period.from())))
            }
        }
    }
}

/// Scores every account over the current quarter and stores the runs, one for each scheme.
pub async fn score_current_quarter(context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    let period = Period::quarter_of(now);
    let judging = Judging { period, cutoff: now, known_at: now, scheme: None, only: None };
    let whole = measure(context, judging).await?;
    let mut runs: BTreeMap<String, ScoreRunId> = BTreeMap::new();
    let mut summing = Summing::default();
    let mut batches = std::pin::pin!(context.store.account_batches(SAVED));
    while let Some(accounts) = batches.try_next().await.context("reading the ledger")? {
        let mut of_scheme: HashMap<String, Vec<(Account, ScoreCard)>> = HashMap::new();
        for account in accounts {
            let Some(card) = whole.card(&account)? else { continue };
            take(context, &mut summing, &account, &card, |scheme| !scheme.rollups.is_empty());
            of_scheme.entry(card.scheme.clone()).or_default().push((account, card));
        }
        for (scheme, cards) in of_scheme {
            let run = match runs.get(&scheme) {
                Some(run) => *run,
                None => {
                    let run = open(context, &judging, &scheme, &cards[0].1.scheme_digest).await?;
                    runs.insert(scheme, run);
                    run
                }
            };
            context.store.save_scores(run, &rows::scores(&cards)).await?;
            context.store.save_verdicts(run, &rows::verdicts(&cards)).await?;
        }
    }
    let summaries = summing.finish();
    for (scheme, run) in runs {
        let rollups = rows::rollups(&summaries, &scheme);
        context.store.save_rollups(run, &rollups).await?;
        context.store.close_score_run(run, context.clock.now()).await?;
    }
    Ok(())
}

/// Lets a card take part in the roll-ups and rankings, where its scheme is wanted.
pub fn take<'a>(
    context: &'a Context,
    summing: &mut Summing<'a>,
    account: &Account,
    card: &ScoreCard,
    wanted: impl Fn(&Scheme) -> bool,
) {
    if let Some(scheme) = context.schemes.get(&card.scheme).filter(|scheme| wanted(scheme)) {
        let entry = &account.entry;
        let answering = (entry.sponsor.as_str(), entry.supervisor.as_deref());
        summing.take(scheme, &entry.key, answering, &facts::subject(account), card);
    }
}

async fn open(
    context: &Context,
    judging: &Judging<'_>,
    scheme: &str,
    digest: &str,
) -> anyhow::Result<ScoreRunId> {
    let run = NewScoreRun {
        period: judging.period.to_string(),
        scheme: scheme.to_owned(),
        scheme_digest: digest.to_owned(),
        cutoff: judging.cutoff,
        known_at: judging.known_at,
    };
    context.store.open_score_run(&run, judging.known_at).await.context("opening a score run")
}

/// What schemes look up beside the facts.
pub fn tables(context: &Context) -> Tables<'_> {
    Tables { calendar: &context.calendar, indices: &context.indices }
}

/// The cards of some accounts, from their facts; accounts that no scheme judges have none.
///
/// # Errors
/// The database does not answer; a scheme compiled over other measures than this program's.
pub async fn cards(
    context: &Context,
    judging: &Judging<'_>,
    beside: &Beside,
    inputs: Vec<ScoreInput>,
) -> anyhow::Result<Vec<(Account, ScoreCard)>> {
    let mut cards = Vec::with_capacity(inputs.len());
    for (account, facts) in facts::of(context, judging, inputs).await? {
        let Some((scheme, row)) = judging.scheme_of(context, &account) else { continue };
        let compared = beside.of(account.id);
        let mut card = score(scheme, &facts, &compared, tables(context))?;
        card.assigned_by = row.map(ToString::to_string);
        cards.push((account, card));
    }
    Ok(cards)
}
