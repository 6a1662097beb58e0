use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::{Account, Moment};
use crate::observe::{Judgement, Policy};

use super::posts::{Deleted, LateAppearance, PostingBurst};
use super::rule::PeriodChoice;

/// What is known of one account at a cutoff, for all rules together.
#[derive(Debug, Clone)]
pub struct AccountFacts {
    /// The account as the ledger had it.
    pub account: Account,
    /// The Chinese name of its platform.
    pub platform_title: String,
    /// The instant judged.
    pub cutoff: DateTime<Utc>,
    /// What is proven of its activity.
    pub judgement: Judgement,
    /// The numbers it was judged by.
    pub policy: Policy,
    /// The visits that confirm it.
    pub confirmed: Vec<Confirmed>,
    /// Measures of the periods that rules ask for.
    pub measures: BTreeMap<PeriodChoice, PeriodMeasures>,
    /// Citizens' messages; `None` where no page that carries them was read.
    pub inquiries: Option<Vec<AskedFact>>,
    /// How its pages showed it, those of a kind together and oldest first, one entry for each
    /// change.
    pub identities: Vec<ShownIdentity>,
    /// Posts that appeared late beyond innocent causes; `None` where it cannot be told.
    pub late: Option<Vec<LateAppearance>>,
    /// Posts taken away; `None` where it cannot be told.
    pub deleted: Option<Vec<Deleted>>,
    /// The end of the last whole quarter; `None` where it cannot be told.
    pub burst: Option<PostingBurst>,
}

/// A visit that confirms a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The page kind.
    pub page: String,
    /// When the request was sent.
    pub started_at: DateTime<Utc>,
    /// What it proves the answer's time to be.
    pub as_of: DateTime<Utc>,
}

/// The measures of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodMeasures {
    /// The period, as `2026Q3` or `2026-10`.
    pub period: String,
    /// Its begin.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// Every measure, by name.
    pub readings: BTreeMap<String, Measured>,
}

/// A number with its bounds, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Measured {
    /// A number.
    Known {
        /// The number to show.
        value: f64,
        /// The least it can be.
        low: f64,
        /// The most; absent where only a lower bound is known.
        high: Option<f64>,
    },
    /// No number.
    Unknown {
        /// Why, in Chinese.
        unknown: String,
    },
}

/// One message of a citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedFact {
    /// The keyed digest of its id.
    pub reference: String,
    /// When it was asked.
    pub asked: Option<Moment>,
    /// When the account itself answered.
    pub replied: Option<Moment>,
    /// As-of time of the newest page that showed it.
    pub last_seen: DateTime<Utc>,
}

/// How a page showed an account from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShownIdentity {
    /// The page kind: kinds write names differently, so each is compared with itself.
    pub page: String,
    /// As-of time of the first page that showed it so.
    pub since: DateTime<Utc>,
    /// The platform's id.
    pub handle: Option<String>,
    /// The shown name.
    pub name: Option<String>,
    /// The certification text (认证).
    pub verified_as: Option<String>,
}
