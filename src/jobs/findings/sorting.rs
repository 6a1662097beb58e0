//! Triage and exit: where accounts are proposed to go. A person decides.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::TryStreamExt;

use crate::alert::{
    AccountFacts, ExitFacts, Measured, PeriodChoice, Triage, TriageFacts, Verdict, judge_exit,
    triage,
};
use crate::domain::{Account, AccountId, Severity, Standing};
use crate::jobs::Context;
use crate::store::FindingFilter;

use super::BATCH;
use super::facts::gather;
use super::propose::At;

/// Where one account is proposed to go.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorted {
    /// 账号编号.
    pub key: String,
    /// 账号名称.
    pub name: String,
    /// Keep, merge, cancel or review, where the area has such rules.
    pub triage: Option<Triage>,
    /// What the exit rule says, where the area has one.
    pub exit: Option<Verdict>,
}

/// Sorts every account whose area has rules for it, by key.
///
/// # Errors
/// The database does not answer.
pub async fn sort_accounts(context: &Context) -> anyhow::Result<Vec<Sorted>> {
    let now = context.clock.now();
    let standings = context.store.standings(u32::MAX, None, None).await?;
    let ranks = ranks(context, &standings);
    let by_key: BTreeMap<&str, &Standing> =
        standings.iter().map(|one| (one.key.as_str(), one)).collect();
    let vetoed = vetoed(context).await?;
    let has_rules = |account: &Account| {
        let region = &account.entry.region;
        context.rules.triage_for(region).is_some() || context.rules.exit_for(region).is_some()
    };
    let wanted = context.store.ledger_known_at(now).try_filter_map(async |account| {
        let is_wanted = account.entry.lifecycle.is_judged() && has_rules(&account);
        Ok(is_wanted.then_some(account.id))
    });
    let wanted: Vec<AccountId> = wanted.try_collect().await?;
    let mut sorted = Vec::new();
    for batch in wanted.chunks(BATCH) {
        let accounts = context.store.entries_known_at(batch, now).await?;
        for facts in gather(context, At::now(now), accounts).await? {
            let entry = &facts.account.entry;
            let standing = by_key.get(entry.key.as_str()).copied();
            let exit = context.rules.exit_for(&entry.region).map(|rule| {
                let facts = ExitFacts {
                    followers: standing.and_then(|one| one.followers.clone()),
                    population: entry.population,
                    rank: ranks.get(entry.key.as_str()).copied(),
                    vetoed: vetoed.contains(&facts.account.id),
                };
                judge_exit(rule, &facts)
            });
            let outcome = context
                .rules
                .triage_for(&entry.region)
                .map(|rule| triage(rule, &triage_facts(&facts, standing)));
            let (key, name) = (entry.key.clone(), entry.name.clone());
            sorted.push(Sorted { key, name, triage: outcome, exit });
        }
    }
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(sorted)
}

fn triage_facts(facts: &AccountFacts, standing: Option<&Standing>) -> TriageFacts {
    let entry = &facts.account.entry;
    let quarter = facts.measures.get(&PeriodChoice::Quarter);
    let posts = quarter.and_then(|quarter| quarter.readings.get("posts_per_week"));
    TriageFacts {
        lifecycle: entry.lifecycle,
        activity: facts.judgement.activity,
        is_main: matches!(entry.role.as_deref(), Some("主账号" | "main")),
        followers: standing.and_then(|one| one.followers.clone()),
        posts_per_week: posts.cloned().unwrap_or_else(|| Measured::Unknown {
            unknown: "没有上一季度的数据".to_owned(),
        }),
    }
}

/// The place of each account of a region by the dimension that its exit rule names, best and worst:
/// equal points share places. Accounts without a score have none, and make the others' uncertain.
fn ranks<'a>(context: &Context, standings: &'a [Standing]) -> BTreeMap<&'a str, (u32, u32)> {
    let mut regions: BTreeMap<&str, Vec<(&str, Option<f64>)>> = BTreeMap::new();
    for standing in standings {
        let Some(rule) = context.rules.exit_for(&standing.region) else { continue };
        let points = standing.scores.iter().find(|one| one.0 == rule.dimension).map(|one| one.1);
        regions.entry(standing.region.as_str()).or_default().push((&standing.key, points));
    }
    let mut ranks = BTreeMap::new();
    for members in regions.into_values() {
        let unknown = members.iter().filter(|one| one.1.is_none()).count();
        for (key, points) in &members {
            let Some(own) = points else { continue };
            let above = |than: fn(f64, f64) -> bool| {
                members.iter().filter_map(|one| one.1).filter(|other| than(*other, *own)).count()
            };
            let best = above(|other, own| other > own) + 1;
            let worst = above(|other, own| other >= own) + unknown;
            let place = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            ranks.insert(*key, (place(best), place(worst)));
        }
    }
    ranks
}

/// Accounts with a veto that a person has approved.
async fn vetoed(context: &Context) -> anyhow::Result<BTreeSet<AccountId>> {
    let wanted = FindingFilter { open: true, limit: u32::MAX, ..FindingFilter::default() };
    let records = context.store.findings(&wanted).await?.into_iter();
    let vetoes = records
        .filter(|record| record.found.severity == Severity::Veto && record.approved_by.is_some());
    Ok(vetoes
        .filter_map(|record| match record.found.subject {
            crate::domain::Subject::Account(account) => Some(account),
            _ => None,
        })
        .collect())
}
