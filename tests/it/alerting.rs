//! The whole way of an alert: the daemon over a made-up city, Prometheus with the shipped rules,
//! Alertmanager with the shipped configuration, and the chat services at its end.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use xunjian::cli::demo::Demo;
use xunjian::domain::{Activity, Lifecycle, Standing};
use xunjian::jobs::findings::look;
use xunjian::simulator::Fault;
use xunjian::store::LedgerChanges;

use crate::alerting_manager::{
    Alertmanager, digests, is_told, named, settings, settled, soon, standings,
};
use crate::panels_boards::root;
use crate::panels_prometheus::Prometheus;
use crate::support::{Mailbox, Receiver};

const ACCOUNTS: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_zombie_is_told_once_to_those_who_watch_its_sponsor_and_a_wave_of_captchas_is_not() {
    let (receiver, mailbox) = (Receiver::start().await, Mailbox::open().await);
    let folder = tempfile::tempdir().unwrap();
    let today = "2026-11-22T02:30:00Z".parse().unwrap();
    let settings = settings(&folder, &receiver);
    let mut demo = Demo::start(settings, 339_900, ACCOUNTS, today).await.unwrap();
    let daemon = demo.serve();
    demo.watch_days().await.unwrap();
    look(demo.app().jobs()).await.unwrap();
    demo.app().work().start();
    let mut manager = Alertmanager::start(receiver.address, mailbox.address, daemon).await;
    let hurry = |rules: &str| rules.replace("keep_firing_for: 30m", "keep_firing_for: 3s");
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
    // Which sponsor's comes first is nobody's promise; not all are of a silence.
    let ding = || receiver.received("/robot/send");
    soon("no message for the robots", &manager, || {
        let of_silence = ding().iter().any(|one| {
            let title = one.body["markdown"]["title"].as_str().unwrap();
            silent.iter().any(|sponsor| title.contains(sponsor))
        });
        of_silence && !receiver.received("/open-apis/").is_empty()
    })
    .await;
    let ding = ding();
    assert!(ding.len() <= 20 && ding[0].query("sign").is_some(), "{}", ding.len());

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
