//! Which posts are known already, and what is known of them.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, read_moment};
use super::listing::{ListedRow, Listing};
use crate::domain::Moment;

/// What a later listing is held against.
#[derive(Clone)]
pub(super) struct KnownPost {
    /// The time claimed first.
    pub(super) claimed: Option<Moment>,
    /// The page kind that listed it first.
    pub(super) page: String,
    /// As-of time of the newest observation that listed it.
    pub(super) last_seen: DateTime<Utc>,
    /// Whether it stands in the newest list of its page.
    pub(super) stands: bool,
    /// Whether any post of its account was ever missing from a list or asked for, or the account
    /// has no list, which would tell.
    pub(super) may_have_marks: bool,
    /// As-of time of the newest numbers.
    pub(super) sampled_at: Option<DateTime<Utc>>,
    /// Digest of what its newest listing told.
    pub(super) told: Option<Vec<u8>>,
}

/// Notes at each listed post what is known of it; nothing where it is not in the table.
pub(super) async fn look_up(
    connection: &mut PgConnection,
    listed: &mut Listing<'_>,
) -> Result<(), StoreError> {
    let rows = &listed.posts;
    // One look into the partition of each account, whatever the number of its posts.
    let found = sqlx::query!(
        r#"select p.account_id as "account_id!", p.ref as "ref!", p.claimed_at,
             p.claimed_precision, p.page as "page!", p.stands as "stands!", p.sampled_at, p.told,
             p.last_seen as "last_seen!"
         from (select r.account_id, array_agg(r.ref) as refs
             from unnest($1::bigint[], $2::text[]) as r (account_id, ref) group by r.account_id) w
         cross join lateral (select * from posts f
             where f.account_id = w.account_id and f.ref = any(w.refs)) p"#,
        &column(rows, |r| r.account),
        &column(rows, |r| r.reference) as &[&str],
    )
    .fetch_all(&mut *connection)
    .await?;
    let lists = lists_of(connection, &listed.posts).await?;
    for row in found {
        let lists = lists.get(&row.account_id).map(Vec::as_slice).unwrap_or_default();
        let list_seen = lists.iter().filter(|list| list.page == row.page).map(|l| l.seen_at).max();
        let list_seen = list_seen.filter(|_| row.stands);
        let post = KnownPost {
            claimed: read_moment(row.claimed_at, row.claimed_precision)?,
            page: row.page,
            last_seen: list_seen.map_or(row.last_seen, |at| at.max(row.last_seen)),
            stands: row.stands,
            may_have_marks: lists.is_empty() || lists.iter().any(|list| list.has_marks),
            sampled_at: row.sampled_at,
            told: row.told,
        };
        if let Some(listed) = listed.find_mut(row.account_id, &row.r#ref) {
            listed.known = Some(post);
        }
    }
    Ok(())
}

/// A page kind's list.
struct ListOf {
    page: String,
    /// When it was last seen.
    seen_at: DateTime<Utc>,
    /// Whether the account has any mark that a new listing may answer.
    has_marks: bool,
}

/// Each page kind's list of the accounts.
async fn lists_of(
    connection: &mut PgConnection,
    listed: &[ListedRow<'_>],
) -> Result<HashMap<i64, Vec<ListOf>>, StoreError> {
    let accounts: BTreeSet<i64> = listed.iter().map(|row| row.account).collect();
    let rows = sqlx::query!(
        r#"select l.account_id, l.page, l.seen_at, exists (select from post_marks m
               where m.account_id = l.account_id
                   and m.kind not in ('listed', 'redated')) as "has_marks!"
           from lists l where l.account_id = any($1)"#,
        &accounts.into_iter().collect::<Vec<_>>()
    )
    .fetch_all(connection)
    .await?;
    let mut lists: HashMap<i64, Vec<ListOf>> = HashMap::new();
    for row in rows {
        let list = ListOf { page: row.page, seen_at: row.seen_at, has_marks: row.has_marks };
        lists.entry(row.account_id).or_default().push(list);
    }
    Ok(lists)
}
