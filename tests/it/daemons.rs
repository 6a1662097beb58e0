//! Three real daemons on one database: hosts go from one to another, and no host notices.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xunjian::app::clock::SystemClock;
use xunjian::domain::Clock;
use xunjian::simulator::{Arrival, City, Simulator};

use crate::support;

/// How long other processes may take for what is asked of them; generous, since machines differ.
const WITHIN: Duration = Duration::from_secs(60);

/// One request a second and host.
const GAP: Duration = Duration::from_secs(1);

/// `fetch.timeout_seconds` of the daemons.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(2);

/// How much later than another a request may arrive after it was sent, on a busy machine.
const ON_THE_WAY: Duration = Duration::from_millis(600);

/// What every daemon is told; each has a machine of its own.
struct Office {
    settings: String,
    ledger: String,
    key: Vec<u8>,
}

impl Office {
    fn new(simulator: &Simulator, database: &str, crawl: &str, per_minute: u32) -> Self {
        let limit =
            &format!("{{ per_minute = {per_minute}, concurrent = 1, backoff_max_seconds = 1 }}");
        let watching = support::watching(simulator, crawl, limit);
        let settings = format!("{watching}[database]\nurl = \"{database}\"\n");
        Self { settings, ledger: simulator.city().ledger_csv(), key: vec![7; 32] }
    }

    /// A machine with its own folder and the office's key.
    fn machine(&self) -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("installation.key"), &self.key).unwrap();
        let text = format!("data_dir = \"{}\"\n{}", data.display(), self.settings);
        fs::write(folder.path().join("xunjian.toml"), text).unwrap();
        Machine { folder }
    }
}

struct Machine {
    folder: TempDir,
}

impl Machine {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn import(&self, ledger: &str) {
        fs::write(self.path("ledger.csv"), ledger).unwrap();
        let file = self.path("ledger.csv");
        let import = ["registry", "import", file.to_str().unwrap()];
        let imported = support::run(&self.path("xunjian.toml"), &[], &import);
        assert_eq!(imported.code, Some(0), "{}", imported.reason);
    }

    fn start(self) -> Daemon {
        let log = self.path("log");
        let child = support::program(&self.path("xunjian.toml"), &[])
            .arg("run")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Daemon { child, log, _machine: self }
    }
}

/// A daemon that is killed with the test.
struct Daemon {
    child: Child,
    log: PathBuf,
    _machine: Machine,
}

