use serde::{Deserialize, Serialize};

/// `[metrics]`: how much of the fleet becomes series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Most accounts on one `/metrics/accounts` page, whole accounts, worst first; about 9 series
    /// and 25 KiB of Prometheus memory each.
    pub accounts_max: u32,
    /// Leading digits of `area_code` on fleet series: 2, 4 or 6; 0 chooses by the number of
    /// accounts (6 up to 1,000, 4 up to 10,000, then 2).
    pub area_digits: AreaDigits,
    /// Most open findings that become series of their own, the gravest first.
    pub findings_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { accounts_max: 10_000, area_digits: AreaDigits::default(), findings_max: 1000 }
    }
}

/// How many leading digits of an administrative division code are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum AreaDigits {
    /// Chosen by the number of accounts; written 0.
    #[default]
    ByFleetSize,
    /// The province.
    Two,
    /// The prefecture.
    Four,
    /// The county.
    Six,
}

impl AreaDigits {
    /// The digits kept in a fleet of so many accounts: 2, 4 or 6.
    pub fn for_fleet(self, accounts: u64) -> usize {
        match (self, accounts) {
            (Self::Six, _) | (Self::ByFleetSize, ..=1_000) => 6,
            (Self::Four, _) | (Self::ByFleetSize, ..=10_000) => 4,
            (Self::Two, _) | (Self::ByFleetSize, _) => 2,
        }
    }
}

impl TryFrom<u8> for AreaDigits {
    type Error = String;

    fn try_from(digits: u8) -> Result<Self, String> {
        match digits {
            0 => Ok(Self::ByFleetSize),
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            6 => Ok(Self::Six),
            other => Err(format!("area_digits is 2, 4, 6, or 0 for by fleet size, not {other}")),
        }
    }
}

impl From<AreaDigits> for u8 {
    fn from(digits: AreaDigits) -> Self {
        match digits {
            AreaDigits::ByFleetSize => 0,
            AreaDigits::Two => 2,
            AreaDigits::Four => 4,
            AreaDigits::Six => 6,
        }
    }
}
