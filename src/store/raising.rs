use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::StoreError;
use super::finding_row::read_state;
use super::findings::{NewFinding, Raised};
use super::pins::{PinHolder, pin_window};
use super::steps::{Event, write_event};
use crate::domain::{EvidenceRef, FindingId, FindingState, Subject};

/// Raises one finding, or brings the open one up to date.
pub(super) async fn raise(
    connection: &mut PgConnection,
    found: &NewFinding,
    now: DateTime<Utc>,
) -> Result<Raised, StoreError> {
    let Some((account, unit, area)) = subject_columns(connection, &found.subject).await? else {
        return Ok(Raised::NoSubject);
    };
    let standing = sqlx::query!(
        r#"select id, state in ('closed', 'dismissed') as "settled!" from findings
           where rule = $1 and account_id is not distinct from $2
             and unit_id is not distinct from $3 and area is not distinct from $4
             and (state not in ('closed', 'dismissed') and not $6 or occasion = $5)
           order by state in ('closed', 'dismissed'), id desc limit 1 for update"#,
        found.rule,
        account,
        unit,
        area,
        found.occasion,
        found.per_occasion
    )
    .fetch_optional(&mut *connection)
    .await?;
    match standing {
        Some(row) if row.settled => Ok(Raised::Settled(FindingId(row.id))),
        Some(row) => update(connection, FindingId(row.id), found, now).await,
        None => insert(connection, found, (account, unit, area), now).await,
    }
}

fn evidence(found: &NewFinding) -> Value {
    let references: &[EvidenceRef] = &found.evidence;
    serde_json::to_value(references).expect("references are maps with string keys")
}

/// What the rule says is renewed; what it was called when it was raised stays. The moment of
/// looking alone, which `inputs` may carry, is no news.
///
/// A person's approval is of what that person saw: where the rule holds for another occasion, other
/// than that some of the evidence has grown old, the finding is open again. One that a job approved
/// asks for no approval afterwards, since nobody could give it; what is named is held to its own
/// verdict at the cutoff.
async fn update(
    connection: &mut PgConnection,
    id: FindingId,
    found: &NewFinding,
    now: DateTime<Utc>,
) -> Result<Raised, StoreError> {
    let lapsed = sqlx::query_scalar!(
        "select state from findings
         where id = $1 and approved_by is not null and (needs_approval or $4) and occasion <> $2
           and (evidence = $3 or not evidence @> $3)",
        id.0,
        found.occasion,
        evidence(found),
        found.needs_approval
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(state) = lapsed {
        open_again(connection, id, read_state(&state)?, found, now).await?;
    }
    let changed = sqlx::query!(
        "update findings set occasion = $2, statement = $3, window_from = $4, window_to = $5,
             inputs = $6, evidence = $7, updated_at = $8, doubt = null,
             needs_approval = needs_approval or ($9 and (state = 'open' or approved_by is not null))
         where id = $1
           and ((occasion, inputs, evidence, doubt) is distinct from ($2, $6, $7, null)
             or $9 and not needs_approval and (state = 'open' or approved_by is not null))",
        id.0,
        found.occasion,
        found.statement,
        found.window.map(|window| window.0),
        found.window.map(|window| window.1),
        found.inputs,
        evidence(found),
        now,
        found.needs_approval
    )
    .execute(&mut *connection)
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(Raised::Unchanged(id));
    }
    keep_evidence(connection, id, found, now).await?;
    Ok(Raised::Updated(id))
}

async fn open_again(
    connection: &mut PgConnection,
    id: FindingId,
    from: FindingState,
    found: &NewFinding,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update findings set state = 'open', state_since = $2, approved_by = null where id = $1",
        id.0,
        now
    )
    .execute(&mut *connection)
    .await?;
    let reason = format!("事由有变,须重新复核:{}", found.statement);
    write_raised(connection, id, Some(from), (found, &reason), now).await
}

/// Writes down that a finding is open from here.
async fn write_raised(
    connection: &mut PgConnection,
    finding: FindingId,
    from: Option<FindingState>,
    (found, reason): (&NewFinding, &str),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let event = Event {
        finding,
        at: now,
        actor: &found.raised_by,
        by_job: found.by_job,
        step: "raise",
        from,
        to: FindingState::Open,
        reason,
    };
    write_event(connection, &event).await
}

async fn insert(
    connection: &mut PgConnection,
    found: &NewFinding,
    (account, unit, area): (Option<i64>, Option<i64>, Option<String>),
    now: DateTime<Utc>,
) -> Result<Raised, StoreError> {
    let id = sqlx::query_scalar!(
        "insert into findings (rule, rule_title, clause, source, advice, rule_digest, severity,
             account_id, unit_id, area, occasion, statement, window_from, window_to, inputs,
             evidence, state_since, needs_approval, deadline_days, raised_by, raised_at, updated_at,
             per_occasion)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $17, $17, $21)
         on conflict (rule, account_id, unit_id, area,
             (case when per_occasion then occasion end)) where state not in ('closed', 'dismissed')
             do nothing
         returning id",
        found.rule,
        found.rule_title,
        found.clause,
        found.source,
        found.advice,
        found.rule_digest,
        found.severity.as_str(),
        account,
        unit,
        area,
        found.occasion,
        found.statement,
        found.window.map(|window| window.0),
        found.window.map(|window| window.1),
        found.inputs,
        evidence(found),
        now,
        found.needs_approval,
        i32::try_from(found.deadline_days).unwrap_or(i32::MAX),
        found.raised_by,
        found.per_occasion
    )
    .fetch_optional(&mut *connection)
    .await?;
    // Another daemon raised it in this very moment; the next look brings it up to date.
    let Some(id) = id.map(FindingId) else { return Ok(Raised::NoSubject) };
    write_raised(&mut *connection, id, None, (found, &found.statement), now).await?;
    keep_evidence(connection, id, found, now).await?;
    Ok(Raised::New(id))
}

/// Keeps the records of the window that a finding speaks of, and of what confirmed it since.
async fn keep_evidence(
    connection: &mut PgConnection,
    id: FindingId,
    found: &NewFinding,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let (Subject::Account(account), Some((from, _))) = (&found.subject, found.window) {
        pin_window(connection, PinHolder::Finding(id.0), *account, (from, now), now).await?;
    }
    Ok(())
}

/// The account and unit columns of a subject; `None` where the ledger has no such.
async fn subject_columns(
    connection: &mut PgConnection,
    subject: &Subject,
) -> Result<Option<(Option<i64>, Option<i64>, Option<String>)>, StoreError> {
    Ok(match subject {
        Subject::Account(account) => Some((Some(account.0), None, None)),
        Subject::Area(area) => Some((None, None, Some(area.as_str().to_owned()))),
        Subject::Sponsor { name, code } => {
            let id = sqlx::query_scalar!(
                "select id from units where name = $1 and code is not distinct from $2",
                name,
                code.as_deref()
            )
            .fetch_optional(connection)
            .await?;
            id.map(|id| (None, Some(id), None))
        }
    })
}
