use std::fmt;
use std::str::FromStr;

use xunjian::observe::{History, Policy};

/// A rule of the observation calculus that can be left out, to see whether anything notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Silence needs observations on two days, three without a canary.
    Confirmations,
    /// An observation waits for a healthy canary.
    Canary,
    /// An answer reaches as far as it proves, and confirms only if provably fresh.
    Freshness,
    /// A page that covers no span proves no silence.
    Coverage,
    /// The answer proves whose page it is.
    Identity,
    /// A list out of order is not the list we know.
    Order,
    /// Pinned items, marked or not, say nothing about what follows.
    Pins,
    /// The counter tells of posts that no list shows.
    Hidden,
}

impl Guard {
    pub(super) const ALL: [Self; 8] = [
        Self::Confirmations,
        Self::Canary,
        Self::Freshness,
        Self::Coverage,
        Self::Identity,
        Self::Order,
        Self::Pins,
        Self::Hidden,
    ];

    /// The shipped policy, less the numbers of this guard.
    pub(super) fn policy(without: Option<Self>) -> Policy {
        let mut policy = Policy::default();
        match without {
            Some(Self::Confirmations) => {
                policy.confirmations = 1;
                policy.confirmations_without_canary = 1;
            }
            Some(Self::Canary) => policy.confirmations_without_canary = policy.confirmations,
            Some(Self::Order) => policy.disorder_max_percent = 100,
            Some(Self::Pins) => policy.pins_max = 0,
            _ => {}
        }
        policy
    }

    /// What the judge is told of an account.
    pub(super) fn history(without: Option<Self>, history: &mut History) {
        if without == Some(Self::Canary) {
            history.canaries.clear();
            history.has_canary = false;
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

impl FromStr for Guard {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|guard| guard.to_string() == word);
        found.ok_or_else(|| format!("no guard {word:?}; there are {}", words()))
    }
}

fn words() -> String {
    Guard::ALL.map(|guard| guard.to_string()).join(", ")
}
