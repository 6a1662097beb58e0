//! Messages to chat groups, from Alertmanager's webhook to the robots of 钉钉 and 飞书.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use xunjian::app;
use xunjian::http::{self, Desk, Parts, Readiness, Site};
use xunjian::jobs::robots::{hand_in, send_messages};
use xunjian::metrics;
use xunjian::notify::{Notification, RobotKind};
use xunjian::settings::Settings;

use crate::findings::Office;
use crate::support::Receiver;

const DING: &str = "/robot/send";
const FEI: &str = "/open-apis/bot/v2/hook/hook-1";

async fn office(receiver: &Receiver) -> Office {
    let server = format!("http://{}", receiver.address);
    Office::with(|settings| {
        settings.notify.dingtalk.server = server.clone();
        settings.notify.dingtalk.access_token = "token-1".to_owned();
        settings.notify.dingtalk.sign_secret = "SECabc".to_owned();
        settings.notify.feishu.server = server;
        settings.notify.feishu.hook_token = "hook-1".to_owned();
        settings.notify.feishu.sign_secret = "xyz".to_owned();
    })
    .await
}

fn notification(sponsor: &str, status: &str) -> Value {
    json!({
        "version": "4", "groupKey": format!("{{}}:{{sponsor=\"{sponsor}\"}}"), "status": status,
        "groupLabels": { "sponsor": sponsor },
        "alerts": [{
            "status": status, "fingerprint": sponsor, "startsAt": "2026-10-12T03:00:00Z",
            "endsAt": "2026-10-12T03:30:00Z",
            "labels": { "severity": "critical", "sponsor": sponsor },
            "annotations": { "summary": format!("僵尸：{sponsor}") },
        }],
    })
}

fn read(sponsor: &str, status: &str) -> Notification {
    Notification::read(notification(sponsor, status).to_string().as_bytes()).unwrap()
}

fn signed(key: &str, message: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(message);
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

impl Office {
    async fn handed_in(&self, kind: RobotKind, sponsor: &str) -> bool {
        hand_in(self.context(), kind, &read(sponsor, "firing")).await.unwrap()
    }

    async fn deliver(&self) {
        send_messages(self.context()).await.unwrap();
    }

    fn minutes(&self, minutes: i64) {
        self.clock.step(TimeDelta::minutes(minutes));
    }

    async fn states(&self) -> Vec<(String, i32)> {
        sqlx::query_as("select state, attempts from messages order by id")
            .fetch_all(&self.database.pool)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn each_robot_gets_its_own_form_signed_as_the_vendor_says() {
    let receiver = Receiver::start().await;
    let office = office(&receiver).await;
    assert!(office.handed_in(RobotKind::Dingtalk, "甲局").await);
    assert!(office.handed_in(RobotKind::Feishu, "甲局").await);
    office.deliver().await;

    let ding = receiver.received(DING);
    assert_eq!(ding.len(), 1);
    assert_eq!(ding[0].query("access_token"), Some("token-1"));
    let at = ding[0].query("timestamp").unwrap();
    assert_eq!(at.len(), 13, "milliseconds");
    assert_eq!(ding[0].query("sign").unwrap(), signed("SECabc", &format!("{at}\nSECabc")));
    assert_eq!(ding[0].body["msgtype"], "markdown");
    assert_eq!(ding[0].body["markdown"]["title"], "【巡检报警】甲局：1 项");

    let fei = receiver.received(FEI);
    assert_eq!(fei.len(), 1);
    let at = fei[0].body["timestamp"].as_str().unwrap();
    assert_eq!(at.len(), 10, "seconds");
    assert_eq!(fei[0].body["sign"], signed(&format!("{at}\nxyz"), "").as_str());
    assert_eq!(fei[0].body["msg_type"], "interactive");
    let text = fei[0].body["card"]["elements"][0]["content"].as_str().unwrap();
    assert!(text.contains("僵尸：甲局"), "{text}");
}

#[tokio::test]
async fn the_same_news_is_told_once_and_again_after_its_time() {
    let receiver = Receiver::start().await;
    let office = office(&receiver).await;
    assert!(office.handed_in(RobotKind::Dingtalk, "甲局").await);
    assert!(!office.handed_in(RobotKind::Dingtalk, "甲局").await, "the other of a pair");
    office.deliver().await;
    let office = office.restarted().await;
    assert!(!office.handed_in(RobotKind::Dingtalk, "甲局").await, "an answer that was lost");
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 1);
    let healed = read("甲局", "resolved");
    assert!(hand_in(office.context(), RobotKind::Dingtalk, &healed).await.unwrap());
    office.minutes(61);
    assert!(office.handed_in(RobotKind::Dingtalk, "甲局").await, "a reminder");
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 3);
}

#[tokio::test]
async fn no_robot_is_asked_more_than_twenty_times_in_a_minute_not_even_by_two_daemons() {
    let receiver = Receiver::start().await;
    let office = office(&receiver).await;
    for number in 0..45 {
        assert!(office.handed_in(RobotKind::Dingtalk, &format!("{number} 局")).await);
    }
    let (one, two) = tokio::join!(send_messages(office.context()), send_messages(office.context()));
    one.unwrap();
    two.unwrap();
    assert_eq!(receiver.received(DING).len(), 20);
    let office = office.restarted().await;
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 20, "a restart forgets nothing");
    for wanted in [40, 45, 45] {
        office.minutes(1);
        office.clock.step(TimeDelta::seconds(1));
        office.deliver().await;
        assert_eq!(receiver.received(DING).len(), wanted);
    }
    let titles = receiver.received(DING).into_iter();
    let mut titles: Vec<_> = titles.map(|one| one.body["markdown"]["title"].to_string()).collect();
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 45, "each once");
}

