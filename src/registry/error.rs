use std::fmt;

use thiserror::Error;

/// One thing wrong in a ledger, said so that it can be found in a spreadsheet and mended.
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

/// Why a ledger was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The bytes cannot be read as a table at all, or exceed a limit.
    #[error("{0}")]
    Unreadable(String),
    /// The table was read and rows are wrong: every one of them, in the order of the file.
    #[error("{}", shown(.errors, *.shown_max))]
    Rows {
        /// Every error, in the order of the file.
        errors: Vec<RowError>,
        /// How many of them the message writes out; it always tells the total.
        shown_max: usize,
    },
}

fn shown(errors: &[RowError], shown_max: usize) -> String {
    let mut lines: Vec<String> = errors.iter().take(shown_max).map(ToString::to_string).collect();
    let total = errors.len();
    lines.push(if total > shown_max {
        format!("{total} errors, the first {shown_max} of them shown; nothing was imported")
    } else {
        format!("{total} errors; nothing was imported")
    });
    lines.join("\n")
}
