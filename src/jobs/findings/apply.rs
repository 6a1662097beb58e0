//! Verdicts into findings: raised, brought up to date, mended, checked, reopened.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{DateTime, Days, Utc};

use crate::alert::{Check, Holding, Rule, RuleSet, Verdict};
use crate::domain::{By, EvidenceRef, FindingId, FindingState, Step, Subject, shanghai_date};
use crate::jobs::Context;
use crate::store::{FindingRecord, NewFinding, Raised, StepRequest};

use super::ACTOR;
use super::propose::Proposal;

/// The open findings by rule, subject and, where each occasion is a finding of its own, that.
pub(super) type Open = BTreeMap<Place, FindingRecord>;

type Place = (String, Subject, Option<String>);

pub(super) fn by_place(records: Vec<FindingRecord>) -> Open {
    records.into_iter().map(|record| (place(&record.found), record)).collect()
}

fn place(found: &NewFinding) -> Place {
    let occasion = found.per_occasion.then(|| found.occasion.clone());
    (found.rule.clone(), found.subject.clone(), occasion)
}

/// What a rule that holds is written down as.
pub(super) fn new_finding(
    set: &RuleSet,
    rule: &Rule,
    subject: Subject,
    holding: Holding,
    (raised_by, by_job): (&str, bool),
) -> NewFinding {
    NewFinding {
        rule: rule.id.clone(),
        rule_title: rule.title.clone(),
        clause: rule.clause.clone(),
        source: rule.source.clone(),
        advice: rule.advice.clone(),
        rule_digest: set.digest.clone(),
        severity: rule.severity,
        subject,
        occasion: holding.occasion,
        statement: holding.statement,
        window: holding.window,
        inputs: holding.inputs,
        evidence: holding.evidence,
        needs_approval: rule.needs_approval || holding.needs_approval,
        per_occasion: matches!(rule.check, Check::Assessment | Check::MissedNotices),
        deadline_days: rule.deadline_days,
        raised_by: raised_by.to_owned(),
        by_job,
    }
}

/// Takes a step in the job's name. One that is refused meanwhile was taken by somebody else.
pub(super) async fn take(
    context: &Context,
    finding: FindingId,
    step: Step,
    reason: &str,
) -> anyhow::Result<bool> {
    let request = StepRequest {
        finding,
        step,
        by: By::Job,
        actor: ACTOR.to_owned(),
        reason: reason.to_owned(),
        expires_on: None,
    };
    match context.store.step_finding(&request, context.clock.now()).await? {
        Ok(_) => Ok(true),
        Err(refused) => {
            tracing::debug!(%finding, %refused, "a step was not taken");
            Ok(false)
        }
    }
}

/// Writes down what the verdicts come to; `open` holds the findings of their subjects.
pub(super) async fn apply(
    context: &Context,
    proposals: Vec<Proposal>,
    open: &Open,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (mut raise, mut doubts) = (Vec::new(), Vec::new());
    for proposal in proposals {
        let Some((set, rule)) = context.rules.place(&proposal.rule) else { continue };
        let standing = open.get(&(proposal.rule, proposal.subject.clone(), None));
        match proposal.verdict {
            Verdict::Holds(holding) => {
                let mut found = new_finding(set, rule, proposal.subject, holding, (ACTOR, true));
                if let Some(record) = open.get(&place(&found)) {
                    still_holds(context, rule, record, &found, now).await?;
                    for message in unanswered(context, record).await? {
                        if !found.evidence.contains(&message) {
                            found.evidence.push(message);
                        }
                    }
                }
                raise.push(found);
            }
            Verdict::Refuted { proof, .. } => {
                if let Some(record) = standing
                    && unanswered(context, record).await?.is_empty()
                {
                    mend(context, record, &proof).await?;
                }
            }
            Verdict::Undetermined(doubt) => {
                doubts.extend(standing.map(|record| (record.id, Some(doubt.0))));
            }
            Verdict::Covered | Verdict::Quiet => {}
        }
    }
    context.store.doubt_findings(&doubts).await.context("noting doubts")?;
    let raised = context.store.raise_findings(&raise, now).await.context("raising findings")?;
    for (found, raised) in raise.iter().zip(raised) {
        let (Raised::New(id) | Raised::Updated(id) | Raised::Unchanged(id)) = raised else {
            continue;
        };
        let standing = open.get(&place(found));
        let is_open = standing.is_none_or(|record| record.state == FindingState::Open);
        let by_person = standing.is_some_and(|record| record.found.needs_approval);
        if is_open && !found.needs_approval && !by_person {
            take(context, id, Step::Approve, "规则不要求人工复核").await?;
        }
    }
    Ok(())
}

