//! Runs the server as a child: starts it, notices its death, starts it again, stops it.
//!
//! A thread of its own does it, not a task: the child's death signal is tied to the thread that
//! spawned it, and a thread of the runtime may end at any time.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::sync::{oneshot, watch};

use super::cluster::{self, Cluster};
use super::configuration;
use super::home::Home;

/// How long a start is tried again while the remains of a killed server are in its way.
const RETRY_WITHIN: Duration = Duration::from_secs(15);

/// How long a server may recover before it accepts connections.
const READY_WITHIN: Duration = Duration::from_secs(300);

/// How long a fast shutdown may take before it is cut short.
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// The longest pause between two attempts to bring a dead server back.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A server that ran this long did not die of its start.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// Newest log files kept; each has at most about 10 MB.
const LOG_FILES_MAX: usize = 10;

/// What the private server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerState {
    /// It accepts connections, having come back from that many deaths.
    Running {
        /// Deaths survived since the daemon started.
        restarts: u64,
    },
    /// It died and is being started again.
    Restarting,
    /// It was stopped with the daemon.
    Stopped,
}

/// The server's owner.
pub(super) struct Supervisor {
    control: Arc<Control>,
    state: watch::Receiver<ServerState>,
}

impl Supervisor {
    /// Creates the cluster if need be and starts the server; the lock is held until it stopped.
    pub(super) async fn start(
        home: Home,
        bin_dir: PathBuf,
        lock: File,
    ) -> anyhow::Result<(Self, watch::Receiver<ServerState>)> {
        let control = Arc::new(Control::default());
        let (state_sender, state) = watch::channel(ServerState::Running { restarts: 0 });
        let (started_sender, started) = oneshot::channel();
        let server = Server { home, bin_dir, control: Arc::clone(&control) };
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                server.run(started_sender, &state_sender);
                server.home.remove_outer_socket_dir();
                drop(lock);
                state_sender.send_replace(ServerState::Stopped);
            })
            .context("starting the thread of the database server")?;
        // Dropped by a caller who no longer wants the server, this asks it to stop.
        let supervisor = Self { control, state: state.clone() };
        started.await.context("the thread of the database server died")??;
        Ok((supervisor, state))
    }

    /// Stops the server: at once for its clients, cleanly for its data.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let control = Arc::clone(&self.control);
        for (signal, within) in [
            (Signal::INT, STOP_WITHIN),
            (Signal::QUIT, Duration::from_secs(10)),
            (Signal::KILL, Duration::from_secs(10)),
        ] {
            control.stop(signal);
            let stopped = self.state.wait_for(|state| *state == ServerState::Stopped);
            let waited = tokio::time::timeout(within, stopped).await.map(drop);
            if waited.is_ok() && signal == Signal::INT {
                return Ok(());
            }
            if waited.is_ok() {
                break;
            }
        }
        bail!("the server did not stop within {} s and was killed", STOP_WITHIN.as_secs())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.control.stop(Signal::INT);
    }
}

/// What the owner and its thread share.
#[derive(Default)]
struct Control {
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

    fn stop(&self, signal: Signal) {
        let mut inner = self.lock();
        inner.stopping = true;
        if let Some(pid) = inner.child {
            // Fails only for a child that has ended and waits to be reaped.
            let _ = rustix::process::kill_process(pid, signal);
        }
        self.stop_asked.notify_all();
    }

    fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    fn pause(&self, pause: Duration) {
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

struct Server {
    home: Home,
    bin_dir: PathBuf,
    control: Arc<Control>,
}

impl Server {
    fn run(
        &self,
        started: oneshot::Sender<anyhow::Result<()>>,
        state: &watch::Sender<ServerState>,
    ) {
        let first = Cluster::prepare(&self.home, &self.bin_dir)
            .and_then(|cluster| Ok((self.start(&cluster)?, cluster)));
        let (mut child, cluster) = match first {
            Ok(first) => first,
            Err(error) => {
                // Nobody listens only if the caller gave up, who then has no use for the reason.
                let _ = started.send(Err(error));
                return;
            }
        };
        tracing::info!(version = cluster.binaries.major, "the database server runs");
        let _ = started.send(Ok(()));
        let mut pause = Duration::ZERO;
        let mut restarts = 0;
        loop {
            let began = Instant::now();
            let status = self.wait(&mut child);
            if self.control.is_stopping() {
                return;
            }
            state.send_replace(ServerState::Restarting);
            tracing::error!(%status, "the database server died; starting it again");
            if began.elapsed() > SETTLED_AFTER {
                pause = Duration::ZERO;
            }
            match self.start_again(&cluster, &mut pause) {
                Some(again) => child = again,
                None => return,
            }
            restarts += 1;
            state.send_replace(ServerState::Running { restarts });
            tracing::info!("the database server runs again");
        }
    }

    /// Tries until it works; nothing if it is to stop.
    fn start_again(&self, cluster: &Cluster, pause: &mut Duration) -> Option<Child> {
        let mut said = false;
        loop {
            self.control.pause(*pause);
            *pause = (*pause * 2).clamp(Duration::from_secs(1), PAUSE_MAX);
            if self.control.is_stopping() {
                return None;
            }
            match self.start(cluster) {
                Ok(child) => return Some(child),
                Err(error) if said => tracing::debug!("the database server: {error:#}"),
                Err(error) => {
                    said = true;
                    tracing::error!("the database server stays down, trying on: {error:#}");
                }
            }
        }
    }

    fn start(&self, cluster: &Cluster) -> anyhow::Result<Child> {
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
        cluster::clear_leftovers(&self.home)?;
        configuration::write(&self.home, cluster.wal_compression)?;
        let said = self.home.path("start.log");
        let log = File::create(&said).with_context(|| format!("creating {}", said.display()))?;
        let mut server =
            cluster::server_command(&self.home, &cluster.binaries.path("postgres"), Signal::INT)?;
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
            let now = cluster::postmaster(&self.home);
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
    fn wait(&self, child: &mut Child) -> String {
        if let Ok(pid) = pid_of(child) {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitid(WaitId::Pid(pid), ended)
            {}
        }
        let mut inner = self.control.lock();
        inner.child = None;
        child.wait().map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string())
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
