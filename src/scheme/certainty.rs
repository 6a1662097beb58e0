use serde::{Deserialize, Serialize};

/// How sure a rule or a number is: three words, no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The text of the named document says so.
    Confirmed,
    /// A circular or report applies or describes it.
    Reported,
    /// To be entered from the official text; `xunjian check` warns.
    Unverified,
}

impl Certainty {
    /// The stable words, in the order of declaration.
    pub const WORDS: [&'static str; 3] = ["confirmed", "reported", "unverified"];

    /// Reads the stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "confirmed" => Some(Self::Confirmed),
            "reported" => Some(Self::Reported),
            "unverified" => Some(Self::Unverified),
            _ => None,
        }
    }

    /// The Chinese word.
    pub fn title(self) -> &'static str {
        match self {
            Self::Confirmed => "已核实",
            Self::Reported => "见于报道",
            Self::Unverified => "未核实",
        }
    }
}
