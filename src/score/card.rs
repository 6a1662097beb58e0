//! What a score is made of.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::reading::{Reading, UnknownKind};

/// Every score of one account over one period under one scheme, with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreCard {
    /// The scheme's id.
    pub scheme: String,
    /// The scheme's version.
    pub version: String,
    /// `sha256:…` of the scheme's file.
    pub scheme_digest: String,
    /// The period.
    pub period: String,
    /// The dimensions, in the order of the scheme.
    pub dimensions: Vec<DimensionScore>,
    /// Every measure as canonical JSON: the inputs of the points.
    pub inputs: String,
    /// `sha256:…` of the facts' canonical JSON.
    pub facts_digest: String,
}

/// Points and the interval that the true points lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Points {
    /// The points at the values shown, to two decimals.
    pub points: Decimal,
    /// The least the bounds allow.
    pub low: Decimal,
    /// The most they allow.
    pub high: Decimal,
}

/// Why something was not scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotScored {
    /// Which kind of not knowing.
    pub kind: UnknownKind,
    /// The reason, in Chinese, naming what is missing.
    pub reason: String,
}

/// Points, or why there are none; never 0 for unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
}

/// One dimension's score.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// The lines, in the order of the scheme.
    pub lines: Vec<LineScore>,
}

/// One line's points: what was gained, out of what, under which clause, from which inputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineScore {
    /// The line's id.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// The most points.
    pub max: Decimal,
    /// The points.
    pub outcome: Outcome,
    /// The measures that the line uses.
    pub inputs: BTreeMap<String, Reading>,
}
