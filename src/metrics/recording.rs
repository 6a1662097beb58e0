//! What the other parts tell the process's series.

use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use prometheus::Gauge;

use super::process::{Metrics, NONE};
use super::text::{epoch_seconds, number};

/// The label value for a platform that no file describes.
const OTHER: &str = "other";
/// Most hosts under a penalty that are shown; government portals have a host for each office.
const HOSTS_MAX: usize = 200;

/// How a job's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// The run did what it should.
    Succeeded,
    /// The run ended with an error.
    Failed,
}

impl JobOutcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl Metrics {
    /// Evidence could not be written, or not be stored.
    pub fn evidence_failed(&self) {
        self.evidence_errors.inc();
    }

    /// So many bytes of evidence lie on the disk.
    pub fn evidence_written(&self, bytes: u64) {
        self.evidence_bytes.inc_by(bytes);
    }

    /// The end of the newest day whose evidence is sealed.
    pub fn set_evidence_chain_head(&self, at: DateTime<Utc>) {
        self.evidence_head.with_label_values(NONE).set(epoch_seconds(at));
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

    /// The least mean delay of a platform's posts, in seconds, had they constant rates: the
    /// measured mean is told as a ratio to it once posts were discovered.
    pub fn set_delay_bound_seconds(&self, platform: &str, bound: f64) {
        let platform = self.bounded(platform);
        let delays = self.delay_seconds.with_label_values(&[platform]);
        let count = delays.get_sample_count();
        if count > 0 && bound > 0.0 {
            let mean = delays.get_sample_sum() / number(count);
            self.bound_ratio.with_label_values(&[platform]).set(mean / bound);
        }
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

    /// A letter to a sponsor was sent, failed for now, or was given up; both are stable words.
    pub fn notice_sent(&self, channel: &'static str, outcome: &'static str) {
        self.notices.with_label_values(&[channel, outcome]).inc();
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

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}
