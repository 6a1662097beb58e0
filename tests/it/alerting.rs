//! The whole way of an alert: the daemon over a made-up city, Prometheus with the shipped rules,
//! Alertmanager with the shipped configuration, and the chat services at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use regex::Regex;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use xunjian::cli::demo::Demo;
use xunjian::domain::{Activity, Lifecycle, Standing};
use xunjian::jobs::findings::look;
use xunjian::settings::Settings;
use xunjian::simulator::Fault;
use xunjian::store::LedgerChanges;

use crate::panels_boards::root;
use crate::panels_prometheus::{Prometheus, PrometheusApi};
use crate::support::Receiver;

const ACCOUNTS: usize = 120;
const SENT: &str = "/cgi-bin/message/send";
/// Looks at other processes until they are done; 100 ms apart.
const LOOKS_MAX: u32 = 1200;

/// An Alertmanager with the shipped configuration that ends with this value.
struct Alertmanager {
    address: SocketAddr,
    folder: TempDir,
    process: Child,
}

impl Alertmanager {
    async fn start(receiver: SocketAddr, daemon: SocketAddr) -> Self {
        let folder = TempDir::new().unwrap();
        let shipped = root().join("deploy/alertmanager");
        let mut text = std::fs::read_to_string(shipped.join("alertmanager.yml")).unwrap();
        for (from, to) in [
            ("https://qyapi.weixin.qq.com", format!("http://{receiver}")),
            ("127.0.0.1:9611", daemon.to_string()),
            ("localhost:25", "127.0.0.1:1".to_owned()),
            ("templates/*.tmpl", shipped.join("templates/*.tmpl").display().to_string()),
            // Only the pace is another: digests gather for eight seconds instead of five minutes.
            ("group_wait: 5m", "group_wait: 8s".to_owned()),
            ("group_interval: 4h", "group_interval: 2s".to_owned()),
            // The test runs at any hour.
            ("      active_time_intervals: [office_hours]\n", String::new()),
        ] {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, &to);
        }
        std::fs::write(folder.path().join("alertmanager.yml"), text).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Self::spawn(&folder, address);
        Self { address, folder, process }
    }

    fn spawn(folder: &TempDir, address: SocketAddr) -> Child {
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let started = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", folder.path().join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--cluster.listen-address=", "--data.retention=240h"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        match started {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("prometheus-alertmanager is not installed: deploy/install.sh test")
            }
            started => started.unwrap(),
        }
    }

    /// Ends it as a service manager does, and starts it on what it kept.
    async fn restart(&mut self) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.wait().await.unwrap();
        self.process = Self::spawn(&self.folder, self.address);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn settings(folder: &TempDir, receiver: &Receiver) -> Settings {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: folder.path().join("data"),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        indices_dir: config.join("indices"),
        calendar_dir: config.join("calendar"),
        rules_dir: config.join("rules"),
        ..Settings::default()
    };
    settings.http.listen = "127.0.0.1:0".parse().unwrap();
    settings.crawl.robots_seconds = 1;
    let server = format!("http://{}", receiver.address);
    settings.notify.dingtalk.server = server.clone();
    settings.notify.dingtalk.access_token = "token-1".to_owned();
    settings.notify.dingtalk.sign_secret = "SECabc".to_owned();
    settings.notify.feishu.server = server;
    settings.notify.feishu.hook_token = "hook-1".to_owned();
    settings
}

/// Titles of digests as (sponsor, text), in the order in which they came.
fn digests(receiver: &Receiver) -> Vec<(String, String)> {
    let title = Regex::new("^【巡检(?:报警|解除)】(.*?)：").unwrap();
    let texts = receiver.received(SENT).into_iter();
    let texts = texts.map(|one| one.body["text"]["content"].as_str().unwrap().to_owned());
    texts.map(|text| (title.captures(&text).unwrap()[1].to_owned(), text)).collect()
}

