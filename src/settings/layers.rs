//! Puts file and environment on top of the defaults.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::{Settings, document, rules};
use crate::domain::{Problem, SourceText};

/// What every variable's name begins with.
pub(super) const PREFIX: &str = "XUNJIAN__";

/// Keys that hold a path: a relative one is meant from the folder of the file that sets it, in
/// the environment from the working directory.
pub(super) const PATHS: [&str; 10] = [
    "data_dir",
    "platforms_dir",
    "schemes_dir",
    "rules_dir",
    "indices_dir",
    "calendar_dir",
    "imports_dir",
    "database.bin_dir",
    "evidence.store_dir",
    "notify.letters_dir",
];

pub(super) fn merge(
    file: Option<&SourceText>,
    variables: &[(String, String)],
) -> Result<Settings, Vec<Problem>> {
    let (mut table, mut problems) = file.map(document::read).unwrap_or_default();
    // The folders of data files lie beside the settings file unless it says otherwise.
    for folder in
        ["platforms_dir", "schemes_dir", "rules_dir", "indices_dir", "calendar_dir", "imports_dir"]
    {
        let beside = folder.trim_end_matches("_dir");
        table.entry(folder).or_insert_with(|| Value::String(beside.to_owned()));
    }
    let folder = file.and_then(|source| Path::new(&source.file).parent());
    anchor(&mut table, folder.unwrap_or(Path::new("/etc/xunjian")));
    let mut variables: Vec<_> = variables.iter().collect();
    variables.sort();
    let mut from_environment = Vec::new();
    for (name, text) in variables {
        match with_variable(&table, name, text) {
            Ok((field, merged)) => {
                table = merged;
                from_environment.push((field, name.as_str()));
            }
            Err(reason) => problems.push(variable_problem(name, reason)),
        }
    }
    let settings = match Settings::deserialize(table) {
        Ok(settings) => settings,
        Err(error) => {
            problems.push(variable_problem("", error.message().to_owned()));
            return Err(problems);
        }
    };
    for (field, reason) in rules::broken(&settings) {
        let variable = from_environment
            .iter()
            .find(|(set, _)| *set == field || field.starts_with(&format!("{set}.")));
        problems.push(match (variable, file) {
            (Some((_, name)), _) => variable_problem(name, reason),
            (None, Some(source)) => document::problem(source, &field, reason),
            (None, None) => variable_problem(&field, reason),
        });
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

pub(super) fn variable_problem(name: &str, reason: String) -> Problem {
    Problem { file: "environment".to_owned(), line: 0, field: name.to_owned(), reason }
}

/// The table with one variable on top: its value read as TOML, or, where that does not fit, as
/// the string it is.
fn with_variable(table: &Table, name: &str, text: &str) -> Result<(String, Table), String> {
    let field = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase().replace("__", ".");
    let path: Vec<&str> = field.split('.').collect();
    if path.iter().any(|part| part.is_empty()) {
        return Err("the name must be XUNJIAN__SECTION__KEY".to_owned());
    }
    let typed = text.parse::<Value>().ok();
    let string = Value::String(text.to_owned());
    let mut first_error = None;
    for value in typed.into_iter().chain([string]) {
        let mut overlay = Table::new();
        put(&mut overlay, &path, value);
        anchor(&mut overlay, Path::new(""));
        let mut merged = table.clone();
        lay_over(&mut merged, overlay);
        let mut ignored = false;
        match serde_ignored::deserialize::<_, _, Settings>(merged.clone(), |_| ignored = true) {
            Ok(_) if ignored => return Err("unknown key".to_owned()),
            Ok(_) => return Ok((field, merged)),
            Err(error) => {
                first_error.get_or_insert(error.message().to_owned());
            }
        }
    }
    Err(first_error.unwrap_or_default())
}

fn put(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => {
            table.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let mut inner = Table::new();
            put(&mut inner, rest, value);
            table.insert((*first).to_owned(), Value::Table(inner));
        }
    }
}

fn lay_over(table: &mut Table, overlay: Table) {
    for (key, value) in overlay {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(over)) => lay_over(inner, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Makes relative paths stand on `base`; an empty one stays "not set".
fn anchor(table: &mut Table, base: &Path) {
    for key in PATHS {
        let mut parts = key.split('.').peekable();
        let mut here = Some(&mut *table);
        while let (Some(part), Some(inner)) = (parts.next(), here.take()) {
            match inner.get_mut(part) {
                Some(Value::Table(deeper)) => here = Some(deeper),
                Some(Value::String(path)) if parts.peek().is_none() && !path.is_empty() => {
                    *path = on_base(base, path);
                }
                _ => {}
            }
        }
    }
}

fn on_base(base: &Path, path: &str) -> String {
    let joined: PathBuf = base.join(path);
    let joined = std::path::absolute(&joined).unwrap_or(joined);
    joined.to_str().map_or_else(|| path.to_owned(), str::to_owned)
}
