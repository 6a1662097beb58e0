use chrono::{DateTime, Duration, Utc};

use super::facts::Span;
use super::threshold::Window;

/// Covered time: disjoint spans in order of time.
///
/// Merging is a set union of half-open intervals, so it is associative, commutative and
/// idempotent: the same visits in any order and grouping give the same covered time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered(Vec<Span>);

impl FromIterator<Span> for Covered {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut spans: Vec<Span> = spans.into_iter().filter(|span| span.low < span.high).collect();
        spans.sort_unstable_by_key(|span| (span.low, span.high));
        let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                // (a, b] and (b, c] leave nothing out between them.
                Some(last) if span.low <= last.high => last.high = last.high.max(span.high),
                _ => merged.push(span),
            }
        }
        Self(merged)
    }
}

impl Covered {
    /// What at least `count` of some sets cover, 1 or more.
    pub fn at_least(count: usize, sets: impl Iterator<Item = Self>) -> Self {
        // By number of sets, what so many have covered so far.
        let mut by_number = vec![Self::default(); count.max(1)];
        for set in sets {
            for number in (1..by_number.len()).rev() {
                let once_more = by_number[number - 1].intersection(&set);
                by_number[number] = by_number[number].union(&once_more);
            }
            by_number[0] = by_number[0].union(&set);
        }
        by_number.pop().unwrap_or_default()
    }

    /// The spans, disjoint, oldest first.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// What either covers.
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// What both cover.
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut shared = Vec::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            shared.push(Span { low: a.low.max(b.low), high: a.high.min(b.high) });
            if a.high <= b.high {
                left.next();
            } else {
                right.next();
            }
        }
        shared.into_iter().collect()
    }

    /// Whether a post at any instant of the window would have been seen.
    pub fn covers(&self, window: &Window) -> bool {
        self.0.iter().any(|span| {
            let from_start = if window.start_included {
                span.low < window.start
            } else {
                span.low <= window.start
            };
            from_start && window.end <= span.high
        })
    }

    /// What of `(from, to]` is not covered, oldest first.
    pub fn gaps(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Span> {
        let mut gaps = Vec::new();
        let mut low = from;
        for span in &self.0 {
            if span.high <= low {
                continue;
            }
            if span.low >= to {
                break;
            }
            if span.low > low {
                gaps.push(Span { low, high: span.low });
            }
            low = span.high;
        }
        if low < to {
            gaps.push(Span { low, high: to });
        }
        gaps
    }

    /// The covered share of `(from, to]`, 0–1; 0 for a period without length.
    pub fn ratio(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
        if to <= from {
            return 0.0;
        }
        let open = self.gaps(from, to).iter().map(|gap| gap.high - gap.low).sum::<Duration>();
        1.0 - open.as_seconds_f64() / (to - from).as_seconds_f64()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(second)
    }

    fn covered(spans: &[(i64, i64)]) -> Covered {
        spans.iter().map(|(low, high)| Span { low: at(*low), high: at(*high) }).collect()
    }

    #[test]
    fn spans_that_touch_become_one_and_gaps_stay_open() {
        assert_eq!(covered(&[(5, 9), (1, 5)]), covered(&[(1, 9)]));
        assert_eq!(covered(&[(1, 4), (5, 9)]).spans().len(), 2);
        assert_eq!(covered(&[(3, 3), (4, 2)]).spans(), []);
        let both = covered(&[(1, 4), (6, 9)]);
        assert_eq!(both.gaps(at(0), at(10)).len(), 3);
        assert_eq!(both.gaps(at(2), at(4)), []);
        assert!((both.ratio(at(0), at(10)) - 0.6).abs() < 1e-9);
        assert!(both.ratio(at(5), at(5)).abs() < 1e-9);
        assert_eq!(both.intersection(&covered(&[(2, 7)])), covered(&[(2, 4), (6, 7)]));
    }

    #[test]
    fn a_window_is_covered_with_its_start_only_from_before_it() {
        let window = |start_included| Window { start: at(2), start_included, end: at(8) };
        for (spans, closed, open) in [
            (vec![(1, 8)], true, true),
            (vec![(2, 8)], false, true),
            (vec![(1, 7)], false, false),
            (vec![(1, 4), (4, 9)], true, true),
            (vec![(1, 4), (5, 9)], false, false),
        ] {
            assert_eq!(covered(&spans).covers(&window(true)), closed, "{spans:?}");
            assert_eq!(covered(&spans).covers(&window(false)), open, "{spans:?}");
        }
    }

    fn any_covered() -> impl Strategy<Value = Covered> {
        prop::collection::vec((0i64..60, 0i64..20), 0..8).prop_map(|spans| {
            covered(&spans.iter().map(|(low, long)| (*low, low + long)).collect::<Vec<_>>())
        })
    }

    proptest! {
        #[test]
        fn merging_does_not_depend_on_order_or_grouping(
            a in any_covered(), b in any_covered(), c in any_covered(),
        ) {
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
            prop_assert_eq!(a.union(&a), a.clone());
            prop_assert_eq!(a.intersection(&b), b.intersection(&a));
            prop_assert_eq!(
                a.intersection(&b.union(&c)),
                a.intersection(&b).union(&a.intersection(&c))
            );
        }

        #[test]
        fn every_second_is_covered_or_in_a_gap_and_never_both(a in any_covered()) {
            let gaps: Covered = a.gaps(at(10), at(50)).into_iter().collect();
            prop_assert_eq!(gaps.intersection(&a), Covered::default());
            prop_assert_eq!(gaps.union(&a).gaps(at(10), at(50)), vec![]);
        }
    }
}
