//! The rows of kept evidence, written with the visits that rest on it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::columns::{column, misread};
use super::record::{VisitEvidence, VisitRecord};
use super::{Store, StoreError};
use crate::domain::{AccountId, EvidenceClass, EvidenceForm, EvidenceId, RecordKey, Sha256Digest};

/// A piece of evidence that lies durably in a segment, to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvidence {
    /// Its name.
    pub record: RecordKey,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What it holds.
    pub form: EvidenceForm,
    /// Why it is kept; also the class of its segment.
    pub class: EvidenceClass,
    /// Digest of a zero byte and the stored bytes.
    pub leaf: Sha256Digest,
    /// Digest of the body.
    pub payload: Option<Sha256Digest>,
    /// The record with the same body; exactly for revisits.
    pub refers_to: Option<EvidenceId>,
    /// The segment.
    pub segment: String,
    /// The day (Asia/Shanghai) of the segment.
    pub segment_day: NaiveDate,
    /// First byte in the segment.
    pub offset: u64,
    /// Bytes in the segment.
    pub length: u64,
}

/// Reads a digest of 32 bytes.
pub(super) fn digest(bytes: Vec<u8>) -> Result<Sha256Digest, StoreError> {
    bytes.try_into().map(Sha256Digest).map_err(|bytes| misread("a digest", bytes))
}

/// Reads the name of a record.
pub(super) fn record_key(bytes: Vec<u8>) -> Result<RecordKey, StoreError> {
    bytes.try_into().map(RecordKey).map_err(|bytes| misread("a record's name", bytes))
}

/// Reads a number that is never negative.
pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| misread("a size", number))
}

/// A number of bytes as a column; beyond 2⁶³ none exists.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Whose page it was, which page, and when the visit began.
type Read = (AccountId, String, DateTime<Utc>);

/// Appends the evidence of visits; of each visit the number of its first record.
pub(super) async fn insert(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<Vec<Option<EvidenceId>>, StoreError> {
    let mut rows: Vec<(Option<Read>, &NewEvidence)> = Vec::new();
    for record in records {
        let visit = &record.visit;
        let read = (record.account, visit.page.to_string(), visit.started_at);
        rows.extend(kept(record).iter().map(|one| (Some(read.clone()), one)));
    }
    let ids = insert_rows(connection, &rows).await?;
    let first = |record: &&VisitRecord| Some(*ids.get(&kept(record).first()?.record)?);
    Ok(records.iter().map(first).collect())
}

fn kept(record: &VisitRecord) -> &[NewEvidence] {
    match &record.evidence {
        VisitEvidence::Kept(kept) => kept,
        VisitEvidence::Nothing | VisitEvidence::Missing(_) => &[],
    }
}

/// Appends rows and their segments; one that is already there stays as it is.
async fn insert_rows(
    connection: &mut PgConnection,
    rows: &[(Option<Read>, &NewEvidence)],
) -> Result<HashMap<RecordKey, EvidenceId>, StoreError> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let segments: BTreeMap<&str, &NewEvidence> =
        rows.iter().map(|(_, new)| (new.segment.as_str(), *new)).collect();
    let segments: Vec<&NewEvidence> = segments.into_values().collect();
    sqlx::query!(
        "insert into evidence_segments (name, class, day, opened_at)
         select r.* from unnest($1::text[], $2::text[], $3::date[], $4::timestamptz[])
             as r (name, class, day, opened_at)
         where not exists (select from evidence_segments s where s.name = r.name)
         on conflict (name) do nothing",
        &column(&segments, |new| new.segment.clone()),
        &column(&segments, |new| new.class.as_str().to_owned()),
        &column(&segments, |new| new.segment_day),
        &column(&segments, |new| new.recorded_at),
    )
    .execute(&mut *connection)
    .await?;
    let read = |row: &(Option<Read>, &NewEvidence)| row.0.clone();
    sqlx::query!(
        "insert into evidence (record, account_id, page, visited_at, recorded_at, form, class, leaf,
             payload, refers_to, segment_id, byte_offset, byte_length)
         select r.record, r.account_id, r.page, r.visited_at, r.recorded_at, r.form, r.class,
             r.leaf, r.payload, r.refers_to, s.id, r.byte_offset, r.byte_length
         from unnest($1::bytea[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[],
             $6::text[], $7::text[], $8::bytea[], $9::bytea[], $10::bigint[], $11::text[],
             $12::bigint[], $13::bigint[]) with ordinality
             as r (record, account_id, page, visited_at, recorded_at, form, class, leaf, payload,
                 refers_to, segment, byte_offset, byte_length, n)
         join evidence_segments s on s.name = r.segment
         order by r.n
         on conflict (record) do nothing",
        &column(rows, |row| row.1.record.0.to_vec()),
        &column(rows, |row| read(row).map(|one| one.0.0)) as &[Option<i64>],
        &column(rows, |row| read(row).map(|one| one.1)) as &[Option<String>],
        &column(rows, |row| read(row).map(|one| one.2)) as &[Option<DateTime<Utc>>],
        &column(rows, |row| row.1.recorded_at),
        &column(rows, |row| row.1.form.as_str().to_owned()),
        &column(rows, |row| row.1.class.as_str().to_owned()),
        &column(rows, |row| row.1.leaf.0.to_vec()),
        &column(rows, |row| row.1.payload.map(|digest| digest.0.to_vec())) as &[Option<Vec<u8>>],
        &column(rows, |row| row.1.refers_to.map(|id| id.0)) as &[Option<i64>],
        &column(rows, |row| row.1.segment.clone()),
        &column(rows, |row| signed(row.1.offset)),
        &column(rows, |row| signed(row.1.length)),
    )
    .execute(&mut *connection)
    .await?;
    let stored = sqlx::query!(
        "select id, record from evidence where record = any($1)",
        &column(rows, |row| row.1.record.0.to_vec()),
    )
    .fetch_all(connection)
    .await?;
    stored.into_iter().map(|row| Ok((record_key(row.record)?, EvidenceId(row.id)))).collect()
}

impl Store {
    /// Writes a document of the program's own down; the same one a second time changes nothing.
    pub async fn keep_resource(&self, resource: &NewEvidence) -> Result<EvidenceId, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ids = insert_rows(&mut transaction, &[(None, resource)]).await?;
        transaction.commit().await?;
        ids.into_values().next().ok_or_else(|| misread("evidence", "nothing just written"))
    }
}
