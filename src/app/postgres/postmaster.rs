//! The server's lock file: what it says of a running server, and what a dead one leaves behind.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal};

use super::home::{Home, SOCKET_NAME};

/// How long the processes of an earlier server may take to go before the start is given up.
/// They hold its shared memory; a second server beside them would destroy the data.
const LEFTOVERS_WITHIN: Duration = Duration::from_secs(30);

/// How long an earlier server may finish by itself before it is asked to.
const LEFTOVERS_ASKED_AFTER: Duration = Duration::from_secs(3);

/// What `postmaster.pid` says; the format is that of Postgres' `miscadmin.h`: line 1 the process,
/// line 8 its state.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Postmaster {
    pub pid: Pid,
    pub is_ready: bool,
}

/// What the lock file says now; nothing where there is none, or one half written.
pub(super) fn read(home: &Home) -> Option<Postmaster> {
    parse(&fs::read_to_string(home.path("data/postmaster.pid")).ok()?)
}

fn parse(text: &str) -> Option<Postmaster> {
    let mut lines = text.lines();
    let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
    let is_ready = lines.nth(6).is_some_and(|state| state.trim() == "ready");
    Some(Postmaster { pid, is_ready })
}

/// Whether a server accepts connections on this home.
pub(super) fn is_ready(home: &Home) -> bool {
    read(home).is_some_and(|postmaster| postmaster.is_ready)
        && home.socket_dir().join(SOCKET_NAME).exists()
}

/// Waits for the processes of an earlier server to go, and removes a lock file that names a
/// process which has nothing to do with Postgres any more (after a reboot or in a new container
/// its number may belong to anybody, and Postgres would refuse to start).
///
/// The caller holds the server's lock: no other xunjian uses these processes.
pub(super) fn clear_leftovers(home: &Home) -> anyhow::Result<()> {
    let Some(old) = read(home) else { return Ok(()) };
    let began = Instant::now();
    let mut asked = false;
    loop {
        let alive = processes_of(home, old.pid);
        if alive.is_empty() {
            break;
        }
        if !asked && began.elapsed() > LEFTOVERS_ASKED_AFTER && is_surely_of(home, old.pid) {
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
    if process_exists(old.pid) && read(home).is_some_and(|now| now.pid == old.pid) {
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
    process_folder(pid).exists()
}

fn process_folder(pid: Pid) -> PathBuf {
    Path::new("/proc").join(pid.as_raw_nonzero().to_string())
}

/// The processes that work in the cluster's folder (every Postgres process does). Where we may
/// not look (root without the right to trace), the old server counts by its program's name.
fn processes_of(home: &Home, old: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| Pid::from_raw(name.parse().ok()?));
        let Some(pid) = pid else { continue };
        let of_home = works_in(home, pid).unwrap_or(pid == old && is_postgres(&entry.path()));
        if of_home && !is_dead(&entry.path()) {
            found.push(pid);
        }
    }
    found
}

/// Whether it may be signalled: a doubt could cost somebody else's database.
fn is_surely_of(home: &Home, pid: Pid) -> bool {
    works_in(home, pid) == Some(true)
}

/// Whether the process works in the cluster's folder; nothing where we may not look.
fn works_in(home: &Home, pid: Pid) -> Option<bool> {
    let data = fs::metadata(home.path("data")).ok()?;
    let folder = fs::metadata(process_folder(pid).join("cwd")).ok()?;
    Some(folder.dev() == data.dev() && folder.ino() == data.ino())
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
        assert_eq!(parse(text), Some(Postmaster { pid, is_ready: true }));
        let starting = text.replace("ready", "starting");
        assert_eq!(parse(&starting), Some(Postmaster { pid, is_ready: false }));
        assert_eq!(parse("4711\n").map(|it| it.is_ready), Some(false));
        assert_eq!(parse("-\n"), None);
        assert_eq!(parse(""), None);
    }
}
