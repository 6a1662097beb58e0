use chrono::{DateTime, NaiveDate, Utc};

/// What a check found, as the frozen assessment tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The period in words, such as `2026年第三季度`.
    pub period: String,
    /// 监测时间点.
    pub cutoff: DateTime<Utc>,
    /// Accounts of the ledger that ran; sites among them.
    pub running: u64,
    /// How accounts were drawn, where the check was a sample (抽查); `None` for a census (普查).
    pub sample: Option<String>,
    /// Accounts whose scheme gives no verdict: they are told and not counted.
    pub without_verdict: u64,
    /// Accounts in a state that their scheme does not judge (已关停, 已注销): told, not counted.
    pub not_judged: u64,
    /// Every account that was looked at, in the order of the assessment.
    pub examined: Vec<Examined>,
    /// What has become of those that failed last time; `None` where no earlier one is frozen.
    pub earlier: Option<Before>,
    /// The published issue; `None` for a draft, which names nobody.
    pub issue: Option<Issue>,
    /// Where it comes from.
    pub origin: Origin,
}

/// One published issue of a bulletin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// 1 for the first; each correction is one more.
    pub number: u32,
    /// Why it corrects the one before; empty for the first.
    pub reason: String,
}

/// The check before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The period in words.
    pub period: String,
    /// Whether its bulletin was published: only then were its accounts named.
    pub is_published: bool,
    /// Who failed then; of a published bulletin, who was named.
    pub accounts: Vec<Earlier>,
}

/// What a reader can hold the numbers against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The number of the assessment.
    pub assessment: i64,
    /// Its version.
    pub version: u32,
    /// `sha256:…` of the bundle.
    pub digest: String,
    /// Title, version and digest of every scheme that judged somebody.
    pub schemes: Vec<(String, String, String)>,
    /// The newest sealed day of the evidence chain with its value.
    pub chain: Option<(NaiveDate, String)>,
}

/// Sites and accounts are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// 政府网站.
    Site,
    /// 政务新媒体.
    Account,
}

/// One account that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// 账号编号.
    pub key: String,
    /// 账号名称.
    pub name: String,
    /// The platform's Chinese name; any, since the set is open.
    pub platform: String,
    /// Site or account.
    pub kind: Kind,
    /// 主办单位.
    pub sponsor: String,
    /// 主管单位.
    pub supervisor: Option<String>,
    /// Pass, fail or why neither.
    pub judged: Judged,
    /// What was found wrong, proven: vetoes first. Of who could not be judged only what has it
    /// named all the same is told.
    pub items: Vec<Item>,
    /// When it last posted, as far as is known.
    pub last_post_at: Option<DateTime<Utc>>,
    /// Why it is counted and not named, such as an exemption in force.
    pub withheld: Option<String>,
}

impl Examined {
    /// Whether it failed, or its scheme has it named without that, and nothing keeps it from being
    /// named.
    pub fn is_to_be_named(&self) -> bool {
        (self.judged == Judged::Failed || self.is_called()) && self.withheld.is_none()
    }

    /// Whether its scheme has it named whether it failed or not.
    pub fn is_called(&self) -> bool {
        self.items.iter().any(|item| item.kind == ItemKind::Called)
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// 合格.
    Passed,
    /// 不合格.
    Failed,
    /// 未能判定, with the reason: neither of the two.
    Undetermined(String),
}

/// One thing found wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// In which part of the bulletin it stands.
    pub kind: ItemKind,
    /// The class in words, such as 内容不更新.
    pub title: String,
}

/// In the order in which a bulletin tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// 单项否决.
    Veto,
    /// A score below the line of the scheme.
    Score,
    /// 扣分.
    Deduction,
    /// 应予通报: what the scheme names for without failing, such as notices not followed.
    Called,
}

/// A failed account of the last bulletin and what it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// 账号编号.
    pub key: String,
    /// 账号名称.
    pub name: String,
    /// The platform's Chinese name.
    pub platform: String,
    /// 主办单位.
    pub sponsor: String,
    /// What was wrong then.
    pub items: Vec<Item>,
    /// What it is now.
    pub now: super::RecheckState,
    /// Whether it stands among those named this time.
    pub is_named_again: bool,
}

/// What the office itself decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Who issues it (落款).
    pub issuer: String,
    /// The day it is issued, in Asia/Shanghai.
    pub date: NaiveDate,
    /// By when failed accounts are to be mended.
    pub due: NaiveDate,
    /// Decimals of the rates: 2, some authorities 1.
    pub decimals: u32,
}
