//! The real daemon killed in mid-crawl: nothing stored is lost, nothing stays behind.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xunjian::app::clock::SystemClock;
use xunjian::domain::Clock;
use xunjian::simulator::{City, Simulator};

use crate::support;

/// How long other processes may take for what is asked of them; generous, since machines differ.
const WITHIN: Duration = Duration::from_secs(60);

/// How soon the database server must be gone after its daemon.
const ORPHANED_AT_MOST: Duration = Duration::from_secs(15);

/// The daemon's memory without Postgres, which must hold in a demo of 240 accounts.
const MEMORY_KILOBYTES_MAX: u64 = 150 * 1024;

/// An office's machine: settings, state and logs in a folder that vanishes with the test.
struct Machine {
    folder: TempDir,
}

impl Machine {
    /// Its settings lead every host to the simulator, slowly enough that a crawl takes a while.
    fn new(simulator: &Simulator) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let crawl = "lease_seconds = 8\nclaims_per_host = 6";
        let limit = "{ per_minute = 600, concurrent = 2, backoff_max_seconds = 1 }";
        let data = folder.path().join("data");
        let settings = support::watching(simulator, crawl, limit);
        let text = format!("data_dir = \"{}\"\n{settings}", data.display());
        fs::write(folder.path().join("xunjian.toml"), text).unwrap();
        fs::write(folder.path().join("ledger.csv"), simulator.city().ledger_csv()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, log: &str) -> Daemon {
        let log = self.path(log);
        let child = support::program(&self.path("xunjian.toml"), &[])
            .arg("run")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Daemon { child, log, lock: self.path("data/postgres/data/postmaster.pid") }
    }

    async fn database(&self) -> PgPool {
        PgPool::connect(&support::private_url(&self.path("data"))).await.unwrap()
    }
}

/// A daemon that is killed, should the test fail, before its folder goes.
struct Daemon {
    child: Child,
    log: PathBuf,
    lock: PathBuf,
}

impl Daemon {
    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Where it answers, once it does.
    async fn ready(&mut self) -> SocketAddr {
        let began = Instant::now();
        loop {
            let said = self.said();
            if let Some((_, rest)) = said.split_once("ready address=") {
                let address = rest.split_whitespace().next().and_then(|one| one.parse().ok());
                return address.unwrap();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < WITHIN, "{ended:?}\n{said}");
            pause().await;
        }
    }

    /// The process of its database server and all that this one has begun.
    fn servers(&self) -> Vec<Pid> {
        let text = fs::read_to_string(&self.lock).unwrap();
        let postmaster: i32 = text.lines().next().unwrap().trim().parse().unwrap();
        let all = fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let servers = pids.filter(|pid| {
            *pid == postmaster || Process::read(*pid).is_some_and(|one| one.parent == postmaster)
        });
        servers.filter_map(Pid::from_raw).collect()
    }

    /// The most it ever held, without the pages of the program itself: in a debug build these are
    /// several times those of a release.
    fn memory_kilobytes_max(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kilobytes = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        kilobytes("VmHWM:") - kilobytes("RssFile:")
    }

    async fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < WITHIN, "still running:\n{}", self.said());
            pause().await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Line of `/proc/PID/stat`; see proc(5).
struct Process {
    state: char,
    parent: i32,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        Some(Self { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
    }

    /// A zombie runs no more; only its parent can remove it.
    fn runs(pid: Pid) -> bool {
        Self::read(pid.as_raw_nonzero().get()).is_some_and(|one| !matches!(one.state, 'Z' | 'X'))
    }
}

async fn gone(processes: &[Pid], within: Duration) {
    let began = Instant::now();
    loop {
        let left: Vec<_> = processes.iter().filter(|pid| Process::runs(**pid)).collect();
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < within, "still there: {left:?}");
        pause().await;
    }
}

/// Other processes are at work and have no way to tell us.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// What the database has acknowledged: visits and posts by their names, and targets held.
#[derive(Debug)]
struct Stored {
    visits: BTreeSet<(i64, String, String)>,
    posts: BTreeSet<(i64, String)>,
    held: BTreeSet<(i64, String)>,
}

