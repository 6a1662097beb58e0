use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{ArchiveError, FORMAT, HEAD, Head, SUMS, TAIL, Tail};
use crate::domain::Sha256Digest;

/// More parts than a nation's backup has.
const PARTS_MAX: usize = 1_000_000;
/// Parts are read into memory one at a time.
const PART_BYTES_MAX: u64 = 1 << 30;
/// The digests, at some 110 bytes a part.
const SUMS_BYTES_MAX: u64 = 256 << 20;

/// Where a part lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its bytes, in number.
    pub bytes: u64,
    pub(super) at: u64,
    sum: Sha256Digest,
}

/// A backup of which every byte was held against its digest.
#[derive(Debug)]
pub struct Checked {
    path: PathBuf,
    file: File,
    /// What it is.
    pub head: Head,
    /// What was known at its end.
    pub tail: Tail,
    /// Its parts in their order, without the digests.
    pub parts: Vec<Part>,
    /// The digest of the whole, as it was printed when it was made.
    pub digest: Sha256Digest,
}

impl Checked {
    /// Reads all of it.
    ///
    /// # Errors
    /// The file cannot be read, is cut off, or is not as it was written.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let file = File::open(path).map_err(|source| ArchiveError::file(path, source))?;
        let damaged = |reason: String| ArchiveError::damaged(path, reason);
        let (mut parts, end) = look_through(&file).map_err(damaged)?;
        let length = file.metadata().map_err(|source| ArchiveError::file(path, source))?.len();
        let sums = parts.pop().filter(|last| last.name == SUMS);
        let sums = sums.ok_or_else(|| damaged("it is cut off: no SHA256SUMS at its end".into()))?;
        // Two empty blocks end a tar file.
        if length != end + 1024 {
            return Err(damaged(format!("{length} bytes, it should have {}", end + 1024)));
        }
        let mut this = Self {
            path: path.to_owned(),
            file,
            head: Head::empty(),
            tail: Tail::default(),
            parts,
            digest: sums.sum,
        };
        let text = this.read(&sums)?;
        this.hold_against(&text).map_err(damaged)?;
        this.head = this.json(0, HEAD)?;
        if this.head.format != FORMAT {
            return Err(damaged(format!("format {:?}, not {FORMAT}", this.head.format)));
        }
        this.tail = this.json(this.parts.len().saturating_sub(1), TAIL)?;
        Ok(this)
    }

    /// The bytes of a part, held against their digest once more.
    ///
    /// # Errors
    /// The file has changed or cannot be read.
    pub fn read(&self, part: &Part) -> Result<Vec<u8>, ArchiveError> {
        let length = usize::try_from(part.bytes).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        let read = self.file.read_exact_at(&mut bytes, part.at);
        read.map_err(|source| ArchiveError::file(&self.path, source))?;
        if Sha256Digest(Sha256::digest(&bytes).into()) != part.sum {
            let reason = format!("{} has changed while it was read", part.name);
            return Err(ArchiveError::damaged(&self.path, reason));
        }
        Ok(bytes)
    }

    fn hold_against(&self, sums: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(sums).map_err(|_| format!("{SUMS} is no text"))?;
        let mut lines = text.lines();
        for part in &self.parts {
            let line = lines.next().unwrap_or_default();
            let (sum, name) = line.split_once("  ").unwrap_or_default();
            if name != part.name {
                return Err(format!("{} stands where {SUMS} has {name:?}", part.name));
            }
            if sum != part.sum.to_string() {
                return Err(format!("{name} is not as it was written: its digest differs"));
            }
        }
        match lines.next() {
            None => Ok(()),
            Some(line) => Err(format!("{} is missing", line.get(66..).unwrap_or(line))),
        }
    }

    fn json<T: DeserializeOwned>(&self, at: usize, name: &str) -> Result<T, ArchiveError> {
        let wrong = |reason: String| ArchiveError::damaged(&self.path, format!("{name}: {reason}"));
        let part = self.parts.get(at).filter(|part| part.name == name);
        let part = part.ok_or_else(|| wrong("it is not at its place".into()))?;
        let bytes = self.read(part)?;
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
    }
}

impl Head {
    fn empty() -> Self {
        Self {
            format: String::new(),
            software: String::new(),
            made_at: String::new(),
            schema: 0,
            schema_digest: String::new(),
            postgres: String::new(),
            key: String::new(),
            key_inside: false,
            config: Vec::new(),
            months: None,
            tables: Vec::new(),
        }
    }
}

/// Every part with its digest, and the first byte after the last one.
fn look_through(file: &File) -> Result<(Vec<Part>, u64), String> {
    let cut = |error: io::Error| format!("it is cut off or no backup: {error}");
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, file));
    let mut parts = Vec::new();
    let mut end = 0;
    for entry in archive.entries().map_err(cut)? {
        let mut entry = entry.map_err(cut)?;
        let path = entry.path().map_err(cut)?.into_owned();
        let name = path.to_str().ok_or("a part without a readable name")?.to_owned();
        let (at, bytes) = (entry.raw_file_position(), entry.size());
        let most = if name == SUMS { SUMS_BYTES_MAX } else { PART_BYTES_MAX };
        if bytes > most || parts.len() >= PARTS_MAX || !entry.header().entry_type().is_file() {
            return Err(format!("{name}: no part of a backup ({bytes} bytes)"));
        }
        let (read, sum) = digest(&mut entry).map_err(cut)?;
        if read != bytes {
            return Err(format!("it is cut off in {name}"));
        }
        parts.push(Part { name, bytes, at, sum });
        end = at + bytes.next_multiple_of(512);
    }
    Ok((parts, end))
}

fn digest(mut from: impl Read) -> io::Result<(u64, Sha256Digest)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut read = 0;
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok((read, Sha256Digest(hasher.finalize().into())));
        }
        hasher.update(&buffer[..count]);
        read += count as u64;
    }
}
