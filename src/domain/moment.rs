use std::fmt;

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};

/// Asia/Shanghai. No account is older than 1991, the last year with summer time, so the offset is
/// constant over every instant this program judges.
pub const SHANGHAI: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => panic!("eight hours is a valid offset"),
};

/// The calendar day of an instant in Asia/Shanghai.
pub fn shanghai_date(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&SHANGHAI).date_naive()
}

/// The number of that day, 0 for the first of 1970.
pub fn shanghai_day(at: DateTime<Utc>) -> i64 {
    (at.timestamp() + i64::from(SHANGHAI.local_minus_utc())).div_euclid(86_400)
}

/// The instant at which a day begins in Asia/Shanghai.
pub fn shanghai_midnight(day: NaiveDate) -> DateTime<Utc> {
    (day.and_time(NaiveTime::MIN) - Duration::hours(8)).and_utc()
}

/// How finely a source states a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// To the second.
    Second,
    /// To the minute.
    Minute,
    /// To the hour, as `3小时前`.
    Hour,
    /// To the day, as a list that shows dates only.
    Day,
}

impl Precision {
    /// The length of one step.
    pub fn step(self) -> Duration {
        match self {
            Self::Second => Duration::seconds(1),
            Self::Minute => Duration::minutes(1),
            Self::Hour => Duration::hours(1),
            Self::Day => Duration::days(1),
        }
    }

    /// The lower-case English name, as in the extraction JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Second, Self::Minute, Self::Hour, Self::Day]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| format!("unknown precision {text:?}"))
    }
}

/// A time as a source claims it: the true instant lies in `[at, at + step)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The lower end of the interval; for a date-only source, 00:00 Asia/Shanghai of that day.
    pub at: DateTime<Utc>,
    /// The width of the interval.
    pub precision: Precision,
}

impl Moment {
    /// A time known to the second.
    pub fn second(at: DateTime<Utc>) -> Self {
        Self { at, precision: Precision::Second }
    }

    /// A time known to the day, in Asia/Shanghai.
    pub fn day(day: NaiveDate) -> Self {
        Self { at: shanghai_midnight(day), precision: Precision::Day }
    }

    /// The earliest instant the claim allows.
    pub fn lower(self) -> DateTime<Utc> {
        self.at
    }

    /// The end of the interval the claim allows, itself excluded.
    pub fn upper(self) -> DateTime<Utc> {
        self.at + self.precision.step()
    }

    /// The claim as RFC 3339 at +08:00.
    pub fn to_rfc3339(self) -> String {
        SHANGHAI.from_utc_datetime(&self.at.naive_utc()).to_rfc3339()
    }
}
