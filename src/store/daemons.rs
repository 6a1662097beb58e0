//! The daemons that share the database: how many there are, and how the hosts go from one to
//! another.

use chrono::{DateTime, TimeDelta, Utc};

use super::columns::column;
use super::{Store, StoreError};
use crate::domain::HostPace;

/// What a daemon holds of what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Daemons that crawl on this database, this one included.
    pub daemons: u32,
    /// Hosts that are held by any of them, or have something due.
    pub hosts: u32,
    /// The hosts that this one holds, in order.
    pub mine: Vec<String>,
}

/// A daemon that was not heard of for so long is forgotten.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(7);

impl Store {
    /// Says that a daemon is there and counts until `until`; returns what it holds.
    pub async fn announce(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Holding, StoreError> {
        sqlx::query!("delete from daemons where seen_until < $1", now - FORGOTTEN_AFTER)
            .execute(&self.pool)
            .await?;
        sqlx::query!(
            "insert into daemons (owner, started_at, seen_until) values ($1, $2, $3)
             on conflict (owner) do update set seen_until = excluded.seen_until",
            owner,
            now,
            until
        )
        .execute(&self.pool)
        .await?;
        let row = sqlx::query!(
            r#"select (select count(*) from daemons d where d.seen_until > $2) as "daemons!",
                   (select count(*) from host_leases h where h.lease_until > $2
                       or exists (select from crawl_targets t
                           where t.host = h.host and t.due_at <= $2)) as "hosts!",
                   array(select h.host from host_leases h
                       where h.owner = $1 and h.lease_until > $2 order by h.host) as "mine!""#,
            owner,
            now
        )
        .fetch_one(&self.pool)
        .await?;
        let number = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Holding { daemons: number(row.daemons), hosts: number(row.hosts), mine: row.mine })
    }

    /// Gives hosts back, of which nothing is being asked, each with the pace it was asked at;
    /// returns how many were still held. What the daemon had claimed of them is due at once.
    pub async fn give_back(
        &self,
        owner: &str,
        hosts: &[(String, HostPace)],
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let names = column(hosts, |one| one.0.clone());
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "with held as (
                 select t.account_id, t.page from crawl_targets t
                 where t.lease_owner = $1 and t.host = any($2)
                 order by t.account_id, t.page for update of t
             )
             update crawl_targets t set lease_owner = null, lease_until = null from held h
             where t.account_id = h.account_id and t.page = h.page",
            owner,
            &names
        )
        .execute(&mut *transaction)
        .await?;
        let given = sqlx::query!(
            "update host_leases h set owner = null, lease_until = null, released_at = $6,
                 speed = n.speed, troubles = n.troubles, rest_until = n.rest_until
             from unnest($2::text[], $3::float8[], $4::integer[], $5::timestamptz[])
                 as n (host, speed, troubles, rest_until)
             where h.host = n.host and h.owner = $1",
            owner,
            &names,
            &column(hosts, |one| one.1.speed),
            &column(hosts, |one| troubles(&one.1)),
            &column(hosts, |one| one.1.rest_until) as &[Option<DateTime<Utc>>],
            now
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(given.rows_affected())
    }

    /// Keeps the pace of a host that a daemon holds, should another have to go on with it.
    pub async fn note_pace(
        &self,
        owner: &str,
        host: &str,
        pace: &HostPace,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update host_leases set speed = $3, troubles = $4, rest_until = $5
             where host = $2 and owner = $1",
            owner,
            host,
            pace.speed,
            troubles(pace),
            pace.rest_until
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn troubles(pace: &HostPace) -> i32 {
    i32::try_from(pace.troubles).unwrap_or(i32::MAX)
}
