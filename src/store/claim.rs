//! Leases: who visits what now.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;

use super::record::Lease;
use super::targets::Rate;
use super::{Store, StoreError};
use crate::domain::{AccountId, HostPace, HostTerms};
use crate::observe::Yield;

/// What a daemon asks for.
#[derive(Debug, Clone)]
pub struct ClaimRequest<'a> {
    /// The daemon's own name, different from every other's.
    pub owner: &'a str,
    /// The instant at which the claim is made.
    pub now: DateTime<Utc>,
    /// How long the claim holds.
    pub lease: TimeDelta,
    /// Most targets in all.
    pub limit: u32,
    /// Most targets of one host.
    pub per_host: u32,
    /// Most hosts taken beside those it holds already; absent: any number.
    pub new_hosts: Option<u32>,
    /// Hosts that are not to be looked at.
    pub busy_hosts: &'a [String],
    /// Whether a host whose daily budget is spent gives only what is owed, and one that is to be
    /// left alone nothing; else both give all.
    pub within_budget: bool,
    /// Keys (账号编号) of the accounts whose targets are wanted; absent: of all.
    pub accounts: Option<&'a [String]>,
}

/// What makes a request conditional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag` as answered.
    pub etag: Option<String>,
    /// `Last-Modified` as answered.
    pub last_modified: Option<String>,
}

/// A target that the caller now holds, with what the last visits left.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// Whose page.
    pub account: AccountId,
    /// 账号编号.
    pub key: String,
    /// Platform id.
    pub platform: String,
    /// 平台账号.
    pub handle: String,
    /// The ledger's link.
    pub url: Option<String>,
    /// The page kind.
    pub page: String,
    /// The part that the page kind lists.
    pub part: String,
    /// The host that answers for it.
    pub host: String,
    /// How the host comes to whoever claimed.
    pub terms: HostTerms,
    /// Where the address is none that the ledger or the platform file gives.
    pub address: Option<String>,
    /// Whether it is a canary or stand-in.
    pub is_canary: bool,
    /// How many canaries and stand-ins its host and page kind have, itself included if it is one.
    pub canaries: u32,
    /// To be handed back with the record.
    pub lease: Lease,
    /// When it became due.
    pub due_at: DateTime<Utc>,
    /// Claims since the last finished visit, this one included; above 1 where a holder died.
    pub attempt: u32,
    /// Failed visits since the last observation.
    pub fails: u32,
    /// Start of the last visit.
    pub last_visit_at: Option<DateTime<Utc>>,
    /// Validators of the last answer.
    pub validators: Validators,
    /// Digest of the newest body.
    pub body_digest: Option<String>,
    /// As-of time of the first answer that carried that body.
    pub body_as_of: Option<DateTime<Utc>>,
    /// Upper end of the newest covered span.
    pub span_high: Option<DateTime<Utc>>,
    /// As-of time of the newest observation.
    pub observed_at: Option<DateTime<Utc>>,
    /// As-of times of the last two visits that confirm what they say, the older first.
    pub confirmations: Vec<DateTime<Utc>>,
    /// The learned posting rate.
    pub rate: Option<Rate>,
    /// When the account was seen to publish, as the scheduler wrote it.
    pub rhythm: Option<Vec<u8>>,
    /// The most posts that one visit was seen to list.
    pub capacity: Option<u32>,
    /// When the visit is owed, whatever stands before it.
    pub deadline_at: Option<DateTime<Utc>>,
    /// 类别 and 角色 of the ledger.
    pub category: Option<String>,
    /// See `category`.
    pub role: Option<String>,
    /// What a visit to the host costs now, in push-hours of waiting; absent until it was priced.
    pub price: Option<f64>,
    /// The newest post proven by the last judgement.
    pub last_post_at: Option<DateTime<Utc>>,
    /// What its newest readings yielded, oldest first.
    pub yields: Vec<Yield>,
}

struct ClaimedRow {
    account_id: i64,
    key: String,
    platform: String,
    handle: String,
    url: Option<String>,
    page: String,
    part: String,
    host: String,
    address: Option<String>,
    is_canary: bool,
    canaries: i64,
    speed: f64,
    troubles: i32,
    rest_until: Option<DateTime<Utc>>,
    taken: bool,
    free_since: Option<DateTime<Utc>>,
    lease_until: DateTime<Utc>,
    due_at: DateTime<Utc>,
    attempt: i32,
    fails: i32,
    last_visit_at: Option<DateTime<Utc>>,
    etag: Option<String>,
    last_modified: Option<String>,
    body_digest: Option<String>,
    body_as_of: Option<DateTime<Utc>>,
    span_high: Option<DateTime<Utc>>,
    observed_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
    confirmed_before: Option<DateTime<Utc>>,
    rate_alpha: Option<f64>,
    rate_beta: Option<f64>,
    rhythm: Option<Vec<u8>>,
    capacity: Option<i32>,
    deadline_at: Option<DateTime<Utc>>,
    category: Option<String>,
    role: Option<String>,
    price: Option<f64>,
    last_post_at: Option<DateTime<Utc>>,
    yields: Json<Vec<Yield>>,
}

