use std::fmt;

use serde::Serialize;

use crate::domain::LedgerEntry;

/// A column of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each stands with its Chinese name in the table below")]
pub enum Column {
    Key,
    Platform,
    Handle,
    Name,
    Url,
    Sponsor,
    SponsorCode,
    Supervisor,
    Region,
    Level,
    Category,
    Role,
    Status,
    FiledOn,
    OpenedOn,
    ClosedOn,
    Population,
    Exemption,
    ExemptUntil,
    Officer,
    Notify,
    Operator,
    ContractUntil,
    SiteId,
}

/// What the file may call a column and whether it may leave it out.
struct Row {
    column: Column,
    /// The English header.
    id: &'static str,
    /// The Chinese header, written on export.
    title: &'static str,
    required: bool,
    /// Other headers seen in offices' ledgers.
    aliases: &'static [&'static str],
}

const fn row(
    column: Column,
    id: &'static str,
    title: &'static str,
    required: bool,
    aliases: &'static [&'static str],
) -> Row {
    Row { column, id, title, required, aliases }
}

const REQUIRED: bool = true;
const OPTIONAL: bool = false;

/// Every column, in the order of [`Column`] and of the export.
#[rustfmt::skip]
const TABLE: [Row; 24] = [
    row(Column::Key, "key", "账号编号", OPTIONAL, &["编号"]),
    row(Column::Platform, "platform", "平台", REQUIRED, &["平台名称", "所属平台", "平台类型"]),
    row(Column::Handle, "handle", "平台账号", REQUIRED, &["账号ID", "平台账号ID", "账号"]),
    row(Column::Name, "name", "账号名称", REQUIRED, &["名称", "账号名"]),
    row(Column::Url, "url", "链接", OPTIONAL, &["网址", "账号链接", "链接地址"]),
    row(Column::Sponsor, "sponsor", "主办单位", REQUIRED, &["主办单位名称"]),
    row(Column::SponsorCode, "sponsor_code", "统一社会信用代码", OPTIONAL, &["信用代码"]),
    row(Column::Supervisor, "supervisor", "主管单位", OPTIONAL, &["主管部门"]),
    row(Column::Region, "region", "行政区划代码", REQUIRED, &["区划代码", "行政区划"]),
    row(Column::Level, "level", "层级", OPTIONAL, &["级别"]),
    row(Column::Category, "category", "类别", OPTIONAL, &["账号类别"]),
    row(Column::Role, "role", "角色", OPTIONAL, &["账号角色"]),
    row(Column::Status, "status", "状态", REQUIRED, &["账号状态", "运行状态"]),
    row(Column::FiledOn, "filed_on", "备案日期", OPTIONAL, &["备案时间"]),
    row(Column::OpenedOn, "opened_on", "开通日期", OPTIONAL, &["开通时间"]),
    row(Column::ClosedOn, "closed_on", "关停日期", OPTIONAL, &["关停时间"]),
    row(Column::Population, "population", "常住人口", OPTIONAL, &["人口"]),
    row(Column::Exemption, "exemption", "豁免说明", OPTIONAL, &["豁免原因"]),
    row(Column::ExemptUntil, "exempt_until", "豁免截止", OPTIONAL, &["豁免截止日期"]),
    row(Column::Officer, "officer", "责任人", OPTIONAL, &["负责人"]),
    row(Column::Notify, "notify", "通知方式", OPTIONAL, &["联系方式"]),
    row(Column::Operator, "operator", "运维单位", OPTIONAL, &["运营单位"]),
    row(Column::ContractUntil, "contract_until", "合同截止", OPTIONAL, &["合同截止日期"]),
    row(Column::SiteId, "site_id", "网站标识码", OPTIONAL, &["标识码"]),
];

