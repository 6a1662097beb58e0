use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};

use crate::domain::shanghai_date;

use super::canary::Trust;
use super::facts::ListedPost;
use super::view::Seen;

/// Words such as `3小时前` and lists of dates move a claim by up to so much between two readings.
const CLAIM_MOVES: Duration = Duration::days(1);

/// Lists that lack what was listed before them speak with one voice within this time.
const TOGETHER: Duration = Duration::days(15);

/// The lists that a later one shows to have been of an old page.
///
/// Nothing was seen for the first time between the two, and yet the later one's newest item is
/// younger by more than a day than the earlier one's: the item was known when the earlier did not
/// show it. An old copy of the page was shown as new, or the item was hidden for a while; either
/// way the observation tells nothing of what it does not list.
///
/// By their place in `seen`, which is in order of as-of time.
pub(super) fn overtaken<'a>(
    seen: &[Seen<'_>],
    posts: impl Iterator<Item = &'a ListedPost>,
) -> Vec<usize> {
    let mut sights: Vec<&ListedPost> = posts.collect();
    sights.sort_by_key(|post| post.first_seen);
    let mut overtaken = Vec::new();
    // By page kind, the next list that is not outdated: its as-of time and newest item.
    let mut next: BTreeMap<&str, (DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
    for (at, one) in lists(seen).rev() {
        let Some(bracket) = one.observation.bracket else { continue };
        let page = one.visit.page.as_str();
        let known_before = |(until, newest): &(DateTime<Utc>, DateTime<Utc>)| {
            if *newest - bracket.newer <= CLAIM_MOVES {
                return false;
            }
            let first = sights.partition_point(|post| post.first_seen <= one.as_of);
            let mut new = sights[first..].iter().take_while(|post| post.first_seen <= *until);
            new.all(|post| post.claimed.is_some_and(|claim| claim.upper() <= bracket.newer))
        };
        if next.get(page).is_some_and(known_before) {
            overtaken.push(at);
        } else {
            next.insert(page, (one.as_of, bracket.newer));
        }
    }
    overtaken
}

/// The lists whose newest item is older by more than a day than what was listed before them, by
/// their place in `seen`, which is in order of as-of time.
///
/// What was newest has been deleted, or an old page was shown as new, which one look cannot tell:
/// only where lists of `days` days (a number for each page kind) say so, and none between them
/// shows it, has it been deleted, and they stand. A list headed by a date in the future tells
/// nothing here.
pub(super) fn lapsed(seen: &[Seen<'_>], days: impl Fn(&str) -> usize) -> BTreeSet<usize> {
    let mut lapsed = BTreeSet::new();
    let mut pages: BTreeMap<&str, Lapse> = BTreeMap::new();
    for (at, one) in lists(seen) {
        let newest = newest_by(one).filter(|newest| *newest <= one.as_of + CLAIM_MOVES);
        let Some(newest) = newest else { continue };
        let lapse = pages.entry(one.visit.page.as_str()).or_default();
        lapse.run.retain(|(_, as_of)| *as_of + TOGETHER >= one.as_of);
        if lapse.newest.is_none_or(|known| known - newest <= CLAIM_MOVES) {
            lapse.run.clear();
            lapse.newest = lapse.newest.max(Some(newest));
            continue;
        }
        lapsed.insert(at);
        lapse.run.push((at, one.as_of));
        let told: BTreeSet<NaiveDate> =
            lapse.run.iter().map(|(_, as_of)| shanghai_date(*as_of)).collect();
        if told.len() >= days(&one.visit.page) {
            for (at, _) in lapse.run.drain(..) {
                lapsed.remove(&at);
            }
            lapse.newest = Some(newest);
        }
    }
    lapsed
}

/// How the lists of one page kind have fared.
#[derive(Default)]
struct Lapse {
    /// The newest item of those that stand.
    newest: Option<DateTime<Utc>>,
    /// The last lists that lack it, by place and as-of time.
    run: Vec<(usize, DateTime<Utc>)>,
}

/// The lists that canaries may or do stand behind.
fn lists<'s, 'a>(seen: &'s [Seen<'a>]) -> impl DoubleEndedIterator<Item = (usize, &'s Seen<'a>)> {
    seen.iter().enumerate().filter(|(_, one)| {
        one.span.is_some() && !matches!(one.trust, Trust::Void | Trust::Attested)
    })
}

/// When the newest item of a list was published, as far as the list tells: fewer than two dated
/// items, or items of one day alone, do not, and an empty list has none.
fn newest_by(list: &Seen<'_>) -> Option<DateTime<Utc>> {
    let observation = list.observation;
    let empty = observation.empty.then_some(DateTime::UNIX_EPOCH);
    observation.bracket.map(|bracket| bracket.newer).or(empty)
}
