use futures::stream::TryStreamExt;
use xunjian::domain::{Account, AccountId, LedgerEntry, Lifecycle};
use xunjian::store::{LedgerChanges, LedgerCounts, TargetSpec};

use super::{at, entry, request, target};
use crate::support::database;

#[tokio::test]
async fn an_entry_comes_back_as_it_was_given() {
    let (store, _database) = database().await;
    let mut full = entry("k1");
    full.url = Some("https://weibo.com/u/1".into());
    full.sponsor_code = Some("91350100M000100Y43".parse().unwrap());
    full.population = Some(1_234_567);
    full.filed_on = Some("2019-03-01".parse().unwrap());
    full.exempt_until = Some("2026-12-31".parse().unwrap());
    full.officer = Some("张三".into());
    full.notify = Some("dingtalk:13800000000".into());
    full.notes.insert("备注".into(), "原样".into());
    let entries = vec![full.clone(), entry("k2")];
    let changes = LedgerChanges { added: entries.clone(), ..LedgerChanges::default() };
    let counts = store.apply_ledger(&changes, "li", "first import", at(0)).await.unwrap();
    assert_eq!(counts, LedgerCounts { added: 2, ..LedgerCounts::default() });
    assert_eq!(store.ledger().await.unwrap(), entries);
    let impersonal = LedgerEntry { officer: None, notify: None, ..full };
    assert_eq!(store.account("k1").await.unwrap().unwrap().entry, impersonal);
    assert_eq!(store.account("k3").await.unwrap(), None);
    let again = store.apply_ledger(&changes, "li", "once more", at(1)).await.unwrap();
    assert_eq!(again, LedgerCounts::default(), "what stands as given is not written");
}

#[tokio::test]
async fn changes_and_withdrawals_keep_their_history() {
    let (store, database) = database().await;
    let added = vec![entry("k1"), entry("k2")];
    let first = LedgerChanges { added, ..LedgerChanges::default() };
    store.apply_ledger(&first, "li", "first", at(0)).await.unwrap();
    let mut renamed = entry("k1");
    renamed.name = "新名".into();
    let second = LedgerChanges {
        changed: vec![renamed.clone()],
        withdrawn: vec![entry("k2")],
        ..LedgerChanges::default()
    };
    let counts = store.apply_ledger(&second, "wang", "2026Q4 ledger", at(5)).await.unwrap();
    assert_eq!(counts, LedgerCounts { added: 0, changed: 1, withdrawn: 1 });
    let again = store.apply_ledger(&second, "wang", "2026Q4 ledger", at(6)).await.unwrap();
    assert_eq!(again, LedgerCounts::default());

    let accounts = store.accounts().await.unwrap();
    assert_eq!(accounts.len(), 2, "nothing is ever deleted");
    assert_eq!(accounts[0].entry, renamed);
    assert_eq!(accounts[1].entry.lifecycle, Lifecycle::Cancelled);
    let history: Vec<(String, String, String, Option<String>, String)> = sqlx::query_as(
        "select change, actor, reason, before ->> 'name', after ->> 'lifecycle'
         from account_history order by id",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let row = |change: &str, actor: &str, reason: &str, before: Option<&str>, after: &str| {
        (change.into(), actor.into(), reason.into(), before.map(str::to_owned), after.into())
    };
    assert_eq!(
        history,
        [
            row("added", "li", "first", None, "running"),
            row("added", "li", "first", None, "running"),
            row("changed", "wang", "2026Q4 ledger", Some("平安k1"), "running"),
            row("withdrawn", "wang", "2026Q4 ledger", Some("平安k2"), "cancelled"),
        ]
    );
}

#[tokio::test]
async fn an_account_that_moved_forgets_the_old_page() {
    let (store, _database) = database().await;
    let account = super::one_target(&store).await;
    let claimed = store.claim(&request("d1", 0)).await.unwrap().remove(0);
    store.finish(&[super::finished(&claimed, 0, Vec::new())]).await.unwrap();
    let mut moved = entry("a0");
    moved.handle = "elsewhere".into();
    let changes = LedgerChanges { changed: vec![moved], ..LedgerChanges::default() };
    store.apply_ledger(&changes, "li", "new address", at(3)).await.unwrap();
    let claimed = store.claim(&request("d1", 3)).await.unwrap().remove(0);
    assert_eq!((claimed.account, claimed.handle.as_str()), (account, "elsewhere"));
    assert_eq!((claimed.body_digest, claimed.validators.etag), (None, None));
}

