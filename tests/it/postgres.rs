//! The private Postgres: its life, its deaths, and who may use it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tempfile::TempDir;
use xunjian::app::postgres::{Database, ServerState};
use xunjian::store::Settings;

/// A data directory that vanishes with the test.
struct Place {
    parent: TempDir,
    settings: Settings,
}

impl Place {
    fn new() -> Self {
        Self { parent: tempfile::tempdir().unwrap(), settings: Settings::default() }
    }

    fn data_dir(&self) -> PathBuf {
        self.parent.path().join("data")
    }

    async fn own(&self) -> anyhow::Result<Database> {
        Database::own(&self.settings, &self.data_dir()).await
    }

    async fn refused(&self) -> String {
        let refused = self.own().await.err().expect("it must be refused");
        format!("{refused:#}")
    }

    async fn open(&self) -> anyhow::Result<Database> {
        Database::open(&self.settings, &self.data_dir()).await
    }

    fn in_cluster(&self, name: &str) -> PathBuf {
        self.data_dir().join("postgres/data").join(name)
    }

    fn server(&self) -> Pid {
        let text = std::fs::read_to_string(self.in_cluster("postmaster.pid")).unwrap();
        Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
    }
}

async fn create_table(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query("create table numbers (n bigint primary key)")
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn insert(url: &str, n: i64) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    insert_on(&mut connection, n).await.unwrap();
    connection.close().await.unwrap();
}

async fn insert_on(connection: &mut PgConnection, n: i64) -> sqlx::Result<()> {
    sqlx::query("insert into numbers values ($1)").bind(n).execute(connection).await.map(drop)
}

async fn numbers(url: &str) -> Vec<i64> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let read = sqlx::query_scalar("select n from numbers order by n");
    let read = read.fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    read
}

