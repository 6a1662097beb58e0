use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::account::AccountId;
use super::region::RegionCode;

/// The store's number for a finding; what commands, notices and answers call it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingId(pub i64);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How grave a finding is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 单项否决: by itself the account fails.
    Veto,
    /// 较重问题.
    Serious,
    /// 一般问题.
    Minor,
    /// 关注提示: no failure yet.
    Watch,
}

impl Severity {
    /// Every severity with its stable word and its Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Veto, "veto", "单项否决"),
        (Self::Serious, "serious", "较重问题"),
        (Self::Minor, "minor", "一般问题"),
        (Self::Watch, "watch", "关注提示"),
    ];

    /// Reads the stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.1 == word).map(|row| row.0)
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The Chinese name.
    pub fn title(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}

/// Whom or what a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// One account.
    Account(AccountId),
    /// A sponsor (主办单位), by name and, where the ledger has it, credit code.
    Sponsor {
        /// The name.
        name: String,
        /// 统一社会信用代码.
        code: Option<String>,
    },
    /// An area, where the fault is that something is missing in it.
    Area(RegionCode),
}

/// What a finding rests on: enough to find the record again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EvidenceRef {
    /// A visit to a page of an account.
    Visit {
        /// 账号编号.
        key: String,
        /// The page kind.
        page: String,
        /// When the request was sent.
        started_at: DateTime<Utc>,
    },
    /// A post.
    Post {
        /// 账号编号.
        key: String,
        /// The platform's id, or the address where there is none.
        reference: String,
    },
    /// A row of the ledger.
    Ledger {
        /// 账号编号.
        key: String,
    },
    /// A citizen's message, by the keyed digest of its id.
    Inquiry {
        /// 账号编号.
        key: String,
        /// The keyed digest.
        reference: String,
    },
    /// A file that a person handed in.
    File {
        /// Its name, without its folder.
        name: String,
        /// `sha256:…` of its bytes.
        digest: String,
    },
    /// What a person has seen.
    Note {
        /// The words.
        text: String,
    },
    /// A notice that was not answered.
    Notice {
        /// The finding it was about.
        finding: FindingId,
        /// Which notice of that finding, from 1.
        stage: i32,
    },
}

/// Where a finding stands on its way from being raised to being done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Raised; nobody has been told.
    Open,
    /// Confirmed, by a second person where the rule asks for one.
    Approved,
    /// The sponsor has been told.
    Notified,
    /// The sponsor has explained.
    Explained,
    /// The fault is said, or was seen, to be repaired.
    Rectified,
    /// The repair, or the explanation, was checked and holds.
    Rechecked,
    /// The check failed; the sponsor is told again.
    Reopened,
    /// Done with.
    Closed,
    /// Was no fault, or is not pursued.
    Dismissed,
}

impl FindingState {
    /// Every state with its stable word and its Chinese name, in the order of the way.
    pub const ALL: [(Self, &'static str, &'static str); 9] = [
        (Self::Open, "open", "待复核"),
        (Self::Approved, "approved", "已复核"),
        (Self::Notified, "notified", "已通知"),
        (Self::Explained, "explained", "已说明"),
        (Self::Rectified, "rectified", "已整改"),
        (Self::Rechecked, "rechecked", "已复查"),
        (Self::Reopened, "reopened", "重新整改"),
        (Self::Closed, "closed", "已办结"),
        (Self::Dismissed, "dismissed", "已撤销"),
    ];

    /// Reads the stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.1 == word).map(|row| row.0)
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The Chinese name.
    pub fn title(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// Whether the way ends here.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Dismissed)
    }
}

impl fmt::Display for FindingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
