//! Pass or fail, and what it rests on.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scheme::Certainty;

use super::reading::Reading;

/// Pass, fail, or why neither can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The word.
    pub result: VerdictWord,
    /// Which vetoes or scores decided it, in Chinese.
    pub reasons: Vec<String>,
}

/// The stable words of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// 合格.
    Pass,
    /// 不合格.
    Fail,
    /// 未能判定.
    Undetermined,
    /// The scheme does not judge the account in its state (已关停, 已注销).
    NotJudged,
}

impl VerdictWord {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undetermined => "undetermined",
            Self::NotJudged => "not_judged",
        }
    }

    /// The Chinese word.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pass => "合格",
            Self::Fail => "不合格",
            Self::Undetermined => "未能判定",
            Self::NotJudged => "不在评价范围",
        }
    }
}

/// A veto or flag and whether it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlagScore {
    /// The id.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// How sure the clause is.
    pub certainty: Certainty,
    /// What follows where it holds.
    pub outcome: String,
    /// Whether only a person can enter it.
    pub manual: bool,
    /// Whether it holds.
    pub state: FlagState,
    /// The measures that it uses.
    pub inputs: BTreeMap<String, Reading>,
}

/// Whether a flag holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagState {
    /// It holds.
    Holds,
    /// It does not.
    Clear,
    /// It does not concern the account.
    NotApplicable,
    /// It cannot be told, with the reason; `taken_as` says what the scheme makes of that.
    Undetermined {
        /// The reason.
        reason: String,
        /// `true` held, `false` clear, absent neither.
        taken_as: Option<bool>,
    },
}

impl fmt::Display for FlagState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("成立"),
            Self::Clear => f.write_str("不成立"),
            Self::NotApplicable => f.write_str("不适用"),
            Self::Undetermined { reason, taken_as: None } => write!(f, "未能判定:{reason}"),
            Self::Undetermined { reason, taken_as: Some(true) } => {
                write!(f, "未能判定,按成立计:{reason}")
            }
            Self::Undetermined { reason, taken_as: Some(false) } => {
                write!(f, "未能判定,按不成立计:{reason}")
            }
        }
    }
}

impl FlagState {
    /// Whether it counts as holding; `None` where it is open.
    pub fn holds(&self) -> Option<bool> {
        match self {
            Self::Holds => Some(true),
            Self::Clear | Self::NotApplicable => Some(false),
            Self::Undetermined { taken_as, .. } => *taken_as,
        }
    }
}
