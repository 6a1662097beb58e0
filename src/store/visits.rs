//! The visits table: attempts to read a page, appended.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::columns::{column, count_json, source_word};
use super::record::{VisitEvidence, VisitRecord};
use super::{Store, StoreError};
use crate::domain::{AccountId, EvidenceId};
use crate::observe::Outcome;

/// One row, in the order of the table.
pub(super) struct VisitRow {
    account_id: i64,
    started_at: DateTime<Utc>,
    page: String,
    part: String,
    recorded_at: DateTime<Utc>,
    host: Option<String>,
    adapter: String,
    source: String,
    outcome: String,
    reason: Option<String>,
    status: Option<i16>,
    bytes: Option<i64>,
    duration_ms: Option<i32>,
    items: i32,
    as_of: Option<DateTime<Utc>>,
    span_low: Option<DateTime<Utc>>,
    span_high: Option<DateTime<Utc>>,
    exhausted: bool,
    empty: bool,
    confirming: bool,
    posts_total: Option<Value>,
    new_items: i32,
    upstream_success: Option<DateTime<Utc>>,
    registered_at: Option<DateTime<Utc>>,
    registered_precision: Option<String>,
    body_digest: Option<String>,
    evidence: Option<i64>,
    evidence_missing: Option<String>,
    bracket_older: Option<DateTime<Utc>>,
    bracket_newer: Option<DateTime<Utc>>,
    claims_shift_seconds: i32,
    detail: Option<String>,
    cause: Option<String>,
    dated: Option<i32>,
    named: Option<i32>,
    counted: Option<i32>,
    identified: Option<bool>,
}

/// The stored word of an outcome.
pub(super) fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Observed(_) => "observed",
        Outcome::Gone { .. } => "gone",
        Outcome::Failed(_) => "failed",
    }
}

/// The stored word of a failure's reason.
pub(super) fn reason_word(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Failed(reason) => Some(reason.as_str().to_owned()),
        _ => None,
    }
}

impl VisitRow {
    /// The row of a record, with its count of unknown posts, the shift of the known ones' times and
    /// its evidence.
    pub(super) fn of(
        record: &VisitRecord,
        new_items: usize,
        shift_seconds: i32,
        evidence: Option<EvidenceId>,
    ) -> Self {
        let visit = &record.visit;
        let observation = match &visit.outcome {
            Outcome::Observed(observation) => Some(observation),
            _ => None,
        };
        let (as_of, confirming) = match &visit.outcome {
            Outcome::Observed(seen) => (Some(seen.as_of), seen.confirming),
            Outcome::Gone { as_of, confirming } => (Some(*as_of), *confirming),
            Outcome::Failed(_) => (None, false),
        };
        let span = observation.and_then(|one| one.span);
        let bracket = observation.and_then(|one| one.bracket);
        let registered = observation.and_then(|one| one.registered_at);
        let reading = record.details.yields.as_ref().and_then(|one| one.readings.last());
        let count = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            account_id: record.account.0,
            started_at: visit.started_at,
            page: visit.page.to_string(),
            part: visit.part.to_string(),
            recorded_at: visit.recorded_at,
            host: record.host.clone(),
            adapter: visit.adapter.to_string(),
            source: source_word(visit.source).to_owned(),
            outcome: outcome_word(&visit.outcome).to_owned(),
            reason: reason_word(&visit.outcome),
            status: record.status.and_then(|status| i16::try_from(status).ok()),
            bytes: record.bytes.and_then(|bytes| i64::try_from(bytes).ok()),
            duration_ms: record.duration_ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)),
            items: clamp(record.posts.len()),
            as_of,
            span_low: span.map(|span| span.low),
            span_high: span.map(|span| span.high),
            exhausted: observation.is_some_and(|one| one.exhausted),
            empty: observation.is_some_and(|one| one.empty),
            confirming,
            posts_total: count_json(observation.and_then(|one| one.posts_total.as_ref())),
            new_items: clamp(new_items),
            upstream_success: observation.and_then(|one| one.upstream_success),
            registered_at: registered.map(|moment| moment.at),
            registered_precision: registered.map(|moment| moment.precision.as_str().to_owned()),
            body_digest: record.body_digest.clone(),
            evidence: evidence.map(|id| id.0),
            evidence_missing: match &record.evidence {
                VisitEvidence::Missing(reason) => Some(reason.clone()),
                VisitEvidence::Nothing | VisitEvidence::Kept(_) => None,
            },
            bracket_older: bracket.map(|bracket| bracket.older),
            bracket_newer: bracket.map(|bracket| bracket.newer),
            claims_shift_seconds: shift_seconds,
            detail: record.details.words.clone(),
            cause: record.details.cause.map(|cause| cause.as_str().to_owned()),
            dated: reading.map(|one| count(one.dated)),
            named: reading.map(|one| count(one.named)),
            counted: reading.map(|one| count(one.counted)),
            identified: reading.map(|one| one.identified),
        }
    }
}

