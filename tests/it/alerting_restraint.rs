//! What is kept back on the way of an alert and what is not said twice: accounts while the daemon or
//! their platform cannot be trusted, and everything when the daemon starts anew. And the mails.

use std::collections::BTreeSet;
use std::time::Duration;

use tempfile::TempDir;
use xunjian::cli::demo::Demo;
use xunjian::domain::Standing;
use xunjian::jobs::platforms::tell_platforms;
use xunjian::simulator::Fault;

use crate::alerting_manager::{
    Alertmanager, LOOKS_MAX, digests, is_told, messages, named, settings, settled, soon, standings,
};
use crate::panels_prometheus::{Prometheus, PrometheusApi};
use crate::support::{Mailbox, Receiver};

const ACCOUNTS: usize = 20;
const PLATFORM: &str = "weibo";
const OPERATORS_PARTY: &str = "2";
const SUPERVISORS_PARTY: &str = "1";
const ALIVE: &str = "【巡检】报警链路正常";
const OPERATORS: &str = "operators@example.gov.cn";
const SUPERVISORS: &str = "supervisors@example.gov.cn";

/// Where all ends, and what leads there.
struct Way {
    demo: Demo,
    receiver: Receiver,
    mailbox: Mailbox,
    manager: Alertmanager,
    _folder: TempDir,
}

impl Way {
    /// A daemon that knows its city, answers, and does nothing yet by itself.
    async fn open() -> Self {
        let (receiver, mailbox) = (Receiver::start().await, Mailbox::open().await);
        let folder = tempfile::tempdir().unwrap();
        let today = "2026-11-22T02:30:00Z".parse().unwrap();
        let mut settings = settings(&folder, &receiver);
        settings.crawl.platforms_seconds = 1;
        let mut demo = Demo::start(settings, 339_900, ACCOUNTS, today).await.unwrap();
        let daemon = demo.serve();
        demo.watch_days().await.unwrap();
        let manager = Alertmanager::start(receiver.address, mailbox.address, daemon).await;
        Self { demo, receiver, mailbox, manager, _folder: folder }
    }

    /// The next day, on which the platform's canaries, by which all else of it is held to be true,
    /// are walled in or not.
    async fn canaries_next_day(&self, fault: Option<Fault>) {
        let canaries = self.demo.simulator().city().canaries();
        let keys = canaries.iter().filter(|one| one.platform == PLATFORM).map(|one| &one.key);
        let set = keys.map(|key| self.demo.simulator().set_fault(key, fault)).count();
        assert!(set > 0);
        self.demo.rest(1);
        self.demo.watch_day().await.unwrap();
        tell_platforms(self.demo.app().jobs()).await.unwrap();
    }

    /// Accounts of which something is proven that alerts speak of: the platform's, and all others.
    async fn silent(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let all = standings(&self.demo).await.into_values().filter(|one| is_told(one.activity));
        let (own, others): (Vec<_>, Vec<_>) = all.partition(|one| one.platform == PLATFORM);
        let keys = |all: Vec<Standing>| all.into_iter().map(|one| one.key);
        (keys(own).collect(), keys(others).collect())
    }

    fn named(&self) -> BTreeSet<String> {
        named(&digests(&self.receiver))
    }

