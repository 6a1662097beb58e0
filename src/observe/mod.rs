//! The observation calculus: what visits prove, and when silence may be spoken of.
//!
//! Pure: every time is an argument. The one promise everything else rests on: for any truth and any
//! view of it, a silent verdict implies that the truth is silent.

mod facts;

pub use facts::{CanaryLook, History, ListedPost, Observation, Outcome, Source, Span, Visit};
