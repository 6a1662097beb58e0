//! What came of notices to update: answered, missed, or not told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::{Answer, judge_notice};
use crate::domain::{AccountId, FindingState, Step};
use crate::jobs::Context;
use crate::observe::History;
use crate::store::NoticeOutcome;

use super::BATCH;
use super::apply::take;
use super::facts::policy_for;

/// Looks at every notice to update that is not told yet. A finding whose newest notice was missed
/// is reopened, so that the sponsor is told again.
pub(super) async fn tell(context: &Context, now: DateTime<Utc>) -> anyhow::Result<()> {
    let pending = context.store.pending_updates().await?;
    let accounts: BTreeSet<AccountId> = pending.iter().filter_map(|one| one.account).collect();
    let accounts: Vec<AccountId> = accounts.into_iter().collect();
    for batch in accounts.chunks(BATCH) {
        let since = now - TimeDelta::days(i64::from(context.settings.history_days));
        let histories = context.store.histories(batch, since).await?;
        let entries = context.store.entries_known_at(batch, now).await?;
        let platforms: BTreeMap<AccountId, &str> =
            entries.iter().map(|one| (one.id, one.entry.platform.as_str())).collect();
        let (mut told, mut missed) = (Vec::new(), Vec::new());
        for notice in pending.iter().filter(|one| one.account.is_some_and(|a| batch.contains(&a))) {
            let Some(account) = notice.account else { continue };
            let empty = History::default();
            let history = histories.get(&account).unwrap_or(&empty);
            let platform = platforms.get(&account).copied().unwrap_or_default();
            let policy = policy_for(context, platform);
            let (issued, deadline) = (notice.issued_at, notice.deadline);
            let outcome = match judge_notice(issued, deadline, history, &policy, now) {
                Answer::Answered { post, at } => NoticeOutcome::Answered { post, at },
                Answer::Missed => {
                    missed.push(notice.finding);
                    NoticeOutcome::Missed
                }
                Answer::Unknown(why) => NoticeOutcome::Pending(Some(why.to_owned())),
            };
            told.push((notice.id, outcome));
        }
        context.store.save_outcomes(&told, now).await?;
        for finding in missed {
            let Some(record) = context.store.finding(finding).await? else { continue };
            if record.state == FindingState::Notified {
                take(context, finding, Step::Reopen, "通知期限内未更新").await?;
            }
        }
    }
    Ok(())
}
