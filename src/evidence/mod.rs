//! Keeps the raw answers that verdicts and changes rest on, so that they can be defended.
//!
//! An answer becomes a [`Capture`]: WARC 1.1 records, cookies and tokens taken out, packed one by
//! one. The [`Vault`] appends captures to segments and returns once they lie on the disk; closed
//! segments are whole objects in a folder of their own. The leaf of every capture goes to the
//! database for ever, under one root a day, each chained to the day before ([`Tree`],
//! [`chain_value`]). A [`bundle`] carries records with their proofs and is verified with nothing
//! else at hand.
//!
//! What a page kind calls `personal` is never kept raw: only its redacted extraction and the digest
//! of its body.

pub mod bundle;
mod capture;
mod error;
mod gzip;
mod kept;
mod merkle;
mod reader;
mod redact;
mod resource;
mod segment;
mod settings;
mod shelf;
mod tar;
mod vault;
mod warc;
mod writer;

#[cfg(test)]
mod tests;

pub use capture::{Answer, Capture, Circumstances, Keep, capture};
pub use error::EvidenceError;
pub use kept::{Closed, Placed};
pub use merkle::{CHAIN_START, Tree, chain_value, digest, leaf, root_by_proof};
pub use reader::{Placed as PlacedRecord, Record, read_all, read_at};
pub use resource::resource;
pub use segment::Recovered;
pub use settings::Settings;
pub use vault::Vault;
