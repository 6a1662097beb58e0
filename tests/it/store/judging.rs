use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use xunjian::domain::{AccountId, Activity, LedgerEntry, Lifecycle, Reason};
use xunjian::observe::Span;
use xunjian::store::{AccountState, LedgerChanges, Store, TargetSpec, ToJudge, VisitRecord};

use super::{accounts, at, entry, finished, looked, observed, request, target};
use crate::support::database;

fn state(asked: ToJudge, activity: Activity, minute: i64) -> (ToJudge, AccountState) {
    let state = AccountState {
        account: asked.account,
        activity,
        last_post_at: Some(at(-90)),
        last_observation_at: Some(at(-1)),
        silence_deadline_at: Some(at(-90) + TimeDelta::days(14)),
        coverage: 0.75,
        covered: [Span { low: at(-500), high: at(-200) }, Span { low: at(-90), high: at(-1) }]
            .into_iter()
            .collect(),
        judged_at: at(minute),
        next_crossing_at: Some(at(1000)),
    };
    (asked, state)
}

#[tokio::test]
async fn an_account_is_judged_again_when_something_was_learned_or_time_crosses() {
    let (store, database) = database().await;
    let ids = accounts(&store, 2).await;
    let asked = store.to_judge(None, at(0), 10).await.unwrap();
    assert_eq!(asked.iter().map(|one| one.account).collect::<Vec<_>>(), ids);
    assert_eq!(store.to_judge(None, at(0), 1).await.unwrap().len(), 1);
    let standing = async |key| store.standing(key).await.unwrap().unwrap();
    assert_eq!(standing("a0").await.activity, Activity::Undetermined(Reason::NeverVisited));

    let verdicts: Vec<_> =
        asked.iter().map(|one| state(*one, Activity::Undetermined(Reason::Frozen), 0)).collect();
    store.save_states(&verdicts).await.unwrap();
    let (first, saved) = (standing("a0").await, &verdicts[0].1);
    assert_eq!((first.activity, first.coverage), (saved.activity, saved.coverage));
    assert_eq!(first.last_post_at, saved.last_post_at);
    assert_eq!(first.last_observation_at, saved.last_observation_at);
    let spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = sqlx::query_as(
        "select lower(r), upper(r) from account_states, unnest(covered) as r
         where account_id = $1 order by r",
    )
    .bind(ids[0].0)
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert_eq!(spans, [(at(-500), at(-200)), (at(-90), at(-1))]);
    assert_eq!(first.silence_deadline_at, saved.silence_deadline_at);
    assert_eq!(store.to_judge(None, at(999), 10).await.unwrap(), []);
    assert_eq!(store.to_judge(None, at(1000), 10).await.unwrap().len(), 2, "time crosses");

    store.finish(&[observed(ids[1], 5, -100, Vec::new())]).await.unwrap();
    let asked = store.to_judge(None, at(6), 10).await.unwrap();
    assert_eq!(asked.iter().map(|one| one.account).collect::<Vec<_>>(), [ids[1]]);
    // What arrives while the account is being judged asks for another verdict.
    store.finish(&[observed(ids[1], 6, -100, Vec::new())]).await.unwrap();
    store.save_states(&[state(asked[0], Activity::Active, 6)]).await.unwrap();
    assert_eq!(store.to_judge(None, at(7), 10).await.unwrap().len(), 1);
    // A verdict as of an earlier instant does not replace a later one.
    store.save_states(&[state(asked[0], Activity::Zombie, 2)]).await.unwrap();
    assert_eq!(standing("a1").await.activity, Activity::Active);
}

/// Judges all that asks for it, each with its activity of `activities`; tells which those were.
async fn judge_as(store: &Store, activities: &BTreeMap<AccountId, Activity>) -> Vec<AccountId> {
    let asked = store.to_judge(None, at(0), 10).await.unwrap();
    let verdicts: Vec<_> =
        asked.iter().map(|one| state(*one, activities[&one.account], 0)).collect();
    store.save_states(&verdicts).await.unwrap();
    asked.iter().map(|one| one.account).collect()
}

