use std::collections::{BTreeMap, BTreeSet};

use xunjian::observe::Outcome;
use xunjian::store::{ClaimRequest, HostBudget, LedgerChanges, Store, VisitRecord, Which};

use super::{accounts, at, entry, finished, one_target, request, target};
use crate::support::{database, secrets};

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_claims_never_overlap_and_a_host_has_one_owner() {
    let (store, database) = database().await;
    let ids = accounts(&store, 200).await;
    let hosts: Vec<String> = (0..20).map(|number| format!("h{number}.cn")).collect();
    let specs: Vec<_> =
        ids.iter().enumerate().map(|(place, id)| target(*id, &hosts[place % 20])).collect();
    store.sync_targets(&specs, at(-10)).await.unwrap();
    // Two claims at a time from each of four daemons.
    let daemons = (0..4).map(|_| Store::connect(&database.url, 3, secrets()));
    let daemons = futures::future::try_join_all(daemons).await.unwrap();
    let claims = (0..8).map(|number| {
        let store = daemons[number % 4].clone();
        async move {
            let owner = format!("d{}", number % 4);
            let mut mine = Vec::new();
            loop {
                let asked = ClaimRequest { limit: 7, per_host: 2, ..request(&owner, 0) };
                let claimed = store.claim(&asked).await.unwrap();
                assert!(claimed.len() <= 7);
                // A claim that gets nothing may have come while others had the rows in hand.
                let due = store.due_counts(at(0)).await.unwrap();
                if claimed.is_empty() && due.iter().all(|one| one.due == 0) {
                    break mine;
                }
                mine.extend(claimed);
            }
        }
    });
    let claimed: Vec<_> = futures::future::join_all(claims).await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = claimed.iter().map(|one| one.account).collect();
    assert_eq!((claimed.len(), distinct.len()), (200, 200));
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in &claimed {
        owners.entry(&one.host).or_default().insert(&one.lease.owner);
    }
    assert!(owners.values().all(|owners| owners.len() == 1), "{owners:?}");
}

#[tokio::test]
async fn a_claim_keeps_to_its_limits_and_takes_the_longest_waiting() {
    let (store, database) = database().await;
    let ids = accounts(&store, 6).await;
    let host = |place: usize| ["one.cn", "two.cn"][place % 2];
    let specs: Vec<_> =
        ids.iter().enumerate().map(|(place, id)| target(*id, host(place))).collect();
    store.sync_targets(&specs, at(0)).await.unwrap();
    sqlx::raw_sql("update crawl_targets set due_at = due_at - account_id * interval '1 minute'")
        .execute(&database.pool)
        .await
        .unwrap();
    let busy = ["two.cn".to_owned()];
    let asked = ClaimRequest { per_host: 2, busy_hosts: &busy, ..request("d1", 0) };
    let claimed = store.claim(&asked).await.unwrap();
    let accounts: Vec<_> = claimed.iter().map(|one| one.account).collect();
    assert_eq!(accounts, [ids[4], ids[2]]);
    let asked = ClaimRequest { limit: 2, ..request("d1", 0) };
    let claimed = store.claim(&asked).await.unwrap();
    let accounts: Vec<_> = claimed.iter().map(|one| one.account).collect();
    assert_eq!(accounts, [ids[5], ids[3]]);
    let due = store.due_counts(at(0)).await.unwrap();
    assert_eq!((due[0].due, due[0].in_flight), (2, 4));
    assert!(due[0].oldest_due_at.is_some_and(|due| due < at(0)));
}

#[tokio::test]
async fn what_is_owed_goes_first_and_by_its_deadline_once_that_has_come() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 4).await;
    let specs: Vec<_> = ids.iter().map(|id| target(*id, "one.cn")).collect();
    store.sync_targets(&specs, at(-10)).await.unwrap();
    // Due at minutes 10, 11, 12, 13; owed at none, 40, 20, and long after.
    let deadlines = [None, Some(at(40)), Some(at(20)), Some(at(9_000))];
    let claims = store.claim(&request("d1", 0)).await.unwrap();
    for (number, (id, deadline_at)) in (10..).zip(ids.iter().zip(deadlines)) {
        let claimed = claims.iter().find(|one| one.account == *id).unwrap();
        let mut record = finished(claimed, 0, Vec::new());
        let next = record.next.as_mut().unwrap();
        (next.due_at, next.deadline_at) = (at(number), deadline_at);
        next.purpose = deadline_at.map(|_| "crossing");
        next.rhythm = Some(vec![1, 2, 3]);
        next.capacity = Some(20);
        store.finish(&[record]).await.unwrap();
    }
    let steps = [(15, ids[0]), (15, ids[1]), (21, ids[2]), (21, ids[0])];
    for (minute, expected) in steps {
        let asked = ClaimRequest { limit: 1, ..request("d1", minute) };
        let claimed = store.claim(&asked).await.unwrap();
        assert_eq!(claimed.iter().map(|one| one.account).collect::<Vec<_>>(), [expected]);
        assert_eq!(
            (claimed[0].rhythm.as_deref(), claimed[0].capacity),
            (Some(&[1, 2, 3][..]), Some(20))
        );
    }
    // The leases have run out: the earliest deadline leads, then the one due first.
    let asked = ClaimRequest { limit: 3, ..request("d2", 60) };
    let claimed: BTreeSet<_> =
        store.claim(&asked).await.unwrap().iter().map(|one| one.account).collect();
    assert_eq!(claimed, BTreeSet::from([ids[1], ids[2], ids[0]]));
}

