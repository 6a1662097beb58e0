//! One line: points gained, or points left after deductions.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::scheme::{Deduction, Expression, Gives, IfUndetermined, Line, Subject};

use super::super::card::{LineScore, Loss, NotScored, Outcome, Points};
use super::super::reading::{Reading, Readings, UnknownKind};
use super::ScoreError;
use super::interval::{cut, inputs, interval, reasons, to_points, unknown};

/// What the points of one deduction may be at most, whatever the cap of its line.
const LOSS_MAX: i64 = 1_000_000;

pub(super) fn score(
    line: &Line,
    readings: &Readings,
    subject: &Subject<'_>,
) -> Result<LineScore, ScoreError> {
    let mut used = BTreeMap::new();
    let mut losses = Vec::new();
    let outcome = if !line.scope.holds(subject) {
        Outcome::not(UnknownKind::NotApplicable, "该项不适用于该账号")
    } else {
        match &line.gives {
            Gives::Points(points) => {
                used = inputs(points, readings)?;
                gained(line, points, &used)
            }
            Gives::Deductions(deductions) => {
                for deduction in deductions {
                    losses.push(loss(deduction, readings, &mut used)?);
                }
                left(line.max, &losses)
            }
        }
    };
    let (outcome, assumed) = assume(line, outcome);
    Ok(LineScore {
        id: line.id.clone(),
        title: line.title.clone(),
        clause: line.clause.clone(),
        certainty: line.certainty,
        max: line.max,
        outcome,
        assumed,
        losses,
        inputs: used,
    })
}

fn gained(line: &Line, points: &Expression, inputs: &BTreeMap<String, Reading>) -> Outcome {
    let unknown = unknown(inputs);
    // The gravest: our own ignorance before the platform's silence before nothing to judge.
    match unknown.iter().map(|(_, why)| why.unknown).max() {
        None => match interval(points, inputs) {
            Ok(ends) => Outcome::Scored(cut(ends, line.max)),
            Err(reason) => Outcome::not(UnknownKind::Undetermined, reason),
        },
        Some(UnknownKind::NotApplicable) if line.zero_where_not_applicable => {
            Outcome::Scored(Points::exact(Decimal::ZERO))
        }
        Some(kind) => Outcome::not(kind, reasons(&unknown)),
    }
}

/// The points that one deduction takes away; nothing to judge takes nothing.
fn loss(
    deduction: &Deduction,
    readings: &Readings,
    used: &mut BTreeMap<String, Reading>,
) -> Result<Loss, ScoreError> {
    let mut own = inputs(&deduction.points, readings)?;
    if let Some(when) = &deduction.when {
        own.extend(inputs(when, readings)?);
    }
    let unknown = unknown(&own);
    let outcome = match unknown.iter().map(|(_, why)| why.unknown).max() {
        Some(UnknownKind::NotApplicable) => Outcome::Scored(Points::exact(Decimal::ZERO)),
        Some(kind) => Outcome::not(kind, reasons(&unknown)),
        None => {
            let applies = match &deduction.when {
                Some(when) => interval(when, &only(when, &own)),
                None => Ok([1.0; 3]),
            };
            match (applies, interval(&deduction.points, &only(&deduction.points, &own))) {
                (Ok(applies), Ok(points)) => {
                    let [value, low, high] = [0, 1, 2].map(|end| applies[end] * points[end]);
                    Outcome::Scored(cut([value, low, high], Decimal::from(LOSS_MAX)))
                }
                (Err(reason), _) | (_, Err(reason)) => {
                    Outcome::not(UnknownKind::Undetermined, reason)
                }
            }
        }
    };
    used.extend(own);
    Ok(Loss {
        id: deduction.id.clone(),
        clause: deduction.clause.clone(),
        certainty: deduction.certainty,
        outcome,
    })
}

fn only(expression: &Expression, all: &BTreeMap<String, Reading>) -> BTreeMap<String, Reading> {
    let measures = expression.measures().iter();
    measures.filter_map(|name| Some((name.clone(), all.get(name)?.clone()))).collect()
}

/// What is left of the maximum. A deduction that cannot be told leaves the line open, unless the
/// others have taken everything already.
fn left(max: Decimal, losses: &[Loss]) -> Outcome {
    let known: Vec<Points> = losses.iter().filter_map(|loss| loss.outcome.points()).collect();
    let sum = |end: fn(&Points) -> Decimal| -> Decimal { known.iter().map(end).sum() };
    let rest = |lost: Decimal| to_points((max - lost).max(Decimal::ZERO));
    let open: Vec<&NotScored> = losses
        .iter()
        .filter_map(|loss| match &loss.outcome {
            Outcome::NotScored(why) => Some(why),
            Outcome::Scored(_) => None,
        })
        .collect();
    let surely_lost = sum(|points| points.low);
    match open.iter().map(|why| why.kind).max() {
        Some(_) if surely_lost >= max => Outcome::Scored(Points::exact(Decimal::ZERO)),
        Some(kind) => {
            let each: Vec<&str> = open.iter().map(|why| why.reason.as_str()).collect();
            Outcome::not(kind, each.join(";"))
        }
        None => Outcome::Scored(Points {
            points: rest(sum(|points| points.points)),
            low: rest(sum(|points| points.high)),
            high: rest(surely_lost),
        }),
    }
}

/// What the scheme makes of a line that our own knowledge leaves open.
fn assume(line: &Line, outcome: Outcome) -> (Outcome, Option<String>) {
    let points = match line.undetermined {
        IfUndetermined::NotScored => return (outcome, None),
        IfUndetermined::Favour => line.max,
        IfUndetermined::Against => Decimal::ZERO,
    };
    match outcome {
        Outcome::NotScored(why) if why.kind != UnknownKind::NotApplicable => {
            let taken = if points.is_zero() { "按不得分计" } else { "按满分计" };
            let points = Points { points, low: Decimal::ZERO, high: line.max };
            (Outcome::Scored(points), Some(format!("{taken}:{}", why.reason)))
        }
        outcome => (outcome, None),
    }
}
