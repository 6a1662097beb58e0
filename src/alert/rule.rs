use crate::domain::{Lifecycle, RegionCode, Severity};

use super::exit::ExitRule;
use super::ladder::Ladder;
use super::limit::{Limit, Operator};
use super::triage::TriageRule;

/// The rules of one file: what one authority holds against accounts of its area.
#[derive(Debug)]
pub struct RuleSet {
    /// The id of the set.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// Who issued it, with the number of the document where there is one.
    pub authority: String,
    /// Leading digits of the division codes it holds for; empty: everywhere.
    pub areas: Vec<String>,
    /// `sha256:…` of the file.
    pub digest: String,
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// How notices become namings, and namings a proposal of closure.
    pub ladder: Option<Ladder>,
    /// What an account must reach to be kept.
    pub exit: Option<ExitRule>,
    /// How accounts are sorted into keep, merge, cancel and review.
    pub triage: Option<TriageRule>,
}

impl RuleSet {
    /// How many leading digits of a region the set names for it; `None` where it does not hold.
    pub fn holds_for(&self, region: &RegionCode) -> Option<usize> {
        if self.areas.is_empty() {
            return Some(0);
        }
        let named = self.areas.iter().filter(|area| region.as_str().starts_with(area.as_str()));
        named.map(String::len).max()
    }
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The id, unique over all files; it stands in findings, metrics and answers.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The words of the rule.
    pub clause: String,
    /// Where the words come from.
    pub source: String,
    /// How grave it is.
    pub severity: Severity,
    /// What the sponsor is advised to do.
    pub advice: String,
    /// What is checked.
    pub check: Check,
    /// Calendar days from the day after a notice to its deadline.
    pub deadline_days: u32,
    /// Whether a person must approve before anybody is told or named.
    pub needs_approval: bool,
    /// The ledger states it looks at; empty: all that are judged.
    pub lifecycles: Vec<Lifecycle>,
    /// The categories (类别) it looks at; empty: all.
    pub categories: Vec<String>,
}

/// What a rule checks.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// A proven silence of exactly this tier; a graver tier speaks for itself.
    Silence(SilentTier),
    /// Proven gone from the platform while the ledger has it running, filing or paused.
    Gone,
    /// Dormant or worse while closing (拟关停).
    ClosingSilent,
    /// Measures of a period beyond limits, all of them.
    Measures {
        /// Which period.
        period: PeriodChoice,
        /// The least covered share of the period, 0–1, below which nothing can be told.
        coverage_min: f64,
        /// Every one must hold.
        conditions: Vec<Condition>,
    },
    /// A message unanswered for longer than the limit, or answered later.
    InquiryOverdue {
        /// The limit.
        limit: Limit,
        /// How long back messages are looked at, in days.
        within_days: u32,
    },
    /// Several running accounts of one sponsor on one platform.
    DuplicateAccount,
    /// A county with no, or with several, running main accounts.
    MainAccount,
    /// Running without a filing date.
    Unfiled,
    /// An exemption past its last day.
    ExemptionExpired,
    /// Another name, certification or handle than before.
    IdentityDrift {
        /// How long a change is held against the account, in days.
        within_days: u32,
    },
    /// A post whose date was set before its appearance (补发/伪造发稿日期).
    Backdated {
        /// How long back posts are looked at, in days.
        within_days: u32,
    },
    /// Posts deleted after publication.
    Deleted {
        /// How long back deletions are looked at, in days.
        within_days: u32,
        /// From so many on.
        at_least: u32,
    },
    /// An unlikely share of the period's posts in its last days.
    Burst {
        /// Days before the cutoff.
        days: u32,
        /// From so many posts in them on.
        posts_min: u32,
        /// From this share of the period's posts on, 0–1.
        share_min: f64,
        /// The most that chance may explain, 0–1.
        chance_max: f64,
    },
    /// Too many texts nearly like those of another account of the matrix.
    NearDuplicate(NearDuplicateRule),
    /// Notices not answered often enough to be named: the ladder says so.
    MissedNotices,
    /// Namings often enough for a proposal of closure: the ladder says so.
    Closure,
    /// Failed in a frozen assessment: raised when its bulletin is prepared, once for each.
    Assessment,
    /// Only a person can see it.
    Person,
}

impl Check {
    /// Whether findings are raised from data, and mended by them.
    pub fn is_automatic(&self) -> bool {
        !matches!(self, Self::Person | Self::Assessment)
    }

    /// Whether the ledger alone answers it, of more than one row.
    pub fn is_of_books(&self) -> bool {
        matches!(self, Self::DuplicateAccount | Self::MainAccount)
    }

    /// Whether it speaks of a silence, or of an account that is gone, grave enough to fail it.
    pub fn is_failing_silence(&self) -> bool {
        match self {
            Self::Silence(tier) => *tier > SilentTier::Watch,
            Self::Gone | Self::ClosingSilent => true,
            _ => false,
        }
    }

    /// Whether it speaks of what was done, which the end of an account does not undo.
    pub(super) fn is_of_a_deed(&self) -> bool {
        match self {
            Self::Backdated { .. }
            | Self::Deleted { .. }
            | Self::Burst { .. }
            | Self::NearDuplicate(_)
            | Self::Assessment
            | Self::Person => true,
            Self::Silence(_)
            | Self::Gone
            | Self::ClosingSilent
            | Self::Measures { .. }
            | Self::InquiryOverdue { .. }
            | Self::DuplicateAccount
            | Self::MainAccount
            | Self::Unfiled
            | Self::ExemptionExpired
            | Self::IdentityDrift { .. }
            | Self::MissedNotices
            | Self::Closure => false,
        }
    }
}

/// A tier of silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SilentTier {
    /// 重点关注.
    Watch,
    /// 休眠.
    Dormant,
    /// 僵尸.
    Zombie,
    /// 空壳.
    Empty,
}

/// When texts are too much alike.
#[derive(Debug, Clone, PartialEq)]
pub struct NearDuplicateRule {
    /// Who belongs together.
    pub matrix: Matrix,
    /// How long back posts are looked at, in days.
    pub within_days: u32,
    /// The most bits of 64 in which two similarity digests may differ.
    pub distance_max: u32,
    /// From so many posts on.
    pub posts_min: u32,
    /// From this share on, 0–1.
    pub share_min: f64,
}

/// Which accounts form a matrix (矩阵).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matrix {
    /// Those of one region.
    Region,
    /// Those of one supervisor.
    Supervisor,
}

/// Which period measures are taken of, at a cutoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeriodChoice {
    /// The last whole calendar month before the cutoff.
    Month,
    /// The last whole quarter before the cutoff.
    Quarter,
}

impl PeriodChoice {
    /// Every choice with its word in files.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Month, "month"), (Self::Quarter, "quarter")];
}

/// One measure held against a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The measure, as `score` names it.
    pub measure: String,
    /// How it is compared.
    pub operator: Operator,
    /// The number.
    pub value: f64,
    /// Only whether there is enough to judge: where it does not hold nothing is said, and nothing
    /// is mended.
    pub gate: bool,
}
