use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use xunjian::domain::{FindingId, FindingState, LedgerEntry, Step};
use xunjian::jobs::findings;
use xunjian::notify::EmailSecurity;

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

/// As if the daemon had died between sending the letters and writing that down.
async fn died_while_sending(office: Office) -> Office {
    sqlx::raw_sql(
        "update letters set state = 'sending', sent_at = null, lease_until = '2026-10-12T00:00:00Z';
         update notices set issued_at = null, deadline = null;
         update findings set state = 'approved' where state = 'notified'",
    )
    .execute(&office.database.pool)
    .await
    .unwrap();
    office.restarted().await
}

#[tokio::test]
async fn a_printed_letter_whose_sender_died_is_printed_once() {
    let office = Office::open().await;
    office.two_to_tell("打印").await;
    office.send().await;
    let office = died_while_sending(office).await;
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

/// A mail server that takes what it is told to take.
struct Server {
    address: std::net::SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
    refusals: Arc<Mutex<usize>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (taken, refusals) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let mut tasks = JoinSet::new();
        let (kept, refused) = (taken.clone(), refusals.clone());
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                talk(stream, &kept, &refused).await;
            }
        });
        Self { address, taken, refusals, _tasks: tasks }
    }
}

async fn talk(stream: tokio::net::TcpStream, taken: &Mutex<Vec<String>>, refusals: &Mutex<usize>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut letter: Option<String> = None;
    let _ = writer.write_all(b"220 ready\r\n").await;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match &mut letter {
            Some(text) if line == "." => {
                taken.lock().unwrap().push(std::mem::take(text));
                letter = None;
                "250 taken"
            }
            Some(text) => {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            None if line.starts_with("RCPT") => {
                let mut left = refusals.lock().unwrap();
                let refuse = *left > 0;
                *left = left.saturating_sub(1);
                if refuse { "451 later" } else { "250 ok" }
            }
            None if line.starts_with("DATA") => {
                letter = Some(String::new());
                "354 go on"
            }
            None if line.starts_with("QUIT") => "221 bye",
            None => "250 ok",
        };
        if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn with_mail(server: &Server) -> Office {
    let port = server.address.port();
    Office::with(|settings| {
        let email = &mut settings.notify.email;
        email.server = "127.0.0.1".to_owned();
        email.port = port;
        email.security = EmailSecurity::None;
        email.from = "巡检 <xunjian@example.gov.cn>".to_owned();
    })
    .await
}

#[tokio::test]
async fn a_mail_that_fails_is_tried_again_later_and_taken_once() {
    let server = Server::start().await;
    *server.refusals.lock().unwrap() = 1;
    let office = with_mail(&server).await;
    office.two_to_tell("email:ga@example.gov.cn").await;
    office.send().await;
    assert_eq!(office.letters().await, [("email".to_owned(), "waiting".to_owned(), 1)]);
    office.send().await;
    assert!(server.taken.lock().unwrap().is_empty(), "not before its time");
    office.clock.step(chrono::TimeDelta::minutes(11));
    office.send().await;
    let office = office.restarted().await;
    office.send().await;
    assert_eq!(office.letters().await, [("email".to_owned(), "sent".to_owned(), 2)]);
    let taken = server.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].contains("To: ga@example.gov.cn") && taken[0].contains("Message-ID: <2026"));
    assert!(office.printed().is_empty());
    let told = office.context().metrics.render();
    let sent = r#"xunjian_notices_sent_total{channel="email",outcome="sent"}"#;
    assert!(told.contains(sent), "{told}");
}

#[tokio::test]
async fn a_mail_of_which_nobody_knows_whether_it_arrived_is_left_to_a_person() {
    let server = Server::start().await;
    let office = with_mail(&server).await;
    let found = office.two_to_tell("ga@example.gov.cn").await;
    office.send().await;
    let office = died_while_sending(office).await;
    office.send().await;
    office.days(1);
    office.send().await;
    assert_eq!(office.letters().await, [("email".to_owned(), "uncertain".to_owned(), 1)]);
    assert_eq!(server.taken.lock().unwrap().len(), 1, "it is not sent a second time");
    assert_eq!(office.state(found[0]).await, FindingState::Approved, "nor counts as sent");
}
