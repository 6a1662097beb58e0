//! What is wrong now, as far as the gauges say: for whoever has no board to look at.

use chrono::{DateTime, Utc};
use prometheus::GaugeVec;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;

use super::Metrics;

/// What ails the platforms and this daemon. What nothing is known of ails nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ailments {
    /// Ids of the platforms that cannot be read.
    pub unread: Vec<String>,
    /// Ids of the platforms whose silent verdicts are frozen.
    pub frozen: Vec<String>,
    /// The most overdue account of each platform with one, in seconds.
    pub lags: Vec<(String, f64)>,
    /// When the synthetic account last came through every stage.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// Free bytes where `data_dir` is.
    pub free_bytes: Option<f64>,
    /// Evidence that could not be written since the start.
    pub evidence_errors: u64,
}

impl Metrics {
    /// Reads back what the gauges were told.
    pub fn ailments(&self) -> Ailments {
        let platforms = |gauge: &GaugeVec, wrong: f64| -> Vec<String> {
            let all = values(gauge).into_iter();
            all.filter(|(_, value)| *value == wrong).map(|(platform, _)| platform).collect()
        };
        let one = |gauge: &GaugeVec| values(gauge).first().map(|(_, value)| *value);
        Ailments {
            unread: platforms(&self.platform_up, 0.0),
            frozen: platforms(&self.frozen, 1.0),
            lags: values(&self.lag_seconds).into_iter().filter(|(_, lag)| *lag > 0.0).collect(),
            heartbeat_at: one(&self.heartbeat).and_then(instant),
            free_bytes: one(&self.data_dir_free),
            evidence_errors: self.evidence_errors.get(),
        }
    }
}

/// Whole seconds since the epoch; no gauge tells of a time that does not fit.
#[expect(clippy::cast_possible_truncation, reason = "a time in seconds is far below 2^53")]
fn instant(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds as i64, 0)
}

/// The series of a gauge by their label, in its order.
fn values(gauge: &GaugeVec) -> Vec<(String, f64)> {
    let families = gauge.collect();
    let series = families.iter().flat_map(MetricFamily::get_metric);
    let mut values: Vec<(String, f64)> = series
        .map(|one| {
            let label = one.get_label().first().map(|label| label.value().to_owned());
            (label.unwrap_or_default(), one.get_gauge().get_value())
        })
        .collect();
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Known;

    #[test]
    fn what_was_told_is_read_back_and_what_was_not_ails_nothing() {
        let metrics = Metrics::new(&Known { platforms: vec!["weibo", "feed"], ..Known::default() });
        assert_eq!(metrics.ailments(), Ailments::default());
        let at = DateTime::from_timestamp(1_796_000_000, 0).unwrap();
        metrics.set_platform_up("weibo", false);
        metrics.set_platform_up("feed", true);
        metrics.set_verdicts_frozen("feed", true);
        metrics.set_due("weibo", 3, 90_000.0);
        metrics.beat(at);
        metrics.set_data_dir_free_bytes(7);
        metrics.evidence_failed();
        let expected = Ailments {
            unread: vec!["weibo".into()],
            frozen: vec!["feed".into()],
            lags: vec![("weibo".into(), 90_000.0)],
            heartbeat_at: Some(at),
            free_bytes: Some(7.0),
            evidence_errors: 1,
        };
        assert_eq!(metrics.ailments(), expected);
    }
}
