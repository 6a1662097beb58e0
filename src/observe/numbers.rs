//! Numbers with bounds: sums, and values at a fixed age. Unknown is never 0.

use chrono::{DateTime, Duration, Utc};

use crate::domain::{Count, Moment};

/// The ages at which interactions are compared, in hours: 1, 3 and 7 days.
pub const FIXED_AGES_HOURS: [i64; 3] = [24, 72, 168];

/// A sum of numbers that pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundedSum {
    /// The sum of what was shown; `Hidden` where nothing was.
    pub sum: Count,
    /// Terms that could not be observed: the sum is a lower bound only.
    pub not_observed: usize,
}

/// Adds numbers up.
///
/// Bounds add to bounds. A number that is hidden or not carried (`None`) leaves the sum without an
/// upper bound; a sum in which no number was shown is not observable. The sum of nothing is 0.
pub fn sum<'a>(counts: impl IntoIterator<Item = Option<&'a Count>>) -> BoundedSum {
    let (mut value, mut low, mut high) = (0_u64, 0_u64, Some(0_u64));
    let (mut shown, mut not_observed) = (0_usize, 0_usize);
    let mut reason = None;
    for count in counts {
        match count {
            Some(Count::Hidden(why)) => {
                not_observed += 1;
                reason.get_or_insert_with(|| why.clone());
            }
            None => not_observed += 1,
            Some(count) => {
                shown += 1;
                value = value.saturating_add(count.value().unwrap_or(0));
                low = low.saturating_add(count.low().unwrap_or(0));
                high = high.zip(count.high()).map(|(high, more)| high.saturating_add(more));
            }
        }
    }
    let sum = match (shown, not_observed) {
        (0, 1..) => Count::Hidden(reason.unwrap_or_else(|| "not_carried".to_owned())),
        _ => exact_or_bounded(value, low, high.filter(|_| not_observed == 0)),
    };
    BoundedSum { sum, not_observed }
}

fn exact_or_bounded(value: u64, low: u64, high: Option<u64>) -> Count {
    if high == Some(low) { Count::Exact(low) } else { Count::Bounded { value, low, high } }
}

/// A number of a post as it stood at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberSample {
    /// As-of time.
    pub at: DateTime<Utc>,
    /// The number.
    pub count: Count,
}

/// Why a number cannot be told at an age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAtAge {
    /// The post has not reached the age.
    TooYoung,
    /// No sample carries the number.
    NotCarried,
    /// The platform hides it, with its reason.
    Hidden(String),
    /// The first sample after the age was taken more than the tolerance later, or none was.
    SampledTooLate,
}

