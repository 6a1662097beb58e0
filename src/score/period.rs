use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{shanghai_date, shanghai_midnight};

/// A calendar year, quarter or month in Asia/Shanghai: `2026`, `2026Q3`, `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    year: i32,
    /// The first month, from 1.
    month: u32,
    /// 12, 3 or 1.
    months: u32,
}

impl Period {
    /// The quarter that holds an instant.
    pub fn quarter_of(at: DateTime<Utc>) -> Self {
        let day = shanghai_date(at);
        Self { year: day.year(), month: day.month0() / 3 * 3 + 1, months: 3 }
    }

    /// The month that holds an instant.
    pub fn month_of(at: DateTime<Utc>) -> Self {
        let day = shanghai_date(at);
        Self { year: day.year(), month: day.month(), months: 1 }
    }

    /// The first instant.
    pub fn from(self) -> DateTime<Utc> {
        month_start(self.year, self.month)
    }

    /// The first instant after the period.
    pub fn to(self) -> DateTime<Utc> {
        let next = self.month + self.months;
        if next > 12 { month_start(self.year + 1, 1) } else { month_start(self.year, next) }
    }

    /// The period of the same length before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        if self.month > self.months {
            Self { month: self.month - self.months, ..self }
        } else {
            Self { year: self.year - 1, month: 13 - self.months, ..self }
        }
    }
}

fn month_start(year: i32, month: u32) -> DateTime<Utc> {
    let day = NaiveDate::from_ymd_opt(year, month, 1);
    shanghai_midnight(day.expect("a period's year and month were checked when it was read"))
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is no period; write 2026, 2026Q3 or 2026-11");
        let year = text.get(..4).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
        let year = year.and_then(|year| year.parse().ok()).ok_or_else(refused)?;
        if !(1990..2100).contains(&year) {
            return Err(format!("the year {year} lies outside 1990 to 2099"));
        }
        let (month, months) = match text.as_bytes()[4..] {
            [] => (1, 12),
            [b'Q' | b'q', quarter @ b'1'..=b'4'] => (u32::from(quarter - b'1') * 3 + 1, 3),
            [b'-', tens @ b'0'..=b'1', ones @ b'0'..=b'9'] => {
                (u32::from(tens - b'0') * 10 + u32::from(ones - b'0'), 1)
            }
            _ => return Err(refused()),
        };
        if (1..=12).contains(&month) { Ok(Self { year, month, months }) } else { Err(refused()) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.months {
            12 => write!(f, "{}", self.year),
            3 => write!(f, "{}Q{}", self.year, (self.month - 1) / 3 + 1),
            _ => write!(f, "{}-{:02}", self.year, self.month),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_in_shanghai_time() {
        for (text, from, to) in [
            ("2026Q3", "2026-07-01T00:00:00+08:00", "2026-10-01T00:00:00+08:00"),
            ("2026Q4", "2026-10-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
            ("2026-11", "2026-11-01T00:00:00+08:00", "2026-12-01T00:00:00+08:00"),
            ("2026-12", "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
            ("2026", "2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.from(), from.parse::<DateTime<Utc>>().unwrap(), "{text}");
            assert_eq!(period.to(), to.parse::<DateTime<Utc>>().unwrap(), "{text}");
            assert_eq!(period.to_string(), text);
            assert_eq!(period.previous().to(), period.from(), "{text}");
        }
        for bad in
            ["", "26Q3", "2026Q5", "2026Q0", "2026-13", "2026-00", "2026-1", "1889", "二〇二六"]
        {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }
}
