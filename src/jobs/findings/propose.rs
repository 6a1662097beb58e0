//! What the rules say at a cutoff, computed and not stored.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::alert::{Rule, Verdict, judge_account};
use crate::domain::{Account, AccountId, Subject};
use crate::jobs::Context;

use super::BATCH;
use super::facts::gather;
use super::ladder::of_ladders;
use super::ledger::Ledger;

/// The times of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// 监测时间点: nothing at or after it is judged.
    pub cutoff: DateTime<Utc>,
    /// What was written down later is not seen.
    pub known_at: DateTime<Utc>,
    /// Whether the present state is asked for: silence up to the last confirming observation, as
    /// the daemon judges it, rather than at the cutoff itself.
    pub live: bool,
}

impl At {
    /// Now, as the daemon asks.
    pub fn now(now: DateTime<Utc>) -> Self {
        Self { cutoff: now, known_at: now, live: true }
    }
}

/// What one rule says of one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The rule's id.
    pub rule: String,
    /// Whom it is about.
    pub subject: Subject,
    /// 账号编号, where it is about an account.
    pub key: Option<String>,
    /// What it says.
    pub verdict: Verdict,
}

impl Proposal {
    /// One line of the list at a cutoff: what holds, or cannot be told; else none.
    pub fn json(&self) -> Option<Value> {
        let whom = match (&self.key, &self.subject) {
            (Some(key), _) => json!({ "key": key }),
            (None, subject) => json!(subject),
        };
        match &self.verdict {
            Verdict::Holds(holding) => Some(json!({
                "rule": self.rule,
                "subject": whom,
                "occasion": holding.occasion,
                "statement": holding.statement,
                "window": holding.window.map(|(from, to)| json!({ "from": from, "to": to })),
                "inputs": holding.inputs,
                "evidence": holding.evidence,
                "needs_approval": holding.needs_approval,
            })),
            Verdict::Undetermined(doubt) => Some(json!({
                "rule": self.rule,
                "subject": whom,
                "undetermined": doubt.0,
            })),
            Verdict::Covered | Verdict::Refuted { .. } | Verdict::Quiet => None,
        }
    }
}

/// What every rule says of everybody, ordered by rule and subject.
///
/// The same database and the same times give the same answer for ever: facts are append-only and
/// carry the time at which they were written down.
///
/// # Errors
/// The database does not answer.
pub async fn propose(context: &Context, at: At) -> anyhow::Result<Vec<Proposal>> {
    let ledger = Ledger::known_at(context, at.known_at, true).await?;
    let mut proposals = Vec::new();
    for batch in ledger.accounts.chunks(BATCH) {
        let accounts = context.store.entries_known_at(batch, at.known_at).await?;
        proposals.extend(of_accounts(context, at, accounts).await?);
    }
    proposals.extend(ledger.of_books());
    proposals.extend(ledger.of_matrices(at).await?);
    proposals.extend(of_ladders(context, at).await?);
    proposals.sort_by(|a, b| (&a.rule, &a.key, &a.subject).cmp(&(&b.rule, &b.key, &b.subject)));
    Ok(proposals)
}

/// What the rules about single accounts say of these.
pub(super) async fn of_accounts(
    context: &Context,
    at: At,
    accounts: Vec<Account>,
) -> anyhow::Result<Vec<Proposal>> {
    let mut proposals = Vec::new();
    for facts in gather(context, at, accounts).await? {
        let account = &facts.account;
        for rule in context.rules.rules_for(&account.entry.region) {
            let verdict = judge_account(rule, &facts);
            if verdict != Verdict::Quiet {
                proposals.push(of_account(rule, account.id, &account.entry.key, verdict));
            }
        }
    }
    Ok(proposals)
}

pub(super) fn of_account(rule: &Rule, id: AccountId, key: &str, verdict: Verdict) -> Proposal {
    Proposal {
        rule: rule.id.clone(),
        subject: Subject::Account(id),
        key: Some(key.to_owned()),
        verdict,
    }
}