#[tokio::test]
async fn a_look_has_those_judged_again_whose_verdict_may_turn_on_it() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 5).await;
    let [active, dormant, elsewhere, canary, other_canary] = ids[..] else { panic!("{ids:?}") };
    let hosts = ["one.cn", "one.cn", "two.cn", "one.cn", "one.cn"];
    let mut specs: Vec<_> = ids.iter().zip(hosts).map(|(id, host)| target(*id, host)).collect();
    specs.push(TargetSpec { page: "videos".into(), ..target(dormant, "one.cn") });
    store.sync_targets(&specs, at(0)).await.unwrap();
    let activities = BTreeMap::from([
        (active, Activity::Active),
        (dormant, Activity::Dormant),
        (elsewhere, Activity::Dormant),
        (canary, Activity::Active),
        (other_canary, Activity::Active),
    ]);
    assert_eq!(judge_as(&store, &activities).await, ids);
    let woken = async |record: VisitRecord| {
        let visited = record.account;
        store.finish(&[record]).await.unwrap();
        let mut woken = judge_as(&store, &activities).await;
        woken.retain(|account| *account != visited);
        woken
    };
    let look = |canary, minute, healthy| looked(canary, "one.cn", minute, healthy);
    assert_eq!(woken(look(canary, 1, true)).await, [dormant], "the first look");
    assert_eq!(woken(look(canary, 2, true)).await, [], "nothing new");
    assert_eq!(woken(look(other_canary, 3, true)).await, [], "nor from another canary");
    assert_eq!(woken(look(canary, 4, false)).await, [dormant], "another health");
    assert_eq!(woken(look(canary, 5, false)).await, []);
    let mut newer = look(canary, 6, false);
    newer.look.as_mut().unwrap().adapter = "adapter-2".into();
    assert_eq!(woken(newer.clone()).await, [dormant], "another adapter");
    assert_eq!(woken(newer).await, [], "the same record again");
    let claims = store.claim(&request("d1", 7)).await.unwrap();
    for (page, minute) in [("timeline", 7), ("videos", 9)] {
        let mut of_dormant = claims.iter().filter(|one| one.account == dormant);
        let claimed = of_dormant.find(|one| one.page == page).unwrap();
        assert_eq!(woken(finished(claimed, minute, Vec::new())).await, []);
        let mut after = look(canary, minute + 1, false);
        after.look.as_mut().unwrap().adapter = "adapter-2".into();
        assert_eq!(woken(after).await, [dormant], "its visit of {page} waited for a look");
    }
}

#[tokio::test]
async fn a_look_of_the_account_itself_is_none_to_compare_with() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 2).await;
    let specs = [target(ids[0], "one.cn"), target(ids[1], "one.cn")];
    store.sync_targets(&specs, at(0)).await.unwrap();
    let activities = ids.iter().map(|id| (*id, Activity::Dormant)).collect();
    judge_as(&store, &activities).await;
    store.finish(&[looked(ids[0], "one.cn", 1, true)]).await.unwrap();
    assert_eq!(judge_as(&store, &activities).await, ids);
    store.finish(&[looked(ids[1], "one.cn", 2, true)]).await.unwrap();
    assert_eq!(judge_as(&store, &activities).await, ids, "the first look of another");
}

#[tokio::test]
async fn closed_accounts_are_neither_judged_nor_shown() {
    let (store, _database) = database().await;
    let closed = LedgerEntry { lifecycle: Lifecycle::Closed, ..entry("k1") };
    let changes = LedgerChanges { added: vec![closed, entry("k2")], ..LedgerChanges::default() };
    store.apply_ledger(&changes, "li", "first", at(0)).await.unwrap();
    assert_eq!(store.to_judge(None, at(0), 10).await.unwrap().len(), 1);
    let fleet = store.fleet().await.unwrap();
    assert_eq!(fleet.iter().map(|cell| cell.accounts).sum::<u64>(), 1);
    assert_eq!(store.standings(10, None, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_fleet_is_counted_and_listed_worst_first() {
    let (store, _database) = database().await;
    accounts(&store, 4).await;
    let mut far = entry("far");
    far.region = "110000".parse().unwrap();
    let changes = LedgerChanges { added: vec![far], ..LedgerChanges::default() };
    store.apply_ledger(&changes, "li", "more", at(0)).await.unwrap();
    let asked = store.to_judge(None, at(0), 10).await.unwrap();
    let activities =
        [Activity::Active, Activity::Zombie, Activity::Watch, Activity::Dormant, Activity::Gone];
    let verdicts: Vec<_> =
        asked.into_iter().zip(activities).map(|(one, activity)| state(one, activity, 0)).collect();
    store.save_states(&verdicts).await.unwrap();

    let keys = |standings: Vec<xunjian::domain::Standing>| {
        standings.into_iter().map(|one| one.key).collect::<Vec<_>>()
    };
    let all = store.standings(10, None, None).await.unwrap();
    assert_eq!((all[0].activity, all[0].coverage), (Activity::Gone, 0.75));
    assert_eq!(keys(all), ["far", "a1", "a3", "a2", "a0"]);
    assert_eq!(keys(store.standings(2, None, Some("4415")).await.unwrap()), ["a1", "a3"]);
    assert_eq!(keys(store.standings(2, Some("douyin"), None).await.unwrap()), [""; 0]);
    let cells = store.fleet().await.unwrap();
    assert_eq!(cells.len(), 5);
    let zombie = cells.iter().find(|cell| cell.activity == "zombie").unwrap();
    assert_eq!((zombie.region.as_str(), zombie.accounts), ("441500", 1));
    assert_eq!(zombie.coverage_sum, 0.75);
}
