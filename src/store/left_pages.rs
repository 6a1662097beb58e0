//! Visits to pages that are no longer visited: what their host's canaries said then still counts.

use chrono::{DateTime, TimeDelta, Utc};

use super::drifts::PageDrift;
use super::history_pages::{Looks, Place};
use crate::observe::{Drift, Visit};

/// The shortest time that the database tells apart.
const INSTANT: TimeDelta = TimeDelta::microseconds(1);

/// A visit to a host and page kind at which its account has no target now: the platform file has
/// other pages since, or the ledger another address.
pub(super) struct LeftVisit {
    /// Host and page kind.
    pub(super) place: Place,
    /// Which of the history's visits it is.
    pub(super) number: usize,
    adapter: String,
    started_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
}

/// What the place of a visit says of it.
pub(super) enum Weight {
    /// A canary was seen healthy next, or the host never had one.
    Nothing,
    /// No canary of its place was seen any more, while the host has some: it waits for ever, and
    /// proves no silence. What speaks against silence in it stands.
    Unvouched,
    /// A canary failed next, or the page had drifted: it is void, by itself, so that no freeze
    /// outlasts it where nobody looks again.
    Void(Drift),
}

impl LeftVisit {
    /// Nothing where no host is told, as of imports and persons.
    pub(super) fn of(host: Option<&str>, visit: &Visit, number: usize) -> Option<Self> {
        Some(Self {
            place: (host?.to_owned(), visit.page.to_string()),
            number,
            adapter: visit.adapter.to_string(),
            started_at: visit.started_at,
            recorded_at: visit.recorded_at,
        })
    }

    /// By the looks at other accounts of its place, in order of time with the failed first.
    /// `has_watch`: canaries were looked at on its host at all.
    pub(super) fn weighed(
        &self,
        account: i64,
        platform: &str,
        drifts: &[PageDrift],
        looks: &Looks,
        has_watch: bool,
    ) -> Weight {
        let (host, page) = &self.place;
        let has_drifted = drifts.iter().any(|one| {
            one.platform == platform
                && one.drift.page == *page
                && (one.host == "*" || one.host == *host)
                && one.drift.since <= self.started_at
                && one.drift.until.is_none_or(|until| self.started_at < until)
        });
        let looks = looks.get(&self.place).map(|looks| looks.all.as_slice()).unwrap_or_default();
        let later = looks.partition_point(|(_, look)| look.at < self.started_at);
        let mut others = looks[later..].iter().filter(|one| one.0 != account).map(|one| &one.1);
        let next = others.find(|look| !look.healthy || look.adapter == self.adapter);
        if has_drifted || next.is_some_and(|look| !look.healthy) {
            return Weight::Void(Drift {
                page: page.clone(),
                since: self.started_at,
                until: Some(self.started_at + INSTANT),
                recorded_at: self.recorded_at,
            });
        }
        if next.is_none() && has_watch { Weight::Unvouched } else { Weight::Nothing }
    }
}
