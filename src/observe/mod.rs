//! The observation calculus: what visits prove, and when silence may be spoken of.
//!
//! Pure: every time is an argument. The one promise everything else rests on: for any truth and any
//! view of it, a silent verdict implies that the truth is silent.
//!
//! A visit is read by [`compose`] into an [`Outcome`], which the store keeps with its posts and the
//! looks at canaries. [`judge()`] reads the [`History`] back for now, [`judge_at`] for a cutoff,
//! [`coverage()`] for a period. A failed visit proves nothing and moves nothing.

mod canary;
mod coverage;
mod facts;
mod freshness;
mod judge;
mod list;
mod policy;
mod post;
mod reason;
mod silence;
mod span;
#[cfg(test)]
mod tests;
mod threshold;
mod view;
mod visit;

pub use canary::{CanaryKind, canary_health, stand_ins};
pub use coverage::{Coverage, Gap, coverage};
pub use facts::{CanaryLook, History, ListedPost, Observation, Outcome, Source, Span, Visit};
pub use freshness::{Answer, Freshness, UnchangedTime, freshness};
pub use judge::{Judgement, Line, judge, judge_at};
pub use list::{ListOrder, latest, read_order};
pub use policy::Policy;
pub use post::late;
pub use span::Covered;
pub use threshold::{Operator, Threshold, Unit, Window};
pub use visit::{Composed, Known, PageRules, Proof, Provenance, Reading, Role, compose};
