//! Writing visits down: everything of a batch in one transaction, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{Connection, PgConnection};

use super::columns::{column, to_micros};
use super::copying::Copying;
use super::lists::Lists;
use super::record::VisitRecord;
use super::visits::VisitRow;
use super::{
    Store, StoreError, canary, evidence, identities, known, listing, marks, missing, new_items,
    new_posts, relisting, samples, site_looks, states, visits,
};
use crate::domain::{AccountId, Moment};
use crate::observe::{Outcome, Yield};

/// What a batch came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FinishReport {
    /// Records written.
    pub written: usize,
    /// Account and page of the records that came too late: their lease had moved on.
    pub fenced: Vec<(AccountId, String)>,
    /// Posts never listed before.
    pub discovered: Vec<Discovered>,
    /// Items left out because they have neither id nor address nor text digest to know them by.
    pub nameless: usize,
}

/// A post listed for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Whose post.
    pub account: AccountId,
    /// The platform's id, or the address where there is none.
    pub reference: String,
    /// The time the page claims.
    pub claimed: Option<Moment>,
    /// As-of time of the observation that listed it.
    pub first_seen: DateTime<Utc>,
    /// Present exactly where the post appeared late.
    pub missed_by: Option<DateTime<Utc>>,
}

impl Store {
    /// Writes visits with all they found, and hands their targets back, in one transaction.
    ///
    /// A record whose lease has moved on writes nothing, nor its look at a canary. The same record
    /// a second time changes nothing. What is known of a post from its first listing is never
    /// overwritten: claimed time, first seen, what missed it.
    pub async fn finish(&self, batch: &[VisitRecord]) -> Result<FinishReport, StoreError> {
        let instants: Vec<DateTime<Utc>> =
            batch.iter().flat_map(|record| [record.visit.started_at, record.seen_at]).collect();
        self.ensure_months(instants).await?;
        let mut committing = Copying::acquire(&self.by_keys).await?;
        let mut transaction = committing.begin().await?;
        let connection = &mut *transaction;
        lock_accounts(connection, batch).await?;
        let held = held_targets(connection, batch).await?;
        let (records, late): (Vec<_>, Vec<_>) = batch.iter().partition(|r| is_held(r, &held));
        let fenced = late
            .into_iter()
            .map(|record| (record.account, record.visit.page.to_string()))
            .collect();
        let mut report = FinishReport { written: records.len(), fenced, ..FinishReport::default() };
        if !records.is_empty() {
            write(connection, &records, &mut report).await?;
        }
        transaction.commit().await?;
        committing.end();
        Ok(report)
    }
}

/// Writes records down, whose leases are held.
pub(super) async fn write(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
    report: &mut FinishReport,
) -> Result<(), StoreError> {
    let mut listed = listing::Listing::of(records);
    report.nameless = listed.nameless;
    known::look_up(connection, &mut listed).await?;
    let lists = Lists::of(connection, records).await?;
    let new_items = new_items::count(connection, records, &listed).await?;
    let shifts = marks::claims_shifts(records, &listed);
    let kept = evidence::insert(connection, records).await?;
    let rows: Vec<VisitRow> = records
        .iter()
        .zip(new_items)
        .zip(shifts.iter().copied())
        .zip(kept)
        .map(|(((record, new), shift), kept)| VisitRow::of(record, new, shift, kept))
        .collect();
    // Visits first: an earlier one of the same batch may have missed a post of a later one.
    visits::insert(connection, &rows).await?;
    // And lists before new posts: what leaves a list is looked for among those that stood in it.
    lists.write(connection, &listed).await?;
    report.discovered = new_posts::insert(connection, &listed, &lists).await?;
    marks::note_listed(connection, records, &listed).await?;
    marks::note_redated(connection, records, &shifts, &listed).await?;
    relisting::update(connection, &lists.changed(&listed)).await?;
    marks::note_absent(connection, records).await?;
    missing::note_asked(connection, records).await?;
    samples::write_profiles(connection, records).await?;
    identities::write(connection, records).await?;
    samples::write_inquiries(connection, records).await?;
    site_looks::write(connection, records).await?;
    hand_back(connection, records).await?;
    let looks = canary::insert_looks(connection, records).await?;
    // A page that speaks for no list has nothing to say for a verdict.
    let telling = records.iter().filter(|record| record.visit.speaks_for_list());
    let accounts: BTreeSet<i64> = telling.map(|record| record.account.0).collect();
    states::tell_news(connection, &accounts.into_iter().collect::<Vec<_>>(), &looks).await
}

