use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::domain::Count;

use super::canary::Trust;
use super::view::Seen;

/// An interval in which the profile's counter grew by more than the new items listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HiddenPost {
    pub(super) after: DateTime<Utc>,
    pub(super) by: DateTime<Utc>,
}

/// Finds where the counter grew by more than the new items listed.
///
/// One pass: of all earlier observations, the one with the least (counter − items listed so far)
/// bounds the growth most tightly. Bounded counters are compared by the bounds that allow the least
/// growth. A void observation's counter may be misread, but what it listed first is no longer new
/// to the next.
///
/// A page that lists nothing (a profile) is read before its list, so the next list's new items
/// count for it. One of them may have been posted in between and hide another; therefore such a
/// page never moves the start of the interval.
///
/// A counter that falls beside a list known to be of an old page (`old_pages`, by as-of time) is as
/// old: what it grows by afterwards had been listed before.
pub(super) fn hidden_posts(seen: &[Seen], old_pages: &[DateTime<Utc>]) -> Vec<HiddenPost> {
    let mut hidden = Vec::new();
    let mut least: Option<(i128, DateTime<Utc>)> = None;
    let old = old_counters(seen, old_pages);
    let beyond = listed_beyond(seen);
    for (at, (one, listed)) in seen.iter().zip(listed_by(seen)).enumerate() {
        let counter = one.observation.posts_total.as_ref();
        let counter = counter.filter(|_| one.trust != Trust::Void && !old.contains(&at));
        let unlisted = |count: u64| i128::from(count) - i128::from(listed);
        let low = counter.and_then(Count::low).map(unlisted);
        let low = low.map(|low| low - i128::from(beyond[at]));
        let high = counter.and_then(Count::high).map(unlisted);
        if let (Some(low), Some((bound, after))) = (low, least)
            && low > bound
        {
            hidden.push(HiddenPost { after, by: one.as_of });
            least = None;
        }
        let Some(high) = high else { continue };
        least = match least {
            Some((bound, after)) if !lists_items(one) => Some((bound.min(high), after)),
            Some((bound, after)) if bound < high => Some((bound, after)),
            _ => Some((high, one.as_of)),
        };
    }
    hidden
}

/// For each observation the new items of later ones that had been written down before it: a cached
/// page that is fetched afterwards may list them as well, and they are new to it no more.
fn listed_beyond(seen: &[Seen]) -> Vec<u64> {
    let mut earliest: Option<DateTime<Utc>> = None;
    let mut beyond = vec![0; seen.len()];
    for (at, one) in seen.iter().enumerate().rev() {
        let recorded_at = one.visit.recorded_at;
        if earliest.is_some_and(|earliest| earliest < recorded_at) {
            let before = seen[at..].iter().filter(|later| later.visit.recorded_at < recorded_at);
            beyond[at] = before.map(|later| u64::from(later.observation.new_items)).sum();
        }
        earliest = Some(earliest.map_or(recorded_at, |earliest| earliest.min(recorded_at)));
    }
    beyond
}

fn lists_items(seen: &Seen) -> bool {
    seen.span.is_some() || seen.observation.new_items > 0
}

/// For each observation the new items listed up to it, for a page without a list up to the next
/// one.
fn listed_by(seen: &[Seen]) -> Vec<u64> {
    let mut listed: u64 = seen.iter().map(|one| u64::from(one.observation.new_items)).sum();
    let mut by_next_list = listed;
    let mut totals: Vec<u64> = Vec::with_capacity(seen.len());
    for one in seen.iter().rev() {
        if lists_items(one) {
            by_next_list = listed;
        }
        totals.push(by_next_list);
        listed -= u64::from(one.observation.new_items);
    }
    totals.reverse();
    totals
}

/// The counters, by their place in `seen`, that fell while a list showed an old page, between the
/// counters before and after them, and were made good by the next.
fn old_counters(seen: &[Seen], old_pages: &[DateTime<Utc>]) -> HashSet<usize> {
    let mut old = HashSet::new();
    if old_pages.is_empty() {
        return old;
    }
    let total = |one: &Seen| one.observation.posts_total.clone();
    let is_old = |one: &Seen| old_pages.contains(&one.as_of);
    let current = seen.iter().enumerate().filter(|(_, one)| !is_old(one));
    let counted: Vec<(usize, Count)> =
        current.filter_map(|(at, one)| Some((at, total(one)?))).collect();
    let mut before: Option<u64> = None;
    for (place, (at, count)) in counted.iter().enumerate() {
        let neighbour = |place: Option<usize>| place.and_then(|place| counted.get(place));
        let (last, next) = (neighbour(place.checked_sub(1)), neighbour(Some(place + 1)));
        let within = |page: &DateTime<Utc>| {
            last.is_none_or(|(from, _)| *page > seen[*from].as_of)
                && next.is_none_or(|(to, _)| *page < seen[*to].as_of)
        };
        // What truly fell, by deletions, does not come back at once.
        let comes_back = |low: u64| next.and_then(|(_, next)| next.high()) >= Some(low);
        let dips =
            before.zip(count.high()).is_some_and(|(low, high)| high < low && comes_back(low));
        if dips && old_pages.iter().any(within) {
            old.insert(*at);
        } else {
            before = count.low();
        }
    }
    old
}
