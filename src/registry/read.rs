//! Ledger bytes into entries, or into every reason why not.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::{LedgerEntry, Lifecycle};

use super::cell::Cell;
use super::csv_table::TableRow;
use super::header::Header;
use super::{Column, ReadError, RowError, Settings, csv_table, workbook};

/// A ledger that satisfies every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The rows, in the order of the file; keys are unique, and so are platform and handle.
    pub entries: Vec<LedgerEntry>,
    /// The columns that the file has. A missing column says nothing; an empty cell says "none".
    pub columns: Vec<Column>,
}

/// Reads a ledger in CSV (UTF-8 with or without a byte order mark, GB18030) or XLSX.
///
/// The form is told from the content, never from a name. `platform_id` gives the platform's id for
/// an id or a Chinese title. All or nothing: one bad row refuses the file.
///
/// # Errors
///
/// [`ReadError::Unreadable`] for bytes that are no table or exceed a limit of `settings`;
/// [`ReadError::Rows`] with every row error otherwise.
pub fn read(
    bytes: &[u8],
    platform_id: &dyn Fn(&str) -> Option<String>,
    settings: &Settings,
) -> Result<Ledger, ReadError> {
    let mut rows = filled_rows(bytes, settings)?.into_iter();
    let Some(first) = rows.next() else {
        return Err(ReadError::Unreadable("the ledger is empty".to_owned()));
    };
    let mut errors = Vec::new();
    let header = Header::read(&first, settings, &mut errors);
    let mut entries = Vec::new();
    if errors.is_empty() {
        for row in rows {
            let mut reader = RowReader { header: &header, row: &row, settings, errors: Vec::new() };
            let entry = reader.entry(platform_id);
            errors.append(&mut reader.errors);
            entries.extend(entry.map(|entry| (row.number, entry)));
        }
        header.find_duplicates(&entries, &mut errors);
        errors.sort_by_key(|error| error.row);
    }
    if !errors.is_empty() {
        return Err(ReadError::Rows { errors, shown_max: settings.errors_shown_max });
    }
    Ok(Ledger {
        entries: entries.into_iter().map(|(_, entry)| entry).collect(),
        columns: header.places.keys().copied().collect(),
    })
}

/// The rows of a CSV file or a workbook that have anything in them.
pub(super) fn filled_rows(bytes: &[u8], settings: &Settings) -> Result<Vec<TableRow>, ReadError> {
    if bytes.len() > settings.file_bytes_max {
        return Err(ReadError::Unreadable(format!(
            "{} bytes, more than the {} allowed",
            bytes.len(),
            settings.file_bytes_max
        )));
    }
    let mut rows = if workbook::is_workbook(bytes) {
        workbook::rows(bytes, settings)?
    } else {
        csv_table::rows(bytes, settings)?
    };
    rows.retain(|row| row.cells.iter().any(Option::is_some));
    Ok(rows)
}

struct RowReader<'a> {
    header: &'a Header,
    row: &'a TableRow,
    settings: &'a Settings,
    errors: Vec<RowError>,
}

