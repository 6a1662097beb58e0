//! Measures and scores, computed from stored facts.
//!
//! Pure: facts and a scheme in, a [`ScoreCard`] out, the same bits on every machine. An interval is
//! carried from the counts to the points; what is unknown stays unknown with its reason and is
//! never 0. The catalogue of [`MEASURES`] is the documentation of every number a scheme may use.

mod card;
mod catalogue;
mod facts;
mod index;
mod influence;
mod period;
mod posting;
mod reading;
mod replies;
mod scoring;
mod window;

#[cfg(test)]
mod tests;

pub use card::{DimensionScore, LineScore, NotScored, Outcome, Points, ScoreCard};
pub use catalogue::{MEASURES, Measure, measure_ids, readings};
pub use facts::{InquiryFact, PeriodFacts, PostFact, Stretch};
pub use index::bci_registered;
pub use period::Period;
pub use reading::{Quantity, Reading, Unknown, UnknownKind};
pub use scoring::{ScoreError, score};
