use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};

use crate::jobs::{Context, judge};
use crate::store::Which;

use super::{Running, Until, choose_canaries, sync_targets, work};

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassSummary {
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// Pages visited, canaries included.
    pub visits: usize,
    /// Accounts judged after it.
    pub judged: usize,
}

/// Visits what is asked for once, canaries last, and judges what was learned.
///
/// `keys` chooses accounts; none means all. The canaries come last because an observation is
/// provisional until a later healthy look at one.
pub async fn pass(
    context: &Context,
    running: &Running,
    keys: Option<&[String]>,
) -> anyhow::Result<PassSummary> {
    sync_targets(context).await?;
    let began_at = context.clock.now();
    let visits = Arc::new(AtomicUsize::new(0));
    let running = counting(running, visits.clone());
    let chosen = keys.map_or(Which::Ordinary, Which::Accounts);
    context.store.make_due(chosen, began_at).await?;
    work(context.clone(), running.clone(), Until::Idle).await?;
    choose_canaries(context).await?;
    context.store.make_due(Which::Canaries, context.clock.now()).await?;
    work(context.clone(), running, Until::Idle).await?;
    let judged = judge::judge(context).await?;
    Ok(PassSummary { began_at, visits: visits.load(Ordering::Relaxed), judged })
}

fn counting(running: &Running, visits: Arc<AtomicUsize>) -> Running {
    let told = running.on_visit.clone();
    Running {
        on_visit: Arc::new(move |target, record| {
            visits.fetch_add(1, Ordering::Relaxed);
            told(target, record);
        }),
        ..running.clone()
    }
}
