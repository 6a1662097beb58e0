//! What is said of a post that appeared late.

use chrono::{DateTime, Duration, Utc};

use crate::domain::Moment;

use super::view::Seen;

/// What the platform file says of a page kind, as far as it bears on claimed times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateRules {
    /// Whether the author sets the time that the page shows; what a platform stamps itself cannot
    /// be backdated.
    pub author_time: bool,
    /// How long a published post may stay invisible.
    pub visibility_lag: Duration,
}

/// One observation, by what identifies its visit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sight {
    /// As-of time.
    pub as_of: DateTime<Utc>,
    /// When the visit started.
    pub started_at: DateTime<Utc>,
    /// The page kind.
    pub page: String,
}

impl Sight {
    pub(super) fn of(seen: &Seen<'_>) -> Self {
        let page = seen.visit.page.to_string();
        Self { as_of: seen.as_of, started_at: seen.visit.started_at, page }
    }
}

/// Why an observation without the post does not count against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetAside {
    /// It does not show both an older and a newer item.
    Unbracketed,
    /// Somebody else looked, or another page: what one is shown may be kept from another.
    OtherViewer,
    /// Another version of the platform file read it.
    OtherAdapter,
    /// No healthy canary stands behind it.
    Unsettled,
}

/// Why a post that appeared late is no case of backdating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The platform stamps the time, or its file does not say who does.
    NotTheAuthorsTime,
    /// It became visible within the platform's lag.
    WithinLag,
    /// What listed it first is no full observation behind which a healthy canary stands.
    FirstListing,
    /// A post with the same text was seen before: it came back, or moved.
    TextSeenBefore(String),
    /// Its id was given out by the time it claims, or before an item that was seen by then.
    IdSupportsClaim,
    /// The source changed the offset of its times meanwhile.
    OffsetShifted,
    /// Too few days have a full observation that missed it.
    TooFewDays(usize),
    /// The first observation that missed it came long after the claimed time: it may have been
    /// there and taken from sight meanwhile.
    NobodyLookedThen,
}

/// A post that appeared late, with all that bears on its claimed time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatePost {
    /// The platform's id, or the address.
    pub reference: String,
    /// The time it claims.
    pub claimed: Moment,
    /// As-of time of the observation that listed it first.
    pub first_seen: DateTime<Utc>,
    /// That observation; absent where it was none.
    pub listed_by: Option<Sight>,
    /// How long after the last instant of its claim it was first seen.
    pub late_by: Duration,
    /// The full observations that missed it, oldest first.
    pub missed_by: Vec<Sight>,
    /// Other observations of its part that cover its claim without it, oldest first.
    pub set_aside: Vec<(Sight, SetAside)>,
    /// Everything that speaks against a finding.
    pub doubts: Vec<Doubt>,
}

impl LatePost {
    /// Whether every condition holds. A person still decides.
    pub fn is_candidate(&self) -> bool {
        self.doubts.is_empty()
    }
}
