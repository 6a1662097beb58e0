//! Binary COPY: the rows that it takes, and the connection in the middle of one.

use std::io::Write as _;
use std::mem;
use std::ops::{Deref, DerefMut};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use super::StoreError;
use crate::domain::Count;

/// What comes once before the rows: a signature of eleven bytes, flags, and the length of nothing.
pub(super) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What comes after the last row, in the place of a number of columns.
pub(super) const TRAILER: [u8; 2] = [0xff; 2];

/// From 1970 to 2000, from which Postgres counts its microseconds.
pub(super) const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Bytes of one message of rows; the protocol allows a gigabyte.
const MESSAGE: usize = 1 << 20;

/// A connection that goes back to its pool only after its work has come to an end: one that was
/// left in the middle of a COPY would give whoever has it next the answers meant for the last.
pub(super) struct Copying {
    connection: PoolConnection<Postgres>,
    has_ended: bool,
}

impl Copying {
    /// Takes one out of the pool.
    pub(super) async fn acquire(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: pool.acquire().await?, has_ended: false })
    }

    /// All was said and heard: it may serve others.
    pub(super) fn end(mut self) {
        self.has_ended = true;
    }
}

impl Deref for Copying {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Copying {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.close_on_drop();
        }
    }
}

/// A value of one column: four bytes of length, −1 for null, then so many bytes.
pub(super) trait Cell: Sync {
    /// Appends both.
    fn write(&self, bytes: &mut Vec<u8>);
}

/// Appends what `value` appends, its length before it.
fn sized(bytes: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len() + 4;
    bytes.extend([0; 4]);
    value(bytes);
    // One that is too long has a length that the server refuses.
    let length = i32::try_from(bytes.len() - start).unwrap_or(i32::MAX);
    bytes[start - 4..start].copy_from_slice(&length.to_be_bytes());
}

impl<T: Cell> Cell for Option<T> {
    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(bytes),
            None => bytes.extend((-1_i32).to_be_bytes()),
        }
    }
}

impl<T: Cell + ?Sized> Cell for &T {
    fn write(&self, bytes: &mut Vec<u8>) {
        (**self).write(bytes);
    }
}

/// `bigint`.
impl Cell for i64 {
    fn write(&self, bytes: &mut Vec<u8>) {
        sized(bytes, |value| value.extend(self.to_be_bytes()));
    }
}

/// `boolean`.
impl Cell for bool {
    fn write(&self, bytes: &mut Vec<u8>) {
        sized(bytes, |value| value.push(u8::from(*self)));
    }
}

/// `text`; the server refuses one that holds a NUL.
impl Cell for str {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.as_bytes().write(bytes);
    }
}

/// `text`, like `str`.
impl Cell for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.as_bytes().write(bytes);
    }
}

/// `bytea`.
impl Cell for [u8] {
    fn write(&self, bytes: &mut Vec<u8>) {
        sized(bytes, |value| value.extend_from_slice(self));
    }
}

/// `date`.
impl Cell for NaiveDate {
    fn write(&self, bytes: &mut Vec<u8>) {
        /// The first of January 2000, counted from the first year.
        const EPOCH_DAY: i32 = 730_120;
        sized(bytes, |value| value.extend((self.num_days_from_ce() - EPOCH_DAY).to_be_bytes()));
    }
}

/// `timestamptz`, cut to microseconds.
impl Cell for DateTime<Utc> {
    fn write(&self, bytes: &mut Vec<u8>) {
        // No time that chrono holds leaves 64 bits; those beyond its own the server refuses.
        (self.timestamp_micros() - EPOCH_MICROS).write(bytes);
    }
}

/// `jsonb`, a version and text: a bare number where exact, as `count_json` gives it.
impl Cell for Count {
    fn write(&self, bytes: &mut Vec<u8>) {
        const VERSION: u8 = 1;
        sized(bytes, |value| {
            value.push(VERSION);
            match self {
                Self::Exact(number) => write!(value, "{number}").expect("memory takes it"),
                other => {
                    serde_json::to_writer(value, other).expect("a count has string keys");
                }
            }
        });
    }
}

/// Rows for one table.
pub(super) struct CopyRows(Vec<u8>);

