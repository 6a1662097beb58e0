//! Assessments: frozen, verified elsewhere, corrected, compared, never changed.

mod bulletin;
mod publishing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::TimeDelta;
use xunjian::domain::{LedgerEntry, Lifecycle};
use xunjian::jobs::assessment::{Freeze, Frozen, export, freeze, verify_stored};
use xunjian::jobs::score::score_current_quarter;
use xunjian::store::FrozenFilter;

use crate::findings::{Office, entry};
use crate::support;

/// The scheme of these tests: only a veto decides.
const SCHEME: &str = "national_2019_accounts";

/// One that posts, one that is silent, one that nobody could read, one that is closed; and one of
/// another sponsor that posts.
async fn office() -> Office {
    let office = Office::open().await;
    let closed = LedgerEntry { lifecycle: Lifecycle::Closed, ..entry("E-关") };
    let other = LedgerEntry { sponsor: "乙局".into(), ..entry("B-勤") };
    let ids = office.ledger(&[entry("A-勤"), other, entry("C-默"), entry("D-墙"), closed]).await;
    office.checked(ids[0], 150, &[1, 4, 9, 20]).await;
    office.checked(ids[1], 150, &[2, 3]).await;
    office.checked(ids[2], 150, &[20, 60]).await;
    office.walled(ids[3]).await;
    office
}

async fn frozen(office: &Office, reason: &str) -> anyhow::Result<Frozen> {
    let context = office.context();
    let wanted = Freeze {
        period: "2026Q4".parse().unwrap(),
        scheme: context.schemes.get(SCHEME),
        cutoff: office.begun() - TimeDelta::hours(2),
        sample: None,
        actor: "zhang",
        reason,
    };
    freeze(context, &wanted).await
}

async fn exported(office: &Office, id: i64, name: &str) -> PathBuf {
    let store = &office.context().store;
    let one = store.assessment(id).await.unwrap().unwrap();
    let mut bytes = Vec::new();
    export(store, &one, &mut bytes).await.unwrap();
    let path = office.folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// The program with nothing but an environment: no settings, no database.
fn verified_elsewhere(bundle: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["assessment", "verify", "--bundle"])
        .arg(bundle)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir("/")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

impl Office {
    /// The program on this office's database.
    pub(crate) fn xunjian(&self, arguments: &[&str]) -> support::Said {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/default.toml");
        let data = self.folder.path().join("data");
        let variables = [
            ("XUNJIAN__DATABASE__URL", self.database.url.as_str()),
            ("XUNJIAN__DATA_DIR", data.to_str().unwrap()),
            ("XUNJIAN__LOG__LEVEL", "error"),
            ("TZ", "America/St_Johns"),
        ];
        support::run(&config, &variables, arguments)
    }
}

#[tokio::test]
async fn a_frozen_period_recomputes_bit_for_bit_elsewhere_and_after_unrelated_data() {
    let office = office().await;
    let frozen = frozen(&office, "").await.unwrap();
    assert_eq!((frozen.version, frozen.accounts), (1, 5));
    let verdicts: Vec<_> = frozen.verdicts.iter().map(|(word, count)| (*word, *count)).collect();
    assert_eq!(verdicts, [("fail", 1), ("not_judged", 1), ("pass", 2), ("undetermined", 1)]);

    let bundle = exported(&office, frozen.id, "bundle.jsonl").await;
    for variables in [
        [("TZ", "America/St_Johns"), ("LC_ALL", "tr_TR.UTF-8")],
        [("TZ", "Pacific/Kiritimati"), ("LC_ALL", "C")],
    ] {
        let (code, said) = verified_elsewhere(&bundle, &variables);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("5 accounts, all as they were frozen"), "{said}");
        assert!(said.contains("0 lines of roll-ups and rankings too"), "{said}");
        assert!(said.contains(&frozen.digest), "{said}");
    }
    // Whoever changes one post's numbers is found out, here by the digest and by the card.
    let text = fs::read_to_string(&bundle).unwrap();
    let altered = office.folder.path().join("altered.jsonl");
    fs::write(&altered, text.replacen("\"late\":false", "\"late\":true", 1)).unwrap();
    let (code, said) = verified_elsewhere(&altered, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("A-勤: byte") && said.contains("the tail tells"), "{said}");
    let cut = text.lines().take(3).collect::<Vec<_>>().join("\n");
    fs::write(&altered, cut).unwrap();
    assert!(verified_elsewhere(&altered, &[]).1.contains("the file is cut off"));

    office.days(3);
    let store = &office.context().store;
    let late = store.account("C-默").await.unwrap().unwrap().id;
    office.checked(late, 150, &[0, 1, 2, 3]).await;
    score_current_quarter(office.context()).await.unwrap();
    let one = store.assessment(frozen.id).await.unwrap().unwrap();
    assert_eq!(verify_stored(store, &one).await.unwrap().digest, frozen.digest);
    let again = exported(&office, frozen.id, "again.jsonl").await;
    assert_eq!(fs::read(again).unwrap(), text.as_bytes(), "the same bytes for ever");
}

