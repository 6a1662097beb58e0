//! Times of exports: only those that mean the same whenever they are read.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

use crate::domain::{Moment, Precision, SHANGHAI};
use crate::extract::moment::moment;

/// A written time that means the same whenever it is read: `昨天` and `11-20` do not.
pub(super) fn full_date(text: &str, entered_at: DateTime<Utc>) -> Option<Moment> {
    let read = moment(text, entered_at)?;
    let (other_day, other_year) = (Duration::days(3), Duration::days(400));
    let same = |back| moment(text, entered_at - back) == Some(read);
    (same(other_day) && same(other_year)).then_some(read)
}

/// Reads one of the formats; without an offset in it, times are those of Shanghai.
pub(super) fn formatted(text: &str, formats: &[String]) -> Option<Moment> {
    // Date cells of a workbook have one form, whatever they look like there.
    let cell = "%Y-%m-%d %H:%M:%S";
    let cell = formats.first().map(|first| (cell, precision(first)));
    let given = formats.iter().map(|format| (format.as_str(), precision(format)));
    given.chain(cell).find_map(|(format, precision)| {
        let local = |naive: NaiveDateTime| SHANGHAI.from_local_datetime(&naive).single();
        let at = DateTime::parse_from_str(text, format)
            .ok()
            .or_else(|| NaiveDateTime::parse_from_str(text, format).ok().and_then(local))
            .or_else(|| {
                let day = NaiveDate::parse_from_str(text, format).ok()?;
                local(day.and_time(NaiveTime::MIN))
            })?;
        if precision == Precision::Day {
            return Some(Moment::day(at.with_timezone(&SHANGHAI).date_naive()));
        }
        Some(Moment { at: at.to_utc(), precision })
    })
}

fn precision(format: &str) -> Precision {
    let has = |parts: &[&str]| parts.iter().any(|part| format.contains(part));
    match () {
        () if has(&["%S", "%T", "%s", "%X", "%c", "%r", "%+"]) => Precision::Second,
        () if has(&["%M", "%R"]) => Precision::Minute,
        () if has(&["%H", "%I", "%k", "%l"]) => Precision::Hour,
        () => Precision::Day,
    }
}
