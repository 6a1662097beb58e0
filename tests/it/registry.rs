//! `xunjian registry` as an operator sees it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use xunjian::store::Store;

use crate::support;

const HEADER: &str = "账号编号,平台,平台账号,账号名称,主办单位,行政区划代码,状态";

/// What a command said and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    out: Vec<u8>,
    reason: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.reason);
        String::from_utf8(self.out).unwrap()
    }

    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!((self.code, self.out.len()), (Some(1), 0), "{}", self.reason);
        self.reason
    }
}

/// A folder for files and state, and the database that the commands of a test use.
pub(crate) struct Office {
    folder: TempDir,
    /// Empty: the private one in the folder.
    url: String,
}

impl Office {
    /// One with a private database, which each command starts and stops.
    fn alone() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: String::new() }
    }

    /// One with a database on the server of the tests.
    pub(crate) async fn connected() -> (Self, Store, sqlx::PgPool) {
        let (store, database) = support::database().await;
        let office = Self { folder: tempfile::tempdir().unwrap(), url: database.url.clone() };
        (office, store, database.pool)
    }

    fn registry(&self, arguments: &[&str]) -> Said {
        self.xunjian(&[&["registry"], arguments].concat())
    }

    pub(crate) fn xunjian(&self, arguments: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
            .args(arguments)
            .arg("--config")
            .arg(project().join("config/default.toml"))
            .env_clear()
            .env("USER", "zhang")
            .env("XUNJIAN__LOG__LEVEL", "error")
            .env("XUNJIAN__DATABASE__URL", &self.url)
            .env("XUNJIAN__DATA_DIR", self.folder.path().join("data"))
            .output()
            .unwrap();
        let reason = String::from_utf8(output.stderr).unwrap();
        Said { code: output.status.code(), out: output.stdout, reason }
    }

    pub(crate) fn import(&self, file: &Path, options: &[&str]) -> Said {
        self.registry(&[&["import", file.to_str().unwrap()], options].concat())
    }

    /// A ledger of the required columns and those rows.
    fn ledger(&self, rows: &[&str]) -> PathBuf {
        let file = self.path("ledger.csv");
        fs::write(&file, [&[HEADER], rows].concat().join("\n")).unwrap();
        file
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample() -> PathBuf {
    project().join("config/ledger.sample.csv")
}

async fn names(store: &Store) -> Vec<String> {
    store.accounts().await.unwrap().into_iter().map(|account| account.entry.name).collect()
}

#[test]
fn the_sample_is_imported_once_and_a_second_time_changes_nothing() {
    let office = Office::alone();
    let first = office.import(&sample(), &[]).done();
    assert_eq!(first, "240 added, 0 changed, 0 unchanged, 0 withdrawn\n");
    let second = office.import(&sample(), &[]).done();
    assert_eq!(second, "0 added, 0 changed, 240 unchanged, 0 withdrawn\n");
}

#[tokio::test]
async fn a_bad_ledger_is_refused_with_every_row_error_and_nothing_changes() {
    let (office, store, _) = Office::connected().await;
    let file = office.ledger(&[
        "A-1,微博,1000000001,甲发布,甲单位,339900,运行",
        "A-2,博客,1000000002,乙发布,乙单位,339900,运行",
        "A-3,weibo,1000000003,,丙单位,33990,运行",
        "A-1,weibo,1000000004,丁发布,丁单位,339900,睡着",
    ]);
    let reason = office.import(&file, &[]).failed();
    let lines: Vec<_> = reason.lines().collect();
    let places = [
        "row 3, column 平台: ",
        "row 4, column 账号名称: ",
        "row 4, column 行政区划代码: ",
        "row 5, column 状态: ",
    ];
    for place in places {
        assert!(lines.iter().any(|line| line.starts_with(place)), "{place} in {reason}");
    }
    let last = lines.last().unwrap();
    let total = format!("{} errors; nothing was imported", lines.len() - 1);
    assert!(last.starts_with("xunjian: ") && last.ends_with(&total), "{reason}");
    assert_eq!(names(&store).await, [""; 0]);
}

#[tokio::test]
async fn a_dry_run_tells_every_change_and_makes_none() {
    let (office, store, _) = Office::connected().await;
    let first = office.ledger(&["A-1,weibo,1000000001,甲发布,甲单位,339900,运行"]);
    office.import(&first, &[]).done();
    let second = office.ledger(&[
        "A-1,weibo,1000000001,甲政务,甲单位,339900,运行",
        "A-2,weibo,1000000002,乙发布,乙单位,339900,运行",
    ]);
    let told = office.import(&second, &["--dry-run"]).done();
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[..2], ["added A-2 乙发布", "changed A-1 账号名称: 甲发布 → 甲政务"]);
    assert!(lines[2].ends_with("1 added, 1 changed, 0 unchanged, 0 withdrawn"), "{told}");
    assert_eq!(names(&store).await, ["甲发布"]);
    office.import(&second, &[]).done();
    assert_eq!(names(&store).await, ["甲政务", "乙发布"]);
}

