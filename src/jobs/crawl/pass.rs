use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};

use crate::jobs::{Context, judge, yields};
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

/// Visits every account once, canaries last, and judges what was learned.
///
/// The canaries come last because an observation is provisional until a later healthy look at one.
pub async fn pass(context: &Context, running: &Running) -> anyhow::Result<PassSummary> {
    sync_targets(context).await?;
    let began_at = context.clock.now();
    let visits = Arc::new(AtomicUsize::new(0));
    let running = counting(running, visits.clone());
    context.store.make_due(Which::Ordinary, began_at).await?;
    work(context.clone(), running.clone(), Until::Idle).await?;
    choose_canaries(context).await?;
    context.store.make_due(Which::Canaries, context.clock.now()).await?;
    work(context.clone(), running, Until::Idle).await?;
    yields::judge_yields(context).await?;
    let judged = judge::judge(context).await?;
    Ok(PassSummary { began_at, visits: visits.load(Ordering::Relaxed), judged })
}

/// Visits the accounts of these keys once, and judges what was learned. The canaries keep their own
/// rhythm: what is seen here may wait for the next of them.
pub async fn visit_accounts(
    context: &Context,
    running: &Running,
    keys: &[String],
) -> anyhow::Result<PassSummary> {
    sync_targets(context).await?;
    let began_at = context.clock.now();
    let visits = Arc::new(AtomicUsize::new(0));
    let only = Running { accounts: Some(keys.into()), ..counting(running, visits.clone()) };
    context.store.make_due(Which::Accounts(keys), began_at).await?;
    work(context.clone(), only, Until::Idle).await?;
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
