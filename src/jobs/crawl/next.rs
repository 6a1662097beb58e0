use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Moment, Post, Precision, shanghai_date};
use crate::jobs::Context;
use crate::observe::{Observation, Outcome};
use crate::platform::{Observability, Role};
use crate::schedule::{
    self, Appointment, Forecast, Habits, Push, Rate, Rhythm, TargetHistory, Terms,
};
use crate::score::Period;
use crate::store::{self, Claimed, NextVisit, Validators};

use super::gather::{Answered, Gathered};
use super::reading::Asked;

/// What is known of a target before it is visited.
pub(super) fn history(context: &Context, asked: &Asked<'_>) -> TargetHistory {
    let target = asked.target;
    TargetHistory {
        weight: weight(context, target),
        rate: rate_of(target).unwrap_or_default(),
        rhythm: rhythm_of(target),
        last_visit_at: target.last_visit_at,
        last_observation_at: target.observed_at,
        crossings: crossings(context, asked, target.last_post_at),
        confirmations: target.confirmations.clone(),
        vouched: target.canaries > u32::from(target.is_canary),
        failures: target.fails,
        canary_every: canary_every(context, asked),
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
    let learned = observed.filter(|_| asked.kind.role == Role::List);
    let rhythm = learned.map(|seen| keep(asked, seen, posts));
    let capacity = learned.and_then(|_| capacity(asked, gathered)).max(target.capacity);
    let mut history = TargetHistory {
        rate: rate.unwrap_or_default(),
        rhythm: rhythm.clone().unwrap_or_else(|| rhythm_of(target)),
        capacity,
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
    history.appointments = appointments(context, asked, &history.rhythm, posts, now);
    let habits = context.habits.of(&target.platform);
    let next = schedule::next_visit(&history, &terms(context, target, &habits), now);
    NextVisit {
        due_at: next.due_at,
        validators: validators(asked, gathered),
        rate: rate.map(|rate| store::Rate { alpha: rate.posts, beta: rate.days }),
        rhythm: rhythm.map(|rhythm| rhythm.to_bytes()),
        capacity,
        deadline_at: next.deadline_at,
        purpose: Some(next.purpose.as_str()),
        held_back,
    }
}

/// At which price and by which habits the next visit of a target is set.
pub(super) fn terms<'a>(context: &'a Context, target: &Claimed, habits: &'a Habits) -> Terms<'a> {
    let settings = context.schedule.as_ref();
    Terms { settings, habits, price: target.price.unwrap_or_else(|| settings.base_price()) }
}

/// The importance of a target's account by what the ledger calls it.
pub(super) fn weight(context: &Context, target: &Claimed) -> f64 {
    context.schedule.weight(target.category.as_deref(), target.role.as_deref())
}

/// What a claimed target is expected to publish.
pub(super) fn forecast(context: &Context, target: &Claimed, now: DateTime<Utc>) -> Forecast {
    let habits = context.habits.of(&target.platform);
    terms(context, target, &habits).forecast(&rhythm_of(target), now)
}

fn rhythm_of(target: &Claimed) -> Rhythm {
    target.rhythm.as_deref().map(Rhythm::from_bytes).unwrap_or_default()
}

/// The rhythm after an observation of a list.
fn keep(asked: &Asked<'_>, seen: &Observation, posts: &[Post]) -> Rhythm {
    let mut rhythm = rhythm_of(asked.target);
    let reached = seen.span.map_or(seen.as_of, |span| span.low);
    // An exhausted list reaches back to the beginning of time; a year of it is enough.
    let since = reached.max(seen.as_of - TimeDelta::days(365));
    let moments = posts.iter().filter_map(|post| post.published);
    let listed = moments.filter(|at| at.lower() <= seen.as_of);
    rhythm.learn(since, listed.map(|at| Push::new(at.lower(), at.precision == Precision::Day)));
    rhythm
}

/// How many posts a visit can list: the first page's, on as many pages as are followed. Absent
/// where the list ended before its page did.
fn capacity(asked: &Asked<'_>, gathered: &Gathered) -> Option<u32> {
    let first = gathered.pages.first().filter(|page| !page.exhausted && !page.posts.is_empty())?;
    let items = u32::try_from(first.posts.len()).unwrap_or(u32::MAX);
    Some(items.saturating_mul(asked.kind.pages_max.max(1)))
}

/// When else the page is to be observed: about the cutoffs of this quarter and of schemes, and
/// where it shows how posts are received, when these come to the ages at which that is compared.
fn appointments(
    context: &Context,
    asked: &Asked<'_>,
    rhythm: &Rhythm,
    posts: &[Post],
    now: DateTime<Utc>,
) -> Vec<Appointment> {
    if asked.kind.role != Role::List {
        return Vec::new();
    }
    let policy = &context.schedule;
    let quarter = Period::quarter_of(now);
    let lag = asked.platform.visibility_lag;
    let around = TimeDelta::days(8);
    let mut cutoffs = context.schemes.cutoffs(&asked.target.platform, (now - around, now + around));
    cutoffs.extend([quarter.from(), quarter.to()]);
    cutoffs.sort_unstable();
    cutoffs.dedup();
    let mut appointments: Vec<Appointment> = cutoffs
        .into_iter()
        .flat_map(|cutoff| schedule::around_cutoff(cutoff, lag, policy))
        .collect();
    let counted = |post: &Post| {
        let counts = [&post.reads, &post.likes, &post.comments, &post.shares];
        counts.into_iter().flatten().any(|count| count.low().is_some())
    };
    if posts.iter().any(counted) {
        appointments.extend(schedule::samples(rhythm, policy, now));
    }
    appointments
}

/// The stand-ins of a host and page kind share its canary interval: one look each time, in turn.
fn canary_every(context: &Context, asked: &Asked<'_>) -> Option<TimeDelta> {
    let every = TimeDelta::minutes(context.schedule.canary_interval_minutes.into());
    let sharing = if asked.is_named_canary() { 1 } else { asked.target.canaries.max(1) };
    let turn = every.checked_mul(i32::try_from(sharing).unwrap_or(i32::MAX)).unwrap_or(every);
    asked.target.is_canary.then_some(turn)
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
    let (target, history) = (asked.target, history(context, asked));
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