#[tokio::test]
async fn missing_accounts_leave_only_a_complete_ledger_and_many_only_with_a_yes() {
    let (office, store, _) = Office::connected().await;
    let row = "A-1,weibo,1000000001,甲发布,甲单位,339900,运行";
    let both = office.ledger(&[row, "A-2,weibo,1000000002,乙发布,乙单位,339900,运行"]);
    office.import(&both, &[]).done();
    let one = office.ledger(&[row]);
    let unchanged = "0 added, 0 changed, 1 unchanged, 0 withdrawn\n";
    assert_eq!(office.import(&one, &[]).done(), unchanged);
    let complete = ["--complete-for", "3399"];
    let refused = office.import(&one, &complete).failed();
    assert!(refused.contains("1 of 2 accounts") && refused.contains("--yes"), "{refused}");
    let withdrawn = office.import(&one, &[&complete[..], &["--yes"]].concat()).done();
    assert_eq!(withdrawn, "0 added, 0 changed, 1 unchanged, 1 withdrawn\n");
    assert!(!store.account("A-2").await.unwrap().unwrap().entry.lifecycle.is_judged());
}

#[tokio::test]
async fn the_history_names_who_imported_what() {
    let (office, _store, pool) = Office::connected().await;
    let file = office.ledger(&["A-1,weibo,1000000001,甲发布,甲单位,339900,运行"]);
    office.import(&file, &[]).done();
    let file = office.ledger(&["A-1,weibo,1000000001,甲政务,甲单位,339900,运行"]);
    office.import(&file, &["--actor", "李"]).done();
    let history: Vec<(String, String)> =
        sqlx::query_as("select actor, reason from account_history order by recorded_at")
            .fetch_all(&pool)
            .await
            .unwrap();
    let actors: Vec<_> = history.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(actors, ["zhang", "李"]);
    assert!(history[0].1.ends_with("/ledger.csv"), "{history:?}");
    assert_eq!(office.import(&file, &["--actor", " "]).code, Some(2));
}

#[tokio::test]
async fn an_export_is_read_back_unchanged_in_either_form() {
    let (office, store, _) = Office::connected().await;
    office.import(&sample(), &[]).done();
    let csv = office.registry(&["export", "--format", "csv"]).done();
    assert!(csv.starts_with('\u{feff}'));
    fs::write(office.path("out.csv"), &csv).unwrap();
    let workbook = office.path("out.xlsx");
    let to = workbook.to_str().unwrap();
    assert_eq!(office.registry(&["export", "--format", "xlsx", "--out", to]).done(), "");
    let before = store.accounts().await.unwrap();
    for file in ["out.csv", "out.xlsx"] {
        let again = office.import(&office.path(file), &["--complete-for", "all"]).done();
        assert_eq!(again, "0 added, 0 changed, 240 unchanged, 0 withdrawn\n", "{file}");
        let (elsewhere, copy, _) = Office::connected().await;
        elsewhere.import(&office.path(file), &[]).done();
        let entries = copy.accounts().await.unwrap();
        assert!(entries.iter().map(|a| &a.entry).eq(before.iter().map(|a| &a.entry)), "{file}");
        // What the ledger says of persons came along as well, under the other office's key.
        assert_eq!(elsewhere.registry(&["export", "--format", "csv"]).done(), csv, "{file}");
    }
}

#[tokio::test]
async fn the_audit_finds_the_defects_planted_in_the_sample() {
    let (office, _, _) = Office::connected().await;
    office.import(&sample(), &[]).done();
    let listed = office.registry(&["audit", "--format", "json"]).done();
    let defects: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    let check = |kind: &str, keys: &[&str]| {
        let found = defects
            .iter()
            .any(|one| one["kind"] == kind && one["keys"].as_array().unwrap().iter().eq(keys));
        assert!(found, "{kind} of {keys:?} in {listed}");
    };
    check("several_per_sponsor", &["LC-0173", "LC-0176"]);
    check("supervisor_missing", &["LC-0205"]);
    check("sponsor_code_missing", &["LC-0191"]);
    check("filed_late", &["LC-0037"]);
    check("filed_late", &["LC-0222"]);
    // Nothing was crawled: nothing is said of what crawls learn.
    let of_crawls = ["handle_never_resolved", "name_differs", "running_but_gone"];
    assert!(defects.iter().all(|one| !of_crawls.contains(&one["kind"].as_str().unwrap())));
    let text = office.registry(&["audit"]).done();
    assert_eq!(text.lines().count(), defects.len() + 1);
    assert!(text.ends_with(&format!("共 {} 处问题。\n", defects.len())), "{text}");
}