impl RowReader<'_> {
    /// The entry, or `None` with at least one error noted.
    fn entry(&mut self, platform_id: &dyn Fn(&str) -> Option<String>) -> Option<LedgerEntry> {
        for place in self.header.width..self.row.cells.len() {
            if self.row.cells[place].is_some() {
                let column = (place + 1).to_string();
                self.refuse_at(column, "a value beyond the header's last column".to_owned());
            }
        }
        let platform = self.required(Column::Platform, |cell| {
            let named = cell.as_words()?;
            platform_id(&named).ok_or_else(|| format!("no platform is called {named:?}"))
        });
        let handle = self.required(Column::Handle, Cell::as_identifier);
        let name = self.required(Column::Name, Cell::as_words);
        let sponsor = self.required(Column::Sponsor, Cell::as_words);
        // A stand-in keeps the row going, so that every one of its errors is found.
        let region =
            self.required(Column::Region, Cell::as_code).or_else(|| "000000".parse().ok())?;
        let lifecycle = self.required(Column::Status, status);
        let key = self.optional(Column::Key, Cell::as_identifier);
        let (platform, handle) = (platform.unwrap_or_default(), handle.unwrap_or_default());
        let entry = LedgerEntry {
            key: key.unwrap_or_else(|| format!("{platform}:{handle}")),
            platform,
            handle,
            name: name.unwrap_or_default(),
            url: self.optional(Column::Url, Cell::as_address),
            sponsor: sponsor.unwrap_or_default(),
            sponsor_code: self.optional(Column::SponsorCode, Cell::as_code),
            supervisor: self.words(Column::Supervisor),
            region,
            level: self.words(Column::Level),
            category: self.words(Column::Category),
            role: self.words(Column::Role),
            lifecycle: lifecycle.unwrap_or(Lifecycle::Running),
            filed_on: self.date(Column::FiledOn),
            opened_on: self.date(Column::OpenedOn),
            closed_on: self.date(Column::ClosedOn),
            population: self.optional(Column::Population, Cell::as_population),
            exemption: self.words(Column::Exemption),
            exempt_until: self.date(Column::ExemptUntil),
            officer: self.words(Column::Officer),
            notify: self.words(Column::Notify),
            operator: self.words(Column::Operator),
            contract_until: self.date(Column::ContractUntil),
            site_id: self.optional(Column::SiteId, Cell::as_identifier),
            notes: self.notes(),
        };
        self.check_together(&entry);
        self.errors.is_empty().then_some(entry)
    }

    /// The rules that bind more than one column.
    fn check_together(&mut self, entry: &LedgerEntry) {
        if entry.exempt_until.is_some() && entry.exemption.is_none() {
            self.refuse(
                Column::ExemptUntil,
                format!("an exemption's end without its reason ({})", Column::Exemption.title()),
            );
        }
        if let (Some(opened), Some(closed)) = (entry.opened_on, entry.closed_on)
            && closed < opened
        {
            self.refuse(Column::ClosedOn, format!("{closed} lies before the opening on {opened}"));
        }
    }

    fn cell(&mut self, column: Column) -> Option<Cell> {
        let (place, _) = self.header.places.get(&column)?;
        self.row.cells.get(*place)?.clone()
    }

    fn optional<T>(
        &mut self,
        column: Column,
        read: impl FnOnce(&Cell) -> Result<T, String>,
    ) -> Option<T> {
        let cell = self.cell(column)?;
        match self.short_enough(&cell).and_then(|()| read(&cell)) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.refuse(column, reason);
                None
            }
        }
    }

    fn required<T>(
        &mut self,
        column: Column,
        read: impl FnOnce(&Cell) -> Result<T, String>,
    ) -> Option<T> {
        if self.cell(column).is_none() {
            self.refuse(column, "a value is required".to_owned());
        }
        self.optional(column, read)
    }

    fn words(&mut self, column: Column) -> Option<String> {
        self.optional(column, Cell::as_words)
    }

    fn date(&mut self, column: Column) -> Option<NaiveDate> {
        self.optional(column, Cell::as_date)
    }

    fn notes(&mut self) -> BTreeMap<String, String> {
        let header = self.header;
        let mut notes = BTreeMap::new();
        for (place, name) in &header.notes {
            let Some(cell) = self.row.cells.get(*place).and_then(Option::as_ref) else { continue };
            let text = match cell {
                // A note has no type to keep to: the number as it is.
                Cell::Number(number) => Ok(number.to_string()),
                _ => cell.as_words(),
            };
            match self.short_enough(cell).and(text) {
                Ok(text) => {
                    notes.insert(name.clone(), text);
                }
                Err(reason) => self.refuse_at(name.clone(), reason),
            }
        }
        notes
    }

    fn short_enough(&self, cell: &Cell) -> Result<(), String> {
        let Cell::Text(text) = cell else { return Ok(()) };
        let (length, most) = (text.chars().count(), self.settings.cell_characters_max);
        if length > most {
            return Err(format!(
                "{length} characters, more than {most}; is a quotation mark left open?"
            ));
        }
        Ok(())
    }

    fn refuse(&mut self, column: Column, reason: String) {
        self.refuse_at(self.header.name(column), reason);
    }

    fn refuse_at(&mut self, column: String, reason: String) {
        self.errors.push(RowError { row: self.row.number, column, reason });
    }
}

fn status(cell: &Cell) -> Result<Lifecycle, String> {
    let word = cell.as_words()?;
    Lifecycle::from_name(&word).ok_or_else(|| {
        let known: Vec<&str> = Lifecycle::ALL.iter().map(|(_, _, title)| *title).collect();
        format!("{word:?} is no status; known are {}", known.join(", "))
    })
}
