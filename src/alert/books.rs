//! Rules about the ledger: of one row, and of what one row alone does not show.

use std::collections::BTreeMap;

use serde_json::json;

use crate::domain::{EvidenceRef, LedgerEntry, Lifecycle, Subject, shanghai_date};

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

/// What rules about more than one row ask of the ledger, entered row by row.
#[derive(Debug, Default)]
pub struct Books {
    running: Vec<Running>,
    /// Main accounts that run, of every county with an account that is judged.
    counties: BTreeMap<String, Vec<String>>,
}

/// An account that runs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    sponsor: Subject,
    platform: String,
    key: String,
}

impl Books {
    /// Takes up a row; each comes once.
    pub fn enter(&mut self, entry: &LedgerEntry) {
        let is_running = entry.lifecycle == Lifecycle::Running;
        if is_running {
            self.running.push(Running {
                sponsor: Subject::Sponsor {
                    name: entry.sponsor.clone(),
                    code: entry.sponsor_code.as_ref().map(|code| code.as_str().to_owned()),
                },
                platform: entry.platform.clone(),
                key: entry.key.clone(),
            });
        }
        let region = entry.region.as_str();
        if entry.lifecycle.is_judged() && !region.ends_with("00") {
            let main = self.counties.entry(region.to_owned()).or_default();
            if is_running && matches!(entry.role.as_deref(), Some("主账号" | "main")) {
                main.push(entry.key.clone());
            }
        }
    }

    /// Every subject for which a rule about the books holds, in order. For all others the books
    /// themselves refute it.
    pub fn judge(&self, rule: &Rule) -> Vec<SubjectVerdict> {
        match rule.check {
            Check::DuplicateAccount => self.duplicates(),
            Check::MainAccount => self.main_accounts(),
            _ => Vec::new(),
        }
    }

    /// 一个单位原则上在同一平台只开设一个账号 (国办发〔2018〕123号). A sponsor is its credit code, or
    /// its name where it has none.
    fn duplicates(&self) -> Vec<SubjectVerdict> {
        let mut running: Vec<&Running> = self.running.iter().collect();
        running.sort();
        let of_sponsor = |accounts: &[&Running]| {
            let platforms = accounts.chunk_by(|a, b| a.platform == b.platform);
            let several: BTreeMap<&str, Vec<&str>> = platforms
                .filter(|accounts| accounts.len() > 1)
                .map(|accounts| {
                    let keys = accounts.iter().map(|one| one.key.as_str());
                    (accounts[0].platform.as_str(), keys.collect())
                })
                .collect();
            if several.is_empty() {
                return None;
            }
            let all: Vec<&str> = several.values().flatten().copied().collect();
            let words: Vec<String> = several
                .iter()
                .map(|(platform, keys)| {
                    let count = keys.len();
                    format!("在平台 {platform} 上同时运行 {count} 个账号:{}", keys.join("、"))
                })
                .collect();
            let holding = Holding {
                occasion: all.join(" "),
                statement: format!("{}。", words.join(";")),
                inputs: json!({ "accounts": several }),
                evidence: rows(&all),
                ..Holding::default()
            };
            let subject = accounts[0].sponsor.clone();
            Some(SubjectVerdict { subject, verdict: Verdict::Holds(holding) })
        };
        running.chunk_by(|a, b| a.sponsor == b.sponsor).filter_map(of_sponsor).collect()
    }

    /// 做强一个县域主账号 (1+N, 浙政办发〔2022〕15号): exactly one running main account per county.
    fn main_accounts(&self) -> Vec<SubjectVerdict> {
        let wrong = self.counties.iter().filter(|(_, main)| main.len() != 1);
        wrong
            .filter_map(|(county, main)| {
                let mut keys: Vec<&str> = main.iter().map(String::as_str).collect();
                keys.sort_unstable();
                let statement = match keys.len() {
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
}

fn rows(keys: &[&str]) -> Vec<EvidenceRef> {
    keys.iter().map(|key| EvidenceRef::Ledger { key: (*key).to_owned() }).collect()
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
