//! Reads TOML tables key by key, so that every mistake of a file is told and none hides another.

mod words;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::{Problem, SourceText};

/// One table of a file while it is read.
pub(super) struct Reader<'a> {
    source: &'a SourceText,
    /// The key path of the table, with a point at the end where it is not the root.
    path: String,
    table: &'a DeTable<'a>,
    /// Where the table begins, for keys that it lacks.
    start: usize,
    asked: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn root(source: &'a SourceText, table: &'a DeTable<'a>) -> Self {
        Self { source, path: String::new(), table, start: 0, asked: BTreeSet::new() }
    }

    /// A problem with a key of this table.
    pub(super) fn problem(&self, key: &str, reason: impl Into<String>) -> Problem {
        let offset = self.table.get_key_value(key).map_or(self.start, |(key, _)| key.span().start);
        self.source.problem_at(offset, &format!("{}{key}", self.path), reason)
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> String {
        self.value(key, "a text", problems, |value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
        })
        .unwrap_or_default()
    }

    /// A text that may be left out.
    pub(super) fn optional_text(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<&'a str> {
        self.asked.insert(key);
        self.table.get(key)?;
        self.value(key, "a text", problems, |value| value.as_str())
    }

    /// A decimal number of at least 0, written as integer or with a point.
    pub(super) fn decimal(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> Decimal {
        self.value(key, "a number of at least 0", problems, |value| {
            let text = match value {
                DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
                DeValue::Float(number) => number.as_str(),
                _ => return None,
            };
            text.parse().ok().filter(|number: &Decimal| !number.is_sign_negative())
        })
        .unwrap_or_default()
    }

    /// A decimal number that may be left out.
    pub(super) fn optional_decimal(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<Decimal> {
        self.asked.insert(key);
        self.table.get(key).map(|_| self.decimal(key, problems))
    }

    /// A whole number of at least 1.
    pub(super) fn whole(&mut self, key: &'static str, problems: &mut Vec<Problem>) -> u32 {
        self.value(key, "a whole number of at least 1", problems, |value| {
            let number = value.as_integer().filter(|number| number.radix() == 10)?;
            number.as_str().parse().ok().filter(|number| *number > 0)
        })
        .unwrap_or(1)
    }

    /// A whole number of at least 1 that may be left out.
    pub(super) fn optional_whole(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<u32> {
        self.asked.insert(key);
        self.table.get(key).map(|_| self.whole(key, problems))
    }

    /// A calendar day.
    pub(super) fn day(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<NaiveDate> {
        self.value(key, "a day, as 2026-01-01 without quotation marks", problems, |value| {
            let written = value.as_datetime().filter(|at| at.time.is_none())?;
            let date = written.date?;
            NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
        })
    }

    /// A day that may be left out.
    pub(super) fn optional_day(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<NaiveDate> {
        self.asked.insert(key);
        self.table.get(key).and_then(|_| self.day(key, problems))
    }

    /// A table that must be there.
    pub(super) fn table(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<Reader<'a>> {
        let found = self.optional_table(key, problems);
        if found.is_none() && !self.table.contains_key(key) {
            problems.push(self.problem(key, "is missing; a table is wanted"));
        }
        found
    }

    /// A table that may be left out.
    pub(super) fn optional_table(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<Reader<'a>> {
        self.asked.insert(key);
        let value = self.table.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            problems.push(self.problem(key, "a table is wanted"));
            return None;
        };
        Some(self.inner(format!("{}{key}.", self.path), table, value.span().start))
    }

    /// The tables of an array of tables, at least one.
    pub(super) fn tables(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Vec<Reader<'a>> {
        let array = self.value(key, "at least one table [[…]]", problems, |value| {
            let array = value.as_array()?;
            let items: Vec<&'a Spanned<DeValue<'a>>> = array.iter().collect();
            let all_tables = items.iter().all(|item| item.get_ref().is_table());
            (all_tables && !items.is_empty()).then_some(items)
        });
        let tables = array.unwrap_or_default().into_iter().enumerate();
        tables
            .filter_map(|(index, item)| {
                let path = format!("{}{key}[{index}].", self.path);
                Some(self.inner(path, item.get_ref().as_table()?, item.span().start))
            })
            .collect()
    }

    /// The tables of an array of tables, which may be left out.
    pub(super) fn optional_tables(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Vec<Reader<'a>> {
        self.asked.insert(key);
        if self.has(key) { self.tables(key, problems) } else { Vec::new() }
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self, problems: &mut Vec<Problem>) {
        for key in self.table.keys() {
            let key: &str = key.get_ref();
            if !self.asked.contains(key) {
                let known: Vec<&str> = self.asked.iter().copied().collect();
                let reason = format!("is no key here; known are {}", known.join(", "));
                problems.push(self.problem(key, reason));
            }
        }
    }

    fn inner(&self, path: String, table: &'a DeTable<'a>, start: usize) -> Reader<'a> {
        Reader { source: self.source, path, table, start, asked: BTreeSet::new() }
    }

    fn value<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        problems: &mut Vec<Problem>,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        self.asked.insert(key);
        let Some(value) = self.table.get(key) else {
            problems.push(self.problem(key, format!("is missing; {wanted} is wanted")));
            return None;
        };
        let read = read(value.get_ref());
        if read.is_none() {
            problems.push(self.problem(key, format!("{wanted} is wanted")));
        }
        read
    }
}