#[tokio::test]
async fn a_spent_host_gives_only_what_is_owed_until_the_next_shanghai_day() {
    let (store, database) = database().await;
    let ids = accounts(&store, 5).await;
    let mut specs: Vec<_> = ids.iter().map(|id| target(*id, "one.cn")).collect();
    specs[4].is_canary = true;
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let budget = |claims_max| HostBudget {
        host: "one.cn".into(),
        per_day: 5.0,
        claims_max,
        settled: 0.75,
        price: 0.9,
        spending: serde_json::json!({}),
        counted: 0,
        priced_at: at(-5 + i64::from(claims_max)),
    };
    assert_eq!(store.set_host_budgets(&[budget(2)]).await.unwrap(), 1);
    assert_eq!(store.claim(&request("d1", 0)).await.unwrap().len(), 2, "two at once");
    assert_eq!(store.set_host_budgets(&[budget(4)]).await.unwrap(), 1);
    assert_eq!(store.set_host_budgets(&[budget(3)]).await.unwrap(), 0, "an older word");
    assert_eq!(store.claim(&request("d1", 0)).await.unwrap().len(), 3);
    let demand = store.host_demands().await.unwrap().remove(0);
    assert_eq!((demand.targets, demand.claimed, demand.platform.as_str()), (5, 5, "weibo"));
    assert_eq!(demand.budget.as_ref().map(|one| one.price), Some(0.9));
    // All five were visited, a second time they would be ordinary visits but for two.
    sqlx::raw_sql("update crawl_targets set last_visit_at = due_at")
        .execute(&database.pool)
        .await
        .unwrap();
    sqlx::query("update crawl_targets set deadline_at = due_at where account_id = $1")
        .bind(ids[1].0)
        .execute(&database.pool)
        .await
        .unwrap();
    let claimed = store.claim(&request("d1", 10)).await.unwrap();
    let given: BTreeSet<_> = claimed.iter().map(|one| one.account).collect();
    assert_eq!(given, BTreeSet::from([ids[1], ids[4]]), "owed, and the canary");
    assert_eq!(claimed[0].price, Some(0.9));
    let all = ClaimRequest { within_budget: false, ..request("d1", 10) };
    assert_eq!(store.claim(&all).await.unwrap().len(), 3, "who asks for all gets all");
    // Noon UTC is 20:00 in Shanghai; four hours later the next day has begun.
    assert_eq!(store.claim(&request("d1", 4 * 60)).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_lease_that_ran_out_hands_the_target_over() {
    let (store, _database) = database().await;
    one_target(&store).await;
    let first = store.claim(&request("d1", 0)).await.unwrap().remove(0);
    assert_eq!((first.attempt, first.lease.until), (1, at(5)));
    assert_eq!(store.claim(&request("d2", 4)).await.unwrap(), []);
    assert_eq!(store.claim(&request("d1", 4)).await.unwrap(), []);
    let second = store.claim(&request("d2", 5)).await.unwrap().remove(0);
    assert_eq!((second.account, second.attempt), (first.account, 2));
    assert_eq!(second.lease.owner, "d2");
}

#[tokio::test]
async fn a_host_stays_with_its_daemon_while_the_lease_holds() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 2).await;
    let specs = [target(ids[0], "one.cn"), target(ids[1], "one.cn")];
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let asked = ClaimRequest { limit: 1, ..request("d1", 0) };
    let claimed = store.claim(&asked).await.unwrap().remove(0);
    assert_eq!(store.claim(&request("d2", 1)).await.unwrap(), [], "the host is d1's");
    store.finish(&[finished(&claimed, 1, Vec::new())]).await.unwrap();
    assert_eq!(store.claim(&request("d2", 2)).await.unwrap(), [], "still d1's");
    assert_eq!(store.claim(&request("d2", 5)).await.unwrap().len(), 1, "the lease ran out");
}

