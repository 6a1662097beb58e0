//! The office's ledger (台账): reading, comparing, auditing, writing.
//!
//! Bytes in, bytes out: no files, no clock, no database. [`read()`] parses at the door, so that an
//! entry which left this module satisfies every rule of the [`Column`] table; [`compare()`] says
//! what an import would do before anybody does it; [`audit()`] lists what is wrong with the books
//! themselves; [`export()`] writes what [`read()`] reads back unchanged.

mod audit;
mod cell;
mod column;
mod compare;
mod csv_table;
mod defect;
mod error;
mod export;
mod header;
mod read;
mod table;
mod workbook;

#[cfg(test)]
mod tests;

pub use crate::domain::RowError;
pub use audit::audit;
pub use column::Column;
pub use compare::{Area, Change, Changes, FieldChange, HandleConflict, Refusal, compare};
pub use csv_table::guarded;
pub use defect::{AuditFacts, Defect, DefectKind};
pub use error::ReadError;
pub use export::{ExportError, Format, export};
pub use read::{Ledger, read};
pub use table::{Table, TextRow, table};

use serde::{Deserialize, Serialize};

/// Limits on ledgers and the office's own rules about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The most rows a ledger may have, its header excluded.
    pub rows_max: usize,
    /// The most columns a ledger may have.
    pub columns_max: usize,
    /// The most bytes a ledger may have as it comes.
    pub file_bytes_max: usize,
    /// The most bytes a workbook may have once decompressed, all parts together.
    pub decompressed_bytes_max: u64,
    /// The most characters of one cell.
    pub cell_characters_max: usize,
    /// The most row errors written out; the total is always told.
    pub errors_shown_max: usize,
    /// Missing accounts are withdrawn without a further yes up to this share of the area, percent.
    pub withdrawn_percent_max: u32,
    /// An account filed (备案) more than this many days after it was opened was filed late.
    ///
    /// Local rules run from two working days to thirty days after opening.
    pub filing_days_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rows_max: 200_000,
            columns_max: 200,
            file_bytes_max: 64 << 20,
            decompressed_bytes_max: 256 << 20,
            cell_characters_max: 2_000,
            errors_shown_max: 200,
            withdrawn_percent_max: 5,
            filing_days_max: 30,
        }
    }
}
