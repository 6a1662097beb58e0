//! The database: a server of the operator's, or a private Postgres that lives with the daemon.
//!
//! Without `database.url` the installed Postgres binaries serve a cluster under `data_dir`:
//!
//! ```text
//! data_dir/daemon.lock         held by the daemon: there is one for a data_dir
//! data_dir/postgres/           ours; the server's user may read it, not write it
//!   server.lock  users.lock    held by whoever runs the server; shared by those attached to it
//!   postgresql.conf  hba.conf  written at every start
//!   local.conf                 the operator's own settings, if any; they win
//!   start.log                  what the server said before its own log was open
//!   data/  run/  log/          the server's user's, 0700: cluster, socket, logs
//! ```
//!
//! The server listens on a Unix socket only. Whoever can enter `run/` (its owner and root) is
//! let in without a password; nobody else gets as far as the socket. Root hands the server to
//! `database.os_user`, since Postgres refuses root, and never writes where that user can.
//!
//! Nothing is traded for speed: `fsync`, `full_page_writes`, `synchronous_commit` and checksums
//! are on, and a killed server recovers what it acknowledged.

mod binaries;
mod child;
mod cluster;
mod configuration;
mod home;
mod postmaster;
mod server;
mod server_user;
mod supervisor;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::sync::watch;

use crate::store;
use home::Home;
use server_user::ServerUser;
use supervisor::Supervisor;

pub use supervisor::ServerState;

/// How long a command waits for a server that is just starting or stopping elsewhere.
const TURN_WITHIN: Duration = Duration::from_secs(60);

/// A database that can be connected to until [`Database::stop`].
pub struct Database {
    /// The address for the store, `postgres://…`.
    pub url: String,
    hold: Hold,
    state: watch::Receiver<ServerState>,
    /// The lock against a second daemon; `None` for a command.
    _daemon: Option<File>,
}

/// What this process has to do with the server.
enum Hold {
    /// The operator's, or that of another process; in the latter case with the shared lock that
    /// lets its owner wait for us.
    Elsewhere { _users: Option<File>, _state: watch::Sender<ServerState> },
    /// Ours: it stops with us.
    Ours { supervisor: Supervisor, home: Home, waits_for_users: bool },
}

/// Takes a lock. A child of the last owner's that has not become its program yet may still hold it
/// for a moment, so it is tried for a second.
async fn locks_soon(file: &File) -> bool {
    for _ in 0..20 {
        if file.try_lock().is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

impl Database {
    /// For the daemon: takes the whole `data_dir` for itself and runs the server.
    ///
    /// # Errors
    /// Another daemon works in `data_dir`; no usable binaries; a cluster of another major
    /// version; a server that does not start, with its own last words.
    pub async fn own(settings: &store::Settings, data_dir: &Path) -> anyhow::Result<Self> {
        let private = settings.url.is_empty();
        let user = if private { ServerUser::if_root(&settings.os_user)? } else { None };
        home::create_data_dir(data_dir, user)?;
        let daemon = home::lock_file(&data_dir.join("daemon.lock"))?;
        if !locks_soon(&daemon).await {
            bail!("another xunjian daemon works in {}", data_dir.display());
        }
        Self::obtain(settings, data_dir, Some(daemon)).await
    }

    /// For a command: uses the server that runs on `data_dir`, or runs it for as long as needed.
    ///
    /// # Errors
    /// As [`Database::own`], except that a running daemon is no obstacle.
    pub async fn open(settings: &store::Settings, data_dir: &Path) -> anyhow::Result<Self> {
        Self::obtain(settings, data_dir, None).await
    }

    async fn obtain(
        settings: &store::Settings,
        data_dir: &Path,
        daemon: Option<File>,
    ) -> anyhow::Result<Self> {
        if !settings.url.is_empty() {
            return Ok(Self::elsewhere(settings.url.clone(), None, daemon));
        }
        let home = Home::prepare(data_dir, &settings.os_user)?;
        let server_lock = home.lock_file("server.lock")?;
        let users_lock = home.lock_file("users.lock")?;
        let url = home.url();
        let asked_at = Instant::now();
        loop {
            if server_lock.try_lock().is_ok() {
                let (supervisor, state) =
                    Supervisor::start(home.clone(), settings.bin_dir.clone(), server_lock).await?;
                let waits_for_users = daemon.is_none();
                let hold = Hold::Ours { supervisor, home, waits_for_users };
                return Ok(Self { url, hold, state, _daemon: daemon });
            }
            let may_attach = daemon.is_none() && postmaster::is_ready(&home);
            if may_attach && users_lock.try_lock_shared().is_ok() {
                return Ok(Self::elsewhere(url, Some(users_lock), None));
            }
            if asked_at.elapsed() > TURN_WITHIN {
                bail!("another xunjian command holds the database under {}", home.dir().display());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn elsewhere(url: String, users: Option<File>, daemon: Option<File>) -> Self {
        let (sender, state) = watch::channel(ServerState::Running { restarts: 0 });
        let hold = Hold::Elsewhere { _users: users, _state: sender };
        Self { url, hold, state, _daemon: daemon }
    }

    /// Whether another process, or another machine, runs the server.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self.hold, Hold::Elsewhere { .. })
    }

    /// Follows the private server: it is started again whenever it dies. A server elsewhere is
    /// always shown as running; nobody here watches it.
    pub fn watch(&self) -> watch::Receiver<ServerState> {
        self.state.clone()
    }

    /// Stops the server if it is ours, after those attached to it where we are a mere command.
    /// Close the connection pools first.
    ///
    /// # Errors
    /// The server had to be killed; what it acknowledged is recovered at the next start.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Hold::Ours { supervisor, home, waits_for_users } = self.hold else { return Ok(()) };
        let users = home.lock_file("users.lock")?;
        if waits_for_users && users.try_lock().is_err() {
            tracing::info!("waiting for other commands that use the database");
            while users.try_lock().is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        supervisor.stop().await.context("stopping the database server")
    }
}
