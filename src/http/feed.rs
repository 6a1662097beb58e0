//! Frozen results as rows: one an account and score, under column names that do not change.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{Workbook, XlsxError};
use serde_json::{Map, Value, json};

use crate::domain::SHANGHAI;
use crate::registry::guarded;
use crate::score::frozen::FrozenAccount;
use crate::store::Assessment;

/// The columns, in their order; new ones are added at the end only.
pub(super) const COLUMNS: [&str; 28] = [
    "assessment",
    "period",
    "version",
    "assessment_digest",
    "cutoff",
    "known_at",
    "key",
    "name",
    "platform",
    "sponsor",
    "supervisor",
    "area_code",
    "lifecycle",
    "scheme",
    "scheme_version",
    "scheme_digest",
    "calendar_digest",
    "facts_digest",
    "verdict",
    "verdict_reasons",
    "vetoes",
    "dimension",
    "points",
    "low",
    "high",
    "coverage",
    "ranked",
    "reason",
];

const LAST_COLUMN: u16 = 27;

/// Rows that a sheet holds below its head.
const ROWS_MAX: u32 = 1_048_575;

/// The rows of one account: one a dimension and composite, or one alone where there are none.
pub(super) fn rows(one: &Assessment, account: &FrozenAccount) -> Vec<Vec<Value>> {
    let card = &account.card;
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&SHANGHAI).to_rfc3339();
    let verdict = card.verdict.as_ref();
    let held = card.vetoes.iter().filter(|veto| veto.state.holds() == Some(true));
    let held: Vec<&str> = held.map(|veto| veto.id.as_str()).collect();
    let common = [
        json!(one.id),
        json!(one.period),
        json!(one.version),
        json!(one.digest),
        json!(local(one.cutoff)),
        json!(local(one.known_at)),
        json!(account.key),
        json!(account.name),
        json!(account.platform),
        json!(account.sponsor),
        json!(account.supervisor),
        json!(account.region),
        json!(account.lifecycle.as_str()),
        json!(card.scheme),
        json!(card.version),
        json!(card.scheme_digest),
        json!(card.calendar_digest),
        json!(card.facts_digest),
        json!(verdict.map(|one| one.result.as_str())),
        json!(verdict.map(|one| one.reasons.join(" "))),
        json!(held.join(" ")),
    ];
    let scores = card.dimensions.iter().map(|score| {
        let points = score.outcome.points();
        let reason = match &score.outcome {
            crate::score::Outcome::NotScored(why) => json!(why.reason),
            crate::score::Outcome::Scored(_) => Value::Null,
        };
        [
            json!(score.id),
            number(points.map(|points| points.points)),
            number(points.map(|points| points.low)),
            number(points.map(|points| points.high)),
            number(score.coverage),
            json!(score.ranked),
            reason,
        ]
    });
    let mut rows: Vec<Vec<Value>> =
        scores.map(|score| common.iter().cloned().chain(score).collect()).collect();
    if rows.is_empty() {
        let empty = std::iter::repeat_n(Value::Null, COLUMNS.len() - common.len());
        rows.push(common.iter().cloned().chain(empty).collect());
    }
    rows
}

/// A decimal of two or four places, which a double shows without loss.
fn number(decimal: Option<Decimal>) -> Value {
    json!(decimal.and_then(|decimal| decimal.to_f64()))
}

/// A row as an object.
pub(super) fn object(row: Vec<Value>) -> Value {
    let fields = COLUMNS.iter().map(|column| (*column).to_owned()).zip(row);
    Value::Object(fields.collect::<Map<String, Value>>())
}

/// The head of a CSV file, UTF-8 with the mark that spreadsheets need.
pub(super) fn csv_head() -> Result<Vec<u8>, csv::Error> {
    csv_of("\u{feff}".as_bytes().to_vec(), |writer| writer.write_record(COLUMNS))
}

/// Rows as CSV; what would be a formula is text.
pub(super) fn csv_rows(rows: &[Vec<Value>]) -> Result<Vec<u8>, csv::Error> {
    csv_of(Vec::new(), |writer| {
        rows.iter().try_for_each(|row| writer.write_record(row.iter().map(shown)))
    })
}

fn csv_of(
    begun: Vec<u8>,
    write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> Result<(), csv::Error>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(begun);
    write(&mut writer)?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => guarded(text),
        other => other.to_string(),
    }
}

/// Rows as a workbook: typed cells, a filter, a frozen head, no formula. Rows that are written are
/// no longer in memory.
pub(super) struct Book {
    book: Workbook,
    written: u32,
}

impl Book {
    /// With its head.
    pub(super) fn begin() -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet_with_constant_memory()?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, title) in (0_u16..).zip(COLUMNS) {
            sheet.write_string(0, column, title)?;
        }
        Ok(Self { book, written: 0 })
    }

    /// Whether so many rows more fit.
    pub(super) fn has_room(&self, rows: usize) -> bool {
        rows <= (ROWS_MAX - self.written) as usize
    }

    /// Writes the next rows.
    pub(super) fn write(&mut self, rows: &[Vec<Value>]) -> Result<(), XlsxError> {
        let sheet = self.book.worksheet_from_index(0)?;
        for row in rows {
            self.written += 1;
            let at = self.written;
            for (column, value) in (0_u16..).zip(row) {
                match value {
                    Value::Number(number) => match number.as_f64() {
                        Some(number) => sheet.write_number(at, column, number).map(|_| ())?,
                        // More digits than a cell can hold are shown as they are.
                        None => sheet.write_string(at, column, number.to_string()).map(|_| ())?,
                    },
                    Value::Bool(word) => {
                        sheet.write_boolean(at, column, *word)?;
                    }
                    Value::String(text) => {
                        sheet.write_string(at, column, text)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The whole file.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, XlsxError> {
        let last = self.written;
        self.book.worksheet_from_index(0)?.autofilter(0, 0, last, LAST_COLUMN)?;
        self.book.save_to_buffer()
    }
}
