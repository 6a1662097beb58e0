//! Freezing a period's scores, and reading frozen ones back.

mod freeze;
mod lines;
mod read;

pub use freeze::{Freeze, Frozen, freeze};
pub use read::{export, frozen_rules, lay_draft_over, verify_stored};
