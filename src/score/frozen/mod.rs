//! A frozen assessment (定格的考核结果): everything a period's scores rest on, and the scores.
//!
//! A bundle is lines of JSON: a head with the rules themselves, one line an account with its facts
//! and its whole card, then roll-ups and rankings ([`Summary`]), a tail with the numbers of lines
//! and the digest of all before it. Nothing else is needed to compute everything again
//! ([`Verification`]), in another process, time zone or locale; and a draft scheme can be laid over
//! the same facts ([`lay_over`]).
//!
//! What is frozen as a fact and not computed again: the silence that the observation calculus
//! proves at the cutoff, whose evidence is pinned, and the points of earlier periods.

mod bundle;
mod draft;
mod recompute;
mod rules;
mod summary;
mod summing;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

pub use bundle::{
    BundleDigest, ChainHead, FORMAT, FrozenAccount, FrozenEvidence, FrozenHead, FrozenSample,
    FrozenTail, FrozenText,
};
pub use draft::{AccountChange, Change, DraftComparison, ScoreChange, lay_over};
pub use recompute::Recomputation;
pub use rules::FrozenRules;
pub use summary::{Placed, Ranking, SubjectPart, SubjectScore, Summary};
pub use summing::Summing;
pub use verify::{Verification, Verified};
