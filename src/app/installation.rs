use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, anyhow, ensure};
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

    /// Reads `installation.key` if there is one.
    pub(super) fn existing(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = data_dir.join("installation.key");
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => Self::of(data_dir).map(Some),
        }
    }

    /// Puts a key into a folder that has none.
    pub(super) fn place(data_dir: &Path, key: &[u8]) -> anyhow::Result<()> {
        let path = data_dir.join("installation.key");
        let wrong = || anyhow!("the key in the backup is not one of {KEY_BYTES} bytes");
        let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| wrong())?;
        let there = write_new(&path, &key).with_context(|| path.display().to_string())?;
        ensure!(there == key, "{}: another has been put there meanwhile", path.display());
        Ok(())
    }

    /// What tells the key from others and nothing about it.
    pub(super) fn fingerprint(&self) -> String {
        hex::encode(&self.key_for("xunjian: fingerprint")[..16])
    }

    /// The key itself, for a backup that is to hold it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
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
    write_new(path, &key)
}

/// Puts a key where there is none; returns the one that is there afterwards.
fn write_new(path: &Path, key: &[u8]) -> std::io::Result<Vec<u8>> {
    // With a database of the office's own nobody else makes the folder.
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(key)?;
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