impl Column {
    /// Every column, in the order of the export.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.column)
    }

    /// The column a header names, in English or Chinese or by a usual other name.
    ///
    /// Spaces, case, a star and a trailing 必填 are ignored.
    pub fn from_header(header: &str) -> Option<Self> {
        let wanted = folded(header);
        TABLE
            .iter()
            .find(|row| {
                let names = [row.id, row.title];
                names.iter().chain(row.aliases).any(|name| folded(name) == wanted)
            })
            .map(|row| row.column)
    }

    /// The English header.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// The Chinese header.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// Whether every row must have a value.
    pub fn is_required(self) -> bool {
        self.row().required
    }

    /// Whether the value is about a person and never shown in comparisons or dashboards.
    pub fn is_personal(self) -> bool {
        matches!(self, Self::Officer | Self::Notify)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The value as text, `None` where the entry has none.
    pub fn value(self, entry: &LedgerEntry) -> Option<String> {
        match self {
            Self::Key => Some(entry.key.clone()),
            Self::Platform => Some(entry.platform.clone()),
            Self::Handle => Some(entry.handle.clone()),
            Self::Name => Some(entry.name.clone()),
            Self::Url => entry.url.clone(),
            Self::Sponsor => Some(entry.sponsor.clone()),
            Self::SponsorCode => entry.sponsor_code.as_ref().map(|code| code.as_str().to_owned()),
            Self::Supervisor => entry.supervisor.clone(),
            Self::Region => Some(entry.region.to_string()),
            Self::Level => entry.level.clone(),
            Self::Category => entry.category.clone(),
            Self::Role => entry.role.clone(),
            Self::Status => Some(entry.lifecycle.title().to_owned()),
            Self::FiledOn => entry.filed_on.map(|day| day.to_string()),
            Self::OpenedOn => entry.opened_on.map(|day| day.to_string()),
            Self::ClosedOn => entry.closed_on.map(|day| day.to_string()),
            Self::Population => entry.population.map(|people| people.to_string()),
            Self::Exemption => entry.exemption.clone(),
            Self::ExemptUntil => entry.exempt_until.map(|day| day.to_string()),
            Self::Officer => entry.officer.clone(),
            Self::Notify => entry.notify.clone(),
            Self::Operator => entry.operator.clone(),
            Self::ContractUntil => entry.contract_until.map(|day| day.to_string()),
            Self::SiteId => entry.site_id.clone(),
        }
    }

    /// Copies this column's value from one entry to another.
    pub(super) fn copy(self, from: &LedgerEntry, to: &mut LedgerEntry) {
        match self {
            Self::Key => to.key.clone_from(&from.key),
            Self::Platform => to.platform.clone_from(&from.platform),
            Self::Handle => to.handle.clone_from(&from.handle),
            Self::Name => to.name.clone_from(&from.name),
            Self::Url => to.url.clone_from(&from.url),
            Self::Sponsor => to.sponsor.clone_from(&from.sponsor),
            Self::SponsorCode => to.sponsor_code.clone_from(&from.sponsor_code),
            Self::Supervisor => to.supervisor.clone_from(&from.supervisor),
            Self::Region => to.region.clone_from(&from.region),
            Self::Level => to.level.clone_from(&from.level),
            Self::Category => to.category.clone_from(&from.category),
            Self::Role => to.role.clone_from(&from.role),
            Self::Status => to.lifecycle = from.lifecycle,
            Self::FiledOn => to.filed_on = from.filed_on,
            Self::OpenedOn => to.opened_on = from.opened_on,
            Self::ClosedOn => to.closed_on = from.closed_on,
            Self::Population => to.population = from.population,
            Self::Exemption => to.exemption.clone_from(&from.exemption),
            Self::ExemptUntil => to.exempt_until = from.exempt_until,
            Self::Officer => to.officer.clone_from(&from.officer),
            Self::Notify => to.notify.clone_from(&from.notify),
            Self::Operator => to.operator.clone_from(&from.operator),
            Self::ContractUntil => to.contract_until = from.contract_until,
            Self::SiteId => to.site_id.clone_from(&from.site_id),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A header without what people put around it.
fn folded(header: &str) -> String {
    let plain: String = header
        .chars()
        .map(super::cell::half_width)
        .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '_' | '\u{feff}' | '\u{200b}'))
        .flat_map(char::to_lowercase)
        .collect();
    plain.trim_end_matches("(必填)").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_columns_and_names_each_once() {
        let mut names = Vec::new();
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.column as usize, index);
            names.extend([row.id, row.title].iter().chain(row.aliases).map(|name| folded(name)));
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn headers_are_found_in_both_languages_and_untidy() {
        for header in ["sponsor_code", "统一社会信用代码", " Sponsor Code ", "统一社会信用代码＊"]
        {
            assert_eq!(Column::from_header(header), Some(Column::SponsorCode), "{header}");
        }
        assert_eq!(Column::from_header("平台（必填）"), Some(Column::Platform));
        assert_eq!(Column::from_header("备注"), None);
    }
}
