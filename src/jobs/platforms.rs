//! Whether the platforms can be read, for the metrics.

use anyhow::Context as _;
use chrono::TimeDelta;

use crate::store::PlatformLook;

use super::{Context, yields};

/// So many intervals between visits of a canary may pass without one that was read.
const CANARY_INTERVALS: u32 = 3;

/// Tells of each platform whether it can be read, whether its silent verdicts are frozen, and the
/// newest post of its canaries.
pub async fn tell_platforms(context: &Context) -> anyhow::Result<()> {
    yields::judge_yields(context).await?;
    let now = context.clock.now();
    let since = now - TimeDelta::days(i64::from(context.settings.history_days));
    let interval = TimeDelta::minutes(i64::from(context.schedule.canary_interval_minutes));
    let lately = now - interval * i32::try_from(CANARY_INTERVALS)?;
    let looks = context.store.platform_looks(since, lately, now);
    for look in looks.await.context("looking at the platforms")? {
        if let Some(up) = can_be_read(&look) {
            context.metrics.set_platform_up(&look.platform, up);
        }
        let frozen = look.canary_failed || look.drifting;
        context.metrics.set_verdicts_frozen(&look.platform, frozen);
        if let Some(at) = look.canary_last_post_at {
            context.metrics.set_canary_last_post(&look.platform, at);
        }
    }
    Ok(())
}

/// Whether a platform can be read; `None` where it was not visited lately and nothing is known to
/// be wrong.
///
/// It cannot where the newest look at a canary of any of its hosts failed, where a page kind does
/// not yield what it used to, or where it was visited
/// lately and nothing was read: no canary, or, where it has none, no page at all. A stand-in that
/// was read and is only quiet is no failure.
fn can_be_read(look: &PlatformLook) -> Option<bool> {
    let read = if look.has_canary { look.canary_observed } else { look.read };
    match look {
        PlatformLook { canary_failed: true, .. } | PlatformLook { drifting: true, .. } => {
            Some(false)
        }
        PlatformLook { visited: true, .. } => Some(read),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_down_where_a_canary_failed_or_visits_read_nothing() {
        let idle = PlatformLook {
            platform: "weibo".into(),
            canary_failed: false,
            has_canary: false,
            visited: false,
            canary_observed: false,
            drifting: false,
            read: false,
            canary_last_post_at: None,
        };
        let visited = PlatformLook { visited: true, ..idle.clone() };
        let watched = PlatformLook { has_canary: true, read: true, ..visited.clone() };
        let check = |look: &PlatformLook, up: Option<bool>| assert_eq!(can_be_read(look), up);
        check(&idle, None);
        check(&PlatformLook { canary_failed: true, ..idle.clone() }, Some(false));
        check(&PlatformLook { drifting: true, ..idle.clone() }, Some(false));
        check(&visited, Some(false));
        check(&PlatformLook { read: true, ..visited.clone() }, Some(true));
        check(&watched, Some(false));
        check(&PlatformLook { canary_observed: true, ..watched.clone() }, Some(true));
        check(
            &PlatformLook { canary_observed: true, canary_failed: true, ..watched.clone() },
            Some(false),
        );
    }
}
