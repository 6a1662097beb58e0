//! What the calculus is told: visits, listed posts, canaries. Plain data, written by the crawl and
//! read back from the store.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::{Count, Moment, Reason, Word};

use super::canary::Unwatched;
use super::list::latest;

/// A stretch of time in which every post would have been seen: `(low, high]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Nothing is claimed at or before this instant. The Unix epoch for an exhausted list.
    pub low: DateTime<Utc>,
    /// The as-of time of the observation.
    pub high: DateTime<Utc>,
}

/// The stretch of claimed times that a list shows whole, ends excluded: a post of it would stand
/// between an older and a newer listed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bracket {
    /// The last instant that the claim of the oldest listed item allows.
    pub older: DateTime<Utc>,
    /// The first instant that the claim of the newest listed item allows.
    pub newer: DateTime<Utc>,
}

impl Bracket {
    /// Whether a claim lies wholly between the two.
    pub fn holds(&self, claim: Moment) -> bool {
        self.older < claim.lower() && latest(claim) < self.newer
    }
}

/// Who looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Our own visit to the platform's public page.
    Crawl,
    /// Our visit to a feed bridge run by the office; speaks for the bridge's own upstream visits.
    Bridge,
    /// An authorised export with declared completeness.
    Import,
    /// A person's check entered with evidence.
    Person,
}

/// How one attempt to read a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The list was read as a list and the answer proves whose it is.
    Observed(Observation),
    /// The platform says, under proven identity or address, that the account is gone.
    Gone {
        /// What the source proves the answer's time to be.
        as_of: DateTime<Utc>,
        /// Whether the answer may confirm (see [`Observation::confirming`]).
        confirming: bool,
    },
    /// Anything else: it says nothing about the account.
    Failed(Reason),
}

/// What a successful reading of a list or profile proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What the source proves the answer's time to be; never simply the request time.
    pub as_of: DateTime<Utc>,
    /// The stretch covered, where the order of the list or its end allows one.
    pub span: Option<Span>,
    /// The claimed times that the list shows whole; absent where it covers no span, or lists fewer
    /// than two dated items.
    pub bracket: Option<Bracket>,
    /// By how many seconds most known items claim another time than when first listed: the source
    /// has changed its offset. 0 where it has not.
    pub claims_shift_seconds: i32,
    /// Whether nothing older exists than what was listed.
    pub exhausted: bool,
    /// Whether the list is proven to hold no post at all.
    pub empty: bool,
    /// Whether it may confirm silence: unconditional, provably fresh, a verified page kind.
    pub confirming: bool,
    /// The profile's own counter of posts.
    pub posts_total: Option<Count>,
    /// How many items not known before the visit listed that claim no time before the last
    /// observation, to set beside the counter's growth.
    pub new_items: u32,
    /// For a bridge, its own last success upstream.
    pub upstream_success: Option<DateTime<Utc>>,
    /// The registration date shown by the page.
    pub registered_at: Option<Moment>,
}

/// The part of a page that lists neither posts of the account nor messages: a site's own page, a
/// single post.
pub const BESIDE: &str = "-";

/// One attempt to read one page kind of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The page kind, as in the platform file.
    pub page: Word,
    /// The part of the account that the page kind lists: `all`, or a named part. Empty where it
    /// shows citizens' messages, [`BESIDE`] where it shows neither.
    pub part: Word,
    /// When the request was sent.
    pub started_at: DateTime<Utc>,
    /// When it was written down; an evaluation as of an earlier `known_at` does not see it.
    pub recorded_at: DateTime<Utc>,
    /// Digest of the platform file that read it.
    pub adapter: Word,
    /// Who looked.
    pub source: Source,
    /// How many items it listed that were kept; a list out of order lists some and fails.
    pub items: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// A post as it was listed over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPost {
    /// The platform's id, or the address where there is none.
    pub reference: Word,
    /// The page kind that listed it first.
    pub page: Word,
    /// The time the page claimed first; an undated item has none.
    pub claimed: Option<Moment>,
    /// As-of time of the first observation that listed it.
    pub first_seen: DateTime<Utc>,
    /// As-of time of the last observation before `first_seen` that covers the claimed time and did
    /// not list it; present exactly where the post appeared late.
    pub missed_by: Option<DateTime<Utc>>,
    /// As-of time of the last observation before `first_seen`, whatever it covered.
    pub seen_before: Option<DateTime<Utc>>,
    /// `sha256:…` of its text when first listed, where the page carries one.
    pub text_digest: Option<Word>,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
}

impl Visit {
    /// Whether the page kind lists the account's posts, or counts them.
    pub fn speaks_for_list(&self) -> bool {
        !matches!(self.part.as_str(), "" | BESIDE)
    }
}

/// What a later visit said of a post that was listed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// It was missing from a list that shows what is older and what is newer.
    Absent,
    /// It was listed again after it had been missing.
    Listed,
    /// Its own address answered that it is gone.
    Gone,
    /// It was missing from its list, and its own address still showed it.
    Open,
    /// It was listed with a time that cannot be the one it claimed first; noted once.
    Redated,
}

/// A mark in a post's later life. While a post is listed as ever, none is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostMark {
    /// The post, as [`ListedPost::reference`].
    pub reference: String,
    /// The page kind of the visit that says so.
    pub page: String,
    /// When that visit started.
    pub started_at: DateTime<Utc>,
    /// As-of time of what it says.
    pub at: DateTime<Utc>,
    /// What it says.
    pub kind: MarkKind,
    /// As-of time of the newest observation before it that listed the post.
    pub last_seen: DateTime<Utc>,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
}

/// One look at a canary of a host and page kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryLook {
    /// The page kind looked at: a look speaks for no other.
    pub page: Word,
    /// When the look was made.
    pub at: DateTime<Utc>,
    /// Digest of the platform file that read it.
    pub adapter: Word,
    /// Healthy: an observation with a post newer than three times its usual longest gap. A named
    /// canary that cannot be read, or a stand-in that cannot be read, is a failure; a stand-in that
    /// is only quiet is neither and is not listed.
    pub healthy: bool,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
}

/// A time in which a page kind did not yield what it used to, over many accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The page kind.
    pub page: String,
    /// When the first reading fell. What was observed since then is void.
    pub since: DateTime<Utc>,
    /// When readings were found to yield again; while absent, silent verdicts are frozen.
    pub until: Option<DateTime<Utc>>,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
}

/// Everything known about one account that bears on its activity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// The ledger's opening date (开通日期), at 00:00 Asia/Shanghai.
    pub opened_at: Option<DateTime<Utc>>,
    /// The ledger's filing date (备案日期), at 00:00 Asia/Shanghai.
    pub filed_at: Option<DateTime<Utc>>,
    /// Visits, in any order.
    pub visits: Vec<Visit>,
    /// Posts, in any order.
    pub posts: Vec<ListedPost>,
    /// The parts the platform file names; silence needs all of them.
    pub parts: Vec<String>,
    /// Canary looks of the account's host and page kinds, and of page kinds left that speak beside
    /// others, in any order; empty where the platform has neither canaries nor stand-ins.
    pub canaries: Vec<CanaryLook>,
    /// Whether any of the account's page kinds has a canary or stand-in on its host.
    pub has_canary: bool,
    /// Where some have one: the account's page kinds that have none.
    pub unwatched: BTreeMap<String, Unwatched>,
    /// Drifts of the account's page kinds on their hosts, in any order.
    pub drifts: Vec<Drift>,
}
