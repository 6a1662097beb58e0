use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::SHANGHAI;

/// Hours of each day, Asia/Shanghai, in which a host is not asked; written `23:00-06:30`, from the
/// first minute to just before the second, over midnight where that is the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QuietHours {
    from: NaiveTime,
    to: NaiveTime,
}

impl QuietHours {
    /// How long they still last at `now`; `None` outside of them.
    pub(super) fn left(self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let time = now.with_timezone(&SHANGHAI).time();
        let quiet = match self.from < self.to {
            true => self.from <= time && time < self.to,
            false => self.from <= time || time < self.to,
        };
        let left = self.to.signed_duration_since(time);
        let wrapped = if left > TimeDelta::zero() { left } else { left + TimeDelta::days(1) };
        quiet.then_some(wrapped)
    }
}

impl FromStr for QuietHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |part: &str| NaiveTime::parse_from_str(part.trim(), "%H:%M").ok();
        let parts = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
        let (from, to) =
            parts.ok_or_else(|| format!("{text:?} is not two times such as 23:00-06:30"))?;
        if from == to {
            return Err(format!("{text:?} leaves no time, or all of it"));
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%H:%M"), self.to.format("%H:%M"))
    }
}

impl TryFrom<String> for QuietHours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<QuietHours> for String {
    fn from(hours: QuietHours) -> Self {
        hours.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `now` in Shanghai; minutes left, or none.
    fn check(hours: &str, now: &str, left: Option<i64>) {
        let now = format!("2026-11-22T{now}:00+08:00").parse::<DateTime<Utc>>().unwrap();
        let quiet = hours.parse::<QuietHours>().unwrap();
        assert_eq!(quiet.left(now).map(|left| left.num_minutes()), left, "{hours} at {now}");
        assert_eq!(quiet.to_string().parse::<QuietHours>().unwrap(), quiet);
    }

    #[test]
    fn quiet_hours_are_kept_in_shanghai_and_over_midnight() {
        check("01:00-06:30", "00:59", None);
        check("01:00-06:30", "01:00", Some(330));
        check("01:00-06:30", "06:29", Some(1));
        check("01:00-06:30", "06:30", None);
        check("23:00-06:30", "22:59", None);
        check("23:00-06:30", "23:30", Some(420));
        check("23:00-06:30", "00:00", Some(390));
        check("23:00-06:30", "06:30", None);
        check("00:00-06:00", "05:00", Some(60));
        check("22:00-00:00", "23:00", Some(60));
    }

    #[test]
    fn what_is_no_pair_of_times_is_refused() {
        for text in ["", "23", "23:00", "24:00-06:00", "06:00-06:00", "6-7"] {
            assert!(text.parse::<QuietHours>().is_err(), "{text}");
        }
    }
}