/// Two finishers of one account follow each other: what the first found is known to the second.
pub(super) async fn lock_accounts(
    connection: &mut PgConnection,
    batch: &[VisitRecord],
) -> Result<(), StoreError> {
    sqlx::query!(
        "select id from accounts where id = any($1) order by id for no key update",
        &column(batch, |record| record.account.0)
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

type Held = BTreeMap<(i64, String), (String, DateTime<Utc>)>;

/// The leases of the batch's targets as they stand, locked until the batch is written.
async fn held_targets(
    connection: &mut PgConnection,
    batch: &[VisitRecord],
) -> Result<Held, StoreError> {
    let rows = sqlx::query!(
        r#"select t.account_id, t.page, t.lease_owner as "owner!", t.lease_until as "until!"
           from crawl_targets t
           where (t.account_id, t.page) in (select * from unnest($1::bigint[], $2::text[]))
             and t.lease_owner is not null
           order by t.account_id, t.page for update of t"#,
        &column(batch, |record| record.account.0),
        &column(batch, |record| record.visit.page.to_string()),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.account_id, row.page), (row.owner, row.until))).collect())
}

fn is_held(record: &VisitRecord, held: &Held) -> bool {
    let Some(lease) = &record.lease else { return true };
    let standing = held.get(&(record.account.0, record.visit.page.to_string()));
    standing.is_some_and(|(owner, until)| *owner == lease.owner && *until == to_micros(lease.until))
}

