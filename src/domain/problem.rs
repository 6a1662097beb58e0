use std::fmt;

/// One thing wrong in a file that somebody wrote, said so that it can be found and mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as the reader was given it.
    pub file: String,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The key path, such as `pages.timeline.item.likes`; empty where the syntax itself is wrong.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() { "-" } else { &self.field };
        write!(f, "{}:{}: {}: {}", self.file, self.line, field, self.reason)
    }
}

/// The text of a configuration file with the name it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The name for messages, usually the path.
    pub file: String,
    /// The whole text.
    pub text: String,
}

impl SourceText {
    /// The line, from 1, of a byte offset; the last line for an offset past the end.
    pub fn line_at(&self, offset: usize) -> usize {
        let end = offset.min(self.text.len());
        self.text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// A problem at a byte offset of this text.
    pub fn problem_at(&self, offset: usize, field: &str, reason: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            line: self.line_at(offset),
            field: field.to_owned(),
            reason: reason.into(),
        }
    }

    /// A problem with the value of a key path (`a.b.c`), at the line where the path, or the
    /// longest part of it that the file has, is written.
    pub fn problem(&self, field: &str, reason: impl Into<String>) -> Problem {
        self.problem_at(self.offset_of(field), field, reason)
    }

    fn offset_of(&self, field: &str) -> usize {
        let Ok(document) = toml::de::DeTable::parse(&self.text) else { return 0 };
        let mut offset = 0;
        let mut table = Some(document.get_ref());
        for part in field.split('.') {
            let Some((key, value)) = table.and_then(|table| table.get_key_value(part)) else {
                break;
            };
            offset = key.span().start;
            table = value.get_ref().as_table();
        }
        offset
    }
}

/// One thing wrong in an office's table, said so that it can be found in a spreadsheet and mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowError {
    /// The row as a spreadsheet numbers it: the header is row 1.
    pub row: usize,
    /// The column's header as it stands in the file; its usual name where the file lacks it.
    pub column: String,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}, column {}: {}", self.row, self.column, self.reason)
    }
}
