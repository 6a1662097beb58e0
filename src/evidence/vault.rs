//! Where evidence lies: segments being written in a folder of their own, closed ones in the store.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};

use super::capture::Capture;
use super::error::EvidenceError;
use super::kept::{Closed, Placed};
use super::merkle::digest;
use super::segment::{self, Recovered};
use super::settings::Settings;
use super::shelf::{self, Shelf, unless_gone};
use super::writer::Writer;
use crate::domain::Sha256Digest;

/// The evidence store of this process; clones share it.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

pub(super) struct Inner {
    pub(super) settings: Settings,
    /// Segments that are being written or wait to be stored.
    pub(super) spool: PathBuf,
    shelf: Shelf,
    writer: Mutex<Writer>,
    pub(super) software: String,
}

impl Vault {
    /// The store of these settings, its folders made; `writer` is different for every process
    /// that ever writes here.
    pub fn open(settings: &Settings, data_dir: &Path, writer: &str) -> Result<Self, EvidenceError> {
        let folder = match settings.store_dir.as_os_str().is_empty() {
            true => data_dir.join("evidence"),
            false => settings.store_dir.clone(),
        };
        let spool = data_dir.join("evidence-spool");
        let failed = |path: &PathBuf, source| EvidenceError::Folder { path: path.clone(), source };
        for path in [&folder, &spool] {
            fs::create_dir_all(path).map_err(|source| failed(path, source))?;
        }
        let plain = |one: char| if one.is_ascii_alphanumeric() { one } else { '-' };
        let name = writer.chars().map(plain).collect();
        let writer = Mutex::new(Writer::new(name));
        let software = concat!("xunjian/", env!("CARGO_PKG_VERSION")).to_owned();
        let shelf = Shelf::open(folder.clone()).map_err(|source| failed(&folder, source))?;
        let inner = Inner { settings: settings.clone(), spool, shelf, writer, software };
        Ok(Self(Arc::new(inner)))
    }

    /// The settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Program and version, as records name it.
    pub fn software(&self) -> &str {
        &self.0.software
    }

    /// Appends captures, each whole or none at all, and returns once they lie on the disk.
    ///
    /// # Errors
    /// Nothing of the batch counts as written then; what is left of it is cut off now or by
    /// [`Vault::recover`].
    pub async fn append(
        &self,
        captures: Vec<Capture>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Placed>, EvidenceError> {
        self.blocking(move |inner| inner.append(&captures, now)).await
    }

    /// Cuts off what writers that died left torn, and closes their segments; touches none that a
    /// living process writes.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub async fn recover(&self) -> Result<Vec<Recovered>, EvidenceError> {
        self.blocking(|inner| inner.folder(segment::recover(&inner.spool))).await
    }

    /// Closes this process's segments of days before `today`, or all of them; returns every segment
    /// that waits to be stored.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub async fn close(&self, before: Option<NaiveDate>) -> Result<Vec<Closed>, EvidenceError> {
        self.blocking(move |inner| inner.folder(inner.close(before))).await
    }

    /// Copies a closed segment into the store; returns size and digest, `None` where another
    /// process has done it meanwhile. It stays in the spool until [`Vault::forget`], so that it can
    /// be read all the time.
    ///
    /// # Errors
    /// The segment cannot be read, or the store does not take it.
    pub async fn ship(&self, name: &str) -> Result<Option<(u64, Sha256Digest)>, EvidenceError> {
        let path = self.0.spool.join(name);
        let opened = self.blocking(move |inner| inner.folder(unless_gone(fs::File::open(path))));
        let Some(file) = opened.await? else { return Ok(None) };
        Ok(Some(self.0.shelved(self.0.shelf.put_file(name, file).await)?))
    }

    /// Takes a segment that the store has out of the spool.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub async fn forget(&self, name: &str) -> Result<(), EvidenceError> {
        let path = self.0.spool.join(name);
        let gone = self.blocking(move |inner| inner.folder(unless_gone(fs::remove_file(path))));
        gone.await.map(|_| ())
    }

    /// Puts a whole segment into the store; returns its size and digest.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn put_segment(
        &self,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<(u64, Sha256Digest), EvidenceError> {
        let (length, sum) = (bytes.len() as u64, digest(&bytes));
        self.0.shelved(self.0.shelf.put(name, bytes).await)?;
        Ok((length, sum))
    }

    /// Lays a closed segment into the spool, from where it is stored in its turn.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn lay(&self, name: &str, bytes: Vec<u8>) -> Result<(), EvidenceError> {
        let name = name.to_owned();
        self.blocking(move |inner| inner.folder(segment::lay(&inner.spool, &name, &bytes))).await
    }

    /// Whether a name is one that segments have, and nothing that leads elsewhere.
    pub fn is_segment(name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        segment::parse_name(name).is_some() && name.bytes().all(plain)
    }

    /// Takes a segment out of the store; one that is not there is gone already.
    ///
    /// # Errors
    /// The store refuses.
    pub async fn delete_segment(&self, name: &str) -> Result<(), EvidenceError> {
        self.0.shelved(self.0.shelf.delete(name).await)
    }

    /// Bytes of a segment, wherever it lies; `None` where this machine cannot find it, such as one
    /// that another daemon is still writing.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub async fn read(
        &self,
        name: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<Bytes>, EvidenceError> {
        let (spooled, part) = (name.to_owned(), range.clone());
        // In the order in which a segment moves on, so that it is never missed.
        let spooled = self.blocking(move |inner| {
            for path in segment::places(&inner.spool, &spooled) {
                let found = inner.folder(shelf::read(&path, part.clone()))?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        });
        match spooled.await? {
            Some(found) => Ok(Some(found)),
            None => self.0.shelved(self.0.shelf.read(name, range).await),
        }
    }

    /// A name for what is left of a segment when the rest is dropped.
    pub fn kept_name(&self, name: &str) -> String {
        segment::kept_name(name, &self.0.writer().name)
    }

    /// The first record of a segment of this name, for one that is written anew.
    pub fn opening(&self, name: &str, now: DateTime<Utc>) -> Vec<u8> {
        segment::opening(name, &self.0.software, now, self.0.settings.gzip_level)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, EvidenceError> + Send + 'static,
    ) -> Result<T, EvidenceError> {
        let inner = self.0.clone();
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or(Err(EvidenceError::CutOff))
    }
}

impl Inner {
    fn folder<T>(&self, result: io::Result<T>) -> Result<T, EvidenceError> {
        result.map_err(|source| EvidenceError::Folder { path: self.spool.clone(), source })
    }

    fn shelved<T>(&self, result: io::Result<T>) -> Result<T, EvidenceError> {
        result.map_err(|source| EvidenceError::Folder { path: self.shelf.root.clone(), source })
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(
        &self,
        captures: &[Capture],
        now: DateTime<Utc>,
    ) -> Result<Vec<Placed>, EvidenceError> {
        let space = self.folder(rustix::fs::statvfs(&self.spool).map_err(io::Error::from))?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if free < self.settings.free_bytes_min {
            return Err(EvidenceError::NoRoom { free, kept: self.settings.free_bytes_min });
        }
        let mut writer = self.writer();
        self.folder(writer.append(self, captures, now))
    }

    fn close(&self, before: Option<NaiveDate>) -> io::Result<Vec<Closed>> {
        self.writer().close(before)?;
        let closed = segment::closed(&self.spool)?.into_iter().filter_map(|name| {
            let (day, class) = segment::parse_name(&name)?;
            Some(Closed { name, class, day })
        });
        Ok(closed.collect())
    }
}
