//! A scheme applied to an account's facts.

use std::collections::BTreeMap;

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};
use thiserror::Error;

use crate::scheme::{Dimension, Expression, Line, Scheme};

use super::card::{DimensionScore, LineScore, NotScored, Outcome, Points, ScoreCard};
use super::facts::json;
use super::reading::{Reading, Unknown, UnknownKind};
use super::{PeriodFacts, catalogue};

/// What stands for an absent upper end: beyond every count of this world, so that what saturates
/// saturates.
const UNBOUNDED: f64 = 1e12;

/// Why nothing could be computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScoreError {
    /// The scheme was compiled over other measures than this catalogue's.
    #[error("the scheme uses the measure {0:?}, which the catalogue does not have")]
    UnknownMeasure(String),
}

/// Scores an account's facts under a scheme.
///
/// The same facts and scheme give the same card, bit for bit.
///
/// # Errors
///
/// Only where the scheme was not compiled over [`super::measure_ids`].
pub fn score(scheme: &Scheme, facts: &PeriodFacts) -> Result<ScoreCard, ScoreError> {
    let readings = catalogue::readings(facts, scheme.reply_deadline_hours);
    let dimensions = scheme
        .dimensions
        .iter()
        .map(|dimension| score_dimension(dimension, &readings))
        .collect::<Result<_, _>>()?;
    Ok(ScoreCard {
        scheme: scheme.id.clone(),
        version: scheme.version.clone(),
        scheme_digest: scheme.digest.clone(),
        period: facts.period.to_string(),
        dimensions,
        inputs: json(&readings),
        facts_digest: facts.digest(),
    })
}

type Readings = BTreeMap<&'static str, Reading>;

fn reading<'a>(readings: &'a Readings, measure: &str) -> Result<&'a Reading, ScoreError> {
    readings.get(measure).ok_or_else(|| ScoreError::UnknownMeasure(measure.to_owned()))
}

fn score_dimension(
    dimension: &Dimension,
    readings: &Readings,
) -> Result<DimensionScore, ScoreError> {
    let lines: Vec<LineScore> =
        dimension.lines.iter().map(|line| score_line(line, readings)).collect::<Result<_, _>>()?;
    let coverage = reading(readings, "coverage")?.known().ok().map(|coverage| coverage.value);
    let coverage = coverage.and_then(Decimal::from_f64).map(|share| share.round_dp(4));
    let max: Decimal = lines.iter().map(|line| line.max).sum();
    let (outcome, rescaled_from) = match coverage {
        Some(share) if share < dimension.coverage_min => (
            Outcome::NotScored(NotScored {
                kind: UnknownKind::Undetermined,
                reason: format!("覆盖率 {share} 低于方案要求的 {}", dimension.coverage_min),
            }),
            None,
        ),
        _ => total(dimension, &lines, max),
    };
    let ranked = match &dimension.ranking {
        None => true,
        Some(ranking) => {
            let count = reading(readings, &ranking.measure)?.known();
            count.is_ok_and(|count| Some(count.low) >= ranking.at_least.to_f64())
        }
    } && outcome.points().is_some();
    let (id, title) = (dimension.id.clone(), dimension.title.clone());
    Ok(DimensionScore { id, title, outcome, max, rescaled_from, coverage, ranked, lines })
}

/// The sum of the lines, in the order of the scheme; scaled up where the scheme allows it and what
/// is missing is missing for a reason other than our own ignorance.
fn total(dimension: &Dimension, lines: &[LineScore], max: Decimal) -> (Outcome, Option<Decimal>) {
    let missing: Vec<(&LineScore, &NotScored)> = lines
        .iter()
        .filter_map(|line| match &line.outcome {
            Outcome::NotScored(why) => Some((line, why)),
            Outcome::Scored(_) => None,
        })
        .collect();
    let scored: Vec<(Points, Decimal)> = lines
        .iter()
        .filter_map(|line| line.outcome.points().map(|points| (points, line.max)))
        .collect();
    let scored_max: Decimal = scored.iter().map(|(_, max)| *max).sum();
    let undetermined = missing.iter().any(|(_, why)| why.kind == UnknownKind::Undetermined);
    let enough = dimension.rescale_from.is_some_and(|least| scored_max >= least);
    if !missing.is_empty() && (undetermined || !enough || scored_max.is_zero()) {
        let reasons: Vec<String> =
            missing.iter().map(|(line, why)| format!("{}:{}", line.title, why.reason)).collect();
        // The gravest: our own ignorance before the platform's silence before nothing to judge.
        let kind = missing.iter().map(|(_, why)| why.kind).max();
        return (
            Outcome::NotScored(NotScored {
                kind: kind.unwrap_or(UnknownKind::Undetermined),
                reason: reasons.join(";"),
            }),
            None,
        );
    }
    let sum = |end: fn(&Points) -> Decimal| {
        let sum: Decimal = scored.iter().map(|(points, _)| end(points)).sum();
        if missing.is_empty() { sum } else { to_points(sum * max / scored_max) }
    };
    let points = Points { points: sum(|p| p.points), low: sum(|p| p.low), high: sum(|p| p.high) };
    (Outcome::Scored(points), (!missing.is_empty()).then_some(scored_max))
}

