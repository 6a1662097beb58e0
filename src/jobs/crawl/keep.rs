use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{EvidenceClass, EvidenceId, Extraction};
use crate::evidence::{Answer, Capture, Circumstances, Keep, Vault, capture, digest as sha256};
use crate::fetch::{NotModified, Page};
use crate::jobs::Context;
use crate::observe::Outcome;
use crate::store::VisitEvidence;

use super::gather::{Answered, Gathered};
use super::reading::Asked;
use super::visit::{Finished, outcome_word};

/// A page with its body, until it is known whether it is kept.
pub(super) struct Received {
    /// The address that was asked.
    pub(super) requested: String,
    /// The answer.
    pub(super) page: Page,
}

/// A capture, and the record that it refers to.
pub(super) type Kept = (Capture, Option<EvidenceId>);

/// Why the visit's answer is kept; `None` where there is none, or nothing rests on it.
///
/// Every observation covers time and every confirmation may carry a silence, so all of them are
/// kept. A failure says nothing of the account: the first of a row is kept, since it changed what
/// is known, and those of canaries, since they freeze verdicts.
fn class(asked: &Asked<'_>, gathered: &Gathered, outcome: &Outcome) -> Option<EvidenceClass> {
    gathered.first.as_ref().ok()?;
    let target = asked.target;
    match outcome {
        Outcome::Failed(_) => {
            (target.fails == 0 || target.is_canary).then_some(EvidenceClass::Trouble)
        }
        Outcome::Gone { .. } => Some(EvidenceClass::Proof),
        Outcome::Observed(seen) if seen.confirming => Some(EvidenceClass::Proof),
        Outcome::Observed(_) if says_the_same(asked, gathered) => Some(EvidenceClass::Routine),
        Outcome::Observed(_) => Some(EvidenceClass::Change),
    }
}

/// Whether the first page said what the last observation said; so does a 304.
fn says_the_same(asked: &Asked<'_>, gathered: &Gathered) -> bool {
    gathered.said().is_none_or(|said| asked.target.body_digest.as_deref() == Some(said))
}

/// Puts what a visit received into records, or notes why it cannot be kept.
pub(super) async fn attach(
    context: &Context,
    asked: &Asked<'_>,
    gathered: &Gathered,
    finished: &mut Finished,
) {
    let visit = &finished.record.visit;
    match &context.evidence {
        Ok(vault) => {
            let seen = (&visit.outcome, visit.started_at);
            finished.captures = captures(context, vault, asked, gathered, seen).await;
        }
        Err(reason) if class(asked, gathered, &visit.outcome).is_some() => {
            finished.record.evidence = VisitEvidence::Missing((*reason).to_owned());
        }
        Err(_) => {}
    }
}

/// The records of a visit, its first page first.
async fn captures(
    context: &Context,
    vault: &Vault,
    asked: &Asked<'_>,
    gathered: &Gathered,
    (outcome, started_at): (&Outcome, DateTime<Utc>),
) -> Vec<Kept> {
    let Some(class) = class(asked, gathered, outcome) else { return Vec::new() };
    let level = vault.settings().gzip_level;
    let page = format!("{}/{}", asked.platform.id, asked.target.page);
    let circumstances = |number| Circumstances {
        software: vault.software(),
        account: &asked.target.key,
        page: &page,
        number,
        adapter: &asked.platform.digest,
        started_at,
        outcome: outcome_word(outcome),
        as_of: match outcome {
            Outcome::Observed(seen) => Some(seen.as_of),
            Outcome::Gone { as_of, .. } => Some(*as_of),
            Outcome::Failed(_) => None,
        },
    };
    if let Ok(Answered::NotModified(answer)) = &gathered.first {
        let answer = unchanged(asked.address, answer);
        return vec![(capture(&answer, &circumstances(1), &Keep::NotModified, class, level), None)];
    }
    let same = says_the_same(asked, gathered);
    let mut kept = Vec::with_capacity(gathered.received.len());
    for (at, received) in gathered.received.iter().enumerate() {
        let mut refers_to = None;
        let keep = if asked.kind.personal {
            Keep::Redacted(redacted(gathered.pages.get(at)))
        } else {
            // Where the page says something new, its bytes are new as well: no need to look.
            let earlier = match at > 0 || same || matches!(outcome, Outcome::Failed(_)) {
                true => earlier(context, vault, asked, &received.page.body).await,
                false => None,
            };
            refers_to = earlier.as_ref().map(|full| full.id);
            earlier.map_or(Keep::Whole, |full| Keep::SameAs(full.record))
        };
        let answer = answer(received);
        kept.push((capture(&answer, &circumstances(at + 1), &keep, class, level), refers_to));
    }
    kept
}

