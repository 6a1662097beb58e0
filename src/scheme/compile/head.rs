use chrono::NaiveDate;

use crate::domain::{Lifecycle, Problem};

use super::super::reader::Reader;
use super::super::{Activity, Certainty, Limit, Operator, Scope, Threshold};
use super::scope;

/// What a scheme says of itself, and its tiers of silence.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) authority: String,
    pub(super) version: String,
    pub(super) certainty: Certainty,
    pub(super) effective_from: Option<NaiveDate>,
    pub(super) effective_until: Option<NaiveDate>,
    pub(super) judges: Vec<Lifecycle>,
    pub(super) activity: Option<Activity>,
    pub(super) staleness: Vec<(Scope, Activity)>,
    pub(super) reply_deadline_hours: u32,
    pub(super) naming_without_approval: bool,
}

pub(super) fn head(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Head {
    let id = reader.id(problems);
    let title = reader.text("title", problems);
    let authority = reader.text("authority", problems);
    let version = reader.text("version", problems);
    let certainty = reader.certainty(problems);
    let effective_from = reader.day("effective_from", problems);
    let effective_until = reader.optional_day("effective_until", problems);
    if let (Some(from), Some(until)) = (effective_from, effective_until)
        && until < from
    {
        problems.push(reader.problem("effective_until", format!("lies before {from}")));
    }
    let judges = judges(reader, problems);
    let activity =
        reader.table("activity", problems).and_then(|table| activity(table, None, problems));
    let rows = reader.optional_tables("staleness", problems);
    let staleness = rows.into_iter().filter_map(|mut row| {
        let scope = scope(&mut row, problems);
        Some((scope, self::activity(row, activity, problems)?))
    });
    let staleness = staleness.collect();
    let reply_deadline_hours = reader.whole("reply_deadline_hours", problems);
    let naming_without_approval = reader.flag("naming_without_approval", problems);
    Head {
        id,
        title,
        authority,
        version,
        certainty,
        effective_from,
        effective_until,
        judges,
        activity,
        staleness,
        reply_deadline_hours,
        naming_without_approval,
    }
}

/// The lifecycle states that are judged; left out, all but closed and cancelled ones.
fn judges(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Vec<Lifecycle> {
    let words = reader.texts("judges", problems);
    if words.is_empty() {
        let all = Lifecycle::ALL.into_iter().map(|row| row.0);
        return all.filter(|state| state.is_judged()).collect();
    }
    let mut states = Vec::new();
    for word in words {
        match Lifecycle::from_name(&word) {
            Some(state) => states.push(state),
            None => {
                let known: Vec<&str> = Lifecycle::ALL.iter().map(|row| row.1).collect();
                let reason = format!("{word:?} is no state; known are {}", known.join(", "));
                problems.push(reader.problem("judges", reason));
            }
        }
    }
    states
}

/// The tiers of a table; those left out are taken over, where there is something to take over.
fn activity(
    mut reader: Reader<'_>,
    from: Option<Activity>,
    problems: &mut Vec<Problem>,
) -> Option<Activity> {
    let mut tier = |key, taken: Option<Threshold>| {
        if taken.is_some() {
            let own = reader.optional_table(key, problems);
            return own.map_or(taken, |table| threshold(table, problems));
        }
        let table = reader.table(key, problems)?;
        threshold(table, problems)
    };
    let tiers = (
        tier("watch", from.map(|one| one.watch)),
        tier("dormant", from.map(|one| one.dormant)),
        tier("zombie", from.map(|one| one.zombie)),
    );
    reader.finish(problems);
    Some(Activity { watch: tiers.0?, dormant: tiers.1?, zombie: tiers.2? })
}

fn threshold(mut reader: Reader<'_>, problems: &mut Vec<Problem>) -> Option<Threshold> {
    let operator = match reader.text("operator", problems).as_str() {
        ">" => Some(Operator::Over),
        ">=" => Some(Operator::AtLeast),
        "" => None,
        other => {
            let reason = format!("{other:?} is no operator; > (超过) or >= (以上, 含) is wanted");
            problems.push(reader.problem("operator", reason));
            None
        }
    };
    let value = reader.whole("value", problems);
    let limit = match reader.text("unit", problems).as_str() {
        "hours" => Some(Limit::Hours(value)),
        "days" => Some(Limit::Days(value)),
        "calendar_days" => Some(Limit::CalendarDays(value)),
        "months" => Some(Limit::Months(value)),
        "" => None,
        other => {
            let reason =
                format!("{other:?} is no unit; hours, days, calendar_days or months is wanted");
            problems.push(reader.problem("unit", reason));
            None
        }
    };
    reader.finish(problems);
    Some(Threshold { operator: operator?, limit: limit? })
}
