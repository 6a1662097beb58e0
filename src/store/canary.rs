//! Canaries: busy accounts that show whether a host still tells the truth.

use chrono::{DateTime, Utc};

use super::columns::column;
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
    /// All targets with the learned rates of their accounts.
    pub async fn target_rates(&self) -> Result<Vec<TargetRate>, StoreError> {
        let rows = sqlx::query!(
            r#"select t.account_id, t.host, t.page, t.fails,
                   max(l.rate_alpha / l.rate_beta) filter (where a.in_ledger) as rate
               from crawl_targets t
                   join accounts a on a.id = t.account_id
                   left join crawl_targets l on l.account_id = t.account_id and l.rate_beta > 0
               group by t.account_id, t.host, t.page, t.fails
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

    /// The judged accounts of a platform with the most posts claimed since `since`, at least
    /// `posts_min` of them, with their number, busiest first: who may stand in for a canary.
    pub async fn busiest(
        &self,
        platform: &str,
        since: DateTime<Utc>,
        posts_min: u32,
        limit: u32,
    ) -> Result<Vec<(AccountId, u64)>, StoreError> {
        let rows = sqlx::query!(
            r#"select p.account_id, count(*) as "posts!"
               from posts p join accounts a on a.id = p.account_id
               where p.claimed_at >= $2 and a.platform = $1 and a.in_ledger
                 and a.lifecycle not in ('closed', 'cancelled')
               group by p.account_id having count(*) >= $3
               order by count(*) desc, p.account_id limit $4"#,
            platform,
            since,
            i64::from(posts_min),
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (AccountId(row.account_id), row.posts.unsigned_abs()))
            .collect())
    }

    /// Writes down one look at the canary `canary` of a host and page kind.
    ///
    /// Every account of that host and page kind whose verdict may turn on it is judged again; an
    /// active one's does not.
    pub async fn record_canary_look(
        &self,
        host: &str,
        page: &str,
        canary: AccountId,
        look: &CanaryLook,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let written = sqlx::query!(
            "insert into canary_looks (host, page, at, account_id, adapter, healthy, recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (host, page, at, account_id) do nothing",
            host,
            page,
            look.at,
            canary.0,
            look.adapter,
            look.healthy,
            look.recorded_at
        )
        .execute(&mut *transaction)
        .await?;
        if written.rows_affected() > 0 {
            sqlx::query!(
                "with concerned as (
                     select s.account_id from account_states s
                     where s.activity <> 'active' and s.account_id in (
                         select t.account_id from crawl_targets t
                         where t.host = $1 and t.page = $2)
                     order by s.account_id for update
                 )
                 update account_states s set news = s.news + 1 from concerned c
                 where s.account_id = c.account_id",
                host,
                page
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
