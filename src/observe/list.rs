use std::collections::HashSet;

use chrono::{DateTime, Duration, Utc};

use crate::domain::{Moment, Post, Precision};

use super::facts::Bracket;
use super::policy::Policy;

/// What the order of a newest-first list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOrder {
    /// Nothing is claimed at or before this instant: the upper end of the last item in order.
    /// Absent where nothing remains to read an order from.
    pub low: Option<DateTime<Utc>>,
    /// More of the list than may be is out of order: it is not the list we know.
    pub drifted: bool,
    /// The claimed times that the items in order enclose.
    pub bracket: Option<Bracket>,
}

/// The last instant a claim allows, itself included.
///
/// A time to the second is taken as that instant, so that limits can be met exactly; a coarser one
/// reaches to just before the end of its interval.
pub fn latest(claim: Moment) -> DateTime<Utc> {
    match claim.precision {
        Precision::Second => claim.at,
        _ => claim.upper() - Duration::nanoseconds(1),
    }
}

/// Reads the order of a list that its page kind declares as newest first.
///
/// Left out: items marked as pinned, repeats from pages that shifted while they were read, undated
/// items, and up to `pins_max` leading items older than a later one. Of the rest, the fewest items
/// whose removal leaves an order are out of order; "older" means beyond the precision of both
/// times.
///
/// `low` comes from the last remaining item: whatever the list does not show lies behind it. A list
/// that could consist of unmarked pins alone has no `low`, unless it is read to its end, which is
/// for the caller to know.
pub fn read_order(posts: &[Post], policy: &Policy) -> ListOrder {
    let marked = posts.iter().filter(|post| post.pinned).count();
    let unmarked: Vec<&Post> = distinct(posts).filter(|post| !post.pinned).collect();
    let may_be_all_pins = unmarked.len() <= policy.pins_max.saturating_sub(marked);
    let dated: Vec<Moment> = unmarked.iter().filter_map(|post| post.published).collect();
    let rest = &dated[leading_pins(&dated, policy.pins_max)..];
    let disorder = rest.len() - longest_order(rest);
    ListOrder {
        low: rest.last().filter(|_| !may_be_all_pins).map(|last| last.upper()),
        bracket: rest.last().and_then(|last| bracket(latest(*last), rest)),
        drifted: disorder * 100 > rest.len() * policy.disorder_max_percent,
    }
}

/// What a list that is whole whatever its order encloses: everything between its oldest and its
/// newest item.
pub(super) fn enclosed(posts: &[Post]) -> Option<Bracket> {
    let unmarked = posts.iter().filter(|post| !post.pinned);
    let dated: Vec<Moment> = unmarked.filter_map(|post| post.published).collect();
    bracket(dated.iter().copied().map(latest).min()?, &dated)
}

fn bracket(older: DateTime<Utc>, items: &[Moment]) -> Option<Bracket> {
    let newer = items.iter().copied().map(Moment::lower).max()?;
    (older < newer).then_some(Bracket { older, newer })
}

/// The items without repeats, known by reference or address; items with neither are all kept.
pub(super) fn distinct(posts: &[Post]) -> impl Iterator<Item = &Post> {
    let mut seen = HashSet::new();
    posts.iter().filter(move |post| match post.reference.as_deref().or(post.url.as_deref()) {
        Some(name) => seen.insert(name),
        None => true,
    })
}

fn is_older(one: Moment, other: Moment) -> bool {
    latest(one) < other.lower()
}

fn leading_pins(dated: &[Moment], pins_max: usize) -> usize {
    (0..dated.len().min(pins_max))
        .find(|&first| !dated[first + 1..].iter().any(|later| is_older(dated[first], *later)))
        .unwrap_or(dated.len().min(pins_max))
}

