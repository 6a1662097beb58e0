//! The numbers that a scheme defines itself.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::calendar::{Counting, OfficeHours, UnknownYear};
use crate::domain::{shanghai_date, shanghai_midnight};
use crate::scheme::{Compare, Deadline, Declared, DeclaredKind, Manual, Minimum, TermUnit};

use super::super::PostFact;
use super::super::facts::{InquiryFact, Stretch};
use super::super::reading::{Quantity, Reading, UnknownKind, number_of};
use super::super::window::Window;

/// The readings of one declared number, by name; those beside others come from `beside`.
pub(in super::super) fn readings(
    window: &Window<'_>,
    declared: &Declared,
    beside: &BTreeMap<String, Reading>,
) -> Vec<(Cow<'static, str>, Reading)> {
    let id = declared.id.clone();
    match &declared.kind {
        DeclaredKind::Minimum(minimum) => vec![(id.into(), short_units(window, minimum))],
        DeclaredKind::Deadline(deadline) => {
            let (count, share) = late_replies(window, deadline);
            vec![(format!("{id}_share").into(), share), (id.into(), count)]
        }
        DeclaredKind::Manual(manual) => vec![(id.clone().into(), entered(window, &id, manual))],
        DeclaredKind::Column { column } => vec![(id.into(), from_column(window, column))],
        DeclaredKind::Peers(_) | DeclaredKind::Rank(_) => {
            let alone = || Reading::unknown(UnknownKind::Undetermined, "未与同组账号比较");
            let names = declared.names().into_iter();
            names
                .map(|name| {
                    let reading = beside.get(&name).cloned().unwrap_or_else(alone);
                    (name.into(), reading)
                })
                .collect()
        }
    }
}

/// How many whole units fall short of the minimum.
fn short_units(window: &Window<'_>, minimum: &Minimum) -> Reading {
    let units = minimum.every.whole_units(window.from, window.to, minimum.week_starts);
    if units.is_empty() {
        return Reading::unknown(UnknownKind::NotApplicable, "评价时段内没有完整的周期");
    }
    let unmarked = window.posts.iter().all(|listed| listed.post.original.is_none());
    if minimum.only.original && unmarked && !window.posts.is_empty() {
        return Reading::unknown(UnknownKind::NotObservable, "页面不标明原创或转载");
    }
    let limit = Decimal::from(minimum.value);
    let falls_short = |posts: usize| !minimum.compare.holds(Decimal::from(posts), limit);
    // Posts that surely count, and those that may, within one unit.
    let (mut value, mut low, mut high) = (0, 0, 0);
    for (from, to) in units {
        let inside = |at: DateTime<Utc>| from <= at && at < to;
        let mut counts = [0_usize; 3];
        for listed in &window.posts {
            let Stretch { from: first, to: last } = listed.post.published;
            let is_kind = counts_as(listed.post, minimum);
            let surely = is_kind == Some(true) && inside(first) && last <= to && listed.surely;
            let maybe = is_kind != Some(false) && first < to && last >= from;
            counts[0] += usize::from(is_kind == Some(true) && listed.counted && inside(first));
            counts[1] += usize::from(surely);
            counts[2] += usize::from(maybe);
        }
        let open = window.gaps.iter().any(|gap| gap.from < to && gap.to > from);
        value += usize::from(falls_short(counts[0]));
        high += usize::from(falls_short(counts[1]));
        low += usize::from(falls_short(counts[2]) && !open);
    }
    let (value, low, high) = (number_of(value), number_of(low.min(value)), number_of(high));
    Reading::Known(Quantity { value, low, high: Some(high.max(value)) })
}

fn counts_as(post: &PostFact, minimum: &Minimum) -> Option<bool> {
    let titled = minimum
        .only
        .title
        .as_ref()
        .map(|pattern| post.title.as_deref().is_some_and(|title| pattern.is_match(title)));
    let original = if minimum.only.original { post.original } else { Some(true) };
    match (titled.unwrap_or(true), original) {
        (false, _) => Some(false),
        (true, original) => original,
    }
}

