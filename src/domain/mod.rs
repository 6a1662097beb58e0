//! The nouns: what an account, a post, a number, a time and an activity are.
//!
//! Plain data and parsing at the door. No IO, no async, no SQL; [`Clock`] is named here so that
//! time can be handed to everyone, and read only in `app`.

mod access;
mod account;
mod activity;
mod clock;
mod count;
mod evidence;
mod extraction;
mod finding;
mod gone;
mod id_time;
mod moment;
mod pace;
mod problem;
mod region;
mod site;
mod standing;
mod step;
mod word;

pub use access::{Area, Deed, Grant, Scope};
pub use account::{Account, AccountId, LedgerEntry, Lifecycle};
pub use activity::{Activity, Reason};
pub use clock::Clock;
pub use count::Count;
pub use evidence::{EvidenceClass, EvidenceForm, EvidenceId, RecordKey, Sha256Digest};
pub use extraction::{
    Column, Extraction, Finding, Form, Identity, Inquiry, Origin, PageVerdict, Post,
};
pub use finding::{EvidenceRef, FindingId, FindingState, Severity, Subject};
pub use gone::GoneCause;
pub use id_time::IdTime;
pub use moment::{Moment, Precision, SHANGHAI, shanghai_date, shanghai_day, shanghai_midnight};
pub use pace::{HostPace, HostTerms};
pub use problem::{Problem, RowError, SourceText};
pub use region::{CodeError, CreditCode, RegionCode};
pub use site::ColumnClass;
pub use standing::{ActiveFinding, FindingCell, FleetCell, Standing};
pub use step::{By, IllegalStep, Step, take_step};
pub use word::Word;
