//! Finds an installed Postgres.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

/// The oldest major version the schema is written for.
pub(super) const MAJOR_MIN: u32 = 15;

/// Where distributions put versions side by side, as (folder, the part below the version).
const VERSIONED: [(&str, &str, &str); 2] =
    [("/usr/lib/postgresql", "", "bin"), ("/usr", "pgsql-", "bin")];

/// An installed Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub dir: PathBuf,
    pub major: u32,
}

impl Binaries {
    /// The binaries for a cluster of that major version, or the first usable ones for a new
    /// cluster: those of `bin_dir` alone if it is set, else `PATH`, else the distribution's,
    /// newest first.
    pub(super) fn find(bin_dir: &Path, cluster_major: Option<u32>) -> anyhow::Result<Self> {
        let folders = if bin_dir.as_os_str().is_empty() {
            let mut folders = crate::settings::search_path();
            folders.extend(versioned_folders());
            folders
        } else {
            vec![bin_dir.to_owned()]
        };
        let mut older = Vec::new();
        for dir in &folders {
            let Some(major) = major_of(dir) else { continue };
            if major >= MAJOR_MIN && cluster_major.is_none_or(|wanted| wanted == major) {
                return Ok(Self { dir: dir.clone(), major });
            }
            older.push(format!("{major} in {}", dir.display()));
        }
        refuse(bin_dir, cluster_major, &older)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

fn refuse<T>(bin_dir: &Path, cluster_major: Option<u32>, found: &[String]) -> anyhow::Result<T> {
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    if let Some(major) = cluster_major {
        bail!(
            "the data was made by PostgreSQL {major}, which is not installed (found: {found}): \
             install the package postgresql-{major}, or move the data with pg_upgrade, or set \
             database.bin_dir"
        );
    }
    let place = if bin_dir.as_os_str().is_empty() {
        String::new()
    } else {
        format!(" in {}", bin_dir.display())
    };
    bail!(
        "no PostgreSQL {MAJOR_MIN} or newer{place} (found: {found}): install the package \
         postgresql (Debian, Ubuntu) or postgresql-server (Red Hat, openEuler), or set \
         database.bin_dir or database.url"
    )
}

/// The major version of a folder that holds both programs.
fn major_of(dir: &Path) -> Option<u32> {
    let server = dir.join("postgres");
    if !server.is_file() || !dir.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(server).arg("--version").output().ok()?;
    major_in(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or `17beta1`.
fn major_in(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL) ").nth(1)?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

fn versioned_folders() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (parent, prefix, below) in VERSIONED {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok());
            if let Some(version) = version {
                let version: u32 = version;
                found.push((version, entry.path().join(below)));
            }
        }
    }
    found.sort();
    found.into_iter().rev().map(|(_, dir)| dir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_the_server_says() {
        let check = |text, major| assert_eq!(major_in(text), major, "{text}");
        check("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15));
        check("postgres (PostgreSQL) 18beta1\n", Some(18));
        check("postgres (PostgreSQL) 9.6.24\n", Some(9));
        check("something else 15.1\n", None);
    }

    #[test]
    fn without_binaries_the_error_names_the_package() {
        let empty = tempfile::tempdir().unwrap();
        let error = Binaries::find(empty.path(), None).unwrap_err().to_string();
        assert!(error.contains("install the package postgresql"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}
