//! Diligence: how often, how regularly, how much of it the account's own.

use chrono::Duration;

use crate::domain::shanghai_day;

use super::super::PostFact;
use super::super::facts::Stretch;
use super::super::reading::{Quantity, Reading, UnknownKind, number_of};
use super::super::window::{Listed, Window, complement, days};

pub(in super::super) fn coverage(window: &Window<'_>) -> Reading {
    Reading::exact(window.coverage())
}

pub(in super::super) fn posts(window: &Window<'_>) -> Reading {
    let surely = window.posts.iter().filter(|listed| listed.surely).count();
    Reading::Known(Quantity {
        value: number_of(window.counted().count()),
        low: number_of(surely),
        high: window.is_covered().then(|| number_of(window.posts.len())),
    })
}

pub(in super::super) fn posts_per_week(window: &Window<'_>) -> Reading {
    let weeks = window.days() / 7.0;
    posts(window).map(|posts| posts / weeks)
}

pub(in super::super) fn original_posts(window: &Window<'_>) -> Reading {
    let originals = |wanted: &[Option<bool>]| {
        window.posts.iter().filter(|listed| wanted.contains(&listed.post.original)).count()
    };
    if !window.posts.is_empty() && originals(&[None]) == window.posts.len() {
        return Reading::unknown(UnknownKind::NotObservable, "页面不标明原创或转载");
    }
    let surely =
        window.posts.iter().filter(|listed| listed.surely && listed.post.original == Some(true));
    Reading::Known(Quantity {
        value: number_of(window.counted().filter(|post| post.original == Some(true)).count()),
        low: number_of(surely.count()),
        high: window.is_covered().then(|| number_of(originals(&[Some(true), None]))),
    })
}

pub(in super::super) fn original_share(window: &Window<'_>) -> Reading {
    let total = window.counted().count();
    if total == 0 {
        return window.without_posts();
    }
    let originals = window.counted().filter(|post| post.original == Some(true)).count();
    let unmarked = window.counted().filter(|post| post.original.is_none()).count();
    if unmarked == total {
        return Reading::unknown(UnknownKind::NotObservable, "页面不标明原创或转载");
    }
    let share = |count: usize| number_of(count) / number_of(total);
    let marked = number_of(originals) / number_of(total - unmarked);
    Reading::Known(Quantity {
        value: marked,
        low: share(originals),
        high: Some(share(originals + unmarked)),
    })
}

/// The first and the last calendar day that a stretch touches inside the window.
fn days_touched(window: &Window<'_>, stretch: Stretch) -> (i64, i64) {
    let last = (stretch.to - Duration::milliseconds(1)).max(stretch.from);
    let last = last.min(window.to - Duration::milliseconds(1));
    (shanghai_day(stretch.from.max(window.from)), shanghai_day(last))
}

/// How many days lie in one of the ranges, which are in order of their first days.
fn days_in(ranges: impl Iterator<Item = (i64, i64)>) -> usize {
    let (mut days, mut next) = (0, i64::MIN);
    for (first, last) in ranges {
        days += (first.max(next)..=last).count();
        next = next.max(last + 1);
    }
    days
}

pub(in super::super) fn active_days(window: &Window<'_>) -> Reading {
    let touched = |listed: &Listed<'_>| days_touched(window, listed.post.published);
    let mut possible: Vec<(i64, i64)> = window.posts.iter().map(touched).collect();
    // In the order of the posts, which is that of their times.
    let of = |holds: fn(&Listed<'_>) -> bool| {
        let posts = window.posts.iter().zip(&possible);
        posts.filter(move |(listed, _)| holds(listed)).map(|(_, days)| *days)
    };
    let counted = days_in(of(|listed| listed.counted).map(|(first, _)| (first, first)));
    let sure = days_in(of(|listed| listed.surely).filter(|(first, last)| first == last));
    possible.extend(window.gaps.iter().map(|gap| days_touched(window, *gap)));
    possible.sort_unstable();
    Reading::Known(Quantity {
        value: number_of(counted),
        low: number_of(sure),
        high: Some(number_of(days_in(possible.into_iter()))),
    })
}

pub(in super::super) fn days_in_period(window: &Window<'_>) -> Reading {
    Reading::exact(number_of(window.calendar_days().count()))
}

/// Stretches in which a post may lie: publication intervals and gaps in coverage.
fn possible(window: &Window<'_>) -> Vec<Stretch> {
    let posts = window.posts.iter().map(|listed| listed.post.published);
    posts.chain(window.gaps.iter().copied()).collect()
}