fn to_points(points: Decimal) -> Decimal {
    points.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn score_line(line: &Line, readings: &Readings) -> Result<LineScore, ScoreError> {
    let mut inputs = BTreeMap::new();
    for measure in line.points.measures() {
        inputs.insert(measure.clone(), reading(readings, measure)?.clone());
    }
    let unknown: Vec<(&String, &Unknown)> = inputs
        .iter()
        .filter_map(|(measure, reading)| reading.known().err().map(|why| (measure, why)))
        .collect();
    // The gravest: our own ignorance before the platform's silence before nothing to judge.
    let outcome = match unknown.iter().map(|(_, why)| why.unknown).max() {
        None => match interval(&line.points, &inputs) {
            Ok(ends) => Outcome::Scored(cut(ends, line.max)),
            Err(reason) => {
                Outcome::NotScored(NotScored { kind: UnknownKind::Undetermined, reason })
            }
        },
        Some(UnknownKind::NotApplicable) if line.zero_where_not_applicable => {
            Outcome::Scored(cut([0.0; 3], line.max))
        }
        Some(kind) => {
            let reasons: Vec<String> =
                unknown.iter().map(|(measure, why)| format!("{measure} {}", why.reason)).collect();
            Outcome::NotScored(NotScored { kind, reason: reasons.join(";") })
        }
    };
    Ok(LineScore {
        id: line.id.clone(),
        title: line.title.clone(),
        clause: line.clause.clone(),
        max: line.max,
        outcome,
        inputs,
    })
}

/// The points at the values, and their least and most over every combination of the measures'
/// ends: the points rise or fall evenly in each measure, which compiling has checked.
fn interval(points: &Expression, inputs: &BTreeMap<String, Reading>) -> Result<[f64; 3], String> {
    let known: Vec<(&str, [f64; 3])> = inputs
        .iter()
        .filter_map(|(measure, reading)| {
            let quantity = reading.known().ok()?;
            let high = quantity.high.unwrap_or(UNBOUNDED);
            Some((measure.as_str(), [quantity.value, quantity.low, high]))
        })
        .collect();
    let value = points.evaluate(&known.iter().map(|(name, ends)| (*name, ends[0])).collect())?;
    let bounded: Vec<usize> =
        (0..known.len()).filter(|at| known[*at].1[1] != known[*at].1[2]).collect();
    let (mut low, mut high) = (value, value);
    for corner in 0..1u32 << bounded.len() {
        let mut values: BTreeMap<&str, f64> =
            known.iter().map(|(name, ends)| (*name, ends[0])).collect();
        for (bit, at) in bounded.iter().enumerate() {
            let (name, ends) = known[*at];
            values.insert(name, ends[if corner >> bit & 1 == 0 { 1 } else { 2 }]);
        }
        let points = points.evaluate(&values)?;
        low = low.min(points);
        high = high.max(points);
    }
    Ok([value, low, high])
}

/// Cuts to 0..max and rounds half away from zero to two decimals, so that what is printed adds up.
fn cut(ends: [f64; 3], max: Decimal) -> Points {
    let [points, low, high] = ends.map(|end| {
        let end = Decimal::from_f64(end.clamp(0.0, 1e9)).unwrap_or_default();
        to_points(end.min(max))
    });
    Points { points, low, high }
}
