use xunjian::domain::{LedgerEntry, Lifecycle};
use xunjian::store::{LedgerChanges, LedgerCounts, Secrets, Store, StoreError};

use super::{at, entry, request, target};
use crate::support::{Database, database};

const OFFICER: &str = "张三";
const NOTIFY: &str = "dingtalk:13800000000";

fn with_persons(key: &str) -> LedgerEntry {
    LedgerEntry { officer: Some(OFFICER.into()), notify: Some(NOTIFY.into()), ..entry(key) }
}

fn added(entries: &[LedgerEntry]) -> LedgerChanges {
    LedgerChanges { added: entries.to_vec(), ..LedgerChanges::default() }
}

/// Everything that the ledger's tables hold, as text.
async fn written(database: &Database) -> Vec<String> {
    sqlx::query_scalar(
        "select a::text from accounts a union all select h::text from account_history h",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn persons_are_never_written_in_the_clear() {
    let (store, database) = database().await;
    let mut one = with_persons("k1");
    store.apply_ledger(&added(&[one.clone()]), "li", "first", at(0)).await.unwrap();
    one.officer = Some("李四".into());
    let renamed = LedgerChanges { changed: vec![one.clone()], ..LedgerChanges::default() };
    store.apply_ledger(&renamed, "li", "a new officer", at(1)).await.unwrap();
    let withdrawn = LedgerChanges { withdrawn: vec![one.clone()], ..LedgerChanges::default() };
    store.apply_ledger(&withdrawn, "li", "withdrawn", at(2)).await.unwrap();
    let rows = written(&database).await;
    assert_eq!(rows.len(), 1 + 3);
    for row in rows {
        assert!(row.contains("x1."), "{row}");
        for word in [OFFICER, "李四", NOTIFY, "13800000000"] {
            assert!(!row.contains(word), "{row}");
        }
    }
    one.lifecycle = Lifecycle::Cancelled;
    assert_eq!(store.ledger().await.unwrap(), [one]);
}

#[tokio::test]
async fn the_history_shows_which_field_changed_and_not_to_what() {
    let (store, database) = database().await;
    let mut one = with_persons("k1");
    store.apply_ledger(&added(&[one.clone()]), "li", "first", at(0)).await.unwrap();
    one.officer = Some("李四".into());
    let counts = store.apply_ledger(&added(&[one.clone()]), "li", "again", at(1)).await.unwrap();
    assert_eq!(counts, LedgerCounts { changed: 1, ..LedgerCounts::default() });
    let counts = store.apply_ledger(&added(&[one]), "li", "once more", at(2)).await.unwrap();
    assert_eq!(counts, LedgerCounts::default(), "the same words are no change");
    let same: Vec<(bool, bool)> = sqlx::query_as(
        "select before ->> 'officer' = after ->> 'officer', before ->> 'notify' = after ->> 'notify'
         from account_history where change = 'changed'",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    assert_eq!(same, [(false, true)]);
}

#[tokio::test]
async fn without_the_right_key_only_the_persons_are_lost() {
    let (store, database) = database().await;
    let ledger = [with_persons("k1"), entry("k2")];
    store.apply_ledger(&added(&ledger), "li", "first", at(0)).await.unwrap();
    for (secrets, reason) in [
        (Secrets::new(&[8; 32]), "another installation.key"),
        (Secrets::unavailable("installation.key: permission denied".into()), "permission denied"),
    ] {
        let other = Store::connect(&database.url, 2, secrets).await.unwrap();
        let check = |refusal: Result<(), StoreError>| {
            let error = refusal.unwrap_err();
            assert!(matches!(error, StoreError::Secret { .. }), "{error:?}");
            let said = error.to_string();
            assert!(said.starts_with("officer of account k1 is encrypted"), "{said}");
            assert!(said.contains(reason), "{said}");
        };
        check(other.ledger().await.map(drop));
        let touched = LedgerEntry { name: "新名".into(), ..with_persons("k1") };
        check(other.apply_ledger(&added(&[touched]), "li", "x", at(1)).await.map(drop));

        let accounts = other.accounts().await.unwrap();
        assert_eq!(accounts.len(), 2);
        let targets: Vec<_> = accounts.iter().map(|one| target(one.id, "m.example.cn")).collect();
        other.sync_targets(&targets, at(1)).await.unwrap();
        assert_eq!(other.claim(&request(reason, 1)).await.unwrap().len(), 2);
        other.release(reason, at(0)).await.unwrap();
        assert_eq!(other.standings(10, None, None).await.unwrap().len(), 2);
        let renamed = LedgerEntry { name: reason.into(), ..entry("k2") };
        let counts = other.apply_ledger(&added(&[renamed]), "li", "y", at(2)).await.unwrap();
        assert_eq!(counts.changed, 1, "an entry without persons needs no key");
    }
    assert_eq!(store.ledger().await.unwrap()[0], ledger[0]);
}
