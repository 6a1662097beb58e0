use serde::{Deserialize, Serialize};

use super::settings::Settings;

/// How often an account posts, as a Gamma–Poisson posterior with exponential forgetting.
///
/// The posterior of the rate is Gamma(prior posts + posts, prior days + days), in posts per day.
/// Only what was observed is kept here; the prior is added when the rate is asked for, so that it
/// may be changed later. Forgetting leads back to the prior.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Rate {
    /// Posts observed, each weighted by its age.
    pub posts: f64,
    /// Days observed, each weighted by its age; at most the half-life ÷ ln 2.
    pub days: f64,
}

impl Rate {
    /// Adds the posts of a covered stretch of `days` that ends now and follows the one before.
    ///
    /// A stretch that is not a positive number of days teaches nothing.
    pub fn observe(&mut self, posts: u32, days: f64, settings: &Settings) {
        if !(days > 0.0 && days.is_finite()) {
            return;
        }
        let kept = (-days * std::f64::consts::LN_2 / settings.rate_half_life_days).exp();
        // The weight of each instant of the stretch is that of its age, taken together.
        let weight = (1.0 - kept) * settings.rate_half_life_days / std::f64::consts::LN_2 / days;
        self.posts = self.posts * kept + f64::from(posts) * weight;
        self.days = self.days * kept + days * weight;
    }

    /// Mean of the posterior, in posts per day.
    pub fn posts_per_day(&self, settings: &Settings) -> f64 {
        (settings.prior_posts + self.posts) / (settings.prior_days + self.days)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_account_has_the_rate_of_the_prior() {
        assert_eq!(Rate::default().posts_per_day(&Settings::default()), 1.0);
    }

    #[test]
    fn a_change_of_habit_is_learned_and_the_old_one_forgotten() {
        let settings = Settings::default();
        let mut rate = Rate::default();
        (0..400).for_each(|_| rate.observe(4, 1.0, &settings));
        assert!((rate.posts_per_day(&settings) - 4.0).abs() < 0.05);
        (0..60).for_each(|_| rate.observe(0, 1.0, &settings));
        assert!((rate.posts_per_day(&settings) - 2.0).abs() < 0.1);
        (0..600).for_each(|_| rate.observe(0, 1.0, &settings));
        assert!(rate.posts_per_day(&settings) < 0.02);
    }

    #[test]
    fn impossible_stretches_teach_nothing() {
        let mut rate = Rate::default();
        for days in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            rate.observe(5, days, &Settings::default());
        }
        assert_eq!(rate, Rate::default());
    }

    proptest! {
        #[test]
        fn a_rate_is_positive_and_not_above_what_was_seen(
            stretches in prop::collection::vec((0..50u32, 0.01..90.0f64), 0..30),
        ) {
            let settings = Settings::default();
            let mut rate = Rate::default();
            let mut highest: f64 = 1.0;
            for (posts, days) in stretches {
                rate.observe(posts, days, &settings);
                highest = highest.max(f64::from(posts) / days);
                let mean = rate.posts_per_day(&settings);
                prop_assert!(mean > 0.0 && mean <= highest * 1.000_001);
            }
        }

        #[test]
        fn how_a_stretch_is_cut_does_not_matter_to_the_days(
            days in 0.1..90.0f64,
            cuts in 1..20u32,
        ) {
            let settings = Settings::default();
            let (mut whole, mut pieces) = (Rate::default(), Rate::default());
            whole.observe(0, days, &settings);
            (0..cuts).for_each(|_| pieces.observe(0, days / f64::from(cuts), &settings));
            prop_assert!((whole.days - pieces.days).abs() < 1e-9);
        }
    }
}
