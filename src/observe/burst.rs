//! Bursts before a check (突击发文): much of a period's posting in its last days.

use chrono::{DateTime, Duration, Utc};

use super::span::Covered;

/// How an account posted in the days before a cutoff, beside the rest of its period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// Days before the cutoff that are looked at.
    pub days: usize,
    /// Posts of these days.
    pub posts: usize,
    /// Posts of all days told.
    pub posts_all: usize,
    /// Covered days of the period, these included; uncovered ones are left out.
    pub days_all: usize,
    /// `posts / posts_all`, 0–1.
    pub share: f64,
    /// What the share would be if every day were alike: `days / days_all`.
    pub expected_share: f64,
    /// How likely it is that as many days, drawn by lot from the account's own, hold at least as
    /// many posts, 0–1. An account that posts rarely, or always many at once, is judged by that.
    pub probability: f64,
}

/// Why nothing can be said of a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoBurst {
    /// A day before the cutoff is not wholly covered.
    NotCovered,
    /// Fewer covered days before them than they are themselves: no rhythm to compare with.
    TooShort,
    /// No post at all.
    NoPosts,
}

/// Compares the `days` before `cutoff` with the other covered days since `from`.
///
/// Days are 24 hours counted back from the cutoff; `posts` are the times at which posts count, in
/// any order. The probability is exact: of all ways to draw `days` of the covered days, the share
/// that holds at least as many posts (a permutation test; Fisher 1935).
pub fn burst(
    posts: &[DateTime<Utc>],
    covered: &Covered,
    from: DateTime<Utc>,
    cutoff: DateTime<Utc>,
    days: usize,
) -> Result<Burst, NoBurst> {
    let day = |back: usize| {
        let back = i32::try_from(back).unwrap_or(i32::MAX);
        cutoff - Duration::days(1) * back
    };
    let is_covered = |back: usize| covered.gaps(day(back + 1), day(back)).is_empty();
    let whole_days = usize::try_from((cutoff - from).num_days()).unwrap_or(0);
    if whole_days < days || !(0..days).all(is_covered) {
        return Err(NoBurst::NotCovered);
    }
    let told: Vec<usize> = (0..whole_days).filter(|back| is_covered(*back)).collect();
    if days == 0 || told.len() < 2 * days {
        return Err(NoBurst::TooShort);
    }
    let count = |back: &usize| {
        let (start, end) = (day(back + 1), day(*back));
        posts.iter().filter(|at| **at >= start && **at < end).count()
    };
    let counts: Vec<usize> = told.iter().map(count).collect();
    let all: usize = counts.iter().sum();
    if all == 0 {
        return Err(NoBurst::NoPosts);
    }
    let last: usize = counts[..days].iter().sum();
    Ok(Burst {
        days,
        posts: last,
        posts_all: all,
        days_all: counts.len(),
        share: last as f64 / all as f64,
        expected_share: days as f64 / counts.len() as f64,
        probability: at_least(&counts, days, last),
    })
}

/// The share of all subsets of `size` counts whose sum is at least `sum`.
///
/// `chances[taken][held]`: the chance that of the counts so far `taken` are drawn and hold `held`,
/// where everything from `sum` on is one. Each count in turn is drawn with the chance
/// `(size − taken) / left`, so that no binomial coefficient can overflow.
fn at_least(counts: &[usize], size: usize, sum: usize) -> f64 {
    let mut chances = vec![vec![0.0_f64; sum + 1]; size + 1];
    chances[0][0] = 1.0;
    for (index, count) in counts.iter().enumerate() {
        let left = (counts.len() - index) as f64;
        for taken in (0..=size).rev() {
            let drawn = (size - taken) as f64 / left;
            for held in (0..=sum).rev() {
                let chance = chances[taken][held];
                if chance == 0.0 {
                    continue;
                }
                chances[taken][held] = chance * (1.0 - drawn);
                if taken < size {
                    chances[taken + 1][(held + count).min(sum)] += chance * drawn;
                }
            }
        }
    }
    chances[size][sum].clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Span;

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(number)
    }

    /// A post at the sixth hour of each day named, of days 0 to 29, all covered but for `gap`.
    fn told(posted: &[i64], days: usize, gap: Option<i64>) -> Result<Burst, NoBurst> {
        let posts: Vec<_> = posted.iter().map(|number| day(*number) + Duration::hours(6)).collect();
        let all = Span { low: day(0), high: day(30) };
        let covered: Covered = match gap {
            Some(gap) => [Span { high: day(gap), ..all }, Span { low: day(gap + 1), ..all }]
                .into_iter()
                .collect(),
            None => [all].into_iter().collect(),
        };
        burst(&posts, &covered, day(0), day(30), days)
    }

    /// The posts of the last days, of all, and the probability in thousandths.
    #[track_caller]
    fn check(posted: &[i64], days: usize, expected: (usize, usize, i64)) {
        let burst = told(posted, days, None).unwrap();
        let thousandths = (burst.probability * 1000.0).round() as i64;
        assert_eq!((burst.posts, burst.posts_all, thousandths), expected, "{posted:?}");
    }

    #[test]
    fn a_burst_is_as_likely_as_the_days_drawn_by_lot() {
        let steady: Vec<i64> = (0..30).collect();
        check(&steady, 3, (3, 30, 1000));
        // 1 of C(30, 3) = 4060 draws.
        check(&[27, 28, 29], 3, (3, 3, 0));
        let burst = told(&[27, 28, 29], 3, None).unwrap();
        assert!((burst.probability - 1.0 / 4060.0).abs() < 1e-12);
        assert!((burst.share - 1.0).abs() < 1e-12 && (burst.expected_share - 0.1).abs() < 1e-12);
        // All posts of one day: three draws of thirty hold it, however many they are.
        check(&[29; 9], 3, (9, 9, 100));
        check(&[0, 10, 20], 3, (0, 3, 1000));
        // One of three posting days among five of thirty: 1 − C(27, 5) / C(30, 5).
        check(&[3, 11, 26], 5, (1, 3, 433));
    }

    #[test]
    fn uncovered_days_are_no_rhythm() {
        assert_eq!(told(&[1], 3, Some(28)), Err(NoBurst::NotCovered));
        assert_eq!(told(&[1], 16, None), Err(NoBurst::TooShort));
        assert_eq!(told(&[1], 31, None), Err(NoBurst::NotCovered));
        assert_eq!(told(&[], 3, None), Err(NoBurst::NoPosts));
        let around = told(&[5, 29], 3, Some(10)).unwrap();
        assert_eq!((around.days_all, around.posts_all), (29, 2));
    }

    #[test]
    fn chances_of_all_sums_are_those_of_every_subset() {
        let counts = [3, 0, 1, 1, 0, 5];
        for size in 1..5 {
            for sum in 0..9 {
                let subsets: Vec<u32> =
                    (0..64_u32).filter(|set| set.count_ones() as usize == size).collect();
                let held = |set: u32| -> usize {
                    (0..6).filter(|at| set >> at & 1 == 1).map(|at| counts[at]).sum()
                };
                let enough = subsets.iter().filter(|set| held(**set) >= sum).count();
                let expected = enough as f64 / subsets.len() as f64;
                assert!((at_least(&counts, size, sum) - expected).abs() < 1e-12, "{size} {sum}");
            }
        }
    }
}
