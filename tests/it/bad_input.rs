//! Ledgers, configurations and pages with which nothing can be done: each gives its reason, and
//! whatever stood before stands afterwards.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use xunjian::store::Store;

use crate::support;

const HEADER: &str = "账号编号,平台,平台账号,账号名称,主办单位,统一社会信用代码,行政区划代码,状态";
const GOOD: &str = "A-1,微博,1000000001,甲发布,甲单位,,339900,运行";

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/default.toml")
}

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages").join(name)
}

/// A place for one test's files, and a database that holds one account.
struct Office {
    folder: TempDir,
    url: String,
    store: Store,
    pool: sqlx::PgPool,
}

impl Office {
    async fn with_one_account() -> Self {
        let (store, database) = support::database().await;
        let folder = tempfile::tempdir().unwrap();
        let office = Self { folder, url: database.url.clone(), store, pool: database.pool };
        let (code, reason) = office.import(format!("{HEADER}\n{GOOD}\n").as_bytes());
        assert_eq!(code, Some(0), "{reason}");
        office
    }

    fn import(&self, ledger: &[u8]) -> (Option<i32>, String) {
        let file = self.folder.path().join("ledger");
        fs::write(&file, ledger).unwrap();
        let data_dir = self.folder.path().join("data");
        let variables = [
            ("XUNJIAN__DATABASE__URL", self.url.as_str()),
            ("XUNJIAN__DATA_DIR", data_dir.to_str().unwrap()),
        ];
        let import = ["registry", "import", file.to_str().unwrap()];
        let said = support::run(&shipped(), &variables, &import);
        (said.code, said.reason)
    }

    /// Everything that an import may change.
    async fn state(&self) -> (Vec<xunjian::domain::Account>, i64) {
        let history = sqlx::query_scalar("select count(*) from account_history");
        (self.store.accounts().await.unwrap(), history.fetch_one(&self.pool).await.unwrap())
    }
}

/// A workbook that was cut off on its way.
fn half_a_workbook() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, title) in (0..).zip(HEADER.split(',')) {
        sheet.write(0, column, title).unwrap();
    }
    let mut bytes = book.save_to_buffer().unwrap();
    bytes.truncate(bytes.len() / 2);
    bytes
}

#[tokio::test]
async fn each_malformed_ledger_is_refused_with_its_place_and_the_books_stay() {
    let office = Office::with_one_account().await;
    let before = office.state().await;
    let row = |row: &str| format!("{HEADER}\n{GOOD}\n{row}\n").into_bytes();
    let without = |column: &str| {
        let names = HEADER.split(',').filter(|name| *name != column).collect::<Vec<_>>();
        format!("{}\n", names.join(",")).into_bytes()
    };
    let key_twice = row("A-1,微博,1000000002,乙发布,乙单位,,339900,运行");
    let handle_twice = row("A-2,微博,1000000001,乙发布,乙单位,,339900,运行");
    let wrong_digit = "A-2,微博,1000000002,乙发布,乙单位,11331002002673575H,339900,运行";
    let mut mixed = row("A-2,微博,1000000002,乙发布,乙单位,,339900,运行");
    mixed.extend([0xFF, 0xFE, 0x00, 0x80]);
    for (what, bytes, wanted) in [
        ("no platform column", without("平台"), "row 1, column 平台: the column is missing"),
        ("no key of its own", without("平台账号"), "row 1, column 平台账号: the column is missing"),
        (
            "a platform that nobody knows",
            row("A-2,火星,1000000002,乙发布,乙单位,,339900,运行"),
            "row 3, column 平台: no platform is called \"火星\"",
        ),
        ("a wrong check digit", row(wrong_digit), "row 3, column 统一社会信用代码: "),
        ("a key twice", key_twice, "row 3, column 账号编号: \"A-1\" is already the key of row 2"),
        ("an account twice", handle_twice, "row 3, column 平台账号: \"1000000001\""),
        ("half a workbook", half_a_workbook(), "not a readable .xlsx"),
        ("bytes of no encoding", mixed, "neither a workbook nor a table"),
        ("nothing", Vec::new(), "empty"),
    ] {
        let (code, reason) = office.import(&bytes);
        assert_eq!(code, Some(1), "{what}: {reason}");
        assert!(reason.contains(wanted), "{what}: {reason}");
        assert!(!reason.contains("panicked"), "{what}: {reason}");
    }
    assert_eq!(office.state().await, before);
}

/// A configuration with one platform and one scheme file beside the settings.
struct Configuration(TempDir);

impl Configuration {
    fn with(settings: &str, platform: &str, scheme: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("xunjian.toml", settings), ("platforms/p.toml", platform), ("schemes/s.toml", scheme)]
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn run(&self, command: &str) -> (Option<i32>, String, String) {
        let data_dir = self.0.path().join("data");
        let variables = [
            ("XUNJIAN__DATA_DIR", data_dir.to_str().unwrap()),
            ("XUNJIAN__HTTP__LISTEN", "127.0.0.1:0"),
        ];
        let said = support::run(&self.0.path().join("xunjian.toml"), &variables, &[command]);
        assert!(!data_dir.exists(), "{command} has touched the data directory");
        (said.code, said.out, said.reason)
    }
}

