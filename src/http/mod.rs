//! What others may see: the landing page, health, metrics, and the accounts as JSON.
//!
//! Reading only, but for what Alertmanager hands in, and on loopback only: there are no tokens yet,
//! so an address that others can reach is refused, and so is a request that came through a proxy or
//! under another name (which is how a page in somebody's browser would read us). Everything read
//! comes through [`Reads`].

mod accounts;
mod alertmanager;
mod assessments;
mod feed;
mod fleet;
mod guard;
mod health;
mod landing;
mod problem;
mod query;
mod reads;
mod scrape;
mod serve;
mod settings;
mod site;
mod site_report;
mod whole;

#[cfg(test)]
mod tests;

pub use alertmanager::Inbox;
pub use health::Readiness;
pub use reads::{Answer, Reads, Unavailable};
pub use serve::{ServeError, bind, serve};
pub use settings::Settings;
pub use site::Site;
