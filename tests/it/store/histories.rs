use std::slice::from_ref;

use futures::TryStreamExt;
use xunjian::domain::{AccountId, Activity, Count, Moment, Precision, Reason, shanghai_midnight};
use xunjian::observe::{
    Bracket, History, Observation, Outcome, Policy, Source, Span, Visit, judge,
};
use xunjian::store::{CanaryAccount, LedgerChanges, VisitRecord};

use super::{accounts, at, entry, facts, instant, looked, observed, post, target};
use crate::support::database;

#[tokio::test]
async fn visits_come_back_as_the_facts_they_were() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let full = Observation {
        as_of: at(1),
        span: Some(Span { low: instant("1970-01-01T00:00:00Z"), high: at(1) }),
        bracket: Some(Bracket { older: at(-50), newer: at(0) }),
        claims_shift_seconds: 0,
        exhausted: true,
        empty: true,
        confirming: true,
        posts_total: Some(Count::Bounded { value: 100_001, low: 100_001, high: None }),
        new_items: 0,
        upstream_success: Some(at(0)),
        registered_at: Some(Moment { at: at(-5000), precision: Precision::Day }),
    };
    let bare = Observation {
        as_of: at(2),
        span: None,
        bracket: None,
        claims_shift_seconds: 0,
        exhausted: false,
        empty: false,
        confirming: false,
        posts_total: None,
        new_items: 0,
        upstream_success: None,
        registered_at: None,
    };
    let outcomes = [
        (Source::Crawl, Outcome::Observed(full)),
        (Source::Bridge, Outcome::Observed(bare)),
        (Source::Crawl, Outcome::Gone { as_of: at(3), confirming: true }),
        (Source::Import, Outcome::Failed(Reason::Blocked)),
        (Source::Person, Outcome::Failed(Reason::Unreachable)),
    ];
    let mut expected = Vec::new();
    for (minute, (source, outcome)) in (1..).zip(outcomes) {
        let mut record = observed(account, minute, -100, Vec::new());
        (record.visit.source, record.visit.outcome) = (source, outcome);
        expected.push(record.visit.clone());
        store.finish(&[record]).await.unwrap();
    }
    let histories = store.histories(&[account], at(-10)).await.unwrap();
    assert_eq!(histories[&account].visits, expected);
}

