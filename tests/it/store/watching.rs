use std::collections::BTreeMap;

use super::{accounts, at, looked, observed, target};
use crate::support::database;

#[tokio::test]
async fn a_history_tells_which_page_kinds_no_canary_looks_at() {
    let (store, _database) = database().await;
    let ids = accounts(&store, 2).await;
    let (quiet, busy) = (ids[0], ids[1]);
    let spec = |account, page: &str, host: &str| {
        let mut spec = target(account, host);
        spec.page = page.into();
        spec
    };
    let own = |account| {
        let on_host = ["timeline", "videos"].map(|page| spec(account, page, "m.example.cn"));
        on_host.into_iter().chain([spec(account, "site", "own.example.cn")])
    };
    let specs: Vec<_> = own(quiet).chain([spec(busy, "timeline", "m.example.cn")]).collect();
    store.sync_targets(&specs, at(0)).await.unwrap();
    let unwatched = async || {
        let mut histories = store.histories(&[quiet], at(-100)).await.unwrap();
        let history = histories.remove(&quiet).unwrap();
        (history.has_canary, history.unwatched)
    };
    assert_eq!(unwatched().await, (false, BTreeMap::new()), "nobody looks at anything");

    store.mark_canaries(&[(busy, "timeline".into())]).await.unwrap();
    let beside = |pages: &[(&str, &[&str])]| -> (bool, BTreeMap<String, Vec<String>>) {
        let others = |others: &[&str]| others.iter().map(|one| (*one).to_owned()).collect();
        (true, pages.iter().map(|(page, of)| ((*page).to_owned(), others(of))).collect())
    };
    let marked = beside(&[("videos", &["timeline"]), ("site", &[])]);
    assert_eq!(unwatched().await, marked, "by the mark, before the first look");

    store.mark_canaries(&[]).await.unwrap();
    store.finish(&[looked(busy, "m.example.cn", 1, false)]).await.unwrap();
    assert_eq!(unwatched().await, marked, "by the looks, when the mark is gone");

    // A page kind that is visited no more was held against the looks of then already.
    let mut left = observed(quiet, 2, -100, Vec::new());
    (left.host, left.visit.page) = (Some("m.example.cn".into()), "album".into());
    store.finish(&[left]).await.unwrap();
    let with_left = beside(&[("videos", &["timeline"]), ("site", &[]), ("album", &[])]);
    assert_eq!(unwatched().await, with_left);

    let mut alone = store.histories(&[busy], at(-100)).await.unwrap();
    let alone = alone.remove(&busy).unwrap();
    assert!(!alone.has_canary && alone.unwatched.is_empty(), "nobody is their own canary");
}
