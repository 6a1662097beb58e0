//! A scheme applied to an account's facts.

mod flag;
mod interval;
mod line;
mod overall;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use thiserror::Error;

use crate::scheme::{Dimension, Rescale, Scheme, Subject};

use super::card::{DimensionScore, LineScore, NotScored, Outcome, Points, ScoreCard};
use super::facts::json;
use super::measure::ledger::is_judged;
use super::measured::Measured;
use super::reading::{Reading, Readings, UnknownKind};
use super::window::Tables;
use super::{PeriodFacts, SubjectFact};

pub(super) use interval::to_points;

/// Why nothing could be computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScoreError {
    /// The scheme was compiled over other measures than this catalogue's.
    #[error("the scheme uses the measure {0:?}, which the catalogue does not have")]
    UnknownMeasure(String),
}

/// Scores an account's facts under a scheme.
///
/// The same arguments give the same card, bit for bit. `beside` are the numbers that only a
/// comparison with other accounts gives (`beside`); without them they are undetermined.
///
/// # Errors
///
/// Only where the scheme was not compiled over [`super::measure_ids`].
pub fn score(
    scheme: &Scheme,
    facts: &PeriodFacts,
    beside: &BTreeMap<String, Reading>,
    tables: Tables<'_>,
) -> Result<ScoreCard, ScoreError> {
    card(scheme, &Measured::of(scheme, facts, tables), &facts.subject, beside, tables)
}

/// Scores an account from what was measured of its facts: [`score`] in two steps.
///
/// # Errors
///
/// As [`score`].
pub fn card(
    scheme: &Scheme,
    measured: &Measured,
    of: &SubjectFact,
    beside: &BTreeMap<String, Reading>,
    tables: Tables<'_>,
) -> Result<ScoreCard, ScoreError> {
    let readings = measured.beside(&scheme.declared, beside);
    let subject = of.subject();
    let mut dimensions = Vec::new();
    for dimension in &scheme.dimensions {
        let one = score_dimension(dimension, &readings, &subject, &dimensions)?;
        dimensions.push(one);
    }
    overall::composites(&scheme.composites, &mut dimensions);
    let flags = |flags| flag::all(flags, &readings, &subject);
    let (vetoes, others) = (flags(&scheme.vetoes)?, flags(&scheme.flags)?);
    let judged = is_judged(scheme, of.lifecycle);
    let verdict = overall::verdict(scheme, judged, &vetoes, &dimensions);
    Ok(ScoreCard {
        scheme: scheme.id.clone(),
        version: scheme.version.clone(),
        scheme_digest: scheme.digest.clone(),
        certainty: scheme.certainty,
        assigned_by: None,
        period: measured.period.to_string(),
        cutoff: measured.cutoff,
        verdict,
        vetoes,
        flags: others,
        dimensions,
        unmeasured: scheme.unmeasured.clone(),
        inputs: json(&readings),
        facts_digest: measured.facts_digest.clone(),
        calendar_digest: tables.calendar.digest().to_owned(),
    })
}

fn reading<'a>(readings: &'a Readings, measure: &str) -> Result<&'a Reading, ScoreError> {
    readings.get(measure).ok_or_else(|| ScoreError::UnknownMeasure(measure.to_owned()))
}

fn score_dimension(
    dimension: &Dimension,
    readings: &Readings,
    subject: &Subject<'_>,
    before: &[DimensionScore],
) -> Result<DimensionScore, ScoreError> {
    let lines: Vec<LineScore> = dimension
        .lines
        .iter()
        .map(|line| line::score(line, readings, subject))
        .collect::<Result<_, _>>()?;
    let coverage = reading(readings, "coverage")?.known().ok().map(|coverage| coverage.value);
    let coverage = coverage.and_then(Decimal::from_f64).map(|share| share.round_dp(4));
    let max: Decimal = lines.iter().map(|line| line.max).sum();
    let closed = dimension.gate.as_ref().map(|gate| overall::gate(gate, before));
    let (outcome, rescaled_from, closed) = match (closed, coverage) {
        (Some(overall::Gate::Closed(why)), _) => {
            (Outcome::Scored(Points::exact(Decimal::ZERO)), None, Some(why))
        }
        (Some(overall::Gate::Unknown(why)), _) => {
            (Outcome::not(UnknownKind::Undetermined, why.clone()), None, Some(why))
        }
        (_, Some(share)) if share < dimension.coverage_min => {
            let reason = format!("覆盖率 {share} 低于方案要求的 {}", dimension.coverage_min);
            (Outcome::not(UnknownKind::Undetermined, reason), None, None)
        }
        (Some(overall::Gate::Ajar), _) => {
            let (outcome, rescaled) = total(dimension, &lines, max);
            (overall::ajar(outcome), rescaled, None)
        }
        _ => {
            let (outcome, rescaled) = total(dimension, &lines, max);
            (outcome, rescaled, None)
        }
    };
    let ranked = match &dimension.ranking {
        None => true,
        Some(ranking) => {
            let count = reading(readings, &ranking.measure)?.known();
            count.is_ok_and(|count| Some(count.low) >= ranking.at_least.to_f64())
        }
    } && outcome.points().is_some();
    let (id, title) = (dimension.id.clone(), dimension.title.clone());
    Ok(DimensionScore { id, title, outcome, max, rescaled_from, coverage, ranked, closed, lines })
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
        return (Outcome::not(kind.unwrap_or(UnknownKind::Undetermined), reasons.join(";")), None);
    }
    let each = Decimal::from(scored.len().max(1));
    let share = (max - scored_max) / each;
    let sum = |end: fn(&Points) -> Decimal| -> Decimal {
        if missing.is_empty() {
            return scored.iter().map(|(points, _)| end(points)).sum();
        }
        match dimension.rescale {
            Rescale::Scale => {
                let sum: Decimal = scored.iter().map(|(points, _)| end(points)).sum();
                to_points(sum * max / scored_max)
            }
            Rescale::Spread => {
                let spread = |(points, of): &(Points, Decimal)| match of.is_zero() {
                    true => Decimal::ZERO,
                    false => end(points) * (*of + share) / *of,
                };
                to_points(scored.iter().map(spread).sum())
            }
        }
    };
    let points = Points { points: sum(|p| p.points), low: sum(|p| p.low), high: sum(|p| p.high) };
    (Outcome::Scored(points), (!missing.is_empty()).then_some(scored_max))
}
