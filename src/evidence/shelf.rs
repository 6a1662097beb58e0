//! Where closed segments lie: a folder, asked for no more than any object store offers. Whole
//! objects are put, read and deleted by name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::segment::sync_folder;

/// A folder of objects.
pub(super) struct Shelf {
    pub(super) root: PathBuf,
}

impl Shelf {
    /// A folder for each month of the day that a name begins with.
    fn place(&self, name: &str) -> (PathBuf, PathBuf) {
        let folder = self.root.join(name.get(..7).unwrap_or("unnamed"));
        let path = folder.join(name);
        (folder, path)
    }

    /// Puts a whole object; returns once it lies on the disk under its name.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (folder, path) = self.place(name);
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
            sync_folder(&self.root)?;
        }
        // Of another name in every process: two may put the same object at once.
        let draft = folder.join(format!("{name}.{}.draft", std::process::id()));
        let written = File::create(&draft)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&draft, &path))
            .and_then(|()| sync_folder(&folder));
        if written.is_err() {
            // What cannot be removed either is a draft that nobody reads.
            let _ = fs::remove_file(&draft);
        }
        written
    }

    /// Bytes of an object; `None` where there is none of this name.
    pub(super) fn read(&self, name: &str, range: Option<Range<u64>>) -> io::Result<Option<Bytes>> {
        read(&self.place(name).1, range)
    }

    /// Takes an object away, if it is there.
    pub(super) fn delete(&self, name: &str) -> io::Result<()> {
        unless_gone(fs::remove_file(self.place(name).1)).map(|_| ())
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
