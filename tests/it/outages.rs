//! The real daemon while what it stands on fails: its database restarts, the way to it is cut, the
//! evidence cannot be written. It loses nothing, says so, and goes on by itself.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xunjian::app::clock::SystemClock;
use xunjian::domain::Clock;
use xunjian::simulator::{City, Simulator};

use crate::support::{self, OwnServer};

/// How long the daemon may take for what is asked of it; generous, since machines differ.
const WITHIN: Duration = Duration::from_secs(60);

/// Leads a port to the server's socket until it is cut.
struct Way {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Way {
    async fn to(socket: PathBuf, streets: &TaskTracker, closing: CancellationToken) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = cut.clone();
        streets.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let look = tokio::time::sleep(Duration::from_millis(20));
                tokio::select! {
                    () = closing.cancelled() => break,
                    () = look => {}
                    Ok((stream, _)) = listener.accept() => {
                        if let Ok(server) = UnixStream::connect(&socket).await {
                            connections.spawn(lead(stream, server));
                        }
                    }
                    Some(_) = connections.join_next() => {}
                }
                if is_cut.load(Ordering::Relaxed) {
                    connections.shutdown().await;
                }
            }
        });
        Self { address, cut }
    }

    fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }
}

async fn lead(mut client: TcpStream, mut server: UnixStream) {
    // Ends with an error where one side goes away, which is what it is for.
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

/// A small file system at a folder, where the test may mount one: as root.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: PathBuf) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&folder);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(folder))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Takes what is left of it.
    fn fill(&self) {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A daemon that is killed with the test.
struct Daemon {
    child: Child,
    /// Where its data lies.
    disk: Option<SmallDisk>,
    folder: TempDir,
}

impl Daemon {
    fn start(simulator: &Simulator, database: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let disk = SmallDisk::mount(folder.path().join("data"));
        let crawl = "lease_seconds = 30\nclaims_per_host = 4";
        let limit = "{ per_minute = 300, concurrent = 2, backoff_max_seconds = 1 }";
        let settings = format!(
            "data_dir = \"{}\"\n{}[database]\n\
             url = \"postgres://postgres@{database}/postgres?sslmode=disable\"\n",
            folder.path().join("data").display(),
            support::watching(simulator, crawl, limit),
        );
        let (file, ledger) = (folder.path().join("xunjian.toml"), folder.path().join("l.csv"));
        fs::write(&file, settings).unwrap();
        fs::write(&ledger, simulator.city().ledger_csv()).unwrap();
        let import = ["registry", "import", ledger.to_str().unwrap()];
        let imported = support::run(&file, &[], &import);
        assert_eq!(imported.code, Some(0), "{}", imported.reason);
        let log = File::create(folder.path().join("log")).unwrap();
        let mut run = support::program(&file, &[]);
        run.arg("run").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self { child: run.spawn().unwrap(), disk, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// How often it said something.
    fn said_times(&self, words: &str) -> usize {
        self.said().matches(words).count()
    }

    /// What it answers over HTTP, head and body.
    async fn answers(&self, path: &str) -> Option<String> {
        let said = self.said();
        let (_, rest) = said.split_once("ready address=")?;
        let address: SocketAddr = rest.split_whitespace().next()?.parse().ok()?;
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }

    async fn is_ready(&self) -> bool {
        self.answers("/readyz").await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// A counter without labels.
    async fn counted(&self, name: &str) -> f64 {
        let page = self.answers("/metrics").await.unwrap_or_default();
        let line = page.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    async fn until(&mut self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self).await {
            let ended = self.child.try_wait().unwrap();
            let said = || self.said();
            assert!(ended.is_none() && began.elapsed() < WITHIN, "{what} {ended:?}\n{}", said());
            tokio::time::sleep(Duration::from_millis(100)).await;
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

/// What the database has acknowledged.
#[derive(Default)]
struct Stored {
    visits: BTreeSet<(i64, String, String)>,
    posts: BTreeSet<(i64, String)>,
    /// Visits whose answer lies in the evidence, those that say why it does not, and those that say
    /// that the disk was full.
    kept: i64,
    missing: i64,
    disk_full: i64,
}

impl Stored {
    /// Reads it past the way that may be cut, and makes every target due again; `None` while the
    /// server is not there.
    async fn read(server: &OwnServer) -> Option<Self> {
        let mut session = PgConnection::connect(&server.url()).await.ok()?;
        let stored = Self::ask(&mut session).await.ok()?;
        // Whether the goodbye was heard changes nothing.
        let _ = session.close().await;
        Some(stored)
    }

    async fn ask(session: &mut PgConnection) -> sqlx::Result<Self> {
        // Rows in use are passed over: to wait for them in another order than the daemon does would
        // be a deadlock.
        let due = "update crawl_targets t set due_at = now() - interval '1 second'
                   from (select account_id, page from crawl_targets
                         where due_at > now() and lease_owner is null
                         for update skip locked) f
                   where (t.account_id, t.page) = (f.account_id, f.page)";
        sqlx::query(due).execute(&mut *session).await?;
        let visits = "select account_id, page, started_at::text from visits";
        let count = "select count(evidence), count(evidence_missing),
                         count(*) filter (where evidence_missing = 'disk_full') from visits";
        let (kept, missing, disk_full) = sqlx::query_as(count).fetch_one(&mut *session).await?;
        let visits = sqlx::query_as(visits).fetch_all(&mut *session).await?;
        let posts = "select account_id, ref from posts";
        let posts = sqlx::query_as(posts).fetch_all(&mut *session).await?;
        let (visits, posts) = (visits.into_iter().collect(), posts.into_iter().collect());
        Ok(Self { visits, posts, kept, missing, disk_full })
    }

    /// Nothing of what was acknowledged is lost.
    fn holds(&self, earlier: &Self) {
        assert!(earlier.visits.is_subset(&self.visits), "visits are lost");
        assert!(earlier.posts.is_subset(&self.posts), "posts are lost");
    }
}

/// Waits until the crawl has gone on since `earlier`, which it must hold.
async fn gone_on(daemon: &mut Daemon, server: &OwnServer, earlier: &Stored) -> Stored {
    let enough = async |_: &Daemon| {
        let stored = Stored::read(server).await;
        stored.is_some_and(|stored| stored.visits.len() >= earlier.visits.len() + 20)
    };
    daemon.until("the crawl does not go on", enough).await;
    let stored = Stored::read(server).await.unwrap();
    stored.holds(earlier);
    stored
}

async fn outlives_a_full_disk(daemon: &mut Daemon, server: &OwnServer, disk: &SmallDisk) {
    let roomy = Stored::read(server).await.unwrap();
    daemon
        .until("no visit says that the disk was full", async |_| {
            disk.fill();
            Stored::read(server).await.is_some_and(|stored| stored.disk_full > roomy.disk_full + 5)
        })
        .await;
    let full = gone_on(daemon, server, &roomy).await;
    disk.free();
    daemon
        .until("evidence is not kept again", async |_| {
            Stored::read(server).await.is_some_and(|stored| stored.kept > full.kept + 10)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_outlives_its_database_the_way_to_it_and_its_disk() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (streets, closing) = (TaskTracker::new(), CancellationToken::new());
    let city = City::generate(7, clock.now(), 120);
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let simulator =
        Simulator::start(city, clock, anywhere, &streets, closing.clone()).await.unwrap();
    let server = OwnServer::start().await;
    let way = Way::to(server.socket(), &streets, closing.clone()).await;
    let mut daemon = Daemon::start(&simulator, way.address);
    let begun = gone_on(&mut daemon, &server, &Stored::default()).await;

    server.crash_and_restart().await;
    let restarted = gone_on(&mut daemon, &server, &begun).await;

    // The fetches go on until the bounded channel is full; what they found waits.
    let before = daemon.said_times("trying again");
    way.set_cut(true);
    daemon
        .until("it says nothing of a cut", async |daemon| {
            daemon.said_times("trying again") > before && !daemon.is_ready().await
        })
        .await;
    assert!(daemon.counted("xunjian_store_errors_total").await > 0.0);
    let cut = Stored::read(&server).await.unwrap();
    cut.holds(&restarted);
    way.set_cut(false);
    let mended = gone_on(&mut daemon, &server, &cut).await;
    daemon.until("it is not ready again", async |daemon| daemon.is_ready().await).await;

    // Without its folder nothing can be written, whoever the daemon runs as.
    let (spool, away) = (daemon.path("data/evidence-spool"), daemon.path("data/away"));
    fs::rename(&spool, &away).unwrap();
    daemon
        .until("no visit says that its evidence is missing", async |_| {
            Stored::read(&server).await.is_some_and(|stored| stored.missing > mended.missing + 5)
        })
        .await;
    assert!(daemon.said().contains("evidence not written; the visits say so"));
    assert!(daemon.counted("xunjian_evidence_write_errors_total").await > 0.0);
    let without = gone_on(&mut daemon, &server, &mended).await;
    fs::rename(&away, &spool).unwrap();
    daemon
        .until("evidence is not kept again", async |_| {
            Stored::read(&server).await.is_some_and(|stored| stored.kept > without.kept + 10)
        })
        .await;

    if let Some(disk) = daemon.disk.take() {
        outlives_a_full_disk(&mut daemon, &server, &disk).await;
        daemon.disk = Some(disk);
    }

    let mut session = PgConnection::connect(&server.url()).await.unwrap();
    let twice = "select account_id, url from posts where url is not null
                 group by account_id, url having count(*) > 1";
    let duplicates: Vec<(i64, String)> =
        sqlx::query_as(twice).fetch_all(&mut session).await.unwrap();
    assert_eq!(duplicates, []);
    assert!(!daemon.said().contains("panicked"), "{}", daemon.said());
    let verify = support::run(&daemon.path("xunjian.toml"), &[], &["evidence", "verify"]);
    assert_eq!(verify.code, Some(0), "{}", verify.reason);
    drop(daemon);
    closing.cancel();
    streets.close();
    streets.wait().await;
}
