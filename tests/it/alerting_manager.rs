//! A real Alertmanager with the shipped configuration, and what the tests of alerts ask beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use regex::Regex;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use xunjian::cli::demo::Demo;
use xunjian::domain::{Activity, Standing};
use xunjian::settings::Settings;

use crate::panels_boards::root;
use crate::panels_prometheus::{Prometheus, PrometheusApi};
use crate::support::{Receiver, shipped};

const SENT: &str = "/cgi-bin/message/send";
/// Looks at other processes until they are done; 100 ms apart.
pub(crate) const LOOKS_MAX: u32 = 1200;

/// An Alertmanager with the shipped configuration that ends with this value.
pub(crate) struct Alertmanager {
    pub(crate) address: SocketAddr,
    folder: TempDir,
    process: Child,
}

impl Alertmanager {
    pub(crate) async fn start(
        receiver: SocketAddr,
        mailbox: SocketAddr,
        daemon: SocketAddr,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let shipped = root().join("deploy/alertmanager");
        let mut text = std::fs::read_to_string(shipped.join("alertmanager.yml")).unwrap();
        for (from, to) in [
            ("https://qyapi.weixin.qq.com", format!("http://{receiver}")),
            ("127.0.0.1:9611", daemon.to_string()),
            ("localhost:25", mailbox.to_string()),
            ("templates/*.tmpl", shipped.join("templates/*.tmpl").display().to_string()),
            // Only the pace is another: digests gather for eight seconds instead of five minutes.
            ("group_wait: 1m", "group_wait: 2s".to_owned()),
            ("group_interval: 15m", "group_interval: 2s".to_owned()),
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
    pub(crate) async fn restart(&mut self) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.process.wait().await.unwrap();
        self.process = Self::spawn(&self.folder, self.address);
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

pub(crate) fn settings(folder: &TempDir, receiver: &Receiver) -> Settings {
    let mut settings = shipped(folder.path());
    settings.crawl.robots_seconds = 1;
    let server = format!("http://{}", receiver.address);
    settings.notify.dingtalk.server = server.clone();
    settings.notify.dingtalk.access_token = "token-1".to_owned();
    settings.notify.dingtalk.sign_secret = "SECabc".to_owned();
    settings.notify.feishu.server = server;
    settings.notify.feishu.hook_token = "hook-1".to_owned();
    settings
}

/// What one of the parties of 企业微信 got, in its order.
pub(crate) fn messages(receiver: &Receiver, party: &str) -> Vec<String> {
    let all = receiver.received(SENT).into_iter().filter(|one| one.body["toparty"] == party);
    all.map(|one| one.body["text"]["content"].as_str().unwrap().to_owned()).collect()
}

/// Supervisors' digests as (sponsor, text), in the order in which they came.
pub(crate) fn digests(receiver: &Receiver) -> Vec<(String, String)> {
    let title = Regex::new("^【巡检(?:报警|解除)】(.*?)：").unwrap();
    let texts = messages(receiver, "1").into_iter();
    texts.map(|text| (title.captures(&text).unwrap()[1].to_owned(), text)).collect()
}

/// The keys that texts name.
pub(crate) fn named(texts: &[(String, String)]) -> BTreeSet<String> {
    let account = Regex::new("（(\\w+)，([^，）]+)）").unwrap();
    let all = texts.iter().flat_map(|(_, text)| account.captures_iter(text));
    all.map(|found| found[2].to_owned()).collect()
}

/// Whether the alerts of accounts speak of it.
pub(crate) fn is_told(activity: Activity) -> bool {
    matches!(activity, Activity::Watch | Activity::Dormant | Activity::Zombie | Activity::Gone)
}

pub(crate) async fn standings(demo: &Demo) -> BTreeMap<String, Standing> {
    let all = demo.app().jobs().store.standings(u32::MAX, None, None).await.unwrap();
    all.into_iter().map(|one| (one.key.clone(), one)).collect()
}

/// Other processes work meanwhile and have no way to tell us.
pub(crate) async fn soon(what: &str, manager: &Alertmanager, is_so: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}\n{}", manager.log());
}

/// Waits for so many more evaluations, which are a second apart.
pub(crate) async fn settled(prometheus: &Prometheus, evaluations: u32) {
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
