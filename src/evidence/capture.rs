//! One answer as evidence: what was received, and a second record that says how, when and by what.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::merkle::{digest, leaf};
use super::redact;
use super::warc::{Head, date, fields, write};
use crate::domain::{EvidenceClass, EvidenceForm, RecordKey, Sha256Digest};

/// How records of repeated bodies and of 304 answers call themselves (WARC 1.1 section 6.7).
const SAME_PAYLOAD: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
const NOT_MODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The address that was asked.
    pub requested: &'a str,
    /// The address that answered.
    pub answered: &'a str,
    /// Redirects followed.
    pub redirects: u32,
    /// HTTP status.
    pub status: u16,
    /// Header lines in their order.
    pub headers: &'a [(String, String)],
    /// The body, unpacked.
    pub body: &'a [u8],
    /// When the request was sent and when the last byte came, by this machine's clock.
    pub sent_at: DateTime<Utc>,
    /// See `sent_at`.
    pub received_at: DateTime<Utc>,
    /// The origin's own clock.
    pub date: Option<DateTime<Utc>>,
    /// Whether it was asked only for changes.
    pub conditional: bool,
    /// Whether a parameter was added that makes caches miss.
    pub cache_buster: bool,
}

/// What makes an answer defensible later.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// Program and version.
    pub software: &'a str,
    /// 账号编号.
    pub account: &'a str,
    /// Platform and page kind, as `weibo/timeline`.
    pub page: &'a str,
    /// 1 for the first page of a visit.
    pub number: usize,
    /// Digest of the platform file that read it.
    pub adapter: &'a str,
    /// When the visit began.
    pub started_at: DateTime<Utc>,
    /// What the visit came to: the stable word of its outcome.
    pub outcome: &'a str,
    /// The instant that the visit's answer speaks for.
    pub as_of: Option<DateTime<Utc>>,
}

/// How much of an answer is kept.
#[derive(Debug, Clone)]
pub enum Keep {
    /// Headers and body.
    Whole,
    /// Headers, and that the body is that of an earlier record.
    SameAs(RecordKey),
    /// The headers of a 304.
    NotModified,
    /// Neither headers nor body, which hold citizens' words: this redacted extraction (JSON).
    Redacted(Vec<u8>),
}

/// A piece of evidence ready to be stored: one or more WARC records that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Its name, that of the first WARC record.
    pub record: RecordKey,
    /// What it holds.
    pub form: EvidenceForm,
    /// Why it is kept.
    pub class: EvidenceClass,
    /// Digest of the body.
    pub payload: Option<Sha256Digest>,
    /// Digest of a zero byte and `bytes`.
    pub leaf: Sha256Digest,
    /// The records, packed.
    pub bytes: Vec<u8>,
}

/// Puts an answer into records; `level` is gzip's, 1 to 9.
pub fn capture(
    answer: &Answer<'_>,
    about: &Circumstances<'_>,
    keep: &Keep,
    class: EvidenceClass,
    level: u32,
) -> Capture {
    let payload = (!matches!(keep, Keep::NotModified)).then(|| digest(answer.body));
    let record = record_key(&[
        about.account,
        about.page,
        &date(about.started_at),
        &about.number.to_string(),
        &payload.map(|digest| digest.to_string()).unwrap_or_default(),
    ]);
    let form = match keep {
        Keep::Whole => EvidenceForm::Response,
        Keep::SameAs(_) => EvidenceForm::Revisit,
        Keep::NotModified => EvidenceForm::NotModified,
        Keep::Redacted(_) => EvidenceForm::Conversion,
    };
    let mut bytes = Vec::new();
    write_answer(&mut bytes, answer, record, payload, keep, level);
    write_circumstances(&mut bytes, answer, about, record, payload, level);
    Capture { record, form, class, payload, leaf: leaf(&bytes), bytes }
}

