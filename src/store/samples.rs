//! What pages say of the account itself, and citizens' messages.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::columns::{column, count_json, read_count};
use super::record::VisitRecord;
use super::{Store, StoreError};
use crate::domain::{AccountId, Count, Identity, Inquiry, Precision};

/// How an account shows itself, as last seen under a proven identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The account.
    pub account: AccountId,
    /// The platform's id.
    pub handle: Option<String>,
    /// The shown name.
    pub name: Option<String>,
    /// The certification text (认证).
    pub verified_as: Option<String>,
    /// Followers.
    pub followers: Option<Count>,
    /// The profile's own counter of posts.
    pub posts_total: Option<Count>,
}

impl Store {
    /// How the ledger's accounts show themselves, in the order of their numbers. One that is absent
    /// has never been seen under a proven identity.
    pub async fn profiles(&self) -> Result<Vec<Profile>, StoreError> {
        let rows = sqlx::query!(
            "select p.account_id, p.handle, p.name, p.verified_as, p.followers, p.posts_total
             from account_profiles p join accounts a on a.id = p.account_id
             where a.in_ledger order by p.account_id"
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Profile {
                    account: AccountId(row.account_id),
                    handle: row.handle,
                    name: row.name,
                    verified_as: row.verified_as,
                    followers: read_count(row.followers)?,
                    posts_total: read_count(row.posts_total)?,
                })
            })
            .collect()
    }
}

struct Shown<'a> {
    account: i64,
    at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    identity: &'a Identity,
}

/// Keeps how each account shows itself; changed numbers of followers and posts get a sample.
pub(super) async fn write_profiles(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<(), StoreError> {
    let mut newest: BTreeMap<i64, Shown<'_>> = BTreeMap::new();
    for &record in records {
        let Some(identity) = &record.identity else { continue };
        let (account, at) = (record.account.0, record.seen_at);
        if newest.get(&account).is_none_or(|other| other.at <= at) {
            let recorded_at = record.visit.recorded_at;
            newest.insert(account, Shown { account, at, recorded_at, identity });
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let shown: Vec<Shown<'_>> = newest.into_values().collect();
    sqlx::query!(
        "with shown as (
             select * from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::text[],
                 $5::text[], $6::text[], $7::jsonb[], $8::jsonb[])
                 as n (account_id, at, recorded_at, handle, name, verified_as, followers,
                     posts_total)
         ), kept as (
             insert into account_profiles as p (account_id, handle, name, verified_as, followers,
                 posts_total, sampled_at)
             select account_id, handle, name, verified_as, followers, posts_total, at from shown
             on conflict (account_id) do update set
                 handle = coalesce(excluded.handle, p.handle),
                 name = coalesce(excluded.name, p.name),
                 verified_as = coalesce(excluded.verified_as, p.verified_as),
                 followers = coalesce(excluded.followers, p.followers),
                 posts_total = coalesce(excluded.posts_total, p.posts_total),
                 sampled_at = case when (coalesce(excluded.followers, p.followers),
                         coalesce(excluded.posts_total, p.posts_total))
                     is distinct from (p.followers, p.posts_total)
                     then excluded.sampled_at else p.sampled_at end
             where excluded.sampled_at >= p.sampled_at and (
                 coalesce(excluded.handle, p.handle), coalesce(excluded.name, p.name),
                 coalesce(excluded.verified_as, p.verified_as),
                 coalesce(excluded.followers, p.followers),
                 coalesce(excluded.posts_total, p.posts_total))
                 is distinct from (p.handle, p.name, p.verified_as, p.followers, p.posts_total)
             returning p.account_id, p.followers, p.posts_total, p.sampled_at
         )
         insert into account_samples (account_id, at, recorded_at, followers, posts_total)
         select k.account_id, s.at, s.recorded_at, k.followers, k.posts_total
         from kept k join shown s on s.account_id = k.account_id and s.at = k.sampled_at
         where coalesce(s.followers, s.posts_total) is not null
         on conflict (account_id, at) do nothing",
        &column(&shown, |s| s.account),
        &column(&shown, |s| s.at),
        &column(&shown, |s| s.recorded_at),
        &column(&shown, |s| s.identity.handle.clone()) as &[Option<String>],
        &column(&shown, |s| s.identity.name.clone()) as &[Option<String>],
        &column(&shown, |s| s.identity.verified_as.clone()) as &[Option<String>],
        &column(&shown, |s| count_json(s.identity.followers.as_ref())) as &[Option<Value>],
        &column(&shown, |s| count_json(s.identity.posts_total.as_ref())) as &[Option<Value>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Heard<'a> {
    account: i64,
    page: &'a str,
    at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    inquiry: &'a Inquiry,
}

/// Keeps messages with the first answer that was seen.
pub(super) async fn write_inquiries(
    connection: &mut PgConnection,
    records: &[&VisitRecord],
) -> Result<(), StoreError> {
    let mut heard: BTreeMap<(i64, &str), Heard<'_>> = BTreeMap::new();
    for &record in records {
        let (account, at, recorded_at) =
            (record.account.0, record.seen_at, record.visit.recorded_at);
        for inquiry in &record.inquiries {
            let page = record.visit.page.as_str();
            let one = Heard { account, page, at, recorded_at, inquiry };
            heard.insert((account, &inquiry.reference), one);
        }
    }
    if heard.is_empty() {
        return Ok(());
    }
    let heard: Vec<Heard<'_>> = heard.into_values().collect();
    sqlx::query!(
        "insert into inquiries as i (account_id, ref, asked_at, replied_at, precision, official,
             first_seen, last_seen, reply_seen_at, recorded_at, page)
         select n.account_id, n.ref, n.asked_at, n.replied_at, n.precision, n.official, n.at, n.at,
             case when n.replied_at is not null then n.at end, n.recorded_at, n.page
         from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
             $6::bool[], $7::timestamptz[], $8::timestamptz[], $9::text[])
             as n (account_id, ref, asked_at, replied_at, precision, official, at, recorded_at,
                 page)
         on conflict (account_id, ref) do update set
             asked_at = coalesce(i.asked_at, excluded.asked_at),
             replied_at = coalesce(i.replied_at, excluded.replied_at),
             precision = coalesce(i.precision, excluded.precision),
             official = case when i.replied_at is null then excluded.official else i.official end,
             reply_seen_at = coalesce(i.reply_seen_at, excluded.reply_seen_at),
             last_seen = greatest(i.last_seen, excluded.last_seen)
         where excluded.last_seen > i.last_seen
            or (i.replied_at is null and excluded.replied_at is not null)",
        &column(&heard, |h| h.account),
        &column(&heard, |h| h.inquiry.reference.clone()),
        &column(&heard, |h| h.inquiry.asked_at.map(|at| at.at)) as &[Option<DateTime<Utc>>],
        &column(&heard, |h| h.inquiry.replied_at.map(|at| at.at)) as &[Option<DateTime<Utc>>],
        &column(&heard, |h| precision(h.inquiry).map(|one| one.as_str().to_owned()))
            as &[Option<String>],
        &column(&heard, |h| h.inquiry.official),
        &column(&heard, |h| h.at),
        &column(&heard, |h| h.recorded_at),
        &column(&heard, |h| h.page.to_owned()),
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn precision(inquiry: &Inquiry) -> Option<Precision> {
    let times = [inquiry.asked_at, inquiry.replied_at].into_iter().flatten();
    inquiry.precision.or_else(|| times.map(|at| at.precision).max())
}
