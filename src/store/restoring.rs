//! A backup's rows on their way into a database: all of them or none.

use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, Postgres, Transaction};

use super::schema::MIGRATOR;
use super::segments::segment_rows;
use super::snapshot::{self, TableColumns, named, quoted, quoted_list};
use super::standing::{Standing, standing};
use super::{SchemaVersion, SegmentRow, StoreError};

/// Where what was there is kept until the backup stands in its place.
const ASIDE: &str = "xunjian_before_restore";

/// A database within one transaction that ends with everything or with nothing.
pub struct Restoring {
    transaction: Transaction<'static, Postgres>,
    tables: Vec<TableColumns>,
    foreign_keys: Vec<(String, String, String)>,
    moved_aside: bool,
}

impl SchemaVersion {
    /// What tells this schema from every other.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for (version, checksum) in &self.migrations {
            hasher.update(version.to_be_bytes());
            hasher.update(checksum);
        }
        hex::encode(hasher.finalize())
    }

    /// The schema of this version as this program makes it; `None` where it knows none.
    pub fn of_program(version: i64) -> Option<Self> {
        let all = MIGRATOR.iter().filter(|one| one.version <= version);
        let migrations: Vec<_> = all.map(|one| (one.version, one.checksum.to_vec())).collect();
        let newest = migrations.last().map(|(newest, _)| *newest);
        (newest == Some(version)).then_some(Self { version, migrations })
    }

    /// The newest version that this program knows.
    pub fn newest() -> i64 {
        MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default()
    }
}

impl Restoring {
    /// Begins a transaction on the database at `url`.
    pub async fn begin(url: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let settings = [
            ("jit", "off"),
            ("timezone", "UTC"),
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
        ];
        let options = options.application_name("xunjian restore").options(settings);
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let transaction = pool.begin().await?;
        Ok(Self { transaction, tables: Vec::new(), foreign_keys: Vec::new(), moved_aside: false })
    }

    /// What is there now.
    pub async fn standing(&mut self) -> Result<Standing, StoreError> {
        standing(&mut self.transaction).await
    }

    /// Makes the schema of a version, empty, with these months' partitions; what stood there is
    /// moved aside first. Triggers and foreign keys rest until [`Restoring::finish`].
    pub async fn prepare(
        &mut self,
        standing: &Standing,
        version: i64,
        months: Option<(chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>)>,
    ) -> Result<(), StoreError> {
        if *standing != Standing::Nothing {
            self.move_aside().await?;
        }
        MIGRATOR.run_to(version, &mut *self.transaction).await?;
        if let Some((first, last)) = months {
            sqlx::query_scalar!("select xunjian_ensure_partitions($1, $2)", first, last)
                .fetch_one(&mut *self.transaction)
                .await?;
        }
        self.tables = snapshot::tables(&mut self.transaction).await?;
        let keys = sqlx::query!(
            r#"select conrelid::regclass::text as "table!", quote_ident(conname) as "name!",
                   pg_get_constraintdef(oid) as "definition!"
               from pg_constraint
               where contype = 'f' and conparentid = 0
                 and connamespace = current_schema()::regnamespace order by 1, 2"#
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        self.foreign_keys =
            keys.into_iter().map(|key| (key.table, key.name, key.definition)).collect();
        for (table, key, _) in self.foreign_keys.clone() {
            self.run(format!("alter table {table} drop constraint {key}")).await?;
        }
        self.set_triggers("disable").await?;
        let all: Vec<String> = self.tables.iter().map(|table| table.name.clone()).collect();
        if !all.is_empty() {
            self.run(format!("truncate {}", quoted_list(&all))).await?;
        }
        Ok(())
    }

    async fn move_aside(&mut self) -> Result<(), StoreError> {
        let schema = sqlx::query_scalar!(r#"select quote_ident(current_schema()) as "schema!""#)
            .fetch_one(&mut *self.transaction)
            .await?;
        self.run(format!("drop schema if exists {ASIDE} cascade")).await?;
        self.run(format!("alter schema {schema} rename to {ASIDE}")).await?;
        self.run(format!("create schema {schema}")).await?;
        self.moved_aside = true;
        Ok(())
    }

    async fn set_triggers(&mut self, how: &str) -> Result<(), StoreError> {
        for table in self.tables.clone() {
            self.run(format!("alter table {} {how} trigger user", quoted(&table.name))).await?;
        }
        Ok(())
    }

    async fn run(&mut self, statement: String) -> Result<(), StoreError> {
        sqlx::raw_sql(named(statement)).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// The tables and columns that are there to be filled.
    pub fn tables(&self) -> &[TableColumns] {
        &self.tables
    }

    /// Takes whole rows of a table as `COPY` writes them; returns how many.
    pub async fn take(&mut self, table: &TableColumns, rows: &[u8]) -> Result<u64, StoreError> {
        let (name, columns) = (quoted(&table.name), quoted_list(&table.columns));
        let statement = format!("copy {name} ({columns}) from stdin");
        let connection: &mut PgConnection = &mut self.transaction;
        let mut copy = connection.copy_in_raw(&statement).await?;
        // A message of the protocol holds less than a gigabyte.
        for part in rows.chunks(1 << 20) {
            copy.send(part).await?;
        }
        Ok(copy.finish().await?)
    }

    /// Lets a sequence go on behind its last number; says whether there is one of this name.
    pub async fn set_sequence(&mut self, name: &str, last: i64) -> Result<bool, StoreError> {
        let set = sqlx::query_scalar!(
            "select setval(c.oid::regclass, $2) from pg_class c
             where c.relkind = 'S' and c.relname = $1
               and c.relnamespace = current_schema()::regnamespace",
            name,
            last
        )
        .fetch_optional(&mut *self.transaction)
        .await?;
        Ok(set.is_some())
    }

    /// The segments that the rows name.
    pub async fn kept_segments(&mut self) -> Result<Vec<SegmentRow>, StoreError> {
        segment_rows(&mut self.transaction).await
    }

    /// Sets triggers and foreign keys again, which holds every row against them.
    pub async fn hold_together(&mut self) -> Result<(), StoreError> {
        self.set_triggers("enable").await?;
        for (table, key, definition) in self.foreign_keys.clone() {
            self.run(format!("alter table {table} add constraint {key} {definition}")).await?;
        }
        Ok(())
    }

    /// Ends with all of it. What was moved aside goes.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        if self.moved_aside {
            self.run(format!("drop schema {ASIDE} cascade")).await?;
        }
        self.transaction.commit().await?;
        Ok(())
    }
}
