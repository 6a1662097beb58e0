//! What is visited: one target for each account and page kind.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::AccountId;

/// Targets that are written together.
const WRITTEN: usize = 5000;

/// One page kind of one account that shall be visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSpec {
    /// Whose page.
    pub account: AccountId,
    /// The page kind.
    pub page: String,
    /// The part of the account that the page kind lists: `all`, or a named part.
    pub part: String,
    /// The host that answers for it.
    pub host: String,
    /// Whether it serves as a canary of its host and page kind from the start; afterwards
    /// [`Store::mark_canaries`] says.
    pub is_canary: bool,
    /// Whether the page kind speaks for the account: lists and profiles do, messages and sites do
    /// not.
    pub speaks: bool,
    /// Where the address is none that the ledger or the platform file gives.
    pub address: Option<String>,
}

/// What [`Store::sync_targets`] changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// New targets, due at once.
    pub added: usize,
    /// Targets whose host or part changed.
    pub changed: usize,
    /// Targets no longer wanted.
    pub dropped: usize,
}

/// Gamma posterior of a posting rate: mean `alpha / beta` posts a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Shape: posts seen, prior included.
    pub alpha: f64,
    /// Days watched, prior included.
    pub beta: f64,
}

/// How much waits, for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCount {
    /// Platform id.
    pub platform: String,
    /// All targets.
    pub targets: u64,
    /// Targets due and held by nobody.
    pub due: u64,
    /// Targets that are held now.
    pub in_flight: u64,
    /// When the longest-waiting one became due.
    pub oldest_due_at: Option<DateTime<Utc>>,
}

/// Which targets are meant.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// Those of the accounts with these keys.
    Accounts(&'a [String]),
    /// All but the canaries.
    Ordinary,
    /// The canaries.
    Canaries,
}

impl Store {
    /// Makes the targets be exactly `specs`: adds, changes and drops.
    ///
    /// A dropped target is forgotten with its validators; its visits and posts stay. `specs` names
    /// each account and page once.
    pub async fn sync_targets(
        &self,
        specs: &[TargetSpec],
        now: DateTime<Utc>,
    ) -> Result<TargetCounts, StoreError> {
        let hosts: BTreeSet<&str> = specs.iter().map(|spec| spec.host.as_str()).collect();
        let hosts: Vec<&str> = hosts.into_iter().collect();
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "insert into host_leases (host) select host from unnest($1::text[]) as h (host)
             order by host on conflict (host) do nothing",
            &hosts as &[&str]
        )
        .execute(&mut *transaction)
        .await?;
        let dropped = sqlx::query!(
            "delete from crawl_targets t where not exists (
                 select from unnest($1::bigint[], $2::text[]) as s (account_id, page)
                 where s.account_id = t.account_id and s.page = t.page)",
            &column(specs, |spec| spec.account.0),
            &column(specs, |spec| spec.page.as_str()) as &[&str]
        )
        .execute(&mut *transaction)
        .await?;
        let mut counts = TargetCounts {
            dropped: usize::try_from(dropped.rows_affected()).unwrap_or(usize::MAX),
            ..TargetCounts::default()
        };
        for specs in specs.chunks(WRITTEN) {
            let written = write_targets(&mut transaction, specs, now).await?;
            let added = written.iter().filter(|is_new| **is_new).count();
            counts.added += added;
            counts.changed += written.len() - added;
        }
        transaction.commit().await?;
        self.analyze_grown(counts.added, "host_leases, crawl_targets").await;
        Ok(counts)
    }

    /// Makes targets due now that would be due later; returns how many moved.
    pub async fn make_due(&self, which: Which<'_>, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let (keys, canaries) = match which {
            Which::Accounts(keys) => (Some(keys), None),
            Which::Ordinary => (None, Some(false)),
            Which::Canaries => (None, Some(true)),
        };
        // Locked in order of the key, as everywhere, so that two statements never wait crosswise.
        let moved = sqlx::query!(
            "with chosen as (
                 select t.account_id, t.page
                 from crawl_targets t join accounts a on a.id = t.account_id
                 where t.due_at > $1
                   and ($2::text[] is null or a.key = any($2))
                   and ($3::bool is null or t.is_canary = $3)
                 order by t.account_id, t.page for update of t
             )
             update crawl_targets t set due_at = $1 from chosen c
             where t.account_id = c.account_id and t.page = c.page",
            now,
            keys,
            canaries
        )
        .execute(&self.pool)
        .await?;
        Ok(moved.rows_affected())
    }

    /// How many targets wait and how many are held, for each platform.
    pub async fn due_counts(&self, now: DateTime<Utc>) -> Result<Vec<DueCount>, StoreError> {
        let rows = sqlx::query!(
            r#"select a.platform, count(*) as "targets!",
                   count(*) filter (where t.due_at <= $1 and held.free) as "due!",
                   count(*) filter (where not held.free) as "in_flight!",
                   min(t.due_at) filter (where t.due_at <= $1 and held.free) as oldest_due_at
               from crawl_targets t join accounts a on a.id = t.account_id,
                   lateral (select t.lease_until is null or t.lease_until <= $1 as free) held
               group by a.platform order by a.platform"#,
            now
        )
        .fetch_all(&self.pool)
        .await?;
        let counts = rows.into_iter().map(|row| DueCount {
            platform: row.platform,
            targets: row.targets.unsigned_abs(),
            due: row.due.unsigned_abs(),
            in_flight: row.in_flight.unsigned_abs(),
            oldest_due_at: row.oldest_due_at,
        });
        Ok(counts.collect())
    }
}

/// Adds and changes targets; of each that was not as it should be, whether it is new.
async fn write_targets(
    connection: &mut PgConnection,
    specs: &[TargetSpec],
    now: DateTime<Utc>,
) -> Result<Vec<bool>, StoreError> {
    // xmax is zero in a row that was inserted rather than updated.
    let written = sqlx::query_scalar!(
        r#"insert into crawl_targets as t (account_id, page, part, host, is_canary, speaks,
             address, due_at)
         select *, $6 from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bool[],
             $7::bool[], $8::text[])
         on conflict (account_id, page) do update set part = excluded.part,
             host = excluded.host, speaks = excluded.speaks, address = excluded.address
         where (t.part, t.host, t.speaks, t.address)
             is distinct from (excluded.part, excluded.host, excluded.speaks, excluded.address)
         returning (t.xmax = 0) as "added!""#,
        &column(specs, |spec| spec.account.0),
        &column(specs, |spec| spec.page.as_str()) as &[&str],
        &column(specs, |spec| spec.part.as_str()) as &[&str],
        &column(specs, |spec| spec.host.as_str()) as &[&str],
        &column(specs, |spec| spec.is_canary),
        now,
        &column(specs, |spec| spec.speaks),
        &column(specs, |spec| spec.address.as_deref()) as &[Option<&str>]
    )
    .fetch_all(connection)
    .await?;
    Ok(written)
}
