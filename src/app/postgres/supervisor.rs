//! Runs the server as a child: starts it, notices its death, starts it again, stops it.
//!
//! A thread of its own does it, not a task: the child's death signal is tied to the thread that
//! spawned it, and a thread of the runtime may end at any time.

use std::fs::File;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Signal;
use tokio::sync::{oneshot, watch};

use super::cluster::Cluster;
use super::home::Home;
use super::server::{Control, Server};

/// How long a fast shutdown may take before it is cut short.
const STOP_WITHIN: Duration = Duration::from_secs(60);

/// The longest pause between two attempts to bring a dead server back.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A server that ran this long did not die of its start.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

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
        let server = Server { home, control: Arc::clone(&control) };
        let keeper = Keeper { server, bin_dir };
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                keeper.run(started_sender, &state_sender);
                keeper.server.home.remove_outer_socket_dir();
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

/// The work of the thread.
struct Keeper {
    server: Server,
    bin_dir: PathBuf,
}

impl Keeper {
    fn run(
        &self,
        started: oneshot::Sender<anyhow::Result<()>>,
        state: &watch::Sender<ServerState>,
    ) {
        let first = Cluster::prepare(&self.server.home, &self.bin_dir)
            .and_then(|cluster| Ok((self.server.start(&cluster)?, cluster)));
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
            let status = self.server.wait(&mut child);
            if self.server.control.is_stopping() {
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
            self.server.control.pause(*pause);
            *pause = (*pause * 2).clamp(Duration::from_secs(1), PAUSE_MAX);
            if self.server.control.is_stopping() {
                return None;
            }
            match self.server.start(cluster) {
                Ok(child) => return Some(child),
                Err(error) if said => tracing::debug!("the database server: {error:#}"),
                Err(error) => {
                    said = true;
                    tracing::error!("the database server stays down, trying on: {error:#}");
                }
            }
        }
    }
}