impl CopyRows {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(HEADER.to_vec())
    }

    /// Appends a row of so many columns.
    pub(super) fn push<const COLUMNS: usize>(&mut self, cells: [&dyn Cell; COLUMNS]) {
        let columns = i16::try_from(COLUMNS).unwrap_or(i16::MAX);
        self.0.extend(columns.to_be_bytes());
        for cell in cells {
            cell.write(&mut self.0);
        }
    }

    /// The bytes that it holds.
    pub(super) fn size(&self) -> usize {
        self.0.len()
    }

    /// What was not taken yet, for whoever sends it part by part, and the trailer at the end.
    pub(super) fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }

    /// Writes them all, within the connection's transaction: by `copy TABLE (COLUMNS) from stdin
    /// (format binary)`.
    ///
    /// # Errors
    /// Those of an `insert` of the same rows. A row that is there already is one, too.
    pub(super) async fn copy(
        mut self,
        connection: &mut PgConnection,
        statement: &str,
    ) -> Result<(), StoreError> {
        self.0.extend(TRAILER);
        let mut copy = connection.copy_in_raw(statement).await?;
        for part in self.0.chunks(MESSAGE) {
            copy.send(part).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cell: &dyn Cell) -> Vec<u8> {
        let mut bytes = Vec::new();
        cell.write(&mut bytes);
        bytes
    }

    fn after_length(cell: &dyn Cell) -> Vec<u8> {
        let bytes = written(cell);
        let (length, value) = bytes.split_first_chunk().unwrap();
        assert_eq!(usize::try_from(i32::from_be_bytes(*length)).unwrap(), value.len());
        value.to_vec()
    }

    #[test]
    fn every_kind_of_value_is_written_as_postgres_reads_it() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let table: [(&dyn Cell, &[u8]); 17] = [
            (&7_i64, &[0, 0, 0, 0, 0, 0, 0, 7]),
            (&-1_i64, &[0xff; 8]),
            (&true, &[1]),
            (&false, &[0]),
            (&"", &[]),
            (&"巡检 \u{1F600}".to_owned(), "巡检 \u{1F600}".as_bytes()),
            (&"a\0b", b"a\0b"),
            (&[0_u8, 0xff].as_slice(), &[0, 0xff]),
            (&day("2000-01-01"), &[0; 4]),
            (&day("1999-12-31"), &[0xff; 4]),
            (&at("2000-01-01T00:00:00Z"), &[0; 8]),
            (&at("2000-01-01T00:00:00.000001999Z"), &[0, 0, 0, 0, 0, 0, 0, 1]),
            (&at("1999-12-31T23:59:59.999999Z"), &[0xff; 8]),
            (&DateTime::<Utc>::MIN_UTC, &[0x8c, 0x52, 0x2f, 0x56, 0x11, 0x9f, 0xa0, 0]),
            (&Count::Exact(u64::MAX), b"\x0118446744073709551615"),
            (&Some(Count::Exact(0)), b"\x010"),
            (&Some("x"), b"x"),
        ];
        for (number, (cell, expected)) in table.into_iter().enumerate() {
            assert_eq!(after_length(cell), expected, "line {number}");
        }
        assert_eq!(written(&None::<i64>), [0xff; 4]);
    }

    #[test]
    fn counts_are_the_same_json_as_by_insert() {
        let capped = Count::Bounded { value: 100_001, low: 100_001, high: None };
        let rounded = Count::Bounded { value: 12_000, low: 11_500, high: Some(12_499) };
        for count in [Count::Exact(3), capped, rounded, Count::Hidden("login_required".into())] {
            let bytes = after_length(&count);
            let (version, text) = bytes.split_first().unwrap();
            assert_eq!(*version, 1);
            let value: serde_json::Value = serde_json::from_slice(text).unwrap();
            assert_eq!(Some(value), super::super::columns::count_json(Some(&count)));
        }
    }

    #[test]
    fn a_row_is_its_number_of_columns_and_they() {
        let mut rows = CopyRows::new();
        rows.push([&1_i64, &None::<&str>, &true]);
        let row = [&[0, 3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0xff; 4], &[0, 0, 0, 1, 1]];
        assert_eq!(rows.0, [HEADER, &row.concat()].concat());
    }
}