/// The length of the longest run of items, others left out, in which none is older than the next.
fn longest_order(rest: &[Moment]) -> usize {
    let mut ending_at: Vec<usize> = Vec::with_capacity(rest.len());
    for (index, item) in rest.iter().enumerate() {
        let before = (0..index).filter(|&earlier| !is_older(rest[earlier], *item));
        ending_at.push(1 + before.map(|earlier| ending_at[earlier]).max().unwrap_or(0));
    }
    ending_at.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::hours(hour)
    }

    /// Items by the hour of their time; a negative hour is a marked pin at that hour, 0 undated.
    fn check(hours: &[i64], low: Option<i64>, drifted: bool) {
        let posts: Vec<Post> = hours
            .iter()
            .map(|hour| Post {
                published: (*hour != 0).then(|| Moment::second(at(hour.abs()))),
                pinned: *hour < 0,
                ..Post::default()
            })
            .collect();
        let order = read_order(&posts, &Policy::default());
        let low = low.map(|hour| at(hour) + Duration::seconds(1));
        assert_eq!((order.low, order.drifted), (low, drifted), "{hours:?}");
    }

    #[test]
    fn pins_are_left_out_of_the_order_with_or_without_a_mark() {
        check(&[9, 8, 7, 6], Some(6), false);
        check(&[-2, 9, 8, 7, 6], Some(6), false);
        check(&[2, 9, 8, 7, 6], Some(6), false);
        check(&[2, 1, 3, 9, 8, 7, 6], Some(6), false);
        check(&[-2, -1, 9, 8, 7, 6], Some(6), false);
    }

    #[test]
    fn a_fourth_unmarked_pin_is_out_of_order() {
        check(&[2, 1, 3, 4, 9, 8, 7, 6, 5], Some(5), false);
        check(&[2, 1, 3, 4, 9, 8, 7, 6], Some(6), false);
        check(&[2, 1, 3, 4, 9, 8, 7], Some(7), true);
    }

    #[test]
    fn more_than_a_fifth_out_of_order_is_drift() {
        check(&[19, 18, 17, 16, 3, 14, 13, 12, 11, 10], Some(10), false);
        check(&[19, 18, 17, 16, 3, 14, 2, 12, 11, 10], Some(10), false);
        check(&[19, 18, 17, 16, 3, 14, 2, 12, 1, 10], Some(10), true);
        check(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], Some(10), true);
        // One item with a date in the future does not condemn those above it.
        check(&[9, 8, 7, 6, 30, 5, 4, 3, 2, 1], Some(1), false);
    }

    #[test]
    fn the_low_end_is_the_last_item_in_order_and_undated_items_do_not_move_it() {
        check(&[9, 8, 0, 7, 0], Some(7), false);
        check(&[0, 0, 0, 0], None, false);
        check(&[], None, false);
        // An old item in the middle claims nothing: newer ones follow it.
        check(&[9, 8, 1, 7, 6, 5], Some(5), false);
    }

    #[test]
    fn a_list_that_could_be_pins_alone_claims_nothing() {
        check(&[3, 2, 1], None, false);
        check(&[4, 3, 2, 1], Some(1), false);
        check(&[-4, 3, 2, 1], Some(1), false);
        check(&[-4, -3, -2, 1], Some(1), false);
    }

    #[test]
    fn order_within_the_precision_is_no_disorder() {
        let day = |day| Moment::day(NaiveDate::from_ymd_opt(2026, 9, day).unwrap());
        let fine =
            |hour| Moment { at: day(3).at + Duration::hours(hour), precision: Precision::Hour };
        let post = |claim| Post { published: Some(claim), ..Post::default() };
        let posts = [day(3), fine(5), fine(7), day(3), day(2)].map(post);
        let order = read_order(&posts[..4], &Policy { pins_max: 0, ..Policy::default() });
        assert_eq!(order.low, Some(day(3).upper()), "a date-only item reaches to 24:00 of its day");
        assert!(order.drifted, "5 o'clock above 7 o'clock is one of four");
        let order = read_order(&posts, &Policy { pins_max: 0, ..Policy::default() });
        assert_eq!((order.low, order.drifted), (Some(day(2).upper()), false));
    }

    /// Items by the hour of their time; what they enclose, by its ends.
    fn check_bracket(hours: &[i64], enclosed: Option<(i64, i64)>) {
        let dated =
            |hour: &i64| Post { published: Some(Moment::second(at(*hour))), ..Post::default() };
        let posts: Vec<Post> = hours.iter().map(dated).collect();
        let bracket = enclosed.map(|(older, newer)| Bracket { older: at(older), newer: at(newer) });
        assert_eq!(read_order(&posts, &Policy::default()).bracket, bracket, "{hours:?}");
    }

    #[test]
    fn what_stands_between_the_last_and_the_newest_item_would_be_listed() {
        check_bracket(&[9, 8, 7], Some((7, 9)));
        check_bracket(&[9], None);
        check_bracket(&[], None);
        check_bracket(&[2, 9, 8, 7], Some((7, 9)));
        check_bracket(&[9, 9], None);
        let day = Moment::day(NaiveDate::from_ymd_opt(2026, 9, 3).unwrap());
        let bracket = Bracket { older: day.at - Duration::hours(1), newer: day.upper() };
        assert!(bracket.holds(day));
        assert!(!Bracket { older: day.at, ..bracket }.holds(day));
        assert!(!Bracket { newer: day.upper() - Duration::nanoseconds(1), ..bracket }.holds(day));
    }

    #[test]
    fn repeats_of_a_shifted_page_count_once() {
        let post = |name: &str, hour| Post {
            reference: Some(name.to_owned()),
            published: Some(Moment::second(at(hour))),
            ..Post::default()
        };
        let posts = [post("a", 9), post("b", 8), post("b", 8), post("c", 7)];
        assert_eq!(distinct(&posts).count(), 3);
    }
}
