use chrono::{DateTime, Utc};

use crate::domain::Reason;

use super::canary::Trust;
use super::facts::{History, Outcome};
use super::span::Covered;
use super::view::View;

/// How much of a period an account was watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Union of the covered spans within the period, divided by the period, 0–1.
    pub ratio: f64,
    /// What was not covered, oldest first: unknown, never silent.
    pub gaps: Vec<Gap>,
}

/// A stretch `(from, to]` of a period in which a post could have gone unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends.
    pub to: DateTime<Utc>,
    /// Why: the newest failure inside it, or that no visit reached it.
    pub cause: Reason,
}

/// What the account's observations cover, from the facts recorded by `known_at`: void ones not, of
/// several parts only what all have covered.
pub fn covered(history: &History, known_at: DateTime<Utc>) -> Covered {
    View::new(history, known_at).covered(|trust| trust != Trust::Void)
}

/// The coverage of a period, from the facts recorded by `known_at`.
///
/// Observations that still wait for a healthy canary count, void ones do not. An account of several
/// parts is covered where all of them are.
pub fn coverage(
    history: &History,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    known_at: DateTime<Utc>,
) -> Coverage {
    coverage_in(&View::new(history, known_at), from, to)
}

pub(super) fn coverage_in(view: &View<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Coverage {
    let covered = view.covered(|trust| trust != Trust::Void);
    let cause = |from, to| {
        let inside = view.visits.iter().filter(|visit| visit.started_at > from);
        let failures = inside.take_while(|visit| visit.started_at <= to);
        let newest = failures.filter_map(|visit| match visit.outcome {
            Outcome::Failed(reason) => Some(reason),
            _ => None,
        });
        match newest.last() {
            Some(reason) => reason,
            None if view.visits.is_empty() => Reason::NeverVisited,
            None => Reason::NotCovered,
        }
    };
    let gaps = covered.gaps(from, to).into_iter();
    Coverage {
        ratio: covered.ratio(from, to),
        gaps: gaps
            .map(|gap| Gap { from: gap.low, to: gap.high, cause: cause(gap.low, gap.high) })
            .collect(),
    }
}