/// The record that has this very body already; where the store cannot tell, it is kept once more.
async fn earlier(
    context: &Context,
    vault: &Vault,
    asked: &Asked<'_>,
    body: &[u8],
) -> Option<crate::store::FullRecord> {
    let days = TimeDelta::days(vault.settings().refer_back_days().into());
    let since = context.clock.now() - days;
    let found = context.store.full_record(asked.target.account, sha256(body), since).await;
    found.unwrap_or_else(|error| {
        context.metrics.store_failed();
        tracing::warn!(%error, account = asked.target.key, "earlier evidence cannot be looked up");
        None
    })
}

fn answer(received: &Received) -> Answer<'_> {
    let page = &received.page;
    Answer {
        requested: &received.requested,
        answered: &page.final_url,
        redirects: page.redirects,
        status: page.status,
        headers: &page.headers,
        body: &page.body,
        sent_at: page.sent_at,
        received_at: page.received_at,
        date: page.date,
        conditional: page.conditional,
        cache_buster: page.cache_buster_sent,
    }
}

fn unchanged<'a>(address: &'a str, answer: &'a NotModified) -> Answer<'a> {
    let elapsed = TimeDelta::from_std(answer.elapsed).unwrap_or_default();
    Answer {
        requested: address,
        answered: address,
        redirects: 0,
        status: 304,
        headers: &answer.headers,
        body: &[],
        sent_at: answer.sent_at,
        received_at: answer.sent_at + elapsed,
        date: answer.date,
        conditional: true,
        cache_buster: false,
    }
}

/// What may be kept of a page with citizens' words: whose page it is, and its messages, of which an
/// extraction has keyed ids, times and lengths alone. Titles, warnings and addresses may quote
/// citizens, so they are counted and left out.
fn redacted(page: Option<&Extraction>) -> Vec<u8> {
    let Some(page) = page else { return b"{}".to_vec() };
    let kept = serde_json::json!({
        "platform": page.platform,
        "page": page.page,
        "layout": page.layout,
        "observed_at": page.observed_at.to_rfc3339(),
        "handle": page.identity.handle,
        "inquiries": page.inquiries,
        "items": page.posts.len(),
        "exhausted": page.exhausted,
        "empty_marker": page.empty_marker,
        "verdict": page.verdict,
        "warnings": page.warnings.len(),
    });
    serde_json::to_vec(&kept).unwrap_or_default()
}

/// Makes the captures of a batch durable and hands their places to the visits; where that fails the
/// visits say so, and the crawl goes on.
pub(super) async fn make_durable(context: &Context, batch: &mut [Finished]) {
    let mut captures: Vec<Kept> = Vec::new();
    let mut counts = Vec::with_capacity(batch.len());
    for finished in batch.iter_mut() {
        counts.push(finished.captures.len());
        captures.append(&mut finished.captures);
    }
    if captures.is_empty() {
        return;
    }
    let Ok(vault) = &context.evidence else { return };
    match crate::jobs::evidence::keep(context, vault, captures).await {
        Ok(kept) => {
            let mut kept = kept.into_iter();
            for (finished, count) in batch.iter_mut().zip(counts).filter(|(_, count)| *count > 0) {
                let own = kept.by_ref().take(count).collect();
                finished.record.evidence = VisitEvidence::Kept(own);
            }
        }
        Err(error) => {
            context.metrics.evidence_failed();
            let visits = counts.iter().filter(|count| **count > 0).count();
            tracing::error!(%error, visits, "evidence not written; the visits say so");
            for (finished, _) in batch.iter_mut().zip(counts).filter(|(_, count)| *count > 0) {
                finished.record.evidence = VisitEvidence::Missing(error.reason().to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Identity, Inquiry, PageVerdict, Post};

    #[test]
    fn nothing_that_a_citizen_wrote_is_kept_of_a_personal_page() {
        let words = "市民来信：张三反映";
        let page = Extraction {
            platform: "portal".to_owned(),
            page: "board".to_owned(),
            layout: None,
            observed_at: "2026-11-27T04:00:00Z".parse().unwrap(),
            identity: Identity {
                handle: Some("h".into()),
                name: Some(words.into()),
                ..Identity::default()
            },
            posts: vec![Post {
                title: Some(words.into()),
                url: Some(words.into()),
                ..Post::default()
            }],
            inquiries: Vec::<Inquiry>::new(),
            exhausted: true,
            empty_marker: false,
            next: Some(words.into()),
            source_time: None,
            verdict: PageVerdict::Observation,
            reason: Some(words.into()),
            finding: None,
            warnings: vec![words.into()],
            columns: Vec::new(),
        };
        let kept = String::from_utf8(redacted(Some(&page))).unwrap();
        assert!(!kept.contains("张三") && !kept.contains("来信"), "{kept}");
        assert!(kept.contains("\"items\":1") && kept.contains("\"warnings\":1"), "{kept}");
    }
}
