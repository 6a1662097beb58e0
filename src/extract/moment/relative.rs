//! Times that count back from the observation.

use std::sync::LazyLock;

use chrono::{DateTime, Duration, Utc};
use regex::Regex;

use crate::domain::{Moment, Precision, shanghai_date};

use super::{CLOCK, SKEW, fixed, wall_clock};

static NOW: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"刚刚|^刚才$|(?:几|数)秒(?:之|以)?前|片刻(?:之|以)?前"));
static AGO: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        concat!(
            r"(?:(?P<hours>\d{{1,3}})\s*(?:个?小时|h)\s*)?(?P<number>\d{{1,5}}|半|几|数)\s*个?",
            r"(?P<unit>秒钟?|分钟?|小时|钟头|天|日)(?:之|以)?前\s*(?:{CLOCK})?",
        ),
        CLOCK = CLOCK
    ))
});
static NAMED_DAY: LazyLock<Regex> =
    LazyLock::new(|| fixed(&format!(r"(?P<name>今天|昨天|前天|大前天|今日|昨日)\s*(?:{CLOCK})?")));

/// Weeks, months and years back, and dates without a day: no day can be told of them.
static COARSE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?:\d{1,3}|[半几数两一二三四五六七八九十]{1,3})\s*个?多?(?:周|星期|礼拜|月|年)多?(?:之|以)?前",
        r"|[半几数]\s*个?(?:天|日|小时)(?:之|以)?前|^(?:上周|上个?月|去年|前年|本月|本周)$",
        r"|^[^\d]{0,12}(?:19|20)\d{2}\s?(?:年|[-/.]\s?\d{1,2}|年\s?\d{1,2}\s?月?)$",
    ))
});

/// Whether a text is a time, but one without a day.
pub(in crate::extract) fn is_coarse(text: &str) -> bool {
    COARSE.is_match(&super::normal(text))
}

pub(super) fn ago(text: &str, observed_at: DateTime<Utc>) -> Option<Moment> {
    let minute = |at| Some(Moment { at, precision: Precision::Minute });
    // "3 hours ago" is said from 3 h until 4 h have passed.
    let hour = |hours: i64| {
        let at = observed_at - Duration::hours(hours + 1) + Duration::seconds(1);
        Some(Moment { at, precision: Precision::Hour })
    };
    // Nothing counts back without one of these.
    text.contains(['刚', '前']).then_some(())?;
    if NOW.is_match(text) {
        return minute(observed_at);
    }
    let found = AGO.captures(text)?;
    let number = found["number"].parse::<i64>().ok();
    let hours = found.name("hours").and_then(|hours| hours.as_str().parse::<i64>().ok());
    match (&found["unit"], number) {
        ("秒" | "秒钟", seconds) => {
            minute(observed_at - Duration::seconds(seconds.unwrap_or(0)))
        }
        ("分" | "分钟", Some(minutes)) => {
            minute(observed_at - Duration::hours(hours.unwrap_or(0)) - Duration::minutes(minutes))
        }
        ("分" | "分钟", None) => hour(0),
        ("小时" | "钟头", Some(hours)) => hour(hours),
        ("小时" | "钟头", None) if &found["number"] == "半" => hour(0),
        ("天" | "日", Some(days)) => {
            wall_clock(shanghai_date(observed_at) - Duration::days(days), &found)
        }
        _ => None,
    }
}

pub(super) fn named_day(text: &str, observed_at: DateTime<Utc>) -> Option<Moment> {
    text.contains(['今', '昨', '前']).then_some(())?;
    let found = NAMED_DAY.captures(text)?;
    let back = match &found["name"] {
        "今天" | "今日" => 0,
        "昨天" | "昨日" => 1,
        "前天" => 2,
        _ => 3,
    };
    let moment = wall_clock(shanghai_date(observed_at) - Duration::days(back), &found)?;
    // A page rendered before midnight and seen after it.
    let late = back == 0 && moment.at > observed_at + SKEW;
    Some(if late { Moment { at: moment.at - Duration::days(1), ..moment } } else { moment })
}
