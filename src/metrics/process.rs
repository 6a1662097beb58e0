use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, RwLock};

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use super::recording::JobOutcome;
use super::table as families;
use super::table::Family;

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
    /// The words of the channels on which sponsors are told.
    pub channels: Vec<&'static str>,
}

/// The bounded series of this process.
///
/// Label values are stable words, known platform ids (others are counted as `other`) and hosts
/// under a penalty, at most 200; a gauge that has not been told anything has no series.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub(super) platforms: RwLock<BTreeSet<String>>,
    pub(super) penalised: Mutex<BTreeSet<String>>,
    pub(super) fetches: IntCounterVec,
    pub(super) fetch_seconds: HistogramVec,
    pub(super) fetch_bytes: IntCounterVec,
    pub(super) items: IntCounterVec,
    pub(super) warnings: IntCounterVec,
    pub(super) discovered: IntCounterVec,
    pub(super) delay_seconds: HistogramVec,
    pub(super) in_flight: GaugeVec,
    pub(super) due: GaugeVec,
    pub(super) lag_seconds: GaugeVec,
    pub(super) bound_ratio: GaugeVec,
    pub(super) penalty_seconds: GaugeVec,
    pub(super) platform_up: GaugeVec,
    pub(super) frozen: GaugeVec,
    pub(super) canary_last_post: GaugeVec,
    pub(super) job_runs: IntCounterVec,
    pub(super) notices: IntCounterVec,
    pub(super) job_last_success: GaugeVec,
    pub(super) heartbeat: GaugeVec,
    pub(super) database_up: GaugeVec,
    pub(super) store_seconds: HistogramVec,
    pub(super) store_errors: IntCounter,
    pub(super) evidence_errors: IntCounter,
    pub(super) evidence_bytes: IntCounter,
    pub(super) evidence_head: GaugeVec,
    pub(super) data_dir_free: GaugeVec,
    pub(super) config_reload: GaugeVec,
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
            bound_ratio: gauge(&registry, &families::DELAY_BOUND_RATIO),
            penalty_seconds: gauge(&registry, &families::HOST_PENALTY),
            platform_up: gauge(&registry, &families::PLATFORM_UP),
            frozen: gauge(&registry, &families::VERDICTS_FROZEN),
            canary_last_post: gauge(&registry, &families::CANARY_LAST_POST),
            job_runs: counter(&registry, &families::JOB_RUNS),
            notices: counter(&registry, &families::NOTICES_SENT),
            job_last_success: gauge(&registry, &families::JOB_LAST_SUCCESS),
            heartbeat: gauge(&registry, &families::HEARTBEAT),
            database_up: gauge(&registry, &families::DATABASE_UP),
            store_seconds: histogram(&registry, &families::STORE_DURATION, STORE_SECONDS),
            store_errors: counter(&registry, &families::STORE_ERRORS).with_label_values(NONE),
            evidence_errors: counter(&registry, &families::EVIDENCE_WRITE_ERRORS)
                .with_label_values(NONE),
            evidence_bytes: counter(&registry, &families::EVIDENCE_BYTES).with_label_values(NONE),
            evidence_head: gauge(&registry, &families::EVIDENCE_CHAIN_HEAD),
            data_dir_free: gauge(&registry, &families::DATA_DIR_FREE),
            config_reload: gauge(&registry, &families::CONFIG_LAST_RELOAD),
            registry,
        };
        for job in &known.jobs {
            for outcome in [JobOutcome::Succeeded, JobOutcome::Failed] {
                let _ = metrics.job_runs.with_label_values(&[job, outcome.as_str()]);
            }
        }
        for channel in &known.channels {
            for outcome in ["sent", "failed", "given_up"] {
                let _ = metrics.notices.with_label_values(&[*channel, outcome]);
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

    /// The process part of `/metrics` in the text format, `process_*` included.
    pub fn render(&self) -> String {
        // Encoding fails only for a family without a name, which registration refuses.
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

pub(super) const NONE: &[&str] = &[];

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
