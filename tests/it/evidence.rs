//! Evidence end to end: a crawl of the made-up city keeps what its verdicts rest on, and whatever is
//! altered afterwards is found.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xunjian::app::Jobs;
use xunjian::domain::{AccountId, Clock};
use xunjian::evidence::bundle;
use xunjian::fetch::HostLimit;
use xunjian::jobs::crawl::{Running, pass};
use xunjian::jobs::evidence::{
    Selection, export, keep_evidence, keep_resource, ship_everything, verify_store,
};
use xunjian::settings::Settings;
use xunjian::simulator::{City, Simulator};
use xunjian::store::{LedgerChanges, PinHolder};

use crate::support;

/// A clock that moves when it is told to.
pub(crate) struct Stepped(Mutex<DateTime<Utc>>);

impl Clock for Stepped {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// An office that watches a made-up city, on a database and a clock of its own.
pub(crate) struct Office {
    pub(crate) jobs: Jobs,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<Stepped>,
    simulator: Simulator,
    pool: PgPool,
    pub(crate) folder: TempDir,
    url: String,
    _streets: CancellationToken,
}

impl Office {
    pub(crate) async fn open(alter: impl FnOnce(&mut Settings)) -> Self {
        Self::of(40, alter).await
    }

    /// The same with a city of so many accounts, at least.
    pub(crate) async fn of(accounts: usize, alter: impl FnOnce(&mut Settings)) -> Self {
        let (store, database) = support::database().await;
        store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Stepped(Mutex::new("2026-11-26T06:00:00Z".parse().unwrap())));
        let city = City::generate(11, clock.now(), accounts);
        let (tracker, streets) = (TaskTracker::new(), CancellationToken::new());
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let simulator = Simulator::start(city, clock.clone(), anywhere, &tracker, streets.clone());
        let simulator = simulator.await.unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut settings = Settings { data_dir: folder.path().to_owned(), ..Settings::default() };
        settings.database.url = database.url.clone();
        settings.platforms_dir = root.join("config/platforms");
        settings.schemes_dir = root.join("config/schemes");
        settings.fetch.contact = "mailto:test@lucheng.example".to_owned();
        settings.fetch.connect_to = simulator.connect_to();
        settings.fetch.timeout_seconds = 2;
        settings.fetch.breaker_failures = 1_000_000;
        settings.fetch.retry_after_max_seconds = 0;
        let limit = HostLimit { per_minute: 1e6, concurrent: 8, backoff_max_seconds: 0 };
        settings.fetch.default_limit = limit;
        let hosts = simulator.connect_to().into_keys();
        settings.fetch.limits = hosts.map(|host| (host, limit)).collect();
        settings.evidence.free_bytes_min = 0;
        settings.evidence.seal_after_minutes = 0;
        alter(&mut settings);
        let jobs = Jobs::open(&settings, clock.clone()).await.unwrap();
        let added = simulator.city().ledger();
        let changes = LedgerChanges { added, ..LedgerChanges::default() };
        let store = &jobs.context().store;
        store.apply_ledger(&changes, "tester", "setup", clock.now()).await.unwrap();
        let (pool, url) = (database.pool, database.url);
        Self { jobs, settings, clock, simulator, pool, folder, url, _streets: streets }
    }

    pub(crate) fn step(&self, by: TimeDelta) {
        *self.clock.0.lock().unwrap() += by;
    }

    pub(crate) async fn pass(&self) {
        let running = Running::quietly(CancellationToken::new(), CancellationToken::new());
        let summary = pass(self.jobs.context(), &running).await.unwrap();
        assert!(summary.visits > 30, "{}", summary.visits);
    }

    pub(crate) async fn keep(&self) {
        keep_evidence(self.jobs.context()).await.unwrap();
    }

    /// Every segment in the store, by its path.
    fn stored(&self) -> Vec<PathBuf> {
        let months = fs::read_dir(self.folder.path().join("evidence")).unwrap();
        let files = months.flat_map(|month| fs::read_dir(month.unwrap().path()).unwrap());
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        paths
    }

    async fn verify(&self) -> xunjian::jobs::evidence::StoreReport {
        let context = self.jobs.context();
        let vault = context.evidence.as_ref().unwrap();
        verify_store(&context.store, vault, self.clock.now()).await.unwrap()
    }

