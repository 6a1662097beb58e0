use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, Duration, Months, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{SHANGHAI, shanghai_date, shanghai_midnight};

/// Whether reaching a limit exactly already crosses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `>`: crossed only beyond the limit; a post exactly at the edge still saves the account.
    MoreThan,
    /// `>=`: crossed at the limit itself.
    AtLeast,
}

/// What a threshold counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Hours of 60 minutes.
    Hours,
    /// Days of 24 hours.
    Days,
    /// Calendar days in Asia/Shanghai, whatever the time of day: a silence of more than 14 began
    /// before the day that lies 14 days back, one of at least 14 on it.
    CalendarDays,
    /// Calendar months in Asia/Shanghai, the day clamped to the end of a shorter month.
    Months,
}

impl Unit {
    /// The measure word after a number, in Chinese.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hours => "小时",
            Self::Days => "天",
            Self::CalendarDays => "个日历日",
            Self::Months => "个月",
        }
    }
}

/// A limit of silence with its operator and unit, written `> 14 days` or `>= 336 hours`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    /// Whether the limit itself already crosses.
    pub operator: Operator,
    /// How many units; at least 1.
    pub amount: u32,
    /// What is counted.
    pub unit: Unit,
}

/// The stretch of time a silence speaks of, closed or open at its start, always open at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub start: DateTime<Utc>,
    /// Whether a post exactly at `start` lies inside.
    pub start_included: bool,
    /// Where it ends; an instant at `end` lies outside.
    pub end: DateTime<Utc>,
}

impl Window {
    /// Whether an instant lies inside or after it, the end left aside.
    pub fn begins_by(&self, at: DateTime<Utc>) -> bool {
        if self.start_included { at >= self.start } else { at > self.start }
    }

    /// Whether any instant of the closed range `earliest..=latest` lies inside.
    pub fn meets(&self, earliest: DateTime<Utc>, latest: DateTime<Utc>) -> bool {
        self.begins_by(latest) && earliest < self.end
    }

    /// Whether every instant of the closed range `earliest..=latest` lies inside.
    pub fn holds(&self, earliest: DateTime<Utc>, latest: DateTime<Utc>) -> bool {
        self.begins_by(earliest) && latest < self.end
    }
}

impl Threshold {
    /// A limit crossed only beyond `amount` units.
    pub fn more_than(amount: u32, unit: Unit) -> Self {
        Self { operator: Operator::MoreThan, amount, unit }
    }

