//! What looks at sites found: home pages and columns.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::column;
use super::record::VisitRecord;
use super::{Store, StoreError};
use crate::domain::ColumnClass;
use crate::observe::HomeShown;

/// What one look at a site found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRecord {
    /// The site.
    pub host: String,
    /// When its home page was asked for.
    pub at: DateTime<Utc>,
    /// What the home page showed, or why it was not read.
    pub home: Result<HomeShown, String>,
    /// The columns it leads to.
    pub found: Vec<FoundColumn>,
    /// Looks at some of its columns.
    pub looked: Vec<ColumnLook>,
}

/// A column that a home page leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundColumn {
    /// Its absolute address.
    pub address: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub class: ColumnClass,
}

/// One look at one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnLook {
    /// Its address.
    pub address: String,
    /// When it was asked for.
    pub at: DateTime<Utc>,
    /// How many items it has and the newest date among them, or why it was not read.
    pub shown: Result<(u32, Option<DateTime<Utc>>), String>,
}

impl Store {
    /// At most `limit` columns of a site that were not looked at since `before`, those that waited
    /// longest first.
    pub async fn columns_due(
        &self,
        host: &str,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query_scalar!(
            "select address from site_columns
             where host = $1 and (looked_at is null or looked_at <= $2)
             order by looked_at nulls first, address limit $3",
            host,
            before,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}

/// Writes down what looks at sites found.
pub(super) async fn write(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<(), StoreError> {
    for record in records {
        let Some(site) = record.details.found.site.as_deref() else { continue };
        write_home(connection, site, record.visit.recorded_at).await?;
        if site.home.is_ok() {
            write_found(connection, site).await?;
        }
        write_looked(connection, site).await?;
    }
    Ok(())
}

/// A home page that reads as before only moves the end of its run.
async fn write_home(
    connection: &mut PgConnection,
    site: &SiteRecord,
    recorded_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let shown = site.home.as_ref().ok();
    sqlx::query!(
        "with newest as (
             select l.at, l.fingerprint, l.newest_at, l.reason from site_looks l
             where l.host = $1 order by l.at desc limit 1
         ), moved as (
             update site_looks l set last_at = greatest(l.last_at, $2) from newest n
             where l.host = $1 and l.at = n.at and n.at <= $2
               and (n.fingerprint, n.newest_at, n.reason) is not distinct from ($3, $5, $7)
             returning l.at
         )
         insert into site_looks (host, at, last_at, fingerprint, items, newest_at, columns, reason,
             recorded_at)
         select $1, $2, $2, $3, $4, $5, $6, $7, $8
         where not exists (select from moved)
           and not exists (select from newest n where n.at >= $2)",
        site.host,
        site.at,
        shown.map(|one| one.fingerprint.clone()),
        shown.map(|one| i32::try_from(one.items).unwrap_or(i32::MAX)),
        shown.and_then(|one| one.newest_at),
        shown.map(|_| i32::try_from(site.found.len()).unwrap_or(i32::MAX)),
        site.home.as_ref().err(),
        recorded_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the columns that the home page leads to. One it has not led to for thirty days goes.
async fn write_found(connection: &mut PgConnection, site: &SiteRecord) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into site_columns as c (host, address, name, class, first_seen, last_seen)
         select $1, f.address, f.name, f.class, $5, $5
         from unnest($2::text[], $3::text[], $4::text[]) as f (address, name, class)
         on conflict (host, address) do update set name = excluded.name, class = excluded.class,
             last_seen = greatest(c.last_seen, excluded.last_seen)",
        site.host,
        &column(&site.found, |one| one.address.clone()),
        &column(&site.found, |one| one.name.clone()),
        &column(&site.found, |one| one.class.as_str().to_owned()),
        site.at
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from site_columns where host = $1
             and last_seen < $2::timestamptz - interval '30 days'",
        site.host,
        site.at
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_looked(connection: &mut PgConnection, site: &SiteRecord) -> Result<(), StoreError> {
    let looked = &site.looked;
    sqlx::query!(
        "update site_columns c set
             looked_at = case when l.reason is null then l.at else c.looked_at end,
             items = coalesce(l.items, c.items),
             newest_at = case when l.reason is null then greatest(c.newest_at, l.newest_at)
                 else c.newest_at end,
             blank_since = case when l.reason is not null then c.blank_since
                 when l.items = 0 then coalesce(c.blank_since, l.at) end,
             reason = l.reason
         from unnest($2::text[], $3::timestamptz[], $4::integer[], $5::timestamptz[], $6::text[])
             as l (address, at, items, newest_at, reason)
         where c.host = $1 and c.address = l.address
           and (c.looked_at is null or c.looked_at <= l.at)",
        site.host,
        &column(looked, |one| one.address.clone()),
        &column(looked, |one| one.at),
        &column(looked, |one| {
            one.shown.as_ref().ok().map(|(items, _)| i32::try_from(*items).unwrap_or(i32::MAX))
        }) as &[Option<i32>],
        &column(looked, |one| one.shown.as_ref().ok().and_then(|shown| shown.1))
            as &[Option<DateTime<Utc>>],
        &column(looked, |one| one.shown.as_ref().err().cloned()) as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}
