use xunjian::domain::{FindingId, FindingState, LedgerEntry, Step};
use xunjian::jobs::findings;

use super::{Office, entry};

fn of_one_sponsor(key: &str, notify: &str) -> LedgerEntry {
    LedgerEntry {
        sponsor: "某市公安局".into(),
        platform: if key == "z2" { "portal".into() } else { "weibo".into() },
        officer: Some("张三".into()),
        notify: Some(notify.into()),
        ..entry(key)
    }
}

impl Office {
    /// Two zombies of one sponsor, approved.
    async fn two_to_tell(&self, notify: &str) -> Vec<FindingId> {
        let ids = self.ledger(&[of_one_sponsor("z1", notify), of_one_sponsor("z2", notify)]).await;
        for id in &ids {
            self.checked(*id, 119, &[110]).await;
        }
        self.look().await;
        let found: Vec<FindingId> = self.silences().await.iter().map(|one| one.id).collect();
        for id in &found {
            let by = ("wang", "属实");
            findings::act(self.context(), *id, Step::Approve, by, None).await.unwrap();
        }
        found
    }

    async fn send(&self) {
        findings::send_notices(self.context()).await.unwrap();
    }

    fn printed(&self) -> Vec<String> {
        let folder = self.folder.path().join("data/letters");
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut texts: Vec<String> =
            entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
        texts.sort();
        texts
    }

    async fn letters(&self) -> Vec<(String, String, i32)> {
        sqlx::query_as("select channel, state, attempts from letters order by id")
            .fetch_all(&self.database.pool)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn one_letter_a_day_tells_a_sponsor_everything_and_a_restart_sends_nothing_twice() {
    let office = Office::open().await;
    let found = office.two_to_tell("打印").await;
    assert_eq!(found.len(), 2);
    office.send().await;
    let printed = office.printed();
    assert_eq!(printed.len(), 1, "{printed:#?}");
    for part in
        ["某市公安局:", "平安z1", "平安z2", "责任人:张三", "2026年10月19日24时", "某市政府办公室"]
    {
        assert!(printed[0].contains(part), "{part} is not in\n{}", printed[0]);
    }
    for id in &found {
        assert_eq!(office.state(*id).await, FindingState::Notified);
    }
    let office = office.restarted().await;
    office.send().await;
    office.send().await;
    assert_eq!(office.printed(), printed);
    assert_eq!(office.letters().await, [("file".to_owned(), "sent".to_owned(), 1)]);
    // Nothing of a person is kept in the outbox.
    let kept: Vec<String> = sqlx::query_scalar("select l::text from letters l")
        .fetch_all(&office.database.pool)
        .await
        .unwrap();
    assert!(kept.iter().all(|row| !row.contains("张三") && !row.contains("打印")), "{kept:?}");
}

#[tokio::test]
async fn a_printed_letter_whose_sender_died_is_printed_once() {
    let office = Office::open().await;
    office.two_to_tell("打印").await;
    office.send().await;
    // As if the daemon had died between printing and writing it down.
    sqlx::raw_sql(
        "update letters set state = 'sending', sent_at = null, lease_until = '2026-10-12T00:00:00Z';
         update notices set issued_at = null, deadline = null;
         update findings set state = 'approved' where state = 'notified'",
    )
    .execute(&office.database.pool)
    .await
    .unwrap();
    let office = office.restarted().await;
    office.send().await;
    assert_eq!(office.printed().len(), 1);
    assert_eq!(office.letters().await, [("file".to_owned(), "sent".to_owned(), 2)]);
}

#[tokio::test]
async fn what_is_settled_before_it_is_sent_is_not_sent() {
    let office = Office::with(|settings| settings.notify.send_from_hour = 23).await;
    office.two_to_tell("打印").await;
    office.send().await;
    assert_eq!(office.letters().await, [("file".to_owned(), "waiting".to_owned(), 0)]);
    for found in office.all().await {
        let by = ("wang", "已核实,误报");
        findings::act(office.context(), found.id, Step::Dismiss, by, None).await.unwrap();
    }
    office.days(1);
    office.send().await;
    assert!(office.printed().is_empty() && office.letters().await.is_empty());
}
