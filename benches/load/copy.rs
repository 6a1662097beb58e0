//! The same rows by COPY, the least that Postgres takes for them.

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sqlx::postgres::PgPoolCopyExt;
use sqlx::{AssertSqlSafe, PgPool};

use crate::cpu;

/// The tables to which a commit adds rows or in which it changes some, which rows these are, and the
/// order in which it wrote them.
const TABLES: [(&str, &str, &str); 7] = [
    ("posts", "recorded_at > $1", "recorded_at, account_id, ref"),
    ("post_samples", "recorded_at > $1", "recorded_at, account_id, ref"),
    ("visits", "recorded_at > $1", "recorded_at, account_id, page"),
    ("account_identities", "recorded_at > $1", "recorded_at, account_id, page, field"),
    ("lists", "seen_at > $1", "account_id, page"),
    ("crawl_targets", "last_visit_at > $1", "account_id, page"),
    (
        "account_states",
        "account_id in (select v.account_id from visits v where v.recorded_at > $1)",
        "account_id",
    ),
];

/// Tables of the same columns, checks, indexes and fill, empty, in a schema of their own.
pub(crate) async fn make_twins(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::raw_sql(
        "create schema bare;
         create table bare.posts (like posts including all) partition by hash (account_id);
         create table bare.post_samples (like post_samples including all) partition by range (at);
         create table bare.visits (like visits including all) partition by range (started_at);
         create table bare.account_identities (like account_identities including all)
             with (fillfactor = 85);
         create table bare.lists (like lists including all) with (fillfactor = 50);
         create table bare.crawl_targets (like crawl_targets including all) with (fillfactor = 80);
         create table bare.account_states (like account_states including all)
             with (fillfactor = 70);
         create table bare.post_samples_all partition of bare.post_samples default;
         create table bare.visits_all partition of bare.visits default;
         do $$ begin
             for remainder in 0..7 loop
                 execute format('create table bare.posts_%s partition of bare.posts
                     for values with (modulus 8, remainder %s) with (fillfactor = 92)',
                     remainder, remainder);
             end loop;
         end $$",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Drops them.
pub(crate) async fn drop_twins(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::raw_sql("drop schema bare cascade").execute(pool).await?;
    Ok(())
}

/// What was recorded after an instant, as COPY BINARY sends it, `rows` at a time.
pub(crate) struct Recorded {
    batches: Vec<(&'static str, String, Vec<u8>)>,
    /// Rows in all.
    pub(crate) rows: i64,
}

/// Reads it.
pub(crate) async fn recorded(
    pool: &PgPool,
    after: DateTime<Utc>,
    rows: i64,
) -> anyhow::Result<Recorded> {
    let mut read = Recorded { batches: Vec::new(), rows: 0 };
    for (table, which, order) in TABLES {
        // Read once: what is written afterwards in this order is what the commits wrote.
        let statement = format!(
            "create temporary table written as select * from {table} where {} order by {order};
             alter table written add column place bigint generated always as identity",
            which.replace("$1", &format!("'{}'", after.to_rfc3339()))
        );
        let mut connection = pool.acquire().await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        let there: i64 =
            sqlx::query_scalar("select count(*) from written").fetch_one(&mut *connection).await?;
        let columns: String = sqlx::query_scalar(
            "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
             where attrelid = 'written'::regclass and attnum > 0 and attname <> 'place'",
        )
        .fetch_one(&mut *connection)
        .await?;
        read.rows += there;
        for first in (0..there).step_by(usize::try_from(rows)?) {
            let statement = format!(
                "copy (select {columns} from written where place > {first} and place <= {} \
                 order by place) to stdout (format binary)",
                first + rows
            );
            let mut stream = connection.copy_out_raw(&statement).await?;
            let mut batch = Vec::new();
            while let Some(piece) = stream.try_next().await? {
                batch.extend_from_slice(&piece);
            }
            drop(stream);
            read.batches.push((table, columns.clone(), batch));
        }
        sqlx::raw_sql("drop table written").execute(&mut *connection).await?;
    }
    Ok(read)
}

/// Puts it into the twins, each batch a transaction; the processor time of both sides, for the posts
/// alone and for everything.
pub(crate) async fn copy(
    pool: &PgPool,
    postmaster: u32,
    recorded: Recorded,
) -> anyhow::Result<(f64, f64)> {
    let now = || anyhow::Ok(cpu::server(postmaster)? + cpu::own()?);
    let (begun, mut posts) = (now()?, 0.0);
    for (table, columns, batch) in recorded.batches {
        let before = now()?;
        let statement = format!("copy bare.{table} ({columns}) from stdin (format binary)");
        let mut copy = pool.copy_in_raw(&statement).await?;
        copy.send(batch).await?;
        copy.finish().await?;
        if table == "posts" {
            posts += now()? - before;
        }
    }
    Ok((posts, now()? - begun))
}
