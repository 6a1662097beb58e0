//! What stands beside the lists of posts, over a made-up city and a real database: page kinds that
//! stop yielding, sites with their columns and availability.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xunjian::app::App;
use xunjian::app::clock::SteppedClock;
use xunjian::domain::{Activity, ColumnClass, Reason, shanghai_date};
use xunjian::fetch::HostLimit;
use xunjian::jobs::crawl::{self, Until};
use xunjian::jobs::probes::probe_sites;
use xunjian::jobs::{Context, judge, platforms, yields};
use xunjian::observe::{
    Currency, Reachability, SiteRules, availability, column_currency, home_currency,
};
use xunjian::registry;
use xunjian::settings::Settings;
use xunjian::simulator::{Character, City, Fault, Outage, Simulator};
use xunjian::store::{LedgerChanges, SiteFacts, Which};

use crate::support;

const FEEDS: &str = "feeds.lucheng.example";

/// A city and the daemon's parts on a database of their own; nothing runs by itself.
struct Watch {
    app: App,
    simulator: Simulator,
    clock: Arc<SteppedClock>,
    closing: CancellationToken,
    _folder: TempDir,
}

impl Watch {
    async fn start(seed: u64, accounts: usize, now: &str) -> Self {
        let now: DateTime<Utc> = now.parse().unwrap();
        let clock = Arc::new(SteppedClock::starting_at(now));
        let city = City::generate(seed, now, accounts);
        let (streets, closing) = (TaskTracker::new(), CancellationToken::new());
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let simulator = Simulator::start(city, clock.clone(), anywhere, &streets, closing.clone())
            .await
            .unwrap();
        for key in simulator.city().keys_of(Character::Slow) {
            simulator.set_fault(&key, Some(Fault::Slow { milliseconds: 0 }));
        }
        let (store, database) = support::database().await;
        store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&simulator, database.url.clone(), folder.path());
        let app = App::build(&settings, clock.clone()).await.unwrap();
        let jobs = app.jobs();
        let platform = |name: &str| jobs.platforms.find(name).map(|one| one.id.clone());
        let ledger = simulator.city().ledger_csv();
        let ledger = registry::read(ledger.as_bytes(), &platform, &settings.registry).unwrap();
        let added = registry::compare(&[], &ledger, None).added;
        let changes = LedgerChanges { added, ..LedgerChanges::default() };
        jobs.store.apply_ledger(&changes, "test", "台账", now).await.unwrap();
        Self { app, simulator, clock, closing, _folder: folder }
    }

    fn jobs(&self) -> &Context {
        self.app.jobs()
    }

    /// Visits everything once, without choosing canaries, and judges.
    async fn look_around(&self) {
        let jobs = self.jobs();
        crawl::sync_targets(jobs).await.unwrap();
        jobs.store.make_due(Which::Ordinary, self.clock_now()).await.unwrap();
        crawl::work(jobs.clone(), self.app.work().running(), Until::Idle).await.unwrap();
        yields::judge_yields(jobs).await.unwrap();
        judge::judge(jobs).await.unwrap();
    }

    fn clock_now(&self) -> DateTime<Utc> {
        self.jobs().clock.now()
    }

    async fn activities(&self, platform: &str) -> BTreeMap<String, Activity> {
        let standings = self.jobs().store.standings(u32::MAX, Some(platform), None).await.unwrap();
        standings.into_iter().map(|one| (one.key, one.activity)).collect()
    }

    /// The value of a gauge of one platform; `None` where it has not been told.
    async fn gauge(&self, name: &str, platform: &str) -> Option<f64> {
        platforms::tell_platforms(self.jobs()).await.unwrap();
        let page = self.jobs().metrics.render();
        let start = format!("xunjian_{name}{{platform=\"{platform}\"}} ");
        page.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())
    }

    async fn site(&self, key: &str) -> SiteFacts {
        let now = self.clock_now();
        let (probes, looks) = (now - TimeDelta::days(8), now - TimeDelta::days(14));
        self.jobs().store.site_facts(key, probes, looks).await.unwrap().unwrap()
    }

    async fn stop(self) {
        self.closing.cancel();
        self.app.run_until_stopped(futures::stream::empty()).await.unwrap();
    }
}

