//! Steps of findings, each with its place in the append-only log.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use thiserror::Error;

use super::finding_row::read_state;
use super::{Store, StoreError};
use crate::domain::{By, FindingId, FindingState, IllegalStep, Step, take_step};

/// A step that somebody wants to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRequest {
    /// Which finding.
    pub finding: FindingId,
    /// What is to be done.
    pub step: Step,
    /// Who wants it: a person, or a job.
    pub by: By,
    /// The person's name, or `job:…`.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// For an explanation the last day it is accepted through.
    pub expires_on: Option<NaiveDate>,
}

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StepRefused {
    /// No such finding.
    #[error("there is no finding {0}")]
    NoFinding(FindingId),
    /// It cannot take this step from where it stands.
    #[error("finding {0}: {1}")]
    Illegal(FindingId, IllegalStep),
    /// Who raised a finding may not approve it.
    #[error("finding {0} was raised by {1}, who may not approve it; a second person has to")]
    SamePerson(FindingId, String),
    /// The rule asks for a person's approval.
    #[error("finding {0} needs a person's approval")]
    NeedsPerson(FindingId),
}

/// One line of a finding's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// Whether a job did.
    pub by_job: bool,
    /// What was done: `raise`, or the word of a step.
    pub step: String,
    /// Where the finding stood; absent where it was raised.
    pub from: Option<FindingState>,
    /// Where it stands since.
    pub to: FindingState,
    /// Why.
    pub reason: String,
}

pub(super) struct Event<'a> {
    pub(super) finding: FindingId,
    pub(super) at: DateTime<Utc>,
    pub(super) actor: &'a str,
    pub(super) by_job: bool,
    pub(super) step: &'static str,
    pub(super) from: Option<FindingState>,
    pub(super) to: FindingState,
    pub(super) reason: &'a str,
}

pub(super) async fn write_event(
    connection: &mut PgConnection,
    event: &Event<'_>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into finding_events (finding_id, at, actor, by_job, step, from_state, to_state,
             reason)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        event.finding.0,
        event.at,
        event.actor,
        event.by_job,
        event.step,
        event.from.map(FindingState::as_str),
        event.to.as_str(),
        event.reason
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Names are compared without case and outer blanks: `Zhang` is `zhang `.
fn is_same_person(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Takes one step under the lock of its finding.
pub(super) async fn step(
    connection: &mut PgConnection,
    request: &StepRequest,
    now: DateTime<Utc>,
) -> Result<Result<FindingState, StepRefused>, StoreError> {
    let id = request.finding;
    let row = sqlx::query!(
        "select state, raised_by, needs_approval from findings where id = $1 for update",
        id.0
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(Err(StepRefused::NoFinding(id))) };
    let from = read_state(&row.state)?;
    let to = match take_step(from, request.step, request.by) {
        Ok(to) => to,
        Err(illegal) => return Ok(Err(StepRefused::Illegal(id, illegal))),
    };
    let approver = (request.step, request.by) == (Step::Approve, By::Person);
    if approver && is_same_person(&row.raised_by, &request.actor) {
        return Ok(Err(StepRefused::SamePerson(id, row.raised_by)));
    }
    if request.step == Step::Approve && request.by == By::Job && row.needs_approval {
        return Ok(Err(StepRefused::NeedsPerson(id)));
    }
    sqlx::query!(
        "update findings set state = $2, state_since = $3, updated_at = $3,
             approved_by = coalesce($4, approved_by)
         where id = $1",
        id.0,
        to.as_str(),
        now,
        approver.then_some(request.actor.as_str())
    )
    .execute(&mut *connection)
    .await?;
    let event = Event {
        finding: id,
        at: now,
        actor: &request.actor,
        by_job: request.by == By::Job,
        step: request.step.as_str(),
        from: Some(from),
        to,
        reason: &request.reason,
    };
    write_event(connection, &event).await?;
    if request.step == Step::Explain {
        sqlx::query!(
            "insert into explanations (finding_id, at, actor, text, expires_on)
             values ($1, $2, $3, $4, $5)",
            id.0,
            now,
            request.actor,
            request.reason,
            request.expires_on
        )
        .execute(connection)
        .await?;
    }
    Ok(Ok(to))
}

impl Store {
    /// Takes a step of a finding and writes it down, or says why it is not taken.
    pub async fn step_finding(
        &self,
        request: &StepRequest,
        now: DateTime<Utc>,
    ) -> Result<Result<FindingState, StepRefused>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let taken = step(&mut transaction, request, now).await?;
        transaction.commit().await?;
        Ok(taken)
    }

    /// The log of a finding, oldest first.
    pub async fn finding_events(&self, id: FindingId) -> Result<Vec<FindingEvent>, StoreError> {
        let rows = sqlx::query!(
            "select at, actor, by_job, step, from_state, to_state, reason from finding_events
             where finding_id = $1 order by id",
            id.0
        )
        .fetch_all(&self.pool)
        .await?;
        let events = rows.into_iter().map(|row| {
            Ok(FindingEvent {
                at: row.at,
                actor: row.actor,
                by_job: row.by_job,
                step: row.step,
                from: row.from_state.as_deref().map(read_state).transpose()?,
                to: read_state(&row.to_state)?,
                reason: row.reason,
            })
        });
        events.collect()
    }

    /// Grants an exemption beside the ledger's, for one rule or for all.
    pub async fn grant_exemption(
        &self,
        account: crate::domain::AccountId,
        rule: Option<&str>,
        (reason, granted_by): (&str, &str),
        until: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into exemptions (account_id, rule, reason, granted_by, granted_at, until)
             values ($1, $2, $3, $4, $5, $6)",
            account.0,
            rule,
            reason,
            granted_by,
            now,
            until
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