/// The instant at which a term ends; what happens exactly then is in time under `>`.
fn term_end(
    window: &Window<'_>,
    deadline: &Deadline,
    asked: DateTime<Utc>,
) -> Result<DateTime<Utc>, UnknownYear> {
    let value = i64::from(deadline.value);
    let counting = Counting {
        receipt_day_counted: deadline.receipt_day_counted,
        office_hours: deadline.office_hours.map(|(from, until)| OfficeHours { from, until }),
    };
    match deadline.unit {
        TermUnit::Hours => Ok(asked + Duration::hours(value)),
        TermUnit::Days => Ok(asked + Duration::days(value)),
        TermUnit::CalendarDays => {
            let received = match deadline.office_hours {
                Some(_) => window.tables.calendar.received_on(asked, &counting)?,
                None => shanghai_date(asked),
            };
            Ok(end_of(received, value + 1 - i64::from(deadline.receipt_day_counted)))
        }
        TermUnit::WorkingDays => window.tables.calendar.deadline(asked, deadline.value, &counting),
    }
}

/// 00:00 of the day so many days after another.
fn end_of(day: NaiveDate, days: i64) -> DateTime<Utc> {
    shanghai_midnight(day + Duration::days(days))
}

/// Whether a message asked at one instant and answered at another, or not yet, is late.
fn is_late(
    window: &Window<'_>,
    deadline: &Deadline,
    asked: DateTime<Utc>,
    answered: Option<DateTime<Utc>>,
) -> Result<bool, UnknownYear> {
    let ends = term_end(window, deadline, asked)?;
    let at = answered.unwrap_or(window.facts.cutoff);
    Ok(match deadline.compare {
        Compare::AtLeast => at >= ends,
        _ => at > ends,
    })
}

fn late_replies(window: &Window<'_>, deadline: &Deadline) -> (Reading, Reading) {
    let Some(inquiries) = &window.facts.inquiries else {
        let unknown = Reading::unknown(UnknownKind::NotObservable, "没有读取过载有留言的页面");
        return (unknown.clone(), unknown);
    };
    let of_kind =
        |one: &&InquiryFact| deadline.kinds.is_empty() || deadline.kinds.contains(&one.kind);
    let (mut total, mut value, mut low, mut high) = (0, 0, 0, 0);
    for inquiry in inquiries.iter().filter(of_kind) {
        let within = |at: &Stretch| at.from >= window.from && at.from < window.to;
        let Some(asked) = inquiry.asked.filter(within) else { continue };
        let replied = inquiry.replied.filter(|at| at.from < window.facts.cutoff);
        total += 1;
        let late = |asked, answered| is_late(window, deadline, asked, answered);
        let decided = (
            late(asked.from, replied.map(|at| at.from)),
            late(asked.to, replied.map(|at| at.from)),
            late(asked.from, replied.map(|at| at.to.min(window.facts.cutoff))),
        );
        let (Ok(shown), Ok(surely), Ok(maybe)) = decided else {
            let year = [decided.0, decided.1, decided.2].into_iter().find_map(Result::err);
            let reason = year.map_or(String::new(), |year| year.to_string());
            let unknown = Reading::unknown(UnknownKind::Undetermined, reason);
            return (unknown.clone(), unknown);
        };
        value += usize::from(shown);
        low += usize::from(surely && shown);
        high += usize::from(maybe || shown);
    }
    let ends = [value, low, high].map(number_of);
    let count = Quantity { value: ends[0], low: ends[1], high: Some(ends[2]) };
    let share = if total == 0 {
        Reading::unknown(UnknownKind::NotApplicable, "本期没有该类留言")
    } else {
        Reading::Known(count).map(|late| late / number_of(total))
    };
    (Reading::Known(count), share)
}

fn entered(window: &Window<'_>, id: &str, manual: &Manual) -> Reading {
    let entry = window.facts.entered.get(id).map(|entry| entry.value).or(manual.absent);
    match entry {
        Some(value) => Reading::exact(value.min(manual.max).to_f64().unwrap_or_default()),
        None => Reading::unknown(UnknownKind::Undetermined, "人工项目,尚无录入"),
    }
}

fn from_column(window: &Window<'_>, column: &str) -> Reading {
    let entry = window.facts.subject.notes.get(column).map(|entry| entry.trim());
    match entry.map(str::parse::<Decimal>) {
        Some(Ok(value)) => Reading::exact(value.to_f64().unwrap_or_default()),
        Some(Err(_)) => {
            Reading::unknown(UnknownKind::Undetermined, format!("台账“{column}”列不是数字"))
        }
        None => Reading::unknown(UnknownKind::Undetermined, format!("台账没有“{column}”列")),
    }
}
