//! How often an authority checks, when its cutoff lies, and how it draws a sample.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc, Weekday};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use sha2::{Digest, Sha256};

use crate::domain::{shanghai_date, shanghai_midnight};

/// A unit of the calendar in Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// Six calendar months.
    HalfYear,
    /// A calendar year.
    Year,
}

impl Every {
    /// Every unit with its stable word.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Week, "week"),
        (Self::Month, "month"),
        (Self::Quarter, "quarter"),
        (Self::HalfYear, "half_year"),
        (Self::Year, "year"),
    ];

    fn months(self) -> u32 {
        match self {
            Self::Week => 0,
            Self::Month => 1,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
        }
    }

    /// The first day of the unit that holds a day.
    pub fn start_of(self, day: NaiveDate, week_starts: Weekday) -> NaiveDate {
        if self == Self::Week {
            let behind = day.weekday().days_since(week_starts);
            return day - Days::new(u64::from(behind));
        }
        let month = day.month0() / self.months() * self.months() + 1;
        NaiveDate::from_ymd_opt(day.year(), month, 1).expect("a month of the year")
    }

    /// The first day of the next unit.
    pub fn next(self, start: NaiveDate) -> NaiveDate {
        match self {
            Self::Week => start + Days::new(7),
            other => start + Months::new(other.months()),
        }
    }

    /// The whole units inside `[from, to)`, as their first and the following instants.
    pub fn whole_units(
        self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        week_starts: Weekday,
    ) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut start = self.start_of(shanghai_date(from), week_starts);
        let mut units = Vec::new();
        loop {
            let next = self.next(start);
            let (begin, end) = (shanghai_midnight(start), shanghai_midnight(next));
            if end > to {
                return units;
            }
            if begin >= from {
                units.push((begin, end));
            }
            start = next;
        }
    }
}

/// How often an authority checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// The unit.
    pub every: Every,
    /// The cutoff (监测时间点): 00:00 of this day of the unit's last month; absent: the unit's end.
    pub cutoff_day: Option<u32>,
}

impl Rhythm {
    /// The cutoffs in `[from, to]`, in order.
    pub fn cutoffs(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        // The unit before may end exactly at `from`.
        let before = shanghai_date(from) - Days::new(1);
        let mut start = self.every.start_of(before, Weekday::Mon);
        let mut cutoffs = Vec::new();
        while shanghai_midnight(start) <= to {
            let next = self.every.next(start);
            let at = match self.cutoff_day {
                Some(day) => (next - Months::new(1)).with_day(day),
                None => Some(next),
            };
            cutoffs.extend(at.map(shanghai_midnight).filter(|at| (from..=to).contains(at)));
            start = next;
        }
        cutoffs
    }
}

/// How many accounts a check draws (抽查).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// The share of the accounts, 0–1; the number is rounded up.
    pub share: Decimal,
    /// The least number, where there are so many.
    pub at_least: u32,
    /// For how long a draw stands.
    pub every: Every,
}

impl Sampling {
    /// Draws from accounts, by key, with a published seed.
    ///
    /// Anyone can repeat it: SHA-256 of `seed`, a line feed and the key, in UTF-8; the accounts in
    /// ascending order of these digests; the first ⌈share × number⌉, but at least `at_least`, are
    /// drawn. The result is in the order of the draw.
    pub fn draw<'a>(&self, seed: &str, keys: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let digest = |key: &str| Sha256::digest(format!("{seed}\n{key}"));
        let mut ordered: Vec<(Vec<u8>, &str)> =
            keys.into_iter().map(|key| (digest(key).to_vec(), key)).collect();
        ordered.sort_unstable();
        ordered.dedup();
        let share = (self.share * Decimal::from(ordered.len())).ceil().to_usize();
        let least = usize::try_from(self.at_least).unwrap_or(usize::MAX);
        let count = share.unwrap_or(usize::MAX).max(least).min(ordered.len());
        ordered.into_iter().take(count).map(|(_, key)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}T00:00:00+08:00").parse().unwrap()
    }

    fn check_units(every: Every, starts: Weekday, want: &[(&str, &str)]) {
        let got = every.whole_units(at("2026-01-15"), at("2026-07-15"), starts);
        let want: Vec<_> = want.iter().map(|(from, to)| (at(from), at(to))).collect();
        assert_eq!(got, want, "{every:?}");
    }

    #[test]
    fn only_whole_units_count() {
        check_units(Every::Quarter, Weekday::Mon, &[("2026-04-01", "2026-07-01")]);
        check_units(Every::HalfYear, Weekday::Mon, &[]);
        let weeks = Every::Week.whole_units(at("2026-11-01"), at("2026-11-29"), Weekday::Mon);
        assert_eq!(weeks.first(), Some(&(at("2026-11-02"), at("2026-11-09"))));
        assert_eq!(weeks.len(), 3);
        let vendor = Every::Week.whole_units(at("2026-11-01"), at("2026-11-29"), Weekday::Sun);
        assert_eq!((vendor.len(), vendor[0].0), (4, at("2026-11-01")));
        let months = Every::Month.whole_units(at("2026-01-31"), at("2026-03-31"), Weekday::Mon);
        assert_eq!(months, [(at("2026-02-01"), at("2026-03-01"))]);
    }

    #[test]
    fn cutoffs_lie_at_the_end_or_on_their_day() {
        let quarterly = Rhythm { every: Every::Quarter, cutoff_day: Some(25) };
        assert_eq!(
            quarterly.cutoffs(at("2026-01-01"), at("2026-12-31")),
            ["2026-03-25", "2026-06-25", "2026-09-25", "2026-12-25"].map(at)
        );
        let yearly = Rhythm { every: Every::Year, cutoff_day: None };
        assert_eq!(yearly.cutoffs(at("2026-01-02"), at("2027-01-01")), [at("2027-01-01")]);
        let half = Rhythm { every: Every::HalfYear, cutoff_day: None };
        assert_eq!(half.cutoffs(at("2026-01-01"), at("2026-12-31")).len(), 2);
        let weekly = Rhythm { every: Every::Week, cutoff_day: None };
        assert_eq!(weekly.cutoffs(at("2026-11-23"), at("2026-11-30")).len(), 2);
    }

    #[test]
    fn a_draw_is_the_same_for_everybody_and_depends_on_the_seed_alone() {
        let half = Sampling { share: "0.5".parse().unwrap(), at_least: 2, every: Every::Month };
        let keys: Vec<String> = (0..101).map(|n| format!("账号{n}")).collect();
        let drawn = half.draw("2026-11-27", keys.iter().map(String::as_str));
        assert_eq!(drawn.len(), 51, "half of 101, rounded up");
        let mut shuffled: Vec<&str> = keys.iter().map(String::as_str).collect();
        shuffled.reverse();
        assert_eq!(half.draw("2026-11-27", shuffled.clone()), drawn);
        assert_ne!(half.draw("2026-11-28", shuffled), drawn);
        // `printf 'seed\na' | sha256sum` begins 1095, that of b 966b, of c a17d.
        assert_eq!(half.draw("seed", ["c", "b", "a"]), ["a", "b"]);
        assert_eq!(half.draw("seed", ["a"]), ["a"], "no more than there are");
        assert_eq!(half.draw("seed", []), Vec::<&str>::new());
        // A larger share only adds.
        let more = Sampling { share: "0.6".parse().unwrap(), ..half };
        assert!(more.draw("2026-11-27", keys.iter().map(String::as_str)).starts_with(&drawn));
    }
}