/// The keys that texts name.
fn named(texts: &[(String, String)]) -> BTreeSet<String> {
    let account = Regex::new("（(\\w+)，([^，）]+)）").unwrap();
    let all = texts.iter().flat_map(|(_, text)| account.captures_iter(text));
    all.map(|found| found[2].to_owned()).collect()
}

/// Whether the alerts of accounts speak of it.
fn is_told(activity: Activity) -> bool {
    matches!(activity, Activity::Watch | Activity::Dormant | Activity::Zombie | Activity::Gone)
}

async fn standings(demo: &Demo) -> BTreeMap<String, Standing> {
    let all = demo.app().jobs().store.standings(u32::MAX, None, None).await.unwrap();
    all.into_iter().map(|one| (one.key.clone(), one)).collect()
}

/// Other processes work meanwhile and have no way to tell us.
async fn soon(what: &str, manager: &Alertmanager, is_so: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}\n{}", manager.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_zombie_is_told_once_to_those_who_watch_its_sponsor_and_a_wave_of_captchas_is_not() {
    let receiver = Receiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let today = "2026-11-22T02:30:00Z".parse().unwrap();
    let settings = settings(&folder, &receiver);
    let mut demo = Demo::start(settings, 339_900, ACCOUNTS, today).await.unwrap();
    let daemon = demo.serve();
    demo.watch_days().await.unwrap();
    look(demo.app().jobs()).await.unwrap();
    demo.app().work().start();
    let mut manager = Alertmanager::start(receiver.address, daemon).await;
    let hurry = |rules: String| rules.replace("keep_firing_for: 30m", "keep_firing_for: 3s");
    let prometheus = Prometheus::alerting(daemon, 3, manager.address, hurry).await;

    let before = standings(&demo).await;
    let zombies = before.values().filter(|one| one.activity == Activity::Zombie);
    let zombies: Vec<Standing> = zombies.cloned().collect();
    assert!(!zombies.is_empty());
    let silent: BTreeSet<&str> = before
        .values()
        .filter(|one| is_told(one.activity))
        .map(|one| one.sponsor.as_str())
        .collect();
    let arrived = || -> BTreeSet<String> {
        digests(&receiver).into_iter().map(|(sponsor, _)| sponsor).collect()
    };
    let all_arrived = || silent.iter().all(|sponsor| arrived().contains(*sponsor));
    soon("not every sponsor's digest arrived", &manager, all_arrived).await;
    settled(&prometheus, 8).await;

    // One digest for each sponsor, with all that is held against its accounts.
    let first = digests(&receiver);
    let sponsors: Vec<&String> = first.iter().map(|(sponsor, _)| sponsor).collect();
    assert_eq!(sponsors.iter().collect::<BTreeSet<_>>().len(), sponsors.len(), "{sponsors:?}");
    for zombie in &zombies {
        let (_, text) = first.iter().find(|(sponsor, _)| *sponsor == zombie.sponsor).unwrap();
        assert!(
            text.contains(&format!("僵尸：{}的账号“{}”", zombie.sponsor, zombie.name))
                || text.contains("其余请到看板查看"),
            "{text}"
        );
    }
    // Who is not proven to be anything is named for no silence.
    for (_, text) in &first {
        for line in text.lines().filter(|line| line.contains("僵尸") || line.contains("休眠")) {
            let keys = named(&[(String::new(), line.to_owned())]);
            assert!(keys.iter().all(|key| is_told(before[key].activity)), "{line}");
        }
    }
    // The robots got the same through the daemon, signed, no more than 20 in a minute.
    soon("no message for the robots", &manager, || {
        !receiver.received("/robot/send").is_empty() && !receiver.received("/open-apis/").is_empty()
    })
    .await;
    let ding = receiver.received("/robot/send");
    assert!(ding.len() <= 20 && ding[0].query("sign").is_some(), "{}", ding.len());
    let title = ding[0].body["markdown"]["title"].as_str().unwrap();
    assert!(silent.iter().any(|sponsor| title.contains(sponsor)), "{title}");

    // A day on which every page of a platform is a captcha.
    for (host, _) in demo.simulator().connect_to() {
        if host.contains("weibo") {
            demo.simulator().set_fault(&host, Some(Fault::Blocked));
        }
    }
    demo.rest(1);
    demo.watch_day().await.unwrap();
    settled(&prometheus, 8).await;
    let after = standings(&demo).await;
    let blocked = after.values().filter(|one| one.platform == "weibo");
    assert!(blocked.filter(|one| before[&one.key].activity == Activity::Active).count() > 10);
    let told = digests(&receiver);
    for key in named(&told[first.len()..]) {
        let known = named(&first).contains(&key);
        assert!(known || is_told(after[&key].activity), "{key}: {:?}", after[&key].activity);
        assert!(
            known || after[&key].platform != "weibo",
            "{key} of the platform that is walled in"
        );
    }

    // Both watchers start anew, one of them with no memory at all.
    let count = told.len();
    manager.restart().await;
    drop(prometheus);
    let prometheus = Prometheus::alerting(daemon, 10, manager.address, hurry).await;
    settled(&prometheus, 10).await;
    assert_eq!(digests(&receiver).len(), count, "{:?}", &digests(&receiver)[count..]);

    // One of them is closed in the ledger: not one whose platform's own trouble keeps it quiet.
    let closed = zombies.iter().find(|one| one.platform != "weibo").unwrap();
    let jobs = demo.app().jobs();
    let mut entry = jobs.store.account(&closed.key).await.unwrap().unwrap().entry;
    entry.lifecycle = Lifecycle::Closed;
    let changes = LedgerChanges { changed: vec![entry], ..LedgerChanges::default() };
    let now = jobs.clock.now() + TimeDelta::seconds(1);
    jobs.store.apply_ledger(&changes, "tester", "关停", now).await.unwrap();
    let healed = format!("已解除 僵尸：{}的账号“{}”", closed.sponsor, closed.name);
    soon("it did not resolve", &manager, || {
        digests(&receiver)[count..].iter().any(|(_, text)| text.contains(&healed))
    })
    .await;
    drop((prometheus, manager));
    demo.stop().await.unwrap();
}

