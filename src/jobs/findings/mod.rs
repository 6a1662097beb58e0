//! Findings: raised, mended and checked from data, told to sponsors, stepped by persons.
//!
//! The command line and the HTTP pages call the functions of this module, so that both tread one
//! path. Whatever is decided is decided in `alert` from facts gathered here; whatever is stepped is
//! stepped in the store under the finding's lock.

mod act;
mod apply;
mod facts;
mod identities;
mod ladder;
mod ledger;
mod look;
mod measures;
mod notices;
mod outcomes;
mod propose;
mod sorting;

pub use act::{PersonFinding, act, add, bar_of, raise_naming};
pub use look::{look, recheck};
pub use notices::{send_notices, write_letters};
pub use propose::{At, Proposal, propose};
pub use sorting::{Sorted, sort_accounts};

/// The actor of what this job does.
const ACTOR: &str = "job:findings";

/// Accounts examined at once: their facts are in memory together.
const BATCH: usize = 50;
