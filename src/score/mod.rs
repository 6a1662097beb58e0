//! Measures and scores, computed from stored facts.
//!
//! Pure: facts, a scheme and two tables in, a [`ScoreCard`] out, the same bits on every machine. An
//! interval is carried from the counts to the points; what is unknown stays unknown with its reason
//! and is never 0. The catalogue of [`MEASURES`] is the documentation of every number a scheme may
//! use; [`percentiles`] and [`places`] compare accounts, [`roll_up`] adds up what one answers for.

mod beside;
mod card;
mod catalogue;
mod comparison;
mod document;
mod facts;
pub mod frozen;
mod index;
mod measure;
mod measured;
mod period;
mod post_fact;
mod reading;
mod rollup;
mod scoring;
mod verdict;
mod window;

#[cfg(test)]
mod tests;

pub use beside::{Entrant, group_of, percentiles, place_and_run, places};
pub use card::{DimensionScore, LineScore, Loss, NotScored, Outcome, Points, ScoreCard};
pub use catalogue::{MEASURES, Measure, measure_ids, readings, readings_alone, readings_of};
pub use comparison::{Comparison, Told};
pub use document::measures_document;
pub use facts::{Entry, InquiryFact, PeriodFacts, RecordFact, SilenceFact, Stretch, SubjectFact};
pub use index::{Figures, IndexValue, Material, MissingMetric, OtherFormula, index};
pub use measured::{Kept, Measured};
pub use period::Period;
pub use post_fact::{Aged, PostFact};
pub use reading::{Quantity, Reading, Readings, Unknown, UnknownKind};
pub use rollup::{PartScore, RollupScore, roll_up};
pub use scoring::{ScoreError, card, score};
pub use verdict::{FlagScore, FlagState, Verdict, VerdictWord};
pub use window::Tables;
