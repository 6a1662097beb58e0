//! How accounts show themselves over time.

use chrono::{DateTime, Utc};
use xunjian::domain::{AccountId, GoneCause, Identity, Reason};
use xunjian::observe::{Outcome, Visit};
use xunjian::store::{IdentityField, Store, VisitDetails, VisitRecord};

use super::{accounts, at, instant, observed};
use crate::support::database;

fn shows(account: AccountId, minute: i64, page: &str, name: &str) -> VisitRecord {
    let record = observed(account, minute, minute - 1000, Vec::new());
    let identity = Identity { name: Some(name.into()), ..Identity::default() };
    let visit = Visit { page: page.into(), ..record.visit };
    VisitRecord { identity: Some(identity), visit, ..record }
}

async fn runs(store: &Store, account: AccountId) -> Vec<(String, String, i64, i64)> {
    let minute = |at: DateTime<Utc>| (at - super::at(0)).num_minutes();
    let runs = store.identity_runs(&[account]).await.unwrap();
    runs.into_iter()
        .map(|run| (run.page, run.value, minute(run.first_seen), minute(run.last_seen)))
        .collect()
}

#[tokio::test]
async fn each_value_stands_for_as_long_as_a_page_kind_shows_it() {
    let (store, _database) = database().await;
    let account = accounts(&store, 1).await[0];
    // Two looks in one batch follow each other; a page kind is compared with itself alone.
    let batch = [
        shows(account, 20, "timeline", "平安甲"),
        shows(account, 10, "timeline", "平安甲"),
        shows(account, 25, "profile", "平安甲（官方）"),
        shows(account, 30, "timeline", "甲发布"),
    ];
    store.finish(&batch).await.unwrap();
    store.finish(&[shows(account, 15, "timeline", "过时的名称")]).await.unwrap();
    store.finish(&[shows(account, 40, "timeline", "平安甲")]).await.unwrap();
    store.finish(&[shows(account, 50, "timeline", "平安甲")]).await.unwrap();
    let row = |page: &str, value: &str, first, last| (page.into(), value.into(), first, last);
    assert_eq!(
        runs(&store, account).await,
        [
            row("profile", "平安甲（官方）", 25, 25),
            row("timeline", "平安甲", 10, 20),
            row("timeline", "甲发布", 30, 30),
            row("timeline", "平安甲", 40, 50),
        ]
    );
    let changes = store.identity_changes(at(0), at(60)).await.unwrap();
    let told = changes.iter().map(|one| (one.before.as_str(), one.after.as_str(), one.field));
    let name = IdentityField::Name;
    assert_eq!(told.collect::<Vec<_>>(), [("平安甲", "甲发布", name), ("甲发布", "平安甲", name)]);
    assert_eq!((changes[0].last_before, changes[0].first_after), (at(20), at(30)));
    assert_eq!(store.identity_changes(at(35), at(60)).await.unwrap().len(), 1);
    assert_eq!(store.identity_changes(at(60), instant("2027-01-01T00:00:00Z")).await.unwrap(), []);
}

#[tokio::test]
async fn a_visit_keeps_the_words_that_ended_it_and_the_class_of_a_gone_account() {
    let (store, database) = database().await;
    let account = accounts(&store, 1).await[0];
    let ended = |minute, outcome, words: &str, cause| {
        let record = observed(account, minute, minute - 1000, Vec::new());
        let visit = Visit { outcome, ..record.visit };
        let details = VisitDetails::told(Some(words), cause);
        VisitRecord { visit, details, identity: None, ..record }
    };
    let words = "此账号违反平台规定，已被封禁";
    let long = "长".repeat(300);
    let gone = Outcome::Gone { as_of: at(10), confirming: true };
    let batch = [
        ended(10, gone, words, Some(GoneCause::of(words))),
        ended(20, Outcome::Failed(Reason::Blocked), &long, None),
    ];
    store.finish(&batch).await.unwrap();
    let kept: Vec<(Option<String>, Option<String>)> =
        sqlx::query_as("select detail, cause from visits order by started_at")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    let cut = "长".repeat(200);
    assert_eq!(kept, [(Some(words.into()), Some("banned".into())), (Some(cut), None)]);
}
