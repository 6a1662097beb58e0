use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::region::{CreditCode, RegionCode};

/// The store's number for an account; the office's own name for it is [`LedgerEntry::key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub i64);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the office says an account is in (状态). Activity is observed and kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// 备案中.
    Filing,
    /// 运行.
    Running,
    /// 暂停.
    Paused,
    /// 拟关停: still judged until it is closed.
    Closing,
    /// 已关停.
    Closed,
    /// 注销.
    Cancelled,
}

impl Lifecycle {
    /// Every state with its stable word and its Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Filing, "filing", "备案中"),
        (Self::Running, "running", "运行"),
        (Self::Paused, "paused", "暂停"),
        (Self::Closing, "closing", "拟关停"),
        (Self::Closed, "closed", "已关停"),
        (Self::Cancelled, "cancelled", "注销"),
    ];

    /// Reads the stable word or the Chinese name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, word, title)| name == *word || name == *title)
            .map(|row| row.0)
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// The Chinese name.
    pub fn title(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// Whether the account is visited and judged: all but closed and cancelled ones are.
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::Closed | Self::Cancelled)
    }
}

/// One row of the office's ledger, parsed: the words of the law stand in `registry`'s column table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// 账号编号: the office's own key, unique; `platform:handle` where the ledger has none.
    pub key: String,
    /// The platform id, as in `config/platforms`.
    pub platform: String,
    /// 平台账号: uid, biz, feed or page address.
    pub handle: String,
    /// 账号名称.
    pub name: String,
    /// 链接.
    pub url: Option<String>,
    /// 主办单位.
    pub sponsor: String,
    /// 统一社会信用代码 of the sponsor.
    pub sponsor_code: Option<CreditCode>,
    /// 主管单位.
    pub supervisor: Option<String>,
    /// 行政区划代码.
    pub region: RegionCode,
    /// 层级.
    pub level: Option<String>,
    /// 类别 (发布, 服务, 互动, …).
    pub category: Option<String>,
    /// 角色 (主账号, 成员).
    pub role: Option<String>,
    /// 状态.
    pub lifecycle: Lifecycle,
    /// 备案日期.
    pub filed_on: Option<NaiveDate>,
    /// 开通日期.
    pub opened_on: Option<NaiveDate>,
    /// 关停日期.
    pub closed_on: Option<NaiveDate>,
    /// 常住人口 of the area served.
    pub population: Option<u64>,
    /// 豁免说明.
    pub exemption: Option<String>,
    /// 豁免截止: the exemption holds through this day.
    pub exempt_until: Option<NaiveDate>,
    /// 责任人; personal, never shown in dashboards.
    pub officer: Option<String>,
    /// 通知方式; personal, never shown in dashboards.
    pub notify: Option<String>,
    /// 运维单位.
    pub operator: Option<String>,
    /// 合同截止.
    pub contract_until: Option<NaiveDate>,
    /// 网站标识码.
    pub site_id: Option<String>,
    /// Columns the program does not know, kept as they came.
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
}

/// A ledger entry the store has numbered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The store's number.
    pub id: AccountId,
    /// What the ledger says.
    #[serde(flatten)]
    pub entry: LedgerEntry,
}