fn clamp(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Appends visits; one that is already there stays as it is.
pub(super) async fn insert(
    connection: &mut PgConnection,
    rows: &[VisitRow],
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into visits (account_id, started_at, page, part, recorded_at, host, adapter, source,
             outcome, reason, status, bytes, duration_ms, items, as_of, span_low, span_high,
             exhausted, empty, confirming, posts_total, new_items, upstream_success, registered_at,
             registered_precision, body_digest, evidence, evidence_missing, bracket_older,
             bracket_newer, claims_shift_seconds, detail, cause, dated, named,
             counted, identified)
         select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[],
             $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
             $11::smallint[], $12::bigint[], $13::integer[], $14::integer[], $15::timestamptz[],
             $16::timestamptz[], $17::timestamptz[], $18::bool[], $19::bool[], $20::bool[],
             $21::jsonb[], $22::integer[], $23::timestamptz[], $24::timestamptz[], $25::text[],
             $26::text[], $27::bigint[], $28::text[], $29::timestamptz[], $30::timestamptz[],
             $31::integer[], $32::text[], $33::text[], $34::integer[], $35::integer[],
             $36::integer[], $37::bool[])
         on conflict (account_id, started_at, page) do nothing",
        &column(rows, |r| r.account_id),
        &column(rows, |r| r.started_at),
        &column(rows, |r| r.page.clone()),
        &column(rows, |r| r.part.clone()),
        &column(rows, |r| r.recorded_at),
        &column(rows, |r| r.host.clone()) as &[Option<String>],
        &column(rows, |r| r.adapter.clone()),
        &column(rows, |r| r.source.clone()),
        &column(rows, |r| r.outcome.clone()),
        &column(rows, |r| r.reason.clone()) as &[Option<String>],
        &column(rows, |r| r.status) as &[Option<i16>],
        &column(rows, |r| r.bytes) as &[Option<i64>],
        &column(rows, |r| r.duration_ms) as &[Option<i32>],
        &column(rows, |r| r.items),
        &column(rows, |r| r.as_of) as &[Option<DateTime<Utc>>],
        &column(rows, |r| r.span_low) as &[Option<DateTime<Utc>>],
        &column(rows, |r| r.span_high) as &[Option<DateTime<Utc>>],
        &column(rows, |r| r.exhausted),
        &column(rows, |r| r.empty),
        &column(rows, |r| r.confirming),
        &column(rows, |r| r.posts_total.clone()) as &[Option<Value>],
        &column(rows, |r| r.new_items),
        &column(rows, |r| r.upstream_success) as &[Option<DateTime<Utc>>],
        &column(rows, |r| r.registered_at) as &[Option<DateTime<Utc>>],
        &column(rows, |r| r.registered_precision.clone()) as &[Option<String>],
        &column(rows, |r| r.body_digest.clone()) as &[Option<String>],
        &column(rows, |r| r.evidence) as &[Option<i64>],
        &column(rows, |r| r.evidence_missing.clone()) as &[Option<String>],
        &column(rows, |r| r.bracket_older) as &[Option<DateTime<Utc>>],
        &column(rows, |r| r.bracket_newer) as &[Option<DateTime<Utc>>],
        &column(rows, |r| r.claims_shift_seconds),
        &column(rows, |r| r.detail.clone()) as &[Option<String>],
        &column(rows, |r| r.cause.clone()) as &[Option<String>],
        &column(rows, |r| r.dated) as &[Option<i32>],
        &column(rows, |r| r.named) as &[Option<i32>],
        &column(rows, |r| r.counted) as &[Option<i32>],
        &column(rows, |r| r.identified) as &[Option<bool>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// As-of time of the first answer since `since` that carried this body; `None` where none did.
    pub async fn body_first_seen(
        &self,
        account: AccountId,
        page: &str,
        body_digest: &str,
        since: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let first = sqlx::query_scalar!(
            "select min(coalesce(as_of, started_at)) from visits
             where account_id = $1 and started_at >= $4 and page = $2 and body_digest = $3",
            account.0,
            page,
            body_digest,
            since
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(first)
    }
}
