use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// How a host fails to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// The connection is closed without a byte.
    Closed,
    /// The connection stays open and nothing comes.
    Hanging,
    /// A server error: 500 to 599.
    Status(u16),
}

/// What stands between a page and its visitor.
///
/// Some accounts of the city have one by their character; tests and drills switch more on and off
/// for a host or an account while the simulator runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A captcha or login wall in the platform's own form.
    Blocked,
    /// No answer.
    Outage(Outage),
    /// A page laid out in another way.
    LayoutBreak,
    /// 429.
    TooManyRequests {
        /// What `Retry-After` says, in seconds.
        retry_after_seconds: u64,
    },
    /// robots.txt refuses everything; the pages themselves answer.
    RobotsRefusal,
    /// A bridge that the platform lets in no more: a fresh answer with old content, and the time of
    /// its last success upstream says so. Other venues answer as usual.
    UpstreamStuck {
        /// The last success lies at or before this.
        since: DateTime<Utc>,
    },
    /// The page as it was at an instant, from a cache.
    Stale {
        /// When the body was made.
        since: DateTime<Utc>,
        /// Whether the cache says so by `Age` and the origin's `Date`, or only by `X-Cache`.
        with_age: bool,
    },
    /// A success without content.
    HollowSuccess,
    /// The right answer, late.
    Slow {
        /// The delay in real milliseconds.
        milliseconds: u64,
    },
}

/// The faults switched on at run time, by host or by account key.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(BTreeMap<String, Fault>);

impl Faults {
    /// Switches a fault on, or off with `None`.
    pub(super) fn set(&mut self, target: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.0.insert(target.to_owned(), fault),
            None => self.0.remove(target),
        };
    }

    /// Switches all off.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of a host or an account key.
    pub(super) fn of(&self, target: &str) -> Option<Fault> {
        self.0.get(target).copied()
    }
}
