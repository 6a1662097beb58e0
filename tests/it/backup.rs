//! Backups of a real office, taken while it works, and what becomes of them elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use xunjian::app::Jobs;
use xunjian::app::backup::{BackupOptions, RestoreOptions, back_up, restore};
use xunjian::archive::Checked;
use xunjian::domain::Clock;
use xunjian::jobs::assessment::{Freeze, freeze, verify_stored};
use xunjian::jobs::crawl::{Running, pass};
use xunjian::jobs::evidence::{StoreReport, keep_evidence, verify_store};
use xunjian::jobs::judge::judge;
use xunjian::jobs::score::score_current_quarter;
use xunjian::settings::Settings;
use xunjian::store::SchemaVersion;

use crate::evidence::Office;
use crate::support::{self, Said};

const PLAIN: RestoreOptions = RestoreOptions { replace: false, without_key: false, digest: None };

/// The same settings on another machine: a data directory and a database of its own.
fn elsewhere(office: &Office, url: &str, folder: &Path) -> Settings {
    let mut settings = office.settings.clone();
    settings.data_dir = folder.to_owned();
    settings.database.url = url.to_owned();
    settings
}

async fn rows_of(url: &str, table: &str) -> i64 {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    let statement = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(statement).fetch_one(&pool).await.unwrap()
}

async fn verified(jobs: &Jobs) -> StoreReport {
    let context = jobs.context();
    let vault = context.evidence.as_ref().unwrap();
    verify_store(&context.store, vault, context.clock.now()).await.unwrap()
}

