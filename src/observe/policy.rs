use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::site::SiteRules;
use super::threshold::{Threshold, Unit};

/// Every number of the observation calculus.
///
/// The defaults are those of the national inspection where it names one, and otherwise the values
/// argued for in the design. A caller that judges one platform puts that platform's
/// `visibility_lag_hours` in; the rest is the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Silence worth watching.
    pub watch: Threshold,
    /// Dormant (休眠): the national line, no post in the two weeks before the cutoff.
    pub dormant: Threshold,
    /// Zombie (僵尸).
    pub zombie: Threshold,
    /// Confirming observations needed, each on its own calendar day of Asia/Shanghai.
    pub confirmations: u32,
    /// The same where the host has neither canary nor stand-in.
    pub confirmations_without_canary: u32,
    /// How long before the cutoff a confirming observation may lie, in hours.
    pub confirm_within_hours: u32,
    /// The age, in hours, beyond which an observation no longer speaks for now.
    pub max_age_hours: u32,
    /// How long a published post may stay invisible, in hours. At a cutoff the last confirmation
    /// must lie this long after it; the platform's own value, 0 for a preview that names nobody.
    pub visibility_lag_hours: u32,
    /// Leading items of a list that may be pinned without a mark.
    pub pins_max: usize,
    /// The share of a list, in percent, that may be out of order before the page counts as drifted.
    pub disorder_max_percent: usize,
    /// How far, in seconds, the server's `Date` may be from the request for the answer to confirm.
    pub date_tolerance_seconds: u32,
    /// A canary's newest post may be this many times its usual longest gap old.
    pub canary_gap_factor: u32,
    /// The least number of registered accounts that stand in where a host has no named canary.
    pub stand_ins_min: usize,
    /// What the national rules ask of a site.
    pub site: SiteRules,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            watch: Threshold::more_than(10, Unit::Days),
            dormant: Threshold::more_than(14, Unit::Days),
            zombie: Threshold::more_than(3, Unit::Months),
            confirmations: 2,
            confirmations_without_canary: 3,
            confirm_within_hours: 72,
            max_age_hours: 72,
            visibility_lag_hours: 24,
            pins_max: 3,
            disorder_max_percent: 20,
            date_tolerance_seconds: 300,
            canary_gap_factor: 3,
            stand_ins_min: 3,
            site: SiteRules::default(),
        }
    }
}

impl Policy {
    /// What is wrong with the numbers: each setting's name with the reason.
    ///
    /// A policy with problems still never accuses wrongly by itself, but could judge nobody, or
    /// call the weaker silence by the stronger name.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        // Any instant will do to compare two thresholds; a month is taken at its shortest.
        let now = chrono::DateTime::<chrono::Utc>::UNIX_EPOCH + Duration::days(20_000);
        if self.dormant.edge(now) > self.watch.edge(now) {
            problems.push(("dormant", format!("is shorter than watch ({})", self.watch)));
        }
        if self.zombie.edge(now) > self.dormant.edge(now) {
            problems.push(("zombie", format!("is shorter than dormant ({})", self.dormant)));
        }
        if self.confirmations < 2 {
            problems.push(("confirmations", "silence needs at least 2".to_owned()));
        }
        if self.confirmations_without_canary < self.confirmations {
            problems.push((
                "confirmations_without_canary",
                format!("is less than confirmations ({})", self.confirmations),
            ));
        }
        if self.disorder_max_percent > 100 {
            problems.push(("disorder_max_percent", "is a share, at most 100".to_owned()));
        }
        for (field, hours) in [
            ("confirm_within_hours", self.confirm_within_hours),
            ("max_age_hours", self.max_age_hours),
        ] {
            if hours < 24 {
                problems.push((field, "two days cannot fit: at least 24".to_owned()));
            }
        }
        problems.extend(self.site.problems());
        problems
    }

    pub(super) fn confirm_within(&self) -> Duration {
        Duration::hours(i64::from(self.confirm_within_hours))
    }

    /// How old the newest observation may be before nothing is known any more.
    pub fn max_age(&self) -> Duration {
        Duration::hours(i64::from(self.max_age_hours))
    }

    pub(super) fn visibility_lag(&self) -> Duration {
        Duration::hours(i64::from(self.visibility_lag_hours))
    }

    pub(super) fn date_tolerance(&self) -> Duration {
        Duration::seconds(i64::from(self.date_tolerance_seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_has_no_problems_and_survives_its_own_file() {
        let policy = Policy::default();
        assert_eq!(policy.problems(), []);
        let text = toml::to_string(&policy).unwrap();
        assert!(text.contains("dormant = \"> 14 days\""), "{text}");
        assert_eq!(toml::from_str::<Policy>(&text).unwrap(), policy);
        assert_eq!(toml::from_str::<Policy>("").unwrap(), policy);
        assert!(toml::from_str::<Policy>("dormnat = \"> 14 days\"").is_err());
    }

    #[test]
    fn numbers_that_contradict_each_other_are_named() {
        for (text, field) in [
            ("dormant = \"> 9 days\"", "dormant"),
            ("zombie = \"> 300 hours\"", "zombie"),
            ("confirmations = 1", "confirmations"),
            ("confirmations_without_canary = 1", "confirmations_without_canary"),
            ("disorder_max_percent = 101", "disorder_max_percent"),
            ("max_age_hours = 23", "max_age_hours"),
            ("confirm_within_hours = 2", "confirm_within_hours"),
        ] {
            let policy: Policy = toml::from_str(text).unwrap();
            let fields: Vec<_> = policy.problems().into_iter().map(|problem| problem.0).collect();
            assert_eq!(fields, [field], "{text}");
        }
    }
}
