use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[notify]`: letters to sponsors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether letters are written and sent at all.
    pub enabled: bool,
    /// Who signs them (落款).
    pub signature: String,
    /// Where printed letters are put; empty: `letters` under `data_dir`.
    pub letters_dir: PathBuf,
    /// No letter is sent before this hour of the day in Asia/Shanghai, 0–23.
    pub send_from_hour: u32,
    /// Most letters a channel sends in a day.
    pub per_day_max: u32,
    /// After so many failed attempts a letter is given up and left to a person.
    pub attempts_max: u32,
    /// The delay after the first failed attempt; it doubles with each, to a day.
    pub retry_first_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            signature: "政务公开工作机构".to_owned(),
            letters_dir: PathBuf::new(),
            send_from_hour: 9,
            per_day_max: 500,
            attempts_max: 8,
            retry_first_minutes: 10,
        }
    }
}

impl Settings {
    /// What is wrong with the settings: each key with the reason.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut wrong =
            |key: &str, reason: &str| problems.push((key.to_owned(), reason.to_owned()));
        if self.send_from_hour > 23 {
            wrong("send_from_hour", "is an hour, 0 to 23");
        }
        if self.attempts_max == 0 {
            wrong("attempts_max", "must be at least 1");
        }
        if !(1..=1440).contains(&self.retry_first_minutes) {
            wrong("retry_first_minutes", "must be from 1 to 1440");
        }
        if self.signature.trim().is_empty() {
            wrong("signature", "must name who signs the letters");
        }
        problems
    }
}