    /// The instant that lies the whole threshold before `at`.
    ///
    /// Months are subtracted on the calendar of Asia/Shanghai with the day clamped: three months
    /// before 31 May is 28 or 29 February, at the same time of day. Calendar days give the midnight
    /// from which on a post keeps the account from crossing.
    pub fn edge(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let amount = i64::from(self.amount);
        match self.unit {
            Unit::Hours => at.checked_sub_signed(Duration::hours(amount)),
            Unit::Days => at.checked_sub_signed(Duration::days(amount)),
            Unit::CalendarDays => shanghai_date(at)
                .checked_sub_days(Days::new(u64::from(self.amount)))
                .map(
                    |day| if self.operator == Operator::AtLeast { day + Days::new(1) } else { day },
                )
                .map(shanghai_midnight),
            Unit::Months => at
                .with_timezone(&SHANGHAI)
                .checked_sub_months(Months::new(self.amount))
                .map(|edge| edge.with_timezone(&Utc)),
        }
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// The window in which a post keeps an account from crossing at `at`.
    ///
    /// `> 14 days` gives `[at − 14 d, at)`, `>= 14 days` gives `(at − 14 d, at)`.
    pub fn window(&self, at: DateTime<Utc>) -> Window {
        Window {
            start: self.edge(at),
            start_included: self.operator == Operator::MoreThan || self.unit == Unit::CalendarDays,
            end: at,
        }
    }

    /// Whether an account whose last post is at `last` has crossed at `at`.
    pub fn is_crossed(&self, last: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        !self.window(at).begins_by(last)
    }

    /// The first instant at which the whole threshold lies behind `last`.
    ///
    /// `>=` is crossed at this instant, `>` right after it, calendar days at this instant. Where a
    /// month is too short for the day, it is the next midnight in Asia/Shanghai, so that it agrees
    /// with [`Threshold::edge`].
    pub fn deadline(&self, last: DateTime<Utc>) -> DateTime<Utc> {
        let amount = i64::from(self.amount);
        let sum = match self.unit {
            Unit::Hours => last.checked_add_signed(Duration::hours(amount)),
            Unit::Days => last.checked_add_signed(Duration::days(amount)),
            Unit::CalendarDays => {
                let beyond = u64::from(self.operator == Operator::MoreThan);
                shanghai_date(last)
                    .checked_add_days(Days::new(u64::from(self.amount) + beyond))
                    .map(shanghai_midnight)
            }
            Unit::Months => last
                .with_timezone(&SHANGHAI)
                .checked_add_months(Months::new(self.amount))
                .map(|sum| sum.with_timezone(&Utc)),
        };
        match sum {
            Some(sum) if self.edge(sum) >= last => sum,
            Some(sum) => shanghai_date(sum).succ_opt().map_or(sum, shanghai_midnight),
            None => DateTime::<Utc>::MAX_UTC,
        }
    }

    /// The first whole second at which an account whose last post is at `last` has crossed.
    pub fn crossing(&self, last: DateTime<Utc>) -> DateTime<Utc> {
        let deadline = self.deadline(last);
        if self.is_crossed(last, deadline) {
            return deadline;
        }
        deadline.checked_add_signed(Duration::seconds(1)).unwrap_or(deadline)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::MoreThan => ">",
            Operator::AtLeast => ">=",
        };
        let unit = match self.unit {
            Unit::Hours => "hours",
            Unit::Days => "days",
            Unit::CalendarDays => "calendar days",
            Unit::Months => "months",
        };
        write!(f, "{operator} {} {unit}", self.amount)
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = |what: &str| {
            format!(
                "{text:?}: {what}; a threshold is written like \"> 14 days\" or \">= 336 hours\""
            )
        };
        let text = text.trim();
        let (operator, rest) = match (text.strip_prefix(">="), text.strip_prefix('>')) {
            (Some(rest), _) => (Operator::AtLeast, rest.trim_start()),
            (None, Some(rest)) => (Operator::MoreThan, rest.trim_start()),
            (None, None) => return Err(refused("the operator must be > or >=")),
        };
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let amount = match rest[..digits].parse() {
            Ok(0) | Err(_) => return Err(refused("the amount must be a whole number from 1")),
            Ok(amount) => amount,
        };
        let unit = match rest[digits..].trim() {
            "h" | "hour" | "hours" => Unit::Hours,
            "d" | "day" | "days" => Unit::Days,
            "calendar day" | "calendar days" => Unit::CalendarDays,
            "month" | "months" => Unit::Months,
            _ => return Err(refused("the unit must be hours, days, calendar days or months")),
        };
        Ok(Self { operator, amount, unit })
    }
}

impl TryFrom<String> for Threshold {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> Self {
        threshold.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn check(threshold: &str, last: &str, when: &str, crossed: bool) {
        let threshold: Threshold = threshold.parse().unwrap();
        assert_eq!(
            threshold.is_crossed(at(last), at(when)),
            crossed,
            "{threshold}: {last} at {when}"
        );
    }

    #[test]
    fn limits_are_exact_to_the_second() {
        let last = "2026-09-01T08:00:00+08:00";
        for same in ["> 336 hours", "> 14 days", "> 336h", ">14 d"] {
            check(same, last, "2026-09-15T07:59:59+08:00", false);
            check(same, last, "2026-09-15T08:00:00+08:00", false);
            check(same, last, "2026-09-15T08:00:01+08:00", true);
        }
        check(">= 14 days", last, "2026-09-15T07:59:59+08:00", false);
        check(">= 14 days", last, "2026-09-15T08:00:00+08:00", true);
        check(">= 14 days", last, "2026-09-15T08:00:01+08:00", true);
    }

