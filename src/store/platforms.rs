//! How the platforms stand: what the newest visits and looks at canaries say of each.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};

/// What the targets of one platform show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformLook {
    /// Platform id.
    pub platform: String,
    /// The newest look at a canary failed, of at least one host and page kind.
    pub canary_failed: bool,
    /// Some target serves as a canary.
    pub has_canary: bool,
    /// A target was visited lately.
    pub visited: bool,
    /// A canary was visited lately, and the newest visit was observed.
    pub canary_observed: bool,
    /// A target was visited lately, and the newest visit was observed or proved it gone.
    pub read: bool,
    /// A page kind does not yield what it used to, over many accounts.
    pub drifting: bool,
    /// The newest post of any canary that is not in the future.
    pub canary_last_post_at: Option<DateTime<Utc>>,
}

impl Store {
    /// How each platform with targets stands at `now`. Visits since `lately` count; looks at
    /// canaries since `since`.
    pub async fn platform_looks(
        &self,
        since: DateTime<Utc>,
        lately: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<PlatformLook>, StoreError> {
        // At one instant the failed look comes first, as where verdicts freeze.
        let rows = sqlx::query_as!(
            PlatformLook,
            r#"with looked as materialized (
                 select p.host, p.page, l.healthy
                 from (select distinct host, page from crawl_targets) p cross join lateral (
                     select c.healthy from canary_looks c
                     where c.host = p.host and c.page = p.page and c.at >= $1
                     order by c.at desc, c.healthy limit 1) l
             )
             select a.platform,
                 coalesce(bool_or(not l.healthy), false) as "canary_failed!",
                 bool_or(t.is_canary) as "has_canary!",
                 bool_or(v.lately) as "visited!",
                 bool_or(v.lately and t.is_canary and t.last_outcome = 'observed')
                     as "canary_observed!",
                 bool_or(v.lately and t.last_outcome in ('observed', 'gone')) as "read!",
                 exists (select from yield_drifts d
                     where d.platform = a.platform and d.until is null) as "drifting!",
                 max(n.at) as canary_last_post_at
             from crawl_targets t
                 join accounts a on a.id = t.account_id
                 cross join lateral (
                     select coalesce(t.last_visit_at >= $2, false) as lately) v
                 left join looked l on l.host = t.host and l.page = t.page
                 left join lateral (
                     select coalesce(p.claimed_at, p.first_seen) as at from posts p
                     where t.is_canary and p.account_id = t.account_id
                       and coalesce(p.claimed_at, p.first_seen) <= $3
                     order by coalesce(p.claimed_at, p.first_seen) desc limit 1) n on true
             where t.speaks
             group by a.platform order by a.platform"#,
            since,
            lately,
            now
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }
}