/// Returns the targets of leased records, with what their next visit should know.
async fn hand_back(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<(), StoreError> {
    let leased: Vec<&VisitRecord> =
        records.iter().copied().filter(|record| record.lease.is_some()).collect();
    let next = |record: &VisitRecord| record.next.clone();
    sqlx::query!(
        "update crawl_targets t set
             lease_owner = null, lease_until = null, attempt = 0,
             due_at = coalesce(r.due_at, t.due_at),
             last_visit_at = r.started_at, last_outcome = r.outcome, last_reason = r.reason,
             last_detail = r.detail, yields = coalesce(r.yields, t.yields),
             fell = case when r.yields is null then t.fell else r.fell end,
             fails = case when r.outcome <> 'failed' then 0
                 when r.held_back then t.fails else t.fails + 1 end,
             etag = case r.outcome when 'observed' then r.etag when 'failed' then t.etag end,
             last_modified = case r.outcome when 'observed' then r.last_modified
                 when 'failed' then t.last_modified end,
             body_as_of = case
                 when r.outcome = 'gone' then null
                 when r.outcome = 'failed' or r.body_digest is null
                     or r.body_digest = t.body_digest then t.body_as_of
                 else r.seen_at end,
             body_changed_at = case when r.outcome = 'observed' and r.body_digest <> t.body_digest
                 then r.seen_at else t.body_changed_at end,
             body_digest = case r.outcome
                 when 'observed' then coalesce(r.body_digest, t.body_digest)
                 when 'failed' then t.body_digest end,
             span_high = greatest(t.span_high, r.span_high),
             observed_at = greatest(t.observed_at, r.as_of),
             confirmed_at = greatest(t.confirmed_at, r.confirmed),
             confirmed_before = case
                 when r.confirmed > t.confirmed_at then t.confirmed_at
                 when r.confirmed < t.confirmed_at then greatest(t.confirmed_before, r.confirmed)
                 else t.confirmed_before end,
             rate_alpha = coalesce(r.alpha, t.rate_alpha),
             rate_beta = coalesce(r.beta, t.rate_beta),
             rhythm = coalesce(r.rhythm, t.rhythm),
             capacity = coalesce(r.capacity, t.capacity),
             deadline_at = r.deadline_at, purpose = r.purpose
         from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
             $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[],
             $11::timestamptz[], $12::timestamptz[], $13::float8[], $14::float8[], $15::bool[],
             $16::timestamptz[], $17::bytea[], $18::integer[], $19::timestamptz[], $20::text[],
             $21::text[], $22::jsonb[], $23::bool[])
             as r (account_id, page, due_at, started_at, outcome, reason, etag, last_modified,
                 body_digest, seen_at, span_high, as_of, alpha, beta, held_back,
                 confirmed, rhythm, capacity, deadline_at, purpose, detail, yields, fell)
         where t.account_id = r.account_id and t.page = r.page",
        &column(&leased, |r| r.account.0),
        &column(&leased, |r| r.visit.page.to_string()),
        &column(&leased, |r| next(r).map(|n| n.due_at)) as &[Option<DateTime<Utc>>],
        &column(&leased, |r| r.visit.started_at),
        &column(&leased, |r| visits::outcome_word(&r.visit.outcome).to_owned()),
        &column(&leased, |r| visits::reason_word(&r.visit.outcome)) as &[Option<String>],
        &column(&leased, |r| next(r).and_then(|n| n.validators.etag)) as &[Option<String>],
        &column(&leased, |r| next(r).and_then(|n| n.validators.last_modified))
            as &[Option<String>],
        &column(&leased, |r| r.body_digest.clone()) as &[Option<String>],
        &column(&leased, |r| r.seen_at),
        &column(&leased, |r| span_high(r)) as &[Option<DateTime<Utc>>],
        &column(&leased, |r| observed_at(r)) as &[Option<DateTime<Utc>>],
        &column(&leased, |r| next(r).and_then(|n| n.rate).map(|rate| rate.alpha))
            as &[Option<f64>],
        &column(&leased, |r| next(r).and_then(|n| n.rate).map(|rate| rate.beta))
            as &[Option<f64>],
        &column(&leased, |r| next(r).is_some_and(|n| n.held_back)),
        &column(&leased, |r| confirmed_at(r)) as &[Option<DateTime<Utc>>],
        &column(&leased, |r| next(r).and_then(|n| n.rhythm)) as &[Option<Vec<u8>>],
        &column(&leased, |r| next(r).and_then(|n| i32::try_from(n.capacity?).ok()))
            as &[Option<i32>],
        &column(&leased, |r| next(r).and_then(|n| n.deadline_at)) as &[Option<DateTime<Utc>>],
        &column(&leased, |r| next(r).and_then(|n| n.purpose).map(str::to_owned))
            as &[Option<String>],
        &column(&leased, |r| r.details.words.clone()) as &[Option<String>],
        &column(&leased, |r| yields(r)) as &[Option<Json<&[Yield]>>],
        &column(&leased, |r| r.details.yields.as_ref().and_then(|one| one.fell))
            as &[Option<bool>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn yields(record: &VisitRecord) -> Option<Json<&[Yield]>> {
    record.details.yields.as_ref().map(|yields| Json(yields.readings.as_slice()))
}

fn span_high(record: &VisitRecord) -> Option<DateTime<Utc>> {
    match &record.visit.outcome {
        Outcome::Observed(observation) => observation.span.map(|span| span.high),
        _ => None,
    }
}

fn observed_at(record: &VisitRecord) -> Option<DateTime<Utc>> {
    match &record.visit.outcome {
        Outcome::Observed(observation) => Some(observation.as_of),
        _ => None,
    }
}

fn confirmed_at(record: &VisitRecord) -> Option<DateTime<Utc>> {
    match &record.visit.outcome {
        Outcome::Observed(observation) if observation.confirming => Some(observation.as_of),
        Outcome::Gone { as_of, confirming: true } => Some(*as_of),
        _ => None,
    }
}
