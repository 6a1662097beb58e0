//! Times as pages write them, resolved against the instant of the observation.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use regex::{Captures, Regex};

use crate::domain::{Moment, Precision, SHANGHAI, shanghai_date};

use super::numeral::plain_digits;
use super::text::plain;

use relative::{ago, named_day};

pub(in crate::extract) use relative::is_coarse;

mod relative;

/// How far a page's clock may run ahead of ours before "today" must have meant yesterday, and
/// before a time lies in the future.
pub(in crate::extract) const SKEW: Duration = Duration::minutes(10);

/// Years a search for a date without a year goes back: 29 February needs up to eight.
const YEARS_BACK: i32 = 8;

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern")
}

const CLOCK: &str = concat!(
    r"(?P<half>上午|下午|早上|早晨|晚上|傍晚|晚间|夜间|凌晨|中午|[AaPp]\.?[Mm]\.?)?\s*",
    r"(?P<hour>\d{1,2})(?:(?::|[时点])(?P<minute>\d{1,2}|半)(?:(?::|分)(?P<second>\d{1,2}))?",
    r"|[时点](?:整|许)?)(?:\.\d{1,9})?(?:\s*(?P<after>[AaPp]\.?[Mm]\.?))?",
);

static EPOCH: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"^(?:/?Date\()?(?P<digits>\d{10}|\d{13}|\d{16})(?:\.\d{1,9})?(?:[+-]\d{4})?(?:\)/?)?$")
});
static COMPACT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:T?(?P<hour>\d{2})",
        r"(?P<minute>\d{2})(?:(?P<second>\d{2})(?:\d{3})?)?)?$",
    ))
});
static ISO: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s?",
        r"(?:Z|[+-]\d{2}:?\d{2})",
    ))
});
static FULL_DATE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        concat!(
            r"(?:^|[^\d])(?P<year>(?:19|20)\d{{2}})\s?[-/.年_]\s?(?P<month>\d{{1,2}})",
            r"\s?[-/.月_]\s?(?P<day>\d{{1,2}})(?:日|号)?(?:[T ]*(?:\(?(?:星期|周)",
            r"[一二三四五六日天]\)?)?[-T ]*{CLOCK})?(?:[^\d]|$)",
        ),
        CLOCK = CLOCK
    ))
});
static SHORT_DATE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        concat!(
            r"^(?:[^\d]{{0,12}}[:\s(\[【])?(?P<month>\d{{1,2}})(?:[-/.]|月)",
            r"(?P<day>\d{{1,2}})(?:日|号)?(?:\s*\(?(?:星期|周)[一二三四五六日天]\)?)?",
            r"(?:\s*{CLOCK})?(?:[^\d\-/.%万亿].*)?$",
        ),
        CLOCK = CLOCK
    ))
});
static ONLY_CLOCK: LazyLock<Regex> = LazyLock::new(|| fixed(&format!(r"^{CLOCK}$")));
/// An offset, also behind `GMT`; a name of one.
const ZONE: &str = concat!(
    r"(?P<zone>(?:GMT|UTC)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]{1,4}(?-u:\b)",
    r"|Asia/(?:Shanghai|Chongqing|Hong_Kong|Taipei))?",
);

static WESTERN: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        concat!(
            r"(?:^|[\s,.])(?P<day>\d{{1,2}})[\s-](?P<month>\p{{L}}{{3,10}}|\d{{1,2}}月)\.?[\s-]",
            r"(?P<year>\d{{4}}|\d{{2}})(?:,?\s+(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})",
            r"(?::(?P<second>\d{{2}}))?\s*{ZONE})?",
        ),
        ZONE = ZONE
    ))
});
static UNIX_DATE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?P<month>[A-Z][a-z]{2})\s+(?P<day>\d{1,2})\s+(?P<hour>\d{1,2}):",
        r"(?P<minute>\d{2}):(?P<second>\d{2})\s+(?P<zone>[+-]\d{4}|[A-Z]{1,4})\s",
        r"+(?P<year>\d{4})",
    ))
});
/// `Sun Nov 22 2026 20:15:00 GMT+0800`, `Nov 22, 2026 8:15 PM`.
static AMERICAN: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        concat!(
            r"(?:^|[\s,])(?P<month>[A-Z][a-z]{{2,8}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+",
            r"(?P<year>(?:19|20)\d{{2}})(?:,?\s+(?:at\s+)?{CLOCK}\s*{ZONE})?",
        ),
        CLOCK = CLOCK,
        ZONE = ZONE
    ))
});

