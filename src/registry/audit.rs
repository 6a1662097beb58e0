//! What is wrong with the books themselves (管理底数不清).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::domain::{LedgerEntry, Lifecycle};

use super::Settings;
use super::defect::{AuditFacts, Defect, DefectKind};

/// Province codes of GB/T 2260.
const PROVINCES: [&str; 34] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41",
    "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71",
    "81", "82",
];

/// Lists the defects of a ledger, by kind and then by key; the same for the same input.
pub fn audit(
    entries: &[LedgerEntry],
    facts: &AuditFacts,
    today: NaiveDate,
    settings: &Settings,
) -> Vec<Defect> {
    let judged: Vec<&LedgerEntry> =
        entries.iter().filter(|entry| entry.lifecycle.is_judged()).collect();
    let mut defects = Vec::new();
    several_per_sponsor(&judged, &mut defects);
    shared_sponsor_codes(&judged, &mut defects);
    duplicate_handles(&judged, &mut defects);
    main_accounts(&judged, &mut defects);
    for entry in entries {
        let mut found = |kind, sentence: String| {
            let keys = vec![entry.key.clone()];
            defects.push(Defect { kind, keys, sentence });
        };
        if entry.lifecycle.is_judged() {
            responsibility(entry, &mut found);
            dates(entry, today, settings, &mut found);
            page(entry, facts, &mut found);
        } else if entry.closed_on.is_none() {
            let sentence = format!("{}已{},未填关停日期。", named(entry), state(entry));
            found(DefectKind::ClosingDateMissing, sentence);
        }
    }
    defects.sort_by(|a, b| (a.kind, &a.keys, &a.sentence).cmp(&(b.kind, &b.keys, &b.sentence)));
    defects
}

fn state(entry: &LedgerEntry) -> &'static str {
    if entry.lifecycle == Lifecycle::Closed { "关停" } else { "注销" }
}

fn named(entry: &LedgerEntry) -> String {
    format!("账号“{}”({})", entry.name, entry.key)
}

/// Groups entries and hands on each group with its sorted keys.
fn grouped<'a, K: Ord>(
    entries: &[&'a LedgerEntry],
    key: impl Fn(&'a LedgerEntry) -> Option<K>,
) -> BTreeMap<K, Vec<&'a LedgerEntry>> {
    let mut groups: BTreeMap<K, Vec<&LedgerEntry>> = BTreeMap::new();
    for entry in entries {
        if let Some(key) = key(entry) {
            groups.entry(key).or_default().push(entry);
        }
    }
    groups
}

fn keys(group: &[&LedgerEntry]) -> Vec<String> {
    let mut keys: Vec<String> = group.iter().map(|entry| entry.key.clone()).collect();
    keys.sort();
    keys
}

/// 一个单位原则上在同一平台只开设一个账号 (国办发〔2018〕123号). A sponsor is its credit code, or its
/// name where it has none.
fn several_per_sponsor(judged: &[&LedgerEntry], defects: &mut Vec<Defect>) {
    let codes: BTreeMap<&str, &str> = judged
        .iter()
        .filter_map(|entry| Some((entry.sponsor.as_str(), entry.sponsor_code.as_ref()?.as_str())))
        .collect();
    let groups = grouped(judged, |entry| {
        let sponsor = entry.sponsor.as_str();
        let code = entry.sponsor_code.as_ref().map(crate::domain::CreditCode::as_str);
        let identity = code.or_else(|| codes.get(sponsor).copied()).unwrap_or(sponsor);
        (entry.lifecycle == Lifecycle::Running && !sponsor.is_empty())
            .then_some((identity, entry.platform.as_str()))
    });
    for ((_, platform), group) in groups.iter().filter(|(_, group)| group.len() > 1) {
        let keys = keys(group);
        let sentence = format!(
            "“{}”在平台 {platform} 上同时运行 {} 个账号:{}。",
            group[0].sponsor,
            keys.len(),
            keys.join("、")
        );
        defects.push(Defect { kind: DefectKind::SeveralPerSponsor, keys, sentence });
    }
}

fn shared_sponsor_codes(judged: &[&LedgerEntry], defects: &mut Vec<Defect>) {
    for (code, group) in grouped(judged, |entry| entry.sponsor_code.clone().map(String::from)) {
        let names: BTreeSet<&str> = group.iter().map(|entry| entry.sponsor.as_str()).collect();
        if names.len() > 1 {
            let names: Vec<&str> = names.into_iter().collect();
            let sentence =
                format!("统一社会信用代码 {code} 对应多个主办单位名称:{}。", names.join("、"));
            let keys = keys(&group);
            defects.push(Defect { kind: DefectKind::SponsorCodeShared, keys, sentence });
        }
    }
}

