use chrono::TimeDelta;
use xunjian::domain::{AccountId, FindingState, Identity, LedgerEntry};
use xunjian::observe::{Source, Span};
use xunjian::store::LedgerChanges;

use super::{Office, complete, entry};

impl Office {
    async fn shows(&self, account: AccountId, name: &str, verified_as: &str) {
        let identity = Identity {
            handle: Some("handle-d".into()),
            name: Some(name.into()),
            verified_as: Some(verified_as.into()),
            ..Identity::default()
        };
        let span = Span { low: self.now() - TimeDelta::days(5), high: self.now() };
        let outcome = complete(span);
        self.shown_as(account, Source::Crawl, outcome, Vec::new(), Some(identity)).await;
        self.look().await;
    }

    async fn drifts(&self) -> Vec<(FindingState, bool, String)> {
        let mut all = self.all().await;
        all.retain(|one| one.found.rule == "identity_drift");
        let short = all.into_iter();
        short.map(|one| (one.state, one.found.needs_approval, one.found.statement)).collect()
    }
}

#[tokio::test]
async fn an_account_that_shows_another_name_is_found_and_settled_by_the_ledger() {
    let office = Office::open().await;
    let id = office.ledger(&[entry("d")]).await[0];
    office.shows(id, "平安d", "某县公安局").await;
    office.days(1);
    office.shows(id, "平安d", "某县公安局").await;
    assert!(office.drifts().await.is_empty());
    office.days(1);
    office.shows(id, "某县公安", "某县公安局").await;
    let found = office.drifts().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1), (FindingState::Approved, false));
    assert!(found[0].2.contains("名称由“平安d”变为“某县公安”"), "{found:?}");

    office.days(1);
    let changed = vec![LedgerEntry { name: "某县公安".into(), ..entry("d") }];
    let changes = LedgerChanges { changed, ..LedgerChanges::default() };
    office.context().store.apply_ledger(&changes, "li", "更名", office.now()).await.unwrap();
    office.shows(id, "某县公安", "某县公安局").await;
    assert_eq!(office.drifts().await[0].0, FindingState::Closed);

    // Another name and another certification at once: somebody else's, which a person confirms.
    office.days(1);
    office.shows(id, "好物推荐", "某公司").await;
    let found = office.drifts().await;
    assert_eq!((found[1].0, found[1].1), (FindingState::Open, true), "{found:?}");
    assert!(found[1].2.contains("疑似账号易主"), "{found:?}");
}
