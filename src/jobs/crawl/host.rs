//! One host's claimed targets, visited in their order and at the host's pace.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};

use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use crate::domain::HostPace;
use crate::jobs::Context;
use crate::schedule::{self, Candidate};
use crate::store::Claimed;

use super::visit::{self, Finished};
use super::{Running, host_limit, next, share, targets};

/// Visits the targets of one host, as many at once as the host allows; a soft stop leaves the rest.
pub(super) async fn visit_host(
    context: Context,
    running: Running,
    targets: Vec<Claimed>,
    sender: mpsc::Sender<Finished>,
) {
    let Some(first) = targets.first() else { return };
    let (host, terms) = (first.host.clone(), first.terms);
    let platform = context.platforms.get(&first.platform);
    let limit = platform.map(host_limit).unwrap_or_default();
    context.fetcher.take_over(&host, limit, &terms);
    let noted = &Mutex::new(terms.pace);
    let targets = in_order(&context, targets);
    let concurrent = context.fetcher.concurrent(&host);
    futures::stream::iter(targets)
        .for_each_concurrent(concurrent, |target| {
            let (context, running, sender) = (context.clone(), running.clone(), sender.clone());
            async move {
                let host = target.host.clone();
                visit_target(context.clone(), running, target, sender).await;
                note_pace(&context, &host, noted).await;
            }
        })
        .await;
}

/// Keeps the pace of a host where it has changed, for whoever asks the host next. Where it cannot
/// be kept the crawl goes on: only a daemon that dies now leaves the older word behind.
async fn note_pace(context: &Context, host: &str, noted: &Mutex<HostPace>) {
    let pace = context.fetcher.pace(host);
    let known = std::mem::replace(&mut *noted.lock().unwrap_or_else(PoisonError::into_inner), pace);
    if pace.agrees_with(&known, context.clock.now()) {
        return;
    }
    let note = context.store.note_pace(&context.owner, host, &pace);
    if let Err(error) = context.timed("note_pace", note).await {
        tracing::warn!(%error, host, "the pace of the host is not kept");
    }
}

/// The targets in the order in which their host is to be asked: the greatest waiting first.
fn in_order(context: &Context, targets: Vec<Claimed>) -> Vec<Claimed> {
    let now = context.clock.now();
    let candidate = |target: &Claimed| Candidate {
        account: target.account,
        weight: weight(context, target),
        forecast: next::forecast(context, target, now),
        last_observation_at: target.observed_at,
        deadline_at: target.deadline_at,
    };
    let candidates: Vec<Candidate> = targets.iter().map(candidate).collect();
    let mut waiting: Vec<Option<Claimed>> = targets.into_iter().map(Some).collect();
    let turns = schedule::order(&candidates, now).into_iter();
    turns.filter_map(|turn| waiting.get_mut(turn)?.take()).collect()
}

/// What stands beside an account's lists waits until these have been read.
fn weight(context: &Context, target: &Claimed) -> f64 {
    let kind = targets::page_kind(context, &target.platform, &target.page);
    if kind.is_none_or(|(_, kind)| kind.role.speaks_for_account()) { 1.0 } else { 0.1 }
}

async fn visit_target(
    context: Context,
    running: Running,
    target: Claimed,
    sender: mpsc::Sender<Finished>,
) {
    // What would outlive its lease is left to whoever claims it next.
    if running.soft_stop.is_cancelled() || !share::lasts(&context, &target) {
        return;
    }
    // Requests end with the lease by themselves; what still waits then is the store.
    let left = (target.lease.until - context.clock.now()).to_std().unwrap_or_default();
    let visiting = AssertUnwindSafe(visit::visit(&context, &target)).catch_unwind();
    let finished = match tokio::time::timeout(left, visiting).await {
        Ok(Ok(Some(finished))) => finished,
        Ok(Ok(None)) => return,
        Err(_) => {
            tracing::warn!(account = target.key, page = target.page, "a visit outlived its lease");
            return;
        }
        Ok(Err(_)) => {
            tracing::error!(account = target.key, page = target.page, "a visit panicked");
            return;
        }
    };
    (running.on_visit)(&target, &finished.record);
    // The writer ends before its senders only on a hard stop, which gives visits up.
    let _given_up = sender.send(finished).await;
}
