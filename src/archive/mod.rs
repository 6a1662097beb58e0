//! The file of a backup: the whole state as a tar file with the digests of its parts at its end.
//!
//! ```text
//! backup.json                     what it is: program, schema, tables, key, configuration
//! tables/<table>/000001.copy.gz   rows as Postgres' COPY writes them, in pieces of whole rows
//! evidence/<segment>              WARC segments, those still being written up to their last record
//! installation.key                only where it was asked for
//! tail.json                       rows per table, sequences, what is not in it
//! SHA256SUMS                      as `sha256sum -c` reads it; last, so that a cut file has none
//! ```
//!
//! `tar -x` and `sha256sum -c SHA256SUMS` open and check it without this program. Digests show
//! accidents; whoever alters a backup on purpose can write new ones, so the digest of the whole is
//! printed when it is made and can be asked for when it is read.

mod document;
mod error;
mod pieces;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use document::{ConfigFile, FORMAT, Head, Missing, Rows, Sequence, TableShape, Tail};
pub use error::ArchiveError;
pub use pieces::{PIECE_BYTES, Pieces, unpack};
pub use reader::{Checked, Part};
pub use writer::Writer;

/// The first part.
pub const HEAD: &str = "backup.json";
/// The last but one.
pub const TAIL: &str = "tail.json";
/// The last.
pub const SUMS: &str = "SHA256SUMS";
/// The installation's key.
pub const KEY: &str = "installation.key";
/// Before the names of segments.
pub const EVIDENCE: &str = "evidence/";
/// Before the names of tables.
pub const TABLES: &str = "tables/";

/// The table that a part holds rows of.
pub fn table_of(part: &str) -> Option<&str> {
    part.strip_prefix(TABLES)?.split_once('/').map(|(table, _)| table)
}
