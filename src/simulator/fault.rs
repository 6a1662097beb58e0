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
    /// The page as it was at an instant, from a replica that lags, and nothing says so: date,
    /// headers and a bridge's last success are those of now.
    Replica {
        /// How far the replica has come.
        since: DateTime<Utc>,
    },
    /// The right page from a host whose clock, and so the answer's `Date`, is wrong.
    WrongClock {
        /// How far it is ahead, in seconds; negative: behind.
        seconds: i64,
    },
    /// A feed that writes every time so much later than it is, as servers with a wrong zone or
    /// calendar do. Other venues answer as usual.
    WrongOffset {
        /// How much later, in seconds; negative: earlier.
        seconds: i64,
    },
    /// A feed that gives no time for what is later than an instant. Other venues answer as usual.
    Undated {
        /// The last instant whose items have their times.
        since: DateTime<Utc>,
    },
    /// The platform's own words that the account is gone, though it is not.
    SaysGone,
    /// Another account's page: on the microblog under the same address, elsewhere by a redirect.
    OtherAccount,
    /// The list stands in an order that has nothing to do with time.
    HotOrder,
    /// Strangers see only the top of the list: its pinned items, or three where there are none.
    Shallow,
    /// Strangers see no post later than an instant; the profile's counter counts them all the same.
    FollowersOnly {
        /// The last instant whose posts are shown.
        since: DateTime<Utc>,
    },
    /// A success without content.
    HollowSuccess,
    /// The right answer, late.
    Slow {
        /// The delay in real milliseconds.
        milliseconds: u64,
    },
}

/// The faults switched on at run time, by host or by account key. A fault of an account goes before
/// its host's, and both before what the city's script has for it.
#[derive(Debug, Clone, Default)]
pub struct Faults(BTreeMap<String, Fault>);

impl Faults {
    /// Switches a fault on, or off with `None`.
    pub fn set(&mut self, target: &str, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.0.insert(target.to_owned(), fault),
            None => self.0.remove(target),
        };
    }

    /// Switches all off.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of a host or an account key.
    pub(super) fn of(&self, target: &str) -> Option<Fault> {
        self.0.get(target).copied()
    }
}
