//! Who is visited next. Pure: every time is an argument.
//!
//! The aim is the least mean delay from a post to its detection under each host's budget, with
//! silence proven on the day it is due. A [`Rhythm`] is what an account was seen to do, a
//! [`Forecast`] what it is expected to do, [`plan()`] the visit times that save most waiting for a
//! price, [`next_price`] the price at which a host's budget is just used. [`next_visit`] puts in
//! front of that what is owed (silence deadlines, cutoffs, samples, canaries) and the floors;
//! [`order()`] says which of the due targets goes first.

mod days;
mod floor;
mod forecast;
mod habits;
mod next;
mod order;
mod owed;
mod plan;
mod price;
mod profile;
mod rate;
mod rhythm;
mod settings;
mod variety;

pub use forecast::Forecast;
pub use habits::Habits;
pub use next::{NextVisit, Purpose, TargetHistory, Terms, next_visit, wants_confirmation};
pub use order::{Candidate, order};
pub use owed::{Appointment, around_cutoff, samples};
pub use plan::{Plan, plan};
pub use price::{Price, Spending, next_price};
pub use rate::Rate;
pub use rhythm::{PUSHES_MAX, Push, Rhythm};
pub use settings::Settings;
