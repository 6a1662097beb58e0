use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, anyhow};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const KEY_BYTES: usize = 32;

/// The installation's key, made at the first start; every purpose has a key of its own from it.
///
/// Whoever has both the key and the database can read what the ledger says of persons and try ids
/// of citizens' messages out; so it lies beside the database and not in it, readable by the
/// daemon's user alone.
pub(super) struct InstallationKey([u8; KEY_BYTES]);

impl InstallationKey {
    /// Reads `installation.key`, or makes it.
    pub(super) fn of(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("installation.key");
        let key = match read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => make(&path),
            other => other,
        };
        let key = key.with_context(|| path.display().to_string())?;
        let key = key.try_into();
        let wrong = |_| anyhow!("{}: not a key of {KEY_BYTES} bytes", path.display());
        Ok(Self(key.map_err(wrong)?))
    }

    /// Under which the ids of citizens' messages are kept.
    pub(super) fn inquiry_ids(&self) -> [u8; KEY_BYTES] {
        self.key_for("xunjian: ids of citizens' messages")
    }

    /// Under which the ledger's words about persons are kept.
    pub(super) fn secrets(&self) -> [u8; KEY_BYTES] {
        self.key_for("xunjian: persons in the ledger")
    }

    fn key_for(&self, purpose: &str) -> [u8; KEY_BYTES] {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.chain_update(purpose).finalize().into_bytes().into()
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut key = Vec::new();
    File::open(path)?.take(1024).read_to_end(&mut key)?;
    Ok(key)
}

/// Writes a new key whole or not at all: two commands at the first start end with the same one.
fn make(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut key = vec![0; KEY_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    // With a database of the office's own nobody else makes the folder.
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // A link, unlike a renaming, leaves a key alone that another has put there meanwhile.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => read(path),
    }
}

/// A name for this process among the daemons that share a database; two containers may agree in
/// host name and process id, so a random part comes last.
pub(super) fn owner_name() -> anyhow::Result<String> {
    let host = rustix::system::uname();
    let mut chance = [0; 4];
    File::open("/dev/urandom")?.read_exact(&mut chance).context("random bytes")?;
    let (host, id) = (host.nodename().to_string_lossy(), std::process::id());
    Ok(format!("{host}:{id}:{}", hex::encode(chance)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone_and_differs_by_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let first = InstallationKey::of(folder.path()).unwrap();
        let again = InstallationKey::of(folder.path()).unwrap();
        assert_eq!(first.secrets(), again.secrets());
        assert_ne!(first.secrets(), first.inquiry_ids());
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1);
        let mode = names[0].as_ref().unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("installation.key"), "short").unwrap();
        let error = InstallationKey::of(folder.path()).err().unwrap().to_string();
        assert!(error.contains("installation.key: not a key of 32 bytes"), "{error}");
    }
}
