//! Dates as they stand in the visible text of a page.

use std::ops::Range;
use std::sync::LazyLock;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use regex::Regex;

use crate::domain::{Moment, Precision, shanghai_date};
use crate::extract::moment::moment;

use super::outline::Outline;

/// How far ahead of us a site's clock may run.
const AHEAD: Duration = Duration::days(1);

/// No site of an office is older.
const YEAR_MIN: i32 = 1995;

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern")
}

static FULL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?:19|20)\d{2} ?[-/.年_] ?\d{1,2} ?[-/.月_] ?\d{1,2}(?: ?[日号])?",
        r"(?:[ T]{0,3}(?:[(（]?(?:星期|周)[一二三四五六日天][)）]?)?[ T]{0,3}\d{1,2}[:时点]\d{1,2}",
        r"(?:[:分]\d{1,2}秒?)?(?:\.\d{1,6})?(?:Z|[+-]\d{2}:?\d{2})?)?",
    ))
});

static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? ",
        r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?,? )?(?P<year>(?:19|20)\d{2})(?-u:\b)",
    ))
});

/// A day and, apart from it, its month: `20` over `2026-11`.
static DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?:^|\s)(?P<day>\d{1,2})日?\s(?P<month>(?:19|20)\d{2}[-/.年]\d{1,2})")
});
static MONTH_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"(?:^|\s)(?P<month>(?:19|20)\d{2}[-/.年]\d{1,2})月?\s(?P<day>\d{1,2})日?(?:\s|$)")
});

/// Dates without a year and relative ones: only where nothing else stands in their element.
static SHORT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(concat!(
        r"^[\[(（【]?(?:(?:\d{1,2}[-/]\d{1,2}|\d{1,2}月\d{1,2}日)(?: \d{1,2}:\d{2})?|",
        r"(?:今天|昨天|前天)(?: ?\d{1,2}:\d{2})?|\d{1,3} ?(?:分钟|小时|天)前|刚刚)[\])）】]?$",
    ))
});

/// One date of the text.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// Where it stands, in bytes of the outline's text.
    pub(super) range: Range<usize>,
    /// The time it says.
    pub(super) moment: Moment,
}

impl Written {
    /// The day it says, in Beijing.
    pub(super) fn day(&self) -> NaiveDate {
        shanghai_date(self.moment.at)
    }
}

/// The time that a text says, where it can be when something was published.
///
/// A clock at 00:00:00 is how systems write a day.
pub(super) fn plausible(text: &str, observed_at: DateTime<Utc>) -> Option<Moment> {
    let found = moment(text, observed_at)?;
    let day = shanghai_date(found.at);
    let fits = found.at <= observed_at + AHEAD && day >= NaiveDate::from_ymd_opt(YEAR_MIN, 1, 1)?;
    let whole_day = Moment::day(day);
    let midnight = found.at == whole_day.at && found.precision != Precision::Hour;
    fits.then_some(if midnight { whole_day } else { found })
}

/// The dates with a year, in the order of the text.
pub(super) fn full_dates(outline: &Outline<'_>, observed_at: DateTime<Utc>) -> Vec<Written> {
    let found = FULL.find_iter(&outline.text).filter_map(|found| {
        let range = found.range();
        // Digits on either side make it a number, not a date.
        let before = outline.text[..range.start].chars().next_back();
        let after = outline.text[range.end..].chars().next();
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        if joined(before) || joined(after) || after == Some('-') {
            return None;
        }
        Some(Written { moment: plausible(found.as_str(), observed_at)?, range })
    });
    let mut dates = found.collect::<Vec<_>>();
    let english = english_dates(&outline.text, observed_at);
    if !english.is_empty() {
        dates.extend(english);
        dates.sort_by_key(|date| date.range.start);
    }
    dates
}

/// `October 23, 2026` and `23 Oct 2026`.
fn english_dates(text: &str, observed_at: DateTime<Utc>) -> Vec<Written> {
    let found = ENGLISH.captures_iter(text).filter_map(|found| {
        let whole = found.get(0)?;
        let (day, start) = match found.name("day") {
            Some(day) => (day.as_str(), whole.start()),
            None => {
                let before = text[..whole.start()].strip_suffix(' ')?;
                let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
                let day = &before[before.len() - digits..];
                (1..=2).contains(&digits).then_some((day, before.len() - digits))?
            }
        };
        let written = format!("{day} {} {}", &found["month"], &found["year"]);
        Some(Written { range: start..whole.end(), moment: plausible(&written, observed_at)? })
    });
    found.collect()
}

/// Whether a date is no part of a title: `2020年6月30日基金净值公告`.
fn stands_apart(outline: &Outline<'_>, range: &Range<usize>) -> bool {
    let word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let holder = outline.at(range.start);
    let before = outline.text[..range.start].char_indices().next_back();
    let after = outline.text[range.end..].chars().next();
    let glued_before = word(before.map(|(_, character)| character))
        && before.is_some_and(|(at, _)| outline.at(at) == holder);
    let glued_after = word(after) && outline.at(range.end) == holder;
    !glued_before && !glued_after
}

/// Every date that an entry of a list may carry, in the order of the text.
pub(super) fn list_dates(outline: &Outline<'_>, observed_at: DateTime<Utc>) -> Vec<Written> {
    let mut dates = full_dates(outline, observed_at);
    dates.retain(|date| stands_apart(outline, &date.range));
    let free = |dates: &[Written], range: &Range<usize>| {
        let near = dates.partition_point(|date| date.range.end <= range.start);
        dates.get(near).is_none_or(|date| date.range.start >= range.end)
    };
    let mut more = Vec::new();
    for pattern in [&DAY_FIRST, &MONTH_FIRST] {
        for found in pattern.captures_iter(&outline.text) {
            let (day, month) = (found.name("day"), found.name("month"));
            let (Some(day), Some(month)) = (day, month) else { continue };
            let range = day.start().min(month.start())..day.end().max(month.end());
            let text = format!("{}-{}", month.as_str().replace('年', "-"), day.as_str());
            if free(&dates, &range) && free(&more, &range) {
                more.extend(plausible(&text, observed_at).map(|moment| Written { range, moment }));
            }
        }
        more.sort_by_key(|date: &Written| date.range.start);
    }
    for part in outline.parts.iter().filter(|part| part.range.len() <= 30) {
        let whole = &outline.text[part.range.clone()];
        let text = whole.trim();
        let start = part.range.start + (whole.len() - whole.trim_start().len());
        let range = start..start + text.len();
        if SHORT.is_match(text) && free(&dates, &range) && free(&more, &range) {
            let date = plausible(text, observed_at).map(|moment| Written { range, moment });
            let place = |date: &Written| {
                more.partition_point(|other: &Written| other.range.start <= date.range.start)
            };
            if let Some(date) = date {
                more.insert(place(&date), date);
            }
        }
    }
    dates.append(&mut more);
    dates.sort_by_key(|date| date.range.start);
    dates
}
