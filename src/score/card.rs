//! What a score is made of.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::scheme::{Certainty, Unmeasured};

use super::reading::{Reading, UnknownKind};
use super::verdict::{FlagScore, Verdict};

/// Every score of one account over one period under one scheme, with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreCard {
    /// The scheme's id.
    pub scheme: String,
    /// The scheme's version.
    pub version: String,
    /// `sha256:…` of the scheme's file.
    pub scheme_digest: String,
    /// How sure the scheme is as a whole.
    pub certainty: Certainty,
    /// The row of the assignments that chose the scheme; absent where it was named.
    pub assigned_by: Option<String>,
    /// The period.
    pub period: String,
    /// 监测时间点.
    pub cutoff: DateTime<Utc>,
    /// Pass or fail, where the scheme decides one.
    pub verdict: Option<Verdict>,
    /// Every veto of the scheme, in its order.
    pub vetoes: Vec<FlagScore>,
    /// Every other flag, in the scheme's order.
    pub flags: Vec<FlagScore>,
    /// The dimensions, in the order of the scheme, then its composites.
    pub dimensions: Vec<DimensionScore>,
    /// Items of the authority that nothing measures.
    pub unmeasured: Vec<Unmeasured>,
    /// Every measure as canonical JSON: the inputs of the points.
    pub inputs: String,
    /// `sha256:…` of the facts' canonical JSON.
    pub facts_digest: String,
    /// `sha256:…` of the working days.
    pub calendar_digest: String,
}

impl ScoreCard {
    /// What a roll-up needs of it: scores and vetoes without lines, inputs and digests, small
    /// enough to be kept for very many accounts.
    #[must_use]
    pub fn without_lines(&self) -> Self {
        let flag = |flag: &FlagScore| FlagScore { inputs: BTreeMap::new(), ..flag.clone() };
        let dimension = |one: &DimensionScore| DimensionScore {
            id: one.id.clone(),
            title: one.title.clone(),
            outcome: one.outcome.clone(),
            max: one.max,
            rescaled_from: one.rescaled_from,
            coverage: one.coverage,
            ranked: one.ranked,
            closed: one.closed.clone(),
            lines: Vec::new(),
        };
        Self {
            scheme: self.scheme.clone(),
            version: String::new(),
            scheme_digest: String::new(),
            certainty: self.certainty,
            assigned_by: None,
            period: String::new(),
            cutoff: self.cutoff,
            verdict: self.verdict.clone(),
            vetoes: self.vetoes.iter().map(flag).collect(),
            flags: Vec::new(),
            dimensions: self.dimensions.iter().map(dimension).collect(),
            unmeasured: Vec::new(),
            inputs: String::new(),
            facts_digest: String::new(),
            calendar_digest: String::new(),
        }
    }

    /// The dimension or composite of an id.
    pub fn score(&self, id: &str) -> Option<&DimensionScore> {
        self.dimensions.iter().find(|one| one.id == id)
    }
}

/// Points and the interval that the true points lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// The points at the values shown, to two decimals.
    pub points: Decimal,
    /// The least the bounds allow.
    pub low: Decimal,
    /// The most they allow.
    pub high: Decimal,
}

impl Points {
    /// Points without doubt.
    pub fn exact(points: Decimal) -> Self {
        Self { points, low: points, high: points }
    }

    /// A function of each end that does not fall as its argument rises.
    pub(super) fn map(self, of: impl Fn(Decimal) -> Decimal) -> Self {
        Self { points: of(self.points), low: of(self.low), high: of(self.high) }
    }
}

/// Why something was not scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotScored {
    /// Which kind of not knowing.
    pub kind: UnknownKind,
    /// The reason, in Chinese, naming what is missing.
    pub reason: String,
}

/// Points, or why there are none; never 0 for unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Points.
    Scored(Points),
    /// No points, and why.
    NotScored(NotScored),
}

impl Outcome {
    /// The points, where there are any.
    pub fn points(&self) -> Option<Points> {
        match self {
            Self::Scored(points) => Some(*points),
            Self::NotScored(_) => None,
        }
    }

    pub(super) fn not(kind: UnknownKind, reason: impl Into<String>) -> Self {
        Self::NotScored(NotScored { kind, reason: reason.into() })
    }
}

impl fmt::Display for Outcome {
    /// In Chinese: points, with their bounds where these differ, or the reason why there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scored(Points { points, low, high }) if low == high => write!(f, "{points} 分"),
            Self::Scored(Points { points, low, high }) => write!(f, "{points} 分({low}–{high})"),
            Self::NotScored(why) => write!(f, "未计分:{}", why.reason),
        }
    }
}

/// One dimension's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DimensionScore {
    /// The dimension's id.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The points.
    pub outcome: Outcome,
    /// The most points.
    pub max: Decimal,
    /// Where lines were left out and the others scaled up: the maxima of those others.
    pub rescaled_from: Option<Decimal>,
    /// Covered share of the period, 0–1 to four decimals; absent where nothing could be judged.
    pub coverage: Option<Decimal>,
    /// Whether it may stand in a ranking.
    pub ranked: bool,
    /// Why it was not opened, where a gate stands before it.
    pub closed: Option<String>,
    /// The lines, in the order of the scheme.
    pub lines: Vec<LineScore>,
}

/// One line's points: what was gained, out of what, under which clause, from which inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineScore {
    /// The line's id.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// How sure the clause is.
    pub certainty: Certainty,
    /// The most points.
    pub max: Decimal,
    /// The points.
    pub outcome: Outcome,
    /// Why the scheme gave points all the same, where something could not be told.
    pub assumed: Option<String>,
    /// What was taken away, in the order of the scheme.
    pub losses: Vec<Loss>,
    /// The measures that the line uses.
    pub inputs: BTreeMap<String, Reading>,
}

/// One deduction: how many points it takes, or why that cannot be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// The deduction's id.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// How sure the clause is.
    pub certainty: Certainty,
    /// The points taken away before the cap of the line.
    pub outcome: Outcome,
}
