//! Scores of whoever answers for several accounts.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::scheme::{How, Rollup, RollupPart, Subject};

use super::card::{NotScored, Outcome, Points, ScoreCard};
use super::reading::UnknownKind;
use super::scoring::to_points;
use super::verdict::VerdictWord;

/// The score of a sponsor, supervisor or area.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RollupScore {
    /// The roll-up's id.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// The points.
    pub outcome: Outcome,
    /// Each part with its accounts.
    pub parts: Vec<PartScore>,
    /// The accounts whose veto lowered it, by place in the input.
    pub vetoed: Vec<usize>,
    /// Accounts that are listed and do not count, by place, with the reason.
    pub left_out: Vec<(usize, String)>,
}

/// One part of a roll-up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartScore {
    /// The dimension or composite.
    pub of: String,
    /// Its weight.
    pub weight: Decimal,
    /// The points before the weight.
    pub outcome: Outcome,
    /// How many accounts count.
    pub accounts: usize,
}

/// Rolls up the cards of one subject's accounts.
///
/// An account whose score cannot be told is listed and left out, so that a failed crawl neither
/// helps nor harms; where none can, there is no score.
pub fn roll_up(rollup: &Rollup, accounts: &[(Subject<'_>, &ScoreCard)]) -> RollupScore {
    let mut left_out = Vec::new();
    let parts: Vec<PartScore> =
        rollup.parts.iter().map(|part| one_part(part, accounts, &mut left_out)).collect();
    let present: Vec<(&PartScore, Points)> = parts
        .iter()
        .filter_map(|part| part.outcome.points().map(|points| (part, points)))
        .collect();
    let (weight, whole): (Decimal, Decimal) = (
        present.iter().map(|(part, _)| part.weight).sum(),
        parts.iter().map(|part| part.weight).sum(),
    );
    let complete = present.len() == parts.len();
    let vetoed: Vec<usize> = (0..accounts.len()).filter(|at| is_failed(accounts[*at].1)).collect();
    let outcome = if (complete || rollup.rescale_missing) && !weight.is_zero() {
        let scale = if complete { Decimal::ONE } else { whole / weight };
        let sum = |end: fn(&Points) -> Decimal| -> Decimal {
            present.iter().map(|(part, points)| end(points) * part.weight).sum::<Decimal>() * scale
        };
        let points =
            Points { points: sum(|p| p.points), low: sum(|p| p.low), high: sum(|p| p.high) };
        Outcome::Scored(lowered(rollup, accounts, &vetoed, points).map(to_points))
    } else if let (Some(cap), false) = (rollup.any_veto, vetoed.is_empty()) {
        Outcome::Scored(Points { points: cap, low: Decimal::ZERO, high: cap })
    } else {
        missing(&parts)
    };
    RollupScore {
        id: rollup.id.clone(),
        title: rollup.title.clone(),
        clause: rollup.clause.clone(),
        outcome,
        parts,
        vetoed,
        left_out,
    }
}

/// Whether a veto holds; a low score is none.
fn is_failed(card: &ScoreCard) -> bool {
    let judged = card.verdict.as_ref().is_none_or(|one| one.result != VerdictWord::NotJudged);
    judged && card.vetoes.iter().any(|veto| veto.state.holds() == Some(true))
}

fn is_open(card: &ScoreCard) -> bool {
    card.vetoes.iter().any(|veto| veto.state.holds().is_none())
}

/// One vetoed account leaves at most the cap (一票否决计 59 分); one that may be vetoed lowers only
/// the lower end.
fn lowered(
    rollup: &Rollup,
    accounts: &[(Subject<'_>, &ScoreCard)],
    vetoed: &[usize],
    points: Points,
) -> Points {
    let Some(cap) = rollup.any_veto else { return points };
    if !vetoed.is_empty() {
        return points.map(|points| points.min(cap));
    }
    let open = accounts.iter().any(|(_, card)| is_open(card));
    Points { low: if open { points.low.min(cap) } else { points.low }, ..points }
}

fn one_part(
    part: &RollupPart,
    accounts: &[(Subject<'_>, &ScoreCard)],
    left_out: &mut Vec<(usize, String)>,
) -> PartScore {
    let mut points = Vec::new();
    for (at, (subject, card)) in accounts.iter().enumerate() {
        if !part.scope.holds(subject) {
            continue;
        }
        let judged = card.verdict.as_ref().map(|verdict| verdict.result);
        if judged == Some(VerdictWord::NotJudged) {
            left_out.push((at, "方案不评价该状态的账号".to_owned()));
            continue;
        }
        match card.score(&part.of).map(|score| &score.outcome) {
            Some(Outcome::Scored(scored)) => points.push(*scored),
            Some(Outcome::NotScored(why)) => left_out.push((at, why.reason.clone())),
            None => left_out.push((at, format!("方案 {} 没有“{}”", card.scheme, part.of))),
        }
    }
    let count = Decimal::from(points.len().max(1));
    let of = |end: fn(&Points) -> Decimal| -> Decimal {
        let ends = points.iter().map(end);
        match part.how {
            How::Mean => ends.sum::<Decimal>() / count,
            How::Sum => ends.sum(),
            How::Min => ends.min().unwrap_or_default(),
        }
    };
    let outcome = if points.is_empty() {
        Outcome::not(UnknownKind::NotApplicable, "没有可计分的账号")
    } else {
        Outcome::Scored(Points {
            points: of(|p| p.points),
            low: of(|p| p.low),
            high: of(|p| p.high),
        })
    };
    PartScore { of: part.of.clone(), weight: part.weight, outcome, accounts: points.len() }
}

fn missing(parts: &[PartScore]) -> Outcome {
    let each: Vec<(UnknownKind, String)> = parts
        .iter()
        .filter_map(|part| match &part.outcome {
            Outcome::NotScored(NotScored { kind, reason }) => {
                Some((*kind, format!("{}:{reason}", part.of)))
            }
            Outcome::Scored(_) => None,
        })
        .collect();
    let kind = each.iter().map(|one| one.0).max().unwrap_or(UnknownKind::NotApplicable);
    let reasons: Vec<String> = each.into_iter().map(|one| one.1).collect();
    Outcome::not(kind, reasons.join(";"))
}
