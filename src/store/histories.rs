//! Reading back what bears on the activity of many accounts at once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::columns::column;
use super::history_pages::{Looks, Pages};
use super::history_rows::{self, ListedPostRow, LookRow};
use super::{Store, StoreError};
use crate::domain::{AccountId, shanghai_midnight};
use crate::observe::{History, ListedPost};

impl Store {
    /// Everything known since `since` that bears on the activity of these accounts: visits started
    /// then, posts that claim it or were first seen then with the newest and the oldest post of
    /// all, looks at canaries of their hosts and page kinds other than themselves.
    ///
    /// Visits to where it has no target any more are held against the looks at canaries of then.
    ///
    /// `parts` are those of the account's targets. Looks that repeat what their neighbours say,
    /// with no visit of the account between, are left out: a host's canaries are looked at far more
    /// often than one of its accounts is visited.
    pub async fn histories(
        &self,
        accounts: &[AccountId],
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<AccountId, History>, StoreError> {
        let ids = column(accounts, |account| account.0);
        let mut known = self.histories_begun(&ids).await?;
        let mut connection = self.pool.acquire().await?;
        for row in history_rows::since(&mut connection, &ids, since).await? {
            if let Some(one) = known.get_mut(&row.account_id) {
                let (host, visit) = row.into_visit()?;
                one.take(host.as_deref(), visit);
            }
        }
        drop(connection);
        for (account, post) in self.listed_posts(&ids, since).await? {
            if let Some(one) = known.get_mut(&account) {
                one.history.posts.push(post);
            }
        }
        let looks = self.looks(known.values(), since).await?;
        let drifts = self.drifts(since).await?;
        let told =
            |(id, one): (i64, Pages)| (AccountId(id), one.with_surroundings(id, &drifts, &looks));
        Ok(known.into_iter().map(told).collect())
    }

    /// Histories without facts: dates, parts, and whether there are canaries.
    pub(super) async fn histories_begun(
        &self,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, Pages>, StoreError> {
        let rows = sqlx::query!(
            r#"with pages as materialized (
                 select t.account_id, t.page, t.part, t.host from crawl_targets t
                 where t.account_id = any($1) and t.speaks
               ), canaries as materialized (
                 select w.host, w.page, min(c.account_id) as least, max(c.account_id) as greatest
                 from (select distinct p.host, p.page from pages p) w
                 join crawl_targets c on c.host = w.host and c.page = w.page and c.is_canary
                 group by w.host, w.page
               )
               select a.id, a.platform, a.opened_on, a.filed_on, t.page as "page?",
                   t.part as "part?", t.host as "host?",
                   coalesce(c.least <> a.id or c.greatest <> a.id, false) as "has_canary!"
               from accounts a left join pages t on t.account_id = a.id
                   left join canaries c on c.host = t.host and c.page = t.page
               where a.id = any($1)
               order by a.id, t.page"#,
            ids
        )
        .fetch_all(&self.pool)
        .await?;
        let mut known = BTreeMap::new();
        for row in rows {
            let one = known.entry(row.id).or_insert_with(|| Pages::of(row.platform));
            one.history.opened_at = row.opened_on.map(shanghai_midnight);
            one.history.filed_at = row.filed_on.map(shanghai_midnight);
            if let (Some(host), Some(page)) = (row.host, row.page) {
                if row.has_canary {
                    one.watched.push((host.clone(), page.clone()));
                }
                one.pages.push((host, page));
            }
            if let Some(part) =
                row.part.filter(|part| !part.is_empty() && !one.history.parts.contains(part))
            {
                one.history.parts.push(part);
            }
        }
        Ok(known)
    }

    async fn listed_posts(
        &self,
        ids: &[i64],
        since: DateTime<Utc>,
    ) -> Result<Vec<(i64, ListedPost)>, StoreError> {
        let rows = sqlx::query_as!(
            ListedPostRow,
            r#"select wanted.account_id as "account_id!", p.ref as "reference!", p.claimed_at,
                   p.claimed_precision, p.first_seen as "first_seen!", p.missed_by, p.seen_before,
                   p.recorded_at as "recorded_at!", p.page as "page!", p.first_text_digest
               from unnest($1::bigint[]) as wanted (account_id), lateral (
                   (select * from posts n where n.account_id = wanted.account_id
                    order by coalesce(n.claimed_at, n.first_seen) desc limit 1)
                   union
                   (select * from posts o where o.account_id = wanted.account_id
                    order by coalesce(o.claimed_at, o.first_seen) limit 1)
                   union
                   select * from posts r where r.account_id = wanted.account_id
                       and (coalesce(r.claimed_at, r.first_seen) >= $2 or r.first_seen >= $2)
               ) p
               order by wanted.account_id, p.first_seen, p.ref"#,
            ids,
            since
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(ListedPostRow::into_post).collect()
    }

    pub(super) async fn looks(
        &self,
        known: impl Iterator<Item = &Pages>,
        since: DateTime<Utc>,
    ) -> Result<Looks, StoreError> {
        let mut pages: Vec<&(String, String)> = known.flat_map(Pages::places).collect();
        pages.sort_unstable();
        pages.dedup();
        let rows = sqlx::query_as!(
            LookRow,
            "select l.host, l.page, l.account_id, l.at, l.adapter, l.healthy, l.recorded_at
             from canary_looks l
             join unnest($1::text[], $2::text[]) as w (host, page)
                 on l.host = w.host and l.page = w.page
             where l.at >= $3 order by l.at, l.healthy, l.account_id",
            &column(&pages, |page| page.0.clone()),
            &column(&pages, |page| page.1.clone()),
            since
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(LookRow::gathered(rows))
    }
}