/// The longest stretch between neighbours; both edges of the window are neighbours too.
pub(in super::super) fn longest_gap_days(window: &Window<'_>) -> Reading {
    let longest = |marks: &mut dyn Iterator<Item = Stretch>| {
        let mut before = window.from;
        let mut longest = Duration::zero();
        for mark in marks {
            longest = longest.max(mark.to - before);
            before = mark.from;
        }
        days(longest.max(window.to - before))
    };
    let begin = |post: &PostFact| {
        let from = post.published.from;
        Stretch { from, to: from }
    };
    let surely = window.posts.iter().filter(|listed| listed.surely);
    // Proven silent is only what neither a post nor a gap in coverage can break.
    let proven = complement(possible(window), window.from, window.to);
    let proven = proven.iter().map(|free| free.to - free.from).max().unwrap_or_default();
    Reading::Known(Quantity {
        value: longest(&mut window.counted().map(begin)),
        low: days(proven),
        high: Some(longest(&mut surely.map(|listed| listed.post.published))),
    })
}

/// The stretch from the last post to the end of the window.
pub(in super::super) fn silent_days(window: &Window<'_>) -> Reading {
    let last_possible = possible(window).iter().map(|stretch| stretch.to).max();
    let proven = window.to - last_possible.map_or(window.from, |last| last.min(window.to));
    let last_counted = window.counted().map(|post| post.published.from).max();
    let surely = window.posts.iter().filter(|listed| listed.surely);
    let last_sure = surely.map(|listed| listed.post.published.from).max();
    Reading::Known(Quantity {
        value: days(window.to - last_counted.unwrap_or(window.from)),
        low: days(proven),
        // Without a sure post the silence may reach back beyond the window.
        high: last_sure.map(|last| days(window.to - last)),
    })
}

/// Whether a week holds a post: as counted, perhaps, surely.
#[derive(Clone, Copy, Default)]
struct Held {
    counted: bool,
    possibly: bool,
    surely: bool,
}

/// Weeks without a post: counted, at least, at most.
fn silent_weeks(window: &Window<'_>) -> (usize, usize, usize) {
    let weeks = window.weeks();
    let mut all = vec![Held::default(); weeks.count()];
    for listed in &window.posts {
        let published = listed.post.published;
        let touched = weeks.touched(published);
        if listed.counted {
            let week = *touched.start();
            all[week].counted = true;
            all[week].surely |= published.to <= weeks.end(week);
        }
        all[touched].iter_mut().for_each(|week| week.possibly = true);
    }
    for gap in &window.gaps {
        all[weeks.touched(*gap)].iter_mut().for_each(|week| week.possibly = true);
    }
    let silent = |held: fn(&Held) -> bool| all.iter().filter(|week| !held(week)).count();
    (silent(|week| week.counted), silent(|week| week.possibly), silent(|week| week.surely))
}

pub(in super::super) fn weeks_without_post(window: &Window<'_>) -> Reading {
    let (value, low, high) = silent_weeks(window);
    Reading::Known(Quantity {
        value: number_of(value),
        low: number_of(low),
        high: Some(number_of(high)),
    })
}

pub(in super::super) fn posting_weeks_share(window: &Window<'_>) -> Reading {
    let weeks = window.weeks().count();
    let share = |silent: usize| number_of(weeks - silent) / number_of(weeks);
    let (value, low, high) = silent_weeks(window);
    Reading::Known(Quantity { value: share(value), low: share(high), high: Some(share(low)) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::shanghai_date;

    proptest! {
        #[test]
        fn days_are_those_of_the_calendar_each_counted_once(
            stretches in prop::collection::vec((-3000_i64..9000, 0_i64..5000), 0..9),
        ) {
            let at = |minute| chrono::DateTime::UNIX_EPOCH + Duration::minutes(minute);
            let days = |(from, length): &(i64, i64)| {
                (shanghai_date(at(*from)), shanghai_date(at(from + length)))
            };
            let numbers = |(from, length): &(i64, i64)| {
                (shanghai_day(at(*from)), shanghai_day(at(from + length)))
            };
            let one_by_one: BTreeSet<NaiveDate> = stretches
                .iter()
                .map(days)
                .flat_map(|(first, last)| first.iter_days().take_while(move |day| *day <= last))
                .collect();
            let mut ranges: Vec<(i64, i64)> = stretches.iter().map(numbers).collect();
            ranges.sort_unstable();
            prop_assert_eq!(days_in(ranges.into_iter()), one_by_one.len());
        }
    }
}
