//! The measures of the last whole periods, for the rules that ask for them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::{Check, Measured, PeriodChoice, PeriodMeasures, PostingBurst};
use crate::domain::{Account, AccountId, shanghai_date};
use crate::jobs::Context;
use crate::jobs::score::{Judging, period_facts, tables};
use crate::observe::{self, History};
use crate::score::{Period, Reading, readings};

use super::propose::At;

/// The measures of an account by the periods asked for, and the end of its last whole quarter.
#[derive(Default)]
pub(super) struct AllMeasures {
    pub(super) periods: BTreeMap<PeriodChoice, PeriodMeasures>,
    pub(super) burst: Option<PostingBurst>,
}

/// A message is overdue after this, where no scheme says otherwise, in hours.
const REPLY_DEADLINE_HOURS: u32 = 360;

/// The last whole period of a kind before an instant.
pub(super) fn last_whole(choice: PeriodChoice, at: DateTime<Utc>) -> Period {
    let of = match choice {
        PeriodChoice::Month => Period::month_of(at),
        PeriodChoice::Quarter => Period::quarter_of(at),
    };
    of.previous()
}

pub(super) async fn measured(
    context: &Context,
    at: At,
    accounts: &[Account],
) -> anyhow::Result<BTreeMap<AccountId, AllMeasures>> {
    let rules = || context.rules.sets().iter().flat_map(|set| &set.rules);
    let choices: BTreeSet<PeriodChoice> = rules()
        .filter_map(|rule| match rule.check {
            Check::Measures { period, .. } => Some(period),
            Check::Burst { .. } => Some(PeriodChoice::Quarter),
            _ => None,
        })
        .collect();
    let burst_days = rules().find_map(|rule| match rule.check {
        Check::Burst { days, .. } => Some(days),
        _ => None,
    });
    let mut all: BTreeMap<AccountId, AllMeasures> = BTreeMap::new();
    for choice in choices {
        let period = last_whole(choice, at.cutoff);
        let days = burst_days.filter(|_| choice == PeriodChoice::Quarter);
        for (account, readings, burst) in of_period(context, at, period, days, accounts).await? {
            let measures = PeriodMeasures {
                period: period.to_string(),
                from: period.from(),
                to: period.to(),
                readings,
            };
            let of_account = all.entry(account).or_default();
            of_account.periods.insert(choice, measures);
            of_account.burst = of_account.burst.take().or(burst);
        }
    }
    Ok(all)
}

type Readings = BTreeMap<String, Measured>;

async fn of_period(
    context: &Context,
    at: At,
    period: Period,
    burst_days: Option<u32>,
    accounts: &[Account],
) -> anyhow::Result<Vec<(AccountId, Readings, Option<PostingBurst>)>> {
    let judging =
        Judging { period, cutoff: period.to(), known_at: at.known_at, scheme: None, only: None };
    let inputs = context.store.inputs_of(accounts.to_vec(), judging.facts(context)).await;
    let inputs = inputs.context("facts of a period")?;
    let mut bursts = match burst_days {
        Some(days) => bursts(context, at, period, days, accounts).await?,
        None => BTreeMap::new(),
    };
    let last_day = shanghai_date(period.to() - TimeDelta::milliseconds(1));
    let measured = period_facts(context, &judging, inputs).await?.into_iter();
    let measured = measured.map(|(account, facts)| {
        let scheme = context.schemes.of(&account.entry, last_day);
        let deadline = scheme.map_or(REPLY_DEADLINE_HOURS, |(one, _)| one.reply_deadline_hours);
        let told = readings(&facts, deadline, &[], &BTreeMap::new(), tables(context));
        let told =
            told.into_iter().map(|(measure, reading)| (measure.into_owned(), known(reading)));
        (account.id, told.collect(), bursts.remove(&account.id))
    });
    Ok(measured.collect())
}

async fn bursts(
    context: &Context,
    at: At,
    period: Period,
    days: u32,
    accounts: &[Account],
) -> anyhow::Result<BTreeMap<AccountId, PostingBurst>> {
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    let histories = context.store.histories(&ids, period.from()).await.context("histories")?;
    let found = histories.into_iter();
    Ok(found
        .filter_map(|(account, history)| {
            Some((account, burst(&history, period, days, at.known_at)?))
        })
        .collect())
}

/// The last days of a period beside the rest of it; `None` where that cannot be told.
fn burst(
    history: &History,
    period: Period,
    days: u32,
    known_at: DateTime<Utc>,
) -> Option<PostingBurst> {
    let posts = history.posts.iter().filter(|post| post.recorded_at <= known_at);
    let times: Vec<DateTime<Utc>> = posts
        .map(|post| post.claimed.map_or(post.first_seen, |at| at.lower().min(post.first_seen)))
        .collect();
    let covered = observe::covered(history, known_at);
    let days = usize::try_from(days).ok()?;
    let found = observe::burst(&times, &covered, period.from(), period.to(), days).ok()?;
    Some(PostingBurst {
        period: period.to_string(),
        posts: u32::try_from(found.posts_all).unwrap_or(u32::MAX),
        posts_last: u32::try_from(found.posts).unwrap_or(u32::MAX),
        chance: found.probability,
    })
}

fn known(reading: Reading) -> Measured {
    match reading {
        Reading::Known(quantity) => {
            Measured::Known { value: quantity.value, low: quantity.low, high: quantity.high }
        }
        Reading::Unknown(unknown) => Measured::Unknown { unknown: unknown.reason.into_owned() },
    }
}
