use std::fmt;

use chrono::{DateTime, Duration, Months, Utc};
use serde::Serialize;

use crate::domain::{SHANGHAI, shanghai_date, shanghai_midnight};

/// How a quantity is held against a limit; there is no default (民法典 art. 1259: 以上 includes the
/// number, 超过 excludes it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Operator {
    /// `>`: 超过.
    #[serde(rename = ">")]
    Over,
    /// `>=`: 以上, (含).
    #[serde(rename = ">=")]
    AtLeast,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Over => ">",
            Self::AtLeast => ">=",
        })
    }
}

/// A length of time in the unit of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Hours of sixty minutes.
    Hours(u32),
    /// Days of 24 hours.
    Days(u32),
    /// Calendar days in Asia/Shanghai, whatever the time of day.
    CalendarDays(u32),
    /// Calendar months, the end of the month clamped, in Asia/Shanghai.
    Months(u32),
}

impl Limit {
    /// The instant this long before another; of calendar days the begin of the day.
    pub fn before(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Hours(hours) => at - Duration::hours(i64::from(hours)),
            Self::Days(days) => at - Duration::days(i64::from(days)),
            Self::CalendarDays(days) => {
                shanghai_midnight(shanghai_date(at) - Duration::days(i64::from(days)))
            }
            Self::Months(months) => at
                .with_timezone(&SHANGHAI)
                .checked_sub_months(Months::new(months))
                .map_or(at, |then| then.with_timezone(&Utc)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(hours) => write!(f, "{hours} h"),
            Self::Days(days) => write!(f, "{days} d"),
            Self::CalendarDays(days) => write!(f, "{days} calendar days"),
            Self::Months(months) => write!(f, "{months} months"),
        }
    }
}

/// How long a silence may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Threshold {
    /// Whether the limit itself is already too long.
    pub operator: Operator,
    /// The limit.
    pub limit: Limit,
}

impl Threshold {
    /// Whether a last post at `last` is a silence beyond the limit at `cutoff`.
    pub fn is_crossed(&self, last: DateTime<Utc>, cutoff: DateTime<Utc>) -> bool {
        let line = self.limit.before(cutoff);
        match (self.operator, self.limit) {
            (Operator::Over, _) => last < line,
            (Operator::AtLeast, Limit::CalendarDays(_)) => {
                shanghai_date(last) <= shanghai_date(line)
            }
            (Operator::AtLeast, _) => last <= line,
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operator, self.limit)
    }
}

/// The three tiers of silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// 重点关注: worth a look, no failure yet.
    pub watch: Threshold,
    /// 休眠: the national fail line.
    pub dormant: Threshold,
    /// 僵尸.
    pub zombie: Threshold,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn limits_are_exact_to_the_second_and_months_are_clamped() {
        let cutoff = at("2026-05-31T00:00:00+08:00");
        let over = |limit| Threshold { operator: Operator::Over, limit };
        let at_least = |limit| Threshold { operator: Operator::AtLeast, limit };
        for (threshold, last, crossed) in [
            (over(Limit::Hours(336)), "2026-05-17T00:00:00+08:00", false),
            (over(Limit::Hours(336)), "2026-05-16T23:59:59+08:00", true),
            (at_least(Limit::Days(14)), "2026-05-17T00:00:00+08:00", true),
            (at_least(Limit::Days(14)), "2026-05-17T00:00:01+08:00", false),
            (over(Limit::CalendarDays(14)), "2026-05-17T00:00:00+08:00", false),
            (over(Limit::CalendarDays(14)), "2026-05-16T23:59:59+08:00", true),
            (at_least(Limit::CalendarDays(14)), "2026-05-17T23:59:59+08:00", true),
            (at_least(Limit::CalendarDays(14)), "2026-05-18T00:00:00+08:00", false),
            (over(Limit::Months(3)), "2026-02-28T00:00:00+08:00", false),
            (over(Limit::Months(3)), "2026-02-27T23:59:59+08:00", true),
        ] {
            assert_eq!(threshold.is_crossed(at(last), cutoff), crossed, "{threshold} {last}");
        }
    }
}
