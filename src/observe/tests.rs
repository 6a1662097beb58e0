//! The rules as tables ([`verdicts`], [`visits`], [`appearances`]) and the promise as properties ([`promise`]).

mod appearances;
mod old_pages;
mod promise;
mod verdicts;
mod visits;

use chrono::{DateTime, Duration, Utc};

use crate::domain::{Activity, Count, Moment, Reason};

use super::{
    CanaryLook, History, ListedPost, Observation, Outcome, Policy, Source, Span, Unwatched, Visit,
    judge, judge_at,
};

/// Midnight in Asia/Shanghai of day 0 of the tests, 1 June 2026.
const DAY_0: &str = "2026-06-01T00:00:00+08:00";

fn time(day: i64, hour: i64) -> DateTime<Utc> {
    DAY_0.parse::<DateTime<Utc>>().unwrap() + Duration::hours(day * 24 + hour)
}

fn observation(as_of: DateTime<Utc>, low: DateTime<Utc>) -> Observation {
    Observation {
        as_of,
        span: Some(Span { low, high: as_of }),
        bracket: None,
        claims_shift_seconds: 0,
        exhausted: false,
        empty: false,
        confirming: true,
        posts_total: None,
        new_items: 0,
        upstream_success: None,
        registered_at: None,
    }
}

fn visit(at: DateTime<Utc>, outcome: Outcome) -> Visit {
    Visit {
        page: "timeline".into(),
        part: "all".into(),
        started_at: at,
        recorded_at: at,
        adapter: "a".into(),
        source: Source::Crawl,
        items: 0,
        outcome,
    }
}

fn look(at: DateTime<Utc>, healthy: bool) -> CanaryLook {
    let (page, adapter) = ("timeline".into(), "a".into());
    CanaryLook { page, at, adapter, healthy, recorded_at: at }
}

fn post(claimed: Option<Moment>, first_seen: DateTime<Utc>) -> ListedPost {
    ListedPost {
        reference: format!("post {claimed:?}").into(),
        page: "timeline".into(),
        claimed,
        first_seen,
        missed_by: None,
        seen_before: None,
        text_digest: None,
        recorded_at: first_seen,
    }
}

/// An account in words: every method adds a fact.
#[derive(Clone)]
struct Case(History);

impl Case {
    /// Opened on day 0 of a platform with canaries.
    fn new() -> Self {
        Self(History { opened_at: Some(time(0, 0)), has_canary: true, ..History::default() })
    }

    /// Lists at 10 o'clock of these days, each reaching back to day −100, and a healthy look after.
    fn listed(self, days: impl IntoIterator<Item = i64>) -> Self {
        days.into_iter().fold(self, |case, day| {
            let seen = observation(time(day, 10), time(-100, 0));
            case.visited(day, 10, Outcome::Observed(seen)).looked(day, 11, true)
        })
    }

    fn visited(mut self, day: i64, hour: i64, outcome: Outcome) -> Self {
        self.0.visits.push(visit(time(day, hour), outcome));
        self
    }

    fn failed(self, day: i64, reason: Reason) -> Self {
        self.visited(day, 12, Outcome::Failed(reason))
    }

    fn looked(mut self, day: i64, hour: i64, healthy: bool) -> Self {
        self.0.canaries.push(look(time(day, hour), healthy));
        self
    }

    /// A post to the second, seen an hour later.
    fn posted(mut self, day: i64, hour: i64) -> Self {
        let at = time(day, hour);
        self.0.posts.push(post(Some(Moment::second(at)), at + Duration::hours(1)));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut History)) -> Self {
        change(&mut self.0);
        self
    }

    /// Changes the newest visit, or the observation in it.
    fn newest(self, change: impl FnOnce(&mut Visit)) -> Self {
        self.with(|history| change(history.visits.last_mut().unwrap()))
    }

    fn newest_seen(self, change: impl FnOnce(&mut Observation)) -> Self {
        self.newest(|visit| match &mut visit.outcome {
            Outcome::Observed(observation) => change(observation),
            other => panic!("{other:?}"),
        })
    }
}

fn check_live(name: &str, case: &Case, now: DateTime<Utc>, expected: Activity) {
    let judgement = judge(&case.0, &Policy::default(), now, now);
    assert_eq!(judgement.activity, expected, "{name}: {:#?}", judgement.explanation);
}

fn check_at(name: &str, case: &Case, cutoff: DateTime<Utc>, expected: Activity) {
    let judgement = judge_at(&case.0, &Policy::default(), cutoff, time(10_000, 0));
    assert_eq!(judgement.activity, expected, "{name}: {:#?}", judgement.explanation);
}

fn exact(count: u64) -> Option<Count> {
    Some(Count::Exact(count))
}