impl Stored {
    async fn read(pool: &PgPool) -> Self {
        let visits = sqlx::query_as("select account_id, page, started_at::text from visits");
        let posts = sqlx::query_as("select account_id, ref from posts");
        let held = "select account_id, page from crawl_targets where lease_owner is not null";
        Self {
            visits: visits.fetch_all(pool).await.unwrap().into_iter().collect(),
            posts: posts.fetch_all(pool).await.unwrap().into_iter().collect(),
            held: sqlx::query_as(held).fetch_all(pool).await.unwrap().into_iter().collect(),
        }
    }

    /// Reads again and again until it is as wanted.
    async fn until(pool: &PgPool, lacking: impl Fn(&Self) -> Option<String>) -> Self {
        let began = Instant::now();
        loop {
            let stored = Self::read(pool).await;
            let Some(lacking) = lacking(&stored) else { return stored };
            let (visits, posts) = (stored.visits.len(), stored.posts.len());
            assert!(began.elapsed() < WITHIN, "{lacking}; {visits} visits, {posts} posts");
            pause().await;
        }
    }

    fn visited(&self, target: &(i64, String)) -> bool {
        self.visits.iter().any(|(account, page, _)| (account, page) == (&target.0, &target.1))
    }
}

/// Posts that stand twice under one account, by the address that both carry.
async fn duplicates(pool: &PgPool) -> Vec<(i64, String)> {
    sqlx::query_as(
        "select account_id, url from posts where url is not null
         group by account_id, url having count(*) > 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// Answered visits to accounts of the ledger that do not say what they rest on.
async fn without_evidence(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "select count(*) from visits v join accounts a on a.id = v.account_id
         where a.in_ledger and v.outcome <> 'failed' and v.status is not null
             and v.evidence is null",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_in_mid_crawl_loses_nothing_and_goes_on() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (streets, closing) = (TaskTracker::new(), CancellationToken::new());
    let city = City::generate(7, clock.now(), 240);
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let simulator =
        Simulator::start(city, clock, anywhere, &streets, closing.clone()).await.unwrap();
    let machine = Machine::new(&simulator);
    let ledger = machine.path("ledger.csv");
    let import = ["registry", "import", ledger.to_str().unwrap()];
    let imported = support::run(&machine.path("xunjian.toml"), &[], &import);
    assert_eq!(imported.code, Some(0), "{}", imported.reason);

    let mut first = machine.start("first.log");
    first.ready().await;
    let pool = machine.database().await;
    let before = Stored::until(&pool, |stored| {
        let enough = stored.visits.len() >= 40 && !stored.held.is_empty();
        (!enough).then(|| "not in mid-crawl".to_owned())
    });
    let before = before.await;
    pool.close().await;
    let servers = first.servers();
    assert!(servers.len() > 1, "{servers:?}");
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    gone(&servers, ORPHANED_AT_MOST).await;

    let mut second = machine.start("second.log");
    second.ready().await;
    let pool = machine.database().await;
    let after = Stored::until(&pool, |stored| {
        let left = before.held.iter().filter(|target| !stored.visited(target)).collect::<Vec<_>>();
        (!left.is_empty()).then(|| format!("held by the dead daemon, not visited: {left:?}"))
    });
    let after = after.await;
    assert!(after.visits.len() > before.visits.len(), "the crawl does not go on");
    assert!(before.visits.is_subset(&after.visits), "visits are lost");
    assert!(before.posts.is_subset(&after.posts), "posts are lost");
    assert_eq!(duplicates(&pool).await, []);
    assert_eq!(without_evidence(&pool).await, 0);
    pool.close().await;
    let verify = support::run(&machine.path("xunjian.toml"), &[], &["evidence", "verify"]);
    assert_eq!(verify.code, Some(0), "{}", verify.reason);
    let memory = second.memory_kilobytes_max();
    assert!(memory < MEMORY_KILOBYTES_MAX, "{memory} kB");

    let servers = second.servers();
    let daemon = Pid::from_raw(second.child.id().try_into().unwrap()).unwrap();
    kill_process(daemon, Signal::TERM).unwrap();
    let status = second.ended().await;
    assert_eq!(status.code(), Some(0), "{}", second.said());
    gone(&servers, Duration::ZERO).await;
    assert!(!second.lock.exists());
    closing.cancel();
    streets.close();
    streets.wait().await;
}
