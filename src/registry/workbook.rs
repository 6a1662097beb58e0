//! An XLSX ledger as rows of cells.

use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, SheetVisible, Xlsx};
use chrono::NaiveDate;

use super::cell::Cell;
use super::csv_table::{TableRow, too_many_rows};
use super::{ReadError, Settings};

/// Parts a workbook of one ledger may reasonably have.
const PARTS_MAX: usize = 2_000;

/// Whether the bytes are a zip archive, as every XLSX is.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Reads the first visible sheet that holds anything.
///
/// Cells are streamed: a lone cell in the last corner of a sheet costs one row, not a full grid.
pub(super) fn rows(bytes: &[u8], settings: &Settings) -> Result<Vec<TableRow>, ReadError> {
    check_decompressed_size(bytes, settings)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let sheets: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    for name in sheets {
        let rows = sheet_rows(&mut book, &name, settings)?;
        if !rows.is_empty() {
            return Ok(rows);
        }
    }
    Err(ReadError::Unreadable("the workbook has no visible sheet with anything in it".to_owned()))
}

fn unreadable(error: impl std::fmt::Display) -> ReadError {
    ReadError::Unreadable(format!("not a readable .xlsx workbook: {error}"))
}

/// Decompresses every part into nothing, so that a small file that grows without end is refused
/// before anything is kept of it. The sizes an archive declares are not believed.
fn check_decompressed_size(bytes: &[u8], settings: &Settings) -> Result<(), ReadError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if archive.len() > PARTS_MAX {
        return Err(unreadable(format!("{} parts, more than {PARTS_MAX}", archive.len())));
    }
    let mut left = settings.decompressed_bytes_max;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(unreadable)?;
        let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        let Some(rest) = left.checked_sub(read.map_err(unreadable)?) else {
            return Err(unreadable(format!(
                "it grows beyond {} bytes when decompressed",
                settings.decompressed_bytes_max
            )));
        };
        left = rest;
    }
    Ok(())
}

fn sheet_rows(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    settings: &Settings,
) -> Result<Vec<TableRow>, ReadError> {
    let mut reader = book.worksheet_cells_reader(name).map_err(unreadable)?;
    let mut rows: Vec<TableRow> = Vec::new();
    while let Some(found) = reader.next_cell().map_err(unreadable)? {
        let (row, column) = found.get_position();
        let Some(cell) = workbook_cell(found.get_value()) else { continue };
        let (number, column) = (row as usize + 1, column as usize);
        if column >= settings.columns_max {
            return Err(ReadError::Unreadable(format!(
                "row {number} has a value in column {}, beyond the {} allowed",
                column + 1,
                settings.columns_max
            )));
        }
        if rows.last().is_none_or(|last| last.number < number) {
            if rows.len() > settings.rows_max {
                return Err(too_many_rows(settings));
            }
            rows.push(TableRow { number, cells: Vec::new() });
        }
        let Some(last) = rows.last_mut().filter(|last| last.number == number) else {
            return Err(unreadable("its rows are not in order"));
        };
        if last.cells.len() <= column {
            last.cells.resize(column + 1, None);
        }
        last.cells[column] = Some(cell);
    }
    Ok(rows)
}

fn workbook_cell(value: &DataRef<'_>) -> Option<Cell> {
    match value {
        DataRef::Empty => None,
        DataRef::String(text) => Cell::text(text),
        DataRef::SharedString(text) => Cell::text(text),
        DataRef::Float(number) => Some(Cell::Number(*number)),
        // Beyond 15 digits the number is refused, so nothing exact is lost here.
        DataRef::Int(number) => Some(Cell::Number(*number as f64)),
        DataRef::DateTime(at) => Some(date_cell(at)),
        DataRef::DateTimeIso(text) => Cell::text(text),
        DataRef::Bool(_) => Some(Cell::Bad("is a TRUE/FALSE cell".to_owned())),
        DataRef::DurationIso(_) => Some(Cell::Bad("is a duration cell".to_owned())),
        DataRef::Error(error) => Some(Cell::Bad(format!("is the error {error}"))),
    }
}

fn date_cell(at: &calamine::ExcelDateTime) -> Cell {
    if at.is_duration() {
        return Cell::Bad("is a duration cell".to_owned());
    }
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day));
    let time = (u32::from(hour), u32::from(minute), u32::from(second));
    date.and_then(|date| date.and_hms_opt(time.0, time.1, time.2)).map_or_else(
        || Cell::Bad(format!("is the day {year}-{month}-{day}, which does not exist")),
        Cell::Date,
    )
}
