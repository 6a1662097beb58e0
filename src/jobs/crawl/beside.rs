//! Pages that stand beside an account's lists: citizens' messages, and a site's own pages. What
//! they show says nothing of the account's activity.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Extraction, Inquiry, PageVerdict, Reason};
use crate::fetch::NotModified;
use crate::jobs::{Context, quarter_start};
use crate::observe::{Observation, Outcome, Visit};
use crate::platform::{PageKind, Platform, Role};
use crate::schedule::{self, TargetHistory};
use crate::store::{Claimed, NextVisit, VisitDetails, VisitEvidence, VisitRecord};

use super::gather::{Answered, Asking, Gathered};
use super::keep::Received;
use super::reading::Asked;
use super::visit::{Finished, details, source, status};
use super::{keep, next, site};

/// Visits such a page; `None` where its address is not known, or the store cannot say what to ask.
/// `keeping`: the answers become evidence.
pub(super) async fn visit(
    context: &Context,
    target: &Claimed,
    platform: &Platform,
    kind: &PageKind,
    keeping: bool,
) -> Option<(Finished, Gathered)> {
    let started_at = context.clock.now();
    let own = || kind.url.as_ref()?.fill(&target.handle, target.url.as_deref(), 1);
    let address = match kind.role {
        Role::Comments => String::new(),
        _ => target.address.clone().or_else(own)?,
    };
    let asked = Asked { target, platform, kind, address: &address };
    let mut found = None;
    let gathered = match kind.role {
        Role::Comments => comments(context, &asked, started_at).await?,
        Role::Inventory => {
            let (gathered, seen) = site::look(context, &asked).await;
            found = Some(Box::new(seen));
            gathered
        }
        _ => board(context, &asked).await,
    };
    let outcome = outcome(&gathered);
    let now = context.clock.now();
    let (as_of, inquiries) = match &outcome {
        Outcome::Observed(seen) => (seen.as_of, messages(&gathered.pages)),
        _ => (started_at, Vec::new()),
    };
    let record = VisitRecord {
        account: target.account,
        host: Some(target.host.clone()),
        lease: Some(target.lease.clone()),
        seen_at: as_of,
        status: gathered.first.as_ref().ok().filter(|_| !gathered.pages.is_empty()).map(status),
        bytes: Some(gathered.bytes),
        duration_ms: u32::try_from(gathered.elapsed.as_millis()).ok(),
        body_digest: None,
        identity: None,
        posts: Vec::new(),
        inquiries,
        details: VisitDetails { site: found, ..details(&asked, &outcome, &gathered) },
        look: None,
        evidence: VisitEvidence::Nothing,
        next: Some(next_visit(context, &asked, &outcome, &gathered, now)),
        visit: Visit {
            page: target.page.clone(),
            part: String::new(),
            started_at,
            recorded_at: now,
            adapter: platform.digest.clone(),
            source: source(platform),
            items: 0,
            outcome,
        },
    };
    let mut finished = Finished {
        record,
        platform: target.platform.clone(),
        captures: Vec::new(),
        seen_before: target.observed_at.is_some(),
    };
    // Where there was nothing to ask about, nobody answered.
    if keeping && !gathered.received.is_empty() {
        keep::attach(context, &asked, &gathered, &mut finished).await;
    }
    Some((finished, gathered))
}

/// The messages of the pages that were read as what they should be.
fn messages(pages: &[Extraction]) -> Vec<Inquiry> {
    let read = pages.iter().filter(|page| page.verdict == PageVerdict::Observation);
    read.flat_map(|page| page.inquiries.clone()).collect()
}

/// Observed where any page was read; it covers no time and confirms nothing.
fn outcome(gathered: &Gathered) -> Outcome {
    let as_of = match &gathered.first {
        Err(failure) => return Outcome::Failed(failure.reason),
        Ok(Answered::NotModified(answer)) => answer.sent_at,
        Ok(Answered::Page(page)) => {
            // A cache that does not say since when it holds the answer proves no time at all.
            if page.cache_hit && page.age_seconds.is_none() {
                return Outcome::Failed(Reason::Stale);
            }
            let age = i64::try_from(page.age_seconds.unwrap_or(0)).unwrap_or(i64::MAX / 1000);
            let sent = page.sent_at - TimeDelta::try_seconds(age).unwrap_or_default();
            page.date.map_or(sent, |date| date.min(sent))
        }
    };
    let verdicts = || gathered.pages.iter().map(|page| page.verdict);
    if gathered.pages.is_empty() || verdicts().any(|one| one == PageVerdict::Observation) {
        return Outcome::Observed(Observation {
            as_of,
            span: None,
            bracket: None,
            claims_shift_seconds: 0,
            exhausted: false,
            empty: false,
            confirming: false,
            posts_total: None,
            new_items: 0,
            upstream_success: None,
            registered_at: None,
        });
    }
    let walled = verdicts().any(|one| one == PageVerdict::Blocked);
    Outcome::Failed(if walled { Reason::Blocked } else { Reason::Drifted })
}

