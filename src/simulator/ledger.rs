use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use crate::domain::{CreditCode, LedgerEntry, Lifecycle, RegionCode, shanghai_date};

use super::answer::{BRIDGE, FEEDS, WEIBO};
use super::character::{Character, Venue};
use super::names::Unit;
use super::plan::{Cast, Plan};

/// The number of the unit that runs the `place`-th account of a venue. One account of each
/// platform for a unit, but for one unit that runs two on Weibo: audits shall find it.
pub(super) fn unit_of(venue: Venue, place: usize) -> usize {
    if venue == Venue::Weibo && place == 61 { 60 } else { place }
}

/// The ledger's row for an account; a given handle makes a public account beside the ledger.
pub(super) fn entry(cast: &Cast, plan: &Plan, unit: &Unit, handle: Option<&str>) -> LedgerEntry {
    let (own_handle, url) = handle_and_url(cast, unit, handle);
    let opened_on = shanghai_date(plan.script.opened_at);
    // Each 37th is filed late, each 41st has no supervisor: audits shall find them.
    let filed_late = cast.number % 37 == 36;
    let filed_on = opened_on + Duration::days(if filed_late { 45 } else { -6 });
    let duplicate = cast.venue == Venue::Weibo && cast.place == 61;
    let exempt = cast.character == Character::Dormant && cast.turn % 4 == 3;
    let contractor = cast.number % 5 == 4;
    LedgerEntry {
        // An office's own number; addresses as keys would not fit into paths and labels.
        key: match handle {
            Some(handle) => format!("{}:{handle}", cast.venue.platform()),
            None => format!("LC-{:04}", cast.number + 1),
        },
        platform: cast.venue.platform().to_owned(),
        handle: own_handle,
        name: match cast.venue {
            Venue::Portal => format!("{}·工作动态", unit.title),
            Venue::Weibo if duplicate => format!("{}便民", unit.short),
            _ => unit.short.clone(),
        },
        url: Some(url),
        sponsor: unit.title.clone(),
        sponsor_code: credit_code(cast, unit),
        supervisor: (cast.number % 41 != 40).then(|| unit.supervisor.clone()),
        region: unit.region.parse::<RegionCode>().expect("the table holds six digits"),
        level: Some(unit.level.to_owned()),
        category: Some(unit.category.to_owned()),
        role: Some(if cast.character == Character::Canary { "主账号" } else { "成员" }.to_owned()),
        lifecycle: match cast.number % 47 {
            46 => Lifecycle::Closing,
            _ => Lifecycle::Running,
        },
        filed_on: Some(filed_on),
        opened_on: Some(opened_on),
        closed_on: None,
        population: Some(unit.population),
        exemption: exempt.then(|| "机构改革，账号迁移中".to_owned()),
        exempt_until: exempt.then(|| shanghai_date(cast.born + Duration::days(30))),
        officer: None,
        notify: None,
        operator: contractor.then(|| "鹿城融媒科技有限公司".to_owned()),
        contract_until: contractor.then(|| shanghai_date(cast.born + Duration::days(200))),
        site_id: (cast.venue == Venue::Portal).then(|| site_id(cast, unit)),
        notes: BTreeMap::new(),
    }
}

/// 网站标识码: region code and four digits.
pub(super) fn site_id(cast: &Cast, unit: &Unit) -> String {
    format!("{}{:04}", unit.region, 1 + cast.place % 9999)
}

fn handle_and_url(cast: &Cast, unit: &Unit, given: Option<&str>) -> (String, String) {
    // Numbers from 99… on have not been given out by the platforms: a sample ledger that meets
    // the real network by mistake must not point at anybody.
    let own = 9_933_900_000 + cast.number * 17 + cast.seed % 17;
    match cast.venue {
        Venue::Weibo => {
            let uid = given.map_or_else(|| own.to_string(), str::to_owned);
            let url = format!("https://{WEIBO}/u/{uid}");
            (uid, url)
        }
        Venue::Wechat => {
            let biz = given.map_or_else(|| base64(own.to_string().as_bytes()), str::to_owned);
            let url = format!("https://{BRIDGE}/feeds/{biz}.xml");
            (biz, url)
        }
        Venue::Portal => {
            let page = format!("https://www.{}.lucheng.example/col/col1229/index.html", unit.slug);
            let page = given.map_or(page, str::to_owned);
            (page.clone(), page)
        }
        Venue::Feed => {
            // Those with trouble of the whole host have a host of their own.
            let own_host =
                matches!(cast.character, Character::Unreachable | Character::RobotsRefused);
            let path = unit.slug.replace('.', "-");
            let page = match own_host {
                true => format!("https://{path}.{FEEDS}/index.xml"),
                false => format!("https://{FEEDS}/{path}.xml"),
            };
            let page = given.map_or(page, str::to_owned);
            (page.clone(), page)
        }
    }
}

/// A code of the right form for a unit that does not exist; absent for each 29th unit.
fn credit_code(cast: &Cast, unit: &Unit) -> Option<CreditCode> {
    if cast.place % 29 == 28 {
        return None;
    }
    let unit_number = unit_of(cast.venue, usize::try_from(cast.place).unwrap_or(0));
    let body = format!("11{}{:09}", unit.region, 10_000 + unit_number);
    "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().find_map(|last| format!("{body}{last}").parse().ok())
}

/// Base64 with padding, RFC 4648: the form of a `__biz`.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |sum, i| sum << 8 | u32::from(*chunk.get(i).unwrap_or(&0)));
        for place in 0..4_u32 {
            let digit = (group >> (18 - 6 * place)) & 63;
            let padding = place as usize > chunk.len();
            text.push(if padding { '=' } else { char::from(DIGITS[digit as usize]) });
        }
    }
    text
}

const COLUMNS: [&str; 23] = [
    "账号编号",
    "平台",
    "平台账号",
    "账号名称",
    "链接",
    "主办单位",
    "统一社会信用代码",
    "主管单位",
    "行政区划代码",
    "层级",
    "类别",
    "角色",
    "状态",
    "备案日期",
    "开通日期",
    "关停日期",
    "常住人口",
    "豁免说明",
    "豁免截止",
    "运维单位",
    "合同截止",
    "网站标识码",
    "备注",
];

/// The ledger as CSV.
pub(super) fn csv(entries: &[LedgerEntry]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let date = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let rows = entries.iter().map(|entry| {
        [
            entry.key.clone(),
            entry.platform.clone(),
            entry.handle.clone(),
            entry.name.clone(),
            text(&entry.url),
            entry.sponsor.clone(),
            entry.sponsor_code.as_ref().map(|code| code.as_str().to_owned()).unwrap_or_default(),
            text(&entry.supervisor),
            entry.region.to_string(),
            text(&entry.level),
            text(&entry.category),
            text(&entry.role),
            entry.lifecycle.title().to_owned(),
            date(entry.filed_on),
            date(entry.opened_on),
            date(entry.closed_on),
            entry.population.map(|people| people.to_string()).unwrap_or_default(),
            text(&entry.exemption),
            date(entry.exempt_until),
            text(&entry.operator),
            date(entry.contract_until),
            text(&entry.site_id),
            "虚构账号".to_owned(),
        ]
    });
    for row in std::iter::once(COLUMNS.map(str::to_owned)).chain(rows) {
        writer.write_record(row).expect("rows are of one length and memory does not fail");
    }
    let bytes = writer.into_inner().expect("memory does not fail");
    String::from_utf8(bytes).expect("the columns are text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in
            [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