    #[test]
    fn calendar_days_do_not_ask_for_the_time_of_day() {
        for last in ["2026-09-01T00:00:00+08:00", "2026-09-01T23:59:59+08:00"] {
            check("> 14 calendar days", last, "2026-09-15T00:00:00+08:00", false);
            check("> 14 calendar days", last, "2026-09-15T23:59:59+08:00", false);
            check("> 14 calendar days", last, "2026-09-16T00:00:00+08:00", true);
            check(">= 14 calendar days", last, "2026-09-14T23:59:59+08:00", false);
            check(">= 14 calendar days", last, "2026-09-15T00:00:00+08:00", true);
        }
        // The days are those of Shanghai: this post is of 2 September there.
        check(">= 14 calendar days", "2026-09-01T16:00:00Z", "2026-09-15T23:59:59+08:00", false);
        // A leap day is a day.
        check("> 1 calendar days", "2028-02-28T12:00:00+08:00", "2028-02-29T23:59:59+08:00", false);
        check("> 1 calendar days", "2028-02-28T12:00:00+08:00", "2028-03-01T00:00:00+08:00", true);
    }

    #[test]
    fn months_are_calendar_months_of_shanghai_with_the_end_clamped() {
        // Three months before 31 May 08:00 is 28 February 08:00.
        check("> 3 months", "2026-02-28T08:00:00+08:00", "2026-05-31T08:00:00+08:00", false);
        check("> 3 months", "2026-02-28T07:59:59+08:00", "2026-05-31T08:00:00+08:00", true);
        check(">= 3 months", "2026-02-28T08:00:00+08:00", "2026-05-31T08:00:00+08:00", true);
        check("> 3 months", "2024-02-29T08:00:00+08:00", "2024-05-31T08:00:00+08:00", false);
        check("> 3 months", "2024-02-28T23:00:00+08:00", "2024-05-31T08:00:00+08:00", true);
        // 02:00 on the first in Shanghai is still the last day of the month in UTC.
        check("> 3 months", "2026-03-01T01:59:59+08:00", "2026-06-01T02:00:00+08:00", true);
        check("> 3 months", "2026-03-01T02:00:00+08:00", "2026-06-01T02:00:00+08:00", false);
    }

    #[test]
    fn the_deadline_is_the_first_instant_with_the_whole_threshold_behind() {
        for (threshold, last, deadline) in [
            ("> 14 days", "2026-09-01T08:00:00+08:00", "2026-09-15T08:00:00+08:00"),
            ("> 14 calendar days", "2026-09-01T08:00:00+08:00", "2026-09-16T00:00:00+08:00"),
            (">= 14 calendar days", "2026-09-01T08:00:00+08:00", "2026-09-15T00:00:00+08:00"),
            ("> 3 months", "2026-08-31T10:00:00+08:00", "2026-12-01T00:00:00+08:00"),
            ("> 3 months", "2026-11-30T10:00:00+08:00", "2027-03-01T00:00:00+08:00"),
            ("> 3 months", "2026-05-15T10:00:00+08:00", "2026-08-15T10:00:00+08:00"),
        ] {
            let threshold: Threshold = threshold.parse().unwrap();
            assert_eq!(threshold.deadline(at(last)), at(deadline), "{threshold} {last}");
            let crossing = threshold.crossing(at(last));
            assert!(threshold.is_crossed(at(last), crossing));
            assert!(!threshold.is_crossed(at(last), crossing - Duration::seconds(1)));
        }
    }

    #[test]
    fn thresholds_without_operator_amount_or_unit_are_refused() {
        for bad in ["14 days", "> days", "> 0 days", "> 14", "> 14 weeks", "< 3 days", "> -1 d"] {
            assert!(bad.parse::<Threshold>().is_err(), "{bad}");
        }
        for good in ["> 14 days", ">= 336 hours", "> 3 months", "> 14 calendar days"] {
            assert_eq!(good.parse::<Threshold>().map(|one| one.to_string()), Ok(good.to_owned()));
        }
    }
}
