//! Packing what ended months hold of visits, samples and posts.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use super::columns::misread;
use super::copy_out::CopyOut;
use super::copying::{CopyRows, TRAILER};
use super::packed_months::{Source, begin, next};
use super::packing::Packing;
use super::period_tables::{Ordered, Which};
use super::{Store, StoreError, lazily};

/// Older months are seldom asked for: they are read row by row again.
const KEPT: TimeDelta = TimeDelta::days(400);

/// Bytes of packed rows that are sent together.
const SENT: usize = 1 << 20;

/// A month has ended so many days ago that whoever wrote to it meanwhile has said so: rows are late
/// where their month had ended when their transaction began. The database holds readers to it.
const AFTER: Days = Days::new(3);

/// So many accounts with late rows are read at once; where more than these, and more than a third
/// of all have some, the month is packed whole.
const FEW: usize = 5000;

/// Where more late rows than these were removed, their places are cleared at once: every reading
/// asks whether there are any, and would look at all that were until autovacuum comes.
const REMOVED: u64 = 10_000;

/// Before anything is seen: nobody removes or renews meanwhile what says what is packed. Readers do
/// not wait for it, nor do those who write rows.
const LOCK: &str = "lock table packed_months in share row exclusive mode";

/// As other sorted readings; and whoever has a table for himself and waits for [`LOCK`] is not
/// waited for: neither would end, and the server sees only one of the two.
const READ_IN: &str = "set local work_mem = '64MB'; set local lock_timeout = '10s'";

/// One holds the lock, one writes, one reads.
const CONNECTIONS: u32 = 3;

impl Store {
    /// Packs visits, samples and posts of the months that have ended, and anew what came to packed
    /// months since, so that scores read them without sorting; returns how many months of a table
    /// it was.
    ///
    /// Does nothing while another daemon packs. Nobody waits for it: what is written meanwhile is
    /// told by its writers, and stays told.
    pub async fn pack_months(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let pool = lazily(CONNECTIONS, (*self.pool.connect_options()).clone());
        let mut alone = pool.acquire().await?;
        // The lock ends with its session.
        alone.close_on_drop();
        let is_alone = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock(hashtextextended('xunjian packs months', 0)) as "is!""#
        )
        .fetch_one(&mut *alone)
        .await?;
        if !is_alone {
            return Ok(0);
        }
        let (months, mut removed) = forget(&mut alone, now).await?;
        let mut packed = 0;
        for source in Source::ALL {
            for month in months.iter().rev() {
                let late_rows = pack(&pool, source, *month).await?;
                packed += usize::from(late_rows.is_some());
                removed += late_rows.unwrap_or_default();
            }
        }
        if removed > REMOVED {
            // All is packed: where this fails it is left to autovacuum.
            let _ = sqlx::raw_sql("vacuum late_rows").execute(&self.pool).await;
        }
        Ok(packed)
    }
}

/// Removes what no longer counts of packed rows; the months that are to be packed, and how many
/// late rows were removed.
async fn forget(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<(BTreeSet<NaiveDate>, u64), StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(LOCK).execute(&mut *transaction).await?;
    let rows = sqlx::query!(
        r#"select to_date(right(c.relname, 7), 'YYYY_MM') as "month!", now() as "now!"
           from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = 'visits'::regclass"#
    )
    .fetch_all(&mut *transaction)
    .await?;
    // What is late is told by the clock of the server.
    let now = rows.first().map_or(now, |row| row.now.min(now));
    let is_due = |month| now - KEPT < begin(month) && begin(next(month)) + AFTER <= now;
    let months: BTreeSet<NaiveDate> =
        rows.into_iter().map(|row| row.month).filter(|month| is_due(*month)).collect();
    let kept: Vec<NaiveDate> = months.iter().copied().collect();
    sqlx::query!(
        "delete from packed_months p where month <> all($1) or not exists (
             select from standing_packs s where s.packed = p.packed and s.month = p.month)",
        &kept
    )
    .execute(&mut *transaction)
    .await?;
    for source in Source::ALL {
        let rows = format!(
            "delete from {} where month not in (
                 select month from packed_months where packed = '{}')",
            source.packed(),
            source.table()
        );
        sqlx::query(AssertSqlSafe(rows)).execute(&mut *transaction).await?;
    }
    let removed = sqlx::query!("delete from late_rows where month <> all($1)", &kept)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok((months, removed.rows_affected()))
}

