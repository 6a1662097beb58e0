use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{GoneCause, Identity, Post, Reason};
use crate::jobs::Context;
use crate::observe::{
    Composed, Known, Outcome, READINGS_KEPT, Source, Visit, Yield, compose, fell,
};
use crate::platform::{Observability, Platform};
use crate::store::{Claimed, VisitDetails, VisitEvidence, VisitRecord, Yields};

use super::gather::{Answered, Failure, Gathered, gather};
use super::keep::{self, Kept};
use super::reading::{Asked, Earlier, reading};
use super::targets::page_kind;
use super::{beside, canary, next};

/// A visit ready to be written down.
pub(super) struct Finished {
    /// The visit and all it found.
    pub(super) record: VisitRecord,
    /// Platform id.
    pub(super) platform: String,
    /// What is to be made durable before it is stored.
    pub(super) captures: Vec<Kept>,
    /// Whether the page had been observed before, so that new posts have a detection delay.
    pub(super) seen_before: bool,
}

/// Visits one target, counts the visit, and logs what an operator should know of a failure.
///
/// `None` where the ledger or the platform file no longer names the page; such a target goes with
/// the next synchronisation.
pub(super) async fn visit(context: &Context, target: &Claimed) -> Option<Finished> {
    let in_flight = context.metrics.enter_crawl(&target.platform);
    let (finished, gathered) = visit_untold(context, target, true).await?;
    drop(in_flight);
    tell(context, target, &finished.record.visit.outcome, &gathered);
    Some(finished)
}

/// The same for the daemon's own heartbeat, which counts nowhere: what is to be written down, or
/// `None`.
pub(in crate::jobs) async fn look_at(context: &Context, target: &Claimed) -> Option<VisitRecord> {
    let (finished, _) = visit_untold(context, target, false).await?;
    Some(finished.record)
}

/// Asks, reads, and says what that proves; `keeping`: the answers become evidence.
async fn visit_untold(
    context: &Context,
    target: &Claimed,
    keeping: bool,
) -> Option<(Finished, Gathered)> {
    let (platform, kind) = page_kind(context, &target.platform, &target.page)?;
    if !kind.role.speaks_for_account() {
        return beside::visit(context, target, platform, kind, keeping).await;
    }
    let address = kind.url.as_ref()?.fill(&target.handle, target.url.as_deref(), 1)?;
    let asked = Asked { target, platform, kind, address: &address };
    let started_at = context.clock.now();
    let gathered = gather(context, &asked).await;
    let (composed, posts) = match &gathered.first {
        Ok(answered) => {
            let earlier = earlier(context, &asked, gathered.said()).await;
            let reading = reading(answered, &gathered.pages, &asked, earlier);
            // Which items are new is counted by the store, which knows every post.
            (compose(&reading, &Known::default(), &context.observe), reading.posts)
        }
        Err(failure) => {
            let outcome = Outcome::Failed(failure.reason);
            (Composed { outcome, posts_as_of: None }, Vec::new())
        }
    };
    let mut finished = finished(context, &asked, started_at, &gathered, (composed, posts));
    if keeping {
        keep::attach(context, &asked, &gathered, &mut finished).await;
    }
    Some((finished, gathered))
}

/// What earlier answers say of this one. Where the store cannot tell of the others, none changed.
async fn earlier(context: &Context, asked: &Asked<'_>, said: Option<&str>) -> Earlier {
    let Some(same_since) = same_since(context, asked, said).await else {
        return Earlier::default();
    };
    // A cache buster says enough.
    if asked.kind.cache_buster.is_some() {
        return Earlier { same_since: Some(same_since), peers_changed: false };
    }
    let Claimed { account, host, page, .. } = asked.target;
    let changed = context.store.peers_changed(*account, host, page, same_since).await;
    let peers_changed = changed.unwrap_or_else(|error| {
        context.metrics.store_failed();
        tracing::warn!(%error, account = asked.target.key, "other answers cannot be compared");
        false
    });
    Earlier { same_since: Some(same_since), peers_changed }
}

/// As-of time of the first answer that said the same as this one, the newest or any before it: a
/// cache may alternate between old answers. Where the store cannot tell, the newest is compared.
async fn same_since(
    context: &Context,
    asked: &Asked<'_>,
    said: Option<&str>,
) -> Option<DateTime<Utc>> {
    let said = said?;
    let target = asked.target;
    let history = TimeDelta::days(i64::from(context.settings.history_days));
    let since = context.clock.now() - history;
    let (account, page) = (target.account, &target.page);
    match context.store.body_first_seen(account, page, said, since).await {
        Ok(seen) => seen,
        Err(error) => {
            context.metrics.store_failed();
            tracing::warn!(%error, account = target.key, "earlier answers cannot be compared");
            target.body_as_of.filter(|_| target.body_digest.as_deref() == Some(said))
        }
    }
}

