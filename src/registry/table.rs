//! A table of an office that is no ledger: an authorised export, a form filled in by hand.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::read::filled_rows;
use super::{ReadError, RowError, Settings};

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow {
    /// The row as a spreadsheet numbers it.
    pub number: usize,
    /// The cells that hold anything, by the names of their columns.
    pub values: BTreeMap<String, String>,
}

/// The columns of a table that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The rows behind the header, those without a wrong cell.
    pub rows: Vec<TextRow>,
    /// Missing columns, and cells that hold no text.
    pub errors: Vec<RowError>,
}

/// Reads the named columns of a table in CSV (UTF-8 with or without a byte order mark, GB18030) or
/// XLSX; other columns are left alone. Dates of a workbook become `2026-11-22 20:15:00`.
///
/// # Errors
/// [`ReadError::Unreadable`] for bytes that are no table or exceed a limit of `settings`.
pub fn table(bytes: &[u8], columns: &[String], settings: &Settings) -> Result<Table, ReadError> {
    let mut rows = filled_rows(bytes, settings)?.into_iter();
    let Some(first) = rows.next() else {
        return Err(ReadError::Unreadable("the table is empty".to_owned()));
    };
    let header: Vec<String> = first
        .cells
        .iter()
        .map(|cell| cell.as_ref().and_then(|cell| cell.as_words().ok()).unwrap_or_default())
        .collect();
    let mut table = Table { rows: Vec::new(), errors: Vec::new() };
    let mut places: Vec<(usize, &String)> = Vec::new();
    for column in columns {
        let at: Vec<usize> = (0..header.len()).filter(|at| header[*at] == *column).collect();
        match at.as_slice() {
            [one] => places.push((*one, column)),
            [] => table.refuse(first.number, column, "the column is missing"),
            _ => table.refuse(first.number, column, "stands twice in the header"),
        }
    }
    if !table.errors.is_empty() {
        return Ok(table);
    }
    for row in rows {
        let errors_before = table.errors.len();
        let mut values = BTreeMap::new();
        for (place, column) in &places {
            let Some(cell) = row.cells.get(*place).and_then(Option::as_ref) else { continue };
            match read(cell, settings) {
                Ok(text) => {
                    values.insert((*column).clone(), text);
                }
                Err(reason) => table.refuse(row.number, column, &reason),
            }
        }
        if table.errors.len() == errors_before {
            table.rows.push(TextRow { number: row.number, values });
        }
    }
    Ok(table)
}

impl Table {
    fn refuse(&mut self, row: usize, column: &str, reason: &str) {
        let (column, reason) = (column.to_owned(), reason.to_owned());
        self.errors.push(RowError { row, column, reason });
    }
}

fn read(cell: &Cell, settings: &Settings) -> Result<String, String> {
    let text = cell.as_exported()?;
    let (length, most) = (text.chars().count(), settings.cell_characters_max);
    if length > most {
        return Err(format!("{length} characters, more than {most}"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, columns: &[&str]) -> Table {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        table(text.as_bytes(), &columns, &Settings::default()).unwrap()
    }

    #[test]
    fn the_named_columns_are_read_and_others_left_alone() {
        let table = read("标题,阅读,备注\n一,\"1,200\",\u{1}\n,,x\n", &["阅读", "标题"]);
        assert_eq!(table.errors, []);
        let cells = |row: usize| table.rows[row].values.values().cloned().collect::<Vec<_>>();
        assert_eq!((table.rows[0].number, cells(0)), (2, vec!["一".into(), "1,200".into()]));
        assert_eq!((table.rows[1].number, cells(1).len()), (3, 0));
    }

    #[test]
    fn missing_columns_and_wrong_cells_are_all_told() {
        let told = |table: Table| -> Vec<String> {
            table.errors.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            told(read("a,b,b\n1,2,3\n", &["a", "b", "c"])),
            [
                "row 1, column b: stands twice in the header",
                "row 1, column c: the column is missing"
            ]
        );
        let wrong = read("a,b\n\u{1},1.23457E+17\n1,2\n", &["a", "b"]);
        assert_eq!(wrong.rows.len(), 1);
        let told = told(wrong);
        assert!(told[0].starts_with("row 2, column a: ") && told[1].starts_with("row 2, column b"));
    }
}
