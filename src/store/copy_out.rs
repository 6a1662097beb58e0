//! Rows that COPY sends, and transactions that see the same while they do.

use std::mem;

use chrono::{DateTime, SecondsFormat, Utc};
use futures::stream::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio::sync::mpsc;

use super::StoreError;
use super::columns::misread;
use super::copy_rows::Row;
use super::copying::Copying;
use super::gathered::Gathered;

/// So many rows are handed over together, or so many bytes of them: packed ones are large.
const SENT_AT_ONCE: usize = 2000;
const BYTES_AT_ONCE: usize = 512 << 10;

fn to_stdout(query: &str) -> String {
    format!("copy ({query}) to stdout (format binary)")
}

/// An instant as a statement writes it: COPY takes no parameters.
pub(super) fn literal(at: DateTime<Utc>) -> String {
    format!("'{}'::timestamptz", at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// Statements are planned without workers: every one of them would be a further process, and its
/// rows would be handed on twice. A session whose last rows wait to be taken is idle.
const SETTINGS: &str = "set local max_parallel_workers_per_gather = 0;
    set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0";

/// A transaction that copies rows out.
pub(super) struct CopyOut(Copying);

/// What is seen of the database as of one instant, for other connections to see the same.
#[derive(Debug, Clone)]
pub(super) struct View(String);

impl CopyOut {
    /// Begins to read, as of a view where there is one; else each statement sees what is there.
    pub(super) async fn begin(pool: &PgPool, view: Option<&View>) -> Result<Self, StoreError> {
        let mut begun = Self(Copying::acquire(pool).await?);
        match view {
            None => begun.execute("begin").await?,
            Some(View(name)) => {
                begun.execute("begin isolation level repeatable read").await?;
                let same = format!("set transaction snapshot '{name}'");
                sqlx::raw_sql(AssertSqlSafe(same)).execute(&mut *begun.0).await?;
            }
        }
        begun.execute(SETTINGS).await?;
        Ok(begun)
    }

    /// Begins to see what others are to see, once `lock` is had where there is one; they can for as
    /// long as this is not given back.
    pub(super) async fn view(
        pool: &PgPool,
        lock: Option<&'static str>,
    ) -> Result<(Self, View), StoreError> {
        let mut begun = Self(Copying::acquire(pool).await?);
        begun.execute("begin isolation level repeatable read").await?;
        if let Some(lock) = lock {
            begun.execute(lock).await?;
        }
        begun.execute(SETTINGS).await?;
        let name = sqlx::query_scalar!(r#"select pg_export_snapshot() as "name!""#)
            .fetch_one(begun.connection())
            .await?;
        Ok((begun, View(name)))
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Hands over every row that the query gives, in its order, one in memory at a time.
    ///
    /// # Errors
    /// The database does not answer; a row that `take` does not read, told as `what`.
    pub(super) async fn rows(
        &mut self,
        query: &str,
        what: &str,
        mut take: impl FnMut(Row<'_>) -> Option<()>,
    ) -> Result<(), StoreError> {
        let mut rows = self.0.copy_out_raw(&to_stdout(query)).await?;
        while let Some(message) = rows.try_next().await? {
            if let Some(row) = Row::of(&message) {
                take(row).ok_or_else(|| misread(what, row.0))?;
            }
        }
        Ok(())
    }

    /// As [`Self::rows`], many rows at a time, as soon as there is room for them.
    ///
    /// # Errors
    /// Those of [`Self::rows`]; nobody takes them any more.
    pub(super) async fn send(
        &mut self,
        query: &str,
        what: &str,
        taker: &mpsc::Sender<Result<Option<Gathered>, StoreError>>,
    ) -> Result<(), StoreError> {
        let mut rows = self.0.copy_out_raw(&to_stdout(query)).await?;
        let mut gathered = Gathered::default();
        let gone = |_| StoreError::from(sqlx::Error::WorkerCrashed);
        while let Some(message) = rows.try_next().await? {
            if let Some(row) = Row::of(&message) {
                gathered.push(row).ok_or_else(|| misread(what, row.0))?;
            }
            if gathered.count() >= SENT_AT_ONCE || gathered.filled() >= BYTES_AT_ONCE {
                taker.send(Ok(Some(mem::take(&mut gathered)))).await.map_err(gone)?;
            }
        }
        taker.send(Ok(Some(gathered))).await.map_err(gone)
    }

    /// Gives the connection back.
    pub(super) async fn end(mut self) -> Result<(), StoreError> {
        self.execute("commit").await?;
        self.0.end();
        Ok(())
    }

    /// Says something to the server that gives no rows.
    pub(super) async fn execute(&mut self, statements: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(statements).execute(&mut *self.0).await?;
        Ok(())
    }
}
