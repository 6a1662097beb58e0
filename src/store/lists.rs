//! Lists: that every post of a list was seen again is written once, at the list.
//!
//! A post that stands in the newest list of its page was last seen when that list was; its own row
//! stays as it is until it leaves the list or tells something else.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, to_micros};
use super::known::KnownPost;
use super::leaving::{self, Left, Staying};
use super::listing::{ListedRow, Listing};
use super::record::VisitRecord;
use crate::observe::Source;

/// A list as it stands in the table.
struct Standing {
    seen_at: DateTime<Utc>,
    holds: i32,
}

/// The lists that move in a batch: by account and page kind the as-of time of the newest.
pub(super) struct Lists<'a> {
    moved: BTreeMap<(i64, &'a str), DateTime<Utc>>,
    before: BTreeMap<(i64, String), Standing>,
}

/// Whether the posts of a record form a list: files and persons' checks show posts, not a list.
fn is_list(record: &VisitRecord) -> bool {
    !record.posts.is_empty() && matches!(record.visit.source, Source::Crawl | Source::Bridge)
}

impl<'a> Lists<'a> {
    /// Reads how the lists of a batch stand, and finds those that it moves.
    pub(super) async fn of(
        connection: &mut PgConnection,
        records: &[&'a VisitRecord],
    ) -> Result<Self, StoreError> {
        let mut moved: BTreeMap<(i64, &'a str), DateTime<Utc>> = BTreeMap::new();
        for &record in records.iter().filter(|record| is_list(record)) {
            let newest = moved
                .entry((record.account.0, record.visit.page.as_str()))
                .or_insert(to_micros(record.seen_at));
            *newest = (*newest).max(to_micros(record.seen_at));
        }
        if moved.is_empty() {
            return Ok(Self { moved, before: BTreeMap::new() });
        }
        let keys: Vec<(i64, &str)> = moved.keys().copied().collect();
        let rows = sqlx::query!(
            "select l.account_id, l.page, l.seen_at, l.holds
             from unnest($1::bigint[], $2::text[]) as n (account_id, page)
             join lists l on l.account_id = n.account_id and l.page = n.page",
            &column(&keys, |key| key.0),
            &column(&keys, |key| key.1.to_owned())
        )
        .fetch_all(connection)
        .await?;
        let before: BTreeMap<(i64, String), Standing> = rows
            .into_iter()
            .map(|row| {
                let standing = Standing { seen_at: row.seen_at, holds: row.holds };
                ((row.account_id, row.page), standing)
            })
            .collect();
        // An answer that is written down late moves no list back.
        moved.retain(|(account, page), seen_at| {
            before.get(&(*account, (*page).to_owned())).is_none_or(|old| *seen_at > old.seen_at)
        });
        Ok(Self { moved, before })
    }

    /// Whether the batch's newest list of a page shows the post.
    fn shows(&self, row: &ListedRow<'_>, page: &str) -> bool {
        row.last_page == page
            && self.moved.get(&(row.account, page)) == Some(&to_micros(row.seen_at))
    }

    /// Whether a post that was not known stands in its list after the batch.
    pub(super) fn new_stands(&self, row: &ListedRow<'_>) -> bool {
        self.shows(row, row.page)
    }

    /// And one that was.
    fn known_stands(&self, row: &ListedRow<'_>, known: &KnownPost) -> bool {
        if !self.moved.contains_key(&(row.account, known.page.as_str())) {
            return known.stands;
        }
        // What is known already from a newer listing does not come to stand by an older one.
        let is_late = to_micros(row.seen_at) < known.last_seen;
        (known.stands || !is_late) && self.shows(row, &known.page)
    }

    /// The known posts whose rows change, each with whether it stands in its list afterwards.
    ///
    /// A listing older than the newest that is known changes nothing. Neither does one that tells
    /// what the newest told: a moved list moves the posts that stand in it.
    pub(super) fn changed<'r, 'p>(
        &self,
        listed: &'r Listing<'p>,
    ) -> Vec<(&'r ListedRow<'p>, bool)> {
        let changes = |(row, post): (&'r ListedRow<'p>, &KnownPost)| {
            let seen_at = to_micros(row.seen_at);
            if seen_at < post.last_seen {
                return None;
            }
            let stands = self.known_stands(row, post);
            let moved_by_list = stands && self.shows(row, &post.page);
            let changes = stands != post.stands
                || (seen_at > post.last_seen && !moved_by_list)
                || post.told.as_deref() != Some(row.told.as_slice())
                || row.is_sample_due(post);
            changes.then_some((row, stands))
        };
        listed.known().filter_map(changes).collect()
    }

    /// Moves the lists. Posts that stood in one and are not shown any more take over when it was
    /// last read. To be called before posts are written or change.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        listed: &Listing<'_>,
    ) -> Result<(), StoreError> {
        if self.moved.is_empty() {
            return Ok(());
        }
        let mut holds: BTreeMap<(i64, &str), i32> = BTreeMap::new();
        let mut staying: Vec<Staying<'_>> = Vec::new();
        let mut stayed: BTreeMap<(i64, &str), i32> = BTreeMap::new();
        for row in &listed.posts {
            let post = row.known.as_ref();
            let page = post.map_or(row.page, |post| post.page.as_str());
            let stands =
                post.map_or_else(|| self.new_stands(row), |post| self.known_stands(row, post));
            if !stands {
                continue;
            }
            *holds.entry((row.account, page)).or_default() += 1;
            if let Some(post) = post.filter(|post| post.stands) {
                *stayed.entry((row.account, page)).or_default() += 1;
                let claimed_at = post.claimed.map(|claim| claim.at);
                staying.push(Staying {
                    account: row.account,
                    reference: row.reference,
                    claimed_at,
                });
            }
        }
        let left: Vec<Left<'_>> = self
            .moved
            .keys()
            .filter_map(|&(account, page)| {
                let held = self.before.get(&(account, page.to_owned()))?.holds;
                let left = held - stayed.get(&(account, page)).copied().unwrap_or_default();
                (left > 0).then_some((account, page, left))
            })
            .collect();
        leaving::leave(connection, left, &staying).await?;
        let moved: Vec<(i64, &str, DateTime<Utc>)> =
            self.moved.iter().map(|(&(account, page), &at)| (account, page, at)).collect();
        sqlx::query!(
            "insert into lists as l (account_id, page, seen_at, holds)
             select * from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::integer[])
             on conflict (account_id, page) do update
                 set seen_at = excluded.seen_at, holds = excluded.holds",
            &column(&moved, |list| list.0),
            &column(&moved, |list| list.1.to_owned()),
            &column(&moved, |list| list.2),
            &column(&moved, |list| holds.get(&(list.0, list.1)).copied().unwrap_or_default())
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}
