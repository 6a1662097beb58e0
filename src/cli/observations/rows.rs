use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Map, Value};

use crate::domain::RowError;
use crate::extract::json_rows;
use crate::platform::ImportMapping;
use crate::registry;
use crate::settings::Settings;

/// The bytes of an export within the limit.
pub(super) fn read_bytes(path: &Path, settings: &Settings) -> anyhow::Result<Vec<u8>> {
    let bytes_max = settings.registry.file_bytes_max;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| path.display().to_string())?;
    if bytes.len() > bytes_max {
        bail!("{}: more than the {bytes_max} bytes allowed", path.display());
    }
    Ok(bytes)
}

/// The rows as they can be read, and what is wrong with the others.
pub(super) struct Rows {
    pub(super) rows: Vec<(usize, Value)>,
    pub(super) errors: Vec<RowError>,
    pub(super) shown_max: usize,
}

/// Reads the rows as the mapping says: of JSON, or of a table.
pub(super) fn rows(
    mapping: &ImportMapping,
    bytes: &[u8],
    settings: &Settings,
) -> anyhow::Result<Rows> {
    let (limits, shown_max) = (&settings.registry, settings.registry.errors_shown_max);
    if mapping.rows.is_some() {
        let rows = json_rows(mapping, bytes).map_err(|reason| anyhow!(reason))?;
        if rows.len() > limits.rows_max {
            bail!("more than {} rows", limits.rows_max);
        }
        return Ok(Rows { rows, errors: Vec::new(), shown_max });
    }
    let columns: Vec<String> = mapping.columns().into_iter().collect();
    let table = registry::table(bytes, &columns, limits)?;
    let value = |row: registry::TextRow| {
        let values = row.values.into_iter().map(|(name, text)| (name, Value::String(text)));
        (row.number, Value::Object(Map::from_iter(values)))
    };
    let rows = table.rows.into_iter().map(value).collect();
    Ok(Rows { rows, errors: table.errors, shown_max })
}
