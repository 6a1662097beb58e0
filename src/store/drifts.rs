//! What readings yield: baselines, and page kinds that stopped yielding what they used to.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Store, StoreError};
use crate::observe::Drift;

/// Where readings are compared with each other: a page kind of a host; where every account has a
/// host of its own, of the whole platform, written `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct YieldPlace {
    /// Platform id.
    pub platform: String,
    /// The host, or `*`.
    pub host: String,
    /// The page kind.
    pub page: String,
}

/// How the pages read last at one place compare with their own past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YieldGroup {
    /// The place.
    pub place: YieldPlace,
    /// Pages that could be compared.
    pub compared: u32,
    /// Those of them whose newest reading had fallen.
    pub fallen: u32,
    /// The oldest of those readings.
    pub fallen_since: Option<DateTime<Utc>>,
    /// Since when the place has been drifting, where it is.
    pub drifting_since: Option<DateTime<Utc>>,
}

/// A drift with its place.
pub(super) struct PageDrift {
    pub(super) platform: String,
    pub(super) host: String,
    pub(super) drift: Drift,
}

impl Store {
    /// How the newest readings of each place compare with their own past: of the pages read last,
    /// at most `most` a place. `shared` are the platforms whose accounts share hosts.
    pub async fn yield_groups(
        &self,
        shared: &[String],
        most: u32,
    ) -> Result<Vec<YieldGroup>, StoreError> {
        let rows = sqlx::query!(
            r#"with placed as (
                 select a.platform, case when a.platform = any($1) then t.host else '*' end as host,
                     t.page, t.fell, (t.yields -> -1 ->> 'at')::timestamptz as read_at
                 from crawl_targets t join accounts a on a.id = t.account_id
                 where t.speaks and t.fell is not null
             ), newest as (
                 select *, row_number() over (
                     partition by platform, host, page order by read_at desc) as place
                 from placed
             )
             select n.platform as "platform!", n.host as "host!", n.page as "page!",
                 count(*) as "compared!", count(*) filter (where n.fell) as "fallen!",
                 min(n.read_at) filter (where n.fell) as fallen_since,
                 (select d.since from yield_drifts d where d.platform = n.platform
                     and d.host = n.host and d.page = n.page and d.until is null) as drifting_since
             from newest n where n.place <= $2
             group by n.platform, n.host, n.page order by 1, 2, 3"#,
            shared,
            i64::from(most)
        )
        .fetch_all(&self.pool)
        .await?;
        let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let groups = rows.into_iter().map(|row| YieldGroup {
            place: YieldPlace { platform: row.platform, host: row.host, page: row.page },
            compared: count(row.compared),
            fallen: count(row.fallen),
            fallen_since: row.fallen_since,
            drifting_since: row.drifting_since,
        });
        Ok(groups.collect())
    }

    /// Writes down that a place has begun to drift, and has its accounts judged again.
    pub async fn begin_drift(
        &self,
        group: &YieldGroup,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let place = &group.place;
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "insert into yield_drifts (platform, host, page, since, compared, fallen, recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            place.platform,
            place.host,
            place.page,
            since,
            i32::try_from(group.compared).unwrap_or(i32::MAX),
            i32::try_from(group.fallen).unwrap_or(i32::MAX),
            now
        )
        .execute(&mut *transaction)
        .await?;
        tell(&mut transaction, place).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes down that a place yields again, and has its accounts judged again.
    pub async fn end_drift(
        &self,
        place: &YieldPlace,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "update yield_drifts set until = greatest($4, since + interval '1 microsecond')
             where platform = $1 and host = $2 and page = $3 and until is null",
            place.platform,
            place.host,
            place.page,
            now
        )
        .execute(&mut *transaction)
        .await?;
        tell(&mut transaction, place).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Renews what readings usually yield at each place, by adapter: medians over the readings that
    /// are kept of its pages. Returns how many places were written.
    pub async fn save_baselines(
        &self,
        shared: &[String],
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let saved = sqlx::query!(
            "insert into yield_baselines (platform, host, page, adapter, judged_at, accounts,
                 compared, fallen, items, dated, named, counted, identified)
             select a.platform, case when a.platform = any($1) then t.host else '*' end, t.page,
                 y.adapter, $2, count(distinct t.account_id),
                 count(distinct t.account_id) filter (where t.fell is not null),
                 count(distinct t.account_id) filter (where t.fell),
                 percentile_cont(0.5) within group (order by y.items),
                 coalesce(percentile_cont(0.5) within group (
                     order by y.dated::float8 / nullif(y.items, 0)), 0),
                 coalesce(percentile_cont(0.5) within group (
                     order by y.named::float8 / nullif(y.items, 0)), 0),
                 coalesce(percentile_cont(0.5) within group (
                     order by y.counted::float8 / nullif(y.items, 0)), 0),
                 avg(y.identified::int)
             from crawl_targets t join accounts a on a.id = t.account_id
             cross join lateral jsonb_to_recordset(t.yields) as y (adapter text, read bool,
                 items integer, dated integer, named integer, counted integer, identified bool)
             where t.speaks and y.read
             group by 1, 2, 3, 4
             on conflict (platform, host, page, adapter) do update set
                 judged_at = excluded.judged_at, accounts = excluded.accounts,
                 compared = excluded.compared, fallen = excluded.fallen, items = excluded.items,
                 dated = excluded.dated, named = excluded.named, counted = excluded.counted,
                 identified = excluded.identified",
            shared,
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(saved.rows_affected())
    }

    /// The drifts that are open or ended at or after `since`.
    pub(super) async fn drifts(&self, since: DateTime<Utc>) -> Result<Vec<PageDrift>, StoreError> {
        let rows = sqlx::query!(
            "select platform, host, page, since, until, recorded_at from yield_drifts
             where until is null or until >= $1 order by platform, host, page, since",
            since
        )
        .fetch_all(&self.pool)
        .await?;
        let drifts = rows.into_iter().map(|row| PageDrift {
            platform: row.platform,
            host: row.host,
            drift: Drift {
                page: row.page,
                since: row.since,
                until: row.until,
                recorded_at: row.recorded_at,
            },
        });
        Ok(drifts.collect())
    }
}

/// Has the accounts of a place judged again; an active one is active however its page drifts.
async fn tell(connection: &mut PgConnection, place: &YieldPlace) -> Result<(), StoreError> {
    sqlx::query!(
        "with concerned as (
             select s.account_id from account_states s
             join accounts a on a.id = s.account_id and a.platform = $1
             where s.activity <> 'active' and exists (
                 select from crawl_targets t where t.account_id = s.account_id and t.page = $3
                   and ($2 = '*' or t.host = $2))
             order by s.account_id for update of s
         )
         update account_states s set news = s.news + 1 from concerned c
         where s.account_id = c.account_id",
        place.platform,
        place.host,
        place.page
    )
    .execute(connection)
    .await?;
    Ok(())
}
