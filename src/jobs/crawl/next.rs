use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Moment, Post, Precision, shanghai_date};
use crate::jobs::Context;
use crate::observe::{Observation, Outcome};
use crate::platform::{Observability, Role};
use crate::schedule::{self, Rate, TargetHistory};
use crate::store::{self, Claimed, NextVisit, Validators};

use super::gather::{Answered, Gathered};
use super::reading::Asked;

/// What is known of a target before it is visited.
pub(super) fn history(context: &Context, asked: &Asked<'_>) -> TargetHistory {
    let target = asked.target;
    TargetHistory {
        rate: rate_of(target).unwrap_or_default(),
        last_visit_at: target.last_visit_at,
        last_observation_at: target.observed_at,
        crossings: crossings(context, asked, target.last_post_at),
        confirmations: target.confirmations.clone(),
        failures: target.fails,
        canary: target.is_canary,
        ..TargetHistory::new(target.account)
    }
}

/// Sets the next visit from what this one taught.
pub(super) fn next_visit(
    context: &Context,
    asked: &Asked<'_>,
    outcome: &Outcome,
    gathered: &Gathered,
    posts: &[Post],
    now: DateTime<Utc>,
) -> NextVisit {
    let target = asked.target;
    let observed = match outcome {
        Outcome::Observed(observation) => Some(observation),
        Outcome::Gone { .. } | Outcome::Failed(_) => None,
    };
    let newest = posts.iter().filter_map(|post| post.published).map(Moment::lower);
    let last_post = newest.filter(|at| *at <= now).max().max(target.last_post_at);
    let rate = observed.map_or_else(|| rate_of(target), |seen| learn(context, asked, seen, posts));
    let confirmed = match outcome {
        Outcome::Observed(observation) if observation.confirming => Some(observation.as_of),
        Outcome::Gone { as_of, confirming: true } => Some(*as_of),
        _ => None,
    };
    let failure = gathered.first.as_ref().err();
    let held_back = failure.is_some_and(|failure| failure.ours);
    let retry_after = failure.and_then(|failure| failure.retry_after);
    let history = TargetHistory {
        rate: rate.unwrap_or_default(),
        last_visit_at: Some(now),
        last_observation_at: observed.map(|one| one.as_of).or(target.observed_at),
        crossings: crossings(context, asked, last_post),
        confirmations: target.confirmations.iter().copied().chain(confirmed).collect(),
        failures: match outcome {
            Outcome::Failed(_) if held_back => target.fails,
            Outcome::Failed(_) => target.fails + 1,
            _ => 0,
        },
        retry_not_before: retry_after.and_then(|wait| Some(now + TimeDelta::from_std(wait).ok()?)),
        ..history(context, asked)
    };
    NextVisit {
        due_at: due_at(context, asked, &history, now),
        validators: validators(asked, gathered),
        rate: rate.map(|rate| store::Rate { alpha: rate.posts, beta: rate.days }),
        held_back,
    }
}

/// The stand-ins of a host and page kind share its canary interval: one look each time, in turn.
fn due_at(
    context: &Context,
    asked: &Asked<'_>,
    history: &TargetHistory,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let policy = &context.schedule;
    let due_at = schedule::next_visit(history, policy, now).due_at;
    if !history.canary || asked.is_named_canary() {
        return due_at;
    }
    let ordinary = TargetHistory { canary: false, ..history.clone() };
    let others = i32::try_from(asked.target.canaries.max(1)).unwrap_or(i32::MAX) - 1;
    let turn = TimeDelta::minutes(policy.canary_interval_minutes.into()).checked_mul(others);
    let in_turn = turn.and_then(|turn| due_at.checked_add_signed(turn)).unwrap_or(due_at);
    schedule::next_visit(&ordinary, policy, now).due_at.min(in_turn)
}

/// How often the account of a target is expected to post.
pub(super) fn posts_per_day(context: &Context, target: &Claimed) -> f64 {
    rate_of(target).unwrap_or_default().posts_per_day(&context.schedule)
}

