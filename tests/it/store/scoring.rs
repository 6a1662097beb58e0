use futures::TryStreamExt;
use rust_decimal::Decimal;
use serde_json::json;
use xunjian::domain::{AccountId, Count};
use xunjian::observe::Span;
use xunjian::store::{NewScoreRun, Score, Store};

use super::{accounts, at, observed, post};
use crate::support::database;

fn run() -> NewScoreRun {
    NewScoreRun {
        period: "2026Q4".into(),
        scheme: "default".into(),
        scheme_digest: "sha256:1".into(),
        cutoff: at(0),
        known_at: at(1),
    }
}

fn score(account: AccountId, dimension: &str, points: Result<Decimal, String>) -> Score {
    Score {
        account,
        dimension: dimension.into(),
        interval: points.as_ref().ok().map(|one| (*one - Decimal::ONE, *one + Decimal::ONE)),
        points,
        coverage: Some(0.5),
        inputs: json!({"posts": 12}),
        lines: json!([{"clause": "第三条", "points": "-5"}]),
    }
}

async fn scored(store: &Store, scores: &[Score], minute: i64) {
    let id = store.open_score_run(&run(), at(minute)).await.unwrap();
    store.save_scores(id, scores).await.unwrap();
    store.close_score_run(id, at(minute)).await.unwrap();
}

#[tokio::test]
async fn the_newest_finished_run_is_what_is_shown() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let points = |text: &str| Ok(text.parse::<Decimal>().unwrap());
    scored(&store, &[score(ids[0], "diligence", points("10"))], 0).await;
    let newest = [
        score(ids[0], "diligence", points("88.125")),
        score(ids[1], "diligence", points("44.5")),
        score(ids[2], "diligence", Err("coverage_too_low".into())),
    ];
    scored(&store, &newest, 5).await;
    let open = store.open_score_run(&run(), at(6)).await.unwrap();
    store.save_scores(open, &[score(ids[0], "diligence", points("1"))]).await.unwrap();

    let latest = store.latest_scores(None, Some("2026Q4")).await.unwrap();
    assert_eq!(latest.iter().map(|one| one.score.clone()).collect::<Vec<_>>(), newest);
    assert_eq!(latest[0].of, run());
    assert_eq!(store.latest_scores(Some(ids[1]), None).await.unwrap().len(), 1);
    assert_eq!(store.latest_scores(None, Some("2025Q4")).await.unwrap(), []);

    let standings = store.standings(10, None, None).await.unwrap();
    let shown: Vec<_> = standings.iter().map(|one| one.scores.clone()).collect();
    assert_eq!(
        shown,
        [vec![("diligence".to_owned(), 88.125)], vec![("diligence".to_owned(), 44.5)], vec![]]
    );
    let quantiles = store.score_quantiles().await.unwrap();
    assert_eq!(quantiles.len(), 5);
    assert_eq!((quantiles[2].quantile, quantiles[2].points), (0.5, 66.3125));
}

#[tokio::test]
async fn inputs_come_account_by_account_with_the_facts_of_the_period() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 501).await;
    let posts = vec![post("before", -500, 1), post("inside", -5, 7)];
    store.finish(&[observed(ids[0], 0, -600, posts)]).await.unwrap();
    store.finish(&[observed(ids[0], 200, 100, vec![post("after", 150, 1)])]).await.unwrap();
    let inputs: Vec<_> = store.score_inputs(at(-100), at(100)).try_collect().await.unwrap();
    assert_eq!(inputs.iter().map(|one| one.account.id).collect::<Vec<_>>(), ids);
    let first = &inputs[0];
    // A post claimed before the period that was first seen in it belongs to neither alone.
    let names: Vec<_> = first.posts.iter().map(|one| one.listed.reference.as_str()).collect();
    assert_eq!(names, ["before", "inside"]);
    assert_eq!(first.posts[1].likes, Some(Count::Exact(7)));
    assert_eq!(first.followers, Some(Count::Exact(1000)));
    assert_eq!(first.spans, [("all".to_owned(), Span { low: at(-600), high: at(0) })]);
    assert!(inputs[500].posts.is_empty() && inputs[500].followers.is_none());
}
