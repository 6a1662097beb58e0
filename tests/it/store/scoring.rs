use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use rust_decimal::Decimal;
use serde_json::json;
use xunjian::domain::{AccountId, Count};
use xunjian::observe::{Outcome, Span, coverage};
use xunjian::store::{NewScoreRun, Score, ScoreInput, ScoreRunId, Store};

use super::{accounts, at, facts, looked, observed, post, target};
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

async fn scored(store: &Store, run: &NewScoreRun, scores: &[Score], minute: i64) -> ScoreRunId {
    let id = store.open_score_run(run, at(minute)).await.unwrap();
    store.save_scores(id, scores).await.unwrap();
    store.close_score_run(id, at(minute)).await.unwrap();
    id
}

fn points(text: &str) -> Result<Decimal, String> {
    Ok(text.parse().unwrap())
}

async fn shown(store: &Store) -> Vec<Vec<(String, f64)>> {
    let standings = store.standings(10, None, None).await.unwrap();
    standings.into_iter().map(|one| one.scores).collect()
}

#[tokio::test]
async fn the_newest_finished_run_is_what_is_shown() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let older = NewScoreRun { scheme_digest: "sha256:0".into(), ..run() };
    let gone = [score(ids[0], "diligence", points("10")), score(ids[2], "left", points("1"))];
    scored(&store, &older, &gone, 0).await;
    let newest = [
        score(ids[0], "diligence", points("88.125")),
        score(ids[1], "diligence", points("44.5")),
        score(ids[2], "diligence", Err("coverage_too_low".into())),
    ];
    scored(&store, &run(), &newest, 5).await;
    let unfinished = NewScoreRun { period: "2027Q1".into(), ..run() };
    let open = store.open_score_run(&unfinished, at(6)).await.unwrap();
    store.save_scores(open, &[score(ids[0], "diligence", points("1"))]).await.unwrap();

    let diligence = |points: f64| vec![("diligence".to_owned(), points)];
    assert_eq!(shown(&store).await, [diligence(88.125), diligence(44.5), vec![]]);
    let quantiles = store.score_quantiles().await.unwrap();
    assert_eq!(quantiles.len(), 5);
    assert_eq!((quantiles[2].quantile, quantiles[2].points), (0.5, 66.3125));
    // Whoever goes back to an older scheme sees its run again.
    scored(&store, &older, &gone, 7).await;
    assert_eq!(shown(&store).await[0], diligence(10.0));
}

#[tokio::test]
async fn scoring_again_replaces_what_changed_and_adds_no_rows() {
    let (store, database) = database().await;
    let ids = accounts(&store, 2).await;
    let same = score(ids[0], "diligence", points("10"));
    let rows = async || {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "select run_id, account_id, coalesce(points::text, reason), xmin::text
             from scores order by account_id",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        rows
    };
    let first = [same.clone(), score(ids[1], "diligence", points("20"))];
    let id = scored(&store, &run(), &first, 0).await;
    let before = rows().await;
    let later = NewScoreRun { cutoff: at(60), known_at: at(61), ..run() };
    let again = store.open_score_run(&later, at(60)).await.unwrap();
    assert_eq!(again, id);
    assert_eq!(shown(&store).await[0], [("diligence".to_owned(), 10.0)], "it stands meanwhile");
    scored(&store, &later, &[same, score(ids[1], "diligence", Err("closed".into()))], 60).await;
    let after = rows().await;
    assert_eq!(after[0], before[0], "what stands the same is not written");
    assert_eq!((after.len(), after[1].2.as_str()), (2, "closed"));
    let runs: Vec<(DateTime<Utc>, DateTime<Utc>)> =
        sqlx::query_as("select cutoff, finished_at from score_runs")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    assert_eq!(runs, [(at(60), at(60))]);
}

#[tokio::test]
async fn inputs_come_account_by_account_with_the_facts_of_the_period() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 501).await;
    let posts = vec![post("before", -500, 1), post("inside", -5, 7)];
    store.finish(&[observed(ids[0], 0, -600, posts)]).await.unwrap();
    store.finish(&[observed(ids[0], 200, 100, vec![post("after", 150, 1)])]).await.unwrap();
    let inputs: Vec<_> = store.score_inputs(facts(-100, 100)).try_collect().await.unwrap();
    assert_eq!(inputs.iter().map(|one| one.account.id).collect::<Vec<_>>(), ids);
    let first = &inputs[0];
    // A post claimed before the period that was first seen in it belongs to neither alone.
    let names: Vec<_> = first.posts.iter().map(|one| one.listed.reference.as_str()).collect();
    assert_eq!(names, ["before", "inside"]);
    assert_eq!(first.posts[1].likes, Some(Count::Exact(7)));
    assert_eq!(first.followers, Some(Count::Exact(1000)));
    assert!(inputs[500].posts.is_empty() && inputs[500].followers.is_none());
    same_histories(&store, &ids, &inputs, -100).await;
    // Of an account with nothing since, the newest and the oldest post are told all the same.
    let later: Vec<_> = store.score_inputs(facts(5000, 6000)).try_collect().await.unwrap();
    let names: Vec<_> = later[0].history.posts.iter().map(|one| one.reference.as_str()).collect();
    assert_eq!(names, ["before", "after"]);
    same_histories(&store, &ids, &later, 5000).await;
}

/// What scores are told of each account's observations is what everybody is told of them.
async fn same_histories(store: &Store, ids: &[AccountId], inputs: &[ScoreInput], since: i64) {
    let mut all = store.histories(ids, at(since)).await.unwrap();
    for input in inputs {
        let known = store.score_input(input.account.clone(), facts(since, since + 200)).await;
        let history = all.remove(&input.account.id).unwrap();
        assert_eq!(known.unwrap().history, history, "{}", input.account.entry.key);
        assert_eq!(input.history, history, "{}", input.account.entry.key);
        if input.posts.is_empty() && history.posts.is_empty() {
            break;
        }
    }
}

#[tokio::test]
async fn a_period_is_covered_by_what_its_canaries_do_not_void() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 2).await;
    let mut specs = [target(ids[0], "m.example.cn"), target(ids[1], "m.example.cn")];
    specs[1].is_canary = true;
    store.sync_targets(&specs, at(0)).await.unwrap();
    let quarter = at(0);
    // A visit before the quarter, one that reaches into it from before, one that the canary voids.
    let spans = [(-20, -40), (50, -10), (100, 50)];
    let mut records: Vec<_> =
        spans.iter().map(|&(high, low)| observed(ids[0], high, low, Vec::new())).collect();
    records.push(looked(ids[1], "m.example.cn", -10, false));
    records.push(looked(ids[1], "m.example.cn", 60, true));
    records.push(looked(ids[1], "m.example.cn", 110, false));
    store.finish(&records).await.unwrap();
    let history = store.histories(&ids, quarter).await.unwrap().remove(&ids[0]).unwrap();
    assert_eq!(history.visits.len(), 2);
    let told: Vec<_> = store.score_inputs(facts(0, 100)).try_collect().await.unwrap();
    same_histories(&store, &ids, &told, 0).await;
    let covered = coverage(&history, quarter, at(100), at(120));
    assert_eq!((covered.ratio, covered.gaps.len()), (0.5, 1));
    assert_eq!((covered.gaps[0].from, covered.gaps[0].to), (at(50), at(100)));
    assert!(matches!(&history.visits[1].outcome, Outcome::Observed(seen)
        if seen.span == Some(Span { low: at(50), high: at(100) })));
}