    /// Waits until Alertmanager has an alert, told or kept back.
    async fn heard_of(&self, name: &str) {
        let api = PrometheusApi::at(&self.manager.address.to_string());
        for _ in 0..LOOKS_MAX {
            let all = api.get("/api/v2/alerts").await.unwrap_or_default();
            let mut all = all.as_array().into_iter().flatten();
            if all.any(|one| one["labels"]["alertname"] == name) {
                return;
            }
            // Alertmanager is another process and has no way to tell us.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{name} never came\n{}", self.manager.log());
    }

    /// Waits until Alertmanager has all of these and keeps them back.
    async fn kept_back(&self, keys: &BTreeSet<String>) {
        let api = PrometheusApi::at(&self.manager.address.to_string());
        for _ in 0..LOOKS_MAX {
            let all = api.get("/api/v2/alerts?active=false").await.unwrap_or_default();
            let all = all.as_array().into_iter().flatten();
            let inhibited = all.filter(|one| one["status"]["inhibitedBy"][0].is_string());
            let inhibited = inhibited.filter_map(|one| one["labels"]["key"].as_str());
            let inhibited: BTreeSet<String> = inhibited.map(str::to_owned).collect();
            if keys.is_subset(&inhibited) {
                return;
            }
            // Alertmanager is another process and has no way to tell us.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{keys:?} are not kept back\n{}", self.manager.log());
    }
}

/// Nothing waits before it is told; the city's clock is another than Prometheus', so that only a
/// heartbeat that never was is missing. What has been proven goes on firing as shipped.
fn hurry(rules: &str) -> String {
    rules
        .replace("_heartbeat_timestamp_seconds) > 1800", "_heartbeat_timestamp_seconds) > 1e9")
        .replace("\n        for: 30m", "\n        for: 0s")
        .replace("\n        for: 15m", "\n        for: 0s")
        // What fires before Prometheus has found its Alertmanagers is said again after a minute.
        .replace("expr: vector(1)", "expr: vector(1)\n        for: 8s")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_wait_while_the_daemon_or_their_platform_is_in_doubt_and_nothing_is_told_twice() {
    let way = Way::open().await;
    let daemon = way.demo.app().address();
    let (own, others) = way.silent().await;
    assert!(!own.is_empty() && !others.is_empty(), "{own:?} {others:?}");
    // Its heart has not beaten once: of whatever it says, nothing is passed on.
    let prometheus = Prometheus::alerting(daemon, 3, way.manager.address, hurry).await;
    way.kept_back(&own.union(&others).cloned().collect()).await;
    soon("no word of the heart", &way.manager, || {
        messages(&way.receiver, OPERATORS_PARTY).iter().any(|text| text.contains("巡检心跳中断"))
    })
    .await;
    // Digests gather for eight seconds, of which the word of the heart took two.
    settled(&prometheus, 7).await;
    assert_eq!(way.named(), BTreeSet::new());

    // It beats, but one platform shows its canaries no more.
    way.canaries_next_day(Some(Fault::Blocked)).await;
    way.heard_of("XunjianCanaryFailed").await;
    way.demo.app().work().start();
    soon("the others did not arrive", &way.manager, || others.is_subset(&way.named())).await;
    soon("no word of the platform", &way.manager, || {
        let told = messages(&way.receiver, OPERATORS_PARTY);
        told.iter().any(|text| text.contains("平台 weibo 的哨兵账号异常"))
    })
    .await;
    way.kept_back(&own).await;
    settled(&prometheus, 3).await;
    assert!(own.is_disjoint(&way.named()), "{:?}", digests(&way.receiver));

    // It shows them again.
    way.canaries_next_day(None).await;
    let (owed, _) = way.silent().await;
    assert!(!owed.is_empty());
    soon("they did not arrive", &way.manager, || owed.is_subset(&way.named())).await;
    everything_came_by_mail(&way).await;

    // From here on all waits are as shipped.
    drop(prometheus);
    let prometheus = Prometheus::alerting(daemon, 3, way.manager.address, str::to_owned).await;
    a_daemon_that_starts_anew_repeats_nothing(way, &prometheus).await;
}

/// Mails say the same as messages, to the same people; and one says every day that mails arrive.
async fn everything_came_by_mail(way: &Way) {
    let both = [(SUPERVISORS_PARTY, SUPERVISORS), (OPERATORS_PARTY, OPERATORS)];
    soon("a mail is missing", &way.manager, || {
        both.iter().all(|(party, address)| {
            let mails: BTreeSet<String> = mails(way, address).into_iter().collect();
            let said = messages(&way.receiver, party);
            !said.is_empty() && said.iter().all(|text| mails.contains(text.trim_end()))
        })
    })
    .await;
    soon("no mail that mails arrive", &way.manager, || {
        way.mailbox.to(OPERATORS).iter().any(|one| one.subject == ALIVE)
    })
    .await;
}

/// The texts of the mails for an address, each of which must begin with its subject.
fn mails(way: &Way, address: &str) -> Vec<String> {
    let all = way.mailbox.to(address).into_iter().filter(|one| one.subject.starts_with("【巡检"));
    all.map(|one| {
        assert_eq!(one.from, "xunjian@example.gov.cn");
        assert!(one.subject == ALIVE || one.text.starts_with(&one.subject), "{one:#?}");
        one.text.trim_end().to_owned()
    })
    .collect()
}

/// What messages tell, ended or not.
fn alerts(texts: &[String]) -> BTreeSet<String> {
    let lines = texts.iter().flat_map(|text| text.lines());
    let told = lines.filter_map(|line| line.strip_prefix("· "));
    told.map(|line| line.trim_start_matches("已解除 ").to_owned()).collect()
}

/// Waits until Prometheus answers a question with one series.
async fn seen(api: &PrometheusApi, question: &str) {
    for _ in 0..LOOKS_MAX {
        if api.samples(question, true).await == Ok(1) {
            return;
        }
        // Prometheus is another process and has no way to tell us.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never seen: {question}");
}

/// Nobody hears anew of what they heard, be it that it ended or that it holds. Overdue messages that
/// the daemon finds meanwhile are news.
async fn a_daemon_that_starts_anew_repeats_nothing(way: Way, prometheus: &Prometheus) {
    let Way { demo, receiver, mailbox: _mailbox, manager, _folder } = way;
    let told = || [SUPERVISORS_PARTY, OPERATORS_PARTY].map(|party| messages(&receiver, party));
    settled(prometheus, 3).await;
    let before = told();
    let api = PrometheusApi::at(&prometheus.url);
    let away = async {
        seen(&api, "up{job=\"xunjian-accounts\"} == 0").await;
        settled(prometheus, 2).await;
    };
    let mut demo = demo.restart(away).await.unwrap();
    demo.serve();
    demo.app().work().start();
    seen(&api, "up{job=\"xunjian-accounts\"} == 1").await;
    settled(prometheus, 4).await;
    for (before, after) in before.iter().zip(told()) {
        let known = alerts(before);
        assert!(!known.is_empty());
        for text in &after[before.len()..] {
            assert!(!alerts(std::slice::from_ref(text)).is_subset(&known), "{text}");
        }
    }
    drop(manager);
    demo.stop().await.unwrap();
}
