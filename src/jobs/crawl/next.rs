use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Moment, Post};
use crate::jobs::Context;
use crate::observe::Outcome;
use crate::schedule::{self, Rate, TargetHistory};
use crate::store::{self, NextVisit, Validators};

use super::gather::{Answered, Gathered};
use super::reading::Asked;

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
    let mut rate = target.rate.map(|rate| Rate { posts: rate.alpha, days: rate.beta });
    if let Some(observation) = observed.filter(|_| !posts.is_empty()) {
        let since = target.observed_at.or(observation.span.map(|span| span.low));
        let since = since.map(|since| since.max(observation.as_of - TimeDelta::days(365)));
        let learned = rate.get_or_insert_default();
        if let Some(since) = since {
            let days = (observation.as_of - since).as_seconds_f64() / 86_400.0;
            learned.observe(count_since(posts, since), days, &context.schedule);
        }
    }
    let confirmed = match outcome {
        Outcome::Observed(observation) if observation.confirming => Some(observation.as_of),
        Outcome::Gone { as_of, confirming: true } => Some(*as_of),
        _ => None,
    };
    let failed = matches!(outcome, Outcome::Failed(_));
    let held_back = gathered.first.as_ref().is_err_and(|failure| failure.ours);
    let retry_after = gathered.first.as_ref().err().and_then(|failure| failure.retry_after);
    let history = TargetHistory {
        rate: rate.unwrap_or_default(),
        last_visit_at: Some(now),
        last_observation_at: observed.map(|one| one.as_of).or(target.observed_at),
        crossings: crossings(context, last_post),
        confirmations: confirmed.into_iter().collect(),
        failures: match (failed, held_back) {
            (false, _) => 0,
            (true, false) => target.fails + 1,
            (true, true) => target.fails,
        },
        retry_not_before: retry_after.and_then(|wait| Some(now + TimeDelta::from_std(wait).ok()?)),
        canary: target.is_canary,
        ..TargetHistory::new(target.account)
    };
    NextVisit {
        due_at: schedule::next_visit(&history, &context.schedule, now).due_at,
        validators: validators(asked, gathered),
        rate: rate.map(|rate| store::Rate { alpha: rate.posts, beta: rate.days }),
        held_back,
    }
}

fn count_since(posts: &[Post], since: DateTime<Utc>) -> u32 {
    let times = posts.iter().filter_map(|post| post.published);
    u32::try_from(times.filter(|at| at.lower() > since).count()).unwrap_or(u32::MAX)
}

/// When the account crosses each limit if it does not post again.
fn crossings(context: &Context, last_post: Option<DateTime<Utc>>) -> Vec<DateTime<Utc>> {
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
