//! A made-up city's platforms on loopback: pages in the real formats, obstacles and faults, for
//! the demonstration, tests and load.
//!
//! Everything shown is a pure function of seed, given time, account and the clock handed in:
//! the past of a city is the same whenever it is asked for, and its future goes on for ever.
//! [`City`] holds the script and the truth, [`Simulator`] serves it on one port by Host header.
//! Nothing here is copied from a real account; the ids it gives out belong to nobody.

mod answer;
mod chance;
mod character;
mod city;
mod fault;
mod feed;
mod hindrance;
mod inbox;
mod ledger;
mod names;
mod plan;
mod planted;
mod portal;
mod requests;
mod resident;
mod response;
mod rhythm;
mod script;
mod server;
mod site;
#[cfg(test)]
mod tests;
mod truth;
mod view;
mod weibo;
mod weibo_form;

pub use character::{Character, Venue};
pub use city::{Canary, City};
pub use fault::{Fault, Faults, Outage};
pub use inbox::Correspondence;
pub use planted::Planted;
pub use requests::Arrival;
pub use response::Response;
pub use server::{Simulator, simulate};
pub use site::ColumnTruth;
pub use truth::Truth;