fn finished(
    context: &Context,
    asked: &Asked<'_>,
    started_at: DateTime<Utc>,
    gathered: &Gathered,
    (composed, mut posts): (Composed, Vec<Post>),
) -> Finished {
    let Asked { target, platform, .. } = *asked;
    posts.retain(|post| composed.keeps(post));
    let now = context.clock.now();
    let look = canary::look(context, asked, &composed.outcome, gathered, &posts, now);
    let next = next::next_visit(context, asked, &composed.outcome, gathered, &posts, now);
    let visit = Visit {
        page: target.page.as_str().into(),
        // A profile lists no part of its own; its counter speaks for all.
        part: if target.part.is_empty() { "all" } else { target.part.as_str() }.into(),
        started_at,
        recorded_at: now,
        adapter: platform.digest.as_str().into(),
        source: source(platform),
        items: u32::try_from(posts.len()).unwrap_or(u32::MAX),
        outcome: composed.outcome,
    };
    let first = gathered.pages.first();
    let record = VisitRecord {
        account: target.account,
        host: Some(target.host.clone()),
        lease: Some(target.lease.clone()),
        seen_at: composed.posts_as_of.unwrap_or(started_at),
        status: gathered.first.as_ref().ok().map(status),
        bytes: Some(gathered.bytes),
        duration_ms: u32::try_from(gathered.elapsed.as_millis()).ok(),
        body_digest: gathered.said().map(str::to_owned),
        identity: first.and_then(|page| proven_identity(&visit.outcome, &page.identity)),
        inquiries: first.map(|page| page.inquiries.clone()).unwrap_or_default(),
        posts,
        details: VisitDetails {
            yields: yields(asked, &visit.outcome, gathered),
            ..details(asked, &visit.outcome, gathered)
        },
        look,
        next: Some(next),
        evidence: VisitEvidence::Nothing,
        visit,
    };
    let seen_before = target.observed_at.is_some();
    Finished { record, platform: platform.id.clone(), captures: Vec::new(), seen_before }
}

/// Why it ended so. What quotes a page of citizens' words is left out.
pub(super) fn details(asked: &Asked<'_>, outcome: &Outcome, gathered: &Gathered) -> VisitDetails {
    let said = match (&gathered.first, outcome) {
        (_, Outcome::Observed(_)) => None,
        (Err(failure), _) => Some(failure.detail.as_str()),
        (Ok(_), _) if asked.kind.personal => None,
        (Ok(_), _) => gathered.pages.first().and_then(|page| page.reason.as_deref()),
    };
    let gone = matches!(outcome, Outcome::Gone { .. });
    VisitDetails::told(said, gone.then(|| GoneCause::of(said.unwrap_or_default())))
}

/// What the first page yielded, with the readings before it; `None` where no page was answered, or
/// one that says nothing of the page kind.
fn yields(asked: &Asked<'_>, outcome: &Outcome, gathered: &Gathered) -> Option<Yields> {
    let Ok(Answered::Page(answered)) = &gathered.first else { return None };
    let read = match outcome {
        Outcome::Observed(_) => true,
        Outcome::Failed(Reason::Drifted | Reason::Blocked) => false,
        _ => return None,
    };
    let page = gathered.pages.first()?;
    let posts = if read { page.posts.as_slice() } else { &[] };
    let count = |has: fn(&Post) -> bool| {
        u32::try_from(posts.iter().filter(|post| has(post)).count()).unwrap_or(u32::MAX)
    };
    let reading = Yield {
        at: answered.sent_at,
        adapter: asked.platform.digest.clone(),
        read,
        items: count(|_| true),
        dated: count(|post| post.published.is_some()),
        named: count(|post| post.reference.is_some() || post.url.is_some()),
        counted: count(|post| {
            [&post.reads, &post.likes, &post.comments, &post.shares].iter().any(|n| n.is_some())
        }),
        identified: read && (page.identity.handle.is_some() || page.identity.name.is_some()),
    };
    let past = &asked.target.yields;
    let fell = fell(past, &reading);
    let kept = past.len().saturating_sub(READINGS_KEPT - 1);
    let readings = past[kept..].iter().cloned().chain([reading]).collect();
    Some(Yields { readings, fell })
}

pub(super) fn status(answered: &Answered) -> u16 {
    match answered {
        Answered::Page(page) => page.status,
        Answered::NotModified(_) => 304,
    }
}

fn proven_identity(outcome: &Outcome, identity: &Identity) -> Option<Identity> {
    matches!(outcome, Outcome::Observed(_)).then(|| identity.clone())
}

/// A feed that is the office's bridge speaks for its own visits; an account that is itself a feed
/// speaks for itself.
pub(super) fn source(platform: &Platform) -> Source {
    match platform.observability {
        Observability::PublicFeed => Source::Bridge,
        _ => Source::Crawl,
    }
}

/// Counts the visit, and logs what an operator should know of a failure.
fn tell(context: &Context, target: &Claimed, outcome: &Outcome, gathered: &Gathered) {
    let metrics = &context.metrics;
    let platform = target.platform.as_str();
    let seconds = gathered.elapsed.as_secs_f64();
    metrics.fetched(platform, outcome_word(outcome), seconds, gathered.bytes);
    for page in &gathered.pages {
        metrics.extracted(platform, page.posts.len() as u64);
        for _ in &page.warnings {
            metrics.warned(platform, "value");
        }
    }
    let penalty = context.fetcher.penalty(&target.host);
    metrics.set_host_penalty_seconds(&target.host, penalty.as_secs_f64());
    if let Outcome::Failed(reason) = outcome {
        let detail = match &gathered.first {
            Err(Failure { detail, .. }) => detail.as_str(),
            Ok(_) => gathered.pages.first().and_then(|page| page.reason.as_deref()).unwrap_or("-"),
        };
        tracing::debug!(account = target.key, page = target.page, %reason, detail, "not observed");
    }
}

/// Every word that [`outcome_word`] may give.
pub fn outcome_words() -> Vec<&'static str> {
    let failures = [
        Reason::Blocked,
        Reason::Limited,
        Reason::Unreachable,
        Reason::Drifted,
        Reason::Stale,
        Reason::Disallowed,
    ];
    ["observed", "gone"].into_iter().chain(failures.map(Reason::as_str)).collect()
}

/// The stable word of an outcome, as in metrics and on the command line.
pub fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Observed(_) => "observed",
        Outcome::Gone { .. } => "gone",
        Outcome::Failed(reason) => reason.as_str(),
    }
}
