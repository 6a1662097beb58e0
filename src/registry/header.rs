use std::collections::{BTreeMap, HashMap};

use crate::domain::LedgerEntry;

use super::csv_table::TableRow;
use super::{Column, RowError, Settings};

/// What stands in each column of the file.
pub(super) struct Header {
    /// The place of each known column and its header as written.
    pub(super) places: BTreeMap<Column, (usize, String)>,
    /// The place and header of every other column: kept as notes.
    pub(super) notes: Vec<(usize, String)>,
    /// How many columns the header spans.
    pub(super) width: usize,
}

impl Header {
    /// Reads the header row; what is wrong with it goes to `errors`.
    pub(super) fn read(row: &TableRow, settings: &Settings, errors: &mut Vec<RowError>) -> Self {
        let mut header =
            Self { places: BTreeMap::new(), notes: Vec::new(), width: row.cells.len() };
        let mut refuse = |column: &str, reason: String| {
            let column = column.to_owned();
            errors.push(RowError { row: row.number, column, reason });
        };
        for (place, cell) in row.cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            let written = match cell.as_words() {
                Ok(written) => written,
                Err(reason) => {
                    refuse(&(place + 1).to_string(), reason);
                    continue;
                }
            };
            if place >= settings.columns_max {
                refuse(&written, format!("more than {} columns", settings.columns_max));
                break;
            }
            if let Some(column) = Column::from_header(&written) {
                if let Some((_, first)) = header.places.get(&column) {
                    refuse(&written, format!("means the same as the column {first:?}"));
                    continue;
                }
                header.places.insert(column, (place, written));
            } else if header.notes.iter().any(|(_, note)| *note == written) {
                refuse(&written, "stands twice in the header".to_owned());
            } else {
                header.notes.push((place, written));
            }
        }
        for column in Column::all().filter(|column| column.is_required()) {
            if !header.places.contains_key(&column) {
                let reason =
                    format!("the column is missing (write {column} or {})", column.title());
                refuse(column.title(), reason);
            }
        }
        header
    }

    /// The name of a column in this file.
    pub(super) fn name(&self, column: Column) -> String {
        self.places.get(&column).map_or_else(|| column.title().to_owned(), |(_, name)| name.clone())
    }

    /// Keys and platform accounts that stand in more than one row.
    pub(super) fn find_duplicates(
        &self,
        entries: &[(usize, LedgerEntry)],
        errors: &mut Vec<RowError>,
    ) {
        let mut keys: HashMap<&str, usize> = HashMap::new();
        let mut handles: HashMap<(&str, &str), usize> = HashMap::new();
        for (row, entry) in entries {
            let first_handle = *handles.entry((&entry.platform, &entry.handle)).or_insert(*row);
            let first_key = *keys.entry(&entry.key).or_insert(*row);
            if first_key != *row {
                errors.push(RowError {
                    row: *row,
                    column: self.name(Column::Key),
                    reason: format!("{:?} is already the key of row {first_key}", entry.key),
                });
            }
            if first_handle != *row {
                errors.push(RowError {
                    row: *row,
                    column: self.name(Column::Handle),
                    reason: format!(
                        "{:?} on platform {} stands already in row {first_handle}",
                        entry.handle, entry.platform
                    ),
                });
            }
        }
    }
}
