//! Writes WARC 1.1 records (ISO 28500:2017), each a gzip member of its own.

use chrono::{DateTime, SecondsFormat, Utc};

use super::gzip::member;
use super::merkle::digest_of;
use super::redact::line;
use crate::domain::RecordKey;

/// What a record's header says besides its own length and digest.
pub(super) struct Head<'a> {
    /// `WARC-Type`.
    pub(super) kind: &'static str,
    pub(super) record: RecordKey,
    pub(super) date: DateTime<Utc>,
    /// `Content-Type` of the block.
    pub(super) content_type: &'a str,
    /// Further fields, as (name, value).
    pub(super) fields: Vec<(&'static str, String)>,
}

/// Appends one record to `out`.
///
/// The same record gives the same bytes on every machine with the same version of the compressor.
pub(super) fn write(out: &mut Vec<u8>, head: &Head<'_>, block: &[&[u8]], level: u32) {
    let length: usize = block.iter().map(|part| part.len()).sum();
    let mut text = format!(
        "WARC/1.1\r\nWARC-Type: {}\r\nWARC-Record-ID: <{}>\r\nWARC-Date: {}\r\n",
        head.kind,
        head.record,
        date(head.date)
    );
    for (name, value) in &head.fields {
        text.push_str(&format!("{name}: {}\r\n", line(value)));
    }
    let sum = digest_of(block);
    text.push_str(&format!(
        "WARC-Block-Digest: sha256:{sum}\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\r\n",
        head.content_type
    ));
    let parts = std::iter::once(text.as_bytes()).chain(block.iter().copied());
    member(out, parts.chain([&b"\r\n\r\n"[..]]), level);
}

/// `WARC-Date`: UTC with microseconds, which is what the database keeps.
pub(super) fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A block of named fields (`application/warc-fields`).
pub(super) fn fields(lines: &[(&str, String)]) -> String {
    lines.iter().map(|(name, value)| format!("{name}: {}\r\n", line(value))).collect()
}
