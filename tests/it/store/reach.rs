use xunjian::observe::Span;

use super::{accounts, at, finished, observed, request, target};
use crate::support::database;

#[tokio::test]
async fn a_page_has_changed_when_its_body_differs_from_the_one_before() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 3).await;
    let elsewhere = target(ids[2], "m.elsewhere.cn");
    let specs = [target(ids[0], "m.example.cn"), target(ids[1], "m.example.cn"), elsewhere];
    store.sync_targets(&specs, at(-10)).await.unwrap();
    let changed = async |since: i64| {
        store.peers_changed(ids[0], "m.example.cn", "timeline", at(since)).await.unwrap()
    };
    for (minute, digest, expected) in
        [(0, "a", false), (2000, "a", false), (4000, "b", true), (6000, "b", true)]
    {
        let claimed = store.claim(&request("one", minute)).await.unwrap();
        for one in claimed.iter().filter(|one| one.account != ids[0]) {
            let mut record = finished(one, minute, Vec::new());
            record.body_digest = Some(digest.to_owned());
            store.finish(&[record]).await.unwrap();
        }
        assert_eq!(changed(-10).await, expected, "minute {minute}");
    }
    assert!(!changed(4000).await, "nothing after that");
    let own = store.peers_changed(ids[1], "m.example.cn", "timeline", at(-10)).await.unwrap();
    assert!(!own, "its own change is no peer's");
    let other = store.peers_changed(ids[0], "m.example.cn", "album", at(-10)).await.unwrap();
    assert!(!other);
}

#[tokio::test]
async fn what_was_covered_is_told_by_page_and_who_waits_by_host() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 2).await;
    for (minute, low) in [(10, 0), (30, 20)] {
        store.finish(&[observed(ids[0], minute, low, Vec::new())]).await.unwrap();
    }
    let covered = store.covered_by(ids[0], "timeline", at(0)).await.unwrap();
    let spans = [(0, 10), (20, 30)].map(|(low, high)| Span { low: at(low), high: at(high) });
    assert_eq!(covered.spans(), spans);
    assert_eq!(store.covered_by(ids[0], "album", at(0)).await.unwrap().spans(), []);
    assert_eq!(store.covered_by(ids[0], "timeline", at(20)).await.unwrap().spans(), &spans[1..]);

    let specs = [target(ids[0], "m.example.cn"), target(ids[1], "m.example.cn")];
    store.sync_targets(&specs, at(0)).await.unwrap();
    let waiting = async |account, before: i64| {
        store.keeps_others_waiting(account, "m.example.cn", at(before)).await.unwrap()
    };
    let due = store.claim(&request("one", 5000)).await.unwrap();
    let held: Vec<_> = due.iter().map(|one| one.account).collect();
    assert_eq!(held, ids);
    assert!(!waiting(ids[0], 9000).await, "what is held waits for nobody");
    store.finish(&[finished(&due[1], 5000, Vec::new())]).await.unwrap();
    assert!(waiting(ids[0], 9000).await);
    assert!(!waiting(ids[0], 5000).await, "not due yet");
    assert!(!waiting(ids[1], 9000).await, "nobody else of the host");
}
