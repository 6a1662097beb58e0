use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{ArchiveError, HEAD, Head, SUMS, TAIL, Tail};
use crate::domain::Sha256Digest;

/// A backup being written beside its place; without [`Writer::finish`] nothing is left of it.
pub struct Writer {
    path: PathBuf,
    draft: PathBuf,
    tar: tar::Builder<BufWriter<File>>,
    sums: String,
}

impl Writer {
    /// Begins one, readable by its owner alone.
    ///
    /// # Errors
    /// The file is there already, or its folder cannot be written.
    pub fn create(path: &Path, head: &Head) -> Result<Self, ArchiveError> {
        if path.symlink_metadata().is_ok() {
            return Err(ArchiveError::file(path, io::ErrorKind::AlreadyExists.into()));
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}.part", std::process::id()));
        let draft = PathBuf::from(draft);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let file = file.map_err(|source| ArchiveError::file(&draft, source))?;
        let tar = tar::Builder::new(BufWriter::with_capacity(1 << 20, file));
        let mut writer = Self { path: path.to_owned(), draft, tar, sums: String::new() };
        writer.put_json(HEAD, head)?;
        Ok(writer)
    }

    /// Adds a part.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.append(name, bytes).map_err(|source| ArchiveError::file(&self.draft, source))?;
        let sum = Sha256Digest(Sha256::digest(bytes).into());
        self.sums.push_str(&format!("{sum}  {name}\n"));
        Ok(())
    }

    fn put_json(&mut self, name: &str, value: &impl Serialize) -> Result<(), ArchiveError> {
        let bytes = serde_json::to_vec_pretty(value).map_err(io::Error::other);
        let bytes = bytes.map_err(|source| ArchiveError::file(&self.draft, source))?;
        self.put(name, &bytes)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        self.tar.append_data(&mut header, name, bytes)
    }

    /// Ends it with its tail and digests, and gives it its name once it lies on the disk; returns
    /// the digest of the whole.
    ///
    /// # Errors
    /// The disk does not take it, or somebody has put a file of that name there meanwhile.
    pub fn finish(mut self, tail: &Tail) -> Result<Sha256Digest, ArchiveError> {
        self.put_json(TAIL, tail)?;
        let sums = std::mem::take(&mut self.sums);
        let named = self.append(SUMS, sums.as_bytes()).and_then(|()| self.name());
        named.map_err(|source| ArchiveError::file(&self.path, source))?;
        Ok(Sha256Digest(Sha256::digest(sums.as_bytes()).into()))
    }

    fn name(&mut self) -> io::Result<()> {
        self.tar.finish()?;
        let buffer = self.tar.get_mut();
        buffer.flush()?;
        buffer.get_ref().sync_all()?;
        // A link, unlike a renaming, leaves alone what another has put there meanwhile.
        fs::hard_link(&self.draft, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The name that stays is the other one; a draft that cannot be removed says what it is.
        let _ = fs::remove_file(&self.draft);
    }
}
