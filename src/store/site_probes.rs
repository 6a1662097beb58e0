//! Whether sites can be opened: whose turn it is, and how each attempt ended.

use chrono::{DateTime, TimeDelta, Utc};

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::{HostPace, HostTerms};
use crate::observe::Probe;

/// A site whose home page is to be opened now.
#[derive(Debug, Clone, PartialEq)]
pub struct DueProbe {
    /// The site.
    pub host: String,
    /// Its home page.
    pub address: String,
    /// The platform file whose limit holds for it.
    pub platform: String,
    /// How its host comes to whoever claimed.
    pub terms: HostTerms,
    /// When others may take the host.
    pub lease_until: DateTime<Utc>,
}

/// One attempt to open a site's home page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteProbe {
    /// The site.
    pub host: String,
    /// When it was asked for, and how that ended.
    pub probe: Probe,
    /// Why it was not opened; a stable word.
    pub reason: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// From the request to the last byte, in milliseconds.
    pub duration_ms: Option<u32>,
    /// Another host that answered at that time; a failure needs one.
    pub witness: Option<String>,
    /// When it is to be tried again, where that is sooner than usual.
    pub again_at: Option<DateTime<Utc>>,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
}

impl Store {
    /// Takes sites whose probe is due, at most `limit`, with their hosts for as long as `lease`,
    /// and sets their next one `every` later.
    ///
    /// A host that another daemon holds is left to that daemon, so that its limit, which each keeps
    /// for itself, holds across daemons.
    pub async fn claim_probes(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        lease: TimeDelta,
        every: TimeDelta,
        limit: u32,
    ) -> Result<Vec<DueProbe>, StoreError> {
        let rows = sqlx::query!(
            r#"with due as materialized (
                 select s.host, h.speed, h.troubles, h.rest_until,
                     h.owner is distinct from $1 as taken,
                     coalesce(h.lease_until, h.released_at) as free_since,
                     greatest(h.lease_until, $5) as lease_until
                 from sites s join host_leases h on h.host = s.host
                 where s.active and s.probe_due_at <= $2
                   and (h.owner is null or h.owner = $1 or h.lease_until <= $2)
                 order by s.probe_due_at limit $4 for update of s, h skip locked
             ), held as (
                 update host_leases h set owner = $1, lease_until = d.lease_until
                 from due d where h.host = d.host
             )
             update sites s set probe_due_at = greatest(s.probe_due_at + $3::float8
                 * interval '1 second', $2::timestamptz + $3 / 2 * interval '1 second')
             from due where s.host = due.host
             returning s.host, s.address, s.platform, due.speed, due.troubles, due.rest_until,
                 due.taken as "taken!", due.free_since, due.lease_until as "lease_until!""#,
            owner,
            now,
            every.as_seconds_f64(),
            i64::from(limit),
            now + lease
        )
        .fetch_all(&self.pool)
        .await?;
        let probes = rows.into_iter().map(|row| {
            let troubles = row.troubles.unsigned_abs();
            let pace = HostPace { speed: row.speed, troubles, rest_until: row.rest_until };
            DueProbe {
                host: row.host,
                address: row.address,
                platform: row.platform,
                terms: HostTerms { pace, taken: row.taken, free_since: row.free_since },
                lease_until: row.lease_until,
            }
        });
        Ok(probes.collect())
    }

    /// Writes probes down; the same one a second time changes nothing.
    pub async fn save_probes(&self, probes: &[SiteProbe]) -> Result<(), StoreError> {
        let instants: Vec<DateTime<Utc>> = probes.iter().map(|one| one.probe.at).collect();
        self.ensure_months(instants).await?;
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "insert into site_probes (host, at, outcome, reason, status, duration_ms, witness,
                 recorded_at)
             select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[],
                 $5::smallint[], $6::integer[], $7::text[], $8::timestamptz[])
             on conflict (host, at) do nothing",
            &column(probes, |one| one.host.clone()),
            &column(probes, |one| one.probe.at),
            &column(probes, |one| one.probe.outcome.as_str().to_owned()),
            &column(probes, |one| one.reason.clone()) as &[Option<String>],
            &column(probes, |one| one.status.and_then(|code| i16::try_from(code).ok()))
                as &[Option<i16>],
            &column(probes, |one| one.duration_ms.map(|ms| i32::try_from(ms).unwrap_or(i32::MAX)))
                as &[Option<i32>],
            &column(probes, |one| one.witness.clone()) as &[Option<String>],
            &column(probes, |one| one.recorded_at),
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "update sites s set probe_due_at = least(s.probe_due_at, n.again_at)
             from unnest($1::text[], $2::timestamptz[]) as n (host, again_at)
             where s.host = n.host and n.again_at is not null",
            &column(probes, |one| one.host.clone()),
            &column(probes, |one| one.again_at) as &[Option<DateTime<Utc>>],
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A host, none of these, that answered us since an instant: proof that our own network was up.
    pub async fn witness(
        &self,
        since: DateTime<Utc>,
        not: &[String],
    ) -> Result<Option<String>, StoreError> {
        let host = sqlx::query_scalar!(
            r#"select w.host as "host!" from (
                   select t.host from crawl_targets t
                   where t.last_visit_at >= $1 and t.last_outcome in ('observed', 'gone')
                     and t.host <> all($2)
                   union all
                   select p.host from site_probes p
                   where p.at >= $1 and p.outcome = 'open' and p.host <> all($2)
               ) w limit 1"#,
            since,
            not
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(host)
    }
}