/// A number of a post at an age, with its bounds.
///
/// Interactions hardly ever shrink, so that the number lies between that of the last sample before
/// the age and that of the first after it; the value is the latter's, taken at most `tolerance`
/// later. Without a sample before, 0 at publication is the lower bound. A coarse claimed time makes
/// the age itself an interval. Where a number did shrink, the bounds hold both samples.
pub fn at_age(
    samples: &[NumberSample],
    published: Moment,
    age: Duration,
    tolerance: Duration,
    now: DateTime<Utc>,
) -> Result<Count, NotAtAge> {
    let (earliest, latest) = (published.lower() + age, super::list::latest(published) + age);
    if latest > now {
        return Err(NotAtAge::TooYoung);
    }
    if samples.is_empty() {
        return Err(NotAtAge::NotCarried);
    }
    let shown = samples.iter().filter(|sample| !matches!(sample.count, Count::Hidden(_)));
    let after = shown.clone().filter(|sample| sample.at >= latest).min_by_key(|sample| sample.at);
    let before = shown.clone().filter(|sample| sample.at <= earliest).max_by_key(|one| one.at);
    let hidden = samples.iter().find_map(|sample| match &sample.count {
        Count::Hidden(reason) => Some(reason.clone()),
        _ => None,
    });
    let Some(after) = after.filter(|sample| sample.at <= latest + tolerance) else {
        return Err(match hidden {
            Some(reason) if shown.count() == 0 => NotAtAge::Hidden(reason),
            _ => NotAtAge::SampledTooLate,
        });
    };
    let value = after.count.value().unwrap_or(0);
    let (low, high) = (after.count.low().unwrap_or(0), after.count.high());
    let bounds = match before {
        Some(before) if before.at == after.at => (low, high),
        Some(before) => {
            let least = before.count.low().unwrap_or(0).min(low);
            (least, high.zip(before.count.high()).map(|(one, other)| one.max(other)))
        }
        None if after.at == earliest => (low, high),
        None => (0, high),
    };
    Ok(exact_or_bounded(value, bounds.0, bounds.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Precision;

    fn bounded(value: u64, low: u64, high: Option<u64>) -> Count {
        Count::Bounded { value, low, high }
    }

    #[test]
    fn sums_of_bounded_numbers_are_bounded_and_unknown_is_never_zero() {
        let hidden = || Some(Count::Hidden("login_required".to_owned()));
        let capped = || Some(bounded(100_001, 100_001, None));
        let rounded = || Some(bounded(12_000, 11_500, Some(12_499)));
        let exact = |count| Some(Count::Exact(count));
        for (counts, sum_is, missing) in [
            (vec![], Count::Exact(0), 0),
            (vec![exact(3), exact(4)], Count::Exact(7), 0),
            (vec![exact(3), rounded()], bounded(12_003, 11_503, Some(12_502)), 0),
            (vec![capped(), rounded()], bounded(112_001, 111_501, None), 0),
            (vec![exact(3), None], bounded(3, 3, None), 1),
            (vec![exact(0), hidden()], bounded(0, 0, None), 1),
            (vec![hidden(), None], Count::Hidden("login_required".to_owned()), 2),
            (vec![None], Count::Hidden("not_carried".to_owned()), 1),
            (vec![exact(u64::MAX), exact(1)], Count::Exact(u64::MAX), 0),
        ] {
            let found = sum(counts.iter().map(Option::as_ref));
            assert_eq!(found, BoundedSum { sum: sum_is, not_observed: missing }, "{counts:?}");
        }
    }

    fn hour(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::hours(hour)
    }

    /// Samples as (hour, count) of a post of hour 0, asked for at the age of one day on day 30.
    #[track_caller]
    fn check(samples: &[(i64, Count)], expected: &Result<Count, NotAtAge>) {
        check_at(samples, Moment::second(hour(0)), hour(720), expected);
    }

    #[track_caller]
    fn check_at(
        samples: &[(i64, Count)],
        published: Moment,
        now: DateTime<Utc>,
        expected: &Result<Count, NotAtAge>,
    ) {
        let samples: Vec<_> = samples
            .iter()
            .map(|(at, count)| NumberSample { at: hour(*at), count: count.clone() })
            .collect();
        let age = Duration::hours(FIXED_AGES_HOURS[0]);
        let found = at_age(&samples, published, age, Duration::hours(24), now);
        assert_eq!(found, *expected, "{samples:?}");
    }

    #[test]
    fn a_number_at_an_age_lies_between_the_samples_around_it() {
        let exact = Count::Exact;
        check(&[(24, exact(7))], &Ok(exact(7)));
        check(&[(12, exact(5)), (30, exact(9))], &Ok(bounded(9, 5, Some(9))));
        check(&[(12, exact(5)), (30, exact(5))], &Ok(exact(5)));
        check(&[(30, exact(9))], &Ok(bounded(9, 0, Some(9))));
        check(&[(12, exact(9)), (30, exact(7))], &Ok(bounded(7, 7, Some(9))));
        check(&[(12, exact(5)), (48, exact(9))], &Ok(bounded(9, 5, Some(9))));
        check(&[(12, exact(5)), (49, exact(9))], &Err(NotAtAge::SampledTooLate));
        check(&[(12, exact(5))], &Err(NotAtAge::SampledTooLate));
        let capped = bounded(100_001, 100_001, None);
        check(&[(12, exact(5)), (30, capped.clone())], &Ok(bounded(100_001, 5, None)));
        check(&[(24, capped.clone())], &Ok(capped));
        check(&[], &Err(NotAtAge::NotCarried));
        let hidden = Count::Hidden("login_required".to_owned());
        let refused = NotAtAge::Hidden("login_required".to_owned());
        check(&[(12, hidden.clone()), (30, hidden.clone())], &Err(refused));
        check(&[(12, hidden), (30, exact(9))], &Ok(bounded(9, 0, Some(9))));
    }

    #[test]
    fn a_coarse_time_makes_the_age_an_interval() {
        let day = Moment { at: hour(0), precision: Precision::Day };
        let exact = Count::Exact;
        let samples = [(24, exact(5)), (36, exact(8)), (50, exact(9))];
        check_at(&samples, day, hour(720), &Ok(bounded(9, 5, Some(9))));
        check_at(&samples, day, hour(47), &Err(NotAtAge::TooYoung));
    }
}
