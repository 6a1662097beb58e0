//! `[[vetoes]]`, `[[flags]]`, `[[dimensions]]` with their lines and deductions.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::domain::Problem;

use super::super::declared::Declared;
use super::super::reader::Reader;
use super::super::rules::{
    Deduction, Dimension, Flag, Gives, IfUndetermined, Line, Ranking, Rescale,
};
use super::super::{Compare, Expression};
use super::manual::{Entered, entered};
use super::overall::pass;
use super::{Compiling, scope, unique};

/// What points and verdicts come from.
pub(super) struct Rules {
    pub(super) vetoes: Vec<Flag>,
    pub(super) flags: Vec<Flag>,
    pub(super) dimensions: Vec<Dimension>,
    /// The numbers that persons enter for manual items.
    pub(super) manual: Vec<Declared>,
}

pub(super) fn rules(
    reader: &mut Reader<'_>,
    compiling: &mut Compiling<'_>,
    problems: &mut Vec<Problem>,
) -> Rules {
    let mut rules = Rules { vetoes: vec![], flags: vec![], dimensions: vec![], manual: Vec::new() };
    let mut ids = BTreeSet::new();
    for (key, is_veto) in [("vetoes", true), ("flags", false)] {
        for table in reader.optional_tables(key, problems) {
            let Some(flag) = flag(table, is_veto, &mut ids, compiling, &mut rules, problems) else {
                continue;
            };
            if is_veto { rules.vetoes.push(flag) } else { rules.flags.push(flag) }
        }
    }
    let mut ids = BTreeSet::new();
    for table in reader.optional_tables("dimensions", problems) {
        let dimension = dimension(table, compiling, &mut ids, &mut rules, problems);
        rules.dimensions.push(dimension);
    }
    let is_empty = rules.dimensions.is_empty() && rules.vetoes.is_empty() && rules.flags.is_empty();
    if is_empty && problems.is_empty() {
        let reason = "a scheme needs at least one of [[vetoes]], [[flags]] and [[dimensions]]";
        problems.push(reader.problem("dimensions", reason));
    }
    rules
}

