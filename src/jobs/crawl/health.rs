use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::metrics::Metrics;
use crate::observe::{CanaryLook, Outcome};

/// So many visits in a row must bring nothing before a platform counts as unreadable: walls and
/// dead hosts of single accounts are no trouble of the platform.
const FAILURES_MIN: u32 = 20;

/// How the platforms are doing, as far as this process has seen; told to the metrics.
#[derive(Debug, Default)]
pub struct Health {
    platforms: Mutex<BTreeMap<String, PlatformHealth>>,
}

#[derive(Debug, Default)]
struct PlatformHealth {
    failures: u32,
    /// Hosts and page kinds whose newest look at a canary failed.
    failed_looks: BTreeSet<(String, String)>,
}

impl Health {
    /// A visit has ended.
    pub(super) fn visited(&self, metrics: &Metrics, platform: &str, outcome: &Outcome) {
        let failures = self.update(platform, |health| {
            let failed = matches!(outcome, Outcome::Failed(_));
            health.failures = if failed { health.failures.saturating_add(1) } else { 0 };
            health.failures
        });
        match failures {
            0 => metrics.set_platform_up(platform, true),
            FAILURES_MIN.. => metrics.set_platform_up(platform, false),
            _ => {}
        }
    }

    /// A canary of a host was looked at.
    pub(super) fn looked(&self, metrics: &Metrics, platform: &str, host: &str, look: &CanaryLook) {
        let frozen = self.update(platform, |health| {
            let place = (host.to_owned(), look.page.clone());
            if look.healthy {
                health.failed_looks.remove(&place);
            } else {
                health.failed_looks.insert(place);
            }
            !health.failed_looks.is_empty()
        });
        metrics.set_verdicts_frozen(platform, frozen);
    }

    fn update<T>(&self, platform: &str, change: impl FnOnce(&mut PlatformHealth) -> T) -> T {
        let mut platforms = self.platforms.lock().unwrap_or_else(PoisonError::into_inner);
        change(platforms.entry(platform.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::Reason;
    use crate::metrics::Known;

    fn metrics() -> Metrics {
        let platforms = vec!["weibo"];
        let (outcomes, jobs) = (Vec::new(), Vec::new());
        Metrics::new(&Known { version: "0", revision: "0", platforms, outcomes, jobs })
    }

    #[test]
    fn a_platform_is_down_after_a_long_run_of_failures_only() {
        let (metrics, health) = (metrics(), Health::default());
        let visit = |outcome: Outcome, shown: Option<&str>| {
            health.visited(&metrics, "weibo", &outcome);
            let text = metrics.render();
            let line = "xunjian_platform_up{platform=\"weibo\"} ";
            let value = text.lines().find_map(|one| one.strip_prefix(line));
            assert_eq!(value, shown);
        };
        let failed = || Outcome::Failed(Reason::Blocked);
        let gone = || Outcome::Gone { as_of: DateTime::UNIX_EPOCH, confirming: false };
        (1..FAILURES_MIN).for_each(|_| visit(failed(), None));
        visit(gone(), Some("1"));
        (1..FAILURES_MIN).for_each(|_| visit(failed(), Some("1")));
        visit(failed(), Some("0"));
        visit(gone(), Some("1"));
    }

    #[test]
    fn verdicts_are_frozen_while_the_newest_look_anywhere_failed() {
        let (metrics, health) = (metrics(), Health::default());
        for (host, healthy, shown) in
            [("a", true, 0), ("b", false, 1), ("a", true, 1), ("b", true, 0)]
        {
            let look = CanaryLook {
                page: "timeline".to_owned(),
                at: DateTime::UNIX_EPOCH,
                adapter: String::new(),
                healthy,
                recorded_at: DateTime::UNIX_EPOCH,
            };
            health.looked(&metrics, "weibo", host, &look);
            let line = format!("xunjian_verdicts_frozen{{platform=\"weibo\"}} {shown}");
            assert!(metrics.render().contains(&line), "{host}");
        }
    }
}
