use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
    TextEncoder,
};

use super::table as families;
use super::table::Family;
use super::text::{epoch_seconds, number};

/// The label value for a platform that no file describes.
const OTHER: &str = "other";
/// Most hosts under a penalty that are shown; government portals have a host for each office.
const HOSTS_MAX: usize = 200;

const FETCH_SECONDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// From a minute to ten days: what is due daily and what hides for a weekend.
const DELAY_SECONDS: &[f64] = &[
    60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 57_600.0, 86_400.0,
    172_800.0, 432_000.0, 864_000.0,
];
const STORE_SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// The label values known at start: their series exist from the first scrape, at 0.
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    /// The program's version.
    pub version: &'a str,
    /// The source revision it was built from; empty where it is not known.
    pub revision: &'a str,
    /// Platform ids.
    pub platforms: Vec<&'a str>,
    /// The words a fetch may end in.
    pub outcomes: Vec<&'static str>,
    /// The names of the jobs.
    pub jobs: Vec<&'static str>,
}

/// How a job's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// The run did what it should.
    Succeeded,
    /// The run ended with an error.
    Failed,
}

impl JobOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// The bounded series of this process.
///
/// Label values are stable words, known platform ids (others are counted as `other`) and hosts
/// under a penalty, at most 200; a gauge that has not been told anything has no series.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    platforms: RwLock<BTreeSet<String>>,
    penalised: Mutex<BTreeSet<String>>,
    fetches: IntCounterVec,
    fetch_seconds: HistogramVec,
    fetch_bytes: IntCounterVec,
    items: IntCounterVec,
    warnings: IntCounterVec,
    discovered: IntCounterVec,
    delay_seconds: HistogramVec,
    in_flight: GaugeVec,
    due: GaugeVec,
    lag_seconds: GaugeVec,
    penalty_seconds: GaugeVec,
    platform_up: GaugeVec,
    frozen: GaugeVec,
    canary_last_post: GaugeVec,
    job_runs: IntCounterVec,
    job_last_success: GaugeVec,
    heartbeat: GaugeVec,
    database_up: GaugeVec,
    store_seconds: HistogramVec,
    store_errors: IntCounter,
    data_dir_free: GaugeVec,
    config_reload: GaugeVec,
}

impl Metrics {
    /// Registers every family and starts the known series at 0.
    pub fn new(known: &Known<'_>) -> Self {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self())).expect("a new registry is empty");
        let build = gauge(&registry, &families::BUILD_INFO);
        build.with_label_values(&[known.version, known.revision]).set(1.0);
        let metrics = Self {
            platforms: RwLock::default(),
            penalised: Mutex::default(),
            fetches: counter(&registry, &families::FETCHES),
            fetch_seconds: histogram(&registry, &families::FETCH_DURATION, FETCH_SECONDS),
            fetch_bytes: counter(&registry, &families::FETCH_BYTES),
            items: counter(&registry, &families::EXTRACT_ITEMS),
            warnings: counter(&registry, &families::EXTRACT_WARNINGS),
            discovered: counter(&registry, &families::POSTS_DISCOVERED),
            delay_seconds: histogram(&registry, &families::POST_DETECTION_DELAY, DELAY_SECONDS),
            in_flight: gauge(&registry, &families::CRAWL_IN_FLIGHT),
            due: gauge(&registry, &families::CRAWL_DUE),
            lag_seconds: gauge(&registry, &families::SCHEDULE_LAG),
            penalty_seconds: gauge(&registry, &families::HOST_PENALTY),
            platform_up: gauge(&registry, &families::PLATFORM_UP),
            frozen: gauge(&registry, &families::VERDICTS_FROZEN),
            canary_last_post: gauge(&registry, &families::CANARY_LAST_POST),
            job_runs: counter(&registry, &families::JOB_RUNS),
            job_last_success: gauge(&registry, &families::JOB_LAST_SUCCESS),
            heartbeat: gauge(&registry, &families::HEARTBEAT),
            database_up: gauge(&registry, &families::DATABASE_UP),
            store_seconds: histogram(&registry, &families::STORE_DURATION, STORE_SECONDS),
            store_errors: counter(&registry, &families::STORE_ERRORS).with_label_values(NONE),
            data_dir_free: gauge(&registry, &families::DATA_DIR_FREE),
            config_reload: gauge(&registry, &families::CONFIG_LAST_RELOAD),
            registry,
        };
        for job in &known.jobs {
            for outcome in [JobOutcome::Succeeded, JobOutcome::Failed] {
                let _ = metrics.job_runs.with_label_values(&[job, outcome.as_str()]);
            }
        }
        metrics.know_platforms(&known.platforms, &known.outcomes);
        metrics
    }

