//! `config/calendar/<year>.json`.
//!
//! `{"year": 2026, "papers": ["…"], "days": [{"name": "元旦", "date": "2026-01-01",
//! "isOffDay": true}]}`: the shape of the public collection `holiday-cn`, so that its yearly file
//! can be put into the folder as it is.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use crate::domain::{Problem, SourceText};

/// Days that a notice changes in one year; the most so far are below 50.
const DAYS_MAX: usize = 400;

pub(super) struct Year {
    pub(super) year: i32,
    pub(super) days: BTreeMap<NaiveDate, bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    #[serde(rename = "$id")]
    _id: Option<String>,
    year: i32,
    #[serde(default, rename = "papers")]
    _papers: Vec<String>,
    days: Vec<Day>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    #[serde(default, rename = "name")]
    _name: String,
    date: String,
    #[serde(rename = "isOffDay")]
    is_off_day: bool,
}

/// Reads one file; `None` where nothing of it can be used.
pub(super) fn read(source: &SourceText, problems: &mut Vec<Problem>) -> Option<Year> {
    let file: File = match serde_json::from_str(&source.text) {
        Ok(file) => file,
        Err(error) => {
            problems.push(Problem {
                file: source.file.clone(),
                line: error.line(),
                field: String::new(),
                reason: error.to_string(),
            });
            return None;
        }
    };
    if !(1990..2100).contains(&file.year) {
        problems.push(source.problem_at(0, "year", format!("{} is out of range", file.year)));
    }
    if file.days.len() > DAYS_MAX {
        let reason = format!("{} days, at most {DAYS_MAX}", file.days.len());
        problems.push(source.problem_at(0, "days", reason));
        return None;
    }
    let mut days = BTreeMap::new();
    for (index, day) in file.days.iter().enumerate() {
        let field = format!("days[{index}].date");
        let offset = nth(&source.text, "\"date\"", index);
        let mut wrong = |reason: String| problems.push(source.problem_at(offset, &field, reason));
        let Ok(date) = day.date.parse::<NaiveDate>() else {
            wrong(format!("{:?} is no day, as 2026-01-01", day.date));
            continue;
        };
        let before = date.year() + 1 == file.year && date.month() == 12;
        if date.year() != file.year && !before {
            wrong(format!("{date} lies neither in {} nor in the December before", file.year));
        }
        if days.insert(date, day.is_off_day).is_some() {
            wrong(format!("{date} stands twice"));
        }
    }
    Some(Year { year: file.year, days })
}

/// Where the `index`-th occurrence begins; the end of the text where there are fewer.
fn nth(text: &str, part: &str, index: usize) -> usize {
    text.match_indices(part).nth(index).map_or(text.len(), |(offset, _)| offset)
}
