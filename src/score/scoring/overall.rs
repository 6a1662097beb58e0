//! Gates, composites and the verdict.

use rust_decimal::Decimal;

use crate::scheme::{Composite, Pass, Scheme};

use super::super::card::{DimensionScore, LineScore, Outcome, Points};
use super::super::reading::UnknownKind;
use super::super::verdict::{FlagScore, Verdict, VerdictWord};
use super::interval::to_points;

/// Whether a gated dimension is open.
pub(super) enum Gate {
    Open,
    /// The bounds allow both: its points may be there or not.
    Ajar,
    Closed(String),
    Unknown(String),
}

pub(super) fn gate(gate: &Pass, before: &[DimensionScore]) -> Gate {
    let Some(score) = before.iter().find(|one| one.id == gate.of) else {
        return Gate::Unknown(format!("没有“{}”的得分", gate.of));
    };
    match &score.outcome {
        Outcome::NotScored(why) => Gate::Unknown(format!("{}未评分:{}", score.title, why.reason)),
        Outcome::Scored(points) => match holds(gate, *points) {
            Some(true) => Gate::Open,
            None => Gate::Ajar,
            Some(false) => Gate::Closed(format!(
                "{} {} 分,未达到 {} {},不计本项",
                score.title, points.points, gate.compare, gate.value
            )),
        },
    }
}

/// Points behind a gate that may be closed: at the value shown they count, at least there are none.
pub(super) fn ajar(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Scored(points) => Outcome::Scored(Points { low: Decimal::ZERO, ..points }),
        not => not,
    }
}

/// Whether a limit is met; `None` where the bounds allow both.
fn holds(limit: &Pass, points: Points) -> Option<bool> {
    let at = |number| limit.compare.holds(number, limit.value);
    (at(points.low) == at(points.high)).then(|| at(points.points))
}

/// Adds the composites, each a dimension whose lines are its parts.
pub(super) fn composites(composites: &[Composite], scores: &mut Vec<DimensionScore>) {
    for composite in composites {
        let one = composed(composite, scores);
        scores.push(one);
    }
}

fn composed(composite: &Composite, scores: &[DimensionScore]) -> DimensionScore {
    let mut lines = Vec::new();
    let (mut sum, mut present, mut whole) =
        (Points::exact(Decimal::ZERO), Decimal::ZERO, Decimal::ZERO);
    let (mut coverage, mut ranked): (Option<Decimal>, bool) = (None, true);
    let mut missing = Vec::new();
    for part in &composite.parts {
        let Some(score) = scores.iter().find(|one| one.id == part.of) else { continue };
        whole += part.weight;
        let weighted = match &score.outcome {
            Outcome::Scored(points) => {
                present += part.weight;
                let weighted = points.map(|points| points * part.weight);
                sum = Points {
                    points: sum.points + weighted.points,
                    low: sum.low + weighted.low,
                    high: sum.high + weighted.high,
                };
                Outcome::Scored(weighted.map(to_points))
            }
            Outcome::NotScored(why) => {
                missing.push((score.title.clone(), why.clone()));
                Outcome::NotScored(why.clone())
            }
        };
        ranked &= score.ranked;
        coverage = match (coverage, score.coverage) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        lines.push(LineScore {
            id: score.id.clone(),
            title: score.title.clone(),
            clause: format!("{} × {}", score.title, part.weight),
            certainty: composite.certainty,
            max: to_points(score.max * part.weight),
            outcome: weighted,
            assumed: None,
            losses: Vec::new(),
            inputs: std::collections::BTreeMap::new(),
        });
    }
    let all: Decimal = lines.iter().map(|line| line.max).sum();
    let max = composite.cap.map_or(all, |cap| cap.min(all));
    let usable = composite.rescale_missing && !present.is_zero();
    let outcome = if missing.is_empty() || usable {
        let scale = if missing.is_empty() { Decimal::ONE } else { whole / present };
        Outcome::Scored(sum.map(|points| to_points((points * scale).min(max))))
    } else {
        let kind = missing.iter().map(|(_, why)| why.kind).max();
        let each: Vec<String> =
            missing.iter().map(|(title, why)| format!("{title}:{}", why.reason)).collect();
        Outcome::not(kind.unwrap_or(UnknownKind::Undetermined), each.join(";"))
    };
    DimensionScore {
        id: composite.id.clone(),
        title: composite.title.clone(),
        ranked: ranked && outcome.points().is_some(),
        outcome,
        max,
        rescaled_from: (usable && !missing.is_empty()).then_some(present),
        coverage,
        closed: None,
        lines,
    }
}

/// Pass or fail: one veto fails; an open veto leaves it open; then the score decides.
pub(super) fn verdict(
    scheme: &Scheme,
    judged: bool,
    vetoes: &[FlagScore],
    scores: &[DimensionScore],
) -> Option<Verdict> {
    if vetoes.is_empty() && scheme.pass.is_none() {
        return None;
    }
    let verdict = |result, reasons| Some(Verdict { result, reasons });
    if !judged {
        return verdict(VerdictWord::NotJudged, vec!["方案不评价该状态的账号".to_owned()]);
    }
    let titles = |wanted: Option<bool>| -> Vec<String> {
        let chosen = vetoes.iter().filter(|veto| veto.state.holds() == wanted);
        chosen.map(|veto| veto.title.clone()).collect()
    };
    let failed = titles(Some(true));
    if !failed.is_empty() {
        return verdict(VerdictWord::Fail, failed);
    }
    let open = titles(None);
    let Some(pass) = &scheme.pass else {
        let word = if open.is_empty() { VerdictWord::Pass } else { VerdictWord::Undetermined };
        return verdict(word, open);
    };
    let score = scores.iter().find(|one| one.id == pass.of);
    let said = |score: &DimensionScore, points: &Points| {
        format!("{} {} 分({} {})", score.title, points.points, pass.compare, pass.value)
    };
    match score.map(|score| (score, &score.outcome)) {
        Some((score, Outcome::Scored(points))) => match holds(pass, *points) {
            Some(false) => verdict(VerdictWord::Fail, vec![said(score, points)]),
            Some(true) if open.is_empty() => verdict(VerdictWord::Pass, vec![said(score, points)]),
            _ => {
                let own = open.is_empty().then(|| said(score, points));
                verdict(VerdictWord::Undetermined, open.into_iter().chain(own).collect())
            }
        },
        Some((score, Outcome::NotScored(why))) => {
            let own = format!("{}未评分:{}", score.title, why.reason);
            verdict(VerdictWord::Undetermined, open.into_iter().chain([own]).collect())
        }
        None => verdict(VerdictWord::Undetermined, open),
    }
}