/// The messages that a finding names and that still have no answer: that they have grown older than
/// its rule looks back answers none.
async fn unanswered(context: &Context, record: &FindingRecord) -> anyhow::Result<Vec<EvidenceRef>> {
    let Subject::Account(account) = record.found.subject else { return Ok(Vec::new()) };
    let reference = |one: &EvidenceRef| match one {
        EvidenceRef::Inquiry { reference, .. } => Some(reference.clone()),
        _ => None,
    };
    let named: Vec<String> = record.found.evidence.iter().filter_map(reference).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let open = context.store.unanswered(account, &named).await?;
    let is_open = |one: &&EvidenceRef| reference(one).is_some_and(|name| open.contains(&name));
    Ok(record.found.evidence.iter().filter(is_open).cloned().collect())
}

/// A proven fact mends a finding; one that was mended is checked by it, and then done with.
async fn mend(context: &Context, record: &FindingRecord, proof: &str) -> anyhow::Result<()> {
    let id = record.id;
    match record.state {
        FindingState::Open
        | FindingState::Approved
        | FindingState::Notified
        | FindingState::Explained
        | FindingState::Reopened => {
            if take(context, id, Step::Rectify, proof).await? {
                pass(context, id, proof).await?;
            }
        }
        FindingState::Rectified => pass(context, id, proof).await?,
        FindingState::Rechecked => {
            take(context, id, Step::Close, "复查通过").await?;
        }
        FindingState::Closed | FindingState::Dismissed => {}
    }
    Ok(())
}

async fn pass(context: &Context, id: FindingId, proof: &str) -> anyhow::Result<()> {
    if take(context, id, Step::Recheck, proof).await? {
        take(context, id, Step::Close, "复查通过").await?;
    }
    Ok(())
}

/// What was said to be mended and is proven not to be is reopened; so is what was explained until a
/// day that has passed, and what a notice was to mend by a deadline that has.
async fn still_holds(
    context: &Context,
    rule: &Rule,
    record: &FindingRecord,
    found: &NewFinding,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let reopen = async |reason: &str| take(context, record.id, Step::Reopen, reason).await;
    match record.state {
        FindingState::Rectified => {
            // Seen after it was said to be mended, not before.
            let seen_to = found.window.map_or(now, |window| window.1);
            if seen_to > record.state_since {
                reopen(&found.statement).await?;
            }
        }
        FindingState::Explained if is_outlived(context, record, now) => {
            reopen("说明的有效期已过,问题仍在").await?;
        }
        // Whether a notice to update was followed is told by its own time, not by today; that some
        // were not stays so, and is no fault that goes on.
        FindingState::Notified
            if !is_update(&rule.check)
                && rule.check != Check::MissedNotices
                && record.deadline.is_some_and(|deadline| deadline < now) =>
        {
            reopen("整改期限已过,问题仍在").await?;
        }
        _ => {}
    }
    Ok(())
}

/// Whether an explained finding's explanation has had its time: through the day it was accepted
/// for, else for as many days as the settings give.
pub(super) fn is_outlived(context: &Context, record: &FindingRecord, now: DateTime<Utc>) -> bool {
    let days = Days::new(u64::from(context.alert.explanation_days));
    let given = || shanghai_date(record.state_since).checked_add_days(days);
    let until = record.explained_until.or_else(given);
    until.is_some_and(|until| until < shanghai_date(now))
}

/// Whether a notice of such a finding is a notice to update (通知更新).
pub(super) fn is_update(check: &Check) -> bool {
    matches!(check, Check::Silence(_) | Check::ClosingSilent)
}
