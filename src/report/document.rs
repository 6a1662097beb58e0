use std::borrow::Cow;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A document before it has a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The title.
    pub title: String,
    /// Whom it is for (主送), without the colon; absent where it is not addressed.
    pub addressee: Option<String>,
    /// The text.
    pub blocks: Vec<Block>,
    /// Who issues it.
    pub issuer: String,
    /// The day.
    pub date: NaiveDate,
    /// What stands under it in small letters.
    pub notes: Vec<String>,
}

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// 一、…
    Heading(String),
    /// (一)…
    Subheading(String),
    /// A paragraph.
    Paragraph(String),
    /// A table.
    Table(Table),
}

/// A table; in a workbook, a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its title, at most 31 characters, each title once in a document.
    pub title: String,
    /// The heads of its columns with their widths in characters.
    pub columns: Vec<(Cow<'static, str>, u32)>,
    /// The rows, as wide as the head.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Words; never a formula, whatever they begin with.
    Text(String),
    /// A whole number.
    Number(u64),
    /// A share, as it is printed, of two numbers.
    Share(String, u64, u64),
    /// A day.
    Day(NaiveDate),
    /// Nothing is known.
    Unknown,
}

impl Table {
    /// Columns with their widths.
    pub(super) fn columns(columns: &[(&'static str, u32)]) -> Vec<(Cow<'static, str>, u32)> {
        columns.iter().map(|(head, width)| (Cow::Borrowed(*head), *width)).collect()
    }
}

impl Document {
    /// As it is kept once published: the same bytes for the same document.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a document is plain data with text keys")
    }

    /// Reads what [`Self::json`] wrote.
    ///
    /// # Errors
    /// What does not read, and where.
    pub fn read(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| format!("a published document: {error}"))
    }
}

impl Cell {
    /// As it is printed.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Share(shown, ..) => shown.clone(),
            Self::Day(day) => day.format("%Y-%m-%d").to_string(),
            Self::Unknown => "—".to_owned(),
        }
    }
}

/// A day in official writing: `2026年11月28日`.
pub(super) fn chinese_day(day: NaiveDate) -> String {
    use chrono::Datelike;
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// `一`, `二`, … for headings; numbers beyond ten in digits.
pub(super) fn ordinal(number: usize) -> String {
    let words = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"];
    words.get(number.wrapping_sub(1)).map_or_else(|| number.to_string(), |one| (*one).to_owned())
}
