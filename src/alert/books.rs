//! Rules about the ledger: of one row, and of what one row alone does not show.

use std::collections::BTreeMap;

use serde_json::json;

use crate::domain::{Account, EvidenceRef, Lifecycle, Subject, shanghai_date};

use super::evaluate::{Holding, Verdict};
use super::facts::AccountFacts;
use super::rule::{Check, Rule};

/// A verdict on whom it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectVerdict {
    /// Whom or what.
    pub subject: Subject,
    /// What the rule says.
    pub verdict: Verdict,
}

/// Every subject for which a rule about the books holds, in order. For all others the books
/// themselves refute it.
pub fn judge_books(rule: &Rule, accounts: &[&Account]) -> Vec<SubjectVerdict> {
    let running: Vec<&Account> = accounts
        .iter()
        .copied()
        .filter(|account| account.entry.lifecycle == Lifecycle::Running)
        .collect();
    match rule.check {
        Check::DuplicateAccount => duplicates(&running),
        Check::MainAccount => main_accounts(accounts, &running),
        _ => Vec::new(),
    }
}

fn keys(accounts: &[&Account]) -> Vec<String> {
    let mut keys: Vec<String> = accounts.iter().map(|one| one.entry.key.clone()).collect();
    keys.sort();
    keys
}

fn rows(keys: &[String]) -> Vec<EvidenceRef> {
    keys.iter().map(|key| EvidenceRef::Ledger { key: key.clone() }).collect()
}

/// 一个单位原则上在同一平台只开设一个账号 (国办发〔2018〕123号). A sponsor is its credit code, or its
/// name where it has none.
fn duplicates(running: &[&Account]) -> Vec<SubjectVerdict> {
    let mut by_sponsor: BTreeMap<Subject, BTreeMap<&str, Vec<&Account>>> = BTreeMap::new();
    for account in running {
        let entry = &account.entry;
        let subject = Subject::Sponsor {
            name: entry.sponsor.clone(),
            code: entry.sponsor_code.as_ref().map(|code| code.as_str().to_owned()),
        };
        by_sponsor.entry(subject).or_default().entry(&entry.platform).or_default().push(account);
    }
    let several = by_sponsor.into_iter().filter_map(|(subject, platforms)| {
        let several: BTreeMap<&str, Vec<String>> = platforms
            .into_iter()
            .filter(|(_, accounts)| accounts.len() > 1)
            .map(|(platform, accounts)| (platform, keys(&accounts)))
            .collect();
        if several.is_empty() {
            return None;
        }
        let all: Vec<String> = several.values().flatten().cloned().collect();
        let words: Vec<String> = several
            .iter()
            .map(|(platform, keys)| {
                format!("在平台 {platform} 上同时运行 {} 个账号:{}", keys.len(), keys.join("、"))
            })
            .collect();
        let holding = Holding {
            occasion: all.join(" "),
            statement: format!("{}。", words.join(";")),
            inputs: json!({ "accounts": several }),
            evidence: rows(&all),
            ..Holding::default()
        };
        Some(SubjectVerdict { subject, verdict: Verdict::Holds(holding) })
    });
    several.collect()
}

/// 做强一个县域主账号 (1+N, 浙政办发〔2022〕15号): exactly one running main account per county.
fn main_accounts(accounts: &[&Account], running: &[&Account]) -> Vec<SubjectVerdict> {
    let is_main =
        |account: &&Account| matches!(account.entry.role.as_deref(), Some("主账号" | "main"));
    let mut counties: BTreeMap<&str, Vec<&Account>> = BTreeMap::new();
    let judged = accounts.iter().filter(|account| account.entry.lifecycle.is_judged());
    for account in judged.filter(|account| !account.entry.region.as_str().ends_with("00")) {
        counties.entry(account.entry.region.as_str()).or_default();
    }
    for account in running.iter().copied().filter(is_main) {
        if let Some(main) = counties.get_mut(account.entry.region.as_str()) {
            main.push(account);
        }
    }
    let wrong = counties.into_iter().filter(|(_, main)| main.len() != 1);
    wrong
        .filter_map(|(county, main)| {
            let keys = keys(&main);
            let statement = match main.len() {
                0 => format!("县级区划 {county} 没有运行中的主账号。"),
                count => {
                    format!("县级区划 {county} 有 {count} 个主账号:{}。", keys.join("、"))
                }
            };
            let holding = Holding {
                occasion: keys.join(" "),
                statement,
                inputs: json!({ "county": county, "main_accounts": keys }),
                evidence: rows(&keys),
                ..Holding::default()
            };
            let subject = Subject::Area(county.parse().ok()?);
            Some(SubjectVerdict { subject, verdict: Verdict::Holds(holding) })
        })
        .collect()
}

pub(super) fn unfiled(facts: &AccountFacts) -> Verdict {
    let entry = &facts.account.entry;
    if let Some(day) = entry.filed_on {
        return Verdict::Refuted { proof: format!("台账备案日期为 {day}"), at: None };
    }
    if entry.lifecycle != Lifecycle::Running {
        return Verdict::Quiet;
    }
    Verdict::Holds(Holding {
        occasion: "unfiled".to_owned(),
        statement: "台账状态为运行,未填备案日期。".to_owned(),
        inputs: json!({ "lifecycle": entry.lifecycle.as_str(), "filed_on": null }),
        evidence: vec![EvidenceRef::Ledger { key: entry.key.clone() }],
        ..Holding::default()
    })
}

pub(super) fn exemption_expired(facts: &AccountFacts) -> Verdict {
    let entry = &facts.account.entry;
    let today = shanghai_date(facts.cutoff);
    match entry.exempt_until {
        Some(until) if until < today => Verdict::Holds(Holding {
            occasion: until.to_string(),
            statement: format!("台账所载豁免已于 {until} 到期,未续期也未撤销。"),
            inputs: json!({ "exempt_until": until, "exemption": entry.exemption }),
            evidence: vec![EvidenceRef::Ledger { key: entry.key.clone() }],
            ..Holding::default()
        }),
        Some(until) => Verdict::Refuted { proof: format!("豁免延至 {until}"), at: None },
        None => Verdict::Refuted { proof: "台账已无豁免".to_owned(), at: None },
    }
}