#[tokio::test]
async fn a_claim_tells_the_last_two_confirmations_and_the_canaries_of_its_page() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 4).await;
    let mut specs: Vec<_> = ids.iter().map(|id| target(*id, "m.example.cn")).collect();
    (specs[1].is_canary, specs[2].is_canary, specs[3].is_canary) = (true, true, true);
    specs[3].page = "album".into();
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let day = 24 * 60;
    let observed = |confirming: bool, as_of: i64| {
        move |record: &mut VisitRecord| {
            if let Outcome::Observed(seen) = &mut record.visit.outcome {
                (seen.confirming, seen.as_of) = (confirming, at(as_of));
            }
        }
    };
    let gone = |record: &mut VisitRecord| {
        record.visit.outcome = Outcome::Gone { as_of: at(2 * day), confirming: true };
    };
    type Change<'a> = &'a dyn Fn(&mut VisitRecord);
    let steps: [(Change<'_>, &[i64]); 6] = [
        (&observed(true, 0), &[0]),
        (&observed(false, day), &[0]),
        (&gone, &[0, 2 * day]),
        (&observed(true, day - 60), &[day - 60, 2 * day]),
        (&observed(true, 2 * day), &[day - 60, 2 * day]),
        (&observed(true, 5 * day), &[2 * day, 5 * day]),
    ];
    for (number, (change, confirmations)) in (0..).zip(steps) {
        let claims = store.claim(&request("d1", number * day)).await.unwrap();
        let claimed = claims.iter().find(|one| one.account == ids[0]).unwrap();
        assert_eq!(claimed.canaries, 2);
        let mut record = finished(claimed, number * day, Vec::new());
        change(&mut record);
        store.finish(&[record]).await.unwrap();
        store.release("d1", at(0)).await.unwrap();
        let claims = store.claim(&request("d1", (number + 1) * day)).await.unwrap();
        let claimed = claims.iter().find(|one| one.account == ids[0]).unwrap();
        let expected: Vec<_> = confirmations.iter().map(|minute| at(*minute)).collect();
        assert_eq!(claimed.confirmations, expected, "step {number}");
        store.release("d1", at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn a_claim_for_some_accounts_leaves_the_others_and_their_hosts_alone() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let hosts = ["one.cn", "one.cn", "two.cn"];
    let specs: Vec<_> = ids.iter().zip(hosts).map(|(id, host)| target(*id, host)).collect();
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let keys = ["a1".to_owned(), "nobody".to_owned()];
    let asked = ClaimRequest { accounts: Some(&keys), ..request("d1", 0) };
    let claimed = store.claim(&asked).await.unwrap();
    assert_eq!(claimed.iter().map(|one| one.account).collect::<Vec<_>>(), [ids[1]]);
    assert_eq!(store.claim(&asked).await.unwrap(), []);
    let others = store.claim(&request("d2", 0)).await.unwrap();
    assert_eq!(others.iter().map(|one| one.account).collect::<Vec<_>>(), [ids[2]]);
}

#[tokio::test]
async fn hosts_are_found_in_the_order_of_need_and_claimed_of_in_the_order_given() {
    let (store, database) = database().await;
    let ids = accounts(&store, 7).await;
    let hosts = ["late.cn", "owed.cn", "early.cn", "busy.cn", "theirs.cn", "resting.cn", "idle.cn"];
    let specs: Vec<_> = ids.iter().zip(hosts).map(|(id, host)| target(*id, host)).collect();
    store.sync_targets(&specs, at(-10)).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "update crawl_targets set due_at = due_at - interval '1 minute' where account_id = {};
         update crawl_targets set deadline_at = due_at where account_id = {};
         update crawl_targets set due_at = due_at + interval '1 day' where account_id = {};
         update host_leases set rest_until = now() + interval '99 years' where host = 'resting.cn'",
        ids[2].0, ids[1].0, ids[6].0
    )))
    .execute(&database.pool)
    .await
    .unwrap();
    let theirs = ["a4".to_owned()];
    let asked = ClaimRequest { accounts: Some(&theirs), ..request("d2", 0) };
    assert_eq!(store.claim(&asked).await.unwrap().len(), 1);
    let busy = ["busy.cn".to_owned()];
    let asked = ClaimRequest { limit: 1, busy_hosts: &busy, ..request("d1", 0) };
    let found = store.waiting_hosts(&asked, 9).await.unwrap();
    assert_eq!(found, ["owed.cn", "early.cn", "late.cn"]);
    assert_eq!(store.waiting_hosts(&asked, 1).await.unwrap(), ["owed.cn"]);
    let one_more = ClaimRequest { new_hosts: Some(1), ..asked.clone() };
    assert_eq!(store.waiting_hosts(&one_more, 9).await.unwrap(), ["owed.cn"]);
    assert_eq!(store.claim_of(&asked, &[]).await.unwrap(), []);
    let given = ["theirs.cn", "resting.cn", "late.cn", "owed.cn"].map(str::to_owned);
    let claimed = store.claim_of(&asked, &given).await.unwrap();
    assert_eq!(claimed.iter().map(|one| one.account).collect::<Vec<_>>(), [ids[0]]);
    // Who has his part of the hosts finds no others, and goes on with his own.
    let full = ClaimRequest { new_hosts: Some(0), ..request("d1", 20) };
    assert_eq!(store.waiting_hosts(&full, 9).await.unwrap(), ["late.cn"]);
    let one_more = ClaimRequest { new_hosts: Some(1), ..full.clone() };
    assert_eq!(store.waiting_hosts(&one_more, 9).await.unwrap(), ["owed.cn", "late.cn"]);
    assert_eq!(store.claim_of(&full, &given).await.unwrap().len(), 1);
}

