use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;

/// An operator as the rule writes it; there is no default.
///
/// 以上, 以下, 以内, 届满 and (含) include the number; 超过, 不满, 以外 exclude it (民法典 art. 1259).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Compare {
    /// `>`: 超过.
    #[serde(rename = ">")]
    Over,
    /// `>=`: 以上.
    #[serde(rename = ">=")]
    AtLeast,
    /// `<`: 不满.
    #[serde(rename = "<")]
    Under,
    /// `<=`: 以下.
    #[serde(rename = "<=")]
    AtMost,
}

impl Compare {
    /// The operators as they are written.
    pub const WORDS: [&'static str; 4] = [">", ">=", "<", "<="];

    /// Reads a written operator.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            ">" => Some(Self::Over),
            ">=" => Some(Self::AtLeast),
            "<" => Some(Self::Under),
            "<=" => Some(Self::AtMost),
            _ => None,
        }
    }

    /// Whether what lies below the limit meets it.
    pub fn is_below(self) -> bool {
        matches!(self, Self::Under | Self::AtMost)
    }

    /// Whether a number meets the limit.
    pub fn holds(self, number: Decimal, limit: Decimal) -> bool {
        match self {
            Self::Over => number > limit,
            Self::AtLeast => number >= limit,
            Self::Under => number < limit,
            Self::AtMost => number <= limit,
        }
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Over => ">",
            Self::AtLeast => ">=",
            Self::Under => "<",
            Self::AtMost => "<=",
        })
    }
}