#[tokio::test]
async fn new_items_are_those_no_visit_listed_before() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    let lists: [&[(&str, i64)]; 3] =
        [&[("p1", -5), ("p2", -5)], &[("p1", -5), ("p2", -5)], &[("p2", -5), ("p3", 1)]];
    for (minute, items) in (0..).zip(lists) {
        let posts = items.iter().map(|(name, claimed)| post(name, *claimed, 0)).collect();
        store.finish(&[observed(account, minute, -100, posts)]).await.unwrap();
    }
    let histories = store.histories(&[account], at(-10)).await.unwrap();
    let new_items: Vec<_> = histories[&account]
        .visits
        .iter()
        .map(|visit| match &visit.outcome {
            Outcome::Observed(observation) => observation.new_items,
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(new_items, [2, 0, 1]);
}

#[tokio::test]
async fn what_deeper_reading_brings_up_hides_no_growth_of_the_counter() {
    // The first account of every new database.
    let account = AccountId(1);
    let day = 24 * 60;
    let list = |minute: i64, counter: u64, items: std::ops::Range<i64>| {
        let low = -(39 + items.end) * day;
        let posts = items.map(|age| post(&format!("p{age}"), -(40 + age) * day, 0)).collect();
        let mut record = observed(account, minute, low, posts);
        if let Outcome::Observed(observation) = &mut record.visit.outcome {
            observation.posts_total = Some(Count::Exact(counter));
        }
        record
    };
    let first = list(-20 * day, 100, 0..5);
    let second = list(-day, 101, 0..10);
    let policy = Policy::default();
    let judged = async |batches: &[&[VisitRecord]]| {
        let (store, _database) = database().await;
        accounts(&store, 1).await;
        for batch in batches {
            store.finish(batch).await.unwrap();
        }
        let mut histories = store.histories(&[account], at(-100 * day)).await.unwrap();
        let history = histories.remove(&account).unwrap();
        let last = history.visits.iter().max_by_key(|visit| visit.started_at).unwrap();
        let Outcome::Observed(seen) = &last.outcome else { panic!("{last:?}") };
        (seen.new_items, judge(&history, &policy, at(0), at(0)).activity)
    };
    let hidden = (0, Activity::Undetermined(Reason::HiddenPost));
    assert_eq!(judged(&[from_ref(&first), from_ref(&second)]).await, hidden);
    assert_eq!(judged(&[&[first.clone(), second.clone()]]).await, hidden, "in one batch");
    let mut with_new = second;
    with_new.posts.insert(0, post("new", -15 * day, 0));
    let found = judged(&[&[first], &[with_new]]).await;
    assert_eq!(found.0, 1);
    assert_ne!(found.1, hidden.1);
}

#[tokio::test]
async fn a_history_holds_what_is_recent_and_the_newest_and_oldest_post() {
    let (store, _database) = database().await;
    let mut dated = entry("a0");
    dated.opened_on = Some("2020-05-01".parse().unwrap());
    let changes = LedgerChanges { added: vec![dated, entry("a1")], ..LedgerChanges::default() };
    store.apply_ledger(&changes, "li", "first", at(-100)).await.unwrap();
    let ids: Vec<_> = store.accounts().await.unwrap().iter().map(|account| account.id).collect();
    let mut parted = target(ids[0], "m.example.cn");
    (parted.page, parted.part) = ("album".into(), "videos".into());
    store.sync_targets(&[target(ids[0], "m.example.cn"), parted], at(0)).await.unwrap();

    let old = vec![post("oldest", -9000, 0), post("older", -8000, 0), post("newest", -7000, 0)];
    let mut undated = post("undated", 0, 0);
    undated.published = None;
    store.finish(&[observed(ids[0], -6000, -9000, old)]).await.unwrap();
    let histories = store.histories(&ids, at(-100)).await.unwrap();
    let names = |place: usize| {
        let posts = histories[&ids[place]].posts.iter();
        posts.map(|post| post.reference.clone()).collect::<Vec<_>>()
    };
    assert_eq!(histories.len(), 2);
    assert_eq!(names(0), ["newest", "oldest"]);
    assert_eq!(names(1), Vec::<String>::new());
    let first = &histories[&ids[0]];
    assert_eq!(first.visits, []);
    assert_eq!(first.opened_at, Some(shanghai_midnight("2020-05-01".parse().unwrap())));
    assert_eq!((first.filed_at, first.has_canary), (None, false));
    assert_eq!(first.parts, ["videos", "all"]);

    // Late or undated: first seen inside the window is enough.
    let recent = vec![undated, post("late", -8500, 0)];
    store.finish(&[observed(ids[0], 0, -9000, recent)]).await.unwrap();
    let history = store.histories(&ids, at(-100)).await.unwrap().remove(&ids[0]).unwrap();
    let late = history.posts.iter().find(|post| post.reference == "late").unwrap();
    assert_eq!((late.missed_by, late.seen_before), (Some(at(-6000)), Some(at(-6000))));
    assert_eq!((late.first_seen, late.recorded_at), (at(0), at(0)));
    assert!(history.posts.iter().any(|post| post.claimed.is_none()));
    assert_eq!(history.posts.len(), 3, "newest is undated by now");
}

#[tokio::test]
async fn looks_at_other_canaries_come_with_the_history() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 2).await;
    let named = CanaryAccount { platform: "weibo".into(), handle: "busy".into() };
    let again = [named.clone(), CanaryAccount { handle: "handle-a1".into(), ..named }];
    let canaries = store.ensure_canaries(&again, at(0)).await.unwrap();
    assert_eq!(canaries, store.ensure_canaries(&again, at(1)).await.unwrap());
    assert_eq!(canaries[1], ids[1], "one that the ledger holds keeps its number");
    assert_eq!(store.accounts().await.unwrap().len(), 2, "a canary is not in the ledger");

    let mut specs: Vec<_> = ids.iter().map(|id| target(*id, "m.example.cn")).collect();
    specs.push(target(canaries[0], "m.example.cn"));
    specs[2].is_canary = true;
    store.sync_targets(&specs, at(0)).await.unwrap();
    let histories = store.histories(&ids, at(-10)).await.unwrap();
    assert!(histories[&ids[0]].has_canary && histories[&ids[0]].canaries.is_empty());

    let records = [
        looked(canaries[0], "m.example.cn", 1, true),
        looked(ids[0], "m.example.cn", 2, false),
        looked(canaries[0], "elsewhere.cn", 3, true),
    ];
    let looks: Vec<_> = records.iter().map(|record| record.look.clone().unwrap()).collect();
    store.finish(&records).await.unwrap();
    store.finish(&records[..1]).await.unwrap();
    let histories = store.histories(&ids, at(-10)).await.unwrap();
    assert_eq!(histories[&ids[0]].canaries, looks[..1], "never its own");
    assert_eq!(histories[&ids[1]].canaries, looks[..2]);
}

