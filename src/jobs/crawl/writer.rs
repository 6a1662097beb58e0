use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::{AccountId, Precision, Reason};
use crate::jobs::Context;
use crate::observe::{Outcome, Visit};
use crate::store::{FinishReport, NextVisit, StoreError, Validators, VisitDetails, VisitRecord};

use super::visit::Finished;
use super::{ROUND_AT_MOST, keep};

/// How long the first retry of a failed commit waits; each further one twice as long, to the cap.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Commits finished visits until the senders are gone: many in one transaction, a visit never
/// split over two.
///
/// While the database is away the visits wait here and, through the bounded channel, in front of
/// the fetches; a hard stop gives them up, which only means that their leases run out.
pub(super) async fn write(
    context: Context,
    mut finished: mpsc::Receiver<Finished>,
    hard_stop: CancellationToken,
) {
    while let Some(first) = finished.recv().await {
        context.pulses.works("writer", ROUND_AT_MOST);
        let mut batch = gather(&context, first, &mut finished).await;
        // A visit is stored only once what it rests on lies on the disk.
        keep::make_durable(&context, &mut batch).await;
        let visits = batch.len();
        tokio::select! {
            () = commit(&context, batch) => {}
            () = hard_stop.cancelled() => {
                tracing::warn!(visits, "stopped before these visits were stored");
                return;
            }
        }
        context.pulses.rests("writer");
    }
}

fn rows(record: &VisitRecord) -> usize {
    1 + record.posts.len() + record.inquiries.len()
}

async fn gather(
    context: &Context,
    first: Finished,
    finished: &mut mpsc::Receiver<Finished>,
) -> Vec<Finished> {
    let settings = &context.settings;
    let deadline = Instant::now() + Duration::from_millis(settings.commit_delay_ms_max);
    let mut size = rows(&first.record);
    let mut batch = vec![first];
    while size < settings.commit_rows_max {
        match tokio::time::timeout_at(deadline, finished.recv()).await {
            Ok(Some(finished)) => {
                size += rows(&finished.record);
                batch.push(finished);
            }
            Ok(None) | Err(_) => break,
        }
    }
    batch
}

async fn commit(context: &Context, batch: Vec<Finished>) {
    let mut about = HashMap::with_capacity(batch.len());
    let mut records = Vec::with_capacity(batch.len());
    for Finished { record, platform, seen_before, .. } in batch {
        about.insert(record.account, (platform, seen_before));
        records.push(record);
    }
    match finish(context, &records).await {
        Some(report) => tell(context, &report, &about),
        None => {
            // One of them holds what Postgres will never take; the others are not to suffer.
            for record in &records {
                match finish(context, std::slice::from_ref(record)).await {
                    Some(report) => tell(context, &report, &about),
                    None => give_up(context, record, &about).await,
                }
            }
        }
    }
}

/// Stores what is left of a visit that cannot be stored: that it failed.
async fn give_up(context: &Context, record: &VisitRecord, about: &About) {
    let (account, page) = (record.account, &record.visit.page);
    tracing::error!(%account, %page, "what was read cannot be stored; kept as a failed visit");
    let outcome = Outcome::Failed(Reason::Drifted);
    let visit = Visit { outcome, items: 0, ..record.visit.clone() };
    let failed = VisitRecord {
        visit,
        identity: None,
        posts: Vec::new(),
        inquiries: Vec::new(),
        details: VisitDetails::default(),
        look: None,
        body_digest: None,
        next: record
            .next
            .clone()
            .map(|next| NextVisit { validators: Validators::default(), ..next }),
        ..record.clone()
    };
    if let Some(report) = finish(context, &[failed]).await {
        tell(context, &report, about);
    }
}

/// Stores a batch, as often as it takes while the database is away; `None` where it is refused.
async fn finish(context: &Context, records: &[VisitRecord]) -> Option<FinishReport> {
    let mut wait = RETRY_FIRST;
    loop {
        // While the database is away each try is a sign of life.
        context.pulses.works("writer", ROUND_AT_MOST);
        match context.timed("finish", context.store.finish(records)).await {
            Ok(report) => return Some(report),
            Err(StoreError::Rejected(error)) => {
                tracing::error!(%error, visits = records.len(), "visits refused by the database");
                return None;
            }
            Err(error) => {
                tracing::error!(%error, visits = records.len(), "visits not stored, trying again");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY_MAX);
    }
}

/// Platform of an account, and whether the page had been observed before.
type About = HashMap<AccountId, (String, bool)>;

fn tell(context: &Context, report: &FinishReport, known: &About) {
    for (account, page) in &report.fenced {
        tracing::warn!(%account, page, "finished after its lease had moved on; not stored");
    }
    if report.nameless > 0 {
        tracing::warn!(items = report.nameless, "items without id, address or text were left out");
    }
    for post in &report.discovered {
        let Some((platform, seen_before)) = known.get(&post.account) else { continue };
        // A date alone, or the backlog of a first visit, has no delay worth measuring.
        let measurable = post.claimed.filter(|at| *seen_before && at.precision < Precision::Day);
        let delay = measurable.map(|at| (post.first_seen - at.at).as_seconds_f64().max(0.0));
        context.metrics.discovered(platform, delay);
    }
    tracing::debug!(visits = report.written, posts = report.discovered.len(), "stored");
}