#[tokio::test]
async fn released_targets_and_hosts_are_free_at_once() {
    let (store, _database) = database().await;
    one_target(&store).await;
    assert_eq!(store.claim(&request("d1", 0)).await.unwrap().len(), 1);
    assert_eq!(store.release("d1", at(0)).await.unwrap(), 1);
    assert_eq!(store.claim(&request("d2", 0)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn targets_due_at_once_keep_their_turn_when_their_holder_dies() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let specs: Vec<_> = ids.iter().map(|id| target(*id, "one.cn")).collect();
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let one = ClaimRequest { per_host: 1, ..request("killed", 0) };
    for _ in 0..3 {
        let claimed = store.claim(&one).await.unwrap();
        assert_eq!(claimed.iter().map(|one| one.account).collect::<Vec<_>>(), [ids[0]]);
        store.release_everything(at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn a_daemon_alone_with_its_database_takes_back_what_its_forerunner_held() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 2).await;
    let specs = [target(ids[0], "one.cn"), target(ids[1], "two.cn")];
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let late = store.claim(&request("killed", 0)).await.unwrap().remove(0);
    assert_eq!(store.claim(&request("d1", 0)).await.unwrap(), []);
    assert_eq!(store.release_everything(at(0)).await.unwrap(), 2);
    assert_eq!(store.claim(&request("d1", 0)).await.unwrap().len(), 2);
    let report = store.finish(&[finished(&late, 1, Vec::new())]).await.unwrap();
    assert_eq!((report.written, report.fenced.len()), (0, 1));
}

#[tokio::test]
async fn targets_are_made_due_by_key_or_as_canaries() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let mut specs: Vec<_> = ids.iter().map(|id| target(*id, "one.cn")).collect();
    specs[2].is_canary = true;
    store.sync_targets(&specs, at(60)).await.unwrap();
    assert_eq!(store.claim(&request("d1", 0)).await.unwrap(), []);
    assert_eq!(store.due_counts(at(0)).await.unwrap()[0].due, 0);
    let keys = ["a0".to_owned()];
    assert_eq!(store.make_due(Which::Accounts(&keys), at(0)).await.unwrap(), 1);
    assert_eq!(store.make_due(Which::Canaries, at(0)).await.unwrap(), 1);
    let claimed = store.claim(&request("d1", 0)).await.unwrap();
    let accounts: BTreeSet<_> = claimed.iter().map(|one| one.account).collect();
    assert_eq!(accounts, BTreeSet::from([ids[0], ids[2]]));
    assert_eq!(store.make_due(Which::Ordinary, at(0)).await.unwrap(), 1);
}

#[tokio::test]
async fn the_planner_learns_of_many_new_accounts_and_targets_at_once() {
    let (store, database) = database().await;
    // The server's own counting would come at any time.
    sqlx::raw_sql(
        "alter table accounts set (autovacuum_enabled = false);
         alter table crawl_targets set (autovacuum_enabled = false)",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let counted = || async {
        let known = "select reltuples from pg_class where relname in ('accounts', 'crawl_targets')
            order by relname";
        sqlx::query_scalar::<_, f32>(known).fetch_all(&database.pool).await.unwrap()
    };
    let few = accounts(&store, 999).await;
    let specs: Vec<_> = few.iter().map(|id| target(*id, "one.cn")).collect();
    store.sync_targets(&specs, at(0)).await.unwrap();
    assert_eq!(counted().await, [-1.0, -1.0], "a few are left to the server");
    let added = (0..1000).map(|number| entry(&format!("b{number}"))).collect();
    let many = LedgerChanges { added, ..LedgerChanges::default() };
    store.apply_ledger(&many, "tester", "setup", at(1)).await.unwrap();
    assert_eq!(counted().await, [1999.0, -1.0]);
    let all = store.accounts().await.unwrap();
    let specs: Vec<_> = all.iter().map(|account| target(account.id, "one.cn")).collect();
    store.sync_targets(&specs, at(1)).await.unwrap();
    assert_eq!(counted().await, [1999.0, 1999.0]);
}
