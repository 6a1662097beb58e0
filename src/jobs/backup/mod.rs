//! The whole state into one file and back: the database as it was at one instant, and every segment
//! of evidence that it names.
//!
//! A backup is taken beside a running daemon. A restore wants the place for itself, and ends with
//! everything or, as far as the database goes, with nothing.

mod restore;
mod write;

pub use restore::{Restored, restore};
pub use write::{About, Made, back_up};
