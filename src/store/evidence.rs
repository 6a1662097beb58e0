//! The rows of kept evidence: written with the visits that rest on it, and read back.

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

/// A stored answer with its body, for a revisit to refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullRecord {
    /// Its number.
    pub id: EvidenceId,
    /// Its name.
    pub record: RecordKey,
}

/// A piece of evidence as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `NewEvidence`")]
pub struct EvidenceRow {
    pub id: EvidenceId,
    pub record: RecordKey,
    /// 账号编号 of the account whose page was read.
    pub account: Option<String>,
    pub page: Option<String>,
    /// Start of the visit.
    pub visited_at: Option<DateTime<Utc>>,
    pub recorded_at: DateTime<Utc>,
    pub form: EvidenceForm,
    pub class: EvidenceClass,
    pub leaf: Sha256Digest,
    pub payload: Option<Sha256Digest>,
    pub refers_to: Option<EvidenceId>,
    pub segment: String,
    pub offset: u64,
    pub length: u64,
    /// Whether retention has dropped the bytes; leaf and place in the chain stay.
    pub dropped: bool,
    /// The day whose root it stands under and its place there; none until that day is sealed.
    pub leaf_of: Option<(NaiveDate, u64)>,
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
        let read = (record.account, visit.page.clone(), visit.started_at);
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

    /// The newest answer of an account, recorded at or after `since`, that is kept with exactly this
    /// body.
    pub async fn full_record(
        &self,
        account: AccountId,
        payload: Sha256Digest,
        since: DateTime<Utc>,
    ) -> Result<Option<FullRecord>, StoreError> {
        let row = sqlx::query!(
            "select e.id, e.record
             from evidence e join evidence_segments s on s.id = e.segment_id
             where e.account_id = $1 and e.payload = $2 and e.form = 'response'
               and e.recorded_at >= $3 and s.dropped_at is null
             order by e.id desc limit 1",
            account.0,
            &payload.0[..],
            since
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| Ok(FullRecord { id: EvidenceId(row.id), record: record_key(row.record)? }))
            .transpose()
    }

    /// The number of the record with this name.
    pub async fn evidence_named(&self, name: RecordKey) -> Result<Option<EvidenceId>, StoreError> {
        let id = sqlx::query_scalar!("select id from evidence where record = $1", &name.0[..])
            .fetch_optional(&self.pool)
            .await?;
        Ok(id.map(EvidenceId))
    }

    /// The records of an account's visits that began in `[from, to)`, oldest first.
    pub async fn evidence_of_account(
        &self,
        account: AccountId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<EvidenceId>, StoreError> {
        let ids = sqlx::query_scalar!(
            "select id from evidence
             where account_id = $1 and visited_at >= $2 and visited_at < $3
             order by visited_at, id",
            account.0,
            from,
            to
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(EvidenceId).collect())
    }

    /// These records as stored, in the order of their numbers, and with them every record that one
    /// of them refers to.
    pub async fn evidence_rows(&self, ids: &[EvidenceId]) -> Result<Vec<EvidenceRow>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"with wanted as (
                 select id from unnest($1::bigint[]) as w (id)
                 union select e.refers_to from evidence e
                     where e.id = any($1) and e.refers_to is not null)
             select e.id, e.record, a.key as "account?", e.page, e.visited_at, e.recorded_at,
                 e.form, e.class, e.leaf, e.payload, e.refers_to, s.name as segment,
                 e.byte_offset, e.byte_length, s.dropped_at, e.day, e.leaf_index
             from wanted w join evidence e on e.id = w.id
             join evidence_segments s on s.id = e.segment_id
             left join accounts a on a.id = e.account_id
             order by e.id"#,
            &column(ids, |id| id.0),
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::into_evidence).collect()
    }
}

struct Row {
    id: i64,
    record: Vec<u8>,
    account: Option<String>,
    page: Option<String>,
    visited_at: Option<DateTime<Utc>>,
    recorded_at: DateTime<Utc>,
    form: String,
    class: String,
    leaf: Vec<u8>,
    payload: Option<Vec<u8>>,
    refers_to: Option<i64>,
    segment: String,
    byte_offset: i64,
    byte_length: i64,
    dropped_at: Option<DateTime<Utc>>,
    day: Option<NaiveDate>,
    leaf_index: Option<i64>,
}

impl Row {
    fn into_evidence(self) -> Result<EvidenceRow, StoreError> {
        let form = EvidenceForm::from_word(&self.form);
        let class = EvidenceClass::from_word(&self.class);
        let place = self.leaf_index.map(unsigned).transpose()?;
        Ok(EvidenceRow {
            id: EvidenceId(self.id),
            record: record_key(self.record)?,
            account: self.account,
            page: self.page,
            visited_at: self.visited_at,
            recorded_at: self.recorded_at,
            form: form.ok_or_else(|| misread("a form of evidence", &self.form))?,
            class: class.ok_or_else(|| misread("a class of evidence", &self.class))?,
            leaf: digest(self.leaf)?,
            payload: self.payload.map(digest).transpose()?,
            refers_to: self.refers_to.map(EvidenceId),
            segment: self.segment,
            offset: unsigned(self.byte_offset)?,
            length: unsigned(self.byte_length)?,
            dropped: self.dropped_at.is_some(),
            leaf_of: self.day.zip(place),
        })
    }
}