    async fn export(&self, selection: &Selection) -> anyhow::Result<Vec<u8>> {
        let context = self.jobs.context();
        let vault = context.evidence.as_ref().unwrap();
        export(&context.store, vault, selection, self.clock.now()).await
    }

    async fn one(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.pool).await.unwrap()
    }

    /// The account with the most records.
    async fn busiest(&self) -> (AccountId, String) {
        let row: (i64, String) = sqlx::query_as(
            "select a.id, a.key from accounts a join evidence e on e.account_id = a.id
             group by a.id order by count(*) desc, a.id limit 1",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        (AccountId(row.0), row.1)
    }
}

/// A record as somebody else's reader sees it: unpacked as one stream, cut by `Content-Length`.
struct Seen {
    kind: String,
    content_type: String,
    block: String,
}

fn records(warc: &[u8]) -> Vec<Seen> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(warc).read_to_end(&mut plain).unwrap();
    let mut rest = plain.as_slice();
    let mut seen = Vec::new();
    while !rest.is_empty() {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(rest[..end].to_vec()).unwrap();
        assert!(head.starts_with("WARC/1.1\r\n"), "{head}");
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_default().to_owned()
        };
        let length: usize = field("Content-Length").parse().unwrap();
        let block = &rest[end + 4..end + 4 + length];
        seen.push(Seen {
            kind: field("WARC-Type"),
            content_type: field("Content-Type"),
            block: String::from_utf8_lossy(block).into_owned(),
        });
        let after = &rest[end + 4 + length..];
        assert_eq!(&after[..4], b"\r\n\r\n");
        rest = &after[4..];
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_keeps_what_its_verdicts_rest_on() {
    let office = Office::open(|_| {}).await;
    office.pass().await;
    office.step(TimeDelta::minutes(40));
    office.pass().await;
    let owed = "select count(*) from visits
        where outcome <> 'failed' and status is not null and evidence is null";
    assert_eq!(office.one(owed).await, 0);
    assert_eq!(
        office.one("select count(*) from visits where evidence_missing is not null").await,
        0
    );
    let kept = office.one("select count(*) from evidence").await;
    assert!(kept > 60, "{kept}");
    assert!(office.one("select count(*) from evidence where form = 'revisit'").await > 0);
    assert_eq!(office.verify().await.days, 0, "the day has not ended");

    // The day after: segments are stored, the day is sealed.
    office.step(TimeDelta::days(1));
    office.keep().await;
    let report = office.verify().await;
    assert_eq!(report.defects, Vec::<String>::new());
    assert_eq!((report.days, report.leaves), (1, kept.unsigned_abs()));
    assert_eq!((report.unreferenced, report.elsewhere.len()), (0, 0));
    let spool = office.folder.path().join("evidence-spool");
    assert_eq!(fs::read_dir(spool).unwrap().count(), 0);
    for path in office.stored() {
        for record in records(&fs::read(path).unwrap()) {
            let kinds = ["warcinfo", "response", "revisit", "conversion", "metadata"];
            assert!(kinds.contains(&record.kind.as_str()), "{}", record.kind);
            let head = record.block.split("\r\n\r\n").next().unwrap().to_lowercase();
            assert!(!head.contains("set-cookie"), "{head}");
            if record.content_type == "application/warc-fields" && record.kind == "metadata" {
                assert!(record.block.contains("adapter: sha256:"), "{}", record.block);
            }
        }
    }
    let platforms = &office.jobs.context().platforms;
    let raw: Vec<(String, String)> = sqlx::query_as(
        "select distinct a.platform, e.page from evidence e join accounts a on a.id = e.account_id
         where e.form in ('response', 'revisit')",
    )
    .fetch_all(&office.pool)
    .await
    .unwrap();
    let personal =
        |platform: &str, page: &str| platforms.get(platform).unwrap().pages[page].personal;
    assert!(raw.iter().all(|(platform, page)| !personal(platform, page)), "{raw:?}");
    let rendered = office.jobs.context().metrics.render();
    let head: DateTime<Utc> = "2026-11-26T16:00:00Z".parse().unwrap();
    let line = format!("xunjian_evidence_chain_head_timestamp_seconds {}", head.timestamp());
    assert!(rendered.contains(&line), "{rendered}");
    assert!(office.simulator.requests_total() > 0);
    office.jobs.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_leaves_the_office_and_verifies_without_it() {
    let office = Office::open(|_| {}).await;
    office.pass().await;
    let (account, key) = office.busiest().await;
    let store = &office.jobs.context().store;
    let (from, to) =
        (office.clock.now() - TimeDelta::days(1), office.clock.now() + TimeDelta::days(1));
    let finding = PinHolder::Finding(3);
    let pinned = store.pin_evidence(finding, account, from, to, to).await.unwrap();
    assert!(pinned.records > 0 && pinned.unkept == 0, "{pinned:?}");
    let selection = Selection::Account { key: key.clone(), from, to };
    let early = bundle::verify(&office.export(&selection).await.unwrap()).unwrap();
    assert_eq!(early.unsealed, early.records, "nothing is sealed yet");
    office.step(TimeDelta::days(2));
    office.keep().await;
    let bytes = office.export(&Selection::Finding(3)).await.unwrap();
    let verified = bundle::verify(&bytes).unwrap();
    assert_eq!((verified.records as u64, verified.unsealed), (pinned.records, 0));
    let newest = store.newest_chain_day().await.unwrap().unwrap();
    assert_eq!(verified.newest, Some((newest.day, newest.chain)));
    assert!(office.export(&Selection::Finding(4)).await.is_err(), "nothing is pinned");

    // Elsewhere: no database, no settings.
    let file = office.folder.path().join("bundle.tar");
    fs::write(&file, &bytes).unwrap();
    let nowhere = Path::new("/nowhere/xunjian.toml");
    let file = file.to_str().unwrap();
    let chain = newest.chain.to_string();
    let said = support::run(nowhere, &[], &["evidence", "verify", file, "--chain", &chain]);
    assert_eq!(said.code, Some(0), "{}", said.reason);
    assert!(said.out.contains(&format!("chain of {}: {chain}", newest.day)), "{}", said.out);
    let other = "0".repeat(64);
    let said = support::run(nowhere, &[], &["evidence", "verify", file, "--chain", &other]);
    assert_eq!(said.code, Some(1), "{}", said.out);
    let mut altered = bytes.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    fs::write(file, &altered).unwrap();
    let said = support::run(nowhere, &[], &["evidence", "verify", file]);
    assert_eq!(said.code, Some(1), "{}", said.out);

    // In the office: the same through the binary.
    let config = office.folder.path().join("xunjian.toml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let text = format!(
        "data_dir = {:?}\nplatforms_dir = {:?}\nschemes_dir = {:?}\n[database]\nurl = {:?}\n",
        office.folder.path(),
        root.join("platforms"),
        root.join("schemes"),
        office.url
    );
    fs::write(&config, text).unwrap();
    let out = office.folder.path().join("again.tar");
    let out = out.to_str().unwrap();
    for (arguments, words) in [
        (vec!["evidence", "verify"], "records in"),
        (vec!["evidence", "show", "3"], "adapter: sha256:"),
        (vec!["evidence", "export", "--finding", "3", "--out", out], "all as they were recorded"),
    ] {
        let said = support::run(&config, &[], &arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.reason);
        assert!(said.out.contains(words), "{arguments:?}: {}", said.out);
    }
    let said = support::run(&config, &[], &["evidence", "export", "--out", "x"]);
    assert_eq!(said.code, Some(2), "{}", said.reason);
    office.jobs.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_altered_in_the_store_is_found() {
    let office = Office::open(|_| {}).await;
    office.pass().await;
    office.step(TimeDelta::days(2));
    office.keep().await;
    assert_eq!(office.verify().await.defects, Vec::<String>::new());
    let path = office.stored().remove(0);
    let whole = fs::read(&path).unwrap();
    for at in [0, whole.len() / 2, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[at] ^= 0x10;
        fs::write(&path, &altered).unwrap();
        assert!(!office.verify().await.defects.is_empty(), "byte {at}");
    }
    fs::remove_file(&path).unwrap();
    assert!(office.verify().await.defects.iter().any(|defect| defect.contains("is gone")));
    fs::write(&path, &whole).unwrap();
    assert_eq!(office.verify().await.defects, Vec::<String>::new());
    sqlx::raw_sql(
        "create table kept_days as select * from evidence_days;
         create table kept_leaves as select id, leaf from evidence",
    )
    .execute(&office.pool)
    .await
    .unwrap();
    for statement in [
        "update evidence set leaf = sha256('forged') where id = (select min(id) from evidence)",
        "update evidence_days set root = sha256('forged')
         where day = (select min(day) from evidence_days)",
        "update evidence_days set previous = sha256('forged')
         where day = (select max(day) from evidence_days)",
    ] {
        sqlx::query(statement).execute(&office.pool).await.unwrap();
        assert!(!office.verify().await.defects.is_empty(), "{statement}");
        for restore in [
            "update evidence e set leaf = k.leaf from kept_leaves k where k.id = e.id",
            "update evidence_days e set root = k.root, previous = k.previous
             from kept_days k where k.day = e.day",
        ] {
            sqlx::query(restore).execute(&office.pool).await.unwrap();
        }
    }
    assert_eq!(office.verify().await.defects, Vec::<String>::new());
    office.jobs.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_drops_what_nobody_needs_and_breaks_no_chain() {
    let office = Office::open(|_| {}).await;
    office.pass().await;
    office.step(TimeDelta::minutes(40));
    office.pass().await;
    let (account, key) = office.busiest().await;
    let context = office.jobs.context();
    let now = office.clock.now();
    let (from, to) = (now - TimeDelta::days(1), now + TimeDelta::days(1));
    let pinned =
        context.store.pin_evidence(PinHolder::Finding(9), account, from, to, now).await.unwrap();
    let inputs = keep_resource(context, "xunjian:assessment/2026Q4", "application/json", b"{}");
    let inputs = inputs.await.unwrap();
    context.store.pin_records(PinHolder::Assessment(1), &[inputs], now).await.unwrap();
    ship_everything(context).await.unwrap();
    office.step(TimeDelta::days(1));
    office.keep().await;
    let before = office.verify().await;
    office.step(TimeDelta::days(500));
    // What only a dropped record referred to goes with the next run.
    office.keep().await;
    office.keep().await;
    let after = office.verify().await;
    assert_eq!(after.defects, Vec::<String>::new());
    assert_eq!(after.leaves, before.leaves, "leaves stay for ever");
    assert!(after.days > 490, "days without records are chained as well: {}", after.days);
    assert_eq!(after.records as u64, pinned.records + 1, "the pinned alone are left");
    let verified = bundle::verify(&office.export(&Selection::Finding(9)).await.unwrap()).unwrap();
    assert_eq!((verified.records as u64, verified.dropped), (pinned.records, 0));
    let files: BTreeSet<PathBuf> = office.stored().into_iter().collect();
    office.keep().await;
    assert_eq!(
        office.stored().into_iter().collect::<BTreeSet<_>>(),
        files,
        "again changes nothing"
    );
    assert_eq!(context.store.unpin_evidence(PinHolder::Finding(9)).await.unwrap(), pinned.records);
    // What the records of one segment referred to goes with the next run.
    for _ in 0..3 {
        office.keep().await;
    }
    assert_eq!(office.verify().await.records, 1, "the assessment's inputs");
    let selection = Selection::Account { key, from, to };
    let gone = bundle::verify(&office.export(&selection).await.unwrap()).unwrap();
    assert_eq!((gone.records, gone.dropped as u64), (0, pinned.records));
    assert_eq!(office.verify().await.defects, Vec::<String>::new());
    office.jobs.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_without_room_goes_on_and_says_what_is_missing() {
    let office = Office::open(|settings| settings.evidence.free_bytes_min = 1 << 50).await;
    office.pass().await;
    let context = office.jobs.context();
    assert_eq!(office.one("select count(*) from evidence").await, 0);
    assert!(office.one("select count(*) from visits where outcome = 'observed'").await > 30);
    let silent = "select count(*) from visits
        where outcome <> 'failed' and status is not null
            and evidence_missing is distinct from 'no_room'";
    assert_eq!(office.one(silent).await, 0);
    let rendered = context.metrics.render();
    let errors =
        rendered.lines().find(|line| line.starts_with("xunjian_evidence_write_errors_total"));
    assert!(!errors.unwrap().ends_with(" 0"), "{errors:?}");
    let account = context.store.accounts().await.unwrap().remove(0);
    let now = office.clock.now();
    let (from, to) = (now - TimeDelta::days(1), now + TimeDelta::days(1));
    let pinned = context.store.pin_evidence(PinHolder::Finding(1), account.id, from, to, now);
    let pinned = pinned.await.unwrap();
    assert_eq!(pinned.records, 0);
    assert!(pinned.unkept_visits.iter().all(|visit| visit.reason == "no_room"));
    office.jobs.close().await.unwrap();
}
