//! A scheme file into a scheme, or into every reason why not.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::domain::{Problem, SourceText};

use super::reader::Reader;
use super::rules::{Dimension, Line, Ranking, Scheme};
use super::{Activity, Expression, Limit, Operator, Threshold};

/// Compiles one file; `None` where a problem was added.
pub(super) fn scheme(
    source: &SourceText,
    measures: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<Scheme> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        problems.extend(errors.iter().map(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            source.problem_at(offset, "", error.message())
        }));
        return None;
    }
    let before = problems.len();
    let mut reader = Reader::root(source, document.get_ref());
    let id = identifier(&mut reader, problems);
    let title = reader.text("title", problems);
    let authority = reader.text("authority", problems);
    let version = reader.text("version", problems);
    let effective_from = reader.day("effective_from", problems);
    let effective_until = reader.optional_day("effective_until", problems);
    if let (Some(from), Some(until)) = (effective_from, effective_until)
        && until < from
    {
        problems.push(reader.problem("effective_until", format!("lies before {from}")));
    }
    let activity = reader.table("activity", problems).and_then(|table| activity(table, problems));
    let reply_deadline_hours = reader.whole("reply_deadline_hours", problems);
    let tables = reader.tables("dimensions", problems);
    let mut ids = BTreeSet::new();
    let dimensions =
        tables.into_iter().map(|table| dimension(table, measures, &mut ids, problems)).collect();
    reader.finish(problems);
    let (effective_from, activity) = (effective_from?, activity?);
    (problems.len() == before).then(|| Scheme {
        id,
        title,
        authority,
        version,
        effective_from,
        effective_until,
        digest: format!("sha256:{}", hex::encode(Sha256::digest(&source.text))),
        activity,
        reply_deadline_hours,
        dimensions,
    })
}

/// An id made of lower-case letters, digits, `-` and `_`.
fn identifier(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> String {
    let id = reader.text("id", problems);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !id.chars().all(allowed) {
        let reason = format!("{id:?} is no id: lower-case letters, digits, - and _");
        problems.push(reader.problem("id", reason));
    }
    id
}

fn unique(id: &str, reader: &Reader<'_>, ids: &mut BTreeSet<String>, problems: &mut Vec<Problem>) {
    if !id.is_empty() && !ids.insert(id.to_owned()) {
        problems.push(reader.problem("id", format!("{id:?} stands twice")));
    }
}

fn activity(mut reader: Reader<'_>, problems: &mut Vec<Problem>) -> Option<Activity> {
    let mut tier = |key| {
        let table = reader.table(key, problems)?;
        threshold(table, problems)
    };
    let tiers = (tier("watch"), tier("dormant"), tier("zombie"));
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
        "months" => Some(Limit::Months(value)),
        "" => None,
        other => {
            let reason = format!("{other:?} is no unit; hours, days or months is wanted");
            problems.push(reader.problem("unit", reason));
            None
        }
    };
    reader.finish(problems);
    Some(Threshold { operator: operator?, limit: limit? })
}

fn dimension(
    mut reader: Reader<'_>,
    measures: &[&str],
    ids: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Dimension {
    let id = identifier(&mut reader, problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let coverage_min = reader.decimal("coverage_min", problems);
    if coverage_min > Decimal::ONE {
        problems.push(reader.problem("coverage_min", "is a share, 0 to 1"));
    }
    let rescale_from = reader.optional_decimal("rescale_from", problems);
    let ranking = reader.optional_table("ranking", problems).map(|mut table| {
        let measure = table.text("measure", problems);
        if !measure.is_empty() && !measures.contains(&measure.as_str()) {
            let reason = format!("{measure:?} is no measure; known are {}", measures.join(", "));
            problems.push(table.problem("measure", reason));
        }
        let at_least = table.decimal("at_least", problems);
        table.finish(problems);
        Ranking { measure, at_least }
    });
    let mut line_ids = BTreeSet::new();
    let lines: Vec<Line> = reader
        .tables("lines", problems)
        .into_iter()
        .filter_map(|table| line(table, measures, &mut line_ids, problems))
        .collect();
    let sum: Decimal = lines.iter().map(|line| line.max).sum();
    if let Some(least) = rescale_from.filter(|least| problems.is_empty() && *least > sum) {
        let reason = format!("{least} is more than the lines' maxima together, {sum}");
        problems.push(reader.problem("rescale_from", reason));
    }
    reader.finish(problems);
    Dimension { id, title, coverage_min, rescale_from, ranking, lines }
}

fn line(
    mut reader: Reader<'_>,
    measures: &[&str],
    ids: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Option<Line> {
    let id = identifier(&mut reader, problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let clause = reader.text("clause", problems);
    let max = reader.decimal("max", problems);
    let text = reader.text("points", problems);
    let points = if text.is_empty() {
        None
    } else {
        Expression::compile(&text, measures)
            .map_err(|reasons| {
                problems.extend(reasons.into_iter().map(|why| reader.problem("points", why)));
            })
            .ok()
    };
    let zero_where_not_applicable = match reader.optional_text("not_applicable", problems) {
        None => false,
        Some("zero") => true,
        Some("not_scored") => false,
        Some(other) => {
            let reason = format!("{other:?} is neither \"zero\" nor \"not_scored\"");
            problems.push(reader.problem("not_applicable", reason));
            false
        }
    };
    reader.finish(problems);
    Some(Line { id, title, clause, points: points?, max, zero_where_not_applicable })
}
