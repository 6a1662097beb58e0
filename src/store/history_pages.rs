//! A history while it is read: where its visits were made, and what canaries say of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::drifts::PageDrift;
use super::left_pages::{LeftVisit, Weight};
use crate::observe::{CanaryLook, History, Outcome, Unwatched, Visit};

/// A host and a page kind.
pub(super) type Place = (String, String);

/// The looks of each place.
pub(super) type Looks = HashMap<Place, PlaceLooks>;

/// The looks of a place in order of time, each with the account looked at.
#[derive(Default)]
pub(super) struct PlaceLooks {
    pub(super) all: Vec<(i64, CanaryLook)>,
    /// When each was made, in microseconds: what is searched.
    times: Vec<i64>,
    /// The accounts that were looked at.
    canaries: BTreeSet<i64>,
    /// Before which of them another thing is said: the same for every account that is no canary.
    changes: Vec<usize>,
}

impl PlaceLooks {
    /// Whether another account than this one was looked at.
    fn has_others(&self, account: i64) -> bool {
        self.canaries.len() > usize::from(self.canaries.contains(&account))
    }

    /// The looks at other accounts than this one that say something their neighbours do not.
    fn telling(&self, account: i64, instants: &[i64], told: &mut Vec<CanaryLook>) {
        // Words are shared within the account alone: all cores would wait for one counter.
        let mut tell = |look: &CanaryLook| {
            let (page, adapter) = match told.last() {
                Some(last) => (last.page.or_new(&look.page), last.adapter.or_new(&look.adapter)),
                None => (look.page.as_str().into(), look.adapter.as_str().into()),
            };
            told.push(CanaryLook { page, adapter, ..*look });
        };
        if self.canaries.contains(&account) {
            let others = self.all.iter().filter(|(canary, _)| *canary != account);
            let others: Vec<&CanaryLook> = others.map(|(_, look)| look).collect();
            let kept = telling(&times(&others), changes(&others), instants);
            kept.for_each(|at| tell(others[at]));
        } else {
            let kept = telling(&self.times, self.changes.clone(), instants);
            kept.for_each(|at| tell(&self.all[at].1));
        }
    }

    /// After the last look was added.
    pub(super) fn settle(&mut self) {
        self.canaries = self.all.iter().map(|(canary, _)| *canary).collect();
        let looks: Vec<&CanaryLook> = self.all.iter().map(|(_, look)| look).collect();
        (self.times, self.changes) = (times(&looks), changes(&looks));
    }
}

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

/// When looks were made, in microseconds, which is how finely the database keeps it.
fn times(looks: &[&CanaryLook]) -> Vec<i64> {
    looks.iter().map(|look| look.at.timestamp_micros()).collect()
}

/// Before which looks, in order of time, another thing is said.
fn changes(looks: &[&CanaryLook]) -> Vec<usize> {
    let same = |one: &CanaryLook, other: &CanaryLook| {
        one.healthy == other.healthy && one.adapter == other.adapter
    };
    (1..looks.len()).filter(|&index| !same(looks[index - 1], looks[index])).collect()
}

/// The places of the looks, in order of time, that say something their neighbours do not: of a run
/// of equal ones without a visit between them, the first and the last.
///
/// `times` are those of the looks, `instants` those of the visits, in order and none twice. A visit is settled by the first
/// look after it and voided back to the last healthy look before a failed one; both are ends of
/// such runs.
fn telling(
    times: &[i64],
    changes: Vec<usize>,
    instants: &[i64],
) -> impl Iterator<Item = usize> + use<> {
    // A run ends before an index: where another thing is said, or a visit lies between.
    let mut ends = changes;
    ends.reserve(2 * instants.len());
    let mut beyond = 0;
    for instant in instants {
        let before = first_not(times, beyond, |at| *at < *instant);
        beyond = first_not(times, before, |at| *at <= *instant);
        ends.extend(before.max(1)..(beyond + 1).min(times.len()));
    }
    ends.sort_unstable();
    ends.dedup();
    // In order: a run begins where the one before ends, or behind that.
    let mut kept = Vec::with_capacity(2 * ends.len() + 2);
    kept.extend(times.first().map(|_| 0));
    kept.extend(ends.into_iter().flat_map(|end| [end - 1, end]));
    kept.extend(times.len().checked_sub(1));
    kept.dedup();
    kept.into_iter()
}

/// The first index from `from` on at which `holds` does not; it holds up to there and nowhere
/// behind. What is near is found at once: visits come as often as looks.
fn first_not<L>(looks: &[L], from: usize, holds: impl Fn(&L) -> bool) -> usize {
    let (mut from, mut step) = (from, 1);
    while looks.get(from + step - 1).is_some_and(&holds) {
        from += step;
        step *= 2;
    }
    let end = (from + step - 1).min(looks.len());
    from + looks[from..end].partition_point(holds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + minute * 60, 0).unwrap()
    }

    fn check(looks: &[(i64, bool)], visits: &[i64], kept: &[i64]) {
        let looks: Vec<CanaryLook> = looks
            .iter()
            .map(|&(minute, healthy)| CanaryLook {
                page: "timeline".into(),
                at: at(minute),
                adapter: "a".into(),
                healthy,
                recorded_at: at(minute),
            })
            .collect();
        let borrowed: Vec<&CanaryLook> = looks.iter().collect();
        let instants: Vec<_> = visits.iter().map(|minute| at(*minute).timestamp_micros()).collect();
        let told = telling(&times(&borrowed), changes(&borrowed), &instants);
        let found: Vec<_> = told.map(|place| looks[place].at).collect();
        assert_eq!(found, kept.iter().map(|minute| at(*minute)).collect::<Vec<_>>());
    }

    #[test]
    fn only_looks_that_say_something_are_kept() {
        check(&[], &[5], &[]);
        check(&[(1, true), (2, true), (3, true), (4, true)], &[], &[1, 4]);
        check(&[(1, true), (3, true), (5, true), (7, true)], &[4], &[1, 3, 5, 7]);
        check(
            &[(1, true), (2, true), (3, true), (4, false), (5, false), (6, false)],
            &[],
            &[1, 3, 4, 6],
        );
        check(&[(1, true), (2, true), (3, true), (4, true), (5, true)], &[4], &[1, 3, 4, 5]);
        check(&[(2, true), (4, true), (6, true)], &[1, 7], &[2, 6]);
        check(&[(2, true), (4, true), (4, true), (4, true), (6, true)], &[4], &[2, 4, 4, 4, 6]);
        check(&[(2, true)], &[2], &[2]);
    }

    proptest::proptest! {
        #[test]
        fn the_first_that_does_not_hold_is_found_from_wherever_it_is_sought(
            (count, first, from) in (0_usize..70).prop_flat_map(|count| {
                (Just(count), 0..=count).prop_flat_map(|(count, first)| {
                    (Just(count), Just(first), 0..=first)
                })
            })
        ) {
            let looks: Vec<usize> = (0..count).collect();
            prop_assert_eq!(first_not(&looks, from, |one| *one < first), first);
        }
    }
}
