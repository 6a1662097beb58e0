//! The whole database as it was at one instant, for a backup.

use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::segments::segment_rows;
use super::{SegmentRow, Store, StoreError};

/// Written the same way whatever the server's defaults are, and never ended for being slow.
const SESSION: &str = "
    set timezone to 'UTC'; set datestyle to 'ISO'; set intervalstyle to 'postgres';
    set bytea_output to 'hex'; set extra_float_digits to 1; set row_security to off;
    set statement_timeout to 0; set idle_in_transaction_session_timeout to 0";

/// A table, and the order in which its columns are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// Its name.
    pub name: String,
    /// Its columns, but for those that the database computes itself.
    pub columns: Vec<String>,
}

/// The schema that a database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The newest migration.
    pub version: i64,
    /// Number and checksum of each up to it.
    pub migrations: Vec<(i64, Vec<u8>)>,
}

/// One session in one transaction that sees the database as it was when it began.
///
/// While it lives retention drops no evidence: every segment that this view names can be read.
pub struct Snapshot {
    session: PgConnection,
}

impl Store {
    /// Begins to look; everything committed by now is seen, nothing of what comes later.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut session = PgConnection::connect_with(&self.pool.connect_options()).await?;
        sqlx::raw_sql(SESSION).execute(&mut session).await?;
        // Before the transaction: whoever is dropping evidence ends first and is seen.
        sqlx::query!(
            "select pg_advisory_lock_shared(hashtextextended('xunjian keeps evidence', 0))"
        )
        .execute(&mut session)
        .await?;
        sqlx::raw_sql("begin isolation level repeatable read read only")
            .execute(&mut session)
            .await?;
        Ok(Snapshot { session })
    }
}

impl Snapshot {
    /// The schema's version and the server's own, in words.
    pub async fn schema(&mut self) -> Result<(SchemaVersion, String), StoreError> {
        // Not checked statements: the table is the migrator's own.
        let migrations: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("select version, checksum from _sqlx_migrations order by version")
                .fetch_all(&mut self.session)
                .await?;
        let server: String =
            sqlx::query_scalar("show server_version").fetch_one(&mut self.session).await?;
        let version = migrations.last().map_or(0, |(version, _)| *version);
        Ok((SchemaVersion { version, migrations }, server))
    }

    /// Every table, by name.
    pub async fn tables(&mut self) -> Result<Vec<TableColumns>, StoreError> {
        tables(&mut self.session).await
    }

    /// First and last month of the monthly partitions.
    pub async fn months(&mut self) -> Result<Option<(String, String)>, StoreError> {
        let row = sqlx::query!(
            "select min(month) as first, max(month) as last
             from (select replace(right(c.relname, 7), '_', '-') as month
                   from pg_inherits i join pg_class c on c.oid = i.inhrelid
                   join pg_partitioned_table p on p.partrelid = i.inhparent
                   where p.partstrat = 'r'
                     and c.relnamespace = current_schema()::regnamespace) as months"
        )
        .fetch_one(&mut self.session)
        .await?;
        Ok(row.first.zip(row.last))
    }

    /// The rows of a table as `COPY … TO STDOUT` writes them, one at a time.
    pub async fn rows(
        &mut self,
        table: &TableColumns,
    ) -> Result<BoxStream<'_, Result<bytes::Bytes, StoreError>>, StoreError> {
        let (columns, name) = (quoted_list(&table.columns), quoted(&table.name));
        let statement = format!("copy (select {columns} from {name}) to stdout");
        let rows = self.session.copy_out_raw(&statement).await?;
        Ok(rows.map_err(StoreError::from).boxed())
    }

    /// Every segment whose records are kept.
    pub async fn kept_segments(&mut self) -> Result<Vec<SegmentRow>, StoreError> {
        segment_rows(&mut self.session).await
    }

    /// The records of a segment in the order of their places.
    pub async fn segment_records(
        &mut self,
        segment: i64,
    ) -> Result<Vec<super::KeptRecord>, StoreError> {
        super::segments::records(&mut self.session, segment).await
    }

    /// The last number of each sequence that has given any. Sequences know no transactions: these
    /// are at least as far as the rows.
    pub async fn sequences(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query!(
            r#"select sequencename::text as "name!", last_value as "last!" from pg_sequences
               where schemaname = current_schema() and last_value is not null order by 1"#
        )
        .fetch_all(&mut self.session)
        .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.last)).collect())
    }

    /// Looks no more, so that the server may clean up; evidence stays where it is until the end.
    pub async fn end_reading(&mut self) -> Result<(), StoreError> {
        sqlx::raw_sql("commit").execute(&mut self.session).await?;
        Ok(())
    }

    /// Lets retention go on.
    pub async fn close(self) {
        // Whether the goodbye was heard changes nothing.
        let _ = self.session.close().await;
    }
}

/// Every table of the schema but the migrator's own and what is packed of others, which is packed
/// anew wherever they are; partitions are in their parents.
pub(super) async fn tables(session: &mut PgConnection) -> Result<Vec<TableColumns>, StoreError> {
    let rows = sqlx::query!(
        r#"select c.relname::text as "name!", array(
               select a.attname::text from pg_attribute a
               where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 and a.attgenerated = '' order by a.attnum) as "columns!: Vec<String>"
           from pg_class c
           where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
             and not c.relispartition
             and c.relname not in ('_sqlx_migrations', 'packed_months', 'packed_visits',
                 'packed_samples', 'packed_posts', 'late_rows')
           order by 1"#
    )
    .fetch_all(session)
    .await?;
    Ok(rows.into_iter().map(|row| TableColumns { name: row.name, columns: row.columns }).collect())
}

/// An identifier as Postgres reads it back whatever it holds.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn quoted_list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A statement that names tables, which cannot be parameters; every name went through [`quoted`].
pub(super) fn named(statement: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement)
}
