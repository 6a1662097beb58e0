//! Vetoes and flags: they hold only where every value that the bounds allow agrees.

use crate::scheme::{Flag, IfUndetermined, Subject};

use super::super::reading::{Readings, UnknownKind};
use super::super::verdict::{FlagScore, FlagState};
use super::ScoreError;
use super::interval::{inputs, interval, reasons, unknown};

pub(super) fn all(
    flags: &[Flag],
    readings: &Readings,
    subject: &Subject<'_>,
) -> Result<Vec<FlagScore>, ScoreError> {
    flags.iter().map(|flag| score(flag, readings, subject)).collect()
}

fn score(flag: &Flag, readings: &Readings, subject: &Subject<'_>) -> Result<FlagScore, ScoreError> {
    let inputs = inputs(&flag.when, readings)?;
    let unknown = unknown(&inputs);
    let open = |reason: String| FlagState::Undetermined {
        reason,
        taken_as: match flag.undetermined {
            IfUndetermined::NotScored => None,
            IfUndetermined::Favour => Some(false),
            IfUndetermined::Against => Some(true),
        },
    };
    let state = if !flag.scope.holds(subject) {
        FlagState::NotApplicable
    } else {
        match unknown.iter().map(|(_, why)| why.unknown).max() {
            Some(UnknownKind::NotApplicable) => FlagState::NotApplicable,
            Some(_) => open(reasons(&unknown)),
            None => match interval(&flag.when, &inputs) {
                Ok([_, low, high]) if low != high => open("上下限之间未能判定".to_owned()),
                Ok([value, ..]) if value > 0.5 => FlagState::Holds,
                Ok(_) => FlagState::Clear,
                Err(reason) => open(reason),
            },
        }
    };
    Ok(FlagScore {
        id: flag.id.clone(),
        title: flag.title.clone(),
        clause: flag.clause.clone(),
        certainty: flag.certainty,
        outcome: flag.outcome.clone(),
        manual: flag.manual,
        state,
        inputs,
    })
}
