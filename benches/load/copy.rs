//! The same rows by COPY, the least that Postgres takes for them.

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use sqlx::postgres::PgPoolCopyExt;
use sqlx::{AssertSqlSafe, PgPool};

use crate::cpu;

/// The tables that a commit appends to, and the order in which it did.
const TABLES: [(&str, &str); 3] = [
    ("posts", "recorded_at, account_id, ref"),
    ("post_samples", "recorded_at, account_id, ref"),
    ("visits", "recorded_at, account_id, page"),
];

/// Tables of the same columns, checks, indexes and fill, empty, in a schema of their own.
pub(crate) async fn make_twins(pool: &PgPool) -> anyhow::Result<()> {
    sqlx::raw_sql(
        "create schema bare;
         create table bare.posts (like posts including all) partition by hash (account_id);
         create table bare.post_samples (like post_samples including all) partition by range (at);
         create table bare.visits (like visits including all) partition by range (started_at);
         create table bare.post_samples_all partition of bare.post_samples default;
         create table bare.visits_all partition of bare.visits default;
         do $$ begin
             for remainder in 0..7 loop
                 execute format('create table bare.posts_%s partition of bare.posts
                     for values with (modulus 8, remainder %s) with (fillfactor = 85)',
                     remainder, remainder);
             end loop;
         end $$",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What was recorded after an instant, as COPY BINARY sends it, `rows` at a time.
pub(crate) struct Recorded {
    batches: Vec<(&'static str, Vec<u8>)>,
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
    for (table, order) in TABLES {
        let count = format!("select count(*) from {table} where recorded_at > $1");
        let there: i64 =
            sqlx::query_scalar(AssertSqlSafe(count)).bind(after).fetch_one(pool).await?;
        read.rows += there;
        for first in (0..there).step_by(usize::try_from(rows)?) {
            let statement = format!(
                "copy (select * from {table} where recorded_at > '{}' order by {order}
                     limit {rows} offset {first}) to stdout (format binary)",
                after.to_rfc3339()
            );
            let mut stream = pool.copy_out_raw(&statement).await?;
            let mut batch = Vec::new();
            while let Some(piece) = stream.try_next().await? {
                batch.extend_from_slice(&piece);
            }
            read.batches.push((table, batch));
        }
    }
    Ok(read)
}

/// Puts it into the twins, each batch a transaction; the processor time of both sides.
pub(crate) async fn copy(
    pool: &PgPool,
    postmaster: u32,
    recorded: Recorded,
) -> anyhow::Result<f64> {
    let (server, own) = (cpu::server(postmaster)?, cpu::own()?);
    for (table, batch) in recorded.batches {
        let mut copy =
            pool.copy_in_raw(&format!("copy bare.{table} from stdin (format binary)")).await?;
        copy.send(batch).await?;
        copy.finish().await?;
    }
    let own = cpu::own()? - own;
    Ok(cpu::server(postmaster)? - server + own)
}