impl ClaimedRow {
    fn held_by(self, owner: &str) -> Claimed {
        Claimed {
            yields: self.yields.0,
            address: self.address,
            account: AccountId(self.account_id),
            key: self.key,
            platform: self.platform,
            handle: self.handle,
            url: self.url,
            page: self.page,
            part: self.part,
            host: self.host,
            terms: HostTerms {
                pace: HostPace {
                    speed: self.speed,
                    troubles: self.troubles.unsigned_abs(),
                    rest_until: self.rest_until,
                },
                taken: self.taken,
                free_since: self.free_since,
            },
            is_canary: self.is_canary,
            canaries: u32::try_from(self.canaries).unwrap_or(u32::MAX),
            lease: Lease { owner: owner.to_owned(), until: self.lease_until },
            due_at: self.due_at,
            attempt: self.attempt.unsigned_abs(),
            fails: self.fails.unsigned_abs(),
            last_visit_at: self.last_visit_at,
            validators: Validators { etag: self.etag, last_modified: self.last_modified },
            body_digest: self.body_digest,
            body_as_of: self.body_as_of,
            span_high: self.span_high,
            observed_at: self.observed_at,
            confirmations: self.confirmed_before.into_iter().chain(self.confirmed_at).collect(),
            rate: self.rate_alpha.zip(self.rate_beta).map(|(alpha, beta)| Rate { alpha, beta }),
            rhythm: self.rhythm,
            capacity: self.capacity.map(i32::unsigned_abs),
            deadline_at: self.deadline_at,
            category: self.category,
            role: self.role,
            price: self.price,
            last_post_at: self.last_post_at,
        }
    }
}

impl Store {
    /// Takes due targets that nobody holds, wherever they wait longest: looks for the hosts and
    /// claims of them, see [`Store::waiting_hosts`] and [`Store::claim_of`].
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>, StoreError> {
        // Others that claim at once take the first of them.
        let hosts = self.waiting_hosts(request, request.limit.saturating_mul(8)).await?;
        self.claim_of(request, &hosts).await
    }