#[tokio::test]
async fn targets_become_exactly_what_is_asked() {
    let (store, _database) = database().await;
    let ids = super::accounts(&store, 3).await;
    let mut specs: Vec<_> = ids.iter().map(|id| target(*id, "one.cn")).collect();
    let counts = store.sync_targets(&specs, at(0)).await.unwrap();
    assert_eq!((counts.added, counts.changed, counts.dropped), (3, 0, 0));
    let counts = store.sync_targets(&specs, at(0)).await.unwrap();
    assert_eq!((counts.added, counts.changed, counts.dropped), (0, 0, 0));
    specs.remove(0);
    specs[0].host = "two.cn".into();
    let counts = store.sync_targets(&specs, at(0)).await.unwrap();
    assert_eq!((counts.added, counts.changed, counts.dropped), (0, 1, 1));
    let due = store.due_counts(at(1)).await.unwrap();
    assert_eq!((due[0].platform.as_str(), due[0].targets, due[0].due), ("weibo", 2, 2));
    assert_eq!(due[0].oldest_due_at, Some(at(0)));
}

#[tokio::test]
async fn more_targets_than_are_written_together_are_all_written() {
    let (store, _database) = database().await;
    let account = super::accounts(&store, 1).await[0];
    let spec = |n: usize| TargetSpec { page: format!("p{n}"), ..target(account, "one.cn") };
    let mut specs: Vec<TargetSpec> = (0..10_001).map(spec).collect();
    let counts = store.sync_targets(&specs, at(0)).await.unwrap();
    assert_eq!((counts.added, counts.changed, counts.dropped), (10_001, 0, 0));
    specs[10_000].host = "two.cn".into();
    specs.swap_remove(0);
    let counts = store.sync_targets(&specs, at(1)).await.unwrap();
    assert_eq!((counts.added, counts.changed, counts.dropped), (0, 1, 1));
}

#[tokio::test]
async fn the_ledger_reads_as_it_was_known() {
    let (store, _database) = database().await;
    let first = LedgerChanges {
        added: vec![entry("k0"), entry("k1"), entry("k2")],
        ..LedgerChanges::default()
    };
    store.apply_ledger(&first, "li", "first", at(0)).await.unwrap();
    let renamed =
        LedgerEntry { name: "新名".into(), officer: Some("张三".into()), ..entry("k1") };
    let second = LedgerChanges {
        added: vec![entry("k3")],
        changed: vec![renamed.clone()],
        ..LedgerChanges::default()
    };
    store.apply_ledger(&second, "li", "second", at(5)).await.unwrap();
    let ids: Vec<AccountId> = store.accounts().await.unwrap().iter().map(|one| one.id).collect();
    let known_at = async |minute| -> Vec<LedgerEntry> {
        let known: Vec<Account> = store.ledger_known_at(at(minute)).try_collect().await.unwrap();
        let of_all = store.entries_known_at(&ids, at(minute)).await.unwrap();
        assert_eq!(known, of_all);
        known.into_iter().map(|one| one.entry).collect()
    };
    assert_eq!(known_at(4).await, first.added);
    let impersonal = LedgerEntry { officer: None, ..renamed };
    let now = [entry("k0"), impersonal.clone(), entry("k2"), entry("k3")];
    assert_eq!(known_at(5).await, now);
    let chosen = store.entries_known_at(&ids[1..2], at(5)).await.unwrap();
    assert_eq!(chosen, [Account { id: ids[1], entry: impersonal }]);
}

#[tokio::test]
async fn canaries_become_exactly_what_is_chosen_and_outlive_a_synchronisation() {
    let (store, _database) = database().await;
    let ids = super::accounts(&store, 3).await;
    let specs: Vec<_> = ids.iter().map(|id| target(*id, "one.cn")).collect();
    store.sync_targets(&specs, at(0)).await.unwrap();
    let chosen = [(ids[0], specs[0].page.clone()), (ids[1], specs[1].page.clone())];
    assert_eq!(store.mark_canaries(&chosen).await.unwrap(), 2);
    assert_eq!(store.sync_targets(&specs, at(1)).await.unwrap().changed, 0);
    assert_eq!(store.mark_canaries(&chosen).await.unwrap(), 0);
    assert_eq!(store.mark_canaries(&chosen[1..]).await.unwrap(), 1);
    let rates = store.target_rates().await.unwrap();
    assert_eq!(rates.len(), 3);
    assert!(rates.iter().all(|one| one.posts_per_day.is_none() && one.fails == 0));
}

#[tokio::test]
async fn an_account_is_as_busy_as_each_of_its_lists() {
    let (store, database) = database().await;
    let account = super::accounts(&store, 1).await[0];
    let spec = |page: &str| TargetSpec { page: page.into(), ..target(account, "one.cn") };
    let specs = ["articles", "profile", "videos"].map(spec);
    store.sync_targets(&specs, at(0)).await.unwrap();
    for (page, posts) in [("articles", 30.0), ("videos", 1.0)] {
        let learned = "update crawl_targets set rate_alpha = $1, rate_beta = 10 where page = $2";
        sqlx::query(learned).bind(posts).bind(page).execute(&database.pool).await.unwrap();
    }
    let rates = store.target_rates().await.unwrap();
    let rates: Vec<_> = rates.iter().map(|one| one.posts_per_day).collect();
    assert_eq!(rates, [Some(3.0), Some(3.0), Some(0.1)], "a profile lists none of its own");
}
