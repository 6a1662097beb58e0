//! The cluster on disk: made once, checked at every start, freed of a dead server's traces.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal};

use super::binaries::Binaries;
use super::home::{Home, SOCKET_NAME};

/// How long the processes of an earlier server may take to go before the start is given up.
/// They hold its shared memory; a second server beside them would destroy the data.
const LEFTOVERS_WITHIN: Duration = Duration::from_secs(30);

/// How long an earlier server may finish by itself before it is asked to.
const LEFTOVERS_ASKED_AFTER: Duration = Duration::from_secs(3);

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
    let mut initdb = server_command(home, &binaries.path("initdb"), Signal::KILL)?;
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
    let mut question = server_command(home, &binaries.path("postgres"), Signal::KILL)?;
    question.args(["-C", "wal_compression", "-c", "wal_compression=lz4", "-D"]);
    let answer = question.arg(home.server_path("data")).output().context("asking the server")?;
    Ok(if answer.status.success() { "lz4" } else { "on" })
}

/// A command that runs as the server's user, ends with the thread that spawned it, and inherits
/// nothing of our environment. The terminal's Ctrl-C does not reach it: it stops after us.
pub(super) fn server_command(
    home: &Home,
    program: &Path,
    death_signal: Signal,
) -> anyhow::Result<Command> {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null());
    if let Some(user) = home.user() {
        command.uid(user.uid).gid(user.gid);
    }
    let passage = home.passage();
    let parent = rustix::process::getpid();
    let prepare_child = move || {
        // After the change of user, which would reset it.
        rustix::process::set_parent_process_death_signal(Some(death_signal))?;
        // Had the parent died before that line, the signal would never come.
        if rustix::process::getppid() != Some(parent) {
            return Err(rustix::io::Errno::SRCH.into());
        }
        if let Some(handle) = &passage {
            rustix::io::fcntl_setfd(handle, rustix::io::FdFlags::empty())?;
        }
        Ok(())
    };
    #[expect(unsafe_code, reason = "a death signal can only be set between fork and exec")]
    // SAFETY: the closure makes three system calls and neither allocates nor locks.
    unsafe {
        command.pre_exec(prepare_child);
    }
    Ok(command)
}

/// What `postmaster.pid` says; the format is that of Postgres' `miscadmin.h`: line 1 the process,
/// line 8 its state.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Postmaster {
    pub pid: Pid,
    pub is_ready: bool,
}

pub(super) fn postmaster(home: &Home) -> Option<Postmaster> {
    parse_postmaster(&fs::read_to_string(home.path("data/postmaster.pid")).ok()?)
}

fn parse_postmaster(text: &str) -> Option<Postmaster> {
    let mut lines = text.lines();
    let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
    let is_ready = lines.nth(6).is_some_and(|state| state.trim() == "ready");
    Some(Postmaster { pid, is_ready })
}

/// Whether a server accepts connections on this home.
pub(super) fn is_ready(home: &Home) -> bool {
    postmaster(home).is_some_and(|postmaster| postmaster.is_ready)
        && home.socket_dir().join(SOCKET_NAME).exists()
}

/// Waits for the processes of an earlier server to go, and removes a lock file that names a
/// process which has nothing to do with Postgres any more (after a reboot or in a new container
/// its number may belong to anybody, and Postgres would refuse to start).
///
/// The caller holds the server's lock: no other xunjian uses these processes.
pub(super) fn clear_leftovers(home: &Home) -> anyhow::Result<()> {
    let Some(old) = postmaster(home) else { return Ok(()) };
    let began = Instant::now();
    let mut asked = false;
    loop {
        let alive = processes_of(home, old.pid);
        if alive.is_empty() {
            break;
        }
        if !asked && began.elapsed() > LEFTOVERS_ASKED_AFTER && alive.contains(&old.pid) {
            tracing::warn!(pid = old.pid.as_raw_nonzero(), "stopping an earlier database server");
            // Fails only if it has just gone.
            let _ = rustix::process::kill_process(old.pid, Signal::INT);
            asked = true;
        }
        if began.elapsed() > LEFTOVERS_WITHIN {
            let pids: Vec<_> = alive.iter().map(|pid| pid.as_raw_nonzero().to_string()).collect();
            bail!(
                "processes of an earlier database server still run on {}: {}",
                home.path("data").display(),
                pids.join(", "),
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Postgres itself clears a lock whose process is gone; it errs only about a number in use.
    if process_exists(old.pid) && postmaster(home).is_some_and(|now| now.pid == old.pid) {
        tracing::warn!(pid = old.pid.as_raw_nonzero(), "removing the lock of a dead server");
        fs::remove_file(home.path("data/postmaster.pid")).context("removing a stale lock")?;
        let socket_lock = home.socket_dir().join(format!("{SOCKET_NAME}.lock"));
        match fs::remove_file(socket_lock) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context("removing a stale socket lock");
            }
            _ => {}
        }
    }
    Ok(())
}

fn process_exists(pid: Pid) -> bool {
    Path::new("/proc").join(pid.as_raw_nonzero().to_string()).exists()
}

/// The processes that work in the cluster's folder (every Postgres process does). Where we may
/// not look (root without the right to trace), the old server counts by its program's name.
fn processes_of(home: &Home, old: Pid) -> Vec<Pid> {
    let Ok(data) = fs::metadata(home.path("data")) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| Pid::from_raw(name.parse().ok()?));
        let Some(pid) = pid else { continue };
        let works_here = match fs::metadata(entry.path().join("cwd")) {
            Ok(folder) => folder.dev() == data.dev() && folder.ino() == data.ino(),
            Err(_) => pid == old && is_postgres(&entry.path()),
        };
        if works_here && !is_dead(&entry.path()) {
            found.push(pid);
        }
    }
    found
}

fn is_postgres(process: &Path) -> bool {
    fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "postgres")
}

/// A zombie holds nothing; only its parent can remove it.
fn is_dead(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_of_postgres_is_understood() {
        let text = "4711\n/data\n1700000000\n5432\n/run\n\n  123 456\nready   \n";
        let pid = Pid::from_raw(4711).unwrap();
        assert_eq!(parse_postmaster(text), Some(Postmaster { pid, is_ready: true }));
        let starting = text.replace("ready", "starting");
        assert_eq!(parse_postmaster(&starting), Some(Postmaster { pid, is_ready: false }));
        assert_eq!(parse_postmaster("4711\n").map(|it| it.is_ready), Some(false));
        assert_eq!(parse_postmaster("-\n"), None);
        assert_eq!(parse_postmaster(""), None);
    }
}
