//! Frozen results as rows: one an account and score, under column names that do not change.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{Workbook, XlsxError};
use serde_json::{Map, Value, json};

use crate::domain::SHANGHAI;
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

/// Rows as CSV, UTF-8 with the mark that spreadsheets need; what would be a formula is text.
pub(super) fn csv(rows: &[Vec<Value>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(COLUMNS)?;
    for row in rows {
        writer.write_record(row.iter().map(shown))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{text}")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Rows as a workbook: typed cells, a filter, a frozen head, no formula.
pub(super) fn xlsx(rows: &[Vec<Value>]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, title) in (0_u16..).zip(COLUMNS) {
        sheet.write_string(0, column, title)?;
    }
    let mut last = 0;
    for (at, row) in (1_u32..).zip(rows) {
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
        last = at;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofilter(0, 0, last, LAST_COLUMN)?;
    book.save_to_buffer()
}