fn duplicate_handles(judged: &[&LedgerEntry], defects: &mut Vec<Defect>) {
    let groups = grouped(judged, |entry| Some((entry.platform.as_str(), entry.handle.as_str())));
    for ((platform, handle), group) in groups.iter().filter(|(_, group)| group.len() > 1) {
        let keys = keys(group);
        let sentence =
            format!("平台 {platform} 的同一账号 {handle} 重复登记:{}。", keys.join("、"));
        defects.push(Defect { kind: DefectKind::HandleDuplicate, keys, sentence });
    }
}

/// 做强一个县域主账号 (1+N, 浙政办发〔2022〕15号): exactly one running main account per county.
fn main_accounts(judged: &[&LedgerEntry], defects: &mut Vec<Defect>) {
    let is_county = |entry: &LedgerEntry| !entry.region.as_str().ends_with("00");
    let counties =
        grouped(judged, |entry| is_county(entry).then(|| entry.region.as_str().to_owned()));
    for (county, group) in counties {
        let main: Vec<&LedgerEntry> = group
            .iter()
            .filter(|entry| entry.lifecycle == Lifecycle::Running && is_main(entry))
            .copied()
            .collect();
        let keys = keys(&main);
        match main.len() {
            0 => defects.push(Defect {
                kind: DefectKind::MainAccountMissing,
                sentence: format!("县级区划 {county} 没有运行中的主账号。"),
                keys,
            }),
            1 => {}
            count => defects.push(Defect {
                kind: DefectKind::SeveralMainAccounts,
                sentence: format!("县级区划 {county} 有 {count} 个主账号:{}。", keys.join("、")),
                keys,
            }),
        }
    }
}

fn is_main(entry: &LedgerEntry) -> bool {
    matches!(entry.role.as_deref(), Some("主账号" | "main"))
}

fn responsibility(entry: &LedgerEntry, found: &mut impl FnMut(DefectKind, String)) {
    let named = named(entry);
    if entry.sponsor.trim().is_empty() {
        found(DefectKind::SponsorMissing, format!("{named}未填主办单位。"));
    }
    if entry.supervisor.is_none() {
        found(DefectKind::SupervisorMissing, format!("{named}未填主管单位。"));
    }
    let province = entry.region.prefix(2);
    if !PROVINCES.contains(&province) {
        let sentence = format!("{named}的行政区划代码 {} 不属于任何省级区划。", entry.region);
        found(DefectKind::RegionUnknown, sentence);
    }
    match &entry.sponsor_code {
        None => {
            let sentence = format!("{named}的主办单位未填统一社会信用代码。");
            found(DefectKind::SponsorCodeMissing, sentence);
        }
        // Characters 3 to 8 are the division of registration; 10 is the central authorities'.
        Some(code) if ![province, "10"].contains(&&code.as_str()[2..4]) => {
            let sentence = format!(
                "{named}的主办单位信用代码 {} 登记地与行政区划 {} 不在同一省。",
                code.as_str(),
                entry.region
            );
            found(DefectKind::SponsorCodeElsewhere, sentence);
        }
        Some(_) => {}
    }
}

fn dates(
    entry: &LedgerEntry,
    today: NaiveDate,
    settings: &Settings,
    found: &mut impl FnMut(DefectKind, String),
) {
    let named = named(entry);
    match (entry.filed_on, entry.opened_on) {
        (None, _) if entry.lifecycle == Lifecycle::Running => {
            found(DefectKind::NotFiled, format!("{named}在运行,未填备案日期。"));
        }
        (Some(filed), Some(opened)) => {
            let days = (filed - opened).num_days();
            if days > i64::from(settings.filing_days_max) {
                let sentence = format!("{named}于 {opened} 开通,{filed} 备案,迟了 {days} 天。");
                found(DefectKind::FiledLate, sentence);
            }
        }
        _ => {}
    }
    if entry.exemption.is_some() && entry.exempt_until.is_none() {
        found(DefectKind::ExemptionWithoutEnd, format!("{named}的豁免没有截止日期。"));
    }
    if let Some(until) = entry.exempt_until.filter(|until| *until < today) {
        found(DefectKind::ExemptionExpired, format!("{named}的豁免已于 {until} 到期。"));
    }
    if let Some(until) = entry.contract_until.filter(|until| *until < today) {
        found(DefectKind::ContractExpired, format!("{named}的运维合同已于 {until} 到期。"));
    }
}

fn page(entry: &LedgerEntry, facts: &AuditFacts, found: &mut impl FnMut(DefectKind, String)) {
    let named = named(entry);
    if facts.visited.contains(&entry.key) && !facts.resolved.contains(&entry.key) {
        let sentence = format!("{named}的平台账号 {} 从未打开过对应页面。", entry.handle);
        found(DefectKind::HandleNeverResolved, sentence);
    }
    if let Some(shown) = facts.page_names.get(&entry.key).filter(|shown| **shown != entry.name) {
        found(DefectKind::NameDiffers, format!("{named}在平台上显示的名称为“{shown}”。"));
    }
    if entry.lifecycle == Lifecycle::Running && facts.gone.contains(&entry.key) {
        found(DefectKind::RunningButGone, format!("{named}台账为运行,平台上已不存在。"));
    }
}
