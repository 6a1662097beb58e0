//! Canaries: busy accounts that show whether a host still tells the truth.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::column;
use super::record::VisitRecord;
use super::{Store, StoreError};
use crate::domain::AccountId;
use crate::observe::CanaryLook;

/// An account outside the ledger: a canary that a platform file names, or the daemon's heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryAccount {
    /// Platform id.
    pub platform: String,
    /// 平台账号.
    pub handle: String,
}

/// A target and how often its account posts, for the choice of canaries.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetRate {
    /// The account.
    pub account: AccountId,
    /// The host.
    pub host: String,
    /// The page kind.
    pub page: String,
    /// Learned posts a day, of a page kind that lists none those of the account's lists; absent
    /// until something was learned, and for accounts outside the ledger.
    pub posts_per_day: Option<f64>,
    /// Failed visits since the last observation.
    pub fails: u32,
}

impl Store {
    /// All targets that speak for their accounts, with the learned rates of these.
    pub async fn target_rates(&self) -> Result<Vec<TargetRate>, StoreError> {
        let rows = sqlx::query!(
            r#"select t.account_id, t.host, t.page, t.fails,
                   case when a.in_ledger then coalesce(
                       case when t.rate_beta > 0 then t.rate_alpha / t.rate_beta end,
                       max(l.rate_alpha / l.rate_beta)) end as rate
               from crawl_targets t
                   join accounts a on a.id = t.account_id
                   left join crawl_targets l on l.account_id = t.account_id and l.rate_beta > 0
               where t.speaks
               group by t.account_id, t.host, t.page, t.fails, t.rate_alpha, t.rate_beta,
                   a.in_ledger
               order by t.account_id, t.page"#
        )
        .fetch_all(&self.pool)
        .await?;
        let rates = rows.into_iter().map(|row| TargetRate {
            account: AccountId(row.account_id),
            host: row.host,
            page: row.page,
            posts_per_day: row.rate,
            fails: row.fails.unsigned_abs(),
        });
        Ok(rates.collect())
    }

    /// Makes the canaries be exactly these targets, by account and page kind; returns how many
    /// marks changed.
    pub async fn mark_canaries(&self, chosen: &[(AccountId, String)]) -> Result<u64, StoreError> {
        let marked = sqlx::query!(
            "with wanted as (
                 select t.account_id, t.page, c.page is not null as is_canary
                 from crawl_targets t
                     left join unnest($1::bigint[], $2::text[]) as c (account_id, page)
                         on c.account_id = t.account_id and c.page = t.page
                 where t.is_canary <> (c.page is not null)
                 order by t.account_id, t.page for update of t
             )
             update crawl_targets t set is_canary = w.is_canary from wanted w
             where t.account_id = w.account_id and t.page = w.page",
            &column(chosen, |(account, _)| account.0),
            &column(chosen, |(_, page)| page.clone())
        )
        .execute(&self.pool)
        .await?;
        Ok(marked.rows_affected())
    }

    /// Numbers the canaries that platform files name, in the order given; also the account of the
    /// heartbeat, which is no canary.
    ///
    /// One that the ledger holds keeps its number there; the others are visited only, never judged,
    /// scored or shown.
    pub async fn ensure_canaries(
        &self,
        canaries: &[CanaryAccount],
        now: DateTime<Utc>,
    ) -> Result<Vec<AccountId>, StoreError> {
        let platforms = column(canaries, |one| one.platform.clone());
        let handles = column(canaries, |one| one.handle.clone());
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "insert into accounts (key, in_ledger, platform, handle, name, lifecycle, created_at,
                 updated_at)
             select format('canary:%s:%s', c.platform, c.handle), false, c.platform, c.handle,
                 c.handle, 'running', $3, $3
             from unnest($1::text[], $2::text[]) as c (platform, handle)
             where not exists (select from accounts a
                 where a.platform = c.platform and a.handle = c.handle)
             on conflict (key) do nothing",
            &platforms,
            &handles,
            now
        )
        .execute(&mut *transaction)
        .await?;
        let ids = sqlx::query_scalar!(
            r#"select (select a.id from accounts a
                   where a.platform = c.platform and a.handle = c.handle
                   order by a.in_ledger desc, a.id limit 1) as "id!"
               from unnest($1::text[], $2::text[]) with ordinality as c (platform, handle, place)
               order by c.place"#,
            &platforms,
            &handles
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(ids.into_iter().map(AccountId).collect())
    }
}

/// A look that was not known before.
pub(super) struct NewLook {
    pub(super) host: String,
    pub(super) page: String,
    pub(super) at: DateTime<Utc>,
    pub(super) account_id: i64,
    pub(super) adapter: String,
    pub(super) healthy: bool,
}

/// Writes down the looks of visits to canaries; gives back those that were not there already.
pub(super) async fn insert_looks(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<Vec<NewLook>, StoreError> {
    let looks: Vec<(&String, i64, &CanaryLook)> = records
        .iter()
        .filter_map(|record| Some((record.host.as_ref()?, record.account.0, record.look.as_ref()?)))
        .collect();
    if looks.is_empty() {
        return Ok(Vec::new());
    }
    let written = sqlx::query_as!(
        NewLook,
        "insert into canary_looks (host, page, at, account_id, adapter, healthy, recorded_at)
         select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[],
             $5::text[], $6::bool[], $7::timestamptz[])
         on conflict (host, page, at, account_id) do nothing
         returning host, page, at, account_id, adapter, healthy",
        &column(&looks, |(host, ..)| (*host).clone()),
        &column(&looks, |(.., look)| look.page.to_string()),
        &column(&looks, |(.., look)| look.at),
        &column(&looks, |(_, account, _)| *account),
        &column(&looks, |(.., look)| look.adapter.to_string()),
        &column(&looks, |(.., look)| look.healthy),
        &column(&looks, |(.., look)| look.recorded_at),
    )
    .fetch_all(connection)
    .await?;
    Ok(written)
}
