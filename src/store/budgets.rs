//! What is spent on each host, and at what price; and the rhythms that platforms are known by.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::columns::column;
use super::{Store, StoreError};

/// What a host is asked for and what was spent on it.
#[derive(Debug, Clone, PartialEq)]
pub struct HostDemand {
    /// The host.
    pub host: String,
    /// A platform whose pages it serves.
    pub platform: String,
    /// Its targets.
    pub targets: u64,
    /// Σ√λ over its lists, λ in posts a day as learned.
    pub rate_roots: f64,
    /// Σλ over its lists.
    pub rates: f64,
    /// Targets claimed ever.
    pub claimed: u64,
    /// What was set before; absent the first time.
    pub budget: Option<HostBudget>,
}

/// What may be spent on a host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostBudget {
    /// The host.
    pub host: String,
    /// Ordinary visits in a Shanghai day.
    pub per_day: f64,
    /// Targets claimed at once.
    pub claims_max: u32,
    /// What a visit costs, in push-hours of waiting, as it has settled.
    pub settled: f64,
    /// The same as it is now.
    pub price: f64,
    /// Visits of the last hours, as the scheduler writes them.
    pub spending: Value,
    /// [`HostDemand::claimed`] when this was set.
    pub counted: u64,
    /// When this was set.
    pub priced_at: DateTime<Utc>,
}

impl Store {
    /// What every host with targets is asked for, in order of their names.
    pub async fn host_demands(&self) -> Result<Vec<HostDemand>, StoreError> {
        let rows = sqlx::query!(
            r#"select h.host, d.platform as "platform!", d.targets as "targets!",
                   d.rate_roots as "rate_roots!", d.rates as "rates!", h.claimed,
                   b.per_day as "per_day?", b.claims_max as "claims_max?", b.settled as "settled?",
                   b.price as "price?", b.spending as "spending?", b.counted as "counted?",
                   b.priced_at as "priced_at?"
               from host_leases h
                   join (select t.host, min(a.platform) as platform, count(*) as targets,
                             coalesce(sum(sqrt(l.rate)), 0) as rate_roots,
                             coalesce(sum(l.rate), 0) as rates
                         from crawl_targets t join accounts a on a.id = t.account_id,
                             lateral (select case when t.rate_beta > 0
                                 then t.rate_alpha / t.rate_beta end as rate) l
                         group by t.host) d on d.host = h.host
                   left join host_budgets b on b.host = h.host
               order by h.host"#
        )
        .fetch_all(&self.pool)
        .await?;
        let demands = rows.into_iter().map(|row| {
            let budget = row.per_day.zip(row.price).and_then(|(per_day, price)| {
                Some(HostBudget {
                    host: row.host.clone(),
                    per_day,
                    claims_max: row.claims_max?.unsigned_abs(),
                    settled: row.settled?,
                    price,
                    spending: row.spending?,
                    counted: row.counted?.unsigned_abs(),
                    priced_at: row.priced_at?,
                })
            });
            HostDemand {
                host: row.host,
                platform: row.platform,
                targets: row.targets.unsigned_abs(),
                rate_roots: row.rate_roots,
                rates: row.rates,
                claimed: row.claimed.unsigned_abs(),
                budget,
            }
        });
        Ok(demands.collect())
    }

    /// Sets what may be spent on hosts. Where another daemon has set it since `counted` was read,
    /// which is then smaller than what stands, its word stands.
    pub async fn set_host_budgets(&self, budgets: &[HostBudget]) -> Result<u64, StoreError> {
        let written = sqlx::query!(
            "insert into host_budgets as b
                 (host, per_day, claims_max, settled, price, spending, counted, priced_at)
             select n.* from unnest($1::text[], $2::float8[], $3::integer[], $4::float8[],
                 $5::float8[], $6::jsonb[], $7::bigint[], $8::timestamptz[])
                 as n (host, per_day, claims_max, settled, price, spending, counted, priced_at)
             where exists (select from host_leases h where h.host = n.host)
             order by n.host
             on conflict (host) do update set per_day = excluded.per_day,
                 claims_max = excluded.claims_max, settled = excluded.settled,
                 price = excluded.price, spending = excluded.spending, counted = excluded.counted,
                 priced_at = excluded.priced_at
             where b.counted <= excluded.counted and b.priced_at < excluded.priced_at",
            &column(budgets, |one| one.host.clone()),
            &column(budgets, |one| one.per_day),
            &column(budgets, |one| i32::try_from(one.claims_max).unwrap_or(i32::MAX)),
            &column(budgets, |one| one.settled),
            &column(budgets, |one| one.price),
            &column(budgets, |one| one.spending.clone()),
            &column(budgets, |one| i64::try_from(one.counted).unwrap_or(i64::MAX)),
            &column(budgets, |one| one.priced_at),
        )
        .execute(&self.pool)
        .await?;
        Ok(written.rows_affected())
    }

    /// Rhythms of at most `limit` accounts of each platform, as the scheduler wrote them.
    pub async fn rhythms(&self, limit: u32) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        // By a hash of the number, so that the same accounts are asked whatever their age is.
        let rows = sqlx::query!(
            r#"select r.platform, r.rhythm as "rhythm!" from (
                   select a.platform, t.rhythm, row_number() over (
                       partition by a.platform order by hashint8(t.account_id), t.page) as place
                   from crawl_targets t join accounts a on a.id = t.account_id
                   where t.rhythm is not null) r
               where r.place <= $1 order by r.platform, r.place"#,
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.platform, row.rhythm)).collect())
    }
}
