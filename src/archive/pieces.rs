use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// A piece is closed once it holds so many bytes of rows.
pub const PIECE_BYTES: usize = 4 << 20;

/// No piece is larger unpacked: one row of more than this is none of ours.
const UNPACKED_BYTES_MAX: u64 = 512 << 20;

/// Rows of one table on their way into numbered parts.
pub struct Pieces {
    table: String,
    number: u32,
    raw: Vec<u8>,
    /// Rows taken so far.
    pub rows: u64,
}

impl Pieces {
    /// Of a table, still empty.
    pub fn of(table: &str) -> Self {
        Self { table: table.to_owned(), number: 0, raw: Vec::new(), rows: 0 }
    }

    /// Takes a row; a piece that is full by now, with its name.
    ///
    /// # Errors
    /// The row is larger than any that can be read back.
    pub fn push(&mut self, row: &[u8]) -> io::Result<Option<(String, Vec<u8>)>> {
        if (self.raw.len() + row.len()) as u64 > UNPACKED_BYTES_MAX {
            return Err(io::Error::other(format!(
                "a row of {} has {} bytes",
                self.table,
                row.len()
            )));
        }
        self.raw.extend_from_slice(row);
        self.rows += 1;
        if self.raw.len() >= PIECE_BYTES { self.close().map(Some) } else { Ok(None) }
    }

    /// What is left, if anything is.
    ///
    /// # Errors
    /// None in memory.
    pub fn rest(&mut self) -> io::Result<Option<(String, Vec<u8>)>> {
        if self.raw.is_empty() { Ok(None) } else { self.close().map(Some) }
    }

    fn close(&mut self) -> io::Result<(String, Vec<u8>)> {
        self.number += 1;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(3));
        encoder.write_all(&self.raw)?;
        self.raw.clear();
        let name = format!("{}{}/{:06}.copy.gz", super::TABLES, self.table, self.number);
        Ok((name, encoder.finish()?))
    }
}

/// The rows of a piece.
///
/// # Errors
/// It is no gzip, or larger than any piece.
pub fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    GzDecoder::new(packed).take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut raw)?;
    if raw.len() as u64 > UNPACKED_BYTES_MAX {
        return Err(io::Error::other("larger than any piece"));
    }
    Ok(raw)
}