#[tokio::test]
async fn a_correction_is_a_new_version_with_its_reason_and_nothing_frozen_changes() {
    let office = office().await;
    let first = frozen(&office, "").await.unwrap();
    let refused = frozen(&office, " ").await.unwrap_err().to_string();
    assert!(refused.contains("frozen already (version 1)"), "{refused}");
    office.days(1);
    let second = frozen(&office, "核实后更正").await.unwrap();
    assert_eq!((second.version, second.id > first.id), (2, true));
    let store = &office.context().store;
    let all = store.assessments(Some("2026Q4")).await.unwrap();
    assert_eq!(all.iter().map(|one| one.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(all[1].superseded_by, Some(second.id));
    assert_eq!((all[0].supersedes, all[0].reason.as_str()), (Some(first.id), "核实后更正"));
    assert_eq!(all[0].actor, "zhang");
    let head = store.assessment_head(second.id).await.unwrap().unwrap();
    assert!(head.contains(&first.digest), "the correction names what it corrects");
    assert_eq!(verify_stored(store, &all[1]).await.unwrap().digest, first.digest);

    let pool = &office.database.pool;
    let one = first.id;
    for statement in [
        format!("update assessments set digest = 'x' where id = {one}"),
        format!("update assessments set reason = 'x' where id = {one}"),
        format!("delete from assessments where id = {one}"),
        "truncate assessments cascade".to_owned(),
        format!("update assessment_accounts set line = 'x' where assessment_id = {one}"),
        format!("delete from assessment_accounts where assessment_id = {one}"),
        "truncate assessment_accounts".to_owned(),
        format!(
            "insert into assessment_accounts (assessment_id, place, key, platform, region, line)
             values ({one}, 99, 'new', 'weibo', '339901', '{{}}')"
        ),
    ] {
        let refused = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(pool).await;
        let refused = refused.expect_err(&statement).to_string();
        assert!(refused.contains("append-only") || refused.contains("is frozen"), "{refused}");
    }
}

#[tokio::test]
async fn a_failed_freeze_leaves_nothing_and_early_ones_are_refused() {
    let office = office().await;
    let context = office.context();
    let wanted = Freeze {
        period: "2026Q4".parse().unwrap(),
        scheme: context.schemes.get(SCHEME),
        cutoff: office.begun() + TimeDelta::days(1),
        sample: None,
        actor: "zhang",
        reason: "",
    };
    let refused = freeze(context, &wanted).await.unwrap_err().to_string();
    assert!(refused.contains("has not come yet"), "{refused}");
    let drawn = ["Z-无".to_owned()].into();
    let cutoff = office.begun() - TimeDelta::hours(2);
    let strange = Freeze { cutoff, sample: Some((&drawn, "种子 1")), ..wanted };
    let refused = freeze(context, &strange).await.unwrap_err().to_string();
    assert!(refused.contains("not in the ledger: Z-无"), "{refused}");
    assert!(context.store.assessments(None).await.unwrap().is_empty());

    let drawn = ["A-勤".to_owned(), "C-默".to_owned()].into();
    let sampled = Freeze { cutoff, sample: Some((&drawn, "种子 1")), ..wanted };
    let frozen = freeze(context, &sampled).await.unwrap();
    assert_eq!(frozen.accounts, 2);
    let head = context.store.assessment_head(frozen.id).await.unwrap().unwrap();
    assert!(head.contains(r#""running":4,"sample":{"drawn":2,"note":"种子 1"}"#), "{head:.400}");
}

#[tokio::test]
async fn the_command_lists_shows_verifies_and_compares() {
    let office = office().await;
    let frozen = frozen(&office, "").await.unwrap();
    let listed = office.xunjian(&["assessment", "list", "--period", "2026Q4", "--json"]);
    let one: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((&one["version"], &one["accounts"]), (&1.into(), &5.into()));
    assert_eq!(one["digest"], frozen.digest.as_str());
    let verified = office.xunjian(&["assessment", "verify", "--period", "2026Q4"]);
    assert_eq!(verified.code, Some(0), "{}", verified.reason);
    assert!(verified.out.contains("5 accounts, all as they were frozen"), "{}", verified.out);
    let shown = office.xunjian(&["assessment", "show", "1", "--account", "C-默"]);
    assert!(shown.out.contains("结论 不合格"), "{}", shown.out);
    let shown = office.xunjian(&["assessment", "show", "1"]);
    assert!(shown.out.contains("C-默") && shown.out.contains("第 1 版"), "{}", shown.out);
    let missing = office.xunjian(&["assessment", "show", "--period", "2026Q3"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.reason.contains("2026Q3 is not frozen"), "{}", missing.reason);

    let text = office.context().schemes.get(SCHEME).unwrap().text.clone();
    let draft = office.folder.path().join("draft.toml");
    let compared = |text: String| {
        fs::write(&draft, text).unwrap();
        let said =
            office.xunjian(&["assessment", "compare", "1", "--draft", draft.to_str().unwrap()]);
        assert_eq!(said.code, Some(0), "{}", said.reason);
        said.out
    };
    let same = compared(format!("{text}# a remark\n"));
    assert!(same.contains("结果不变 5 个,变化 0 个"), "{same}");
    let digests: Vec<&str> =
        same.split_whitespace().filter(|one| one.starts_with("sha256:")).collect();
    assert!(digests.len() == 2 && digests[0] != digests[1], "{same}");
    let milder = compared(text.replacen("silence_tier >= 2.0", "silence_tier >= 3.0", 1));
    assert!(milder.contains("结论:不合格 → 合格"), "{milder}");
    assert!(milder.contains("内容不更新(vetoes/not_updated):成立 → 不成立"), "{milder}");
    // The silence was proven under other limits: nothing is guessed under new ones.
    let longer = compared(text.replacen(
        "value = 336, unit = \"hours\"",
        "value = 480, unit = \"hours\"",
        1,
    ));
    assert!(longer.contains("结论:不合格 → 未能判定"), "{longer}");
    let broken = office.folder.path().join("broken.toml");
    fs::write(&broken, "id = 3").unwrap();
    let said = office.xunjian(&["assessment", "compare", "1", "--draft", broken.to_str().unwrap()]);
    assert_eq!(said.code, Some(2), "{}", said.reason);
}

#[tokio::test]
async fn roll_ups_and_rankings_are_shown_frozen_and_computed_again() {
    let office = office().await;
    let context = office.context();
    let wanted = Freeze {
        period: "2026Q4".parse().unwrap(),
        scheme: context.schemes.get("wanzhi_2021"),
        cutoff: office.begun() - TimeDelta::hours(2),
        sample: None,
        actor: "zhang",
        reason: "",
    };
    let frozen = freeze(context, &wanted).await.unwrap();
    let lines = context.store.assessment_summaries(frozen.id).await.unwrap();
    assert!(lines.iter().any(|line| line.starts_with("{\"rollup\":")), "{lines:#?}");
    let said = office.xunjian(&["assessment", "show", "1", "--summary"]);
    assert_eq!(said.code, Some(0), "{}", said.reason);
    assert!(said.out.contains("乙局") && said.out.contains("1 个账号"), "{}", said.out);
    let live = ["score", "--period", "2026Q4", "--scheme", "wanzhi_2021", "--summary"];
    let live = office.xunjian(&live);
    assert!(live.out.contains("乙局"), "{} {}", live.out, live.reason);

    let bundle = exported(&office, frozen.id, "bundle.jsonl").await;
    let (code, said) = verified_elsewhere(&bundle, &[("TZ", "Asia/Tokyo")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("{} lines of roll-ups", lines.len())), "{said}");
    // A sponsor's roll-up does not follow from the cards any more.
    let text = fs::read_to_string(&bundle).unwrap();
    let altered = office.folder.path().join("altered.jsonl");
    fs::write(&altered, text.replacen("\"subject\":\"乙局\"", "\"subject\":\"丙局\"", 1)).unwrap();
    let (code, said) = verified_elsewhere(&altered, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("summary 1: byte") || said.contains("summary 2: byte"), "{said}");
    let refused = sqlx::query("update assessment_summaries set line = 'x'")
        .execute(&office.database.pool)
        .await;
    assert!(refused.unwrap_err().to_string().contains("append-only"));
}

#[tokio::test]
async fn frozen_accounts_are_chosen_by_platform_and_area_page_by_page() {
    let office = Office::open().await;
    let of = |key: &str, platform: &str, region: &str| LedgerEntry {
        platform: platform.into(),
        region: region.parse().unwrap(),
        ..entry(key)
    };
    let entries = [
        of("A", "weibo", "441502"),
        of("B", "douyin", "441502"),
        of("C", "weibo", "440106"),
        of("D", "weibo", "441581"),
    ];
    office.ledger(&entries).await;
    let frozen = frozen(&office, "").await.unwrap();
    let store = &office.context().store;
    let check = async |filter: FrozenFilter<'_>, after: i64, limit: i64, wanted: &[&str]| {
        let page = store.frozen_page(frozen.id, after, limit, filter).await.unwrap();
        let keys: Vec<String> = page
            .iter()
            .map(|(_, line)| xunjian::score::frozen::FrozenAccount::read(line).unwrap().key)
            .collect();
        assert_eq!(keys, wanted, "{filter:?} after {after}");
        page.last().map_or(0, |(place, _)| *place)
    };
    let all = FrozenFilter::default();
    let weibo = FrozenFilter { platform: Some("weibo"), ..all };
    let city = FrozenFilter { area: Some("4415"), ..all };
    check(all, 0, 10, &["A", "B", "C", "D"]).await;
    let after = check(weibo, 0, 2, &["A", "C"]).await;
    check(weibo, after, 2, &["D"]).await;
    check(city, 0, 10, &["A", "B", "D"]).await;
    check(FrozenFilter { area: Some("441581"), ..weibo }, 0, 10, &["D"]).await;
    check(FrozenFilter { platform: Some("wechat"), ..all }, 0, 10, &[]).await;
    check(FrozenFilter { area: Some("44150%"), ..all }, 0, 10, &[]).await;
}