/// Reads a time as it stands on a page, seen at `observed_at`.
///
/// Wall-clock times are Beijing times unless they carry an offset. `刚刚` and `5分钟前` count back
/// from the observation; `3小时前` is the whole hour that it can mean; `11-20` is the latest such
/// day that is not in the future. `None`: not a time, or not a possible one, or one too coarse to
/// have bounds of a day (`3个月前`, see [`is_coarse`]).
pub(crate) fn moment(text: &str, observed_at: DateTime<Utc>) -> Option<Moment> {
    let text = normal(text);
    let text = text.as_str();
    epoch(text)
        .or_else(|| compact(text))
        .or_else(|| ago(text, observed_at))
        .or_else(|| named_day(text, observed_at))
        .or_else(|| iso(text))
        .or_else(|| full_date(text))
        .or_else(|| unix_date(text))
        .or_else(|| western(text))
        .or_else(|| american(text))
        .or_else(|| short_date(text, observed_at))
        .or_else(|| only_clock(text, observed_at))
}

/// The text as times are read from it.
fn normal(text: &str) -> String {
    plain_digits(&plain(text)).into_owned()
}

/// Ideographs of which one stands in every time that is written without digits.
const IDEOGRAPHS: [char; 20] = [
    '刚', '剛', '今', '昨', '前', '半', '零', '一', '二', '三', '四', '五', '六', '七', '八', '九',
    '十', '两', '廿', '卅',
];

/// Their last six bits: of other ideographs most have none of these.
const LAST_BITS: u64 = {
    let (mut bits, mut at) = (0, 0);
    while at < IDEOGRAPHS.len() {
        bits |= 1 << (IDEOGRAPHS[at] as u32 % 64);
        at += 1;
    }
    bits
};

/// Whether a text can be a time at all: every written form has a digit or one of the ideographs.
pub(crate) fn may_be_time(text: &str) -> bool {
    text.chars().any(|character| match character {
        '\0'..='\x7f' => character.is_ascii_digit(),
        // Ideographs are letters, those for numbers too.
        '\u{3400}'..='\u{9fff}' => {
            LAST_BITS >> (character as u32 % 64) & 1 == 1 && IDEOGRAPHS.contains(&character)
        }
        _ => character.is_numeric(),
    })
}

/// Whether a text carries its own offset of zero: `+0000`, `GMT`, `Z`.
pub(crate) fn says_utc(text: &str) -> bool {
    let text = text.trim_end();
    ["+0000", "+00:00", "-0000", "GMT", "UTC", "Z"].iter().any(|mark| text.ends_with(mark))
}

fn believable(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (1990..2100).contains(&at.year()).then_some(at)
}

fn epoch(text: &str) -> Option<Moment> {
    text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '/' | 'D'))
        .then_some(())?;
    let found = EPOCH.captures(text)?;
    let digits = &found["digits"];
    let number = digits.parse::<i64>().ok()?;
    let at = match digits.len() {
        10 => DateTime::from_timestamp(number, 0),
        13 => DateTime::from_timestamp_millis(number),
        _ => DateTime::from_timestamp_micros(number),
    };
    believable(at?).map(Moment::second)
}

fn compact(text: &str) -> Option<Moment> {
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(())?;
    let found = COMPACT.captures(text)?;
    wall_clock(date(&found)?, &found)
}

