//! Posts at their first listing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, count_json, read_moment};
use super::finish::Discovered;
use super::known::Known;
use super::listing::{ListedRow, form};
use crate::domain::{AccountId, Moment, Post};

/// Writes the posts that are not known, whole, each with the first sample of its numbers.
///
/// A visit has missed a post if it read the same part earlier and its span holds the whole interval
/// `[claimed, claimed + step)` of the claimed time. Such a visit began no more than a day before
/// that time: no span reaches beyond its as-of time, which is never a day later than the begin.
pub(super) async fn insert(
    connection: &mut PgConnection,
    listed: &[ListedRow<'_>],
    known: &Known,
) -> Result<Vec<Discovered>, StoreError> {
    let new: Vec<&ListedRow<'_>> =
        listed.iter().filter(|r| !known.contains_key(&r.key())).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = |post: &Post| post.published;
    let before = seen_before(connection, &new).await?;
    let rows = sqlx::query!(
        r#"with new as (
             select n.*,
                 case when n.seen_before is not null then (
                     select max(v.as_of) from visits v
                     where v.account_id = n.account_id and v.part = n.part
                         and v.outcome = 'observed' and v.as_of < n.first_seen
                         and v.started_at >= n.claimed_at - interval '1 day'
                         and v.span_low < n.claimed_at and v.span_high >= n.claimed_end
                 ) end as missed_by,
                 coalesce(n.reads, n.likes, n.comments, n.shares) is not null as is_sample
             from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
                 $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[],
                 $11::text[], $12::timestamptz[], $13::text[], $14::text[], $15::text[],
                 $16::text[], $17::text[], $18::text[], $19::jsonb[], $20::jsonb[], $21::jsonb[],
                 $22::jsonb[], $23::timestamptz[])
                 as n (account_id, ref, page, part, claimed_at, claimed_precision, claimed_text,
                     first_seen, recorded_at, claimed_end, first_text_digest, seen_at, url, title,
                     form, origin, text_digest, text_simhash, reads, likes, comments, shares,
                     seen_before)
         ), written as (
             insert into posts (account_id, ref, page, part, url, title, form, origin, claimed_at,
                 claimed_precision, claimed_text, first_seen, last_seen, missed_by, seen_before,
                 text_digest, text_simhash, reads, likes, comments, shares, sampled_at, recorded_at,
                 first_text_digest)
             select account_id, ref, page, part, url, title, form, origin, claimed_at,
                 claimed_precision, claimed_text, first_seen, seen_at, missed_by, seen_before,
                 text_digest, text_simhash, reads, likes, comments, shares,
                 case when is_sample then seen_at end, recorded_at, first_text_digest
             from new
             on conflict (account_id, ref) do nothing
             returning account_id, ref, claimed_at, claimed_precision, first_seen, missed_by
         ), sampled as (
             insert into post_samples (account_id, ref, at, recorded_at, reads, likes, comments,
                 shares)
             select n.account_id, n.ref, n.seen_at, n.recorded_at, n.reads, n.likes, n.comments,
                 n.shares
             from new n join written w on w.account_id = n.account_id and w.ref = n.ref
             where n.is_sample
             on conflict (account_id, ref, at) do nothing
         )
         select account_id as "account_id!", ref as "ref!", claimed_at, claimed_precision,
             first_seen as "first_seen!", missed_by
         from written"#,
        &column(&new, |r| r.account),
        &column(&new, |r| r.reference.clone()),
        &column(&new, |r| r.page.to_owned()),
        &column(&new, |r| r.part.to_owned()),
        &column(&new, |r| claimed(r.first).map(|at| at.at)) as &[Option<DateTime<Utc>>],
        &column(&new, |r| claimed(r.first).map(|at| at.precision.as_str().to_owned()))
            as &[Option<String>],
        &column(&new, |r| r.first.published_text.clone()) as &[Option<String>],
        &column(&new, |r| r.first_seen),
        &column(&new, |r| r.recorded_at),
        &column(&new, |r| claimed(r.first).map(Moment::upper)) as &[Option<DateTime<Utc>>],
        &column(&new, |r| r.first.text_digest.clone()) as &[Option<String>],
        &column(&new, |r| r.seen_at),
        &column(&new, |r| r.last.url.clone()) as &[Option<String>],
        &column(&new, |r| r.last.title.clone()) as &[Option<String>],
        &column(&new, |r| form(r)) as &[Option<String>],
        &column(&new, |r| r.last.origin.as_str().to_owned()),
        &column(&new, |r| r.last.text_digest.clone()) as &[Option<String>],
        &column(&new, |r| r.last.text_simhash.clone()) as &[Option<String>],
        &column(&new, |r| count_json(r.last.reads.as_ref())) as &[Option<Value>],
        &column(&new, |r| count_json(r.last.likes.as_ref())) as &[Option<Value>],
        &column(&new, |r| count_json(r.last.comments.as_ref())) as &[Option<Value>],
        &column(&new, |r| count_json(r.last.shares.as_ref())) as &[Option<Value>],
        &column(&new, |r| before.get(&r.record).copied()) as &[Option<DateTime<Utc>>],
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Discovered {
                account: AccountId(row.account_id),
                reference: row.r#ref,
                claimed: read_moment(row.claimed_at, row.claimed_precision)?,
                first_seen: row.first_seen,
                missed_by: row.missed_by,
            })
        })
        .collect()
}

/// By the place of the record that listed the posts first: as-of time of the newest earlier
/// observation of the same account and part, where there is one.
///
/// Looks at a week first: as no as-of time is a day later than its visit's begin, what is found
/// there is the newest, and only lists not read for a week are searched from their beginning.
async fn seen_before(
    connection: &mut PgConnection,
    new: &[&ListedRow<'_>],
) -> Result<BTreeMap<usize, DateTime<Utc>>, StoreError> {
    let lists: BTreeMap<usize, &ListedRow<'_>> = new.iter().map(|row| (row.record, *row)).collect();
    let lists: Vec<&ListedRow<'_>> = lists.into_values().collect();
    let rows = sqlx::query!(
        r#"select n.place as "place!", coalesce(
                 (select max(v.as_of) from visits v
                  where v.account_id = n.account_id and v.part = n.part and v.outcome = 'observed'
                      and v.as_of < n.first_seen and v.as_of >= n.first_seen - interval '7 days'
                      and v.started_at >= n.first_seen - interval '8 days'),
                 (select max(v.as_of) from visits v
                  where v.account_id = n.account_id and v.part = n.part and v.outcome = 'observed'
                      and v.as_of < n.first_seen)) as seen_before
           from unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[])
               as n (place, account_id, part, first_seen)"#,
        &column(&lists, |row| i64::try_from(row.record).unwrap_or(i64::MAX)),
        &column(&lists, |row| row.account),
        &column(&lists, |row| row.part.to_owned()),
        &column(&lists, |row| row.first_seen),
    )
    .fetch_all(connection)
    .await?;
    let place = |row: i64| usize::try_from(row).expect("the places come back as they were given");
    Ok(rows.into_iter().filter_map(|row| Some((place(row.place), row.seen_before?))).collect())
}
