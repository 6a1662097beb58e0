//! What Prometheus sees: the process, the fleet, and each account.
//!
//! Every family's name, help and labels stand together in one table ([`FAMILIES`]). The bounded
//! series of the process live in [`Metrics`]; the fleet and the accounts are written fresh at each
//! scrape from what the store says, so that a withdrawn account vanishes from the next answer.

mod accounts;
mod accounts_text;
mod ailments;
mod findings;
mod fleet;
mod process;
mod recording;
mod settings;
mod table;
mod text;

#[cfg(test)]
mod tests;

pub use accounts::AccountsPage;
pub use ailments::Ailments;
pub use findings::render_findings;
pub use fleet::{ScoreQuantile, render_fleet};
pub use process::{Known, Metrics};
pub use recording::{CrawlInFlight, JobOutcome};
pub use settings::{AreaDigits, Settings};
pub use table::{FAMILIES, Family, Kind};

/// The media type of every page of metrics: Prometheus text format 0.0.4.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
