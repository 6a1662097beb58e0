//! Rules about more than one account: the ladder, from notices and namings.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::alert::{Answer, Check, Holding, Ladder, LadderStanding, NoticeFact, Verdict, climb};
use crate::domain::{AccountId, EvidenceRef};
use crate::jobs::Context;
use crate::score::Period;
use crate::store::{IssuedNotice, NoticeOutcome};

use super::propose::{At, Proposal, of_account};

/// What the ladder says of accounts with missed notices or namings.
pub(super) async fn of_ladders(context: &Context, at: At) -> anyhow::Result<Vec<Proposal>> {
    let notices = context.store.ladder_notices().await?;
    let namings = context.store.namings().await?;
    let concerned: BTreeSet<AccountId> = notices.keys().chain(namings.keys()).copied().collect();
    let concerned: Vec<AccountId> = concerned.into_iter().collect();
    let accounts = context.store.entries_known_at(&concerned, at.known_at).await?;
    let mut proposals = Vec::new();
    for account in accounts.iter().filter(|one| one.entry.lifecycle.is_judged()) {
        let region = &account.entry.region;
        let Some(ladder) = context.rules.ladder_for(region) else { continue };
        let issued = notices.get(&account.id).map(Vec::as_slice).unwrap_or_default();
        let named = namings.get(&account.id).map(Vec::as_slice).unwrap_or_default();
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
