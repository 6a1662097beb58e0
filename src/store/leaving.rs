//! Posts that leave their lists.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use super::columns::column;

/// A post that stood in a list and stays in it.
pub(super) struct Staying<'a> {
    pub(super) account: i64,
    pub(super) reference: &'a str,
    /// The time that it claimed first.
    pub(super) claimed_at: Option<DateTime<Utc>>,
}

/// How many posts have left the list of an account's page kind.
pub(super) type Left<'a> = (i64, &'a str, i32);

/// Takes so many posts out of lists: those that stand there and do not stay.
pub(super) async fn leave(
    connection: &mut PgConnection,
    left: Vec<Left<'_>>,
    staying: &[Staying<'_>],
) -> Result<(), StoreError> {
    let left = leave_at_the_end(connection, left, staying).await?;
    leave_elsewhere(connection, &left, staying).await
}

/// Takes posts out of lists that are older than all that stay: what is new pushes the oldest out.
/// Only a few next to the end are looked at; gives back what has left from elsewhere.
async fn leave_at_the_end<'a>(
    connection: &mut PgConnection,
    left: Vec<Left<'a>>,
    staying: &[Staying<'_>],
) -> Result<Vec<Left<'a>>, StoreError> {
    let mut ends: BTreeMap<i64, DateTime<Utc>> = BTreeMap::new();
    for (post, at) in staying.iter().filter_map(|post| Some((post, post.claimed_at?))) {
        ends.entry(post.account).and_modify(|end| *end = at.min(*end)).or_insert(at);
    }
    let short: Vec<(Left<'_>, DateTime<Utc>)> =
        left.iter().filter_map(|list| Some((*list, *ends.get(&list.0)?))).collect();
    if short.is_empty() {
        return Ok(left);
    }
    let at_end = |post: &&Staying<'_>| {
        let end = ends.get(&post.account);
        end.is_some_and(|end| post.claimed_at.is_none_or(|at| at <= *end))
    };
    let staying: Vec<&Staying<'_>> = staying.iter().filter(at_end).collect();
    let gone = sqlx::query!(
        r#"with staying as materialized (
             select s.account_id, array_agg(s.ref) as refs
             from unnest($5::bigint[], $6::text[]) as s (account_id, ref) group by s.account_id
         ), gone as materialized (
             select g.account_id, g.ref, n.page, l.seen_at
             from unnest($1::bigint[], $2::text[], $3::integer[], $4::timestamptz[])
                 as n (account_id, page, count, at_end)
             join lists l on l.account_id = n.account_id and l.page = n.page
             left join staying s on s.account_id = n.account_id
             cross join lateral (
                 select o.account_id, o.ref from (
                     select p.account_id, p.ref, p.page, p.stands from posts p
                     where p.account_id = n.account_id
                       and coalesce(p.claimed_at, p.first_seen) <= n.at_end
                     order by coalesce(p.claimed_at, p.first_seen) desc limit n.count + 16
                 ) o
                 where o.page = n.page and o.stands and o.ref <> all(coalesce(s.refs, '{}'))
                 limit n.count
             ) g
         )
         update posts p set stands = false, last_seen = greatest(p.last_seen, g.seen_at)
         from gone g where p.account_id = g.account_id and p.ref = g.ref
         returning p.account_id, g.page as "page!""#,
        &column(&short, |(list, _)| list.0),
        &column(&short, |(list, _)| list.1.to_owned()),
        &column(&short, |(list, _)| list.2),
        &column(&short, |(_, end)| *end),
        &column(&staying, |post| post.account),
        &column(&staying, |post| post.reference) as &[&str]
    )
    .fetch_all(connection)
    .await?;
    let mut elsewhere = left;
    for list in &mut elsewhere {
        let found =
            gone.iter().filter(|row| (row.account_id, row.page.as_str()) == (list.0, list.1));
        list.2 -= i32::try_from(found.count()).unwrap_or(i32::MAX);
    }
    elsewhere.retain(|list| list.2 > 0);
    Ok(elsewhere)
}

/// Takes posts out of lists wherever they stand there.
async fn leave_elsewhere(
    connection: &mut PgConnection,
    left: &[Left<'_>],
    staying: &[Staying<'_>],
) -> Result<(), StoreError> {
    if left.is_empty() {
        return Ok(());
    }
    let accounts: BTreeSet<i64> = left.iter().map(|list| list.0).collect();
    let staying: Vec<&Staying<'_>> =
        staying.iter().filter(|post| accounts.contains(&post.account)).collect();
    // Read from the newest on until all are found: what leaves a list stands next to it.
    sqlx::query!(
        "with staying as materialized (
             select s.account_id, array_agg(s.ref) as refs
             from unnest($4::bigint[], $5::text[]) as s (account_id, ref) group by s.account_id
         ), gone as materialized (
             select g.account_id, g.ref, l.seen_at
             from unnest($1::bigint[], $2::text[], $3::integer[]) as n (account_id, page, count)
             join lists l on l.account_id = n.account_id and l.page = n.page
             left join staying s on s.account_id = n.account_id
             cross join lateral (
                 select p.account_id, p.ref from posts p
                 where p.account_id = n.account_id and p.page = n.page and p.stands
                   and p.ref <> all(coalesce(s.refs, '{}'))
                 order by coalesce(p.claimed_at, p.first_seen) desc limit n.count
             ) g
         )
         update posts p set stands = false, last_seen = greatest(p.last_seen, g.seen_at)
         from gone g where p.account_id = g.account_id and p.ref = g.ref",
        &column(left, |list| list.0),
        &column(left, |list| list.1.to_owned()),
        &column(left, |list| list.2),
        &column(&staying, |post| post.account),
        &column(&staying, |post| post.reference) as &[&str]
    )
    .execute(connection)
    .await?;
    Ok(())
}