fn write_answer(
    out: &mut Vec<u8>,
    answer: &Answer<'_>,
    record: RecordKey,
    payload: Option<Sha256Digest>,
    keep: &Keep,
    level: u32,
) {
    let mut lines = vec![("WARC-Target-URI", redact::address(answer.answered))];
    // Of a redacted page the body's digest stands beside the extraction, which is another payload.
    let own = payload.filter(|_| !matches!(keep, Keep::Redacted(_)));
    lines.extend(own.map(|digest| ("WARC-Payload-Digest", format!("sha256:{digest}"))));
    let http = http_head(answer);
    let http_type = "application/http;msgtype=response";
    let (kind, content_type, block): (_, _, Vec<&[u8]>) = match keep {
        Keep::Whole => ("response", http_type, vec![http.as_bytes(), answer.body]),
        Keep::SameAs(earlier) => {
            lines.push(("WARC-Profile", SAME_PAYLOAD.to_owned()));
            lines.push(("WARC-Refers-To", format!("<{earlier}>")));
            ("revisit", http_type, vec![http.as_bytes()])
        }
        Keep::NotModified => {
            lines.push(("WARC-Profile", NOT_MODIFIED.to_owned()));
            ("revisit", http_type, vec![http.as_bytes()])
        }
        Keep::Redacted(extraction) => ("conversion", "application/json", vec![extraction]),
    };
    let date = answer.sent_at;
    write(out, &Head { kind, record, date, content_type, fields: lines }, &block, level);
}

/// Status line and header lines; the version and the phrase are not known and stand as usual.
fn http_head(answer: &Answer<'_>) -> String {
    let phrase = match answer.status {
        200 => "OK",
        304 => "Not Modified",
        403 => "Forbidden",
        404 => "Not Found",
        410 => "Gone",
        _ => "Answered",
    };
    let mut text = format!("HTTP/1.1 {} {phrase}\r\n", answer.status);
    for (name, value) in redact::headers(answer.headers) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}

fn write_circumstances(
    out: &mut Vec<u8>,
    answer: &Answer<'_>,
    about: &Circumstances<'_>,
    record: RecordKey,
    payload: Option<Sha256Digest>,
    level: u32,
) {
    let flag = |set: bool| if set { "yes" } else { "no" }.to_owned();
    let mut lines = vec![
        ("software", about.software.to_owned()),
        ("adapter", about.adapter.to_owned()),
        ("account", about.account.to_owned()),
        ("page", about.page.to_owned()),
        ("page-number", about.number.to_string()),
        ("visit-started-at", date(about.started_at)),
        ("outcome", about.outcome.to_owned()),
        ("request", format!("GET {}", redact::address(answer.requested))),
        ("request-conditional", flag(answer.conditional)),
        ("request-no-cache", flag(!answer.conditional)),
        ("request-cache-buster", flag(answer.cache_buster)),
        ("redirects", answer.redirects.to_string()),
        ("status", answer.status.to_string()),
        ("sent-at", date(answer.sent_at)),
        ("received-at", date(answer.received_at)),
    ];
    lines.extend(about.as_of.map(|at| ("as-of", date(at))));
    if let Some(origin) = answer.date {
        let ahead = (origin - answer.sent_at).num_seconds();
        lines.push(("origin-date", date(origin)));
        lines.push(("origin-clock-ahead-seconds", ahead.to_string()));
    }
    lines.push(("body-bytes", answer.body.len().to_string()));
    lines.extend(payload.map(|digest| ("body-digest", format!("sha256:{digest}"))));
    let block = fields(&lines);
    let head = metadata(record, answer.sent_at, answer.answered);
    write(out, &head, &[block.as_bytes()], level);
}

/// The head of the record that says how another came about.
pub(super) fn metadata(record: RecordKey, at: DateTime<Utc>, address: &str) -> Head<'static> {
    Head {
        kind: "metadata",
        record: record_key(&["metadata", &record.to_string()]),
        date: at,
        content_type: "application/warc-fields",
        fields: vec![
            ("WARC-Target-URI", redact::address(address)),
            ("WARC-Refers-To", format!("<{record}>")),
        ],
    }
}

/// A name out of what is named: a UUID of version 8 (RFC 9562 section 5.8), so that the same answer
/// has the same name however often it is written down.
pub(super) fn record_key(parts: &[&str]) -> RecordKey {
    let mut hash = Sha256::new().chain_update("xunjian evidence");
    for part in parts {
        hash = hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key[6] = 0x80 | (key[6] & 0x0f);
    key[8] = 0x80 | (key[8] & 0x3f);
    RecordKey(key)
}
