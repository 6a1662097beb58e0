use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, ensure};

const KEY_BYTES: usize = 32;

/// The installation's key for the ids of citizens' messages, made at the first start.
///
/// Whoever has both the key and the database could try ids out; so it lies beside the database and
/// not in it, readable by the daemon's user alone.
pub(super) fn inquiry_key(data_dir: &Path) -> anyhow::Result<Vec<u8>> {
    let path = data_dir.join("inquiry.key");
    let read = || -> std::io::Result<Vec<u8>> {
        let mut key = Vec::new();
        File::open(&path)?.take(1024).read_to_end(&mut key)?;
        Ok(key)
    };
    let key = match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = vec![0; KEY_BYTES];
            File::open("/dev/urandom")?.read_exact(&mut key).context("random bytes")?;
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(&key)?;
            file.sync_all()?;
            key
        }
        other => other.with_context(|| path.display().to_string())?,
    };
    ensure!(key.len() == KEY_BYTES, "{}: not a key of {KEY_BYTES} bytes", path.display());
    Ok(key)
}

/// A name for this process among the daemons that share a database.
pub(super) fn owner_name() -> String {
    let host = rustix::system::uname();
    format!("{}:{}", host.nodename().to_string_lossy(), std::process::id())
}