/// Packs one month in one transaction, whole or of those accounts alone that have late rows;
/// how many late rows that removed. `None` where there was nothing to pack.
async fn pack(pool: &PgPool, source: Source, month: NaiveDate) -> Result<Option<u64>, StoreError> {
    let table = source.table();
    let (mut writer, view) = CopyOut::view(pool, Some(LOCK)).await?;
    let stands = sqlx::query!(
        r#"select xunjian_stored_in($1, $2) as tables, exists (select from standing_packs
               where packed = $1 and month = $2 and form = $3) as "is_packed!",
               (select count(*) from accounts) as "accounts!""#,
        table,
        month,
        source.form()
    )
    .fetch_one(writer.connection())
    .await?;
    let late = sqlx::query_scalar!(
        "select distinct account_id from late_rows where packed = $1 and month = $2",
        table,
        month
    )
    .fetch_all(writer.connection())
    .await?;
    let (Some(tables), false) = (stands.tables, stands.is_packed && late.is_empty()) else {
        writer.end().await?;
        return Ok(None);
    };
    let accounts = usize::try_from(stands.accounts).unwrap_or(usize::MAX);
    let are_few = stands.is_packed && late.len() <= FEW.max(accounts / 3);
    let outdated = format!(
        "delete from {} where month = $1 and ($2 or account_id = any($3))",
        source.packed()
    );
    sqlx::query(AssertSqlSafe(outdated))
        .bind(month)
        .bind(!are_few)
        .bind(&late)
        .execute(writer.connection())
        .await?;
    let parts: Vec<Which<'_>> = match are_few {
        true => late.chunks(FEW).map(Which::Few).collect(),
        false => vec![Which::All],
    };
    for which in parts {
        let query = format!(
            "select account_id, {} from {table} where {} and {which} and {}
             order by account_id, {}",
            source.columns(),
            source.wanted(),
            source.within(begin(month), Some(begin(next(month)))),
            source.order()
        );
        let rows = Ordered::begin(pool, Some(&view), (READ_IN, query), "a row to pack");
        write(rows, writer.connection(), source, month).await?;
    }
    let removed = tell(writer.connection(), source, month, &tables, are_few).await?;
    writer.end().await?;
    Ok(Some(removed))
}

/// Says that a month is packed, or, where only some accounts were, that it still is; how many late
/// rows that removes.
async fn tell(
    connection: &mut PgConnection,
    source: Source,
    month: NaiveDate,
    tables: &str,
    are_few: bool,
) -> Result<u64, StoreError> {
    // What stands was packed whole when it says.
    sqlx::query!(
        "insert into packed_months as p (packed, month, form, tables, at)
         values ($1, $2, $3, $4, now())
         on conflict (packed, month) do update
             set form = excluded.form, tables = excluded.tables, at = excluded.at
             where not $5",
        source.table(),
        month,
        source.form(),
        tables,
        are_few
    )
    .execute(&mut *connection)
    .await?;
    // Those that the packed rows were read after, and no others.
    let removed = sqlx::query!(
        "delete from late_rows where packed = $1 and month = $2",
        source.table(),
        month
    )
    .execute(connection)
    .await?;
    Ok(removed.rows_affected())
}

/// Packs rows, which are in the order of their accounts.
async fn write(
    mut rows: Ordered,
    writer: &mut PgConnection,
    source: Source,
    month: NaiveDate,
) -> Result<(), StoreError> {
    let statement =
        format!("copy {} (account_id, month, rows) from stdin (format binary)", source.packed());
    let mut copy = writer.copy_in_raw(&statement).await?;
    let (mut packed, mut packing) = (CopyRows::new(), Packing::default());
    let mut current = None;
    while let Some(handful) = rows.handful().await? {
        for (account, row) in handful.rows() {
            if let Some(before) = current.replace(account).filter(|before| *before != account) {
                packed.push([&before, &month, &packing.take().as_slice()]);
            }
            packing.push(row).ok_or_else(|| misread("a row to pack", row.0))?;
        }
        if packed.size() >= SENT {
            copy.send(packed.take()).await?;
        }
    }
    if let Some(last) = current {
        packed.push([&last, &month, &packing.take().as_slice()]);
    }
    copy.send(packed.take()).await?;
    copy.send(&TRAILER[..]).await?;
    copy.finish().await?;
    Ok(())
}
