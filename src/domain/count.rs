use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number a page shows: exact, rounded or capped, or hidden by the platform.
///
/// `Option<Count>` adds the fourth case: this page does not carry it. Unknown is never 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Count {
    /// Exactly this many.
    Exact(u64),
    /// Rounded or capped: `low..=high` hold the true number, `high` absent for a lower bound only.
    /// `value` is what stands on the page (`1.2万` is 12000; `10万+` is 100001).
    Bounded {
        /// The number as shown.
        value: u64,
        /// The least the true number can be.
        low: u64,
        /// The most it can be; absent where only a lower bound is shown.
        high: Option<u64>,
    },
    /// The platform does not show it, with the reason.
    Hidden(String),
}

impl Count {
    /// The number as shown, unless it is hidden.
    pub fn value(&self) -> Option<u64> {
        match self {
            Self::Exact(value) | Self::Bounded { value, .. } => Some(*value),
            Self::Hidden(_) => None,
        }
    }

    /// The least the true number can be, unless it is hidden.
    pub fn low(&self) -> Option<u64> {
        match self {
            Self::Exact(value) => Some(*value),
            Self::Bounded { low, .. } => Some(*low),
            Self::Hidden(_) => None,
        }
    }

    /// The most the true number can be; `None` when hidden or only bounded from below.
    pub fn high(&self) -> Option<u64> {
        match self {
            Self::Exact(value) => Some(*value),
            Self::Bounded { high, .. } => *high,
            Self::Hidden(_) => None,
        }
    }

    /// Why a hidden count is hidden, in the words of an office; a word of a platform file that is
    /// not among the usual ones stands for itself.
    pub fn hidden_words(reason: &str) -> &str {
        match reason {
            "login_required" => "登录后才显示",
            "not_public" => "平台不公开",
            "owner_only" => "仅账号主体可见",
            other => other,
        }
    }

    /// Whether the number is known to be zero.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Exact(0))
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Exact(value) => map.serialize_entry("value", value)?,
            Self::Bounded { value, low, high } => {
                map.serialize_entry("value", value)?;
                map.serialize_entry("low", low)?;
                map.serialize_entry("high", high)?;
            }
            Self::Hidden(reason) => map.serialize_entry("hidden", reason)?,
        }
        map.end()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    value: Option<u64>,
    low: Option<u64>,
    high: Option<u64>,
    hidden: Option<String>,
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = Shape::deserialize(deserializer)?;
        match shape {
            Shape { hidden: Some(reason), value: None, .. } => Ok(Self::Hidden(reason)),
            Shape { value: Some(value), low: None, high: None, hidden: None } => {
                Ok(Self::Exact(value))
            }
            Shape { value: Some(value), low: Some(low), high, hidden: None } => {
                Ok(Self::Bounded { value, low, high })
            }
            _ => {
                Err(serde::de::Error::custom("a count is {value}, {value, low, high} or {hidden}"))
            }
        }
    }
}