/// `operator`, which must be written.
pub(super) fn compare(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<Compare> {
    let word = reader.word("operator", &Compare::WORDS, problems)?;
    Compare::from_word(&word)
}

fn undetermined(
    reader: &mut Reader<'_>,
    favour: &str,
    against: &str,
    problems: &mut Vec<Problem>,
) -> IfUndetermined {
    let words = ["not_scored", favour, against];
    match reader.optional_word("undetermined", &words, problems).as_deref() {
        Some(word) if word == favour => IfUndetermined::Favour,
        Some(word) if word == against => IfUndetermined::Against,
        _ => IfUndetermined::NotScored,
    }
}

fn flag(
    mut reader: Reader<'_>,
    is_veto: bool,
    ids: &mut BTreeSet<String>,
    compiling: &mut Compiling<'_>,
    rules: &mut Rules,
    problems: &mut Vec<Problem>,
) -> Option<Flag> {
    let id = reader.id(problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let clause = reader.text("clause", problems);
    let certainty = compiling.certainty(&mut reader, problems);
    let scope = scope(&mut reader, problems);
    let outcome = if is_veto { "fail".to_owned() } else { reader.name("outcome", problems) };
    let undetermined = undetermined(&mut reader, "pass", "fail", problems);
    let manual = reader.flag("manual", problems);
    let when = if manual {
        let (max, absent) = (Decimal::ONE, Some(Decimal::ZERO));
        let item = Entered { id: &id, title: &title, clause: &clause, max, absent };
        entered(&item, &reader, compiling, rules, problems)
    } else {
        compiling.expression(&mut reader, "when", Expression::condition, problems)
    };
    reader.finish(problems);
    let when = when?;
    Some(Flag { id, title, clause, certainty, scope, when, outcome, manual, undetermined })
}

fn dimension(
    mut reader: Reader<'_>,
    compiling: &mut Compiling<'_>,
    ids: &mut BTreeSet<String>,
    rules: &mut Rules,
    problems: &mut Vec<Problem>,
) -> Dimension {
    let before = problems.len();
    let id = reader.id(problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let coverage_min = reader.decimal("coverage_min", problems);
    if coverage_min > Decimal::ONE {
        problems.push(reader.problem("coverage_min", "is a share, 0 to 1"));
    }
    let rescale_from = reader.optional_decimal("rescale_from", problems);
    let rescale = match reader.optional_word("rescale", &["scale", "spread"], problems).as_deref() {
        Some("spread") => Rescale::Spread,
        _ => Rescale::Scale,
    };
    if reader.has("rescale") && rescale_from.is_none() {
        problems.push(reader.problem("rescale", "needs rescale_from"));
    }
    let ranking = reader.optional_table("ranking", problems).map(|mut table| {
        let measure = compiling.measure(&mut table, "measure", problems);
        let at_least = table.decimal("at_least", problems);
        table.finish(problems);
        Ranking { measure, at_least }
    });
    let earlier: Vec<String> = rules.dimensions.iter().map(|one| one.id.clone()).collect();
    let gate =
        reader.optional_table("gate", problems).and_then(|table| pass(table, &earlier, problems));
    let mut line_ids = BTreeSet::new();
    let mut lines = Vec::new();
    for table in reader.tables("lines", problems) {
        lines.extend(line(table, compiling, &mut line_ids, rules, problems));
    }
    let sum: Decimal = lines.iter().map(|line| line.max).sum();
    if let Some(least) = rescale_from.filter(|least| problems.len() == before && *least > sum) {
        let reason = format!("{least} is more than the lines' maxima together, {sum}");
        problems.push(reader.problem("rescale_from", reason));
    }
    reader.finish(problems);
    Dimension { id, title, coverage_min, rescale_from, rescale, ranking, gate, lines }
}

fn line(
    mut reader: Reader<'_>,
    compiling: &mut Compiling<'_>,
    ids: &mut BTreeSet<String>,
    rules: &mut Rules,
    problems: &mut Vec<Problem>,
) -> Option<Line> {
    let id = reader.id(problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let clause = reader.text("clause", problems);
    let certainty = compiling.certainty(&mut reader, problems);
    let scope = scope(&mut reader, problems);
    let max = reader.decimal("max", problems);
    let gives = if reader.flag("manual", problems) {
        let item = Entered { id: &id, title: &title, clause: &clause, max, absent: None };
        entered(&item, &reader, compiling, rules, problems).map(Gives::Points)
    } else if reader.has("deductions") {
        let mut ids = BTreeSet::new();
        let mut deductions = Vec::new();
        for table in reader.tables("deductions", problems) {
            deductions.extend(deduction(table, compiling, &mut ids, problems));
        }
        Some(Gives::Deductions(deductions))
    } else {
        compiling
            .expression(&mut reader, "points", Expression::compile, problems)
            .map(Gives::Points)
    };
    let zero = reader.optional_word("not_applicable", &["zero", "not_scored"], problems);
    let undetermined = undetermined(&mut reader, "full", "zero", problems);
    reader.finish(problems);
    Some(Line {
        id,
        title,
        clause,
        certainty,
        scope,
        gives: gives?,
        max,
        zero_where_not_applicable: zero.as_deref() == Some("zero"),
        undetermined,
    })
}

fn deduction(
    mut reader: Reader<'_>,
    compiling: &mut Compiling<'_>,
    ids: &mut BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Option<Deduction> {
    let id = reader.id(problems);
    unique(&id, &reader, ids, problems);
    let clause = reader.text("clause", problems);
    let certainty = compiling.certainty(&mut reader, problems);
    let when = if reader.has("when") {
        Some(compiling.expression(&mut reader, "when", Expression::condition, problems)?)
    } else {
        None
    };
    let points = compiling.expression(&mut reader, "points", Expression::compile, problems);
    reader.finish(problems);
    Some(Deduction { id, clause, certainty, when, points: points? })
}
