use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// `[schedule]`: how often targets are visited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Two visits of one target are never closer than this.
    pub revisit_min_minutes: u32,
    /// Nor further apart, as long as they succeed. Not above the age at which a silent verdict
    /// lapses (3 days).
    pub revisit_max_hours: u32,
    /// The time between visits of an account with weight 1 that pushes once a day at no particular
    /// hour. It sets the least price of a visit; accounts with habits are visited less and found
    /// sooner for the same price.
    pub revisit_at_one_post_a_day_hours: f64,
    /// The time between visits of a canary.
    pub canary_interval_minutes: u32,
    /// The delay after the first failure in a row; it doubles with each further one.
    pub retry_first_minutes: u32,
    /// The longest such delay.
    pub retry_max_hours: u32,
    /// How long before a silence crossing an unconditional visit is made.
    pub deadline_lead_hours: u32,
    /// How long after a confirmation a silent account is confirmed again.
    pub confirmation_interval_hours: u32,
    /// How soon a visit that was owed, was made and did not bring what it was for is made again.
    pub owed_retry_minutes: u32,
    /// Visits due at one instant are spread over this time by account.
    pub spread_minutes: u32,
    /// How late an observation may be that shows a post at 1, 3 or 7 days, in percent of that age.
    pub sample_tolerance_percent: u8,
    /// How long before a scheme's cutoff an observation counts as one of the cutoff.
    pub cutoff_tolerance_hours: u32,
    /// The probability, at most, that more posts are new at a visit than it can list.
    pub page_full_max: f64,
    /// The share of a host's limit that is spent on ordinary visits in a day, in percent. The rest
    /// is for further pages, robots.txt and what is owed at once.
    pub budget_percent: u8,
    /// Importance by category or role of the ledger (类别, 角色): twice the weight, about 1.4 times
    /// the visits. An account with both has the greater; what is not named has 1.
    pub weights: BTreeMap<String, f64>,
    /// Posts of the prior belief in a new account's rate.
    pub prior_posts: f64,
    /// Days in which the prior's posts were made.
    pub prior_days: f64,
    /// After this many days what was observed counts half.
    pub rate_half_life_days: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            revisit_min_minutes: 30,
            revisit_max_hours: 48,
            revisit_at_one_post_a_day_hours: 6.0,
            canary_interval_minutes: 60,
            retry_first_minutes: 30,
            retry_max_hours: 24,
            deadline_lead_hours: 24,
            confirmation_interval_hours: 36,
            owed_retry_minutes: 120,
            spread_minutes: 30,
            sample_tolerance_percent: 25,
            cutoff_tolerance_hours: 24,
            page_full_max: 0.01,
            budget_percent: 80,
            weights: BTreeMap::new(),
            prior_posts: 0.5,
            prior_days: 0.5,
            rate_half_life_days: 60.0,
        }
    }
}

