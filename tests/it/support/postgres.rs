use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::OnceCell;
use xunjian::store::{Secrets, Store};

const TEMPLATE: &str = "template_migrated";

/// A database of one test's own; it vanishes with the server when the test binary ends.
pub(crate) struct Database {
    /// `postgres://…`
    pub(crate) url: String,
    /// For what a test must see or break behind the store's back.
    pub(crate) pool: PgPool,
}

/// The key of every test's store.
pub(crate) fn secrets() -> Secrets {
    Secrets::new(&[7; 32])
}

/// A store on a migrated database of its own, with the partitions around November 2026.
pub(crate) async fn database() -> (Store, Database) {
    let database = create(TEMPLATE).await;
    let store = Store::connect(&database.url, 12, secrets()).await.expect("the server runs");
    (store, database)
}

/// A store on a database without any schema.
pub(crate) async fn empty_database() -> (Store, Database) {
    let database = create("template1").await;
    let store = Store::connect(&database.url, 4, secrets()).await.expect("the server runs");
    (store, database)
}

async fn create(template: &str) -> Database {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = server().await;
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut session = PgConnection::connect(&server.url("postgres")).await.unwrap();
    let statement = format!("create database {name} template {template}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut session).await.unwrap();
    session.close().await.unwrap();
    let url = server.url(&name);
    let pool = PgPool::connect(&url).await.unwrap();
    Database { url, pool }
}

/// One server for the whole binary, started by the first test that asks.
async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
            let mut session = PgConnection::connect(&server.url("postgres")).await.unwrap();
            let statement = format!("create database {TEMPLATE}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut session).await.unwrap();
            let store = Store::connect(&server.url(TEMPLATE), 1, secrets()).await.unwrap();
            store.migrate().await.unwrap();
            let november: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().unwrap();
            store.ensure_partitions(november).await.unwrap();
            store.close().await;
            server
        })
        .await
}

struct Server {
    directory: PathBuf,
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.directory.display())
    }

    fn start() -> Self {
        Self::with("-c synchronous_commit=off")
    }

    fn with(more: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("xunjian-it-").tempdir().unwrap().keep();
        let user = ServerUser::find();
        user.own(&directory);
        let data = directory.join("data");
        let mut initdb = user.command("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        run(initdb.args(["--locale=C.UTF-8", "--no-sync", "--pgdata"]).arg(&data));
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories={} -c fsync=off \
             -c full_page_writes=off -c max_connections=300 {more}",
            directory.display()
        );
        let mut start = user.command("pg_ctl");
        start.arg("--pgdata").arg(&data).arg("--log").arg(directory.join("log"));
        run(start.args(["--wait", "--options", &options, "start"]));
        stop_with_this_process(&user, &directory);
        Self { directory }
    }
}

/// A server of one test's own, which may be restarted under those who use it. What it has
/// acknowledged survives that.
pub(crate) struct OwnServer(Server);

impl OwnServer {
    pub(crate) async fn start() -> Self {
        let start = || Server::with("-c synchronous_commit=on");
        Self(tokio::task::spawn_blocking(start).await.unwrap())
    }

    /// Where its own socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.directory.join(".s.PGSQL.5432")
    }

    pub(crate) fn url(&self) -> String {
        self.0.url("postgres")
    }

    /// Ends it as a crash does, and lets it recover.
    pub(crate) async fn crash_and_restart(&self) {
        let directory = self.0.directory.clone();
        let restart = move || {
            let user = ServerUser::find();
            let mut restart = user.command("pg_ctl");
            restart.arg("--pgdata").arg(directory.join("data")).arg("--log");
            restart.arg(directory.join("log"));
            run(restart.args(["--wait", "--mode", "immediate", "restart"]));
        };
        tokio::task::spawn_blocking(restart).await.unwrap();
    }
}

/// A shell that waits until its input ends, which it does with this process however it ends, and
/// then stops the server and removes its directory.
fn stop_with_this_process(user: &ServerUser, directory: &Path) {
    let mut watch = Command::new("/bin/sh");
    let script = r#"cat >/dev/null; "$1" --pgdata "$2/data" --mode immediate stop; rm -rf "$2""#;
    watch.args(["-c", script, "watch"]).arg(user.program("pg_ctl")).arg(directory);
    user.become_in(&mut watch);
    // Of its own group, so that an interrupt from the terminal leaves it to its work.
    watch.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = watch.spawn().unwrap();
    // The pipe stays open exactly as long as this process lives.
    std::mem::forget(child);
}

/// Whom the server runs as: `postgres` where the tests run as root, whom Postgres refuses.
struct ServerUser {
    binaries: PathBuf,
    ids: Option<(u32, u32)>,
}

impl ServerUser {
    fn find() -> Self {
        let ids = rustix::process::geteuid().is_root().then(|| {
            let passwd = fs::read_to_string("/etc/passwd").unwrap();
            let line = passwd.lines().find(|line| line.starts_with("postgres:"));
            let mut fields = line.expect("a user postgres").split(':').skip(2);
            let mut id = || fields.next().unwrap().parse().unwrap();
            (id(), id())
        });
        Self { binaries: binaries(), ids }
    }

    fn program(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        self.become_in(&mut command);
        command
    }

    fn become_in(&self, command: &mut Command) {
        command.current_dir("/");
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
    }

    fn own(&self, directory: &Path) {
        if let Some((user, group)) = self.ids {
            std::os::unix::fs::chown(directory, Some(user), Some(group)).unwrap();
        }
    }
}

/// The newest of `/usr/lib/postgresql/*/bin`; where there is none, what `PATH` finds.
fn binaries() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let versions = installed.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    versions.max().map(|newest| newest.1).unwrap_or_default()
}

fn run(command: &mut Command) {
    // No pipes: the server would hold them open for as long as it lives.
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?} ended with {status}");
}

/// The address of the private server that a daemon runs under `data_dir`.
pub(crate) fn private_url(data_dir: &Path) -> String {
    let socket_dir = data_dir.join("postgres/run");
    format!(
        "postgres://xunjian@localhost:5432/postgres?host={}&sslmode=disable",
        socket_dir.display()
    )
}