#[tokio::test]
async fn a_failure_is_tried_again_later_and_a_refusal_is_left_to_a_person() {
    let receiver = Receiver::start().await;
    let office = office(&receiver).await;
    receiver.answer(502, json!({}));
    office.handed_in(RobotKind::Dingtalk, "甲局").await;
    office.deliver().await;
    assert_eq!(office.states().await, [("waiting".to_owned(), 1)]);
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 1, "not at once");
    office.minutes(2);
    office.deliver().await;
    assert_eq!(office.states().await, [("sent".to_owned(), 2)]);

    // Too fast: nothing at all for ten minutes, whatever waits.
    receiver.answer(200, json!({ "errcode": 130101, "errmsg": "send too fast" }));
    office.handed_in(RobotKind::Dingtalk, "乙局").await;
    office.handed_in(RobotKind::Dingtalk, "丙局").await;
    office.deliver().await;
    office.minutes(9);
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 3);
    office.minutes(2);
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 5);

    receiver.answer(200, json!({ "code": 19021, "msg": "sign match fail" }));
    office.handed_in(RobotKind::Feishu, "甲局").await;
    office.deliver().await;
    office.minutes(600);
    office.deliver().await;
    assert_eq!(receiver.received(FEI).len(), 1);
    assert_eq!(office.states().await.last().unwrap(), &("failed".to_owned(), 1));
    let told = office.context().metrics.render();
    let given_up = r#"xunjian_notices_sent_total{channel="feishu",outcome="given_up"} 1"#;
    assert!(told.contains(given_up), "{told}");
}

#[tokio::test]
async fn a_message_whose_sender_died_is_sent_again() {
    let receiver = Receiver::start().await;
    let office = office(&receiver).await;
    office.handed_in(RobotKind::Dingtalk, "甲局").await;
    let (store, now) = (&office.context().store, office.now());
    let lease = TimeDelta::minutes(2);
    assert!(store.take_message("dingtalk", 20, lease, now).await.unwrap().is_some());
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 0, "somebody is at it");
    office.minutes(3);
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 1);
    assert_eq!(office.states().await, [("sent".to_owned(), 2)]);
}

/// The daemon's pages over this office.
struct Front {
    address: std::net::SocketAddr,
    _server: JoinSet<()>,
}

impl Front {
    async fn of(office: &Office) -> Self {
        let context = office.context();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let settings = Settings {
            platforms_dir: config.join("platforms"),
            imports_dir: config.join("imports"),
            ..Settings::default()
        };
        let importer = app::importer(&settings).unwrap();
        let parts = Parts {
            metrics: context.metrics.clone(),
            readiness: Arc::new(Readiness::default()),
            reads: Arc::new(context.store.clone()),
            register: Arc::new(context.store.clone()),
            acts: Arc::new(Desk { context: context.clone(), importer }),
            clock: context.clock.clone(),
        };
        let site = Site::new(http::Settings::default(), metrics::Settings::default(), parts)
            .with_inbox(Arc::new(context.clone()));
        let mut server = JoinSet::new();
        server.spawn(async move {
            http::serve(listener, site, std::future::pending()).await.unwrap();
        });
        Self { address, _server: server }
    }

    /// Status and body of an answer to a POST.
    async fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\n{headers}content-length: {}\r\n\
             connection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A body that is too long is not read to its end.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
        (status, text)
    }
}

#[tokio::test]
async fn the_endpoint_takes_what_alertmanager_sends_and_nothing_else() {
    let receiver = Receiver::start().await;
    let office = office(&receiver).await;
    let front = Front::of(&office).await;
    let path = "/api/v1/alertmanager/dingtalk";
    let json = "content-type: application/json\r\n";
    let body = notification("甲局", "firing").to_string();
    let (status, text) = front.post(path, json, &body).await;
    assert!(status == 202 && text.contains(r#""kept":true"#), "{text}");
    let (status, text) = front.post(path, json, &body).await;
    assert!(status == 202 && text.contains(r#""kept":false"#), "{text}");
    office.deliver().await;
    assert_eq!(receiver.received(DING).len(), 1);

    let check = async |path: &str, headers: &str, body: &str, wanted: u16, words: &str| {
        let (status, text) = front.post(path, headers, body).await;
        assert_eq!(status, wanted, "{text}");
        assert!(text.contains("application/problem+json") && text.contains(words), "{text}");
    };
    check("/api/v1/alertmanager/sms", json, &body, 404, "no channel").await;
    check(path, "content-type: text/plain\r\n", &body, 415, "application/json").await;
    check(path, &format!("{json}origin: http://evil.example\r\n"), &body, 403, "browser").await;
    check(path, json, "{}", 400, "missing field").await;
    check(path, json, &"x".repeat((1 << 20) + 1), 413, "").await;
    let other = format!("{json}x-forwarded-for: 1.2.3.4\r\n");
    check(path, &other, &body, 401, "proxy").await;
    check("/api/v1/accounts", json, &body, 405, "not offered").await;

    let plain = Office::open().await;
    let front = Front::of(&plain).await;
    let (status, text) = front.post(path, json, &body).await;
    assert!(status == 409 && text.contains("[notify.dingtalk]"), "{text}");
}
