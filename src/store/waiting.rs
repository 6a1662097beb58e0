//! Where something waits to be visited.

use super::claim::ClaimRequest;
use super::{Store, StoreError};

impl Store {
    /// The hosts that a claim would give something of, at most `limit`: first those on which
    /// something is owed, by the earliest deadline, then those on which something waits longest.
    ///
    /// Every host is looked at: with thousands of them, look seldom and claim of what was found.
    /// `request` says for whom; its limits bear on the claim alone, but for that on new hosts.
    pub async fn waiting_hosts(
        &self,
        request: &ClaimRequest<'_>,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let hosts = sqlx::query_scalar!(
            "with wanted as materialized (
                 select a.id from accounts a where a.key = any($4)
             )
             select found.host from (
                 select h.host, owed.deadline_at, coalesce(owed.due_at, ordinary.due_at) as due_at,
                     mine.is_own, row_number() over (partition by mine.is_own
                         order by owed.deadline_at nulls last,
                             coalesce(owed.due_at, ordinary.due_at), h.host) as place
                 from host_leases h left join host_budgets b on b.host = h.host
                 cross join lateral (select h.owner is not distinct from $1 as is_own) mine
                 left join lateral (
                     select t.deadline_at, t.due_at from crawl_targets t
                     where t.host = h.host and t.deadline_at <= $2 and t.due_at <= $2
                       and ($4::text[] is null or t.account_id in (select w.id from wanted w))
                       and (t.lease_until is null or t.lease_until <= $2)
                     order by t.deadline_at limit 1) owed on true
                 left join lateral (
                     select t.due_at from crawl_targets t
                     where owed.due_at is null and t.host = h.host and t.due_at <= $2
                       and (t.deadline_at is null or t.deadline_at > $2)
                       and (not coalesce($5 and h.spent >= b.per_day
                               and h.spent_on = ($2 at time zone 'Asia/Shanghai')::date, false)
                           or t.is_canary or (t.last_visit_at is null and t.speaks))
                       and ($4::text[] is null or t.account_id in (select w.id from wanted w))
                       and (t.lease_until is null or t.lease_until <= $2)
                     order by t.due_at limit 1) ordinary on true
                 where (mine.is_own or h.owner is null or h.lease_until <= $2)
                   and h.host not in (select * from unnest($3::text[]))
                   and (not $5 or h.rest_until is null or h.rest_until <= $2)
                   and coalesce(owed.due_at, ordinary.due_at) is not null) found
             where found.is_own or found.place <= coalesce($6::bigint, $7)
             order by found.deadline_at nulls last, found.due_at, found.host limit $7",
            request.owner,
            request.now,
            request.busy_hosts,
            request.accounts,
            request.within_budget,
            request.new_hosts.map(i64::from),
            i64::from(limit)
        )
        .fetch_all(&self.by_keys)
        .await?;
        Ok(hosts)
    }
}
