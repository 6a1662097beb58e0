use rust_decimal::Decimal;
use serde_json::json;
use xunjian::domain::AccountId;
use xunjian::store::{NewScoreRun, SchemeEntry, Score, ScoreRollup, ScoreVerdict};

use super::{accounts, at};
use crate::support::database;

fn entry(account: AccountId, item: &str, value: i64, minute: i64) -> SchemeEntry {
    SchemeEntry {
        account,
        period: "2026Q4".into(),
        item: item.into(),
        value: Decimal::from(value),
        actor: "张三".into(),
        reason: "现场核对".into(),
        recorded_at: at(minute),
    }
}

#[tokio::test]
async fn the_newest_entry_known_counts_and_none_is_lost() {
    let (store, database) = database().await;
    let ids = accounts(&store, 2).await;
    for one in [
        entry(ids[0], "entered_security", 1, 0),
        entry(ids[0], "entered_security", 0, 10),
        entry(ids[0], "faults", 3, 5),
        entry(ids[1], "faults", 4, 5),
        SchemeEntry { period: "2026Q3".into(), ..entry(ids[1], "entered_security", 1, 0) },
    ] {
        store.enter(&one).await.unwrap();
    }
    let values = async |minute| {
        let entries = store.entries(&ids, "2026Q4", at(minute)).await.unwrap();
        let values = entries.into_values().flatten().map(|one| (one.item, one.value));
        values.collect::<Vec<_>>()
    };
    let two = |item: &str, value: i64| (item.to_owned(), Decimal::from(value));
    assert_eq!(values(0).await, [two("entered_security", 1)]);
    assert_eq!(values(20).await, [two("entered_security", 0), two("faults", 3), two("faults", 4)]);
    let kept: i64 = sqlx::query_scalar("select count(*) from scheme_entries")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(kept, 5);
    let negative = store.enter(&entry(ids[0], "faults", -1, 0)).await;
    assert!(negative.is_err());
}

#[tokio::test]
async fn a_run_keeps_verdicts_and_rollups_and_tells_what_was() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let run = NewScoreRun {
        period: "2026Q3".into(),
        scheme: "city".into(),
        scheme_digest: "sha256:1".into(),
        cutoff: at(0),
        known_at: at(1),
    };
    let verdict = |account, result: &str| ScoreVerdict {
        account,
        result: result.into(),
        reasons: vec!["内容不更新".into()],
        vetoes: json!([]),
        flags: json!([]),
        assigned_by: Some("assign.toml#1".into()),
    };
    let rollup = |subject: &str, points: Result<Decimal, String>| ScoreRollup {
        rollup: "unit".into(),
        subject_kind: "sponsor".into(),
        subject: subject.into(),
        interval: points.as_ref().ok().map(|points| (*points, *points)),
        points,
        lines: json!({}),
    };
    let score = |account, points: &str| Score {
        account,
        dimension: "total".into(),
        points: Ok(points.parse().unwrap()),
        interval: Some(("1".parse().unwrap(), "99".parse().unwrap())),
        coverage: None,
        inputs: json!({}),
        lines: json!([]),
    };
    let id = store.open_score_run(&run, at(1)).await.unwrap();
    store.save_scores(id, &[score(ids[0], "60"), score(ids[1], "80.5")]).await.unwrap();
    let first = [verdict(ids[0], "pass"), verdict(ids[1], "undetermined")];
    store.save_verdicts(id, &first).await.unwrap();
    store.save_verdicts(id, &[verdict(ids[1], "fail"), verdict(ids[2], "fail")]).await.unwrap();
    store.save_rollups(id, &[rollup("甲局", Ok("59".parse().unwrap()))]).await.unwrap();
    let rollups = [rollup("甲局", Err("没有可计分的账号".into())), rollup("乙局", Ok(1.into()))];
    store.save_rollups(id, &rollups).await.unwrap();
    assert_eq!(store.verdict_counts("2026Q3", "city").await.unwrap(), []);
    store.close_score_run(id, at(2)).await.unwrap();
    assert_eq!(
        store.verdict_counts("2026Q3", "city").await.unwrap(),
        [("fail".to_owned(), 2), ("pass".to_owned(), 1)]
    );
    let past = store.past_scores("2026Q3", "city", "total", at(1)).await.unwrap();
    let points: Vec<String> = past.iter().map(|one| one.points.to_string()).collect();
    assert_eq!(points, ["60", "80.5"]);
    assert_eq!((past[0].low, past[0].high), (Decimal::ONE, Decimal::from(99)));
    assert_eq!(store.past_scores("2026Q3", "city", "total", at(0)).await.unwrap(), []);
}
