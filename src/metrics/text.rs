//! The text format, written into one buffer: no allocation for a series.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use super::table::Family;

/// Writes `# HELP` and `# TYPE`; once per family, before its series.
pub(super) fn push_header(text: &mut String, family: &Family) {
    for part in ["# HELP ", family.name, " "] {
        text.push_str(part);
    }
    // HELP escapes the backslash and the line feed, nothing else; the table holds neither.
    text.push_str(family.help);
    for part in ["\n# TYPE ", family.name, " ", family.kind.as_str(), "\n"] {
        text.push_str(part);
    }
}

/// Writes `name="value"`, the value escaped.
pub(super) fn push_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    push_escaped(text, value);
    text.push('"');
}

/// Writes one series with all labels of its family.
pub(super) fn push_series(text: &mut String, family: &Family, values: &[&str], number: f64) {
    debug_assert_eq!(family.labels.len(), values.len(), "{}", family.name);
    text.push_str(family.name);
    for (index, (name, value)) in family.labels.iter().zip(values).enumerate() {
        text.push(if index == 0 { '{' } else { ',' });
        push_label(text, name, value);
    }
    if !values.is_empty() {
        text.push('}');
    }
    push_number(text, number);
}

/// Writes the value and ends the line, as Rust writes a finite number: without exponent, and read
/// back exactly. Callers leave out what is not finite.
pub(super) fn push_number(text: &mut String, number: f64) {
    debug_assert!(number.is_finite(), "a metric is a finite number");
    text.push(' ');
    match thousandths(number) {
        Some(thousandths) => push_thousandths(text, thousandths),
        // Writing to a String cannot fail.
        None => write!(text, "{number}").unwrap_or_default(),
    }
    text.push('\n');
}

/// The number in thousandths where it is nothing else: counts, points and times to the millisecond
/// are, and are written several times faster so.
///
/// Two decimals of at most fifteen digits are never the same binary number, so that the one found
/// here is the shortest that reads back.
#[expect(clippy::cast_possible_truncation, reason = "below 10^15")]
fn thousandths(number: f64) -> Option<i64> {
    let scaled = (number * 1000.0).round();
    let exact = scaled.abs() < 1e15 && scaled / 1000.0 == number;
    // Minus zero has a sign of its own.
    (exact && (number != 0.0 || number.is_sign_positive())).then_some(scaled as i64)
}

fn push_thousandths(text: &mut String, thousandths: i64) {
    if thousandths < 0 {
        text.push('-');
    }
    let (mut whole, part) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
    let mut digits = [b'0'; 15];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (whole % 10) as u8;
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().map(|digit| char::from(*digit)));
    if part > 0 {
        text.push('.');
        let places = [part / 100, part / 10 % 10, part % 10];
        let last = places.iter().rposition(|place| *place > 0).unwrap_or(0);
        text.extend(places[..=last].iter().map(|place| char::from(b'0' + *place as u8)));
    }
}

/// Seconds since the epoch, milliseconds kept.
#[expect(clippy::cast_precision_loss, reason = "milliseconds stay exact until the year 287396")]
pub(super) fn epoch_seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

/// A count as a sample, which Prometheus keeps as a 64-bit float.
#[expect(clippy::cast_precision_loss, reason = "counts stay exact up to 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

fn push_escaped(text: &mut String, value: &str) {
    let mut rest = value;
    // All three are ASCII, so cutting there leaves whole characters.
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'\\' | b'"' | b'\n')) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
}
