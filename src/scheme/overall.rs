//! What is made of dimensions: composites, the verdict, roll-ups to whoever answers for accounts.

use rust_decimal::Decimal;

use super::{Certainty, Compare, Scope};

/// A weighted sum of dimensions or earlier composites.
#[derive(Debug)]
pub struct Composite {
    /// The id, unique among dimensions and composites.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// How sure its weights are.
    pub certainty: Certainty,
    /// What is summed, in order.
    pub parts: Vec<Part>,
    /// The most it can be.
    pub cap: Option<Decimal>,
    /// Whether parts that are not scored leave the others to count for the whole.
    pub rescale_missing: bool,
}

/// One summand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The dimension or composite.
    pub of: String,
    /// What its points are multiplied by.
    pub weight: Decimal,
}

/// A score held against a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The dimension or composite.
    pub of: String,
    /// The operator.
    pub compare: Compare,
    /// The limit.
    pub value: Decimal,
}

/// Who answers for several accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollupTo {
    /// 主办单位.
    Sponsor,
    /// 主管单位.
    Supervisor,
    /// The division itself, six digits.
    Region,
    /// The city, four digits.
    City,
    /// The province, two digits.
    Province,
}

impl RollupTo {
    /// Everyone with the stable word.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Sponsor, "sponsor"),
        (Self::Supervisor, "supervisor"),
        (Self::Region, "region"),
        (Self::City, "city"),
        (Self::Province, "province"),
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// How many scores become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Their mean.
    Mean,
    /// The least of them.
    Min,
    /// Their sum.
    Sum,
}

impl How {
    /// Every way with its stable word.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Mean, "mean"), (Self::Min, "min"), (Self::Sum, "sum")];
}

/// A score over accounts.
#[derive(Debug)]
pub struct Rollup {
    /// The id, unique among roll-ups.
    pub id: String,
    /// The Chinese title.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// Who gets it.
    pub to: RollupTo,
    /// Weighted parts, such as sites 30 % and new media 70 %.
    pub parts: Vec<RollupPart>,
    /// What one vetoed account leaves at most (一票否决计 59 分).
    pub any_veto: Option<Decimal>,
    /// Whether a part without accounts leaves the others to count for the whole.
    pub rescale_missing: bool,
}

/// One part of a roll-up.
#[derive(Debug)]
pub struct RollupPart {
    /// The dimension or composite of each account.
    pub of: String,
    /// How the accounts' scores become one.
    pub how: How,
    /// What it is multiplied by.
    pub weight: Decimal,
    /// Which accounts belong to it.
    pub scope: Scope,
}
