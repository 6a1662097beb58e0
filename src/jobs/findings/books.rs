//! Rules about more than one account: the ledger itself, matrices, the ladder.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::alert::{
    Answer, Check, Holding, Ladder, LadderStanding, Matrix, MatrixPost, NearDuplicateRule,
    NoticeFact, Rule, Verdict, climb, judge_books, near_duplicates,
};
use crate::domain::{Account, AccountId, EvidenceRef};
use crate::jobs::Context;
use crate::score::Period;
use crate::store::{IssuedNotice, NoticeOutcome, TextDigest};

use super::propose::{At, Proposal, of_account};

/// What the rules about the ledger say: every subject for which one holds.
pub(super) fn of_books(context: &Context, accounts: &[Account]) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for set in context.rules.sets() {
        let inside: Vec<&Account> = accounts
            .iter()
            .filter(|account| set.holds_for(&account.entry.region).is_some())
            .collect();
        for rule in &set.rules {
            let found = judge_books(rule, &inside).into_iter().map(|one| Proposal {
                rule: rule.id.clone(),
                subject: one.subject,
                key: None,
                verdict: one.verdict,
            });
            proposals.extend(found);
        }
    }
    proposals
}

/// What the rules about copied content say, matrix by matrix.
pub(super) async fn of_matrices(
    context: &Context,
    at: At,
    accounts: &[Account],
) -> anyhow::Result<Vec<Proposal>> {
    let mut proposals = Vec::new();
    for set in context.rules.sets() {
        for rule in &set.rules {
            let Check::NearDuplicate(near) = &rule.check else { continue };
            let mut matrices: BTreeMap<&str, Vec<&Account>> = BTreeMap::new();
            for account in accounts.iter().filter(|one| one.entry.lifecycle.is_judged()) {
                let entry = &account.entry;
                let name = match near.matrix {
                    Matrix::Region => Some(entry.region.as_str()),
                    Matrix::Supervisor => entry.supervisor.as_deref(),
                };
                if let Some(name) = name.filter(|_| set.holds_for(&entry.region).is_some()) {
                    matrices.entry(name).or_default().push(account);
                }
            }
            for matrix in matrices.into_values().filter(|matrix| matrix.len() > 1) {
                proposals.extend(of_matrix(context, at, rule, near, &matrix).await?);
            }
        }
    }
    Ok(proposals)
}

async fn of_matrix(
    context: &Context,
    at: At,
    rule: &Rule,
    near: &NearDuplicateRule,
    matrix: &[&Account],
) -> anyhow::Result<Vec<Proposal>> {
    let ids: Vec<AccountId> = matrix.iter().map(|account| account.id).collect();
    let window = (at.cutoff - TimeDelta::days(i64::from(near.within_days)), at.cutoff);
    let texts = context.store.text_digests(&ids, window, at.known_at).await?;
    let keys: BTreeMap<AccountId, &str> =
        matrix.iter().map(|account| (account.id, account.entry.key.as_str())).collect();
    let posts: Vec<MatrixPost> = texts.iter().filter_map(|text| post(text, &keys)).collect();
    // A dismissed copying is not raised again in the same month.
    let period = Period::month_of(at.cutoff).to_string();
    let found = near_duplicates(&posts, near.distance_max);
    let proposals = found.into_iter().filter_map(|(account, copies)| {
        let key = *keys.get(&account)?;
        Some(of_account(rule, account, key, copies.judge(near, key, window, &period)))
    });
    Ok(proposals.collect())
}

fn post(text: &TextDigest, keys: &BTreeMap<AccountId, &str>) -> Option<MatrixPost> {
    Some(MatrixPost {
        account: text.account,
        key: (*keys.get(&text.account)?).to_owned(),
        reference: text.reference.clone(),
        at: text.at,
        simhash: u64::from_str_radix(&text.simhash, 16).ok()?,
        is_repost: text.is_repost,
    })
}

