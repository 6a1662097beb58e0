//! Government sites: home pages, columns, and whether they can be opened.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::columns::{column, misread};
use super::{Store, StoreError};
use crate::domain::{AccountId, ColumnClass};
use crate::observe::{ColumnState, HomeRun, HomeShown, Probe, ProbeOutcome};

/// A site that shall be watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteSpec {
    /// Its host.
    pub host: String,
    /// Its home page.
    pub address: String,
    /// The platform file that reads it.
    pub platform: String,
}

/// A column with its name, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteColumn {
    /// Its address.
    pub address: String,
    /// Its name.
    pub name: String,
    /// What it shows.
    pub state: ColumnState,
    /// Items at the newest look that read it.
    pub items: Option<u32>,
    /// Why the newest look did not read it.
    pub reason: Option<String>,
}

/// Everything known of a site that bears on a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFacts {
    /// Its host.
    pub host: String,
    /// Its home page.
    pub address: String,
    /// Probes since the time asked for, in order.
    pub probes: Vec<Probe>,
    /// The home page over time, oldest first.
    pub home: Vec<HomeRun>,
    /// Its columns, by name.
    pub columns: Vec<SiteColumn>,
}

impl Store {
    /// Makes the watched sites be exactly these; gives each the account that stands for it among
    /// the targets, which is outside the ledger.
    ///
    /// A site no longer wanted keeps what is known of it. The first probes are spread over
    /// `spread`.
    pub async fn sync_sites(
        &self,
        specs: &[SiteSpec],
        spread: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<String, AccountId>, StoreError> {
        let hosts = column(specs, |one| one.host.clone());
        let addresses = column(specs, |one| one.address.clone());
        let platforms = column(specs, |one| one.platform.clone());
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "insert into host_leases (host) select distinct host from unnest($1::text[]) as h (host)
             order by host on conflict (host) do nothing",
            &hosts
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "insert into accounts (key, in_ledger, platform, handle, name, lifecycle, created_at,
                 updated_at)
             select 'site:' || s.host, false, s.platform, s.address, s.host, 'running', $4, $4
             from unnest($1::text[], $2::text[], $3::text[]) as s (host, address, platform)
             on conflict (key) do update set platform = excluded.platform,
                 handle = excluded.handle
             where (accounts.platform, accounts.handle)
                 is distinct from (excluded.platform, excluded.handle)",
            &hosts,
            &addresses,
            &platforms,
            now
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "insert into sites (host, address, platform, account_id, probe_due_at)
             select s.host, s.address, s.platform, a.id,
                 $4::timestamptz + (abs(hashtext(s.host)) % 1000)
                     * ($5::float8 * interval '1 second')
                     / 1000
             from unnest($1::text[], $2::text[], $3::text[]) as s (host, address, platform)
             join accounts a on a.key = 'site:' || s.host
             on conflict (host) do update set address = excluded.address,
                 platform = excluded.platform, active = true
             where (sites.address, sites.platform, sites.active)
                 is distinct from (excluded.address, excluded.platform, true)",
            &hosts,
            &addresses,
            &platforms,
            now,
            spread.as_seconds_f64()
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("update sites set active = false where active and host <> all($1)", &hosts)
            .execute(&mut *transaction)
            .await?;
        let rows = sqlx::query!("select host, account_id from sites where active")
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(rows.into_iter().map(|row| (row.host, AccountId(row.account_id))).collect())
    }

    /// The columns where citizens write, of the watched sites: host, address, name.
    pub async fn message_columns(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        let rows = sqlx::query!(
            "select c.host, c.address, c.name from site_columns c
             where c.class = 'messages' order by c.host, c.address"
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.host, row.address, row.name)).collect())
    }

    /// What is known of the site that an account of the ledger stands on, by the host of its list:
    /// probes since `probes_since`, looks at the home page since `looks_since` with the newest
    /// before. `None` where it stands on no watched site.
    pub async fn site_facts(
        &self,
        key: &str,
        probes_since: DateTime<Utc>,
        looks_since: DateTime<Utc>,
    ) -> Result<Option<SiteFacts>, StoreError> {
        let site = sqlx::query!(
            "select s.host, s.address from sites s
             join crawl_targets t on t.host = s.host and t.speaks
             join accounts a on a.id = t.account_id and a.in_ledger
             where a.key = $1 and s.active order by s.host limit 1",
            key
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(site) = site else { return Ok(None) };
        let probes = sqlx::query!(
            "select at, outcome from site_probes where host = $1 and at >= $2 order by at",
            site.host,
            probes_since
        )
        .fetch_all(&self.pool)
        .await?;
        let probes = probes.into_iter().map(|row| {
            let found = ProbeOutcome::ALL.into_iter().find(|one| one.1 == row.outcome);
            let outcome = found.ok_or_else(|| misread("a probe's outcome", &row.outcome))?.0;
            Ok(Probe { at: row.at, outcome })
        });
        let probes = probes.collect::<Result<Vec<_>, StoreError>>()?;
        let home = self.home_runs(&site.host, looks_since).await?;
        let columns = self.site_columns(&site.host).await?;
        Ok(Some(SiteFacts { host: site.host, address: site.address, probes, home, columns }))
    }

    async fn home_runs(
        &self,
        host: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<HomeRun>, StoreError> {
        let rows = sqlx::query!(
            "select at, last_at, fingerprint, items, newest_at from site_looks
             where host = $1 and last_at >= coalesce((
                 select max(b.at) from site_looks b
                 where b.host = $1 and b.at < $2 and b.fingerprint is not null), $2)
             order by at",
            host,
            since
        )
        .fetch_all(&self.pool)
        .await?;
        let runs = rows.into_iter().map(|row| HomeRun {
            from: row.at,
            to: row.last_at,
            shown: row.fingerprint.map(|fingerprint| HomeShown {
                fingerprint,
                items: row.items.unwrap_or_default().unsigned_abs(),
                newest_at: row.newest_at,
            }),
        });
        Ok(runs.collect())
    }

    async fn site_columns(&self, host: &str) -> Result<Vec<SiteColumn>, StoreError> {
        let rows = sqlx::query!(
            "select address, name, class, looked_at, items, newest_at, blank_since, reason
             from site_columns where host = $1 order by name, address",
            host
        )
        .fetch_all(&self.pool)
        .await?;
        let columns = rows.into_iter().map(|row| {
            let class = ColumnClass::from_word(&row.class);
            Ok(SiteColumn {
                address: row.address,
                name: row.name,
                state: ColumnState {
                    class: class.ok_or_else(|| misread("a class of columns", &row.class))?,
                    looked_at: row.looked_at,
                    newest_at: row.newest_at,
                    blank_since: row.blank_since,
                },
                items: row.items.map(i32::unsigned_abs),
                reason: row.reason,
            })
        });
        columns.collect()
    }
}
