//! The chain: leaves waiting for their day's root, and the days sealed so far.

use chrono::{DateTime, NaiveDate, Utc};

use super::columns::column;
use super::evidence::{digest, signed, unsigned};
use super::{Store, StoreError};
use crate::domain::{EvidenceId, Sha256Digest};

/// A leaf that stands under no root yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsealed {
    /// Whose leaf.
    pub id: EvidenceId,
    /// The leaf.
    pub leaf: Sha256Digest,
}

/// A day that is to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewChainDay {
    /// The day (Asia/Shanghai).
    pub day: NaiveDate,
    /// Root over its leaves.
    pub root: Sha256Digest,
    /// Chain value of the day before; zeros for the first.
    pub previous: Sha256Digest,
    /// Its own chain value.
    pub chain: Sha256Digest,
}

/// A sealed day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `NewChainDay`")]
pub struct ChainDay {
    pub day: NaiveDate,
    /// How many leaves stand under the root.
    pub leaves: u64,
    pub root: Sha256Digest,
    pub previous: Sha256Digest,
    pub chain: Sha256Digest,
    pub sealed_at: DateTime<Utc>,
}

struct DayRow {
    day: NaiveDate,
    leaves: i64,
    root: Vec<u8>,
    previous: Vec<u8>,
    chain: Vec<u8>,
    sealed_at: DateTime<Utc>,
}

impl DayRow {
    fn into_day(self) -> Result<ChainDay, StoreError> {
        Ok(ChainDay {
            day: self.day,
            leaves: unsigned(self.leaves)?,
            root: digest(self.root)?,
            previous: digest(self.previous)?,
            chain: digest(self.chain)?,
            sealed_at: self.sealed_at,
        })
    }
}

impl Store {
    /// The newest sealed day: what a bulletin prints. `None` where no day has been sealed.
    pub async fn newest_chain_day(&self) -> Result<Option<ChainDay>, StoreError> {
        let row = sqlx::query_as!(
            DayRow,
            "select day, leaves, root, previous, chain, sealed_at from evidence_days
             order by day desc limit 1"
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(DayRow::into_day).transpose()
    }

    /// The sealed days from `from` on, oldest first.
    pub async fn chain_days(&self, from: NaiveDate) -> Result<Vec<ChainDay>, StoreError> {
        let rows = sqlx::query_as!(
            DayRow,
            "select day, leaves, root, previous, chain, sealed_at from evidence_days
             where day >= $1 order by day",
            from
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(DayRow::into_day).collect()
    }

    /// The leaves of a sealed day, in their order.
    pub async fn day_leaves(&self, day: NaiveDate) -> Result<Vec<Sha256Digest>, StoreError> {
        let leaves = sqlx::query_scalar!(
            "select leaf from evidence where day = $1 order by leaf_index",
            day
        )
        .fetch_all(&self.pool)
        .await?;
        leaves.into_iter().map(digest).collect()
    }

    /// When the oldest leaf was recorded that stands under no root.
    pub async fn oldest_unsealed_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let at = sqlx::query_scalar!("select min(recorded_at) from evidence where day is null")
            .fetch_one(&self.pool)
            .await?;
        Ok(at)
    }

    /// The leaves recorded before `end` that stand under no root, in the order of their numbers.
    pub async fn unsealed_before(&self, end: DateTime<Utc>) -> Result<Vec<Unsealed>, StoreError> {
        let rows = sqlx::query!(
            "select id, leaf from evidence where day is null and recorded_at < $1 order by id",
            end
        )
        .fetch_all(&self.pool)
        .await?;
        let unsealed = |id, leaf| Ok(Unsealed { id: EvidenceId(id), leaf: digest(leaf)? });
        rows.into_iter().map(|row| unsealed(row.id, row.leaf)).collect()
    }

    /// Seals a day over these leaves, in their order; says whether it did.
    ///
    /// It does not, and changes nothing, where another daemon has sealed meanwhile: the day before
    /// is no longer the newest, or a leaf already stands under a root.
    pub async fn seal_day(
        &self,
        new: &NewChainDay,
        leaves: &[EvidenceId],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("lock table evidence_days in exclusive mode")
            .execute(&mut *transaction)
            .await?;
        let newest = sqlx::query!("select day, chain from evidence_days order by day desc limit 1")
            .fetch_optional(&mut *transaction)
            .await?;
        let follows = newest.is_none_or(|newest| {
            newest.day.succ_opt() == Some(new.day) && newest.chain == new.previous.0
        });
        if !follows {
            return Ok(false);
        }
        let sealed = sqlx::query!(
            "update evidence e set day = $1, leaf_index = r.n - 1
             from unnest($2::bigint[]) with ordinality as r (id, n)
             where e.id = r.id and e.day is null",
            new.day,
            &column(leaves, |id| id.0),
        )
        .execute(&mut *transaction)
        .await?;
        if sealed.rows_affected() != leaves.len() as u64 {
            return Ok(false);
        }
        sqlx::query!(
            "insert into evidence_days (day, leaves, root, previous, chain, sealed_at)
             values ($1, $2, $3, $4, $5, $6)",
            new.day,
            signed(leaves.len() as u64),
            &new.root.0[..],
            &new.previous.0[..],
            &new.chain.0[..],
            now
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }
}
