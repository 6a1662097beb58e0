//! What persons do: enter findings, step them, raise the namings of a bulletin.

use anyhow::{anyhow, bail};
use chrono::{DateTime, NaiveDate, Utc};

use crate::alert::{Bar, Check, Holding, NamingFacts, naming_bar};
use crate::domain::{
    Account, By, EvidenceRef, FindingId, FindingState, Step, Subject, shanghai_date,
};
use crate::jobs::Context;
use crate::store::{FindingRecord, Raised, StepRequest};

use super::apply::{new_finding, take};

/// A finding that a person enters.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonFinding {
    /// The rule's id; one of `check = { kind = "person" }`.
    pub rule: String,
    /// 账号编号.
    pub key: String,
    /// What was found, in Chinese.
    pub statement: String,
    /// When it was found.
    pub found_at: DateTime<Utc>,
    /// Digests of files, notes, posts: at least one.
    pub evidence: Vec<EvidenceRef>,
    /// Who enters it; may not approve it.
    pub actor: String,
}

/// Enters a person's finding; from here on it is treated like any other.
///
/// # Errors
/// An unknown rule or account, a rule that only data can prove, no evidence, no words; one that is
/// open already.
pub async fn add(context: &Context, entered: PersonFinding) -> anyhow::Result<FindingId> {
    let Some((set, rule)) = context.rules.place(&entered.rule) else {
        let persons = context.rules.sets().iter().flat_map(|set| &set.rules);
        let known: Vec<&str> = persons
            .filter(|rule| rule.check == Check::Person)
            .map(|rule| rule.id.as_str())
            .collect();
        bail!("no rule {:?}; a person may enter {}", entered.rule, known.join(", "));
    };
    if rule.check != Check::Person {
        bail!("rule {:?} is proven from data; a person may not enter it", entered.rule);
    }
    if entered.actor.trim().is_empty() {
        bail!("the actor must name somebody");
    }
    if entered.statement.trim().is_empty() {
        bail!("the statement says nothing");
    }
    if entered.evidence.is_empty() {
        bail!("a finding needs evidence: a file or a note");
    }
    let Some(account) = context.store.account(&entered.key).await? else {
        bail!("no account {:?} in the ledger", entered.key);
    };
    let now = context.clock.now();
    if entered.found_at > now {
        bail!("found_at lies in the future");
    }
    let holding = Holding {
        occasion: format!("{} {}", entered.found_at.to_rfc3339(), entered.actor.trim()),
        statement: entered.statement.trim().to_owned(),
        window: None,
        inputs: serde_json::json!({ "found_at": entered.found_at }),
        evidence: entered.evidence,
        needs_approval: false,
    };
    let subject = Subject::Account(account.id);
    let found = new_finding(set, rule, subject, holding, (entered.actor.trim(), false));
    let open = context.store.open_findings_of(&[account.id]).await?;
    if let Some(other) = open.iter().find(|one| one.found.rule == found.rule) {
        bail!("finding {} of rule {:?} is open for {:?}", other.id, found.rule, entered.key);
    }
    match context.store.raise_findings(&[found], now).await?.first() {
        Some(Raised::New(id)) => Ok(*id),
        Some(Raised::Settled(id)) => bail!("this was settled already as finding {id}"),
        other => Err(anyhow!("it was not entered: {other:?}")),
    }
}

/// Takes a person's step.
///
/// # Errors
/// What the step machine, or the rule of the second person, refuses, in a sentence; a step without
/// a name or without a reason.
pub async fn act(
    context: &Context,
    finding: FindingId,
    step: Step,
    (actor, reason): (&str, &str),
    expires_on: Option<NaiveDate>,
) -> anyhow::Result<FindingState> {
    if actor.trim().is_empty() {
        bail!("the actor must name somebody");
    }
    if reason.trim().is_empty() {
        bail!("a reason is needed");
    }
    let now = context.clock.now();
    if expires_on.is_some_and(|day| day < shanghai_date(now)) {
        bail!("the last day lies in the past");
    }
    let request = StepRequest {
        finding,
        step,
        by: By::Person,
        actor: actor.trim().to_owned(),
        reason: reason.trim().to_owned(),
        expires_on,
    };
    Ok(context.store.step_finding(&request, now).await??)
}

/// What keeps a finding from being named today; `None` where nothing does.
pub fn bar_of(record: &FindingRecord, today: NaiveDate) -> Option<Bar> {
    let facts = NamingFacts {
        state: record.state,
        needs_approval: record.found.needs_approval,
        approved_by_person: record.approved_by.is_some(),
        exemption: record.exemption.as_ref().map(|(reason, _)| reason.clone()),
        exempt_until: record.exemption.as_ref().and_then(|(_, until)| *until),
        explained_until: record.explained_until,
    };
    naming_bar(&facts, today)
}

/// Raises the finding under which an account is named in a bulletin, or finds the one that was.
///
/// Where neither rule nor scheme asks for a person's approval, the job gives its own.
///
/// # Errors
/// No rule of the account's region names; the database does not answer.
pub async fn raise_naming(
    context: &Context,
    account: &Account,
    holding: Holding,
    actor: &str,
) -> anyhow::Result<FindingId> {
    let Some((set, rule)) = context.rules.naming_rule_for(&account.entry.region) else {
        bail!("no rule with check.kind = \"assessment\" holds for {}", account.entry.region);
    };
    let found = new_finding(set, rule, Subject::Account(account.id), holding, (actor, false));
    let asks = found.needs_approval;
    match context.store.raise_findings(&[found], context.clock.now()).await?.first() {
        Some(Raised::New(id)) => {
            if !asks {
                take(context, *id, Step::Approve, "方案和规则均不要求第二人复核").await?;
            }
            Ok(*id)
        }
        Some(Raised::Updated(id) | Raised::Unchanged(id) | Raised::Settled(id)) => Ok(*id),
        other => Err(anyhow!("the naming of {} was not raised: {other:?}", account.entry.key)),
    }
}