fn iso(text: &str) -> Option<Moment> {
    (text.contains('-') && text.contains(':')).then_some(())?;
    let found = ISO.find(text)?.as_str().replacen('T', " ", 1).replace(',', ".");
    let zone = if let Some(naive) = found.strip_suffix('Z') {
        format!("{}+0000", naive.trim_end())
    } else {
        found
    };
    for (format, precision) in
        [("%Y-%m-%d %H:%M:%S%.f%#z", Precision::Second), ("%Y-%m-%d %H:%M%#z", Precision::Minute)]
    {
        let compact = zone.replace(" +", "+").replace(" -", "-");
        if let Ok(at) = DateTime::parse_from_str(&compact, format) {
            return believable(at.to_utc()).map(|at| Moment { at, precision });
        }
    }
    None
}

fn full_date(text: &str) -> Option<Moment> {
    text.contains(['-', '/', '.', '年', '_']).then_some(())?;
    let found = FULL_DATE.captures(text)?;
    wall_clock(date(&found)?, &found)
}

fn western(text: &str) -> Option<Moment> {
    let found = WESTERN.captures(text)?;
    let year = found["year"].parse::<i32>().ok()?;
    // Two-digit years: RFC 2822, section 4.3.
    let year = if year < 50 {
        year + 2000
    } else if year < 1000 {
        year + 1900
    } else {
        year
    };
    with_zone(&found, year)
}

fn unix_date(text: &str) -> Option<Moment> {
    let found = UNIX_DATE.captures(text)?;
    let year = found["year"].parse::<i32>().ok()?;
    with_zone(&found, year)
}

fn american(text: &str) -> Option<Moment> {
    let found = AMERICAN.captures(text)?;
    let year = found["year"].parse::<i32>().ok()?;
    with_zone(&found, year)
}

/// The offset of Beijing, in seconds.
const BEIJING_S: i64 = 8 * 3600;

/// Before 1990 there are only clocks that were never set: an epoch of 0, written out.
fn with_zone(found: &Captures<'_>, year: i32) -> Option<Moment> {
    let day = NaiveDate::from_ymd_opt(year, month_number(&found["month"])?, number(found, "day")?)?;
    let local = wall_clock(day, found)?;
    believable(local.at)?;
    if local.precision == Precision::Day {
        return Some(local);
    }
    let offset = match found.name("zone").map(|zone| zone.as_str()) {
        None => BEIJING_S,
        Some(zone) => zone_seconds(zone)?,
    };
    Some(Moment { at: local.at + Duration::seconds(BEIJING_S - offset), ..local })
}

fn zone_seconds(zone: &str) -> Option<i64> {
    if let Some(at) = zone.find(['+', '-']) {
        let digits = zone[at + 1..].replace(':', "");
        let (hours, minutes) = match digits.len() {
            1 | 2 => (digits.as_str(), "0"),
            length => digits.split_at(length - 2),
        };
        let hours = hours.parse::<i64>().ok().filter(|hours| *hours <= 14)?;
        let minutes = minutes.parse::<i64>().ok().filter(|minutes| *minutes < 60)?;
        let seconds = hours * 3600 + minutes * 60;
        return Some(if zone[at..].starts_with('-') { -seconds } else { seconds });
    }
    // The North American names of RFC 822; every other name counts as UTC there, too.
    let hours = match zone {
        "EST" | "CDT" => -5,
        "EDT" => -4,
        "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "CET" | "BST" => 1,
        "CEST" => 2,
        "JST" => 9,
        // On a Chinese machine, and in Chinese feeds: China Standard Time.
        "CST" => 8,
        city if city.starts_with("Asia/") => 8,
        _ => 0,
    };
    Some(hours * 3600)
}

