use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{AccountId, Post, Reason};
use crate::jobs::Context;
use crate::observe::{CanaryKind, CanaryLook, Outcome, canary_health, stand_ins};
use crate::platform::{PageKind, Role};

use super::gather::{Answered, Gathered};
use super::reading::Asked;
use super::targets::named_canaries;

/// A profile shows no posts of its own: that it is read, and counts posts, is all it can show.
const PROFILE_GAP: TimeDelta = TimeDelta::days(1);

/// What a visit to a canary says of its host; `None` for other targets and for quiet stand-ins.
pub(super) fn look(
    context: &Context,
    asked: &Asked<'_>,
    outcome: &Outcome,
    gathered: &Gathered,
    posts: &[Post],
    now: DateTime<Utc>,
) -> Option<CanaryLook> {
    if !asked.target.is_canary {
        return None;
    }
    // That a host does not answer, or asks us to slow down, makes no page of it lie; the
    // observations wait for a look that says something.
    let says_nothing = matches!(outcome, Outcome::Failed(Reason::Limited | Reason::Unreachable));
    let named = asked.is_named_canary();
    let kind = if named { CanaryKind::Named } else { CanaryKind::StandIn };
    let unasked = gathered.first.as_ref().is_err_and(|failure| failure.ours);
    if unasked || (says_nothing && !named) {
        return None;
    }
    let (newest, gap) = match asked.kind.role {
        Role::Profile => (counts_posts(outcome).then_some(now), PROFILE_GAP),
        _ => rhythm(asked.kind, posts),
    };
    let healthy = canary_health(kind, outcome, newest, gap, &context.observe, now)?;
    Some(CanaryLook {
        page: asked.target.page.as_str().into(),
        at: asked_at(gathered).unwrap_or(now),
        adapter: asked.platform.digest.as_str().into(),
        healthy,
        recorded_at: now,
    })
}

/// What was read before the canary was asked stands behind its answer, not what came after.
fn asked_at(gathered: &Gathered) -> Option<DateTime<Utc>> {
    match gathered.first.as_ref().ok()? {
        Answered::Page(page) => Some(page.sent_at),
        Answered::NotModified(answer) => Some(answer.sent_at),
    }
}

fn counts_posts(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Observed(seen) => {
            seen.posts_total.as_ref().and_then(crate::domain::Count::low).is_some_and(|low| low > 0)
        }
        _ => false,
    }
}

/// The newest post and the longest gap between the listed ones, pinned items left out.
fn rhythm(kind: &PageKind, posts: &[Post]) -> (Option<DateTime<Utc>>, TimeDelta) {
    let posts = posts.iter().filter(|post| !post.pinned);
    let mut times: Vec<DateTime<Utc>> = posts.filter_map(|post| kind.published_by(post)).collect();
    times.sort_unstable();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
    // A list of dates alone has gaps of whole days, possibly of none.
    (times.last().copied(), longest.unwrap_or_default().max(TimeDelta::days(1)))
}

/// Chooses the canaries of every host and page kind: the named ones, and where a host has none, its
/// busiest accounts to stand in. Returns how many marks changed.
pub async fn choose_canaries(context: &Context) -> anyhow::Result<u64> {
    let canaries = named_canaries(context);
    let named: BTreeSet<AccountId> =
        context.store.ensure_canaries(&canaries, context.clock.now()).await?.into_iter().collect();
    let mut chosen: Vec<(AccountId, String)> = Vec::new();
    let mut hosts_with_named = BTreeSet::new();
    let mut pages: BTreeMap<(String, String), Vec<(AccountId, f64)>> = BTreeMap::new();
    for target in context.store.target_rates().await? {
        let place = (target.host, target.page);
        if named.contains(&target.account) {
            chosen.push((target.account, place.1.clone()));
            hosts_with_named.insert(place);
        } else if let Some(rate) = target.posts_per_day.filter(|_| target.fails == 0) {
            pages.entry(place).or_default().push((target.account, rate));
        }
    }
    for (place, rates) in pages.iter().filter(|(place, _)| !hosts_with_named.contains(*place)) {
        // A lone account has nobody to stand in for it: it is never its own canary.
        if rates.len() > 1 {
            let stand_ins = stand_ins(rates, &context.observe);
            chosen.extend(stand_ins.into_iter().map(|one| (one, place.1.clone())));
        }
    }
    Ok(context.store.mark_canaries(&chosen).await?)
}
