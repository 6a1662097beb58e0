//! Where closed segments lie: an object store, of which this machine's folder is one. Whole objects
//! are put, read and deleted by name.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use crate::domain::Sha256Digest;

/// The bytes of a file that are put together: as few as stores of objects take.
const PIECE: u64 = 5 * 1024 * 1024;

/// The store of closed segments.
pub(super) struct Shelf {
    /// Its folder, for messages.
    pub(super) root: PathBuf,
    store: Box<dyn ObjectStore>,
}

impl Shelf {
    /// A folder that exists. What is put there lies on the disk, name and all, before it counts as
    /// put.
    pub(super) fn open(root: PathBuf) -> io::Result<Self> {
        let store = LocalFileSystem::new_with_prefix(&root)?.with_fsync(true);
        Ok(Self { root, store: Box::new(store) })
    }

    /// Puts a whole object; returns once it is kept under its name.
    pub(super) async fn put(&self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        self.store.put(&location(name), bytes.into()).await?;
        Ok(())
    }

    /// Puts a file piece by piece, so that no more than one is in memory; returns once it is kept
    /// whole under its name, with its size and digest.
    pub(super) async fn put_file(&self, name: &str, file: File) -> io::Result<(u64, Sha256Digest)> {
        let mut upload = self.store.put_multipart(&location(name)).await?;
        match copy(file, upload.as_mut()).await {
            Ok(copied) => {
                upload.complete().await?;
                Ok(copied)
            }
            Err(error) => {
                // What failed is told; pieces that cannot be taken back lie there without a name.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    /// Bytes of an object; `None` where there is none of this name.
    pub(super) async fn read(
        &self,
        name: &str,
        range: Option<Range<u64>>,
    ) -> io::Result<Option<Bytes>> {
        let location = location(name);
        let read = match range {
            Some(range) => self.store.get_range(&location, range).await,
            None => match self.store.get(&location).await {
                Ok(found) => found.bytes().await,
                Err(error) => Err(error),
            },
        };
        unless_missing(read)
    }

    /// Takes an object away, if it is there.
    pub(super) async fn delete(&self, name: &str) -> io::Result<()> {
        unless_missing(self.store.delete(&location(name)).await).map(|_| ())
    }
}

async fn copy(file: File, upload: &mut dyn MultipartUpload) -> io::Result<(u64, Sha256Digest)> {
    let mut file = tokio::fs::File::from_std(file);
    let (mut length, mut sum) = (0, Sha256::new());
    loop {
        let mut piece = Vec::new();
        (&mut file).take(PIECE).read_to_end(&mut piece).await?;
        if piece.is_empty() {
            return Ok((length, Sha256Digest(sum.finalize().into())));
        }
        length += piece.len() as u64;
        sum.update(&piece);
        upload.put_part(piece.into()).await?;
    }
}

/// A folder for each month of the day that a name begins with.
fn location(name: &str) -> Location {
    Location::from_iter([name.get(..7).unwrap_or("unnamed"), name])
}

/// `None` for an object that is not there.
fn unless_missing<T>(result: Result<T, Error>) -> io::Result<Option<T>> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Bytes of a file; `None` where there is none.
pub(super) fn read(path: &Path, range: Option<Range<u64>>) -> io::Result<Option<Bytes>> {
    let Some(file) = unless_gone(File::open(path))? else { return Ok(None) };
    let whole = 0..file.metadata()?.len();
    let range = range.unwrap_or(whole.clone());
    if range.end > whole.end || range.start > range.end {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(Some(bytes.into()))
}

/// `None` for a file that is not there any more.
pub(super) fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
