//! Reads WARC records back, strictly: what this program wrote, byte for byte, or nothing.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use super::merkle::digest;

/// A record unpacks to no more than this: the largest body that is fetched, and its headers.
const RECORD_BYTES_MAX: u64 = 1 << 30;

/// A record as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Header fields in their order.
    pub fields: Vec<(String, String)>,
    /// The block, without the blank lines after it.
    pub block: Vec<u8>,
}

impl Record {
    /// The first value of a field, by its name in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Where in an HTTP block the body begins.
    pub fn body(&self) -> Option<&[u8]> {
        let at = self.block.windows(4).position(|four| four == b"\r\n\r\n")?;
        Some(&self.block[at + 4..])
    }

    /// What the record says of itself and what does not hold.
    fn defect(&self) -> Option<&'static str> {
        let said = |name| self.field(name).and_then(|value| value.strip_prefix("sha256:"));
        if said("WARC-Block-Digest") != Some(&digest(&self.block).to_string()) {
            return Some("the block is not what its digest says");
        }
        let kind = self.field("WARC-Type").unwrap_or_default();
        let payload = match kind {
            "response" => self.body(),
            "resource" => Some(&self.block[..]),
            _ => return None,
        };
        let sum = payload.map(|bytes| digest(bytes).to_string());
        (said("WARC-Payload-Digest") != sum.as_deref())
            .then_some("the body is not what its digest says")
    }
}

/// A record with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// First byte of its gzip member.
    pub offset: usize,
    /// First byte after it.
    pub end: usize,
    /// The record.
    pub record: Record,
}

/// Reads the record that begins at `offset`; its digests hold.
///
/// # Errors
/// Why there is none: the member is cut off or damaged, or is no record of this program.
pub fn read_at(file: &[u8], offset: usize) -> Result<Placed, String> {
    let mut rest = file.get(offset..).unwrap_or_default();
    let before = rest.len();
    let mut plain = Vec::new();
    let mut member = GzDecoder::new(&mut rest);
    let unpacked = (&mut member).take(RECORD_BYTES_MAX).read_to_end(&mut plain);
    unpacked.map_err(|error| damaged(&error))?;
    if plain.len() as u64 >= RECORD_BYTES_MAX {
        return Err("unpacks to more than a record may hold".to_owned());
    }
    let end = offset + before - rest.len();
    let record = parse(&plain)?;
    if let Some(defect) = record.defect() {
        return Err(defect.to_owned());
    }
    Ok(Placed { offset, end, record })
}

fn damaged(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "cut off".to_owned(),
        _ => format!("damaged: {error}"),
    }
}

/// Reads every record of a file in order.
///
/// # Errors
/// The offset of the first that does not read, and why.
pub fn read_all(file: &[u8]) -> Result<Vec<Placed>, (usize, String)> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let placed = read_at(file, at).map_err(|reason| (at, reason))?;
        at = placed.end;
        records.push(placed);
    }
    Ok(records)
}

/// How far a file consists of whole records, and how many: what stands after that is torn.
pub(super) fn whole_part(file: &[u8]) -> (usize, usize) {
    let (mut at, mut count) = (0, 0);
    while at < file.len() {
        let Ok(placed) = read_at(file, at) else { break };
        at = placed.end;
        count += 1;
    }
    (at, count)
}

fn parse(plain: &[u8]) -> Result<Record, String> {
    let head_end = plain.windows(4).position(|four| four == b"\r\n\r\n");
    let head_end = head_end.ok_or("no end of the header")?;
    let head = std::str::from_utf8(&plain[..head_end]).map_err(|_| "header is not UTF-8")?;
    let mut lines = head.split("\r\n");
    if lines.next() != Some("WARC/1.1") {
        return Err("not a record of WARC 1.1".to_owned());
    }
    let field = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    };
    let fields: Vec<_> = lines
        .map(|line| field(line).ok_or_else(|| format!("no header field: {line:?}")))
        .collect::<Result<_, _>>()?;
    let record = Record { fields, block: Vec::new() };
    let length: usize = record
        .field("Content-Length")
        .and_then(|text| text.parse().ok())
        .ok_or("no Content-Length")?;
    let block = &plain[head_end + 4..];
    if block.len().checked_sub(4) != Some(length) || !block.ends_with(b"\r\n\r\n") {
        return Err("Content-Length is not the length of the block".to_owned());
    }
    Ok(Record { block: block[..length].to_vec(), ..record })
}