#[tokio::test]
async fn what_a_failed_canary_voided_stays_void_when_its_page_is_visited_no_more() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let (quiet, canary, alone) = (ids[0], ids[1], ids[2]);
    let mut specs: Vec<_> = ids[..2].iter().map(|id| target(*id, "m.example.cn")).collect();
    specs[1].is_canary = true;
    specs.push(target(alone, "alone.example.cn"));
    store.sync_targets(&specs, at(0)).await.unwrap();
    let day = 24 * 60;
    let seen = |account, at: i64| observed(account, at, -500 * day, Vec::new());
    let away = |at: i64| VisitRecord { host: Some("alone.example.cn".into()), ..seen(alone, at) };
    store.finish(&[seen(quiet, day), away(day)]).await.unwrap();
    store.finish(&[looked(canary, "m.example.cn", day + 1, true)]).await.unwrap();
    store.finish(&[seen(quiet, 2 * day), away(2 * day)]).await.unwrap();
    store.finish(&[looked(canary, "m.example.cn", 2 * day + 1, false)]).await.unwrap();
    store.finish(&[seen(quiet, 3 * day), away(3 * day)]).await.unwrap();

    // Another page kind takes the place, and has no canary yet.
    for spec in &mut specs {
        (spec.page, spec.is_canary) = ("videos".into(), false);
    }
    store.sync_targets(&specs, at(3 * day + 1)).await.unwrap();
    let histories = store.histories(&ids, at(-10)).await.unwrap();
    let void = |account| -> Vec<_> {
        let history: &History = &histories[&account];
        // What canaries said of the page that was left bears on the one in its place.
        assert_eq!((history.has_canary, history.visits.len()), (account == quiet, 3));
        history.drifts.iter().map(|drift| (drift.since, drift.until.is_some())).collect()
    };
    let proving = |account| -> Vec<bool> {
        let proves = |visit: &Visit| match &visit.outcome {
            Outcome::Observed(seen) => seen.span.is_some() && seen.confirming,
            other => panic!("{other:?}"),
        };
        histories[&account].visits.iter().map(proves).collect()
    };
    // The first was vouched for, the second by a canary that failed, the third by none any more.
    assert_eq!(void(quiet), [(at(2 * day), true)]);
    assert_eq!(proving(quiet), [true, true, false]);
    assert_eq!((void(alone), proving(alone)), (vec![], vec![true; 3]), "it never had a canary");
    let inputs: Vec<_> = store.score_inputs(facts(-10, 9 * day)).try_collect().await.unwrap();
    for input in inputs {
        assert_eq!(input.history, histories[&input.account.id]);
    }
}
