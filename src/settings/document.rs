//! One TOML file read so that every mistake in it is reported, not only the first.

use std::ops::Range;

use toml::de::DeTable;

use super::Settings;
use crate::domain::{Problem, SourceText};

/// The file's keys as they stand, without those that are wrong, and what is wrong with them.
///
/// The document is read as `Settings` again and again; each time the key at fault is noted and
/// taken out. Every key has a default, so that its absence is never a mistake.
pub(super) fn read(source: &SourceText) -> (toml::Table, Vec<Problem>) {
    let (parsed, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let problems = errors.iter().map(|error| syntax_problem(source, error)).collect();
        return (toml::Table::new(), problems);
    }
    let mut document = parsed;
    let mut problems = Vec::new();
    let mut removed: Vec<Range<usize>> = Vec::new();
    loop {
        let mut ignored = Vec::new();
        let deserializer = toml::de::Deserializer::from(document.clone());
        let read: Result<Settings, _> =
            serde_ignored::deserialize(deserializer, |path| ignored.push(path.to_string()));
        let Err(error) = read else {
            for field in ignored {
                problems.push(source.problem(&field, "unknown key"));
            }
            break;
        };
        let place = error.span().and_then(|span| {
            let field = take_out(document.get_mut(), span.start)?;
            Some((span, field))
        });
        let Some((span, field)) = place else {
            problems.push(source.problem_at(0, "", error.message()));
            return (toml::Table::new(), problems);
        };
        // A table that lacks what was just taken out of it is no second mistake.
        let follows = removed.iter().any(|gone| span.start <= gone.start && gone.end <= span.end);
        if !follows {
            problems.push(source.problem_at(span.start, &field, error.message()));
        }
        removed.push(span);
    }
    problems.sort();
    (plain(document.into_inner()), problems)
}

/// A problem with the value of a key path, at the line of the longest part of it that is written.
///
/// A key may itself hold dots, as the hosts of `fetch.limits` do.
pub(super) fn problem(source: &SourceText, field: &str, reason: String) -> Problem {
    let Ok(document) = DeTable::parse(&source.text) else {
        return source.problem_at(0, field, reason);
    };
    let mut offset = 0;
    let mut rest = field;
    let mut table = Some(document.get_ref());
    while let Some(inner) = table.take() {
        let next = inner.iter().find_map(|(key, value)| {
            let after = rest.strip_prefix(key.get_ref().as_ref())?;
            let below = after.strip_prefix('.').or(after.is_empty().then_some(after))?;
            Some((key.span().start, value, below))
        });
        if let Some((start, value, below)) = next {
            (offset, rest, table) = (start, below, value.get_ref().as_table());
        }
    }
    source.problem_at(offset, field, reason)
}

fn syntax_problem(source: &SourceText, error: &toml::de::Error) -> Problem {
    let offset = error.span().map_or(0, |span| span.start);
    source.problem_at(offset, "", error.message())
}

/// Removes the innermost entry that is written at `offset` and gives its key path.
fn take_out(table: &mut DeTable<'_>, offset: usize) -> Option<String> {
    let names: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
    for name in &names {
        let inner = table.get_mut(name.as_str()).and_then(|value| match value.get_mut() {
            toml::de::DeValue::Table(inner) => take_out(inner, offset),
            _ => None,
        });
        if let Some(inner) = inner {
            return Some(format!("{name}.{inner}"));
        }
    }
    let name = names.into_iter().find(|name| {
        table.get_key_value(name.as_str()).is_some_and(|(key, value)| {
            key.span().contains(&offset) || value.span().contains(&offset)
        })
    })?;
    table.remove(name.as_str());
    Some(name)
}

fn plain(table: DeTable<'_>) -> toml::Table {
    let whole = toml::Spanned::new(0..0, table);
    serde::Deserialize::deserialize(toml::de::Deserializer::from(whole)).unwrap_or_default()
}
