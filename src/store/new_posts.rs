//! Posts at their first listing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, to_micros};
use super::copying::CopyRows;
use super::finish::Discovered;
use super::listing::{ListedRow, Listing};
use super::lists::Lists;
use crate::domain::{AccountId, Form, Moment, Post};

/// The columns in the order in which [`insert`] gives them.
const POSTS: &str = "copy posts (account_id, ref, page, part, claimed_at, claimed_precision,
    claimed_text, first_seen, recorded_at, first_text_digest, last_seen, url, title, form, origin,
    text_digest, text_simhash, reads, likes, comments, shares, seen_before, missed_by, sampled_at,
    stands, told) from stdin (format binary)";

/// And those of [`sample`].
const SAMPLES: &str = "copy post_samples (account_id, ref, at, recorded_at, reads, likes, comments,
    shares) from stdin (format binary)";

/// Writes the posts that are not known, whole, each with the first sample of its numbers.
///
/// Every writer of an account's posts holds the account's lock, so that what was not known is not
/// there: plain rows, without looking for others.
pub(super) async fn insert(
    connection: &mut PgConnection,
    listed: &Listing<'_>,
    lists: &Lists<'_>,
) -> Result<Vec<Discovered>, StoreError> {
    let new: Vec<&ListedRow<'_>> = listed.unknown().collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let before = seen_before(connection, &new).await?;
    let missed = missed_by(connection, &new, &before).await?;
    let missed_at =
        |row: &ListedRow<'_>| missed.get(&(row.account, row.reference.to_owned())).copied();
    let mut rows = CopyRows::new();
    for row in &new {
        let (first, last, claimed) = (row.first, row.last, row.first.published);
        rows.push([
            &row.account,
            &row.reference,
            &row.page,
            &row.part,
            &claimed.map(|at| at.at),
            &claimed.map(|at| at.precision.as_str()),
            &first.published_text,
            &row.first_seen,
            &row.recorded_at,
            &first.text_digest,
            &row.seen_at,
            &last.url,
            &last.title,
            &last.form.map(Form::as_str),
            &last.origin.as_str(),
            &last.text_digest,
            &last.text_simhash,
            &last.reads,
            &last.likes,
            &last.comments,
            &last.shares,
            &before.get(&row.record),
            &missed_at(row),
            &row.has_numbers().then_some(row.seen_at),
            &lists.new_stands(row),
            &row.told.as_slice(),
        ]);
    }
    rows.copy(connection, POSTS).await?;
    sample(connection, &new).await?;
    let discovered = |row: &&ListedRow<'_>| Discovered {
        account: AccountId(row.account),
        reference: row.reference.to_owned(),
        claimed: row.first.published.map(|claim| Moment { at: to_micros(claim.at), ..claim }),
        first_seen: to_micros(row.first_seen),
        missed_by: missed_at(row),
    };
    Ok(new.iter().map(discovered).collect())
}

/// The first samples of new posts: none can be there already.
async fn sample(connection: &mut PgConnection, new: &[&ListedRow<'_>]) -> Result<(), StoreError> {
    let new: Vec<&ListedRow<'_>> = new.iter().copied().filter(|r| r.has_numbers()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut rows = CopyRows::new();
    for row in new {
        let Post { reads, likes, comments, shares, .. } = row.last;
        let (at, recorded_at) = (&row.seen_at, &row.recorded_at);
        rows.push([&row.account, &row.reference, at, recorded_at, reads, likes, comments, shares]);
    }
    rows.copy(connection, SAMPLES).await
}

/// As-of time of the newest visit that should have listed each post and did not.
///
/// A visit has missed a post if it read the same part earlier and its span holds the whole interval
/// `[claimed, claimed + step)` of the claimed time. Such a visit began no more than a day before
/// that time: no span reaches beyond its as-of time, which is never a day later than the begin.
async fn missed_by(
    connection: &mut PgConnection,
    new: &[&ListedRow<'_>],
    before: &BTreeMap<usize, DateTime<Utc>>,
) -> Result<BTreeMap<(i64, String), DateTime<Utc>>, StoreError> {
    let may_be_late =
        |row: &&&ListedRow<'_>| row.first.published.is_some() && before.contains_key(&row.record);
    let late: Vec<&ListedRow<'_>> = new.iter().filter(may_be_late).copied().collect();
    if late.is_empty() {
        return Ok(BTreeMap::new());
    }
    let claimed = |row: &ListedRow<'_>| row.first.published;
    let rows = sqlx::query!(
        r#"select n.account_id as "account_id!", n.ref as "ref!", missed.at as "at!"
           from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[],
               $5::timestamptz[], $6::timestamptz[])
               as n (account_id, ref, part, first_seen, claimed_at, claimed_end)
           cross join lateral (
               select max(v.as_of) as at from visits v
               where v.account_id = n.account_id and v.part = n.part
                 and v.outcome = 'observed' and v.as_of < n.first_seen
                 and v.started_at >= n.claimed_at - interval '1 day'
                 and v.span_low < n.claimed_at and v.span_high >= n.claimed_end
           ) missed
           where missed.at is not null"#,
        &column(&late, |r| r.account),
        &column(&late, |r| r.reference) as &[&str],
        &column(&late, |r| r.part.to_owned()),
        &column(&late, |r| r.first_seen),
        &column(&late, |r| claimed(r).map(|at| at.at)) as &[Option<DateTime<Utc>>],
        &column(&late, |r| claimed(r).map(Moment::upper)) as &[Option<DateTime<Utc>>]
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.account_id, row.r#ref), row.at)).collect())
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
