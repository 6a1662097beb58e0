use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::EvidenceClass;

/// The longest retention, in days: beyond it lies a slip of the pen.
const DAYS_MAX: u32 = 36_600;

/// `[evidence]`: which answers are kept as evidence, where, and how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Off: nothing is kept, and findings say that their evidence is missing.
    pub enabled: bool,
    /// Where closed segments lie; empty: `evidence` in `data_dir`.
    pub store_dir: PathBuf,
    /// A segment is closed once it is so large; also at the end of the day (Asia/Shanghai).
    pub segment_bytes_max: u64,
    /// Nothing is written where less than this is free, so that the database keeps its room.
    pub free_bytes_min: u64,
    /// gzip, 1 (fast) to 9 (small).
    pub gzip_level: u32,
    /// How often closed segments are stored, ended days are sealed, and retention looks.
    pub keep_seconds: u64,
    /// How long an ended day waits for visits that are still being written, in minutes.
    pub seal_after_minutes: u32,
    /// Days that answers are kept which showed something new; 0: for ever. What a finding or an
    /// assessment has pinned stays in any case.
    pub change_days: u32,
    /// The same of answers that confirm silence or disappearance.
    pub proof_days: u32,
    /// The same of ordinary looks.
    pub routine_days: u32,
    /// The same of answers that were no observation.
    pub trouble_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            store_dir: PathBuf::new(),
            segment_bytes_max: 64 * 1024 * 1024,
            free_bytes_min: 1024 * 1024 * 1024,
            gzip_level: 1,
            keep_seconds: 60,
            seal_after_minutes: 10,
            change_days: 400,
            proof_days: 400,
            routine_days: 130,
            trouble_days: 30,
        }
    }
}

impl Settings {
    /// Everything wrong with the values, as (key below `evidence`, reason).
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut within = |field: &str, value: u64, least: u64, most: u64| {
            if !(least..=most).contains(&value) {
                let reason = format!("must be from {least} to {most}, not {value}");
                problems.push((field.to_owned(), reason));
            }
        };
        within("segment_bytes_max", self.segment_bytes_max, 1024 * 1024, 1024 * 1024 * 1024);
        within("free_bytes_min", self.free_bytes_min, 0, 1 << 50);
        within("gzip_level", self.gzip_level.into(), 1, 9);
        within("keep_seconds", self.keep_seconds, 1, 86_400);
        within("seal_after_minutes", self.seal_after_minutes.into(), 0, 24 * 60);
        for (field, days) in [
            ("change_days", self.change_days),
            ("proof_days", self.proof_days),
            ("routine_days", self.routine_days),
            ("trouble_days", self.trouble_days),
        ] {
            // A repeat must not outlive by much the answer it refers to; see `refer_back_days`.
            if days != 0 {
                within(field, days.into(), 2, DAYS_MAX.into());
            }
        }
        problems
    }

    /// How many days records of a class are kept; `None`: for ever.
    pub fn days(&self, class: EvidenceClass) -> Option<u32> {
        let days = match class {
            EvidenceClass::Change => self.change_days,
            EvidenceClass::Proof => self.proof_days,
            EvidenceClass::Routine => self.routine_days,
            EvidenceClass::Trouble => self.trouble_days,
            EvidenceClass::Resource => 0,
        };
        (days > 0).then_some(days)
    }

    /// How old, in days, an answer may be for a repeat to refer to it: half the shortest retention,
    /// at most 30, so that it is never about to be dropped.
    pub fn refer_back_days(&self) -> u32 {
        let kept = EvidenceClass::ALL.iter().filter_map(|class| self.days(*class));
        kept.min().unwrap_or(60).min(60) / 2
    }
}
