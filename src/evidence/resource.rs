use chrono::{DateTime, Utc};

use super::capture::{Capture, metadata, record_key};
use super::merkle::{digest, leaf};
use super::redact;
use super::warc::{Head, date, fields, write};
use crate::domain::{EvidenceClass, EvidenceForm};

/// A document of the program's own, such as the inputs of a frozen assessment.
pub fn resource(
    address: &str,
    content_type: &str,
    body: &[u8],
    software: &str,
    at: DateTime<Utc>,
    level: u32,
) -> Capture {
    let payload = digest(body);
    let record = record_key(&["resource", address, &date(at), &payload.to_string()]);
    let head = Head {
        kind: "resource",
        record,
        date: at,
        content_type,
        fields: vec![
            ("WARC-Target-URI", redact::address(address)),
            ("WARC-Payload-Digest", format!("sha256:{payload}")),
        ],
    };
    let mut bytes = Vec::new();
    write(&mut bytes, &head, &[body], level);
    let lines = fields(&[("software", software.to_owned()), ("written-at", date(at))]);
    write(&mut bytes, &metadata(record, at, address), &[lines.as_bytes()], level);
    let (form, class) = (EvidenceForm::Resource, EvidenceClass::Resource);
    Capture { record, form, class, payload: Some(payload), leaf: leaf(&bytes), bytes }
}