impl Daemon {
    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    /// The end of its name is by chance, but its process is in the middle of it.
    fn is(&self, owner: &str) -> bool {
        owner.split(':').nth(1) == Some(&self.child.id().to_string())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Fails only where it has ended already; a frozen one is killed as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who holds which host, until when.
type Holders = BTreeMap<String, (String, DateTime<Utc>)>;

struct World {
    pool: PgPool,
    daemons: Vec<Daemon>,
}

impl World {
    async fn holders(&self) -> Holders {
        let rows: Vec<(String, String, DateTime<Utc>)> = sqlx::query_as(
            "select host, owner, lease_until from host_leases where lease_until > now()",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap();
        rows.into_iter().map(|(host, owner, until)| (host, (owner, until))).collect()
    }

    fn held_by<'a>(holders: &'a Holders, daemon: &Daemon) -> BTreeSet<&'a str> {
        let mine = holders.iter().filter(|(_, (owner, _))| daemon.is(owner));
        mine.map(|(host, _)| host.as_str()).collect()
    }

    /// Looks again and again until it is so; every target is due all the time.
    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let began = Instant::now();
        loop {
            // Rows in use are passed over: to wait for them in another order than the daemons do
            // would be a deadlock.
            let due = "update crawl_targets t set due_at = now() - interval '1 second'
                       from (select account_id, page from crawl_targets
                             where due_at > now() and lease_owner is null
                             for update skip locked) f
                       where (t.account_id, t.page) = (f.account_id, f.page)";
            sqlx::query(due).execute(&self.pool).await.unwrap();
            if is_so().await {
                return;
            }
            if began.elapsed() > WITHIN {
                let logs: Vec<String> = self.daemons.iter().map(Daemon::said).collect();
                panic!("not so: {what}\n{:#?}\n{}", self.holders().await, logs.join("\n----\n"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Until each of these holds its equal part of all hosts, give or take one that is on its way.
    async fn balanced(&self, among: &[usize]) {
        self.until(&format!("{among:?} share the hosts"), async || {
            let holders = self.holders().await;
            let part = holders.len() / among.len();
            holders.len() >= 6
                && among.iter().all(|daemon| {
                    let held = Self::held_by(&holders, &self.daemons[*daemon]).len();
                    held + 1 >= part && held <= part + 2
                })
        })
        .await;
    }

    async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.unwrap()
    }

    /// Account and page of what a daemon has claimed and not finished.
    async fn claimed_by(&self, daemon: &Daemon) -> Vec<(i64, String, String)> {
        let held = "select account_id, page, lease_owner from crawl_targets
                    where lease_owner is not null";
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as(held).fetch_all(&self.pool).await.unwrap();
        rows.into_iter().filter(|(_, _, owner)| daemon.is(owner)).collect()
    }
}

/// Freezes a daemon in the middle of a commit: what it has read waits behind locked rows, which are
/// free again only once it stands still. Returns the rows and when it stood.
async fn freeze_in_commit(
    world: &World,
    daemon: &Daemon,
) -> (Vec<(i64, String, String)>, DateTime<Utc>) {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < WITHIN, "it never commits what is locked\n{}", daemon.said());
        world
            .until("it is about to visit", async || !world.claimed_by(daemon).await.is_empty())
            .await;
        let mut lock = world.pool.begin().await.unwrap();
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "select account_id, page, lease_owner from crawl_targets
             where lease_owner is not null and split_part(lease_owner, ':', 2) = $1
             for update skip locked",
        )
        .bind(daemon.child.id().to_string())
        .fetch_all(&mut *lock)
        .await
        .unwrap();
        let patience = Instant::now() + Duration::from_secs(4);
        let waits = "select count(*) from pg_stat_activity where datname = current_database()
                     and wait_event_type = 'Lock' and query like '%crawl_targets%for update of t%'";
        while !rows.is_empty() && Instant::now() < patience {
            if world.count(waits).await > 0 {
                daemon.send(Signal::STOP);
                let stood = SystemClock.now();
                lock.rollback().await.unwrap();
                return (rows, stood);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        lock.rollback().await.unwrap();
    }
}

/// Requests of one host that came too soon after another, or beside it.
fn violations(requests: &BTreeMap<String, Vec<Arrival>>) -> Vec<String> {
    let mut found = Vec::new();
    for (host, arrivals) in requests {
        for (place, arrival) in arrivals.iter().enumerate() {
            // One that its asker gave up counts until the simulator sees that nobody waits.
            let since_last =
                place.checked_sub(1).map(|last| arrival.instant - arrivals[last].instant);
            let given_up = since_last.is_some_and(|took| took + ON_THE_WAY >= GIVEN_UP_AFTER);
            if arrival.in_flight > 1 && !given_up {
                found.push(format!("{host}: {} at once", arrival.in_flight));
            }
            // What was late on its way makes one gap shorter, however many requests lie between.
            for back in [1, 3, 10] {
                let Some(earlier) = place.checked_sub(back).map(|one| &arrivals[one]) else {
                    continue;
                };
                let took = arrival.instant - earlier.instant;
                if took + ON_THE_WAY < GAP * u32::try_from(back).unwrap() {
                    found.push(format!("{host}: {} requests within {took:?}", back + 1));
                }
            }
        }
    }
    found
}

/// A city that answers until it is closed.
async fn simulator(streets: &TaskTracker, closing: &CancellationToken) -> Simulator {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let city = City::generate(7, clock.now(), 240);
    let anywhere = "127.0.0.1:0".parse().unwrap();
    Simulator::start(city, clock, anywhere, streets, closing.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_are_shared_by_three_daemons_of_which_one_is_killed_and_one_frozen() {
    let (streets, closing) = (TaskTracker::new(), CancellationToken::new());
    let simulator = simulator(&streets, &closing).await;
    let (_store, database) = support::database().await;
    let crawl = "lease_seconds = 6\nclaims_per_host = 2";
    let office = Office::new(&simulator, &database.url, crawl, 60);
    let first = office.machine();
    first.import(&office.ledger);
    let mut world = World { pool: database.pool.clone(), daemons: vec![first.start()] };
    world.balanced(&[0]).await;
    world.daemons.push(office.machine().start());
    world.daemons.push(office.machine().start());
    world.balanced(&[0, 1, 2]).await;

    // One is frozen with a finished visit on its lips, one is killed.
    let (unsaid, stood_at) = freeze_in_commit(&world, &world.daemons[2]).await;
    world.daemons[1].child.kill().unwrap();
    world.daemons[1].child.wait().unwrap();
    let left = world.holders().await;
    let lost: BTreeMap<&String, DateTime<Utc>> = left
        .iter()
        .filter(|(_, (owner, _))| world.daemons[1..].iter().any(|daemon| daemon.is(owner)))
        .map(|(host, (_, until))| (host, *until))
        .collect();
    assert!(lost.len() >= 4, "{left:?}");
    world
        .until("the living daemon has what the others held", async || {
            let holders = world.holders().await;
            let moved = |host: &String| {
                let holder = holders.get(host).map(|(owner, _)| owner);
                holder.is_some_and(|owner| world.daemons[0].is(owner))
            };
            let early =
                lost.iter().find(|(host, until)| moved(host) && SystemClock.now() < **until);
            assert_eq!(early, None, "moved before the lease had ended");
            lost.keys().all(|host| moved(host))
        })
        .await;
    world
        .until("what the frozen one had in hand is visited by another", async || {
            let mut again = 0;
            for (account, page, _) in &unsaid {
                let visited = "select count(*) from visits
                               where account_id = $1 and page = $2 and started_at > $3";
                let query = sqlx::query_scalar::<_, i64>(visited);
                let query = query.bind(account).bind(page).bind(stood_at);
                again += query.fetch_one(&world.pool).await.unwrap().min(1);
            }
            again == i64::try_from(unsaid.len()).unwrap()
        })
        .await;

    // It wakes up: what it says now comes too late, and it has its part of the hosts again.
    world.daemons[2].send(Signal::CONT);
    let late = "finished after its lease had moved on";
    world
        .until("the late result is refused", async || world.daemons[2].said().contains(late))
        .await;
    world.balanced(&[0, 2]).await;

    let duplicates: Vec<(i64, String)> = sqlx::query_as(
        "select account_id, url from posts where url is not null
         group by account_id, url having count(*) > 1",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    assert_eq!(duplicates, []);
    let requests = simulator.requests();
    let all = requests.values().flatten().filter(|one| !one.user_agent.is_empty()).count();
    assert!(all > 100, "{all} requests");
    assert_eq!(violations(&requests), [""; 0]);
    for daemon in [0, 2] {
        assert!(world.daemons[daemon].child.try_wait().unwrap().is_none(), "it has ended");
        assert!(!world.daemons[daemon].said().contains("panicked"));
    }
    closing.cancel();
    streets.close();
    streets.wait().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_works_on_one_host_at_a_time_comes_to_all_of_them() {
    let (streets, closing) = (TaskTracker::new(), CancellationToken::new());
    let simulator = simulator(&streets, &closing).await;
    let (_store, database) = support::database().await;
    let office = Office::new(&simulator, &database.url, "hosts_max = 1", 6000);
    let machine = office.machine();
    machine.import(&office.ledger);
    let world = World { pool: database.pool.clone(), daemons: vec![machine.start()] };
    let hosts = "select count(distinct host) from crawl_targets";
    let passed_over = "select count(*) from host_leases h
                       where claimed = 0
                         and exists (select from crawl_targets t where t.host = h.host)";
    // A look brings eight of them.
    world
        .until("every host had its turn while something was due on all", async || {
            world.count(hosts).await > 8 && world.count(passed_over).await == 0
        })
        .await;
    closing.cancel();
    streets.close();
    streets.wait().await;
}
