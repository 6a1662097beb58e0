//! The segments: what lies where, what each record needs, and what retention may take.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::columns::{column, misread};
use super::evidence::{digest, record_key, signed, unsigned};
use super::{Store, StoreError};
use crate::domain::{EvidenceClass, EvidenceId, RecordKey, Sha256Digest};

/// A closed segment that lies in the evidence store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSegment {
    /// Its name.
    pub name: String,
    /// The class of its records.
    pub class: EvidenceClass,
    /// Its day (Asia/Shanghai).
    pub day: NaiveDate,
    /// Its size.
    pub bytes: u64,
    /// Digest of all its bytes.
    pub digest: Sha256Digest,
}

/// A segment whose records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `StoredSegment`")]
pub struct SegmentRow {
    /// Its number.
    pub id: i64,
    pub name: String,
    pub class: EvidenceClass,
    pub day: NaiveDate,
    /// Size and digest, once it is closed and stored.
    pub stored: Option<(u64, Sha256Digest)>,
}

/// One record of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `NewEvidence`")]
pub struct KeptRecord {
    pub id: EvidenceId,
    pub record: RecordKey,
    pub leaf: Sha256Digest,
    pub offset: u64,
    pub length: u64,
    /// Whether it is pinned, or referred to by a record that is kept.
    pub needed: bool,
}

struct Row {
    id: i64,
    name: String,
    class: String,
    day: NaiveDate,
    bytes: Option<i64>,
    digest: Option<Vec<u8>>,
}

impl Row {
    fn into_segment(self) -> Result<SegmentRow, StoreError> {
        let class = EvidenceClass::from_word(&self.class);
        let stored = match self.bytes.zip(self.digest) {
            Some((bytes, sum)) => Some((unsigned(bytes)?, digest(sum)?)),
            None => None,
        };
        Ok(SegmentRow {
            id: self.id,
            name: self.name,
            class: class.ok_or_else(|| misread("a class of evidence", &self.class))?,
            day: self.day,
            stored,
        })
    }
}

impl Store {
    /// Notes that a segment is closed and lies in the evidence store.
    pub async fn segment_stored(
        &self,
        segment: &StoredSegment,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        note_stored(&mut connection, segment, now).await?;
        Ok(())
    }

    /// Every segment whose records are kept, oldest first.
    pub async fn kept_segments(&self) -> Result<Vec<SegmentRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        segment_rows(&mut connection).await
    }

    /// The stored segments of a class from days before `day`, oldest first.
    pub async fn segments_before(
        &self,
        class: EvidenceClass,
        day: NaiveDate,
    ) -> Result<Vec<SegmentRow>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select id, name, class, day, bytes, digest from evidence_segments
             where dropped_at is null and stored_at is not null and class = $1 and day < $2
             order by day, id",
            class.as_str(),
            day
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Row::into_segment).collect()
    }

    /// The records of a segment in the order of their places.
    pub async fn segment_records(&self, segment: i64) -> Result<Vec<KeptRecord>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        records(&mut connection, segment).await
    }

    /// Notes that a segment is dropped, its needed records having been copied, byte for byte and in
    /// their order, to `moved` (segment, first bytes); says whether it was.
    ///
    /// It is not, and nothing changes, where another record has come to be needed since, or a
    /// backup is being made.
    pub async fn drop_segment(
        &self,
        segment: i64,
        moved: Option<(&StoredSegment, &[(EvidenceId, u64)])>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // Not while somebody makes a backup of what is there.
        let free = sqlx::query_scalar!(
            r#"select pg_try_advisory_xact_lock(hashtextextended('xunjian keeps evidence', 0))
                   as "free!""#
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !free {
            transaction.rollback().await?;
            return Ok(false);
        }
        let kept = sqlx::query_scalar!(
            "select id from evidence_segments where id = $1 and dropped_at is null for update",
            segment
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let carried: BTreeSet<EvidenceId> =
            moved.iter().flat_map(|(_, records)| records.iter().map(|one| one.0)).collect();
        let standing = records(&mut transaction, segment).await?;
        let lost = standing.iter().any(|one| one.needed && !carried.contains(&one.id));
        if kept.is_none() || lost {
            // Else what this holds would keep the next from it until the connection is used again.
            transaction.rollback().await?;
            return Ok(false);
        }
        if let Some((to, records)) = moved {
            let id = note_stored(&mut transaction, to, now).await?;
            sqlx::query!(
                "update evidence e set segment_id = $1, byte_offset = r.byte_offset
                 from unnest($2::bigint[], $3::bigint[]) as r (id, byte_offset)
                 where e.id = r.id and e.segment_id = $4",
                id,
                &column(records, |one| one.0.0),
                &column(records, |one| signed(one.1)),
                segment
            )
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query!("update evidence_segments set dropped_at = $2 where id = $1", segment, now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn note_stored(
    connection: &mut PgConnection,
    segment: &StoredSegment,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let id = sqlx::query_scalar!(
        "insert into evidence_segments (name, class, day, opened_at, bytes, digest, stored_at)
         values ($1, $2, $3, $6, $4, $5, $6)
         on conflict (name) do update
             set bytes = excluded.bytes, digest = excluded.digest, stored_at = excluded.stored_at
         returning id",
        segment.name,
        segment.class.as_str(),
        segment.day,
        signed(segment.bytes),
        &segment.digest.0[..],
        now
    )
    .fetch_one(connection)
    .await?;
    Ok(id)
}

/// Every segment whose records are kept, oldest first.
pub(super) async fn segment_rows(
    connection: &mut PgConnection,
) -> Result<Vec<SegmentRow>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select id, name, class, day, bytes, digest from evidence_segments
         where dropped_at is null order by day, id"
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Row::into_segment).collect()
}

pub(super) async fn records(
    connection: &mut PgConnection,
    segment: i64,
) -> Result<Vec<KeptRecord>, StoreError> {
    let rows = sqlx::query!(
        r#"select e.id, e.record, e.leaf, e.byte_offset, e.byte_length,
             exists (select from evidence_pins p where p.evidence_id = e.id)
             or exists (select from evidence r join evidence_segments s on s.id = r.segment_id
                 where r.refers_to = e.id and s.dropped_at is null) as "needed!"
         from evidence e where e.segment_id = $1 order by e.byte_offset"#,
        segment
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(KeptRecord {
                id: EvidenceId(row.id),
                record: record_key(row.record)?,
                leaf: digest(row.leaf)?,
                offset: unsigned(row.byte_offset)?,
                length: unsigned(row.byte_length)?,
                needed: row.needed,
            })
        })
        .collect()
}
