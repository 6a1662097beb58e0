//! A month of the made-up city through the real daemon: sockets, store and jobs, the clock stepped,
//! with trouble on every shared host. No silent verdict is ever false.

use std::path::Path;

use chrono::{DateTime, Duration, Utc};
use tempfile::TempDir;
use xunjian::cli::demo::Demo;
use xunjian::domain::{Activity, Standing};
use xunjian::observe::{self, Judgement, Policy};
use xunjian::settings::Settings;
use xunjian::simulator::{Character, City, Fault, Outage};

const WEIBO: &str = "m.weibo.cn";
const BRIDGE: &str = "bridge.lucheng.example";
const FEEDS: &str = "feeds.lucheng.example";

fn settings(folder: &TempDir) -> Settings {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: folder.path().join("data"),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        ..Settings::default()
    };
    settings.http.listen = "127.0.0.1:0".parse().unwrap();
    // Else days of trouble pass in real waiting, minutes of it.
    settings.fetch.default_limit.backoff_max_seconds = 0;
    settings.fetch.retry_after_max_seconds = 0;
    settings
}

/// What stands in the way of whole hosts on a day.
fn weather(day: i64, now: DateTime<Utc>) -> Vec<(&'static str, Fault)> {
    let since = now - Duration::days(13);
    match day {
        3 | 4 => vec![(WEIBO, Fault::Blocked), (FEEDS, Fault::Outage(Outage::Status(503)))],
        6 | 7 => vec![(BRIDGE, Fault::UpstreamStuck { since: now - Duration::hours(30) })],
        8 => vec![(FEEDS, Fault::LayoutBreak), (WEIBO, Fault::HollowSuccess)],
        // Three days on which the daemon is down follow.
        13 => vec![(WEIBO, Fault::Replica { since })],
        15 | 16 => vec![(FEEDS, Fault::Stale { since, with_age: false })],
        17 => vec![(BRIDGE, Fault::SaysGone), (WEIBO, Fault::WrongClock { seconds: 7200 })],
        19 => vec![(WEIBO, Fault::Stale { since, with_age: true })],
        21 => vec![(BRIDGE, Fault::Blocked), (FEEDS, Fault::RobotsRefusal)],
        23 => vec![(WEIBO, Fault::SaysGone), (FEEDS, Fault::WrongOffset { seconds: 8 * 3600 })],
        _ => Vec::new(),
    }
}

/// Why a verdict is false, where it is: of each instant the truth decides.
fn falsehood(city: &City, key: &str, judgement: &Judgement) -> Option<String> {
    let policy = Policy::default();
    let truth = city.truth(key, judgement.cutoff)?;
    let limit = match judgement.activity {
        Activity::Watch => policy.watch,
        Activity::Dormant => policy.dormant,
        Activity::Zombie => policy.zombie,
        Activity::Empty | Activity::Gone => {
            let is_false = truth.activity != judgement.activity;
            return is_false.then(|| format!("{judgement:?}, in truth {:?}", truth.activity));
        }
        Activity::Active | Activity::Undetermined(_) => return None,
    };
    let window = limit.window(judgement.cutoff);
    let post = truth.posts.iter().find(|post| window.meets(**post, **post))?;
    Some(format!("{judgement:?}, in truth a post at {post}"))
}

/// The stored verdicts are those that the history gives, and no silent one is false.
async fn check_day(demo: &Demo, day: i64, silent: &mut usize) {
    let jobs = demo.app().jobs();
    let (now, city) = (jobs.clock.now(), demo.simulator().city());
    let standings: Vec<Standing> = jobs.store.standings(u32::MAX, None, None).await.unwrap();
    let accounts = jobs.store.accounts().await.unwrap();
    let since = now - Duration::days(i64::from(jobs.settings.history_days));
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    let mut histories = jobs.store.histories(&ids, since).await.unwrap();
    for account in accounts {
        let key = &account.entry.key;
        let history = histories.remove(&account.id).unwrap();
        let judgement = observe::judge(&history, &jobs.observe, now, now);
        let stored = standings.iter().find(|one| one.key == *key).unwrap();
        if judgement.activity.is_silent() {
            *silent += 1;
            assert_eq!(stored.activity, judgement.activity, "day {day} {key}");
        }
        let character = city.character(key);
        let falsehood = falsehood(city, key, &judgement);
        assert_eq!(falsehood, None, "day {day} {key} {character:?}");
    }
}

async fn watch(accounts: usize, days: i64) {
    let folder = tempfile::tempdir().unwrap();
    let today = "2026-11-22T02:30:00Z".parse().unwrap();
    let demo = Demo::start(settings(&folder), 7, accounts, today).await.unwrap();
    let simulator = demo.simulator().clone();
    // Waiting shows nothing that an answer does not.
    for (character, fault) in [
        (Character::Slow, Fault::Slow { milliseconds: 0 }),
        (Character::RateLimiting, Fault::Slow { milliseconds: 0 }),
        (Character::Unreachable, Fault::Outage(Outage::Closed)),
    ] {
        for key in simulator.city().keys_of(character) {
            simulator.set_fault(&key, Some(fault));
        }
    }
    let mut silent = 0;
    for day in 0..days {
        demo.rest(1);
        // Down for three days.
        if (10..13).contains(&day) {
            continue;
        }
        for host in [WEIBO, BRIDGE, FEEDS] {
            simulator.set_fault(host, None);
        }
        for (host, fault) in weather(day, demo.app().jobs().clock.now()) {
            simulator.set_fault(host, Some(fault));
        }
        demo.watch_day().await.unwrap();
        check_day(&demo, day, &mut silent).await;
    }
    assert!(silent > accounts, "the dead are told as well: {silent} account-days");
    demo.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_month_of_trouble_makes_no_false_word() {
    watch(200, 30).await;
}