/// Follows a board to the start of the current quarter, at most the page kind's `pages_max`.
async fn board(context: &Context, asked: &Asked<'_>) -> Gathered {
    let back_to = quarter_start(context.clock.now());
    let asking = Asking { context, asked };
    let mut gathered = asking.first(false).await;
    while let Some(next) = next_page(&gathered, back_to, asked.kind.pages_max) {
        let number = u32::try_from(gathered.pages.len()).unwrap_or(u32::MAX) + 1;
        let Some((page, extraction)) = asking.further(&next, number).await else { break };
        gathered.bytes += page.body.len() as u64;
        gathered.elapsed += page.elapsed;
        gathered.received.push(Received { requested: next, page: *page });
        if extraction.verdict != PageVerdict::Observation {
            break;
        }
        gathered.pages.push(extraction);
    }
    gathered
}

fn next_page(gathered: &Gathered, back_to: DateTime<Utc>, pages_max: u32) -> Option<String> {
    let last = gathered.pages.last()?;
    let oldest = last.inquiries.iter().filter_map(|one| one.asked_at).map(|at| at.at).min();
    let more = gathered.pages.len() < usize::try_from(pages_max).unwrap_or(usize::MAX);
    let repeats = gathered.pages.iter().rev().nth(1).is_some_and(|before| {
        before
            .inquiries
            .iter()
            .map(|one| &one.reference)
            .eq(last.inquiries.iter().map(|one| &one.reference))
    });
    let wanted = last.verdict == PageVerdict::Observation && !last.exhausted && !repeats;
    let reaches = oldest.is_none_or(|oldest| oldest <= back_to);
    (wanted && more && !reaches).then(|| last.next.clone()).flatten()
}

/// Asks for the comments under the account's own newest posts, one after the other; the first
/// refusal ends it. Where there is no post to ask about, nobody is asked.
async fn comments(
    context: &Context,
    asked: &Asked<'_>,
    started_at: DateTime<Utc>,
) -> Option<Gathered> {
    let Asked { target, platform, kind, .. } = *asked;
    let settings = &context.settings;
    let since = started_at - TimeDelta::days(settings.comments_days.into());
    let posts = context.store.posts_to_ask(target.account, since, settings.comments_posts_max);
    let posts = match posts.await {
        Ok(posts) => posts,
        Err(error) => {
            context.metrics.store_failed();
            tracing::warn!(%error, account = target.key, "its posts cannot be asked about");
            return None;
        }
    };
    let mut all: Option<Gathered> = None;
    for post in posts {
        let address = kind.url.as_ref()?.fill_post(&target.handle, &post)?;
        let asked = Asked { target, platform, kind, address: &address };
        let one = Asking { context, asked: &asked }.first(false).await;
        let walled = one.pages.iter().any(|page| page.verdict == PageVerdict::Blocked);
        let refused = walled || one.first.is_err();
        match &mut all {
            None => all = Some(one),
            Some(all) => {
                all.bytes += one.bytes;
                all.elapsed += one.elapsed;
                all.pages.extend(one.pages);
                all.received.extend(one.received);
            }
        }
        if refused {
            break;
        }
    }
    let nobody_asked = || {
        let nothing = NotModified {
            date: None,
            sent_at: started_at,
            elapsed: Duration::ZERO,
            headers: Vec::new(),
        };
        let (first, pages) = (Ok(Answered::NotModified(nothing)), Vec::new());
        let received = Vec::new();
        Gathered { first, pages, received, bytes: 0, elapsed: Duration::ZERO }
    };
    Some(all.unwrap_or_else(nobody_asked))
}

/// Such a page is due again after its own time; what failed waits as any other page does.
fn next_visit(
    context: &Context,
    asked: &Asked<'_>,
    outcome: &Outcome,
    gathered: &Gathered,
    now: DateTime<Utc>,
) -> NextVisit {
    let target = asked.target;
    let failure = gathered.first.as_ref().err();
    let held_back = failure.is_some_and(|failure| failure.ours);
    let due_at = match outcome {
        Outcome::Failed(_) => {
            let wait = failure.and_then(|failure| failure.retry_after);
            let history = TargetHistory {
                last_visit_at: Some(now),
                failures: target.fails + u32::from(!held_back),
                retry_not_before: wait.and_then(|wait| Some(now + TimeDelta::from_std(wait).ok()?)),
                ..next::history(context, asked)
            };
            let habits = context.habits.of(&target.platform);
            let terms = next::terms(context, target, &habits);
            schedule::next_visit(&history, &terms, now).due_at
        }
        _ => {
            let settings = &context.settings;
            let hours = match asked.kind.role {
                Role::Inventory => settings.site_hours,
                _ => settings.messages_hours,
            };
            // Up to a tenth earlier, by account, so that they do not keep step.
            let share = i32::try_from(target.account.0.rem_euclid(97)).unwrap_or_default();
            let every = TimeDelta::hours(hours.into());
            now + every - every / 970 * share
        }
    };
    NextVisit { due_at, held_back, ..NextVisit::default() }
}
