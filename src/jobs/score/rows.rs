//! Cards into the rows that are kept of them.

use serde_json::{Value, json};

use crate::domain::Account;
use crate::score::frozen::{SubjectScore, Summary};
use crate::score::{Outcome, ScoreCard};
use crate::store::{Score, ScoreRollup, ScoreVerdict};

/// One row a dimension or composite.
pub(super) fn scores(cards: &[(Account, ScoreCard)]) -> Vec<Score> {
    let mut rows = Vec::new();
    for (account, card) in cards {
        let inputs: Value = serde_json::from_str(&card.inputs).unwrap_or(Value::Null);
        rows.extend(card.dimensions.iter().map(|dimension| Score {
            account: account.id,
            dimension: dimension.id.clone(),
            points: match &dimension.outcome {
                Outcome::Scored(points) => Ok(points.points),
                Outcome::NotScored(why) => Err(why.reason.clone()),
            },
            interval: dimension.outcome.points().map(|points| (points.low, points.high)),
            coverage: dimension.coverage.and_then(|share| f64::try_from(share).ok()),
            inputs: inputs.clone(),
            lines: serde_json::to_value(&dimension.lines).unwrap_or(Value::Null),
        }));
    }
    rows
}

/// One row an account whose scheme gives a verdict.
pub(super) fn verdicts(cards: &[(Account, ScoreCard)]) -> Vec<ScoreVerdict> {
    let row = |(account, card): &(Account, ScoreCard)| {
        let verdict = card.verdict.as_ref()?;
        Some(ScoreVerdict {
            account: account.id,
            result: verdict.result.as_str().to_owned(),
            reasons: verdict.reasons.clone(),
            vetoes: serde_json::to_value(&card.vetoes).unwrap_or(Value::Null),
            flags: serde_json::to_value(&card.flags).unwrap_or(Value::Null),
            assigned_by: card.assigned_by.clone(),
        })
    };
    cards.iter().filter_map(row).collect()
}

/// The roll-ups of a scheme, as they are stored.
pub(super) fn rollups(summaries: &[Summary], scheme: &str) -> Vec<ScoreRollup> {
    let of_scheme = summaries.iter().filter_map(|one| match one {
        Summary::Rollup(score) if score.scheme == scheme => Some(score),
        _ => None,
    });
    let row = |score: &SubjectScore| {
        let left_out: Vec<Value> =
            score.left_out.iter().map(|(key, why)| json!({ "key": key, "reason": why })).collect();
        ScoreRollup {
            rollup: score.id.clone(),
            subject_kind: score.to.clone(),
            subject: score.subject.clone(),
            points: match &score.outcome {
                Outcome::Scored(points) => Ok(points.points),
                Outcome::NotScored(why) => Err(why.reason.clone()),
            },
            interval: score.outcome.points().map(|points| (points.low, points.high)),
            lines: json!({
                "clause": score.clause,
                "parts": score.parts,
                "vetoed": score.vetoed,
                "left_out": left_out,
            }),
        }
    };
    of_scheme.map(row).collect()
}
