//! The cluster on disk: made once, its version checked at every start.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, bail};
use rustix::process::Signal;

use super::binaries::Binaries;
use super::child::server_command;
use super::home::Home;

/// A cluster that can be started.
pub(super) struct Cluster {
    pub binaries: Binaries,
    /// The best compression of the write-ahead log that these binaries know.
    pub wal_compression: &'static str,
}

impl Cluster {
    /// Finds the binaries for the cluster, which is created if there is none.
    pub(super) fn prepare(home: &Home, bin_dir: &Path) -> anyhow::Result<Self> {
        let binaries = match major_on_disk(home)? {
            Some(major) => Binaries::find(bin_dir, Some(major)).with_context(|| {
                format!("opening the database in {}", home.path("data").display())
            })?,
            None => {
                let binaries = Binaries::find(bin_dir, None)?;
                create(home, &binaries)?;
                binaries
            }
        };
        let wal_compression = wal_compression(home, &binaries)?;
        Ok(Self { binaries, wal_compression })
    }
}

fn major_on_disk(home: &Home) -> anyhow::Result<Option<u32>> {
    let data = home.path("data");
    if !data.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(data.join("PG_VERSION"))
        .with_context(|| format!("{} is not a Postgres cluster", data.display()))?;
    let major = text.trim().parse();
    major.map(Some).with_context(|| format!("{}/PG_VERSION says {text:?}", data.display()))
}

/// Runs initdb beside the final place and moves the result there, so that a creation that was
/// cut short leaves nothing that looks like a cluster.
fn create(home: &Home, binaries: &Binaries) -> anyhow::Result<()> {
    let unfinished = home.path("data.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)
            .with_context(|| format!("removing {}", unfinished.display()))?;
    }
    home.create_private("data.new")?;
    tracing::info!(folder = %home.dir().display(), "creating the database cluster");
    let mut initdb = server_command(home, &binaries.path("initdb"), Signal::KILL);
    initdb
        .arg("--pgdata")
        .arg(home.server_path("data.new"))
        .args(["--username=xunjian", "--encoding=UTF8", "--locale=C.UTF-8"])
        .args(["--locale-provider=libc", "--lc-messages=C", "--data-checksums"])
        .args(["--auth-local=trust", "--auth-host=reject", "--no-instructions"]);
    let output = initdb.output().context("running initdb")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    fs::rename(&unfinished, home.path("data")).context("moving the new cluster to its place")?;
    File::open(home.dir())?.sync_all().context("writing the new cluster's place to disk")?;
    Ok(())
}

/// lz4 is an option of the build; the server itself says whether it takes it.
fn wal_compression(home: &Home, binaries: &Binaries) -> anyhow::Result<&'static str> {
    let mut question = server_command(home, &binaries.path("postgres"), Signal::KILL);
    question.args(["-C", "wal_compression", "-c", "wal_compression=lz4", "-D"]);
    let answer = question.arg(home.server_path("data")).output().context("asking the server")?;
    Ok(if answer.status.success() { "lz4" } else { "on" })
}
