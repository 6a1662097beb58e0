use chrono::{DateTime, Utc};

use super::activity::Activity;
use super::count::Count;
use super::region::RegionCode;

/// Where one account stands now: what dashboards and lists show of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// 账号编号.
    pub key: String,
    /// Platform id.
    pub platform: String,
    /// 账号名称.
    pub name: String,
    /// 主办单位.
    pub sponsor: String,
    /// 行政区划代码.
    pub region: RegionCode,
    /// 类别.
    pub category: Option<String>,
    /// The activity proven now.
    pub activity: Activity,
    /// The newest proven post.
    pub last_post_at: Option<DateTime<Utc>>,
    /// As-of time of the newest observation.
    pub last_observation_at: Option<DateTime<Utc>>,
    /// When the account crosses into dormancy if it does not post.
    pub silence_deadline_at: Option<DateTime<Utc>>,
    /// Covered share of the dormant window, 0–1.
    pub coverage: f64,
    /// Followers at the newest sample.
    pub followers: Option<Count>,
    /// The newest score of each dimension, in points; absent where it was not scored.
    pub scores: Vec<(String, f64)>,
}

/// How many accounts of one platform and area are in one activity.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetCell {
    /// Platform id.
    pub platform: String,
    /// 行政区划代码.
    pub region: RegionCode,
    /// The stable word of the activity.
    pub activity: String,
    /// Accounts.
    pub accounts: u64,
    /// Sum of their coverage ratios, 0–`accounts`.
    pub coverage_sum: f64,
}

/// How many findings of one rule, severity and area are not done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingCell {
    /// The rule's id.
    pub rule: String,
    /// The stable word of its severity.
    pub severity: String,
    /// 行政区划代码; a sponsor's finding has none.
    pub region: Option<RegionCode>,
    /// Findings.
    pub findings: u64,
    /// Those among them that are about an account.
    pub of_accounts: u64,
}

/// A finding of an account that is not done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveFinding {
    /// 账号编号.
    pub key: String,
    /// Platform id.
    pub platform: String,
    /// 行政区划代码.
    pub region: RegionCode,
    /// The sponsor's credit code, or its name where the ledger has none.
    pub sponsor_key: String,
    /// The rule's id.
    pub rule: String,
    /// The stable word of its severity.
    pub severity: String,
}
