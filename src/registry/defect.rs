use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// What crawls have learnt that the books can be held against; empty where nothing was crawled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFacts {
    /// The name each account's page showed last, by key.
    pub page_names: BTreeMap<String, String>,
    /// Keys of accounts proven gone from their platform.
    pub gone: BTreeSet<String>,
    /// Keys of accounts that were visited at least once.
    pub visited: BTreeSet<String>,
    /// Keys of accounts whose handle led to their page at least once.
    pub resolved: BTreeSet<String>,
}

/// The kinds of defects, in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefectKind {
    /// Two running accounts of one sponsor on one platform.
    SeveralPerSponsor,
    /// No sponsor.
    SponsorMissing,
    /// No supervisor.
    SupervisorMissing,
    /// The sponsor's credit code belongs to another province than the account's region.
    SponsorCodeElsewhere,
    /// One credit code under several sponsors' names.
    SponsorCodeShared,
    /// No credit code, so the sponsor cannot be told from one of the same name.
    SponsorCodeMissing,
    /// A region code of no province.
    RegionUnknown,
    /// One platform account under several keys.
    HandleDuplicate,
    /// A county without a running main account (主账号).
    MainAccountMissing,
    /// A county with several running main accounts.
    SeveralMainAccounts,
    /// Filed later after its opening than allowed.
    FiledLate,
    /// Running without a filing date.
    NotFiled,
    /// A handle that never led to a page.
    HandleNeverResolved,
    /// A name other than the page's.
    NameDiffers,
    /// Running in the ledger, gone on the platform.
    RunningButGone,
    /// Closed or cancelled without its date.
    ClosingDateMissing,
    /// An exemption of which nobody wrote down an end.
    ExemptionWithoutEnd,
    /// An exemption past its last day.
    ExemptionExpired,
    /// A contract with the operator past its last day.
    ContractExpired,
}

/// One defect of the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// What kind it is.
    pub kind: DefectKind,
    /// The keys concerned, sorted; empty only where the defect is that an account is missing.
    pub keys: Vec<String>,
    /// A Chinese sentence that stands on its own.
    pub sentence: String,
}