async fn shown(url: &str, setting: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("select current_setting($1)")
        .bind(setting)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

/// The user a process runs as.
fn user_of(pid: Pid) -> u32 {
    use std::os::unix::fs::MetadataExt;
    let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    std::fs::metadata(process).unwrap().uid()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_a_start() {
    let place = Place::new();
    let database = place.own().await.unwrap();
    create_table(&database.url).await;
    insert(&database.url, 1).await;
    let server = place.server();
    database.stop().await.unwrap();
    assert!(!Path::new("/proc").join(server.as_raw_nonzero().to_string()).exists());
    assert!(!place.in_cluster("postmaster.pid").exists());

    let database = place.own().await.unwrap();
    insert(&database.url, 2).await;
    assert_eq!(numbers(&database.url).await, [1, 2]);
    database.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_traded_for_speed_and_only_a_private_socket_is_open() {
    let place = Place::new();
    let database = place.own().await.unwrap();
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(shown(&database.url, setting).await, value, "{setting}");
    }
    use std::os::unix::fs::PermissionsExt;
    let socket_dir = place.data_dir().join("postgres/run");
    assert_eq!(std::fs::metadata(socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    let privileged = rustix::process::geteuid().is_root();
    assert_ne!(user_of(place.server()), 0);
    assert_eq!(user_of(place.server()) != rustix::process::geteuid().as_raw(), privileged);
    database.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_brought_back_with_all_it_acknowledged() {
    let place = Place::new();
    let database = place.own().await.unwrap();
    create_table(&database.url).await;
    let pool: PgPool =
        PgPoolOptions::new().max_connections(2).connect(&database.url).await.unwrap();
    let mut state = database.watch();
    let mut acknowledged = Vec::new();
    for round in 0..2_i64 {
        for n in round * 100..round * 100 + 50 {
            sqlx::query("insert into numbers values ($1)").bind(n).execute(&pool).await.unwrap();
            acknowledged.push(n);
        }
        kill_process(place.server(), Signal::KILL).unwrap();
        let restarts = u64::try_from(round).unwrap() + 1;
        state.wait_for(|state| *state == ServerState::Running { restarts }).await.unwrap();
        assert_eq!(numbers(&database.url).await, acknowledged);
    }
    pool.close().await;
    database.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_lock_with_a_number_in_use_is_no_obstacle() {
    let place = Place::new();
    let database = place.own().await.unwrap();
    create_table(&database.url).await;
    insert(&database.url, 1).await;
    let lock = std::fs::read_to_string(place.in_cluster("postmaster.pid")).unwrap();
    database.stop().await.unwrap();
    // As after a crash and a reboot: the number belongs to somebody else of the server's user.
    let mut sleeper = somebody_else(&place);
    let (_, rest) = lock.split_once('\n').unwrap();
    let stale = format!("{}\n{rest}", sleeper.id());
    std::fs::write(place.in_cluster("postmaster.pid"), stale).unwrap();
    let database = place.own().await.unwrap();
    assert_eq!(numbers(&database.url).await, [1]);
    database.stop().await.unwrap();
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

/// A process of the server's user that has nothing to do with it.
fn somebody_else(place: &Place) -> std::process::Child {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let owner = std::fs::metadata(place.in_cluster("PG_VERSION")).unwrap();
    let mut command = std::process::Command::new("sleep");
    command.arg("600").current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.spawn().unwrap()
}

#[tokio::test]
async fn a_creation_that_was_cut_short_is_begun_again() {
    let place = Place::new();
    let half = place.data_dir().join("postgres/data.new/base");
    place.own().await.unwrap().stop().await.unwrap();
    std::fs::remove_dir_all(place.data_dir().join("postgres/data")).unwrap();
    std::fs::create_dir_all(&half).unwrap();
    let database = place.own().await.unwrap();
    create_table(&database.url).await;
    assert!(!half.exists());
    database.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_major_version_is_refused() {
    let place = Place::new();
    place.own().await.unwrap().stop().await.unwrap();
    std::fs::write(place.in_cluster("PG_VERSION"), "14\n").unwrap();
    let refusal = place.refused().await;
    assert!(refusal.contains("made by PostgreSQL 14"), "{refusal}");
    assert!(refusal.contains("install the package postgresql-14"), "{refusal}");
}

#[tokio::test]
async fn a_second_daemon_is_refused() {
    let place = Place::new();
    let database = place.own().await.unwrap();
    let refusal = place.refused().await;
    assert!(refusal.contains("another xunjian daemon works in"), "{refusal}");
    database.stop().await.unwrap();
    place.own().await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_command_uses_the_running_server_and_leaves_it_running() {
    let place = Place::new();
    let daemon = place.own().await.unwrap();
    create_table(&daemon.url).await;
    let command = place.open().await.unwrap();
    assert!(command.is_elsewhere());
    insert(&command.url, 1).await;
    command.stop().await.unwrap();
    assert_eq!(numbers(&daemon.url).await, [1]);
    daemon.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_without_a_daemon_runs_the_server_until_all_have_done() {
    let place = Place::new();
    let first = place.open().await.unwrap();
    create_table(&first.url).await;
    let second = place.open().await.unwrap();
    assert!(!first.is_elsewhere() && second.is_elsewhere());
    let stop_first = first.stop();
    let use_second = async {
        insert(&second.url, 1).await;
        assert_eq!(numbers(&second.url).await, [1]);
        second.stop().await.unwrap();
    };
    let (stopped, ()) = tokio::join!(stop_first, use_second);
    stopped.unwrap();
    assert!(!place.in_cluster("postmaster.pid").exists());
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let outer = tempfile::tempdir().unwrap();
    let deep = outer.path().join("d".repeat(90));
    std::fs::create_dir(&deep).unwrap();
    let parent = tempfile::tempdir_in(deep).unwrap();
    let place = Place { parent, settings: Settings::default() };
    let database = place.own().await.unwrap();
    create_table(&database.url).await;
    let outside = socket_dir(&database.url);
    assert!(outside.exists() && !outside.starts_with(place.data_dir()));
    database.stop().await.unwrap();
    assert!(!outside.exists());
}

fn socket_dir(url: &str) -> PathBuf {
    let url = url::Url::parse(url).unwrap();
    let (_, host) = url.query_pairs().find(|(key, _)| key == "host").unwrap();
    PathBuf::from(host.into_owned())
}

#[tokio::test]
async fn a_data_dir_below_a_closed_folder_works_for_root_too() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let closed = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(place.parent.path(), closed).unwrap();
    let database = place.own().await.unwrap();
    create_table(&database.url).await;
    insert(&database.url, 1).await;
    let command = place.open().await.unwrap();
    assert_eq!(numbers(&command.url).await, [1]);
    command.stop().await.unwrap();
    database.stop().await.unwrap();
    let database = place.own().await.unwrap();
    assert_eq!(numbers(&database.url).await, [1]);
    database.stop().await.unwrap();
    let mode = std::fs::metadata(place.parent.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why_and_soon() {
    let place = Place::new();
    place.own().await.unwrap().stop().await.unwrap();
    let local = place.data_dir().join("postgres/local.conf");
    std::fs::write(local, "no_such_setting = 1\n").unwrap();
    let began = Instant::now();
    let refusal = place.refused().await;
    assert!(refusal.contains("no_such_setting"), "{refusal}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_address_given_is_used_as_it_is() {
    let mut place = Place::new();
    place.settings.url = "postgres://somewhere/else".to_owned();
    let database = place.own().await.unwrap();
    assert!(database.is_elsewhere());
    assert_eq!(database.url, place.settings.url);
    assert!(!place.data_dir().join("postgres").exists());
    database.stop().await.unwrap();
}
