use std::fmt;

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

/// How a number is held against a limit; 以上 includes the number, 超过 excludes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Operator {
    /// `>`.
    #[serde(rename = ">")]
    Over,
    /// `>=`.
    #[serde(rename = ">=")]
    AtLeast,
    /// `<`.
    #[serde(rename = "<")]
    Below,
    /// `<=`.
    #[serde(rename = "<=")]
    AtMost,
}

impl Operator {
    /// Every operator with its sign.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Over, ">"), (Self::AtLeast, ">="), (Self::Below, "<"), (Self::AtMost, "<=")];

    /// Whether a number stands in this relation to the limit.
    pub fn compares(self, number: f64, limit: f64) -> bool {
        match self {
            Self::Over => number > limit,
            Self::AtLeast => number >= limit,
            Self::Below => number < limit,
            Self::AtMost => number <= limit,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.into_iter().find(|row| row.0 == *self).map_or("", |row| row.1))
    }
}

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Hours of 60 minutes.
    Hours(u32),
    /// Days of 24 hours.
    Days(u32),
}

impl Limit {
    /// The last instant within the limit.
    pub fn after(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Hours(hours) => at + Duration::hours(i64::from(hours)),
            Self::Days(days) => at + Duration::days(i64::from(days)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(hours) => write!(f, "{hours} 小时"),
            Self::Days(days) => write!(f, "{days} 天"),
        }
    }
}
