//! Reads the tables of a rules file key by key, so that every mistake is told and none hides
//! another.

use std::cell::RefCell;
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::{Problem, SourceText};

/// Collects what is wrong with one file.
pub(super) struct Report<'a> {
    source: &'a SourceText,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(source: &'a SourceText) -> Self {
        Self { source, problems: RefCell::default() }
    }

    pub(super) fn add(&self, offset: usize, field: &str, reason: impl Into<String>) {
        self.problems.borrow_mut().push(self.source.problem_at(offset, field, reason));
    }

    pub(super) fn finish(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems
    }
}

/// One table while it is read; keys that nobody asked for are told at the end.
pub(super) struct Table<'a> {
    report: &'a Report<'a>,
    path: String,
    table: &'a DeTable<'a>,
    /// Where the table begins, for keys that it lacks.
    start: usize,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Table<'a> {
    pub(super) fn root(report: &'a Report<'a>, table: &'a DeTable<'a>) -> Self {
        Self { report, path: String::new(), table, start: 0, asked: RefCell::default() }
    }

    /// Says that a key's value is wrong.
    pub(super) fn wrong(&self, key: &str, reason: impl Into<String>) {
        let offset = self.table.get_key_value(key).map_or(self.start, |(key, _)| key.span().start);
        self.report.add(offset, &format!("{}{key}", self.path), reason);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A text that is not empty; empty where it is wrong.
    pub(super) fn text(&self, key: &'static str) -> String {
        let text = self.value(key, "a text", |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        });
        text.unwrap_or_default()
    }

    /// One of some words, as what it stands for.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(T, &str)]) -> Option<T> {
        let text = self.text(key);
        let found = words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
        if found.is_none() && !text.is_empty() {
            let known: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
            self.wrong(key, format!("{text:?} is none of {}", known.join(", ")));
        }
        found
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, key: &'static str, least: u32, most: u32) -> u32 {
        let wanted = format!("a whole number from {least} to {most}");
        let number = self.value(key, &wanted, |value| {
            let number = value.as_integer().filter(|number| number.radix() == 10)?;
            number.as_str().parse::<u32>().ok().filter(|number| (least..=most).contains(number))
        });
        number.unwrap_or(least)
    }

    /// A number of at least 0, at most `most`.
    pub(super) fn number(&self, key: &'static str, most: f64) -> f64 {
        let wanted = if most <= 1.0 { "a share, 0 to 1" } else { "a number of at least 0" };
        let number = self.value(key, wanted, |value| {
            let text = match value {
                DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
                DeValue::Float(number) => number.as_str(),
                _ => return None,
            };
            text.parse::<f64>().ok().filter(|number| (0.0..=most).contains(number))
        });
        number.unwrap_or_default()
    }

    /// True or false; false where it is left out.
    pub(super) fn flag(&self, key: &'static str) -> bool {
        self.asked.borrow_mut().insert(key);
        self.has(key) && self.value(key, "true or false", DeValue::as_bool).unwrap_or_default()
    }

    /// Texts, none where the key is left out, each with the place it stands at.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        self.asked.borrow_mut().insert(key);
        if !self.has(key) {
            return Vec::new();
        }
        let texts = self.value(key, "a list of texts", |value| {
            let items = value.as_array()?.iter();
            items.map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
        });
        texts.unwrap_or_default()
    }

    /// A table that must be there.
    pub(super) fn table(&self, key: &'static str) -> Option<Table<'a>> {
        let found = self.value(key, "a table", |value| value.as_table().map(|_| ()));
        found.and_then(|()| self.optional_table(key))
    }

    /// A table that may be left out.
    pub(super) fn optional_table(&self, key: &'static str) -> Option<Table<'a>> {
        self.asked.borrow_mut().insert(key);
        let value = self.table.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, "a table is wanted");
            return None;
        };
        Some(self.inner(format!("{}{key}.", self.path), table, value.span().start))
    }

    /// The tables of a list; none where the key is left out.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        self.asked.borrow_mut().insert(key);
        if !self.has(key) {
            return Vec::new();
        }
        let items = self.value(key, "tables [[…]]", |value| {
            let items: Vec<&'a Spanned<DeValue<'a>>> = value.as_array()?.iter().collect();
            items.iter().all(|item| item.get_ref().is_table()).then_some(items)
        });
        let tables = items.unwrap_or_default().into_iter().enumerate();
        tables
            .filter_map(|(index, item)| {
                let path = format!("{}{key}[{index}].", self.path);
                Some(self.inner(path, item.get_ref().as_table()?, item.span().start))
            })
            .collect()
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.table.keys().map(|key| key.get_ref().as_ref()) {
            if !asked.contains(key) {
                let known: Vec<&str> = asked.iter().copied().collect();
                self.wrong(key, format!("is no key here; known are {}", known.join(", ")));
            }
        }
    }

    fn inner(&self, path: String, table: &'a DeTable<'a>, start: usize) -> Table<'a> {
        Table { report: self.report, path, table, start, asked: RefCell::default() }
    }

    fn value<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        self.asked.borrow_mut().insert(key);
        let Some(value) = self.table.get(key) else {
            self.wrong(key, format!("is missing; {wanted} is wanted"));
            return None;
        };
        let read = read(value.get_ref());
        if read.is_none() {
            self.wrong(key, format!("{wanted} is wanted"));
        }
        read
    }
}
