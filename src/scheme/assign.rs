//! `assign.toml` beside the schemes: which scheme judges which account.

use std::fmt;

use chrono::NaiveDate;
use toml::de::DeTable;

use crate::domain::{LedgerEntry, Problem, SourceText};

use super::reader::Reader;

/// The name of the file in the folder of schemes.
pub const ASSIGN_FILE: &str = "assign.toml";

/// One row: accounts of an area, platform and category are judged by a scheme from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The scheme's id.
    pub scheme: String,
    /// The first digits of the region; absent: every area.
    pub area: Option<String>,
    /// The platform's id; absent: every platform.
    pub platform: Option<String>,
    /// 类别; absent: every category.
    pub category: Option<String>,
    /// The first day.
    pub from: NaiveDate,
    /// The number of the row in the file, from 1.
    pub row: usize,
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        let (area, platform) = (or(&self.area), or(&self.platform));
        let category = or(&self.category);
        write!(f, "{ASSIGN_FILE}#{} {area}/{platform}/{category} {}", self.row, self.from)
    }
}

impl Assignment {
    fn holds(&self, entry: &LedgerEntry, day: NaiveDate) -> bool {
        self.from <= day
            && self.area.as_ref().is_none_or(|area| entry.region.as_str().starts_with(area))
            && self.platform.as_ref().is_none_or(|platform| *platform == entry.platform)
            && self.category.as_ref().is_none_or(|one| Some(one) == entry.category.as_ref())
    }

    /// The most specific comes last: a longer area before a platform before a category, and of two
    /// alike the later one.
    fn specificity(&self) -> (usize, bool, bool, NaiveDate, usize) {
        let area = self.area.as_ref().map_or(0, String::len);
        (area, self.platform.is_some(), self.category.is_some(), self.from, self.row)
    }
}

/// The most specific row for an account on a day.
pub(super) fn choose<'a>(
    rows: &'a [Assignment],
    entry: &LedgerEntry,
    day: NaiveDate,
    usable: impl Fn(&Assignment) -> bool,
) -> Option<&'a Assignment> {
    let holding = rows.iter().filter(|row| row.holds(entry, day) && usable(row));
    holding.max_by_key(|row| row.specificity())
}

/// Reads the file; its schemes are checked by the catalogue.
pub(super) fn assignments(source: &SourceText, problems: &mut Vec<Problem>) -> Vec<Assignment> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        problems.extend(errors.iter().map(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            source.problem_at(offset, "", error.message())
        }));
        return Vec::new();
    }
    let mut reader = Reader::root(source, document.get_ref());
    let mut rows: Vec<Assignment> = Vec::new();
    let tables = reader.tables("assign", problems);
    for (index, mut table) in tables.into_iter().enumerate() {
        let scheme = table.text("scheme", problems);
        let area = table.optional_text("area", problems).map(str::to_owned);
        if area.as_ref().is_some_and(|area| {
            !matches!(area.len(), 2 | 4 | 6) || !area.bytes().all(|byte| byte.is_ascii_digit())
        }) {
            problems.push(table.problem("area", "is 2, 4 or 6 digits of a region"));
        }
        let platform = table.optional_text("platform", problems).map(str::to_owned);
        let category = table.optional_text("category", problems).map(str::to_owned);
        let from = table.day("from", problems);
        let Some(from) = from else {
            table.finish(problems);
            continue;
        };
        let row = Assignment { scheme, area, platform, category, from, row: index + 1 };
        let same = |other: &Assignment| {
            (&other.area, &other.platform, &other.category, other.from)
                == (&row.area, &row.platform, &row.category, row.from)
        };
        if let Some(other) = rows.iter().find(|other| same(other)) {
            let reason = format!("row {} says the same accounts and day", other.row);
            problems.push(table.problem("scheme", reason));
        }
        table.finish(problems);
        rows.push(row);
    }
    reader.finish(problems);
    rows
}
