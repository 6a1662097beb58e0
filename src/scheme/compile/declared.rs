//! `[[minimums]]`, `[[deadlines]]`, `[[peers]]`, `[[ranks]]`, `[[manual]]`, `[[columns]]`.

use chrono::Weekday;
use regex::Regex;

use crate::domain::Problem;

use super::super::declared::{
    Deadline, Declared, DeclaredKind, GroupKey, Manual, Minimum, Only, Peers, Rank, TermUnit,
};
use super::super::reader::Reader;
use super::super::rhythm::Every;
use super::Compiling;
use super::overall::Overall;
use super::scoring::{Rules, compare};

type Build = fn(&mut Reader<'_>, &mut Vec<Problem>) -> Option<DeclaredKind>;

const KINDS: [(&str, Build); 6] = [
    ("minimums", minimum),
    ("deadlines", deadline),
    ("peers", peers),
    ("ranks", rank),
    ("manual", manual),
    ("columns", column),
];

/// Everything a scheme declares; no name may be a measure of the catalogue or stand twice.
pub(super) fn declared(
    reader: &mut Reader<'_>,
    measures: &[&str],
    compiling: &mut Compiling<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Declared> {
    let mut all: Vec<Declared> = Vec::new();
    for (key, build) in KINDS {
        for mut table in reader.optional_tables(key, problems) {
            let id = table.name("id", problems);
            let title = table.text("title", problems);
            let clause = table.text("clause", problems);
            let certainty = compiling.certainty(&mut table, problems);
            let kind = build(&mut table, problems);
            let Some(kind) = kind else {
                table.finish(problems);
                continue;
            };
            let one = Declared { id, title, clause, certainty, kind };
            for name in one.names() {
                let twice = all.iter().any(|other| other.names().contains(&name));
                if twice || measures.contains(&name.as_str()) {
                    let reason = format!("{name:?} is the name of another number already");
                    problems.push(table.problem("id", reason));
                }
            }
            table.finish(problems);
            all.push(one);
        }
    }
    all
}

/// What peers and ranks compare must be there.
pub(super) fn check_compared(
    declared: &[Declared],
    compiling: &Compiling<'_>,
    rules: &Rules,
    overall: &Overall,
    reader: &Reader<'_>,
    problems: &mut Vec<Problem>,
) {
    for one in declared {
        let (key, of, scores_too) = match &one.kind {
            DeclaredKind::Peers(peers) => ("peers", &peers.of, false),
            DeclaredKind::Rank(rank) => ("ranks", &rank.of, true),
            _ => continue,
        };
        let beside =
            declared.iter().any(|other| other.needs_others() && other.names().contains(of));
        let is_measure = compiling.measures.contains(&of.as_str()) && !beside;
        let is_score = rules.dimensions.iter().any(|dimension| dimension.id == *of)
            || overall.composites.iter().any(|composite| composite.id == *of);
        if !(is_measure || scores_too && is_score) {
            let reason = format!(
                "{}: {of:?} is no measure{}; known are {}",
                one.id,
                if scores_too { ", dimension or composite" } else { "" },
                compiling.measures.join(", ")
            );
            problems.push(reader.problem(key, reason));
        }
    }
}

fn every(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<Every> {
    let words: Vec<&str> = Every::ALL.iter().map(|row| row.1).collect();
    let word = reader.word("every", &words, problems)?;
    Every::ALL.into_iter().find(|row| row.1 == word).map(|row| row.0)
}

fn minimum(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<DeclaredKind> {
    let every = every(reader, problems);
    let starts = reader.optional_word("week_starts", &["monday", "sunday"], problems);
    let week_starts = if starts.as_deref() == Some("sunday") { Weekday::Sun } else { Weekday::Mon };
    let compare = compare(reader, problems);
    if let Some(other) = compare.filter(|one| one.is_below()) {
        let reason = format!("{other} is no minimum; > or >= is wanted");
        problems.push(reader.problem("operator", reason));
    }
    let value = reader.whole("value", problems);
    let original = reader.flag("originals_only", problems);
    let title = reader.optional_text("title_matches", problems).map(str::to_owned);
    let title = match title.as_deref().map(Regex::new).transpose() {
        Ok(pattern) => pattern,
        Err(error) => {
            problems.push(reader.problem("title_matches", format!("no pattern: {error}")));
            None
        }
    };
    let only = Only { original, title };
    Some(DeclaredKind::Minimum(Minimum {
        every: every?,
        week_starts,
        only,
        compare: compare?,
        value,
    }))
}

fn deadline(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<DeclaredKind> {
    let kinds = reader.texts("kinds", problems);
    let compare = compare(reader, problems);
    if let Some(other) = compare.filter(|one| one.is_below()) {
        problems.push(reader.problem("operator", format!("{other} is no term; > or >= is wanted")));
    }
    let value = reader.whole("value", problems);
    let words: Vec<&str> = TermUnit::ALL.iter().map(|row| row.1).collect();
    let unit = reader.word("unit", &words, problems);
    let unit = unit.and_then(|word| TermUnit::ALL.into_iter().find(|row| row.1 == word));
    let receipt_day_counted = reader.flag("receipt_day_counted", problems);
    let office_hours = reader.optional_table("office_hours", problems).and_then(|mut table| {
        let times = (table.time("from", problems), table.time("until", problems));
        if let (Some(from), Some(until)) = times
            && until <= from
        {
            problems.push(table.problem("until", format!("lies not after {from}")));
        }
        table.finish(problems);
        Some((times.0?, times.1?))
    });
    Some(DeclaredKind::Deadline(Deadline {
        kinds,
        compare: compare?,
        value,
        unit: unit?.0,
        receipt_day_counted,
        office_hours,
    }))
}

fn group(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Vec<GroupKey> {
    let words = reader.texts("group", problems);
    let mut keys = Vec::new();
    for word in words {
        match GroupKey::ALL.into_iter().find(|row| row.1 == word) {
            Some((key, _)) => keys.push(key),
            None => {
                let known: Vec<&str> = GroupKey::ALL.iter().map(|row| row.1).collect();
                let reason = format!("{word:?} is none of {}", known.join(", "));
                problems.push(reader.problem("group", reason));
            }
        }
    }
    keys
}

fn peers(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<DeclaredKind> {
    let of = reader.text("of", problems);
    let group = group(reader, problems);
    let at_least = reader.whole("at_least", problems);
    Some(DeclaredKind::Peers(Peers { of, group, at_least }))
}

fn rank(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<DeclaredKind> {
    let of = reader.text("of", problems);
    let group = group(reader, problems);
    let top = reader.whole("top", problems);
    Some(DeclaredKind::Rank(Rank { of, group, top }))
}

fn manual(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<DeclaredKind> {
    let max = reader.decimal("max", problems);
    let absent = reader.optional_decimal("absent", problems);
    Some(DeclaredKind::Manual(Manual { max, absent }))
}

fn column(reader: &mut Reader<'_>, problems: &mut Vec<Problem>) -> Option<DeclaredKind> {
    Some(DeclaredKind::Column { column: reader.text("column", problems) })
}
