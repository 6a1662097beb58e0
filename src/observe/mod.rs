//! The observation calculus: what visits prove, and when silence may be spoken of.
//!
//! Pure: every time is an argument. The one promise everything else rests on: for any truth and any
//! view of it, a silent verdict implies that the truth is silent.
//!
//! A visit is read by [`compose`] into an [`Outcome`], which the store keeps with its posts and the
//! looks at canaries. [`judge()`] reads the [`History`] back for now, [`judge_at`] for a cutoff,
//! [`coverage()`] for a period; [`late_posts`], [`presences`] and [`burst()`] look at the posts
//! themselves. A failed visit proves nothing and moves nothing.

mod appearance;
mod availability;
mod backdating;
mod burst;
mod canary;
mod coverage;
mod deletion;
mod disorder;
mod drift;
mod facts;
mod freshness;
mod goneness;
mod hidden;
mod judge;
mod list;
mod numbers;
mod outdated;
mod policy;
mod post;
mod reason;
mod silence;
mod site;
mod span;
#[cfg(test)]
mod tests;
mod threshold;
mod view;
mod visit;

pub use appearance::{DateRules, Doubt, LatePost, SetAside, Sight};
pub use availability::{Availability, Probe, ProbeOutcome, Reachability, availability};
pub use backdating::late_posts;
pub use burst::{Burst, NoBurst, burst};
pub use canary::{CanaryKind, Unwatched, canary_health, stand_ins};
pub use coverage::{Coverage, Gap, coverage, covered};
pub use deletion::{DeletionProof, PostPresence, Presence, is_redated, presences};
pub use drift::{PAGES_COMPARED, READINGS_KEPT, Usual, Yield, drifted, fell, usual};
pub use facts::{
    BESIDE, Bracket, CanaryLook, Drift, History, ListedPost, MarkKind, Observation, Outcome,
    PostMark, Source, Span, Visit,
};
pub use freshness::{Answer, Freshness, UnchangedTime, freshness, relative_times, unit_of_words};
pub use judge::{Judgement, Knowledge, Line, judge, judge_at};
pub use list::{ListOrder, latest, read_order};
pub use numbers::{BoundedSum, FIXED_AGES_HOURS, NotAtAge, NumberSample, at_age, sum};
pub use policy::Policy;
pub use post::late;
pub use site::{
    ColumnCounts, ColumnState, Currency, HomeRun, HomeShown, SiteRules, column_counts,
    column_currency, home_currency,
};
pub use span::Covered;
pub use threshold::{Operator, Threshold, Unit, Window};
pub use visit::{
    Composed, Known, PageRules, Proof, Provenance, Reading, Role, claims_shift_seconds, compose,
};