fn settings(simulator: &Simulator, url: String, folder: &Path) -> Settings {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: folder.to_owned(),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        ..Settings::default()
    };
    let limit = HostLimit { per_minute: 1e6, concurrent: 8, backoff_max_seconds: 0 };
    settings.database.url = url;
    settings.http.listen = "127.0.0.1:0".parse().unwrap();
    settings.fetch.connect_to = simulator.connect_to();
    settings.fetch.limits =
        settings.fetch.connect_to.keys().map(|host| (host.clone(), limit)).collect();
    settings.fetch.breaker_failures = u32::MAX;
    settings.fetch.retry_after_max_seconds = 0;
    settings.fetch.robots_retry_seconds = 1;
    settings.fetch.timeout_seconds = 2;
    settings.observe.site.probe_limit_seconds = 2;
    settings.crawl.comments_posts_max = 2;
    settings
}

fn silent(activities: &BTreeMap<String, Activity>) -> Vec<&String> {
    activities.iter().filter(|(_, one)| one.is_silent()).map(|(key, _)| key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_that_changes_under_a_whole_platform_freezes_it_until_it_reads_again() {
    let watch = Watch::start(11, 200, "2026-11-18T02:30:00Z").await;
    for _ in 0..4 {
        watch.look_around().await;
        watch.clock.step(TimeDelta::days(1));
    }
    let before = watch.activities("feed").await;
    assert!(!silent(&before).is_empty(), "{before:?}");
    assert_eq!(watch.gauge("verdicts_frozen", "feed").await, Some(0.0));

    // One account alone is no platform.
    let lone = before.keys().next().unwrap();
    watch.simulator.set_fault(lone, Some(Fault::LayoutBreak));
    watch.look_around().await;
    assert_eq!(watch.gauge("verdicts_frozen", "feed").await, Some(0.0));
    watch.simulator.set_fault(lone, None);

    watch.simulator.set_fault(FEEDS, Some(Fault::LayoutBreak));
    watch.clock.step(TimeDelta::hours(6));
    watch.look_around().await;
    let during = watch.activities("feed").await;
    assert_eq!(silent(&during), Vec::<&String>::new());
    for key in silent(&before) {
        let frozen = [Reason::Frozen, Reason::Drifted, Reason::Blocked];
        let reason = during[key].reason();
        assert!(reason.is_some_and(|reason| frozen.contains(&reason)), "{key}: {reason:?}");
    }
    assert_eq!(watch.gauge("verdicts_frozen", "feed").await, Some(1.0));
    assert_eq!(watch.gauge("platform_up", "feed").await, Some(0.0));
    assert_eq!(watch.gauge("verdicts_frozen", "portal").await, Some(0.0));
    assert!(!silent(&watch.activities("portal").await).is_empty(), "other platforms stand");

    watch.simulator.set_fault(FEEDS, None);
    watch.clock.step(TimeDelta::hours(6));
    watch.look_around().await;
    assert_eq!(watch.gauge("verdicts_frozen", "feed").await, Some(0.0));
    assert_eq!(watch.gauge("platform_up", "feed").await, Some(1.0));
    let after = watch.activities("feed").await;
    assert!(!silent(&after).is_empty(), "{after:?}");
    let baselines = yields_saved(&watch).await;
    assert!(baselines > 0, "{baselines}");
    watch.stop().await;
}

/// How many baselines housekeeping writes down.
async fn yields_saved(watch: &Watch) -> u64 {
    let shared = ["weibo".to_owned()];
    watch.jobs().store.save_baselines(&shared, watch.clock_now()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn home_pages_and_columns_are_seen_as_they_are() {
    let watch = Watch::start(12, 120, "2026-11-20T02:30:00Z").await;
    for _ in 0..3 {
        watch.look_around().await;
        watch.clock.step(TimeDelta::days(1));
    }
    let (city, rules, now) = (watch.simulator.city(), SiteRules::default(), watch.clock_now());
    let portals = watch.activities("portal").await;
    let readable = [Character::Active, Character::Quiet, Character::Dormant, Character::Zombie];
    let readable = readable.into_iter().flat_map(|one| city.keys_of(one));
    let lively = city.keys_of(Character::Active);
    let (mut seen, mut blank) = (0, 0);
    for key in readable.filter(|key| portals.contains_key(key)) {
        let facts = watch.site(&key).await;
        let states: Vec<_> = facts.columns.iter().map(|one| one.state.clone()).collect();
        let home = home_currency(&facts.home, &states, &rules, now);
        let updated = matches!(home, Currency::Updated(_));
        assert!(updated || !lively.contains(&key), "{key}: {home:?} {:?}", facts.home);
        let boards = states.iter().filter(|one| one.class == ColumnClass::Messages).count();
        assert_eq!(boards, 1, "{key}: {:?}", facts.columns);
        for truth in city.columns(&key, now - TimeDelta::days(1)) {
            let column = facts.columns.iter().find(|column| column.name == truth.name);
            let column = column.unwrap_or_else(|| panic!("{key}: no column {}", truth.name));
            let found = column_currency(&column.state, &rules, now);
            match truth.newest_at {
                None => {
                    assert_eq!(found, Currency::Blank, "{key} {}", truth.name);
                    blank += 1;
                }
                // Columns are looked at in turn: the newest may have come after the last look.
                Some(newest) => {
                    let shown = column.state.newest_at.map(shanghai_date);
                    let late = column.state.looked_at.is_some_and(|at| newest > at);
                    assert!(late || shown == Some(shanghai_date(newest)), "{key} {column:?}");
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 8 && blank >= 1, "{seen} {blank}");
    watch.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_probes_finds_the_site_that_fails_and_never_our_own_outage() {
    let watch = Watch::start(13, 60, "2026-11-14T15:59:00Z").await;
    crawl::sync_targets(watch.jobs()).await.unwrap();
    let (city, portals) = (watch.simulator.city(), watch.activities("portal").await);
    let healthy = |key: &String| portals.contains_key(key);
    let lively: Vec<String> = [Character::Active, Character::Dormant, Character::Zombie]
        .into_iter()
        .flat_map(|one| city.keys_of(one))
        .filter(healthy)
        .collect();
    let [failing, steady, ..] = lively.as_slice() else { panic!("{lively:?}") };
    let host = watch.site(failing).await.host;
    let down = Some(Fault::Outage(Outage::Status(502)));
    let hosts: Vec<String> = city.hosts();
    // Accounts with a fault of their own do not hear of their host's.
    let slow = city.keys_of(Character::Slow);
    for hour in 0..=7 * 24 {
        // Nine of a week's hours the site is down; on one night our own network is.
        let ours = (50..53).contains(&hour);
        watch.simulator.set_fault(&host, down.filter(|_| hour % 18 == 3));
        if ours || hour == 53 {
            let outage = ours.then_some(Fault::Outage(Outage::Closed));
            for host in hosts.iter().chain(&slow) {
                watch.simulator.set_fault(host, outage);
            }
        }
        probe_sites(watch.jobs()).await.unwrap();
        watch.clock.step(TimeDelta::hours(1));
    }
    let rules = SiteRules::default();
    let now = watch.clock_now();
    let found = availability(&watch.site(failing).await.probes, &rules, now);
    assert_eq!(found.verdict, Reachability::Unreachable, "{found:?}");
    assert!(found.failed * 100 >= found.counted * 5 && found.failed <= 10, "{found:?}");
    assert!(found.unknown >= 3, "{found:?}");
    let found = availability(&watch.site(steady).await.probes, &rules, now);
    assert_eq!((found.verdict, found.failed), (Reachability::Reachable, 0), "{found:?}");
    assert!(found.unknown >= 3 && found.short_days.is_empty(), "{found:?}");
    watch.stop().await;
}
