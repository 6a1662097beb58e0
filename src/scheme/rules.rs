use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Activity, Expression};

/// A versioned, dated set of rules of one authority.
#[derive(Debug)]
pub struct Scheme {
    /// The id: lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// Who issued it, with the number of the document where there is one.
    pub authority: String,
    /// The version of the rules, as their authority counts.
    pub version: String,
    /// The first day on which it judges.
    pub effective_from: NaiveDate,
    /// The last day on which it judges; open where absent.
    pub effective_until: Option<NaiveDate>,
    /// `sha256:…` of the file: what a result names as its rules.
    pub digest: String,
    /// The tiers of silence.
    pub activity: Activity,
    /// A message is overdue when it is not answered this long after it was asked.
    pub reply_deadline_hours: u32,
    /// The dimensions, in the order of the file.
    pub dimensions: Vec<Dimension>,
}

/// One score, such as 勤勉度.
#[derive(Debug)]
pub struct Dimension {
    /// The id, unique in the scheme.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The least covered share of the period, 0–1, below which nothing is scored.
    pub coverage_min: Decimal,
    /// Where lines cannot be scored because the platform does not show what they need, or there is
    /// nothing to judge: the least sum of the others' maxima from which those are scaled up to the
    /// full sum. Absent: one line that is not scored leaves the dimension not scored.
    pub rescale_from: Option<Decimal>,
    /// When the result may stand in a ranking; absent: always.
    pub ranking: Option<Ranking>,
    /// The lines, in the order of the file.
    pub lines: Vec<Line>,
}

/// A result rests on enough only from here on.
#[derive(Debug)]
pub struct Ranking {
    /// The measure counted.
    pub measure: String,
    /// The least count.
    pub at_least: Decimal,
}

/// One indicator: what earns points and under which clause.
#[derive(Debug)]
pub struct Line {
    /// The id, unique in the dimension.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause it follows, or why it is there.
    pub clause: String,
    /// The points; results are cut to 0 and `max`.
    pub points: Expression,
    /// The most points.
    pub max: Decimal,
    /// Whether nothing to judge earns 0 points (no post, no interaction) rather than none being
    /// given; `not_applicable = "zero"` in the file.
    pub zero_where_not_applicable: bool,
}