/// What the ladder says of accounts with missed notices or namings.
pub(super) async fn of_ladders(
    context: &Context,
    at: At,
    accounts: &[Account],
) -> anyhow::Result<Vec<Proposal>> {
    let notices = context.store.ladder_notices().await?;
    let namings = context.store.namings().await?;
    let mut proposals = Vec::new();
    for account in accounts.iter().filter(|one| one.entry.lifecycle.is_judged()) {
        let region = &account.entry.region;
        let Some(ladder) = context.rules.ladder_for(region) else { continue };
        let issued = notices.get(&account.id).map(Vec::as_slice).unwrap_or_default();
        let named = namings.get(&account.id).map(Vec::as_slice).unwrap_or_default();
        if issued.is_empty() && named.is_empty() {
            continue;
        }
        let facts: Vec<NoticeFact> = issued.iter().map(|one| fact(one, at.known_at)).collect();
        let known = named.iter().filter(|one| one.is_known_at(at.known_at));
        let times: Vec<DateTime<Utc>> = known.map(|one| one.named_at).collect();
        // That a notice of a window's last days was missed is often told after its end.
        let ended = ladder.missed.window.end_before(at.cutoff).map(|end| (end, true));
        for (instant, is_over) in ended.into_iter().chain([(at.cutoff, false)]) {
            let standing = climb(ladder, &facts, &times, instant);
            for rule in context.rules.rules_for(region) {
                let holding = match rule.check {
                    Check::MissedNotices if standing.to_be_named => {
                        named_for(ladder, &standing, issued, instant)
                    }
                    Check::Closure if standing.closure_proposed && !is_over => {
                        closure_for(ladder, &standing, &account.entry.key)
                    }
                    _ => continue,
                };
                let inputs = json!({
                    "missed": standing.missed.len(),
                    "missed_window": ladder.missed.window.title(),
                    "namings": standing.namings,
                    "namings_window": ladder.namings.window.title(),
                });
                let verdict = Verdict::Holds(Holding { inputs, ..holding });
                proposals.push(of_account(rule, account.id, &account.entry.key, verdict));
            }
        }
    }
    Ok(proposals)
}

fn named_for(
    ladder: &Ladder,
    standing: &LadderStanding,
    issued: &[IssuedNotice],
    at: DateTime<Utc>,
) -> Holding {
    let missed = standing.missed.iter().filter_map(|place| issued.get(*place));
    let newest = missed.clone().map(|one| one.deadline).max().unwrap_or(at);
    let first = missed.clone().map(|one| one.issued_at).min().unwrap_or(at);
    let evidence =
        missed.map(|one| EvidenceRef::Notice { finding: one.finding, stage: one.stage }).collect();
    // A deadline at midnight belongs to the day that ends with it.
    let period = Period::quarter_of(newest - TimeDelta::nanoseconds(1));
    Holding {
        occasion: period.to_string(),
        statement: format!(
            "{}经通知更新而未更新 {} 次,提请在 {period} 通报中点名。",
            ladder.missed.window.title(),
            standing.missed.len()
        ),
        evidence,
        // What was missed is over: later looks say nothing new of it.
        window: Some((first, newest)),
        ..Holding::default()
    }
}

fn closure_for(ladder: &Ladder, standing: &LadderStanding, key: &str) -> Holding {
    Holding {
        occasion: format!("{} namings", standing.namings),
        statement: format!(
            "{}被通报 {} 次,提请强制关停,由人工决定。",
            ladder.namings.window.title(),
            standing.namings
        ),
        evidence: vec![EvidenceRef::Ledger { key: key.to_owned() }],
        needs_approval: true,
        ..Holding::default()
    }
}

fn fact(notice: &IssuedNotice, known_at: DateTime<Utc>) -> NoticeFact {
    let is_known = notice.told_at.is_some_and(|at| at <= known_at);
    let answer = match &notice.outcome {
        NoticeOutcome::Answered { post, at } if is_known => {
            Answer::Answered { post: post.clone(), at: *at }
        }
        NoticeOutcome::Missed if is_known => Answer::Missed,
        _ => Answer::Unknown("未能判定"),
    };
    NoticeFact { issued_at: notice.issued_at, deadline: notice.deadline, answer }
}
