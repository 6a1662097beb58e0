use std::cell::RefCell;
use std::ops::RangeInclusive;

use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::{Problem, SourceText};

/// Collects what is wrong while a file is read, so that all of it can be told at once.
pub(super) struct Report<'a> {
    source: &'a SourceText,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(source: &'a SourceText) -> Self {
        Self { source, problems: RefCell::default() }
    }

    pub(super) fn add(&self, offset: usize, field: &str, reason: impl Into<String>) {
        let problem = self.source.problem_at(offset, field, reason);
        let mut problems = self.problems.borrow_mut();
        // What several layouts inherit is read once for each; it is told once.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    pub(super) fn finish(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

/// One value of a file with its place.
#[derive(Clone)]
pub(super) struct Entry<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) path: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Entry<'a> {
    pub(super) fn wrong(&self, reason: impl Into<String>) {
        self.report.add(self.value.span().start, &self.path, reason);
    }

    fn expected<T>(&self, wanted: &str, found: Option<T>) -> Option<T> {
        if found.is_none() {
            self.wrong(format!("expected {wanted}, found {}", self.value.get_ref().type_str()));
        }
        found
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.get_ref().is_str()
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.expected("text", self.value.get_ref().as_str())?;
        if text.is_empty() {
            self.wrong("is empty");
            return None;
        }
        Some(text)
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.expected("true or false", self.value.get_ref().as_bool())
    }

    pub(super) fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let digits = self.expected("an integer", self.value.get_ref().as_integer())?;
        let number = digits.as_str().parse::<i64>().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong(format!("{digits} is outside {}..={}", range.start(), range.end()));
        }
        number
    }

    pub(super) fn list(&self) -> Vec<Self> {
        let Some(list) = self.expected("a list", self.value.get_ref().as_array()) else {
            return Vec::new();
        };
        let entry = |(index, value)| Entry {
            report: self.report,
            path: format!("{}[{index}]", self.path),
            value,
        };
        list.iter().enumerate().map(entry).collect()
    }

    /// The elements of a list, or the one value where there is no list.
    pub(super) fn one_or_more(&self) -> Vec<Self> {
        if self.is_list() { self.list() } else { vec![self.clone()] }
    }

    pub(super) fn section(&self) -> Option<Section<'a>> {
        let table = self.expected("a table", self.value.get_ref().as_table())?;
        Some(Section {
            report: self.report,
            path: self.path.clone(),
            offset: self.value.span().start,
            table,
            inherited: None,
        })
    }

    /// One of a fixed set of words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            self.wrong(format!("{text:?} is none of: {known}"));
        }
        found
    }

    pub(super) fn date(&self) -> Option<NaiveDate> {
        let text = match self.value.get_ref().as_datetime() {
            Some(date) => date.to_string(),
            None => self.text()?.to_owned(),
        };
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        if date.is_none() {
            self.wrong(format!("{text:?} is no date like 2026-11-22"));
        }
        date
    }

    /// A value that a library parses from text.
    pub(super) fn parsed<T>(&self, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        parse(self.text()?).map_err(|reason| self.wrong(reason)).ok()
    }
}

/// One table of a file with its place; a layout also sees what its page kind says.
#[derive(Clone)]
pub(super) struct Section<'a> {
    pub(super) report: &'a Report<'a>,
    pub(super) path: String,
    offset: usize,
    table: &'a DeTable<'a>,
    inherited: Option<Box<Section<'a>>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(report: &'a Report<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { report, path: String::new(), offset: 0, table: table.get_ref(), inherited: None }
    }

    /// This section, with another's values where it has none of its own.
    pub(super) fn inheriting(mut self, from: Option<Section<'a>>) -> Self {
        self.inherited = from.map(Box::new);
        self
    }

    pub(super) fn wrong(&self, field: &str, reason: impl Into<String>) {
        self.report.add(self.offset, &self.path_of(field), reason);
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Reports every key that is none of the known ones.
    pub(super) fn only(&self, known: &[&str]) {
        for key in self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let path = self.path_of(key.get_ref());
            let reason = format!("unknown key; known are {}", known.join(", "));
            self.report.add(key.span().start, &path, reason);
        }
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    pub(super) fn has_own(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn own(&self, key: &str) -> Option<Entry<'a>> {
        let value = self.table.get(key)?;
        Some(Entry { report: self.report, path: self.path_of(key), value })
    }

    pub(super) fn get(&self, key: &str) -> Option<Entry<'a>> {
        self.own(key).or_else(|| self.inherited.as_ref()?.get(key))
    }

    /// The entry of a key that must be there.
    pub(super) fn require(&self, key: &str) -> Option<Entry<'a>> {
        let entry = self.get(key);
        if entry.is_none() {
            self.wrong(key, "is missing");
        }
        entry
    }

    /// A table inside this one, inheriting from the table of the same name where this one inherits.
    pub(super) fn section(&self, key: &str) -> Option<Self> {
        let above = self.inherited.as_ref().and_then(|above| above.section(key));
        match self.own(key) {
            Some(entry) => Some(entry.section()?.inheriting(above)),
            None => above,
        }
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let list = self.get(key).map(|entry| entry.list()).unwrap_or_default();
        list.iter().filter_map(|entry| entry.text().map(str::to_owned)).collect()
    }
}
