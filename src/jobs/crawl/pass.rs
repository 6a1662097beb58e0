use chrono::{DateTime, Utc};

use crate::jobs::{Context, judge};

use super::{Running, Until, choose_canaries, sync_targets, work};

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassSummary {
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// Targets that were asked for.
    pub targets: u64,
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
    let targets = context.store.make_due(keys, false, began_at).await?;
    work(context.clone(), running.clone(), Until::Idle).await?;
    choose_canaries(context).await?;
    context.store.make_due(Some(&[]), true, context.clock.now()).await?;
    work(context.clone(), running.clone(), Until::Idle).await?;
    let judged = judge::judge(context).await?;
    Ok(PassSummary { began_at, targets, judged })
}
