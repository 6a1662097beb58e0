use serde::{Deserialize, Serialize};

/// `[alert]`: the numbers of the early warning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The share of quiet stretches, 0–1, that end in lasting silence, before anything is known of
    /// the account's rhythm.
    pub stopped_share: f64,
    /// The least surprise, in bits, that is worth a warning: 1 is what happens every other time.
    pub surprise_bits_min: f64,
    /// How many days an explanation of a finding that is still there stands, where whoever took it
    /// down gave no last day; 1 to 366.
    pub explanation_days: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { stopped_share: 0.02, surprise_bits_min: 1.0, explanation_days: 30 }
    }
}

impl Settings {
    /// What is wrong with the numbers: each setting's name with the reason.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if !(self.stopped_share > 0.0 && self.stopped_share < 1.0) {
            problems.push(("stopped_share".to_owned(), "is a share between 0 and 1".to_owned()));
        }
        if !(self.surprise_bits_min >= 0.0 && self.surprise_bits_min <= 64.0) {
            problems.push(("surprise_bits_min".to_owned(), "must be from 0 to 64".to_owned()));
        }
        if !(1..=366).contains(&self.explanation_days) {
            problems.push(("explanation_days".to_owned(), "must be from 1 to 366".to_owned()));
        }
        problems
    }
}