#[test]
fn each_malformed_configuration_is_refused_with_its_place_and_nothing_is_begun() {
    let config = shipped();
    let config = config.parent().unwrap();
    let platform = fs::read_to_string(config.join("platforms/feed.toml")).unwrap();
    let scheme = fs::read_to_string(config.join("schemes/default.toml")).unwrap();
    let place = |file: &str, text: &str, wrong: &str, field: &str| {
        let line = text.lines().position(|line| line.contains(wrong)).unwrap() + 1;
        format!("{file}:{line}: {field}: ")
    };
    let bad_settings = "[fetch]\ntimeout_seconds = \"soon\"\n";
    let bad_platform = platform.replacen("observability = \"", "observability = \"hearsay", 1);
    let bad_scheme = scheme.replacen("ramp(longest_gap_days", "ramp(likes_per_moon", 1);
    assert!(bad_platform != platform && bad_scheme != scheme);
    let points = "dimensions[0].lines[0].points";
    for (files, place) in [
        (
            [bad_settings, &platform, &scheme],
            place("xunjian.toml", bad_settings, "soon", "fetch.timeout_seconds"),
        ),
        (
            ["", &bad_platform, &scheme],
            place("platforms/p.toml", &bad_platform, "hearsay", "observability"),
        ),
        (
            ["", &platform, &bad_scheme],
            place("schemes/s.toml", &bad_scheme, "likes_per_moon", points),
        ),
    ] {
        let configuration = Configuration::with(files[0], files[1], files[2]);
        let (code, out, reason) = configuration.run("check");
        assert_eq!((code, reason.as_str()), (Some(1), "xunjian: 1 problem\n"), "{out}");
        assert!(out.contains(&place), "{place} in {out}");
        let (code, _, reason) = configuration.run("run");
        assert_eq!(code, Some(2), "{reason}");
        assert!(reason.contains(out.trim_end()), "{reason}");
    }
}

#[test]
fn problems_of_every_file_are_told_at_once() {
    let (code, out, reason) = Configuration::with("", "id = 7\n", "id = 8\n").run("check");
    assert_eq!(code, Some(1), "{out}{reason}");
    assert!(out.contains("platforms/p.toml:1: id: "), "{out}");
    assert!(out.contains("schemes/s.toml:1: id: "), "{out}");
    assert!(out.lines().all(|line| line.splitn(4, ':').count() == 4), "{out}");
}

/// What breaks a page on its way or at its origin, made from a sound one.
fn broken(sound: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let text = String::from_utf8_lossy(sound).into_owned();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(sound).unwrap();
    vec![
        ("nothing", Vec::new()),
        ("half of it", sound[..sound.len() / 2].to_vec()),
        ("zero bytes", vec![0; 4096]),
        ("bytes of no encoding", (0..=255).rev().cycle().take(5000).collect()),
        ("its compressed form", gzip.finish().unwrap()),
        ("brackets without end", "[".repeat(200_000).into_bytes()),
        ("elements without end", "<div><a>".repeat(50_000).into_bytes()),
        ("another kind of value", b"{\"data\": 7, \"ok\": [null], \"items\": \"x\"}".to_vec()),
        ("absurd numbers", text.replace(['1', '2', '3'], "99999999999999999999").into_bytes()),
        ("other letters", text.replace(|c: char| c.is_ascii_alphabetic(), "\u{202e}").into_bytes()),
    ]
}

#[test]
fn each_malformed_page_ends_with_a_verdict_and_never_a_panic() {
    for (platform, kind, sound, handle) in [
        ("weibo", "timeline", "weibo/timeline_pins_1.json", "1669879400"),
        ("wechat", "bridge", "wechat/bridge.xml", "x"),
        ("wechat", "article", "wechat/article.html", "x"),
        ("portal", "list", "portal/list_table.html", "x"),
    ] {
        let sound = fs::read(page(sound)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page");
        for (what, bytes) in broken(&sound) {
            fs::write(&file, bytes).unwrap();
            let said = support::run(
                &shipped(),
                &[],
                &[
                    "extract",
                    "--platform",
                    platform,
                    "--page",
                    kind,
                    "--observed-at",
                    "2026-11-22T20:15:00+08:00",
                    "--handle",
                    handle,
                    "--url",
                    "https://www.lucheng.example/list/",
                    file.to_str().unwrap(),
                ],
            );
            let place = format!("{platform} {kind}, {what}: {}{}", said.out, said.reason);
            assert_eq!(said.code, Some(0), "{place}");
            assert_eq!(said.reason, "", "{place}");
            let read: serde_json::Value = serde_json::from_str(&said.out).unwrap();
            let verdict = read["verdict"].as_str().unwrap();
            let told = read["reason"].as_str().is_some_and(|reason| !reason.is_empty());
            assert!(verdict == "observation" || told, "no reason: {place}");
            let unreadable = what != "half of it" && what != "absurd numbers";
            assert!(verdict != "observation" || !unreadable, "{place}");
        }
    }
}
