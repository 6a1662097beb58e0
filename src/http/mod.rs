//! What others may see: pages for people, health, metrics, and the accounts as JSON.
//!
//! Who asks shows a token (`Authorization: Bearer`), which names a person, what it is for, and the
//! area outside of which nothing exists for it. Without one, this machine may read the metrics, and
//! the rest where the settings say so. Everything read comes through [`Reads`]; who may ask and
//! what was written goes through [`Register`]; what persons do goes through [`Acts`].
//! `docs/api.md` says the same to those who use it.

mod access;
mod accounts;
mod acts;
mod alertmanager;
mod assessments;
mod cover;
mod deeds;
mod docs;
mod feed;
mod finding_views;
mod findings;
mod fleet;
mod guard;
mod hand_in;
mod health;
mod limits;
mod operations;
mod page;
mod problem;
mod query;
mod reads;
mod register;
mod scores;
mod scrape;
mod serve;
mod settings;
mod site;
mod site_report;
mod store_reads;
mod timeline;
mod whole;
mod writes;

#[cfg(test)]
mod tests;

pub use acts::{Acts, Desk, Done, HandedOver, Refusal, TakenStep};
pub use alertmanager::Inbox;
pub use health::Readiness;
pub use reads::{Answer, Reads, Unavailable};
pub use register::Register;
pub use serve::{ServeError, bind, may_answer, serve};
pub use settings::Settings;
pub use site::{Judging, Parts, Site};
