//! Canaries: busy accounts that show whether a host still tells the truth.

use chrono::{DateTime, Utc};

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::AccountId;
use crate::observe::CanaryLook;

/// A canary that a platform file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryAccount {
    /// Platform id.
    pub platform: String,
    /// 平台账号.
    pub handle: String,
}

impl Store {
    /// Numbers the canaries that platform files name, in the order given.
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
