use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A number known exactly or within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// The number to show: what was counted or stands on the page.
    pub value: f64,
    /// The least the true number can be.
    pub low: f64,
    /// The most it can be; absent where only a lower bound is known.
    pub high: Option<f64>,
}

impl Quantity {
    /// A number without doubt.
    pub fn exact(value: f64) -> Self {
        Self { value, low: value, high: Some(value) }
    }

    /// A function of each end; `of` must not fall as its argument rises.
    pub(super) fn map(self, of: impl Fn(f64) -> f64) -> Self {
        Self { value: of(self.value), low: of(self.low), high: self.high.map(of) }
    }
}

/// Why a number cannot be told; it is never 0 for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownKind {
    /// There is nothing to judge, as a reply rate without messages.
    NotApplicable,
    /// The platform, or every page read, does not show it.
    NotObservable,
    /// Our own knowledge does not suffice.
    Undetermined,
}

/// A number that cannot be told, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unknown {
    /// Which kind of not knowing.
    pub unknown: UnknownKind,
    /// The reason, for people, in Chinese.
    pub reason: Cow<'static, str>,
}

/// What a measure says of an account in a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reading {
    /// A number.
    Known(Quantity),
    /// No number.
    Unknown(Unknown),
}

/// Numbers by name.
pub type Readings = BTreeMap<Cow<'static, str>, Reading>;

impl Reading {
    /// A number without doubt.
    pub fn exact(value: f64) -> Self {
        Self::Known(Quantity::exact(value))
    }

    pub(super) fn unknown(unknown: UnknownKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unknown(Unknown { unknown, reason: reason.into() })
    }

    /// The number, or why there is none.
    ///
    /// # Errors
    ///
    /// The reason why there is none.
    pub fn known(&self) -> Result<Quantity, &Unknown> {
        match self {
            Self::Known(quantity) => Ok(*quantity),
            Self::Unknown(unknown) => Err(unknown),
        }
    }

    /// Applies a function that does not fall as its argument rises.
    pub(super) fn map(self, of: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Known(quantity) => Self::Known(quantity.map(of)),
            Self::Unknown(_) => self,
        }
    }
}

/// A count as a number; counts are far below 2^53, beyond which a double would round.
#[expect(clippy::cast_precision_loss, reason = "no page shows counts beyond 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// A number of things held in memory.
pub(super) fn number_of(things: usize) -> f64 {
    number(things as u64)
}
