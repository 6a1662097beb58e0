//! One open segment: a file that records are appended to, and that survives being cut off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use rustix::fs::{FlockOperation, flock};

use super::capture::record_key;
use super::reader::whole_part;
use super::warc::{Head, fields, write};
use crate::domain::EvidenceClass;

/// Behind the name while records may still be added.
const OPEN: &str = ".open";
/// Behind the name until its lock is held.
const NEW: &str = ".new";
const ENDING: &str = ".warc.gz";

/// The name of a segment: `2026-11-27_change_<writer>_000001.warc.gz`.
pub(super) fn name(day: NaiveDate, class: EvidenceClass, writer: &str, number: u64) -> String {
    format!("{day}_{}_{writer}_{number:06}{ENDING}", class.as_str())
}

/// Day and class out of a name.
pub(super) fn parse_name(name: &str) -> Option<(NaiveDate, EvidenceClass)> {
    let mut parts = name.strip_suffix(ENDING)?.splitn(3, '_');
    let day = parts.next()?.parse().ok()?;
    let class = EvidenceClass::from_word(parts.next()?)?;
    parts.next()?;
    Some((day, class))
}

/// A name for what is left of a segment when retention has dropped the rest; `writer` keeps two
/// daemons at the same work apart.
pub(super) fn kept_name(name: &str, writer: &str) -> String {
    let stem = name.strip_suffix(ENDING).unwrap_or(name);
    let (stem, number) = match stem.split_once("-kept") {
        Some((stem, rest)) => {
            let number = rest.split('-').next().and_then(|text| text.parse().ok());
            (stem, number.unwrap_or(0_u64) + 1)
        }
        None => (stem, 1),
    };
    format!("{stem}-kept{number}-{writer}{ENDING}")
}

/// The first record of every segment.
pub(super) fn opening(name: &str, software: &str, at: DateTime<Utc>, level: u32) -> Vec<u8> {
    let head = Head {
        kind: "warcinfo",
        record: record_key(&["warcinfo", name]),
        date: at,
        content_type: "application/warc-fields",
        fields: vec![("WARC-Filename", name.to_owned())],
    };
    let block = fields(&[
        ("software", software.to_owned()),
        ("format", "WARC file version 1.1".to_owned()),
        ("conformsTo", "https://iipc.github.io/warc-specifications/".to_owned()),
    ]);
    let mut bytes = Vec::new();
    write(&mut bytes, &head, &[block.as_bytes()], level);
    bytes
}

/// A segment being written; its lock tells other processes that somebody lives behind it.
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) day: NaiveDate,
    pub(super) length: u64,
    folder: PathBuf,
    file: File,
}

impl Segment {
    /// Creates a segment with its first record.
    pub(super) fn create(
        folder: &Path,
        name: String,
        day: NaiveDate,
        opening: &[u8],
    ) -> io::Result<Self> {
        let fresh = folder.join(format!("{name}{NEW}"));
        let created = (|| {
            let mut file = OpenOptions::new().append(true).create(true).open(&fresh)?;
            file.set_len(0)?;
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(opening)?;
            file.sync_data()?;
            fs::rename(&fresh, folder.join(format!("{name}{OPEN}")))?;
            sync_folder(folder)?;
            Ok(file)
        })();
        match created {
            Ok(file) => {
                let length = opening.len() as u64;
                Ok(Self { name, day, length, folder: folder.to_owned(), file })
            }
            Err(error) => {
                // Where even this fails, what is left is an empty draft that nobody reads.
                let _ = fs::remove_file(&fresh);
                Err(error)
            }
        }
    }

    /// Appends bytes; where that fails the file is as before, or `Err(Torn)` says that it is not.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err(error) => match self.file.set_len(self.length) {
                Ok(()) => Err(Failed::Whole(error)),
                Err(_) => Err(Failed::Torn(error)),
            },
        }
    }

    /// Cuts off what was appended after `length`.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        Ok(())
    }

    /// Waits until everything appended lies on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Ends it: from now on it waits to be stored.
    pub(super) fn close(self) -> io::Result<()> {
        self.file.sync_data()?;
        close_name(&self.folder, &self.name)
    }
}

/// What a failed append left behind.
pub(super) enum Failed {
    /// The file as it was.
    Whole(io::Error),
    /// A torn record at its end; no more may be appended.
    Torn(io::Error),
}

/// What a writer that died left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The segment.
    pub segment: String,
    /// Bytes of a torn record that were cut off; no visit refers to them.
    pub torn_bytes: u64,
}

/// Cuts torn records off the segments that nobody lives behind, and closes them.
pub(super) fn recover(folder: &Path) -> io::Result<Vec<Recovered>> {
    let mut recovered = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = file_name.strip_suffix(OPEN) else { continue };
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        // Its writer may have closed it between the look at the folder and the lock.
        let Ok(bytes) = fs::read(&path) else { continue };
        let (whole, records) = whole_part(&bytes);
        let torn_bytes = (bytes.len() - whole) as u64;
        if torn_bytes > 0 {
            file.set_len(whole as u64)?;
        }
        file.sync_all()?;
        // The opening alone is no evidence.
        if records > 1 {
            close_name(folder, name)?;
        } else {
            fs::remove_file(&path)?;
        }
        recovered.push(Recovered { segment: name.to_owned(), torn_bytes });
    }
    Ok(recovered)
}

/// Puts a whole segment under its name, as one that waits to be stored.
pub(super) fn lay(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!("{name}{NEW}"));
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    sync_folder(folder)
}

/// Names of the segments that wait to be stored.
pub(super) fn closed(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if parse_name(&name).is_some() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Where the bytes of a segment may lie in the folder, in the order in which it moves on.
pub(super) fn places(folder: &Path, name: &str) -> [PathBuf; 2] {
    [folder.join(format!("{name}{OPEN}")), folder.join(name)]
}

/// Makes the folder's own entries durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn close_name(folder: &Path, name: &str) -> io::Result<()> {
    fs::rename(folder.join(format!("{name}{OPEN}")), folder.join(name))?;
    sync_folder(folder)
}