    /// Starts the series of these platforms, at start and after a reload.
    pub fn know_platforms(&self, platforms: &[&str], outcomes: &[&'static str]) {
        for platform in platforms {
            for outcome in outcomes {
                let _ = self.fetches.with_label_values(&[*platform, *outcome]);
            }
            for counter in [&self.fetch_bytes, &self.items, &self.discovered] {
                let _ = counter.with_label_values(&[platform]);
            }
            for gauge in [&self.in_flight, &self.due, &self.lag_seconds, &self.frozen] {
                let _ = gauge.with_label_values(&[platform]);
            }
            for histogram in [&self.fetch_seconds, &self.delay_seconds] {
                let _ = histogram.with_label_values(&[platform]);
            }
        }
        let mut known = self.platforms.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(platforms.iter().map(|id| (*id).to_owned()));
    }

    /// A fetch has ended: its outcome, its duration, and the bytes of its body.
    pub fn fetched(&self, platform: &str, outcome: &'static str, seconds: f64, bytes: u64) {
        let platform = self.bounded(platform);
        self.fetches.with_label_values(&[platform, outcome]).inc();
        self.fetch_seconds.with_label_values(&[platform]).observe(seconds.max(0.0));
        self.fetch_bytes.with_label_values(&[platform]).inc_by(bytes);
    }

    /// A page was read into so many items.
    pub fn extracted(&self, platform: &str, items: u64) {
        self.items.with_label_values(&[self.bounded(platform)]).inc_by(items);
    }

    /// A value of a page could not be read; `kind` is a stable word.
    pub fn warned(&self, platform: &str, kind: &'static str) {
        self.warnings.with_label_values(&[self.bounded(platform), kind]).inc();
    }

    /// A post was seen for the first time; the delay since its publication where the account was
    /// already under watch, `None` for what an account's first visit brings.
    pub fn discovered(&self, platform: &str, delay_seconds: Option<f64>) {
        let platform = self.bounded(platform);
        self.discovered.with_label_values(&[platform]).inc();
        if let Some(seconds) = delay_seconds {
            self.delay_seconds.with_label_values(&[platform]).observe(seconds.max(0.0));
        }
    }

    /// Counts a visit as under way until the answer is dropped.
    pub fn enter_crawl(&self, platform: &str) -> CrawlInFlight {
        let gauge = self.in_flight.with_label_values(&[self.bounded(platform)]);
        gauge.inc();
        CrawlInFlight { gauge }
    }

    /// How many accounts of a platform wait for a due visit, and for how long the longest has.
    pub fn set_due(&self, platform: &str, accounts: u64, lag_seconds: f64) {
        let platform = self.bounded(platform);
        self.due.with_label_values(&[platform]).set(number(accounts));
        self.lag_seconds.with_label_values(&[platform]).set(lag_seconds.max(0.0));
    }

    /// The pause imposed on a host; 0 takes the host off the list.
    pub fn set_host_penalty_seconds(&self, host: &str, seconds: f64) {
        let mut penalised = self.penalised.lock().unwrap_or_else(PoisonError::into_inner);
        if seconds <= 0.0 {
            penalised.remove(host);
            let _ = self.penalty_seconds.remove_label_values(&[host]);
        } else if penalised.contains(host) || penalised.len() < HOSTS_MAX {
            penalised.insert(host.to_owned());
            self.penalty_seconds.with_label_values(&[host]).set(seconds);
        }
    }

    /// Whether the platform's pages can be read.
    pub fn set_platform_up(&self, platform: &str, up: bool) {
        self.platform_up.with_label_values(&[self.bounded(platform)]).set(flag(up));
    }

    /// Whether a failed canary holds back the platform's silent verdicts.
    pub fn set_verdicts_frozen(&self, platform: &str, frozen: bool) {
        self.frozen.with_label_values(&[self.bounded(platform)]).set(flag(frozen));
    }

    /// The newest post seen on any canary of the platform.
    pub fn set_canary_last_post(&self, platform: &str, at: DateTime<Utc>) {
        let platform = self.bounded(platform);
        self.canary_last_post.with_label_values(&[platform]).set(epoch_seconds(at));
    }

    /// A job's run has ended at this instant.
    pub fn job_ran(&self, job: &'static str, outcome: JobOutcome, at: DateTime<Utc>) {
        self.job_runs.with_label_values(&[job, outcome.as_str()]).inc();
        if outcome == JobOutcome::Succeeded {
            self.job_last_success.with_label_values(&[job]).set(epoch_seconds(at));
        }
    }

    /// The synthetic account has come through every stage.
    pub fn beat(&self, at: DateTime<Utc>) {
        self.heartbeat.with_label_values(NONE).set(epoch_seconds(at));
    }

    /// Whether the database answered.
    pub fn set_database_up(&self, up: bool) {
        self.database_up.with_label_values(NONE).set(flag(up));
    }

    /// A named database statement took so long.
    pub fn store_answered(&self, query: &'static str, seconds: f64) {
        self.store_seconds.with_label_values(&[query]).observe(seconds.max(0.0));
    }

    /// A database statement failed.
    pub fn store_failed(&self) {
        self.store_errors.inc();
    }

    /// Free space where `data_dir` is.
    pub fn set_data_dir_free_bytes(&self, bytes: u64) {
        self.data_dir_free.with_label_values(NONE).set(number(bytes));
    }

    /// Whether the newest reading of the configuration was taken over.
    pub fn set_config_last_reload(&self, successful: bool) {
        self.config_reload.with_label_values(NONE).set(flag(successful));
    }

    /// The process part of `/metrics` in the text format, `process_*` included.
    pub fn render(&self) -> String {
        // Encoding fails only for a family without a name, which registration refuses.
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    fn bounded<'a>(&self, platform: &'a str) -> &'a str {
        let known = self.platforms.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(platform) { platform } else { OTHER }
    }
}

/// A visit under way; dropping it takes it off the gauge, however the visit ends.
#[derive(Debug)]
#[must_use = "the visit counts as under way only while this lives"]
pub struct CrawlInFlight {
    gauge: Gauge,
}

impl Drop for CrawlInFlight {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

const NONE: &[&str] = &[];

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn options(family: &Family) -> Opts {
    Opts::new(family.name, family.help)
}

fn counter(registry: &Registry, family: &Family) -> IntCounterVec {
    let made = IntCounterVec::new(options(family), family.labels);
    register(registry, made.expect("the table's names are legal"))
}

fn gauge(registry: &Registry, family: &Family) -> GaugeVec {
    let made = GaugeVec::new(options(family), family.labels);
    register(registry, made.expect("the table's names are legal"))
}

fn histogram(registry: &Registry, family: &Family, buckets: &[f64]) -> HistogramVec {
    let options = HistogramOpts::from(options(family)).buckets(buckets.to_vec());
    let made = HistogramVec::new(options, family.labels);
    register(registry, made.expect("the table's names are legal and the buckets ascend"))
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    registry.register(Box::new(collector.clone())).expect("each family is registered once");
    collector
}
