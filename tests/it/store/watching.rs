use std::collections::BTreeMap;

use xunjian::observe::{Outcome, Unwatched};

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
    let names = |names: &[&str]| names.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let beside = |watched: &[&str], left: &[&str]| Unwatched::Beside {
        watched: names(watched),
        left: names(left),
    };
    let told = |pages: &[(&str, Unwatched)]| -> (bool, BTreeMap<String, Unwatched>) {
        (true, pages.iter().map(|(page, one)| ((*page).to_owned(), one.clone())).collect())
    };
    let marked = told(&[("videos", beside(&["timeline"], &[])), ("site", beside(&[], &[]))]);
    assert_eq!(unwatched().await, marked, "by the mark, before the first look");

    store.mark_canaries(&[]).await.unwrap();
    store.finish(&[looked(busy, "m.example.cn", 1, false)]).await.unwrap();
    assert_eq!(unwatched().await, marked, "by the looks, when the mark is gone");

    // Of a page kind that is visited no more, nobody ever looked at this one.
    let mut bare = observed(quiet, 2, -100, Vec::new());
    (bare.host, bare.visit.page) = (Some("m.example.cn".into()), "album".into());
    store.finish(&[bare]).await.unwrap();
    let (_, with_bare) = unwatched().await;
    assert_eq!(with_bare["album"], beside(&[], &[]));
    let histories = store.histories(&[quiet], at(-100)).await.unwrap();
    let Outcome::Observed(seen) = &histories[&quiet].visits[0].outcome else { panic!() };
    assert!(seen.span.is_none() && !seen.confirming, "the host had canaries that did not vouch");

    // What canaries looked at is left for another page kind.
    let mut renamed = specs.clone();
    for spec in renamed.iter_mut().filter(|one| one.page == "timeline") {
        spec.page = "posts".into();
    }
    let mut watched = observed(quiet, 0, -100, Vec::new());
    watched.host = Some("m.example.cn".into());
    store.finish(&[watched]).await.unwrap();
    store.sync_targets(&renamed, at(3)).await.unwrap();
    let (has_canary, unwatched) = unwatched().await;
    assert!(has_canary && unwatched["timeline"] == Unwatched::Held, "{unwatched:?}");
    assert_eq!(unwatched["videos"], beside(&[], &["timeline"]));
    assert_eq!(unwatched["posts"], beside(&[], &["timeline"]));
    let histories = store.histories(&[quiet], at(-100)).await.unwrap();
    assert_eq!(histories[&quiet].canaries.len(), 1, "what failed there still counts");

    let mut alone = store.histories(&[busy], at(-100)).await.unwrap();
    let alone = alone.remove(&busy).unwrap();
    assert!(!alone.has_canary && alone.unwatched.is_empty(), "nobody is their own canary");
}
