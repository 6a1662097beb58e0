//! What keeps the store healthy and the operator informed; it never blocks the crawl.

use anyhow::Context as _;
use chrono::TimeDelta;

use super::{Context, yields};

/// A request that is sent again under its `Idempotency-Key` comes within minutes; a client that was
/// switched off comes back within days.
const ANSWERS_KEPT: TimeDelta = TimeDelta::days(7);

/// Makes the partitions of the coming months, renews what readings usually yield, forgets old
/// answers to writes, tells how much room is left, and packs the months that have ended.
pub async fn keep_house(context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    context.store.ensure_partitions(now).await.context("partitions")?;
    let shared = yields::shared_platforms(context);
    context.store.save_baselines(&shared, now).await.context("baselines of yields")?;
    context.store.forget_answers(now - ANSWERS_KEPT).await.context("kept answers")?;
    if let Some(bytes) = free_bytes(&context.data_dir) {
        context.metrics.set_data_dir_free_bytes(bytes);
    }
    context.store.pack_months(now).await.context("packing ended months")?;
    Ok(())
}

/// Tells how much waits for each platform.
pub async fn tell_backlog(context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    for count in context.store.due_counts(now).await.context("counting what is due")? {
        let lag = count.oldest_due_at.map_or(0.0, |at| (now - at).as_seconds_f64().max(0.0));
        context.metrics.set_due(&count.platform, count.due, lag);
    }
    Ok(())
}

fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    let space = rustix::fs::statvfs(folder).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}
