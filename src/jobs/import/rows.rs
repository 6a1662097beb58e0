use serde_json::{Map, Value};

use crate::domain::RowError;
use crate::extract::json_rows;
use crate::platform::ImportMapping;
use crate::registry::{self, ReadError, Settings};

/// The rows as they can be read, and what is wrong with the others.
pub(super) struct Rows {
    pub(super) rows: Vec<(usize, Value)>,
    pub(super) errors: Vec<RowError>,
}

/// Reads the rows as the mapping says: of JSON, or of a table.
pub(super) fn rows(
    mapping: &ImportMapping,
    bytes: &[u8],
    limits: &Settings,
) -> Result<Rows, ReadError> {
    if mapping.rows.is_some() {
        let rows = json_rows(mapping, bytes).map_err(ReadError::Unreadable)?;
        if rows.len() > limits.rows_max {
            return Err(ReadError::Unreadable(format!("more than {} rows", limits.rows_max)));
        }
        return Ok(Rows { rows, errors: Vec::new() });
    }
    let columns: Vec<String> = mapping.columns().into_iter().collect();
    let table = registry::table(bytes, &columns, limits)?;
    let value = |row: registry::TextRow| {
        let values = row.values.into_iter().map(|(name, text)| (name, Value::String(text)));
        (row.number, Value::Object(Map::from_iter(values)))
    };
    let rows = table.rows.into_iter().map(value).collect();
    Ok(Rows { rows, errors: table.errors })
}
