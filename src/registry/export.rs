//! Entries into a ledger that [`super::read()`] reads back unchanged.

use std::collections::BTreeSet;

use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Workbook, Worksheet};
use thiserror::Error;

use crate::domain::LedgerEntry;

use super::Column;
use super::csv_table::guarded;

/// The form of a written ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// UTF-8 with a byte order mark, which spreadsheets need to show Chinese.
    Csv,
    /// A workbook with typed cells: days are dates, the population is a number, the rest is text.
    Xlsx,
}

impl Format {
    /// Reads `csv` or `xlsx`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }
}

/// Why a ledger could not be written: a value or a number of rows that the form cannot hold.
#[derive(Debug, Error)]
#[error("the ledger cannot be written: {0}")]
pub struct ExportError(String);

/// Writes a ledger with Chinese headers, one column for every note name, and nothing that a
/// spreadsheet would compute.
///
/// # Errors
///
/// Only where the form cannot hold the ledger, such as a workbook of more than a million rows.
pub fn export(entries: &[LedgerEntry], format: Format) -> Result<Vec<u8>, ExportError> {
    let notes: BTreeSet<&str> =
        entries.iter().flat_map(|entry| entry.notes.keys().map(String::as_str)).collect();
    match format {
        Format::Csv => csv(entries, &notes).map_err(|error| ExportError(error.to_string())),
        Format::Xlsx => xlsx(entries, &notes).map_err(|error| ExportError(error.to_string())),
    }
}

fn titles<'a>(notes: &BTreeSet<&'a str>) -> Vec<&'a str> {
    Column::all().map(|column| -> &'a str { column.title() }).chain(notes.iter().copied()).collect()
}

fn csv(entries: &[LedgerEntry], notes: &BTreeSet<&str>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(titles(notes).into_iter().map(guarded))?;
    for entry in entries {
        let known = Column::all().map(|column| column.value(entry));
        let noted = notes.iter().map(|note| entry.notes.get(*note).cloned());
        writer.write_record(known.chain(noted).map(|value| guarded(&value.unwrap_or_default())))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn xlsx(
    entries: &[LedgerEntry],
    notes: &BTreeSet<&str>,
) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("台账")?;
    let header = CellFormat::new().set_bold();
    for (column, title) in (0u16..).zip(titles(notes)) {
        sheet.write_string_with_format(0, column, title, &header)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let day = CellFormat::new().set_num_format("yyyy-mm-dd");
    for (row, entry) in (1u32..).zip(entries) {
        for (place, column) in (0u16..).zip(Column::all()) {
            write_cell(sheet, (row, place), column, entry, &day)?;
        }
        for (place, note) in (0u16..).zip(notes).map(|(i, note)| (i + NOTES_FROM, note)) {
            if let Some(text) = entry.notes.get(*note) {
                sheet.write_string(row, place, text)?;
            }
        }
    }
    book.save_to_buffer()
}

/// The first column of notes.
const NOTES_FROM: u16 = 24;

fn write_cell(
    sheet: &mut Worksheet,
    (row, place): (u32, u16),
    column: Column,
    entry: &LedgerEntry,
    day: &CellFormat,
) -> Result<(), rust_xlsxwriter::XlsxError> {
    let date = match column {
        Column::FiledOn => entry.filed_on,
        Column::OpenedOn => entry.opened_on,
        Column::ClosedOn => entry.closed_on,
        Column::ExemptUntil => entry.exempt_until,
        Column::ContractUntil => entry.contract_until,
        _ => None,
    };
    if let Some(date) = date {
        let date = ExcelDateTime::parse_from_str(&date.to_string())?;
        sheet.write_datetime_with_format(row, place, &date, day)?;
    } else if let (Column::Population, Some(people)) = (column, entry.population)
        && let Ok(people) = u32::try_from(people)
    {
        sheet.write_number(row, place, people)?;
    } else if let Some(text) = column.value(entry) {
        // Always as a string: a workbook computes only what is stored as a formula.
        sheet.write_string(row, place, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_follow_the_last_column() {
        assert_eq!(usize::from(NOTES_FROM), Column::all().count());
    }
}
