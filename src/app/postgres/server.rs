//! The running server as a child process.

use std::fs::{self, File};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::child::server_command;
use super::cluster::Cluster;
use super::home::Home;
use super::{configuration, postmaster};

/// How long a start is tried again while the remains of a killed server are in its way.
const RETRY_WITHIN: Duration = Duration::from_secs(15);

/// How long a server may recover before it accepts connections.
const READY_WITHIN: Duration = Duration::from_secs(300);

/// Newest log files kept; each has at most about 10 MB.
const LOG_FILES_MAX: usize = 10;

/// What the owner and its thread share.
#[derive(Default)]
pub(super) struct Control {
    inner: Mutex<Inner>,
    stop_asked: Condvar,
}

#[derive(Default)]
struct Inner {
    stopping: bool,
    /// The child as long as it is not reaped, so that the number cannot be anybody else's.
    child: Option<Pid>,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The two fields are always consistent, whatever panicked beside them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on no child is started; the one there is gets the signal.
    pub(super) fn stop(&self, signal: Signal) {
        let mut inner = self.lock();
        inner.stopping = true;
        if let Some(pid) = inner.child {
            // Fails only for a child that has ended and waits to be reaped.
            let _ = rustix::process::kill_process(pid, signal);
        }
        self.stop_asked.notify_all();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Waits that long, or until a stop is asked for.
    pub(super) fn pause(&self, pause: Duration) {
        let waited =
            self.stop_asked.wait_timeout_while(self.lock(), pause, |inner| !inner.stopping);
        drop(waited);
    }
}

/// Why a server did not come up.
struct FailedStart {
    error: anyhow::Error,
    /// The remains of a killed server may go away.
    passes: bool,
}

impl From<anyhow::Error> for FailedStart {
    fn from(error: anyhow::Error) -> Self {
        Self { error, passes: false }
    }
}

/// A cluster's server; at most one child at a time.
pub(super) struct Server {
    pub home: Home,
    pub control: Arc<Control>,
}

impl Server {
    /// Starts the child and waits until it accepts connections.
    pub(super) fn start(&self, cluster: &Cluster) -> anyhow::Result<Child> {
        prune_logs(&self.home);
        let began = Instant::now();
        loop {
            match self.try_start(cluster) {
                Ok(child) => return Ok(child),
                Err(failed) if failed.passes && began.elapsed() < RETRY_WITHIN => {
                    self.control.pause(Duration::from_millis(200));
                }
                Err(failed) => return Err(failed.error),
            }
        }
    }

    fn try_start(&self, cluster: &Cluster) -> Result<Child, FailedStart> {
        postmaster::clear_leftovers(&self.home)?;
        configuration::write(&self.home, cluster.wal_compression)?;
        let said = self.home.path("start.log");
        let log = File::create(&said).with_context(|| format!("creating {}", said.display()))?;
        let mut server =
            server_command(&self.home, &cluster.binaries.path("postgres"), Signal::INT);
        let configuration = self.home.server_path("postgresql.conf");
        server.arg("-D").arg(self.home.server_path("data"));
        server.arg("-c").arg(format!("config_file={}", configuration.display()));
        server.stdout(log.try_clone().context("sharing start.log")?).stderr(log);
        let mut child = {
            let mut inner = self.control.lock();
            if inner.stopping {
                return Err(anyhow!("stopped while starting").into());
            }
            let child = server.spawn().context("starting the database server")?;
            inner.child = Some(pid_of(&child)?);
            child
        };
        let pid = pid_of(&child)?;
        let began = Instant::now();
        while began.elapsed() < READY_WITHIN {
            if has_ended(pid) {
                let status = self.wait(&mut child);
                return Err(self.failure(&status));
            }
            let now = postmaster::read(&self.home);
            if now.is_some_and(|now| now.pid == pid && now.is_ready) {
                return Ok(child);
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Not fatal for the data: an immediate stop, recovered at the next start.
        if let Some(pid) = self.control.lock().child {
            let _ = rustix::process::kill_process(pid, Signal::QUIT);
        }
        self.wait(&mut child);
        Err(anyhow!("not ready within {} s", READY_WITHIN.as_secs()).into())
    }

    /// Waits for the child's end; its number is forgotten before the kernel may give it away.
    pub(super) fn wait(&self, child: &mut Child) -> String {
        if let Ok(pid) = pid_of(child) {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitid(WaitId::Pid(pid), ended)
            {}
        }
        let mut inner = self.control.lock();
        inner.child = None;
        child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    fn failure(&self, status: &str) -> FailedStart {
        let said = fs::read_to_string(self.home.path("start.log")).unwrap_or_default();
        let passes = ["shared memory block", "Is another postmaster"];
        let passes = passes.iter().any(|reason| said.contains(reason));
        let mut last: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = last.split_off(last.len().saturating_sub(4)).join(" / ");
        let logs = self.home.path("log");
        let error = anyhow!(
            "the database server did not start ({status}): {last} (more in {})",
            logs.display()
        );
        FailedStart { error, passes }
    }
}

fn pid_of(child: &Child) -> anyhow::Result<Pid> {
    let id = i32::try_from(child.id()).ok();
    id.and_then(Pid::from_raw).context("a process without a number")
}

fn has_ended(pid: Pid) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    matches!(rustix::process::waitid(WaitId::Pid(pid), look), Ok(Some(_)))
}

/// Keeps the newest log files; their names sort by time.
fn prune_logs(home: &Home) {
    let entries = fs::read_dir(home.path("log")).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files.truncate(files.len().saturating_sub(LOG_FILES_MAX));
    for file in files {
        // Tried again at the next start.
        let _ = fs::remove_file(file);
    }
}
