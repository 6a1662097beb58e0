use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use super::canary::Trust;
use super::facts::ListedPost;
use super::view::Seen;

/// Words such as `3小时前` and lists of dates move a claim by up to so much between two readings.
const CLAIM_MOVES: Duration = Duration::days(1);

/// The observations, by their place in `seen`, that a later one shows to have been of an old page.
///
/// Nothing was seen for the first time between the two, and yet the later one's newest item is
/// younger by more than a day than the earlier one's: the item was known when the earlier did not
/// show it. An old copy of the page was shown as new, or the item was hidden for a while; either
/// way the observation tells nothing of what it does not list. `seen` in order of as-of time.
pub(super) fn outdated<'a>(
    seen: &[Seen<'_>],
    posts: impl Iterator<Item = &'a ListedPost>,
) -> Vec<usize> {
    let mut sights: Vec<&ListedPost> = posts.collect();
    sights.sort_by_key(|post| post.first_seen);
    let mut outdated = Vec::new();
    // By page kind, the next list that is not outdated: its as-of time and newest item.
    let mut next: HashMap<&str, (DateTime<Utc>, DateTime<Utc>)> = HashMap::new();
    for (at, one) in seen.iter().enumerate().rev() {
        let Some(bracket) = one.observation.bracket else { continue };
        if one.span.is_none() || matches!(one.trust, Trust::Void | Trust::Attested) {
            continue;
        }
        let page = one.visit.page.as_str();
        let known_before = |(until, newest): &(DateTime<Utc>, DateTime<Utc>)| {
            let first = sights.partition_point(|post| post.first_seen <= one.as_of);
            let mut new = sights[first..].iter().take_while(|post| post.first_seen <= *until);
            *newest - bracket.newer > CLAIM_MOVES
                && new.all(|post| post.claimed.is_some_and(|claim| claim.upper() <= bracket.newer))
        };
        if next.get(page).is_some_and(known_before) {
            outdated.push(at);
        } else {
            next.insert(page, (one.as_of, bracket.newer));
        }
    }
    outdated
}
