//! Freezing: an assessment is written whole in one transaction, or not at all.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::{Postgres, Transaction};

use super::columns::column;
use super::evidence::digest;
use super::pins::pin_window;
use super::{PinHolder, Pinned, Store, StoreError};
use crate::domain::AccountId;

/// One account's line of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFrozenAccount {
    /// 账号编号.
    pub key: String,
    /// The platform's id.
    pub platform: String,
    /// 行政区划代码.
    pub region: String,
    /// The stable word of its verdict; absent where its scheme gives none.
    pub verdict: Option<&'static str>,
    /// The line, without line end.
    pub line: String,
}

/// What stands over the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the table")]
pub struct NewAssessment {
    pub cutoff: DateTime<Utc>,
    pub known_at: DateTime<Utc>,
    pub frozen_at: DateTime<Utc>,
    pub actor: String,
    pub reason: String,
    pub digest: String,
    pub head: String,
}

/// An assessment that is being written; dropped before [`Freezing::finish`], nothing of it stays.
pub struct Freezing {
    transaction: Transaction<'static, Postgres>,
    id: i64,
    period: String,
    scheme: Option<String>,
    /// Number, version and digest of the one that it will supersede.
    newest: Option<(i64, u32, String)>,
    accounts: i64,
}

impl Store {
    /// Begins to write the assessment of a period under a scheme, or under the assigned ones. Only
    /// one is written at a time: a second waits here.
    pub async fn begin_freezing(
        &self,
        period: &str,
        scheme: Option<&str>,
    ) -> Result<Freezing, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // Between two batches of lines facts are read, which may take long on a busy server.
        sqlx::query("set local idle_in_transaction_session_timeout to '10min'")
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("lock table assessments in share row exclusive mode")
            .execute(&mut *transaction)
            .await?;
        let newest = sqlx::query!(
            "select id, version, digest from assessments
             where period = $1 and scheme is not distinct from $2 order by version desc limit 1",
            period,
            scheme
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let id = sqlx::query_scalar!(r#"select nextval('assessment_numbers') as "id!""#)
            .fetch_one(&mut *transaction)
            .await?;
        let newest = newest.map(|row| (row.id, row.version.unsigned_abs(), row.digest));
        let (period, scheme) = (period.to_owned(), scheme.map(str::to_owned));
        Ok(Freezing { transaction, id, period, scheme, newest, accounts: 0 })
    }
}

impl Freezing {
    /// The number it will have.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The version it will have, and the digest of the one that it supersedes.
    pub fn version(&self) -> (u32, Option<&str>) {
        match &self.newest {
            Some((_, version, digest)) => (version + 1, Some(digest)),
            None => (1, None),
        }
    }

    /// Pins the evidence of an account's visits that began in a window; also `sha256:…` over the
    /// leaves of that window's records, in hex and in the order of their numbers.
    pub async fn pin(
        &mut self,
        account: AccountId,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<(Pinned, String), StoreError> {
        let holder = PinHolder::Assessment(self.id);
        let pinned = pin_window(&mut self.transaction, holder, account, (from, to), now).await?;
        let leaves = sqlx::query_scalar!(
            "select leaf from evidence
             where account_id = $1 and visited_at >= $2 and visited_at < $3 order by id",
            account.0,
            from,
            to
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        let mut all = Sha256::new();
        for leaf in leaves {
            all.update(digest(leaf)?.to_string());
        }
        Ok((pinned, format!("sha256:{}", hex::encode(all.finalize()))))
    }

    /// Writes the next accounts.
    pub async fn accounts(&mut self, accounts: &[NewFrozenAccount]) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into assessment_accounts
                 (assessment_id, place, key, platform, region, verdict, line)
             select $1, $2 + a.n, a.key, a.platform, a.region, a.verdict, a.line
             from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
                 with ordinality as a (key, platform, region, verdict, line, n)",
            self.id,
            self.accounts,
            &column(accounts, |one| one.key.clone()),
            &column(accounts, |one| one.platform.clone()),
            &column(accounts, |one| one.region.clone()),
            &column(accounts, |one| one.verdict.map(str::to_owned)) as &[Option<String>],
            &column(accounts, |one| one.line.clone()),
        )
        .execute(&mut *self.transaction)
        .await?;
        self.accounts += i64::try_from(accounts.len()).unwrap_or(i64::MAX);
        Ok(())
    }

    /// Writes the lines of roll-ups and rankings.
    pub async fn summaries(&mut self, lines: &[String]) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into assessment_summaries (assessment_id, place, line)
             select $1, s.n, s.line from unnest($2::text[]) with ordinality as s (line, n)",
            self.id,
            lines
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Writes what stands over the accounts; from here on nothing of it can change.
    pub async fn finish(mut self, new: &NewAssessment) -> Result<i64, StoreError> {
        let (version, _) = self.version();
        sqlx::query!(
            "insert into assessments (id, period, scheme, version, supersedes, cutoff, known_at,
                 frozen_at, actor, reason, accounts, digest, head)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            self.id,
            self.period,
            self.scheme,
            i32::try_from(version).unwrap_or(i32::MAX),
            self.newest.as_ref().map(|one| one.0),
            new.cutoff,
            new.known_at,
            new.frozen_at,
            new.actor,
            new.reason,
            self.accounts,
            new.digest,
            new.head
        )
        .execute(&mut *self.transaction)
        .await?;
        self.transaction.commit().await?;
        Ok(self.id)
    }
}
