use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Duration, NaiveDate, Utc};

use crate::domain::shanghai_date;

use super::canary::Trust;
use super::facts::{Bracket, ListedPost};
use super::view::Seen;

/// Words such as `3小时前` and lists of dates move a claim by up to so much between two readings.
const CLAIM_MOVES: Duration = Duration::days(1);

/// Lists that lack what was listed before them stand together within this time.
const TOGETHER: Duration = Duration::days(3);

/// The observations, by their place in `seen`, that lists before or after them show to have been of
/// an old page, or that may have been of one.
///
/// `seen` in order of as-of time; `lapse_days` as [`lapsed`].
pub(super) fn outdated<'a>(
    seen: &[Seen<'_>],
    posts: impl Iterator<Item = &'a ListedPost>,
    lapse_days: usize,
) -> BTreeSet<usize> {
    let lists: Vec<(usize, &Seen<'_>, Bracket)> = seen
        .iter()
        .enumerate()
        .filter(|(_, one)| {
            one.span.is_some() && !matches!(one.trust, Trust::Void | Trust::Attested)
        })
        .filter_map(|(at, one)| Some((at, one, one.observation.bracket?)))
        .collect();
    let mut outdated = overtaken(&lists, posts);
    outdated.extend(lapsed(&lists, lapse_days));
    outdated
}

/// The lists that a later one shows to have been of an old page.
///
/// Nothing was seen for the first time between the two, and yet the later one's newest item is
/// younger by more than a day than the earlier one's: the item was known when the earlier did not
/// show it. An old copy of the page was shown as new, or the item was hidden for a while; either
/// way the observation tells nothing of what it does not list.
fn overtaken<'a>(
    lists: &[(usize, &Seen<'_>, Bracket)],
    posts: impl Iterator<Item = &'a ListedPost>,
) -> BTreeSet<usize> {
    let mut sights: Vec<&ListedPost> = posts.collect();
    sights.sort_by_key(|post| post.first_seen);
    let mut outdated = BTreeSet::new();
    // By page kind, the next list that is not outdated: its as-of time and newest item.
    let mut next: HashMap<&str, (DateTime<Utc>, DateTime<Utc>)> = HashMap::new();
    for (at, one, bracket) in lists.iter().rev() {
        let page = one.visit.page.as_str();
        let known_before = |(until, newest): &(DateTime<Utc>, DateTime<Utc>)| {
            let first = sights.partition_point(|post| post.first_seen <= one.as_of);
            let mut new = sights[first..].iter().take_while(|post| post.first_seen <= *until);
            *newest - bracket.newer > CLAIM_MOVES
                && new.all(|post| post.claimed.is_some_and(|claim| claim.upper() <= bracket.newer))
        };
        if next.get(page).is_some_and(known_before) {
            outdated.insert(*at);
        } else {
            next.insert(page, (one.as_of, bracket.newer));
        }
    }
    outdated
}

/// The lists whose newest item is older by more than a day than what was listed before them.
///
/// What was newest has been deleted, or an old page was shown as new, which one look cannot tell:
/// only where lists of `lapse_days` days near to each other say so, with none of another kind
/// between them, has it been deleted, and they stand. A list headed by a date in the future tells
/// nothing here.
fn lapsed(lists: &[(usize, &Seen<'_>, Bracket)], lapse_days: usize) -> BTreeSet<usize> {
    let mut lapsed = BTreeSet::new();
    let mut pages: HashMap<&str, Lapse> = HashMap::new();
    for (at, one, bracket) in lists {
        if bracket.newer > one.as_of + CLAIM_MOVES {
            continue;
        }
        let lapse = pages.entry(one.visit.page.as_str()).or_default();
        lapse.run.retain(|(_, as_of)| *as_of + TOGETHER >= one.as_of);
        if lapse.newest.is_some_and(|newest| newest - bracket.newer > CLAIM_MOVES) {
            lapsed.insert(*at);
            lapse.run.push((*at, one.as_of));
            let days: BTreeSet<NaiveDate> =
                lapse.run.iter().map(|(_, as_of)| shanghai_date(*as_of)).collect();
            if days.len() >= lapse_days {
                lapse.run.drain(..).for_each(|(at, _)| _ = lapsed.remove(&at));
                lapse.newest = Some(bracket.newer);
            }
        } else {
            lapse.run.clear();
            lapse.newest = lapse.newest.max(Some(bracket.newer));
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
