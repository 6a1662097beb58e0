//! Backup and restore of an installation: what `jobs::backup` does, with the key and the
//! configuration of these settings.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest, Sha256};

use super::files::read_folder;
use super::installation::{InstallationKey, owner_name};
use super::open::{Misconfigured, open_unmigrated, own_store_at};
use super::postgres::Database;
use crate::archive::{Checked, ConfigFile, KEY};
use crate::domain::{Clock, Sha256Digest};
use crate::evidence::Vault;
use crate::jobs::backup::{self, About, Made, Restored};
use crate::settings::Settings;

/// How a backup is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct BackupOptions {
    /// The key goes into the file.
    pub with_key: bool,
    /// Evidence that cannot be read is left out.
    pub incomplete: bool,
}

/// How one is restored.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestoreOptions {
    /// What is there goes.
    pub replace: bool,
    /// What the key alone can read is given up.
    pub without_key: bool,
    /// The digest that was printed when it was made.
    pub digest: Option<Sha256Digest>,
}

/// Writes the whole state to `path`, beside a running daemon if there is one; the schema stays as
/// it is.
///
/// # Errors
/// What it rests on cannot be read, or the file not written; nothing is left at `path` then.
pub async fn back_up(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    path: &Path,
    options: BackupOptions,
) -> anyhow::Result<Made> {
    let key = InstallationKey::of(&settings.data_dir).context("the installation's key")?;
    let about = About {
        software: software(),
        at: clock.now(),
        fingerprint: key.fingerprint(),
        key: options.with_key.then(|| key.bytes().to_vec()),
        config: configuration(settings)?,
    };
    let vault = vault(settings)?;
    let (store, database) = open_unmigrated(settings).await?;
    let made = backup::back_up(&store, &vault, &about, path, options.incomplete).await;
    store.close().await;
    let stopped = database.stop().await;
    let made = made?;
    stopped?;
    // What could not be restored is no backup.
    let read_back = || {
        let checked = Checked::open(path).context("reading the backup back")?;
        ensure!(checked.digest == made.digest, "{}: changed after it was written", path.display());
        anyhow::Ok(())
    };
    if let Err(error) = read_back() {
        std::fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
        return Err(error);
    }
    Ok(made)
}

/// Puts a backup in the place of these settings, and brings its schema to this program's version;
/// also returns every file of the configuration that is not as it was then.
///
/// # Errors
/// The file is damaged, or the place is not free for it. The database is as it was then.
pub async fn restore(
    settings: &Settings,
    path: &Path,
    options: RestoreOptions,
) -> anyhow::Result<(Restored, Vec<String>)> {
    let checked = Checked::open(path)?;
    if let Some(wanted) = options.digest {
        ensure!(checked.digest == wanted, "its digest is {}, not {wanted}", checked.digest);
    }
    // Whoever owns the data directory is the only daemon there.
    let database = Database::own(&settings.database, &settings.data_dir).await?;
    let restored = restore_into(settings, &database, &checked, options).await;
    let migrated = match restored {
        Ok(restored) => own_store_at(settings, &database).await.map(|()| restored),
        Err(error) => Err(error),
    };
    let stopped = database.stop().await;
    let restored = migrated?;
    stopped?;
    Ok((restored, differences(&checked.head.config, &configuration(settings)?)))
}

async fn restore_into(
    settings: &Settings,
    database: &Database,
    checked: &Checked,
    options: RestoreOptions,
) -> anyhow::Result<Restored> {
    let key = key_to_place(settings, checked, options.without_key)?;
    let vault = vault(settings)?;
    let restored = backup::restore(checked, &database.url, &vault, options.replace).await?;
    if let Some(key) = key {
        InstallationKey::place(&settings.data_dir, &key)?;
    }
    Ok(restored)
}

/// The key out of the backup, where there is none here yet.
fn key_to_place(
    settings: &Settings,
    checked: &Checked,
    without: bool,
) -> anyhow::Result<Option<Vec<u8>>> {
    let wanted = &checked.head.key;
    let folder = settings.data_dir.display();
    match InstallationKey::existing(&settings.data_dir)? {
        Some(here) if here.fingerprint() == *wanted => return Ok(None),
        Some(_) if without => return Ok(None),
        Some(here) => bail!(
            "{folder}/{KEY} has the fingerprint {}, the backup was made under {wanted}: move it \
             away and put the right one there, or give up what only that one can read \
             (--without-key)",
            here.fingerprint()
        ),
        None => {}
    }
    match checked.parts.iter().find(|part| part.name == KEY) {
        Some(part) => Ok(Some(checked.read(part)?)),
        None if without => Ok(None),
        None => bail!(
            "the backup was made without the key: put the {KEY} with the fingerprint {wanted} into \
             {folder} first, or give up what only it can read (--without-key)"
        ),
    }
}

fn software() -> String {
    concat!("xunjian/", env!("CARGO_PKG_VERSION")).to_owned()
}

fn vault(settings: &Settings) -> anyhow::Result<Vault> {
    let owner = owner_name()?;
    let writer = owner.rsplit(':').next().unwrap_or(&owner);
    Ok(Vault::open(&settings.evidence, &settings.data_dir, writer)?)
}

/// Every data file of these settings, by digest.
fn configuration(settings: &Settings) -> anyhow::Result<Vec<ConfigFile>> {
    let folders = [
        ("platforms", &settings.platforms_dir, "toml"),
        ("schemes", &settings.schemes_dir, "toml"),
        ("indices", &settings.indices_dir, "toml"),
        ("calendar", &settings.calendar_dir, "json"),
        ("rules", &settings.rules_dir, "toml"),
        ("imports", &settings.imports_dir, "toml"),
    ];
    let mut files = Vec::new();
    for (kind, folder, extension) in folders {
        if !folder.exists() {
            continue;
        }
        for source in read_folder(folder, extension).map_err(Misconfigured)? {
            let name = Path::new(&source.file).file_name().unwrap_or_default();
            let sha256 = hex::encode(Sha256::digest(source.text.as_bytes()));
            files.push(ConfigFile { file: format!("{kind}/{}", name.to_string_lossy()), sha256 });
        }
    }
    Ok(files)
}

/// What is new, gone or another, in words.
fn differences(then: &[ConfigFile], now: &[ConfigFile]) -> Vec<String> {
    let sum = |files: &[ConfigFile], name: &str| {
        files.iter().find(|one| one.file == name).map(|one| one.sha256.clone())
    };
    let mut told = Vec::new();
    for file in then {
        match sum(now, &file.file) {
            None => told.push(format!("{}: was there, is not here", file.file)),
            Some(other) if other != file.sha256 => {
                told.push(format!("{}: another than then", file.file));
            }
            Some(_) => {}
        }
    }
    let new = now.iter().filter(|file| sum(then, &file.file).is_none());
    told.extend(new.map(|file| format!("{}: was not there then", file.file)));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_of_the_configuration_is_told() {
        let file = |name: &str, sum: &str| ConfigFile { file: name.into(), sha256: sum.into() };
        let then = [file("a", "1"), file("b", "2"), file("c", "3")];
        let now = [file("a", "1"), file("b", "9"), file("d", "4")];
        let told = ["b: another than then", "c: was there, is not here", "d: was not there then"];
        assert_eq!(differences(&then, &now), told);
        assert_eq!(differences(&then, &then), Vec::<String>::new());
    }
}
