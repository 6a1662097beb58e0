//! A history while it is read: where its visits were made, and what canaries say of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::drifts::PageDrift;
use super::left_pages::{LeftVisit, Weight};
use super::place_looks::PlaceLooks;
use crate::observe::{History, Outcome, Unwatched, Visit};

/// A host and a page kind.
pub(super) type Place = (String, String);

/// The looks of each place.
pub(super) type Looks = HashMap<Place, PlaceLooks>;

/// A history that is being read, and the pages that it is read from.
pub(super) struct Pages {
    pub(super) platform: String,
    /// Host and page of every target that speaks for it.
    pub(super) pages: Vec<Place>,
    /// Those of them where another account is a canary, or was looked at as one.
    pub(super) watched: Vec<Place>,
    /// Visits at other places.
    left: Vec<LeftVisit>,
    pub(super) history: History,
}

impl Pages {
    pub(super) fn of(platform: String) -> Self {
        Self {
            platform,
            pages: Vec::new(),
            watched: Vec::new(),
            left: Vec::new(),
            history: History::default(),
        }
    }

    /// Takes a visit into the history.
    pub(super) fn take(&mut self, host: Option<&str>, visit: Visit) {
        let is_here = |place: &Place| place.1 == visit.page && host == Some(place.0.as_str());
        if !self.pages.iter().any(is_here) {
            self.left.extend(LeftVisit::of(host, &visit, self.history.visits.len()));
        }
        self.history.visits.push(visit);
    }

    /// Where canaries were looked at for it.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.pages.iter().chain(self.left.iter().map(|one| &one.place))
    }

    pub(super) fn with_surroundings(
        mut self,
        account: i64,
        drifts: &[PageDrift],
        looks: &Looks,
    ) -> History {
        self.add_drifts(drifts);
        let left = std::mem::take(&mut self.left);
        let places = self.pages.iter().chain(left.iter().map(|one| &one.place));
        let looked_at: BTreeSet<Place> = places
            .filter(|place| looks.get(*place).is_some_and(|looks| looks.has_others(account)))
            .cloned()
            .collect();
        for one in &left {
            let has_watch = looked_at.iter().any(|place| place.0 == one.place.0);
            match one.weighed(account, &self.platform, drifts, looks, has_watch) {
                Weight::Nothing => {}
                Weight::Unvouched => prove_nothing(&mut self.history.visits[one.number]),
                Weight::Void(drift) => self.history.drifts.push(drift),
            }
        }
        let is_here = |place: &Place| self.pages.contains(place);
        self.watched.extend(looked_at.iter().filter(|place| is_here(place)).cloned());
        let is_visited = |page: &str| self.pages.iter().any(|place| place.1 == *page);
        let left_places: BTreeSet<Place> =
            left.into_iter().map(|one| one.place).filter(|place| !is_visited(&place.1)).collect();
        self.add_unwatched(&left_places, &looked_at);
        self.add_looks(account, looks, &left_places);
        self.history
    }

    /// Tells which page kinds have no canary, and what stands in for it.
    fn add_unwatched(&mut self, left: &BTreeSet<Place>, looked_at: &BTreeSet<Place>) {
        let mut unwatched = BTreeMap::new();
        for place in left {
            let kept = unwatched.entry(place.1.clone()).or_insert(Unwatched::Held);
            if !looked_at.contains(place) {
                *kept = Unwatched::Beside { watched: Vec::new(), left: Vec::new() };
            }
        }
        let mut has_canary = !self.watched.is_empty();
        for (host, page) in self.pages.iter().filter(|place| !self.watched.contains(place)) {
            let on_host = |places: &mut dyn Iterator<Item = &Place>| -> Vec<String> {
                places.filter(|one| one.0 == *host).map(|one| one.1.clone()).collect()
            };
            let watched = on_host(&mut self.pages.iter().filter(|one| self.watched.contains(one)));
            let left = on_host(&mut left.iter().filter(|one| looked_at.contains(one)));
            has_canary |= !left.is_empty();
            unwatched.insert(page.clone(), Unwatched::Beside { watched, left });
        }
        self.history.has_canary = has_canary;
        if has_canary {
            self.history.unwatched = unwatched;
        }
    }

    fn add_drifts(&mut self, drifts: &[PageDrift]) {
        let concerns = |drift: &&PageDrift| {
            let on_host = |(host, page): &Place| {
                drift.drift.page == *page && (drift.host == "*" || drift.host == *host)
            };
            drift.platform == self.platform && self.pages.iter().any(on_host)
        };
        self.history.drifts = drifts.iter().filter(concerns).map(|one| one.drift.clone()).collect();
    }

    fn add_looks(&mut self, account: i64, looks: &Looks, left: &BTreeSet<Place>) {
        let mut instants = Vec::with_capacity(4 * self.history.visits.len());
        let all = self.history.visits.iter().flat_map(instants_of);
        instants.extend(all.map(|at| at.timestamp_micros()));
        instants.sort_unstable();
        instants.dedup();
        for looks in self.pages.iter().chain(left).filter_map(|place| looks.get(place)) {
            self.history.canaries.reserve((2 * instants.len() + 2).min(looks.all.len()));
            looks.telling(account, &instants, &mut self.history.canaries);
        }
    }
}

/// Takes from a visit what silence could rest on.
fn prove_nothing(visit: &mut Visit) {
    match &mut visit.outcome {
        Outcome::Observed(seen) => (seen.span, seen.confirming) = (None, false),
        Outcome::Gone { confirming, .. } => *confirming = false,
        Outcome::Failed(_) => {}
    }
}

/// Every instant of a visit that a look can be before or after.
fn instants_of(visit: &Visit) -> impl Iterator<Item = DateTime<Utc>> {
    let (as_of, upstream) = match &visit.outcome {
        Outcome::Observed(seen) => (Some(seen.as_of), seen.upstream_success),
        Outcome::Gone { as_of, .. } => (Some(*as_of), None),
        Outcome::Failed(_) => (None, None),
    };
    [upstream, as_of, Some(visit.started_at), Some(visit.recorded_at)].into_iter().flatten()
}
