//! `[[composites]]`, `[pass]`, `[[rollups]]`, `[rhythm]`, `[sampling]`.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::domain::Problem;

use super::super::overall::{Composite, How, Part, Pass, Rollup, RollupPart, RollupTo};
use super::super::reader::Reader;
use super::super::rhythm::{Every, Rhythm, Sampling};
use super::super::rules::Dimension;
use super::scoring::compare;
use super::{Compiling, scope, unique};

pub(super) struct Overall {
    pub(super) composites: Vec<Composite>,
    pub(super) pass: Option<Pass>,
    pub(super) rollups: Vec<Rollup>,
}

pub(super) fn overall(
    reader: &mut Reader<'_>,
    dimensions: &[Dimension],
    compiling: &mut Compiling<'_>,
    problems: &mut Vec<Problem>,
) -> Overall {
    let mut known: Vec<String> = dimensions.iter().map(|one| one.id.clone()).collect();
    let mut ids: BTreeSet<String> = known.iter().cloned().collect();
    let mut composites = Vec::new();
    for table in reader.optional_tables("composites", problems) {
        let composite = composite(table, &known, &mut ids, compiling, problems);
        known.push(composite.id.clone());
        composites.push(composite);
    }
    let pass = reader.optional_table("pass", problems);
    let pass = pass.and_then(|table| self::pass(table, &known, problems));
    let mut ids = BTreeSet::new();
    let tables = reader.optional_tables("rollups", problems);
    let rollups = tables
        .into_iter()
        .filter_map(|table| rollup(table, &mut ids, compiling, problems))
        .collect();
    Overall { composites, pass, rollups }
}

fn known_score(reader: &mut Reader<'_>, known: &[String], problems: &mut Vec<Problem>) -> String {
    let of = reader.text("of", problems);
    if !of.is_empty() && !known.contains(&of) {
        let reason = format!("{of:?} is no score before this one; known are {}", known.join(", "));
        problems.push(reader.problem("of", reason));
    }
    of
}

fn composite(
    mut reader: Reader<'_>,
    known: &[String],
    ids: &mut BTreeSet<String>,
    compiling: &mut Compiling<'_>,
    problems: &mut Vec<Problem>,
) -> Composite {
    let id = reader.id(problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let certainty = compiling.certainty(&mut reader, problems);
    let parts = reader.tables("parts", problems).into_iter().map(|mut table| {
        let of = known_score(&mut table, known, problems);
        let weight = table.decimal("weight", problems);
        table.finish(problems);
        Part { of, weight }
    });
    let parts = parts.collect();
    let cap = reader.optional_decimal("cap", problems);
    let rescale_missing = missing(&mut reader, problems);
    reader.finish(problems);
    Composite { id, title, certainty, parts, cap, rescale_missing }
}

fn missing(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> bool {
    let word = reader.optional_word("missing", &["not_scored", "rescale"], problems);
    word.as_deref() == Some("rescale")
}

/// A score held against a limit.
pub(super) fn pass(
    mut reader: Reader<'_>,
    known: &[String],
    problems: &mut Vec<Problem>,
) -> Option<Pass> {
    let of = known_score(&mut reader, known, problems);
    let compare = compare(&mut reader, problems);
    let value = reader.decimal("value", problems);
    reader.finish(problems);
    Some(Pass { of, compare: compare?, value })
}

fn rollup(
    mut reader: Reader<'_>,
    ids: &mut BTreeSet<String>,
    compiling: &mut Compiling<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Rollup> {
    let id = reader.id(problems);
    unique(&id, &reader, ids, problems);
    let title = reader.text("title", problems);
    let clause = reader.text("clause", problems);
    let certainty = compiling.certainty(&mut reader, problems);
    let words: Vec<&str> = RollupTo::ALL.iter().map(|row| row.1).collect();
    let to = reader.word("to", &words, problems);
    let to = to.and_then(|word| RollupTo::ALL.into_iter().find(|row| row.1 == word));
    let mut parts = Vec::new();
    for table in reader.tables("parts", problems) {
        parts.extend(part(table, problems));
    }
    if parts.iter().all(|part: &RollupPart| part.weight.is_zero()) && problems.is_empty() {
        problems.push(reader.problem("parts", "no part has a weight"));
    }
    let any_veto = reader.optional_decimal("any_veto", problems);
    let rescale_missing = missing(&mut reader, problems);
    reader.finish(problems);
    Some(Rollup { id, title, clause, certainty, to: to?.0, parts, any_veto, rescale_missing })
}

fn part(mut reader: Reader<'_>, problems: &mut Vec<Problem>) -> Option<RollupPart> {
    // Accounts of several schemes come together, so that their scores are known only then.
    let of = reader.text("of", problems);
    let words: Vec<&str> = How::ALL.iter().map(|row| row.1).collect();
    let how = reader.word("how", &words, problems);
    let how = how.and_then(|word| How::ALL.into_iter().find(|row| row.1 == word));
    let weight = reader.decimal("weight", problems);
    let scope = scope(&mut reader, problems);
    reader.finish(problems);
    Some(RollupPart { of, how: how?.0, weight, scope })
}

fn every(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<Every> {
    let words: Vec<&str> = Every::ALL.iter().map(|row| row.1).collect();
    let word = reader.word("every", &words, problems)?;
    Every::ALL.into_iter().find(|row| row.1 == word).map(|row| row.0)
}

pub(super) fn rhythm(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<Rhythm> {
    let mut table = reader.optional_table("rhythm", problems)?;
    let every = every(&mut table, problems);
    let cutoff_day = table.optional_whole("cutoff_day", problems);
    if cutoff_day.is_some_and(|day| day > 28) {
        problems.push(table.problem("cutoff_day", "is a day that every month has, 1 to 28"));
    }
    if cutoff_day.is_some() && every == Some(Every::Week) {
        problems.push(table.problem("cutoff_day", "a week has no day of the month"));
    }
    table.finish(problems);
    Some(Rhythm { every: every?, cutoff_day })
}

pub(super) fn sampling(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<Sampling> {
    let mut table = reader.optional_table("sampling", problems)?;
    let share = table.decimal("share", problems);
    if share > Decimal::ONE {
        problems.push(table.problem("share", "is a share, 0 to 1"));
    }
    let at_least = table.whole("at_least", problems);
    let every = every(&mut table, problems);
    table.finish(problems);
    Some(Sampling { share, at_least, every: every? })
}
