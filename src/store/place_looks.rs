//! The looks at canaries of one host and page kind, and those of them that bear on an account.

use std::collections::BTreeSet;

use crate::observe::CanaryLook;

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
    pub(super) fn has_others(&self, account: i64) -> bool {
        self.canaries.len() > usize::from(self.canaries.contains(&account))
    }

    /// The looks at other accounts than this one that say something their neighbours do not.
    pub(super) fn telling(&self, account: i64, instants: &[i64], told: &mut Vec<CanaryLook>) {
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
/// `times` are those of the looks, `instants` those of the visits, in order and none twice. A visit
/// is settled by the first look after it and voided back to the last healthy look before a failed
/// one; both are ends of such runs.
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
    use chrono::{DateTime, Utc};
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
