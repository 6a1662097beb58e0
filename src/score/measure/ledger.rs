//! What the ledger, the calculus and the records say of an account.

use chrono::NaiveDate;

use crate::domain::{Lifecycle, Reason, shanghai_date};
use crate::scheme::Scheme;

use super::super::facts::{RecordFact, SilenceFact};
use super::super::reading::{Quantity, Reading, UnknownKind, number};
use super::super::window::{Window, days};

fn yes(holds: bool) -> Reading {
    Reading::exact(f64::from(u8::from(holds)))
}

pub(in super::super) fn population(window: &Window<'_>) -> Reading {
    match window.facts.subject.population {
        Some(people) => Reading::exact(number(people)),
        None => Reading::unknown(UnknownKind::Undetermined, "台账未填常住人口"),
    }
}

fn lifecycle(window: &Window<'_>, wanted: Lifecycle) -> Reading {
    match window.facts.subject.lifecycle {
        Some(state) => yes(state == wanted),
        None => Reading::unknown(UnknownKind::Undetermined, "台账未填状态"),
    }
}

pub(in super::super) fn is_running(window: &Window<'_>) -> Reading {
    lifecycle(window, Lifecycle::Running)
}

pub(in super::super) fn is_closing(window: &Window<'_>) -> Reading {
    lifecycle(window, Lifecycle::Closing)
}

pub(in super::super) fn is_filing(window: &Window<'_>) -> Reading {
    lifecycle(window, Lifecycle::Filing)
}

pub(in super::super) fn months_running(window: &Window<'_>) -> Reading {
    match window.facts.existed_from {
        Some(from) => Reading::exact((days(window.to - from) / 30.4375).floor().max(0.0)),
        None => Reading::unknown(UnknownKind::Undetermined, "台账未填开通或备案日期"),
    }
}

/// Opening and filing; an account without a filing date is held to be unfiled up to the cutoff.
fn filing(window: &Window<'_>) -> Result<(NaiveDate, NaiveDate, bool), Reading> {
    let subject = &window.facts.subject;
    let Some(opened) = subject.opened_on else {
        return Err(Reading::unknown(UnknownKind::Undetermined, "台账未填开通日期"));
    };
    let filed = subject.filed_on;
    let until = filed.unwrap_or_else(|| shanghai_date(window.facts.cutoff));
    Ok((opened, until, filed.is_some()))
}

pub(in super::super) fn filing_delay_days(window: &Window<'_>) -> Reading {
    match filing(window) {
        Err(unknown) => unknown,
        Ok((opened, until, filed)) => {
            let value = number(u64::try_from((until - opened).num_days()).unwrap_or(0));
            Reading::Known(Quantity { value, low: value, high: filed.then_some(value) })
        }
    }
}

pub(in super::super) fn filing_delay_working_days(window: &Window<'_>) -> Reading {
    match filing(window) {
        Err(unknown) => unknown,
        Ok((opened, until, filed)) => {
            match window.tables.calendar.working_days_between(opened, until) {
                Err(year) => Reading::unknown(UnknownKind::Undetermined, year.to_string()),
                Ok(days) => {
                    let value = f64::from(days);
                    Reading::Known(Quantity { value, low: value, high: filed.then_some(value) })
                }
            }
        }
    }
}

fn silence(window: &Window<'_>, of: impl Fn(u8, u8, bool, bool) -> Reading) -> Reading {
    match &window.facts.silence {
        Some(SilenceFact::Proven { tier, at_most, empty, gone }) => {
            of(*tier, *at_most, *empty, *gone)
        }
        Some(SilenceFact::Undetermined { reason }) => {
            let words: &str = match Reason::from_word(reason) {
                Some(known) => known.title(),
                None => reason,
            };
            Reading::unknown(UnknownKind::Undetermined, format!("未能判定({words})"))
        }
        None => Reading::unknown(UnknownKind::Undetermined, "未判定"),
    }
}

pub(in super::super) fn silence_tier(window: &Window<'_>) -> Reading {
    silence(window, |tier, at_most, _, _| {
        let value = f64::from(tier);
        Reading::Known(Quantity { value, low: value, high: Some(f64::from(at_most)) })
    })
}

pub(in super::super) fn never_posted(window: &Window<'_>) -> Reading {
    silence(window, |_, _, empty, _| yes(empty))
}

pub(in super::super) fn is_gone(window: &Window<'_>) -> Reading {
    silence(window, |_, _, _, gone| yes(gone))
}

fn on_record(window: &Window<'_>, of: impl Fn(RecordFact) -> Reading) -> Reading {
    let none = || Reading::unknown(UnknownKind::Undetermined, "没有提醒和通报的记录");
    window.facts.record.map_or_else(none, of)
}

pub(in super::super) fn missed_notices(window: &Window<'_>) -> Reading {
    on_record(window, |record| {
        let value = f64::from(record.missed_notices);
        let high = Some(f64::from(record.missed_notices + record.pending_notices));
        Reading::Known(Quantity { value, low: value, high })
    })
}

pub(in super::super) fn namings(window: &Window<'_>) -> Reading {
    on_record(window, |record| Reading::exact(f64::from(record.namings)))
}

/// Whether the scheme judges an account in this state.
pub(in super::super) fn is_judged(scheme: &Scheme, lifecycle: Option<Lifecycle>) -> bool {
    lifecycle.is_none_or(|state| scheme.judges.contains(&state))
}
