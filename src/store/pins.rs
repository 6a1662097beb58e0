//! Pins: evidence that a finding or a frozen assessment rests on is kept as long as that exists.
//!
//! Whoever raises a finding pins the window it speaks of, [`pin_window`] inside its transaction or
//! [`Store::pin_evidence`] outside, again whenever the window grows, and unpins when the finding
//! itself is deleted. Closing or dismissing a finding is no reason to unpin: it may be disputed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::{AccountId, EvidenceId};

/// Most visits without evidence that one call names; they are counted whole.
const UNKEPT_MAX: i64 = 100;

/// What holds evidence fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinHolder {
    /// A finding, by its number.
    Finding(i64),
    /// A frozen assessment, by its number.
    Assessment(i64),
}

impl PinHolder {
    fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Finding(id) => ("finding", id),
            Self::Assessment(id) => ("assessment", id),
        }
    }
}

/// What a holder now holds of the window it asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pinned {
    /// Records of the window that it holds, with those that they refer to.
    pub records: u64,
    /// Of these, how many had been dropped by retention before: their digests stand, the bytes are
    /// gone.
    pub dropped: u64,
    /// Visits of the window that were answered and left no evidence.
    pub unkept: u64,
    /// The first hundred of them, oldest first.
    pub unkept_visits: Vec<UnkeptVisit>,
}

/// A visit whose answer was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnkeptVisit {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The page kind.
    pub page: String,
    /// Why: what the evidence store said, or `not_recorded` for visits from before there was one.
    pub reason: String,
}

/// Pins the evidence of an account's visits that began in `[from, to)`; those pinned by the same
/// holder before stay pinned.
pub(super) async fn pin_window(
    connection: &mut PgConnection,
    holder: PinHolder,
    account: AccountId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<Pinned, StoreError> {
    let ids = sqlx::query_scalar!(
        "select id from evidence where account_id = $1 and visited_at >= $2 and visited_at < $3",
        account.0,
        from,
        to
    )
    .fetch_all(&mut *connection)
    .await?;
    let pinned = pin(connection, holder, &ids, now).await?;
    let missing = unkept(connection, account, (from, to)).await?;
    Ok(Pinned { unkept: missing.unkept, unkept_visits: missing.unkept_visits, ..pinned })
}

/// The answered visits of a stretch that left no evidence; the rest is zero.
async fn unkept(
    connection: &mut PgConnection,
    account: AccountId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Pinned, StoreError> {
    let visits = sqlx::query!(
        r#"select started_at, page, coalesce(evidence_missing, 'not_recorded') as "reason!",
             count(*) over () as "count!"
         from visits
         where account_id = $1 and started_at >= $2 and started_at < $3
           and source in ('crawl', 'bridge') and evidence is null
           and (evidence_missing is not null
               or (outcome <> 'failed' and status is not null))
         order by started_at limit $4"#,
        account.0,
        from,
        to,
        UNKEPT_MAX
    )
    .fetch_all(connection)
    .await?;
    let unkept = visits.first().map_or(0, |first| first.count.unsigned_abs());
    let unkept_visits = visits
        .into_iter()
        .map(|row| UnkeptVisit { started_at: row.started_at, page: row.page, reason: row.reason })
        .collect();
    Ok(Pinned { unkept, unkept_visits, ..Pinned::default() })
}

/// Pins records and what they refer to. Their segments are locked against retention meanwhile.
async fn pin(
    connection: &mut PgConnection,
    holder: PinHolder,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<Pinned, StoreError> {
    let (word, number) = holder.columns();
    sqlx::query!(
        "select s.id from evidence_segments s
         where s.id in (select e.segment_id from evidence e
             where e.id = any($1)
                or e.id in (select r.refers_to from evidence r where r.id = any($1)))
         order by s.id for share",
        ids
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into evidence_pins (holder, holder_id, evidence_id, pinned_at)
         select $1, $2, e.id, $4 from evidence e
         where e.id = any($3) or e.id in (select r.refers_to from evidence r where r.id = any($3))
         on conflict do nothing",
        word,
        number,
        ids,
        now
    )
    .execute(&mut *connection)
    .await?;
    let held = sqlx::query!(
        r#"select count(*) as "records!",
             count(*) filter (where s.dropped_at is not null) as "dropped!"
         from evidence_pins p join evidence e on e.id = p.evidence_id
         join evidence_segments s on s.id = e.segment_id
         where p.holder = $1 and p.holder_id = $2
           and (e.id = any($3)
               or e.id in (select r.refers_to from evidence r where r.id = any($3)))"#,
        word,
        number,
        ids
    )
    .fetch_one(connection)
    .await?;
    Ok(Pinned {
        records: held.records.unsigned_abs(),
        dropped: held.dropped.unsigned_abs(),
        ..Pinned::default()
    })
}

impl Store {
    /// Pins the evidence of an account's visits that began in `[from, to)` for a finding or an
    /// assessment, and says what of it there is and what is missing.
    ///
    /// Idempotent: called again with a later `to`, it adds what came since.
    pub async fn pin_evidence(
        &self,
        holder: PinHolder,
        account: AccountId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Pinned, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let pinned = pin_window(&mut transaction, holder, account, (from, to), now).await?;
        transaction.commit().await?;
        Ok(pinned)
    }

    /// The answered visits of an account that began in `[from, to)` and left no evidence: their
    /// number, and the first hundred of them.
    pub async fn unkept_visits(
        &self,
        account: AccountId,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<(u64, Vec<UnkeptVisit>), StoreError> {
        let mut connection = self.pool.acquire().await?;
        let found = unkept(&mut connection, account, (from, to)).await?;
        Ok((found.unkept, found.unkept_visits))
    }

    /// Pins single records, such as the inputs of a frozen assessment.
    pub async fn pin_records(
        &self,
        holder: PinHolder,
        records: &[EvidenceId],
        now: DateTime<Utc>,
    ) -> Result<Pinned, StoreError> {
        let ids = column(records, |id| id.0);
        let mut transaction = self.pool.begin().await?;
        let pinned = pin(&mut transaction, holder, &ids, now).await?;
        transaction.commit().await?;
        Ok(pinned)
    }

    /// Lets go of everything that a holder holds; returns how many records that were.
    pub async fn unpin_evidence(&self, holder: PinHolder) -> Result<u64, StoreError> {
        let (word, number) = holder.columns();
        let done = sqlx::query!(
            "delete from evidence_pins where holder = $1 and holder_id = $2",
            word,
            number
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// The records that a holder holds, in the order of their numbers.
    pub async fn pinned_evidence(&self, holder: PinHolder) -> Result<Vec<EvidenceId>, StoreError> {
        let (word, number) = holder.columns();
        let ids = sqlx::query_scalar!(
            "select evidence_id from evidence_pins where holder = $1 and holder_id = $2
             order by evidence_id",
            word,
            number
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(EvidenceId).collect())
    }
}
