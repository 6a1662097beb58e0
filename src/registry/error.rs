use thiserror::Error;

use crate::domain::RowError;

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