impl Settings {
    /// Everything wrong with the values, as (key below `schedule`, reason); empty where all is
    /// well.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut refuse = |field: &str, reason: &str| {
            problems.push((field.to_owned(), reason.to_owned()));
        };
        let positive = [
            ("revisit_at_one_post_a_day_hours", self.revisit_at_one_post_a_day_hours),
            ("prior_posts", self.prior_posts),
            ("prior_days", self.prior_days),
            ("rate_half_life_days", self.rate_half_life_days),
            ("revisit_min_minutes", f64::from(self.revisit_min_minutes)),
            ("retry_first_minutes", f64::from(self.retry_first_minutes)),
        ];
        for (field, _) in positive.into_iter().filter(|(_, value)| value.is_nan() || *value <= 0.0)
        {
            refuse(field, "must be above 0");
        }
        if self.revisit_min() > self.revisit_max() {
            refuse("revisit_max_hours", "must not be below revisit_min_minutes");
        }
        if self.canary_interval() < self.revisit_min() {
            refuse("canary_interval_minutes", "must not be below revisit_min_minutes");
        }
        if self.retry_max() < self.retry_first() {
            refuse("retry_max_hours", "must not be below retry_first_minutes");
        }
        // Two confirmations at most three days apart prove silence.
        if self.confirmation_interval_hours > 72 {
            refuse("confirmation_interval_hours", "must be at most 72");
        }
        if self.deadline_lead_hours > 72 {
            refuse("deadline_lead_hours", "must be at most 72");
        }
        if !(self.page_full_max > 0.0 && self.page_full_max < 1.0) {
            refuse("page_full_max", "must be above 0 and below 1");
        }
        if !(1..=100).contains(&self.budget_percent) {
            refuse("budget_percent", "must be 1 to 100");
        }
        if !(1..=100).contains(&self.sample_tolerance_percent) {
            refuse("sample_tolerance_percent", "must be 1 to 100");
        }
        if !(1..=72).contains(&self.cutoff_tolerance_hours) {
            refuse("cutoff_tolerance_hours", "must be 1 to 72");
        }
        for (name, weight) in &self.weights {
            if !(*weight > 0.0 && *weight <= 1000.0) {
                refuse(&format!("weights.{name}"), "must be above 0 and at most 1000");
            }
        }
        problems
    }

    /// The least price of a visit, in push-hours: what a push a day waits in half the interval of
    /// such an account, λ·I²/2.
    pub fn base_price(&self) -> f64 {
        self.revisit_at_one_post_a_day_hours.powi(2) / 48.0
    }

    /// The weight of an account by what the ledger calls it.
    pub fn weight(&self, category: Option<&str>, role: Option<&str>) -> f64 {
        let named = [category, role].into_iter().flatten();
        let weights = named.filter_map(|name| self.weights.get(name)).copied();
        weights
            .fold(None, |one: Option<f64>, other| Some(one.map_or(other, |one| one.max(other))))
            .unwrap_or(1.0)
    }

    /// How much something of this age still counts: half after each half-life.
    pub(super) fn kept(&self, age: TimeDelta) -> f64 {
        let days = age.as_seconds_f64().max(0.0) / 86_400.0;
        (-days / self.rate_half_life_days).exp2()
    }

    pub(super) fn revisit_min(&self) -> TimeDelta {
        TimeDelta::minutes(self.revisit_min_minutes.into())
    }

    pub(super) fn revisit_max(&self) -> TimeDelta {
        TimeDelta::hours(self.revisit_max_hours.into())
    }

    pub(super) fn canary_interval(&self) -> TimeDelta {
        TimeDelta::minutes(self.canary_interval_minutes.into())
    }

    pub(super) fn retry_first(&self) -> TimeDelta {
        TimeDelta::minutes(self.retry_first_minutes.into())
    }

    pub(super) fn retry_max(&self) -> TimeDelta {
        TimeDelta::hours(self.retry_max_hours.into())
    }

    pub(super) fn deadline_lead(&self) -> TimeDelta {
        TimeDelta::hours(self.deadline_lead_hours.into())
    }

    pub(super) fn confirmation_interval(&self) -> TimeDelta {
        TimeDelta::hours(self.confirmation_interval_hours.into())
    }

    pub(super) fn owed_retry(&self) -> TimeDelta {
        TimeDelta::minutes(self.owed_retry_minutes.into())
    }

    pub(super) fn spread(&self) -> TimeDelta {
        TimeDelta::minutes(self.spread_minutes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported_with_its_key() {
        assert_eq!(Settings::default().problems(), []);
        let settings: Settings = toml::from_str(
            "revisit_min_minutes = 0\nprior_days = nan\nretry_max_hours = 0\n\
             canary_interval_minutes = 0\nrevisit_max_hours = 0\nconfirmation_interval_hours = 73",
        )
        .unwrap();
        let fields: Vec<_> = settings.problems().into_iter().map(|one| one.0).collect();
        let expected =
            ["prior_days", "revisit_min_minutes", "retry_max_hours", "confirmation_interval_hours"];
        assert_eq!(fields, expected);
    }
}
