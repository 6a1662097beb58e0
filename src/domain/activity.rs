use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an account's activity cannot be told.
///
/// The words are stable: they stand in the database, in metrics and in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No visit has been made yet.
    NeverVisited,
    /// The newest visits were answered by a wall: captcha, login, forbidden.
    Blocked,
    /// The host asked us to slow down.
    Limited,
    /// The host did not answer, or answered with a server error.
    Unreachable,
    /// The page was answered but not as the page we know.
    Drifted,
    /// The answer was older than it claimed.
    Stale,
    /// robots.txt refuses us.
    Disallowed,
    /// Covered spans leave gaps inside the window.
    NotCovered,
    /// The crossing has been seen once and waits for its second observation.
    Unconfirmed,
    /// The newest observations wait for a healthy canary.
    Provisional,
    /// A canary failed: the platform's silent verdicts are frozen.
    Frozen,
    /// The last proven observation is too old to speak of now.
    ObservationTooOld,
    /// A post appeared late, or its time is too coarse to decide.
    TimeAmbiguous,
    /// The account is younger than the window.
    TooYoung,
    /// The profile counts a post that no list shows.
    HiddenPost,
    /// The platform lists parts that this source does not read.
    PartsMissing,
    /// The source cannot prove silence; an authorised import or a person's check can.
    SourceCannotProveSilence,
}

impl Reason {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 17] = [
        Self::NeverVisited,
        Self::Blocked,
        Self::Limited,
        Self::Unreachable,
        Self::Drifted,
        Self::Stale,
        Self::Disallowed,
        Self::NotCovered,
        Self::Unconfirmed,
        Self::Provisional,
        Self::Frozen,
        Self::ObservationTooOld,
        Self::TimeAmbiguous,
        Self::TooYoung,
        Self::HiddenPost,
        Self::PartsMissing,
        Self::SourceCannotProveSilence,
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverVisited => "never_visited",
            Self::Blocked => "blocked",
            Self::Limited => "limited",
            Self::Unreachable => "unreachable",
            Self::Drifted => "drifted",
            Self::Stale => "stale",
            Self::Disallowed => "disallowed",
            Self::NotCovered => "not_covered",
            Self::Unconfirmed => "unconfirmed",
            Self::Provisional => "provisional",
            Self::Frozen => "frozen",
            Self::ObservationTooOld => "observation_too_old",
            Self::TimeAmbiguous => "time_ambiguous",
            Self::TooYoung => "too_young",
            Self::HiddenPost => "hidden_post",
            Self::PartsMissing => "parts_missing",
            Self::SourceCannotProveSilence => "source_cannot_prove_silence",
        }
    }

    /// The reason in the words of an office, as notices and bulletins say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::NeverVisited => "尚未访问",
            Self::Blocked => "平台拦截访问",
            Self::Limited => "平台限制访问频率",
            Self::Unreachable => "平台无应答",
            Self::Drifted => "页面改版,未能读取",
            Self::Stale => "平台给出的页面陈旧",
            Self::Disallowed => "网站声明不允许程序访问",
            Self::NotCovered => "有时段未观察到",
            Self::Unconfirmed => "待另一日复核确认",
            Self::Provisional => "待同平台常更账号印证",
            Self::Frozen => "同平台常更账号读取异常,暂停判定",
            Self::ObservationTooOld => "最近一次有效观察过早",
            Self::TimeAmbiguous => "发布时间不足以判定",
            Self::TooYoung => "开通不久",
            Self::HiddenPost => "有未公开显示的发布",
            Self::PartsMissing => "只能看到部分栏目",
            Self::SourceCannotProveSilence => "数据来源不足以证明未更新",
        }
    }

    /// Reads the stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an account is observed to do; the ledger's lifecycle is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// A post inside the watch window is proven.
    Active,
    /// Proven silent beyond the watch limit (default 10 days).
    Watch,
    /// Proven silent beyond the dormant limit (休眠, default 14 days).
    Dormant,
    /// Proven silent beyond the zombie limit (僵尸, default 3 months).
    Zombie,
    /// Proven to have never posted (空壳).
    Empty,
    /// Proven gone from the platform.
    Gone,
    /// Not provable either way, with the reason.
    Undetermined(Reason),
}

impl Activity {
    /// The stable word, without the reason.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Watch => "watch",
            Self::Dormant => "dormant",
            Self::Zombie => "zombie",
            Self::Empty => "empty",
            Self::Gone => "gone",
            Self::Undetermined(_) => "undetermined",
        }
    }

    /// The reason, where there is one.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Undetermined(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether this word accuses: it may be given only on proof.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Watch | Self::Dormant | Self::Zombie | Self::Empty | Self::Gone)
    }

    /// Reads the two stored words back; `None` for words this program does not know.
    pub fn from_words(activity: &str, reason: Option<&str>) -> Option<Self> {
        Some(match activity {
            "active" => Self::Active,
            "watch" => Self::Watch,
            "dormant" => Self::Dormant,
            "zombie" => Self::Zombie,
            "empty" => Self::Empty,
            "gone" => Self::Gone,
            "undetermined" => Self::Undetermined(
                Reason::ALL.into_iter().find(|one| Some(one.as_str()) == reason)?,
            ),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_words_for_an_office() {
        let mut titles: Vec<&str> = Reason::ALL.iter().map(|reason| reason.title()).collect();
        for (reason, title) in Reason::ALL.iter().zip(&titles) {
            assert!(!title.bytes().any(|byte| byte.is_ascii_alphabetic()), "{title}");
            assert_eq!(Reason::from_word(reason.as_str()), Some(*reason));
        }
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), Reason::ALL.len());
    }
}
