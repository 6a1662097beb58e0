//! A CSV ledger as rows of cells.

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

use super::cell::Cell;
use super::{ReadError, Settings};

/// A row as the file has it, with its spreadsheet number.
pub(super) struct TableRow {
    /// The number a spreadsheet shows: the first row is 1.
    pub(super) number: usize,
    /// The cells; an empty one is `None`.
    pub(super) cells: Vec<Option<Cell>>,
}

/// Reads CSV, or text separated by tabs or semicolons.
pub(super) fn rows(bytes: &[u8], settings: &Settings) -> Result<Vec<TableRow>, ReadError> {
    let text = decoded(bytes)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let found = reader
            .read_record(&mut record)
            .map_err(|error| ReadError::Unreadable(format!("not a CSV table: {error}")))?;
        if !found {
            return Ok(rows);
        }
        number += 1 + blank_lines(&text, start);
        if rows.len() > settings.rows_max {
            return Err(too_many_rows(settings));
        }
        rows.push(TableRow { number, cells: record.iter().map(csv_cell).collect() });
    }
}

pub(super) fn too_many_rows(settings: &Settings) -> ReadError {
    ReadError::Unreadable(format!("more than {} rows", settings.rows_max))
}

fn csv_cell(raw: &str) -> Option<Cell> {
    Cell::text(unguarded(raw))
}

/// Whether a spreadsheet would compute this text rather than show it.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// Text that no spreadsheet computes: an apostrophe before what would be a formula.
pub fn guarded(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

/// Undoes [`guarded`].
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

/// The text of a ledger in UTF-8, UTF-8 with a byte order mark, UTF-16 with one, or GB18030.
fn decoded(bytes: &[u8]) -> Result<String, ReadError> {
    let unreadable = |reason: &str| Err(ReadError::Unreadable(reason.to_owned()));
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return unreadable("an old .xls workbook or one with a password; save it as .xlsx or CSV");
    }
    if let Some(body) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        return match std::str::from_utf8(body) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => unreadable(&format!("marked as UTF-8, but is not: {error}")),
        };
    }
    let marked = [([0xFF, 0xFE], UTF_16LE), ([0xFE, 0xFF], UTF_16BE)];
    let (encoding, body) = match marked.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        Some((_, encoding)) => (*encoding, &bytes[2..]),
        None => match std::str::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => return unreadable("not a text file"),
            Ok(text) => return Ok(text.to_owned()),
            Err(_) => (GB18030, bytes),
        },
    };
    match encoding.decode_without_bom_handling_and_without_replacement(body) {
        Some(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => unreadable("neither a workbook nor a table in UTF-8 or GB18030"),
    }
}

/// The separator that stands most often in the header.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    // The last of equals wins, so that a header without any is read as commas.
    [b';', b'\t', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// Blank lines that the reader steps over silently but a spreadsheet numbers.
fn blank_lines(text: &str, start: usize) -> usize {
    let Some(rest) = text.get(start..) else { return 0 };
    // A record read to its carriage return leaves the line feed behind.
    let ended = text.as_bytes().get(start.wrapping_sub(1)) == Some(&b'\r');
    let rest = if ended { rest.strip_prefix('\n').unwrap_or(rest) } else { rest };
    rest.bytes()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .filter(|byte| *byte == b'\n')
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<usize> {
        let rows = rows(text.as_bytes(), &Settings::default()).unwrap();
        rows.iter().map(|row| row.number).collect()
    }

    #[test]
    fn rows_are_numbered_as_a_spreadsheet_numbers_them() {
        assert_eq!(numbers("a,b\n1,2\n3,4\n"), [1, 2, 3]);
        assert_eq!(numbers("a,b\r\n1,2\r\n\r\n\r\n3,4\r\n"), [1, 2, 5]);
        assert_eq!(numbers("a,b\n\n1,\"2\n2\"\n3,4"), [1, 3, 4]);
        assert_eq!(numbers("\n\na,b\n1,2"), [3, 4]);
    }

    #[test]
    fn guarding_is_undone_exactly() {
        for text in ["=1+1", "'=1", "''@x", "-5", "+86", "plain", "'quoted'", "＝1", ""] {
            let guarded = guarded(text);
            assert!(!is_formula(&guarded), "{text}");
            assert_eq!(unguarded(&guarded), text);
        }
    }
}
