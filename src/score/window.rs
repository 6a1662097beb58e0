//! The part of a period that can be judged, with its gaps in coverage.

use std::ops::RangeInclusive;

use chrono::{DateTime, Duration, NaiveDate, Utc};

use crate::domain::shanghai_date;

use crate::calendar::Calendar;
use crate::scheme::IndexCatalog;

use super::PostFact;
use super::facts::{PeriodFacts, Stretch};
use super::reading::{Reading, UnknownKind};

/// What measures look up beside the facts: the working days and the index formulas.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    /// Working days.
    pub calendar: &'a Calendar,
    /// Index formulas, each a measure by its id.
    pub indices: &'a IndexCatalog,
}

/// The judged stretch of a period and what was seen of it.
pub(super) struct Window<'a> {
    pub(super) facts: &'a PeriodFacts,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// Stretches inside the window that no observation covers, merged, in order.
    pub(super) gaps: Vec<Stretch>,
    /// Posts that lie in the window or may, by begin of their publication interval.
    pub(super) posts: Vec<Listed<'a>>,
    /// A message is overdue this long after it was asked.
    pub(super) reply_deadline: Duration,
    pub(super) tables: Tables<'a>,
}

/// A post of the window.
pub(super) struct Listed<'a> {
    pub(super) post: &'a PostFact,
    /// Its whole publication interval lies inside the window.
    pub(super) surely: bool,
    /// The begin of its publication interval lies inside the window: it is counted.
    pub(super) counted: bool,
}

impl<'a> Window<'a> {
    /// The window, or `None` where nothing of the period can be judged: the account did not exist
    /// in it, or the cutoff lies before it.
    pub(super) fn of(
        facts: &'a PeriodFacts,
        reply_deadline: Duration,
        tables: Tables<'a>,
    ) -> Option<Self> {
        let begins = [Some(facts.period.from()), facts.existed_from];
        let ends = [Some(facts.period.to()), Some(facts.cutoff), facts.existed_until];
        let from = begins.into_iter().flatten().max()?;
        let to = ends.into_iter().flatten().min()?;
        if from >= to {
            return None;
        }
        let mut posts: Vec<Listed<'a>> = Vec::with_capacity(facts.posts.len());
        posts.extend(facts.posts.iter().filter_map(|post| {
            let Stretch { from: first, to: last } = post.published;
            // An interval of no length is an instant.
            let after_begin = last > from || (last == from && first == last);
            (after_begin && first < to).then(|| Listed {
                post,
                surely: first >= from && last <= to,
                counted: first >= from,
            })
        }));
        posts.sort_by_key(|listed| listed.post.published);
        let gaps = complement(facts.covered.clone(), from, to);
        Some(Self { facts, from, to, gaps, posts, reply_deadline, tables })
    }

    /// The posts that a measure's value counts.
    pub(super) fn counted(&self) -> impl Iterator<Item = &'a PostFact> {
        self.posts.iter().filter(|listed| listed.counted).map(|listed| listed.post)
    }

    pub(super) fn is_covered(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Why there is nothing to divide by the posts: there were none, or nobody looked everywhere.
    pub(super) fn without_posts(&self) -> Reading {
        if self.is_covered() {
            Reading::unknown(UnknownKind::NotApplicable, "本期没有发布")
        } else {
            Reading::unknown(UnknownKind::Undetermined, "覆盖的时段内没有发布,其余时段未知")
        }
    }

    /// Covered share, 0–1.
    pub(super) fn coverage(&self) -> f64 {
        let missing: Duration = self.gaps.iter().map(|gap| gap.to - gap.from).sum();
        1.0 - days(missing) / self.days()
    }

    /// The length of the window.
    pub(super) fn days(&self) -> f64 {
        days(self.to - self.from)
    }

    /// Every calendar day in Asia/Shanghai that the window touches.
    pub(super) fn calendar_days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = shanghai_date(self.to - Duration::milliseconds(1));
        shanghai_date(self.from).iter_days().take_while(move |day| *day <= last)
    }

    /// Weeks of seven times 24 hours from the begin of the window; a rest of less than a week at
    /// the end belongs to the last one.
    pub(super) fn weeks(&self) -> Weeks {
        let last = usize::try_from((self.to - self.from).num_weeks() - 1).unwrap_or(0);
        Weeks { from: self.from, to: self.to, last }
    }
}

/// The weeks of a window, numbered from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weeks {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// The number of the last week.
    last: usize,
}

impl Weeks {
    pub(super) fn count(self) -> usize {
        self.last + 1
    }

    /// The week that an instant lies in; the nearest one for an instant outside the window.
    pub(super) fn of(self, at: DateTime<Utc>) -> usize {
        usize::try_from((at - self.from).num_weeks()).unwrap_or(0).min(self.last)
    }

    /// The first instant after a week.
    pub(super) fn end(self, week: usize) -> DateTime<Utc> {
        if week >= self.last { self.to } else { self.begin(week + 1) }
    }

    /// The weeks that a stretch has a part in; it must have one in the window.
    pub(super) fn touched(self, stretch: Stretch) -> RangeInclusive<usize> {
        let (first, last) = (self.of(stretch.from), self.of(stretch.to));
        let ends_before = last > first && self.begin(last) == stretch.to;
        first..=last - usize::from(ends_before)
    }

    fn begin(self, week: usize) -> DateTime<Utc> {
        self.from + Duration::weeks(i64::try_from(week).unwrap_or(i64::MAX))
    }
}

/// A duration in days of 24 hours.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a few years, far below 2^53")]
pub(super) fn days(duration: Duration) -> f64 {
    duration.num_milliseconds() as f64 / 86_400_000.0
}

/// What of `[from, to)` lies in none of the stretches, merged, in order.
pub(super) fn complement(
    mut stretches: Vec<Stretch>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<Stretch> {
    stretches.sort_unstable();
    let mut free = Vec::with_capacity(stretches.len() + 1);
    let mut at = from;
    for stretch in stretches.iter().filter(|stretch| stretch.to > from && stretch.from < to) {
        if stretch.from > at {
            free.push(Stretch { from: at, to: stretch.from });
        }
        at = at.max(stretch.to);
    }
    if at < to {
        free.push(Stretch { from: at, to });
    }
    free
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_stretch_touches_the_weeks_that_share_an_instant_with_it(
            hours in 1_i64..24 * 30,
            begin in -200_i64..24 * 30,
            length in 0_i64..24 * 30,
        ) {
            let at = |hours| DateTime::UNIX_EPOCH + Duration::hours(hours);
            let stretch = Stretch { from: at(begin), to: at(begin + length) };
            let inside = stretch.to > at(0) || (length == 0 && begin == 0);
            prop_assume!(inside && stretch.from < at(hours));
            let weeks = Weeks {
                from: at(0),
                to: at(hours),
                last: usize::try_from(hours / 168 - 1).unwrap_or(0),
            };
            let shares = |week: &usize| {
                let (from, to) = (weeks.begin(*week), weeks.end(*week));
                let is_instant_of_it = length == 0 && stretch.from >= from;
                stretch.from < to && (stretch.to > from || is_instant_of_it)
            };
            let one_by_one: Vec<usize> = (0..weeks.count()).filter(shares).collect();
            prop_assert_eq!(weeks.touched(stretch).collect::<Vec<_>>(), one_by_one);
        }
    }
}
