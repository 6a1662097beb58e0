//! What stands after the accounts of a bundle: roll-ups to whoever answers for them, and rankings.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::super::facts::json;
use super::super::{Outcome, Points};

/// One line after the accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Summary {
    /// The score of whoever answers for several accounts.
    Rollup(SubjectScore),
    /// A part of a ranking.
    Ranking(Ranking),
}

/// The score of a sponsor, supervisor or area under one roll-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectScore {
    /// The scheme.
    pub scheme: String,
    /// The roll-up.
    pub id: String,
    /// Its Chinese title.
    pub title: String,
    /// Its clause.
    pub clause: String,
    /// To whom it rolls up: the word of the scheme.
    pub to: String,
    /// The sponsor or supervisor by name, the area by its digits.
    pub subject: String,
    /// How many accounts they answer for.
    pub accounts: u64,
    /// The points.
    pub outcome: Outcome,
    /// Each part before its weight.
    pub parts: Vec<SubjectPart>,
    /// The accounts (账号编号) whose veto lowered it.
    pub vetoed: Vec<String>,
    /// The accounts that do not count, each with the reason.
    pub left_out: Vec<(String, String)>,
}

/// One part of a roll-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectPart {
    /// The dimension or composite.
    pub of: String,
    /// Its weight.
    pub weight: Decimal,
    /// The points before the weight.
    pub outcome: Outcome,
    /// How many accounts count.
    pub accounts: u64,
}

/// Places by one score, or at most a thousand of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// The scheme.
    pub scheme: String,
    /// The dimension, composite or roll-up.
    pub of: String,
    /// Its Chinese title.
    pub title: String,
    /// Whoever may be ranked, the first places first; whose bounds overlap share a place.
    pub places: Vec<Placed>,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// 账号编号, or the subject of a roll-up.
    pub key: String,
    /// The points.
    pub points: Points,
    /// The place by the points shown, 1 for the most.
    pub place: u64,
    /// The best place that the bounds allow.
    pub best: u64,
    /// The worst.
    pub worst: u64,
}

impl Summary {
    /// Its line, without line end.
    pub fn line(&self) -> String {
        json(self)
    }

    /// Reads a line; `None` where it is no summary.
    pub fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Whether a line begins as a summary does, and no account.
    pub fn begins(line: &str) -> bool {
        line.starts_with("{\"rollup\":") || line.starts_with("{\"ranking\":")
    }
}