fn rate_of(target: &Claimed) -> Option<Rate> {
    target.rate.map(|rate| Rate { posts: rate.alpha, days: rate.beta })
}

/// The rate after an observation of a list; a profile teaches none.
fn learn(context: &Context, asked: &Asked<'_>, seen: &Observation, posts: &[Post]) -> Option<Rate> {
    let known = rate_of(asked.target);
    let since = asked.target.observed_at.or(seen.span.map(|span| span.low));
    if asked.kind.role != Role::List {
        return known;
    }
    let Some(since) = since else { return known };
    // An exhausted list reaches back to the beginning of time; a year of it is enough.
    let since = since.max(seen.as_of - TimeDelta::days(365));
    let days = (seen.as_of - since).as_seconds_f64() / 86_400.0;
    let mut rate = known.unwrap_or_default();
    rate.observe(count_between(posts, since, seen.as_of), days, &context.schedule);
    Some(rate)
}

/// Posts of a stretch. Of dates alone each day counts once, with the first visit after it.
fn count_between(posts: &[Post], since: DateTime<Utc>, until: DateTime<Utc>) -> u32 {
    let days = shanghai_date(since)..shanghai_date(until);
    let inside = |at: &Moment| match at.precision {
        Precision::Day => days.contains(&shanghai_date(at.at)),
        _ => at.lower() > since,
    };
    let count = posts.iter().filter_map(|post| post.published).filter(inside).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// When the account crosses each limit if it does not post again; none where no visit of this page
/// kind could confirm it, so that none is owed.
fn crossings(
    context: &Context,
    asked: &Asked<'_>,
    last_post: Option<DateTime<Utc>>,
) -> Vec<DateTime<Utc>> {
    let kind = asked.kind;
    if kind.role != Role::List || kind.verified.is_none() {
        return Vec::new();
    }
    let policy = &context.observe;
    let limits = [policy.watch, policy.dormant, policy.zombie];
    last_post.map(|at| limits.iter().map(|limit| limit.crossing(at)).collect()).unwrap_or_default()
}

fn validators(asked: &Asked<'_>, gathered: &Gathered) -> Validators {
    match &gathered.first {
        Ok(Answered::Page(page)) => {
            let crate::fetch::Validators { etag, last_modified } = page.validators.clone();
            Validators { etag, last_modified }
        }
        // Nothing changed, so what asked for changes still holds.
        Ok(Answered::NotModified(_)) | Err(_) => asked.target.validators.clone(),
    }
}

/// Whether a page of this kind is asked whether it has changed, or for itself.
///
/// A page that may have to confirm silence is asked for itself, because "nothing changed" never
/// confirms; so is a bridge, since when it last heard from the platform stands in a header, and a
/// canary, and a page that was not read last time.
pub(super) fn may_ask_conditionally(
    context: &Context,
    asked: &Asked<'_>,
    now: DateTime<Utc>,
) -> bool {
    let target = asked.target;
    let history = history(context, asked);
    let bridge = asked.platform.observability == Observability::PublicFeed;
    let lively = target.last_post_at.is_some()
        && !schedule::wants_confirmation(&history, &context.schedule, now);
    lively && !bridge && !target.is_canary && target.fails == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_dates_counts_once_and_only_when_it_is_over() {
        let at = |text: &str| -> DateTime<Utc> { text.parse().expect("a time") };
        let day = |text: &str| Post {
            published: Some(Moment::day(text.parse().expect("a date"))),
            ..Post::default()
        };
        let posts = [day("2026-11-21"), day("2026-11-21"), day("2026-11-22"), day("2026-11-23")];
        let visits = ["2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"];
        let counts: Vec<u32> =
            visits.windows(2).map(|pair| count_between(&posts, at(pair[0]), at(pair[1]))).collect();
        assert_eq!(counts, [2, 1]);
        let second =
            Post { published: Some(Moment::second(at("2026-11-22T03:00:00Z"))), ..Post::default() };
        assert_eq!(count_between(&[second], at(visits[1]), at(visits[2])), 1);
    }
}
