//! Pages that stand beside an account's lists: citizens' messages, a site's own pages, and single
//! posts. What they show says nothing of the account's activity.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{Extraction, Inquiry, PageVerdict, Reason};
use crate::jobs::{Context, quarter_start};
use crate::observe::{BESIDE, Observation, Outcome, Visit};
use crate::platform::{PageKind, Platform, Role};
use crate::schedule::{self, TargetHistory};
use crate::store::{Claimed, Found, NextVisit, VisitDetails, VisitEvidence, VisitRecord};

use super::gather::{Answered, Asking, Gathered};
use super::keep::Received;
use super::reading::Asked;
use super::visit::{Finished, details, source, status};
use super::{keep, next, singles, site};

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
    let (gathered, found) = look(context, &asked, started_at).await?;
    let outcome = outcome(&gathered, kind.role);
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
        details: VisitDetails { found, ..details(&asked, &outcome, &gathered) },
        look: None,
        evidence: VisitEvidence::Nothing,
        next: Some(next_visit(context, &asked, &outcome, &gathered, now)),
        visit: Visit {
            page: target.page.as_str().into(),
            part: if reads_messages(kind) { "" } else { BESIDE }.into(),
            started_at,
            recorded_at: now,
            adapter: platform.digest.as_str().into(),
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

/// Asks as the role of the page kind wants it; what is found beside messages.
async fn look(
    context: &Context,
    asked: &Asked<'_>,
    started_at: DateTime<Utc>,
) -> Option<(Gathered, Found)> {
    Some(match asked.kind.role {
        Role::Comments => (singles::comments(context, asked, started_at).await?, Found::default()),
        Role::Article => {
            let (gathered, posts) = singles::missing(context, asked, started_at).await?;
            (gathered, Found { asked: posts, ..Found::default() })
        }
        Role::Inventory => {
            let (gathered, seen) = site::look(context, asked).await;
            (gathered, Found { site: Some(Box::new(seen)), ..Found::default() })
        }
        _ => (board(context, asked).await, Found::default()),
    })
}

fn reads_messages(kind: &PageKind) -> bool {
    matches!(kind.role, Role::Comments | Role::Board)
}

/// The messages of the pages that were read as what they should be.
fn messages(pages: &[Extraction]) -> Vec<Inquiry> {
    let read = pages.iter().filter(|page| page.verdict == PageVerdict::Observation);
    read.flat_map(|page| page.inquiries.clone()).collect()
}

/// Observed where any page was read; it covers no time and confirms nothing.
fn outcome(gathered: &Gathered, role: Role) -> Outcome {
    let as_of = match &gathered.first {
        Err(failure) => return Outcome::Failed(failure.reason),
        Ok(Answered::NotModified(answer)) => answer.sent_at,
        Ok(Answered::Page(page)) => match page.as_of() {
            Some(as_of) => as_of,
            None => return Outcome::Failed(Reason::Stale),
        },
    };
    let verdicts = || gathered.pages.iter().map(|page| page.verdict);
    let read = |verdict| match verdict {
        PageVerdict::Gone => role == Role::Article,
        verdict => verdict == PageVerdict::Observation,
    };
    if gathered.pages.is_empty() || verdicts().any(read) {
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
                Role::Article => 24,
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
