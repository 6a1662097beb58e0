//! The rows of kept evidence, read back.

use chrono::{DateTime, NaiveDate, Utc};

use super::columns::{column, misread};
use super::evidence::{digest, record_key, unsigned};
use super::{Store, StoreError};
use crate::domain::{AccountId, EvidenceClass, EvidenceForm, EvidenceId, RecordKey, Sha256Digest};

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

impl Store {
    /// The newest answer of an account, recorded at or after `since`, that is kept with exactly
    /// this body.
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