/// Months as feeds of several languages begin them.
fn month_number(name: &str) -> Option<u32> {
    const STARTS: [(u32, &[&str]); 12] = [
        (1, &["jan", "gen", "ene", "янв"]),
        (2, &["feb", "fév", "fev", "фев"]),
        (3, &["mar", "mär", "mrz", "мар"]),
        (4, &["apr", "avr", "abr", "апр"]),
        (5, &["may", "mai", "mag", "мая", "май"]),
        (6, &["jun", "giu", "juin", "июн"]),
        (7, &["jul", "lug", "juil", "июл"]),
        (8, &["aug", "ago", "aoû", "aou", "авг"]),
        (9, &["sep", "set", "сен"]),
        (10, &["oct", "okt", "ott", "out", "окт"]),
        (11, &["nov", "ноя"]),
        (12, &["dec", "dez", "dic", "déc", "дек"]),
    ];
    if let Some(number) = name.strip_suffix('月') {
        return number.parse().ok();
    }
    let name = name.to_lowercase();
    let fits = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    STARTS.iter().find(|(_, starts)| fits(starts)).map(|(number, _)| *number)
}

fn short_date(text: &str, observed_at: DateTime<Utc>) -> Option<Moment> {
    let found = SHORT_DATE.captures(text)?;
    let (month, day) = (number(&found, "month")?, number(&found, "day")?);
    let year = shanghai_date(observed_at + SKEW).year();
    (0..=YEARS_BACK).find_map(|back| {
        let day = NaiveDate::from_ymd_opt(year - back, month, day)?;
        wall_clock(day, &found).filter(|moment| moment.at <= observed_at + SKEW)
    })
}

fn only_clock(text: &str, observed_at: DateTime<Utc>) -> Option<Moment> {
    let found = ONLY_CLOCK.captures(text)?;
    let moment = wall_clock(shanghai_date(observed_at), &found)?;
    let late = moment.at > observed_at + SKEW;
    Some(if late { Moment { at: moment.at - Duration::days(1), ..moment } } else { moment })
}

fn number(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

fn date(found: &Captures<'_>) -> Option<NaiveDate> {
    let year = found.name("year")?.as_str().parse().ok()?;
    NaiveDate::from_ymd_opt(year, number(found, "month")?, number(found, "day")?)
}

/// A Beijing day with the clock time of the same match, where it has one.
fn wall_clock(day: NaiveDate, found: &Captures<'_>) -> Option<Moment> {
    let Some(hour) = number(found, "hour") else { return Some(Moment::day(day)) };
    let half = found.name("half").or_else(|| found.name("after")).map_or("", |half| half.as_str());
    let afternoon =
        matches!(half, "下午" | "晚上" | "傍晚" | "晚间" | "夜间") || half.starts_with(['P', 'p']);
    let morning = matches!(half, "上午" | "凌晨" | "早上" | "早晨") || half.starts_with(['A', 'a']);
    let hour = match hour {
        hour if afternoon && hour < 12 => hour + 12,
        hour if half == "中午" && hour < 3 => hour + 12,
        12 if morning => 0,
        hour => hour,
    };
    let written = found.name("minute").map(|minute| minute.as_str());
    let minute = match written {
        None => 0,
        Some("半") => 30,
        Some(digits) => digits.parse().ok()?,
    };
    let second = number(found, "second");
    // 24:00 is the end of the day.
    let (day, hour) = if (hour, minute, second.unwrap_or(0)) == (24, 0, 0) {
        (day.succ_opt()?, 0)
    } else {
        (day, hour)
    };
    let time = NaiveTime::from_hms_opt(hour, minute, second.unwrap_or(0))?;
    let at = SHANGHAI.from_local_datetime(&NaiveDateTime::new(day, time)).single()?.to_utc();
    let precision = match (written, second) {
        (None, _) => Precision::Hour,
        (_, None) => Precision::Minute,
        _ => Precision::Second,
    };
    Some(Moment { at, precision })
}

#[cfg(test)]
mod tests;