/// Freezes the quarter that runs, two hours ago.
async fn frozen(office: &Office) -> String {
    let context = office.jobs.context();
    judge(context).await.unwrap();
    score_current_quarter(context).await.unwrap();
    let wanted = Freeze {
        period: "2026Q4".parse().unwrap(),
        scheme: context.schemes.get("national_2019_accounts"),
        cutoff: office.clock.now() - TimeDelta::hours(2),
        sample: None,
        actor: "zhang",
        reason: "",
    };
    freeze(context, &wanted).await.unwrap().digest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_under_load_restores_to_what_every_check_accepts() {
    let office = Office::open(|settings| settings.evidence.trouble_days = 1).await;
    office.pass().await;
    let digest = frozen(&office).await;
    let ended = AtomicBool::new(false);
    let rounds = AtomicUsize::new(0);
    let load = async {
        while !ended.load(Ordering::SeqCst) {
            office.step(TimeDelta::hours(8));
            let running = Running::quietly(Default::default(), Default::default());
            pass(office.jobs.context(), &running).await.unwrap();
            // Seals days, stores segments, drops what is past its time: all that moves evidence.
            keep_evidence(office.jobs.context()).await.unwrap();
            rounds.fetch_add(1, Ordering::SeqCst);
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let backups = async {
        let mut made = Vec::new();
        for number in 0..3 {
            // On a slow machine three backups may be made within one round of the load.
            while rounds.load(Ordering::SeqCst) < number {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let path = folder.path().join(format!("{number}.tar"));
            let options = BackupOptions { with_key: true, incomplete: false };
            let clock = office.clock.clone();
            let one = back_up(&office.settings, clock, &path, options).await.unwrap();
            assert_eq!(one.missing, []);
            made.push((path, one));
        }
        ended.store(true, Ordering::SeqCst);
        made
    };
    let ((), made) = tokio::join!(load, backups);
    assert!(made[0].1.rows < made[2].1.rows, "the office worked meanwhile");
    for (path, one) in made {
        let (store, database) = support::empty_database().await;
        store.close().await;
        let data = folder.path().join(path.file_stem().unwrap());
        let settings = elsewhere(&office, &database.url, &data);
        let options = RestoreOptions { digest: Some(one.digest), ..PLAIN };
        let (restored, differences) = restore(&settings, &path, options).await.unwrap();
        assert_eq!((restored.rows, restored.segments), (one.rows, one.segments));
        assert_eq!(differences, Vec::<String>::new());

        let jobs = Jobs::open(&settings, office.clock.clone()).await.unwrap();
        let report = verified(&jobs).await;
        assert_eq!(report.defects, Vec::<String>::new());
        assert!(report.records > 30 && report.elsewhere.is_empty(), "{report:?}");
        let store = &jobs.context().store;
        let assessment = store.assessments(None).await.unwrap().remove(0);
        assert_eq!(verify_stored(store, &assessment).await.unwrap().digest, digest);
        // Life goes on there: numbers continue, segments are stored, days sealed.
        office.step(TimeDelta::days(1));
        let running = Running::quietly(Default::default(), Default::default());
        assert!(pass(jobs.context(), &running).await.unwrap().visits > 30);
        keep_evidence(jobs.context()).await.unwrap();
        let after = verified(&jobs).await;
        assert_eq!(after.defects, Vec::<String>::new());
        assert!(after.days > report.days && after.leaves > report.leaves, "{after:?}");
        jobs.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_not_free_is_left_as_it_is() {
    let office = Office::open(|_| {}).await;
    office.pass().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar");
    let options = BackupOptions::default();
    let made = back_up(&office.settings, office.clock.clone(), &path, options).await.unwrap();
    let again = back_up(&office.settings, office.clock.clone(), &path, options).await.unwrap_err();
    assert!(format!("{again:#}").contains("exists"), "{again:#}");

    // Without the key, where there is none and where there is another.
    let (store, database) = support::database().await;
    let data = folder.path().join("data");
    let settings = elsewhere(&office, &database.url, &data);
    let refused = |settings: Settings, options: RestoreOptions| {
        let path = path.clone();
        async move { format!("{:#}", restore(&settings, &path, options).await.unwrap_err()) }
    };
    store.close().await;
    database.pool.close().await;
    let reason = refused(settings.clone(), PLAIN).await;
    assert!(reason.contains("made without the key"), "{reason}");
    fs::write(data.join("installation.key"), [9; 32]).unwrap();
    let reason = refused(settings.clone(), PLAIN).await;
    assert!(reason.contains("has the fingerprint"), "{reason}");
    let key = office.settings.data_dir.join("installation.key");
    fs::copy(&key, data.join("installation.key")).unwrap();
    let wrong = RestoreOptions { digest: Some(xunjian::domain::Sha256Digest([7; 32])), ..PLAIN };
    let reason = refused(settings.clone(), wrong).await;
    assert!(reason.contains(&format!("its digest is {}", made.digest)), "{reason}");

    // A migrated schema without rows is free; rows are not, unless told.
    restore(&settings, &path, PLAIN).await.unwrap();
    let reason = refused(settings.clone(), PLAIN).await;
    assert!(reason.contains("not empty") && reason.contains("--replace"), "{reason}");
    let accounts = rows_of(&database.url, "accounts").await;
    let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
    sqlx::raw_sql("delete from account_history").execute(&pool).await.unwrap();
    pool.close().await;
    let replace = RestoreOptions { replace: true, ..PLAIN };
    restore(&settings, &path, replace).await.unwrap();
    assert_eq!(rows_of(&database.url, "accounts").await, accounts);
    assert!(rows_of(&database.url, "account_history").await > 0);
    assert_eq!(rows_of(&database.url, "pg_namespace where nspname like 'xunjian%'").await, 0);

    // Somebody else's table among our own is not taken down with them.
    let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
    sqlx::raw_sql("create table ledger_of_theirs (id int)").execute(&pool).await.unwrap();
    let reason = refused(settings.clone(), replace).await;
    assert!(reason.contains("not xunjian's, such as ledger_of_theirs"), "{reason}");
    sqlx::raw_sql("drop table ledger_of_theirs").execute(&pool).await.unwrap();
    pool.close().await;

    // Somebody else's tables, and a daemon that works there.
    let (store, foreign) = support::empty_database().await;
    store.close().await;
    sqlx::raw_sql("create table theirs (id int)").execute(&foreign.pool).await.unwrap();
    let theirs = elsewhere(&office, &foreign.url, &data);
    let reason = refused(theirs, replace).await;
    assert!(reason.contains("not xunjian's, such as theirs"), "{reason}");
    let jobs = Jobs::open(&settings, office.clock.clone()).await.unwrap();
    jobs.context().store.ping().await.unwrap();
    let reason = refused(settings.clone(), replace).await;
    assert!(reason.contains("in use"), "{reason}");
    jobs.close().await.unwrap();
}

/// The program on settings of a data directory without a database address.
struct Machine {
    folder: tempfile::TempDir,
    settings: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("settings.toml");
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let text = format!(
            "data_dir = {:?}\nplatforms_dir = {:?}\nschemes_dir = {:?}\n[log]\nlevel = \"error\"\n",
            folder.path().join("data"),
            config.join("platforms"),
            config.join("schemes")
        );
        fs::write(&settings, text).unwrap();
        Self { folder, settings }
    }

    fn xunjian(&self, arguments: &[&str]) -> Said {
        support::run(&self.settings, &[], arguments)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

#[test]
fn the_commands_carry_a_private_database_to_another_machine() {
    let old = Machine::new();
    let ledger = concat!(env!("CARGO_MANIFEST_DIR"), "/config/ledger.sample.csv");
    assert_eq!(old.xunjian(&["registry", "import", ledger]).code, Some(0));
    let exported = old.xunjian(&["registry", "export", "--format", "csv"]).out;
    assert!(exported.lines().count() > 100);
    let file = old.path("b.tar");
    let made = old.xunjian(&["backup", &file, "--with-key"]);
    assert_eq!(made.code, Some(0), "{}", made.reason);
    assert!(made.out.contains("rows of") && made.out.contains("digest "), "{}", made.out);
    let keyless = old.xunjian(&["backup", &old.path("keyless.tar")]);
    assert!(keyless.reason.contains("installation.key is not in it"), "{}", keyless.reason);

    let new = Machine::new();
    let digest = made.out.lines().last().unwrap().trim_start_matches("digest ");
    let checked = new.xunjian(&["restore", &file, "--check", "--digest", digest]);
    assert_eq!(checked.code, Some(0), "{}", checked.reason);
    assert!(checked.out.contains("(inside)"), "{}", checked.out);
    assert!(!new.folder.path().join("data").exists(), "looking makes nothing");
    let restored = new.xunjian(&["restore", &file, "--digest", digest]);
    assert_eq!(restored.code, Some(0), "{}", restored.reason);
    assert_eq!(new.xunjian(&["registry", "export", "--format", "csv"]).out, exported);
    let verified = new.xunjian(&["evidence", "verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.reason);

    let whole = fs::read(&file).unwrap();
    let damaged = new.path("damaged.tar");
    fs::write(&damaged, &whole[..whole.len() - 4000]).unwrap();
    let refused = new.xunjian(&["restore", &damaged, "--replace"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.reason.contains("cut off"), "{}", refused.reason);
    let mut bytes = whole.clone();
    let at = bytes.windows(8).position(|window| window == b"accounts").unwrap();
    bytes[at + 600] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let refused = new.xunjian(&["restore", &damaged, "--replace"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.reason.contains("damaged.tar: "), "{}", refused.reason);
    assert_eq!(new.xunjian(&["registry", "export", "--format", "csv"]).out, exported);
}

/// A backup of an office under the schema before the newest: `tests/fixtures/backup/schema-13.tar`,
/// 40 accounts, a crawl with its evidence, and a frozen assessment.
#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_an_older_schema_is_brought_up_to_date_and_everything_reads_it() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/backup/schema-13.tar");
    let head = Checked::open(&old).unwrap().head;
    assert!(head.schema == 13 && head.schema < SchemaVersion::newest());
    let (store, database) = support::empty_database().await;
    store.close().await;
    let machine = Machine::new();
    let text = fs::read_to_string(&machine.settings).unwrap();
    let text = format!("{text}[database]\nurl = {:?}\n", database.url);
    fs::write(&machine.settings, text).unwrap();
    let restored = machine.xunjian(&["restore", old.to_str().unwrap()]);
    assert_eq!(restored.code, Some(0), "{}", restored.reason);
    let version: i64 = sqlx::query_scalar("select max(version) from _sqlx_migrations")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(version, SchemaVersion::newest());

    for (arguments, wanted) in [
        (vec!["evidence", "verify"], "records in"),
        (vec!["assessment", "list"], "2026Q4"),
        (vec!["assessment", "show", "--period", "2026Q4"], "第 1 版"),
        (vec!["registry", "export", "--format", "csv"], "weibo"),
        (vec!["registry", "audit"], ""),
        (vec!["finding", "list"], ""),
        (vec!["score", "--period", "2026Q4"], "LC-0001"),
        (vec!["observations", "list"], ""),
        (vec!["report", "bulletin", "--period", "2026Q4", "--out", &machine.path("out")], ""),
    ] {
        let said = machine.xunjian(&arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.reason);
        assert!(said.out.contains(wanted), "{arguments:?}: {}", said.out);
    }
    // What was frozen under an earlier format is kept and shown; this program does not compute it.
    let verified = machine.xunjian(&["assessment", "verify", "--period", "2026Q4"]);
    assert_eq!(verified.code, Some(1), "{}", verified.out);
    assert!(verified.reason.contains("its digest holds"), "{}", verified.reason);
    let views: Vec<String> = sqlx::query_scalar(
        "select viewname::text from pg_views where schemaname = 'public' order by 1",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert!(views.iter().any(|view| view == "grafana_overview"), "{views:?}");
    for view in views {
        rows_of(&database.url, &view).await;
    }
    assert!(rows_of(&database.url, "grafana_overview").await > 10);
}