/// Waits for so many more evaluations, which are a second apart.
async fn settled(prometheus: &Prometheus, evaluations: u32) {
    let api = PrometheusApi::at(&prometheus.url);
    let read = async || {
        let answer = api.get("/api/v1/rules").await.unwrap();
        let groups = answer["data"]["groups"].as_array().unwrap().clone();
        groups[0]["lastEvaluation"].as_str().unwrap().to_owned()
    };
    let mut seen = BTreeSet::from([read().await]);
    while seen.len() <= evaluations as usize {
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen.insert(read().await);
    }
}

#[test]
fn amtool_accepts_the_configuration_and_routes_as_it_says() {
    let config = "deploy/alertmanager/alertmanager.yml";
    let amtool = |arguments: &[&str]| {
        let output = std::process::Command::new("amtool")
            .args(arguments)
            .current_dir(root())
            .output()
            .expect("amtool is installed: deploy/install.sh test");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(amtool(&["check-config", config]).contains("1 templates"));
    let check = |labels: &[&str], receiver: &str| {
        let mut arguments = vec!["config", "routes", "test", "--config.file", config];
        arguments.extend(labels);
        assert_eq!(amtool(&arguments).trim(), receiver);
    };
    check(&["scope=account", "sponsor=某局", "severity=critical"], "supervisors");
    check(&["scope=platform", "platform=weibo"], "operators");
    check(&["scope=daemon", "alertname=XunjianDown"], "operators");
    check(&["scope=daemon", "alertname=XunjianWatchdog"], "deadman");
}
