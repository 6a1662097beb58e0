//! Cards into the rows that are kept of them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::domain::Account;
use crate::scheme::{RollupTo, Subject};
use crate::score::{Outcome, ScoreCard, roll_up};
use crate::store::{Score, ScoreRollup, ScoreVerdict};

use super::super::Context;

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

/// Cards without their lines, by scheme, for whoever answers for several accounts.
#[derive(Default)]
pub(super) struct Answering {
    cards: HashMap<String, Vec<(Account, ScoreCard)>>,
}

impl Answering {
    /// Keeps a card where its scheme rolls up.
    pub(super) fn take(&mut self, context: &Context, account: &Account, card: &ScoreCard) {
        let rolls_up = |scheme: &str| {
            context.schemes.get(scheme).is_some_and(|scheme| !scheme.rollups.is_empty())
        };
        if rolls_up(&card.scheme) {
            let kept = self.cards.entry(card.scheme.clone()).or_default();
            kept.push((account.clone(), card.without_lines()));
        }
    }

    /// The roll-ups of a scheme over all that was kept.
    pub(super) fn rollups(&self, context: &Context, scheme: &str) -> Vec<ScoreRollup> {
        let kept = self.cards.get(scheme).map(Vec::as_slice).unwrap_or_default();
        let Some(scheme) = context.schemes.get(scheme) else { return Vec::new() };
        let mut rows = Vec::new();
        for rollup in &scheme.rollups {
            let mut subjects: BTreeMap<&str, Vec<&(Account, ScoreCard)>> = BTreeMap::new();
            for one in kept {
                if let Some(subject) = answers(&one.0, rollup.to) {
                    subjects.entry(subject).or_default().push(one);
                }
            }
            for (subject, cards) in subjects {
                let accounts: Vec<_> =
                    cards.iter().map(|(account, card)| (about(account), card)).collect();
                let score = roll_up(rollup, &accounts);
                let keys = |places: &[usize]| -> Vec<&str> {
                    places.iter().map(|at| cards[*at].0.entry.key.as_str()).collect()
                };
                let left_out: Vec<Value> = score
                    .left_out
                    .iter()
                    .map(|(at, why)| json!({ "key": cards[*at].0.entry.key, "reason": why }))
                    .collect();
                rows.push(ScoreRollup {
                    rollup: rollup.id.clone(),
                    subject_kind: kind(rollup.to).to_owned(),
                    subject: subject.to_owned(),
                    points: match &score.outcome {
                        Outcome::Scored(points) => Ok(points.points),
                        Outcome::NotScored(why) => Err(why.reason.clone()),
                    },
                    interval: score.outcome.points().map(|points| (points.low, points.high)),
                    lines: json!({
                        "clause": score.clause,
                        "parts": score.parts,
                        "vetoed": keys(&score.vetoed),
                        "left_out": left_out,
                    }),
                });
            }
        }
        rows
    }
}

fn about(account: &Account) -> Subject<'_> {
    let entry = &account.entry;
    Subject {
        platform: &entry.platform,
        category: entry.category.as_deref(),
        level: entry.level.as_deref(),
        notes: &entry.notes,
    }
}

fn kind(to: RollupTo) -> &'static str {
    RollupTo::ALL.into_iter().find(|row| row.0 == to).map_or("", |row| row.1)
}

/// Who answers for an account; nobody where the ledger names none.
fn answers(account: &Account, to: RollupTo) -> Option<&str> {
    let entry = &account.entry;
    match to {
        RollupTo::Sponsor => Some(&entry.sponsor),
        RollupTo::Supervisor => entry.supervisor.as_deref(),
        RollupTo::Region => Some(entry.region.as_str()),
        RollupTo::City => Some(entry.region.prefix(4)),
        RollupTo::Province => Some(entry.region.prefix(2)),
    }
}