    /// Takes due targets of these hosts, busy or not, that nobody holds, at most `per_host` of
    /// each: first those that are owed, the earliest deadline first, then the longest waiting.
    ///
    /// Within the budget, a host whose ordinary visits of the Shanghai day are spent gives only
    /// what is owed, canaries, and targets never visited.
    ///
    /// Of what is not owed no host gives more than its equal part and one: its gaps would hold up
    /// the other hosts.
    ///
    /// Hosts are taken in the order given, and of its own and of new ones no more are locked than
    /// targets are wanted: daemons that claim at once find other hosts.
    ///
    /// A host belongs to one daemon at a time: its lease is renewed with every claim, so that the
    /// host's limit, which each daemon keeps for itself, holds across daemons. What a dead daemon
    /// held can be claimed once its lease has run out.
    pub async fn claim_of(
        &self,
        request: &ClaimRequest<'_>,
        hosts: &[String],
    ) -> Result<Vec<Claimed>, StoreError> {
        if hosts.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query_as!(
            ClaimedRow,
            r#"with wanted as materialized (
                 select a.id from accounts a where a.key = any($7)
             ), asked as materialized (
                 select n.host, n.place from unnest($6::text[]) with ordinality as n (host, place)
             ), own as materialized (
                 select h.*, false as taken
                 from (select * from asked order by place) a
                 join host_leases h on h.host = a.host
                 where h.owner = $1 and (not $8 or h.rest_until is null or h.rest_until <= $2)
                 order by a.place limit $4 for update of h skip locked
             ), free as materialized (
                 select h.*, true as taken
                 from (select * from asked order by place) a
                 join host_leases h on h.host = a.host
                 where h.owner is distinct from $1 and (h.owner is null or h.lease_until <= $2)
                   and (not $8 or h.rest_until is null or h.rest_until <= $2)
                 order by a.place limit least($4, coalesce($9, $4)) for update of h skip locked
             ), mine as materialized (
                 select h.host, h.speed, h.troubles, h.rest_until, h.taken, b.price,
                     coalesce(h.lease_until, h.released_at) as free_since,
                     least(coalesce(b.claims_max, $5), $5) as room,
                     coalesce($8 and h.spent >= b.per_day
                         and h.spent_on = ($2 at time zone 'Asia/Shanghai')::date, false) as spent
                 from (select * from own union all select * from free) h
                 left join host_budgets b on b.host = h.host
             ), chosen as materialized (
                 select m.*, due.*
                 from mine m cross join lateral (select u.* from (
                     (select t.account_id, t.page, t.due_at, t.deadline_at
                      from crawl_targets t
                      where t.host = m.host and t.deadline_at <= $2 and t.due_at <= $2
                        and ($7::text[] is null or t.account_id in (select w.id from wanted w))
                        and (t.lease_until is null or t.lease_until <= $2)
                      order by t.deadline_at, t.account_id, t.page limit m.room)
                     union all
                     (select t.account_id, t.page, t.due_at, null
                      from crawl_targets t
                      where t.host = m.host and t.due_at <= $2
                        and (t.deadline_at is null or t.deadline_at > $2)
                        and (not m.spent or t.is_canary or (t.last_visit_at is null and t.speaks))
                        and ($7::text[] is null or t.account_id in (select w.id from wanted w))
                        and (t.lease_until is null or t.lease_until <= $2)
                      order by t.due_at, t.account_id, t.page
                      limit least(m.room, $4 / (select count(*) from mine) + 1))) u
                     order by u.deadline_at nulls last, u.due_at, u.account_id, u.page
                     limit m.room) due
                 order by due.deadline_at nulls last, due.due_at, due.account_id, due.page limit $4
             ), picked as materialized (
                 select c.* from chosen c join crawl_targets t
                     on t.account_id = c.account_id and t.page = c.page and t.host = c.host
                 where t.due_at <= $2 and (t.lease_until is null or t.lease_until <= $2)
                 order by t.account_id, t.page for update of t skip locked
             ), renewed as (
                 update host_leases h set owner = $1, lease_until = greatest(h.lease_until, $3),
                     claimed = h.claimed + p.targets,
                     spent = p.targets + case when h.spent_on = p.today then h.spent else 0 end,
                     spent_on = p.today
                 from (select p.host, count(*) as targets,
                           ($2 at time zone 'Asia/Shanghai')::date as today
                       from picked p group by p.host) p
                 where h.host = p.host
             )
             update crawl_targets t
             set lease_owner = $1, lease_until = $3, attempt = t.attempt + 1
             from picked p join accounts a on a.id = p.account_id
                 left join account_states s on s.account_id = p.account_id
             where t.account_id = p.account_id and t.page = p.page
             returning t.account_id, a.key, a.platform, a.handle, a.url, t.page, t.part, t.host,
                 t.address, t.yields as "yields: Json<Vec<Yield>>", p.speed as "speed!",
                 p.troubles as "troubles!", p.rest_until as "rest_until?", p.taken as "taken!",
                 p.free_since as "free_since?", t.is_canary, t.lease_until as "lease_until!",
                 t.due_at, t.attempt, t.fails, t.last_visit_at, t.etag, t.last_modified,
                 t.body_digest, t.body_as_of, t.span_high, t.observed_at, t.confirmed_at,
                 t.confirmed_before, t.rate_alpha, t.rate_beta, t.rhythm, t.capacity,
                 t.deadline_at, a.category, a.role, p.price as "price?",
                 (select count(*) from crawl_targets c
                     where c.host = t.host and c.page = t.page and c.is_canary) as "canaries!",
                 s.last_post_at as "last_post_at?""#,
            request.owner,
            request.now,
            request.now + request.lease,
            i64::from(request.limit),
            i32::try_from(request.per_host).unwrap_or(i32::MAX),
            hosts,
            request.accounts,
            request.within_budget,
            request.new_hosts.map(i64::from)
        )
        .fetch_all(&self.by_keys)
        .await?;
        let mut claimed: Vec<Claimed> =
            rows.into_iter().map(|row| row.held_by(request.owner)).collect();
        claimed.sort_by_key(|one| (one.due_at, one.account));
        Ok(claimed)
    }

    /// Gives back everything a daemon holds, targets and hosts; returns how many targets. What it
    /// had begun is due at once for others.
    pub async fn release(&self, owner: &str, now: DateTime<Utc>) -> Result<u64, StoreError> {
        self.release_leases(Some(owner), now).await
    }

    /// Gives back every lease of every daemon; returns how many targets. Only for a daemon that
    /// owns its database alone, at its start: what its forerunner held when it was killed is due at
    /// once, not when the leases have run out.
    pub async fn release_everything(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        self.release_leases(None, now).await
    }

    async fn release_leases(
        &self,
        owner: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let released = sqlx::query!(
            "with held as (
                 select t.account_id, t.page from crawl_targets t
                 where t.lease_owner is not null and ($1::text is null or t.lease_owner = $1)
                 order by t.account_id, t.page for update of t
             )
             update crawl_targets t set lease_owner = null, lease_until = null from held h
             where t.account_id = h.account_id and t.page = h.page",
            owner
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "update host_leases set owner = null, lease_until = null, released_at = $2
             where owner is not null and ($1::text is null or owner = $1)",
            owner,
            now
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("delete from daemons where $1::text is null or owner = $1", owner)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(released.rows_affected())
    }
}
