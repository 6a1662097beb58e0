//! Migrations and partitions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Datelike, Utc};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

use super::{Store, StoreError};

/// The oldest server that has what the schema uses (`unique nulls not distinct`).
const SERVER_VERSION_MIN: i32 = 150_000;

pub(super) static MIGRATOR: Migrator = sqlx::migrate!("src/store/migrations");

/// Months (UTC) whose partitions are known to exist, shared by all clones of a store.
#[derive(Debug, Clone, Default)]
pub(super) struct Months(Arc<Mutex<BTreeSet<(i32, u32)>>>);

impl Months {
    fn holds(&self, at: DateTime<Utc>) -> bool {
        let months = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        months.contains(&(at.year(), at.month()))
    }

    fn add(&self, at: DateTime<Utc>) {
        let mut months = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        months.insert((at.year(), at.month()));
    }
}

impl Store {
    /// Brings the schema to this program's version, under a lock that a second migrator waits for.
    ///
    /// Refuses a database that a newer program has migrated ([`StoreError::SchemaNewer`]).
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // A connection of its own: the lock ends with the session, even after a failure.
        let mut session = PgConnection::connect_with(&self.pool.connect_options()).await?;
        let outcome = migrate_through(&mut session).await;
        // Whether the goodbye was heard changes nothing for the schema.
        let _ = session.close().await;
        outcome
    }

    /// Creates the monthly partitions that are missing, from the oldest visit to two months after
    /// `now`; returns how many. Called at start and by housekeeping.
    pub async fn ensure_partitions(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        self.partition(now, now).await
    }

    /// Makes sure that facts of these instants have a partition; asks the server only about months
    /// it has not been asked about before.
    pub(super) async fn ensure_months(
        &self,
        instants: impl IntoIterator<Item = DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        for at in instants {
            if !self.months.holds(at) {
                self.partition(at, at).await?;
                self.months.add(at);
            }
        }
        Ok(())
    }

    async fn partition(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        let created = sqlx::query_scalar!(
            r#"select xunjian_ensure_partitions($1, $2) as "created!""#,
            since,
            until
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(usize::try_from(created).unwrap_or_default())
    }
}

async fn migrate_through(session: &mut PgConnection) -> Result<(), StoreError> {
    let program = MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default();
    let server = sqlx::query_scalar!(
        r#"select current_setting('server_version_num')::integer as "version!""#
    )
    .fetch_one(&mut *session)
    .await?;
    if server < SERVER_VERSION_MIN {
        let refusal = format!("the server is Postgres {}, at least 15 is needed", server / 10_000);
        return Err(StoreError::Database(sqlx::Error::Configuration(refusal.into())));
    }
    // Not a checked statement: the table is the migrator's own and absent on a new database.
    let migrated: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut *session)
        .await?;
    if migrated {
        let database: Option<i64> = sqlx::query_scalar("select max(version) from _sqlx_migrations")
            .fetch_one(&mut *session)
            .await?;
        if let Some(database) = database.filter(|database| *database > program) {
            return Err(StoreError::SchemaNewer { database, program });
        }
    }
    MIGRATOR.run(session).await?;
    Ok(())
}
