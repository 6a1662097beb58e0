//! Who is visited next. Pure: every time is an argument.
//!
//! The aim is the least mean delay from a post to its detection under each host's budget, with
//! silence proven on the day it is due. [`next_visit`] says when a target is due, [`order()`]
//! which of the due targets goes first, [`Rate`] how often an account posts.

mod next;
mod order;
mod rate;
mod settings;

pub use next::{NextVisit, Purpose, TargetHistory, next_visit, wants_confirmation};
pub use order::{Candidate, order};
pub use rate::Rate;
pub use settings::Settings;
