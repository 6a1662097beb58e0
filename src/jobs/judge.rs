//! What is proven of each account, kept current.

use anyhow::Context as _;
use chrono::TimeDelta;

use crate::domain::AccountId;
use crate::observe;
use crate::store::{AccountState, ToJudge};

use super::Context;

/// Accounts judged at once: their histories are in memory together.
const BATCH: u32 = 50;

/// Judges every account of which something was learned, or which time alone moves; returns how
/// many. Accounts of which nothing new is known are left alone.
///
/// Each account is looked at once a run: one whose verdict is not taken, because another daemon's
/// clock is ahead, waits for the next.
pub async fn judge(context: &Context) -> anyhow::Result<usize> {
    let (mut judged, mut after) = (0, None);
    loop {
        let now = context.clock.now();
        let asked = context.timed("to_judge", context.store.to_judge(after, now, BATCH)).await;
        let asked = asked.context("accounts to judge")?;
        let Some(last) = asked.last() else { return Ok(judged) };
        after = Some(last.account);
        let verdicts = verdicts(context, &asked, now).await?;
        let saved = context.timed("judge", context.store.save_states(&verdicts)).await;
        saved.context("saving verdicts")?;
        judged += verdicts.len();
    }
}

async fn verdicts(
    context: &Context,
    asked: &[ToJudge],
    now: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<Vec<(ToJudge, AccountState)>> {
    let accounts: Vec<AccountId> = asked.iter().map(|one| one.account).collect();
    let since = now - TimeDelta::days(i64::from(context.settings.history_days));
    let read = context.timed("histories", context.store.histories(&accounts, since)).await;
    let mut histories = read.context("histories")?;
    let verdicts = asked.iter().map(|one| {
        let history = histories.remove(&one.account).unwrap_or_default();
        let verdict = observe::judge(&history, &context.observe, now, now);
        let state = AccountState {
            account: one.account,
            activity: verdict.activity,
            last_post_at: verdict.last_post_at,
            last_observation_at: verdict.last_observation_at,
            silence_deadline_at: verdict.silence_deadline_at,
            coverage: verdict.coverage,
            covered: verdict.covered,
            judged_at: now,
            // A crossing that lies behind has been weighed just now.
            next_crossing_at: verdict.next_crossing_at.filter(|at| *at > now),
        };
        (*one, state)
    });
    Ok(verdicts.collect())
}
