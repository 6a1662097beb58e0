//! Posts: what is known from their first listing, what moves with each later one, their samples.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::columns::{column, count_json, misread, read_count, read_moment};
use super::finish::Discovered;
use super::record::VisitRecord;
use super::{Store, StoreError};
use crate::domain::{AccountId, Count, Form, Moment, Origin, Post};
use crate::observe::ListedPost;

/// A post as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPost {
    /// When it was listed, and by what it was missed.
    pub listed: ListedPost,
    /// As-of time of the newest observation that listed it.
    pub last_seen: DateTime<Utc>,
    /// The absolute address.
    pub url: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The kind of content.
    pub form: Option<Form>,
    /// Own work or a repost.
    pub origin: Origin,
    /// `sha256:…` of the normalised text.
    pub text_digest: Option<String>,
    /// 64-bit similarity digest, sixteen hexadecimal digits.
    pub text_simhash: Option<String>,
    /// Reads or plays, newest known.
    pub reads: Option<Count>,
    /// Likes, newest known.
    pub likes: Option<Count>,
    /// Comments, newest known.
    pub comments: Option<Count>,
    /// Shares, newest known.
    pub shares: Option<Count>,
}

/// Where the next page of [`Store::posts`] begins: time (claimed, else first seen) and reference of
/// the last post shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostCursor {
    /// Claimed time, or first seen where there is none.
    pub at: DateTime<Utc>,
    /// The post's reference.
    pub reference: String,
}

impl StoredPost {
    /// The cursor that continues after this post.
    pub fn cursor(&self) -> PostCursor {
        PostCursor {
            at: self.listed.claimed.map_or(self.listed.first_seen, |claimed| claimed.at),
            reference: self.listed.reference.clone(),
        }
    }
}

/// What a batch says of one post.
pub(super) struct ListedRow<'a> {
    account: i64,
    reference: String,
    record: usize,
    part: &'a str,
    page: &'a str,
    first_seen: DateTime<Utc>,
    seen_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    /// The first listing, for what is kept from it.
    first: &'a Post,
    /// The last listing, for what moves.
    last: &'a Post,
}

/// Every post of a batch once, in the order of the table's key.
#[derive(Default)]
pub(super) struct Listing<'a> {
    pub(super) posts: Vec<ListedRow<'a>>,
    pub(super) nameless: usize,
}

/// The platform's id; where there is none, the address, else the digest of the text.
fn reference(post: &Post) -> Option<String> {
    [&post.reference, &post.url, &post.text_digest]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .cloned()
}

impl<'a> Listing<'a> {
    pub(super) fn of(records: &[&'a VisitRecord]) -> Self {
        let mut rows: BTreeMap<(i64, String), ListedRow<'a>> = BTreeMap::new();
        let mut nameless = 0;
        for (index, &record) in records.iter().enumerate() {
            for post in &record.posts {
                let Some(reference) = reference(post) else {
                    nameless += 1;
                    continue;
                };
                let row = ListedRow {
                    account: record.account.0,
                    reference: reference.clone(),
                    record: index,
                    part: &record.visit.part,
                    page: &record.visit.page,
                    first_seen: record.seen_at,
                    seen_at: record.seen_at,
                    recorded_at: record.visit.recorded_at,
                    first: post,
                    last: post,
                };
                match rows.remove(&(record.account.0, reference.clone())) {
                    Some(other) => rows.insert((record.account.0, reference), other.merge(row)),
                    None => rows.insert((record.account.0, reference), row),
                };
            }
        }
        Self { posts: rows.into_values().collect(), nameless }
    }

    /// How many posts each of `records` records lists that are not among `known`.
    pub(super) fn count_new(&self, records: usize, known: &Known) -> Vec<usize> {
        let mut counts = vec![0; records];
        for row in &self.posts {
            if !known.contains(&row.key()) {
                counts[row.record] += 1;
            }
        }
        counts
    }
}

impl ListedRow<'_> {
    /// Two listings of one post in one batch; the earlier one keeps what is kept.
    fn merge(self, other: Self) -> Self {
        let (early, late) =
            if other.seen_at < self.seen_at { (other, self) } else { (self, other) };
        Self { seen_at: late.seen_at, last: late.last, ..early }
    }

    fn key(&self) -> (i64, String) {
        (self.account, self.reference.clone())
    }
}

pub(super) type Known = BTreeSet<(i64, String)>;

/// Which of the listed posts are in the table.
pub(super) async fn known(
    connection: &mut PgConnection,
    listed: &[ListedRow<'_>],
) -> Result<Known, StoreError> {
    let rows = sqlx::query!(
        "select p.account_id, p.ref from posts p
         join unnest($1::bigint[], $2::text[]) as r (account_id, ref)
             on p.account_id = r.account_id and p.ref = r.ref",
        &column(listed, |r| r.account),
        &column(listed, |r| r.reference.clone()),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.r#ref)).collect())
}

/// Writes the posts that are not known; their numbers follow with [`update`].
///
/// A visit has missed a post if it read the same part earlier and its span holds the whole interval
/// `[claimed, claimed + step)` of the claimed time.
pub(super) async fn insert(
    connection: &mut PgConnection,
    listed: &[ListedRow<'_>],
    known: &Known,
) -> Result<Vec<Discovered>, StoreError> {
    let new: Vec<&ListedRow<'_>> = listed.iter().filter(|r| !known.contains(&r.key())).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = |post: &Post| post.published;
    let rows = sqlx::query!(
        "insert into posts (account_id, ref, page, part, origin, claimed_at, claimed_precision,
             claimed_text, first_seen, last_seen, missed_by, seen_before, recorded_at)
         select n.account_id, n.ref, n.page, n.part, 'unknown', n.claimed_at, n.claimed_precision,
             n.claimed_text, n.first_seen, n.first_seen, earlier.missed_by, earlier.seen_before,
             n.recorded_at
         from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
             $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
             as n (account_id, ref, page, part, claimed_at, claimed_precision, claimed_text,
                 first_seen, recorded_at, claimed_end)
         left join lateral (
             select max(v.as_of) as seen_before,
                 max(v.as_of) filter (where v.span_low < n.claimed_at
                     and v.span_high >= n.claimed_end) as missed_by
             from visits v
             where v.account_id = n.account_id and v.part = n.part and v.outcome = 'observed'
                 and v.as_of < n.first_seen
         ) earlier on true
         on conflict (account_id, ref) do nothing
         returning account_id, ref, claimed_at, claimed_precision, first_seen, missed_by",
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

/// Moves what moves: last seen, text, newest numbers. A number that changed, or a post that passed
/// 1, 3 or 7 days since its last sample, gets a sample. What stands the same is not written.
pub(super) async fn update(
    connection: &mut PgConnection,
    listed: &[ListedRow<'_>],
) -> Result<(), StoreError> {
    if listed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with seen as (
             select n.*, p.sampled_at as sampled_before,
                 coalesce(n.reads, p.reads) as new_reads, coalesce(n.likes, p.likes) as new_likes,
                 coalesce(n.comments, p.comments) as new_comments,
                 coalesce(n.shares, p.shares) as new_shares,
                 coalesce(n.reads, n.likes, n.comments, n.shares) is not null and (
                     (coalesce(n.reads, p.reads), coalesce(n.likes, p.likes),
                         coalesce(n.comments, p.comments), coalesce(n.shares, p.shares))
                         is distinct from (p.reads, p.likes, p.comments, p.shares)
                     or exists (select from unnest(array[24, 72, 168]) as age (hours)
                         where p.claimed_at + age.hours * interval '1 hour' > p.sampled_at
                           and p.claimed_at + age.hours * interval '1 hour' <= n.seen_at)
                 ) as is_sample
             from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                 $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                 $11::jsonb[], $12::jsonb[], $13::jsonb[], $14::jsonb[])
                 as n (account_id, ref, seen_at, recorded_at, url, title, form, origin,
                     text_digest, text_simhash, reads, likes, comments, shares)
             join posts p on p.account_id = n.account_id and p.ref = n.ref
             where n.seen_at >= p.last_seen
         ), sampled as (
             insert into post_samples (account_id, ref, at, recorded_at, reads, likes, comments,
                 shares)
             select account_id, ref, seen_at, recorded_at, new_reads, new_likes, new_comments,
                 new_shares
             from seen where is_sample
             on conflict (account_id, ref, at) do nothing
         )
         update posts p set
             last_seen = s.seen_at, url = coalesce(s.url, p.url),
             title = coalesce(s.title, p.title), form = coalesce(s.form, p.form),
             origin = case when s.origin = 'unknown' then p.origin else s.origin end,
             text_digest = coalesce(s.text_digest, p.text_digest),
             text_simhash = coalesce(s.text_simhash, p.text_simhash),
             reads = s.new_reads, likes = s.new_likes, comments = s.new_comments,
             shares = s.new_shares,
             sampled_at = case when s.is_sample then s.seen_at else p.sampled_at end
         from seen s
         where p.account_id = s.account_id and p.ref = s.ref
           and (s.is_sample
             or (s.seen_at, coalesce(s.url, p.url), coalesce(s.title, p.title),
                 coalesce(s.form, p.form), coalesce(s.text_digest, p.text_digest),
                 coalesce(s.text_simhash, p.text_simhash), s.origin)
             is distinct from (p.last_seen, p.url, p.title, p.form, p.text_digest,
                 p.text_simhash, p.origin))",
        &column(listed, |r| r.account),
        &column(listed, |r| r.reference.clone()),
        &column(listed, |r| r.seen_at),
        &column(listed, |r| r.recorded_at),
        &column(listed, |r| r.last.url.clone()) as &[Option<String>],
        &column(listed, |r| r.last.title.clone()) as &[Option<String>],
        &column(listed, |r| r.last.form.map(|form| form.as_str().to_owned()))
            as &[Option<String>],
        &column(listed, |r| r.last.origin.as_str().to_owned()),
        &column(listed, |r| r.last.text_digest.clone()) as &[Option<String>],
        &column(listed, |r| r.last.text_simhash.clone()) as &[Option<String>],
        &column(listed, |r| count_json(r.last.reads.as_ref())) as &[Option<Value>],
        &column(listed, |r| count_json(r.last.likes.as_ref())) as &[Option<Value>],
        &column(listed, |r| count_json(r.last.comments.as_ref())) as &[Option<Value>],
        &column(listed, |r| count_json(r.last.shares.as_ref())) as &[Option<Value>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One row, in the order of the table.
pub(super) struct PostRow {
    pub(super) account_id: i64,
    reference: String,
    claimed_at: Option<DateTime<Utc>>,
    claimed_precision: Option<String>,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    missed_by: Option<DateTime<Utc>>,
    seen_before: Option<DateTime<Utc>>,
    recorded_at: DateTime<Utc>,
    url: Option<String>,
    title: Option<String>,
    form: Option<String>,
    origin: String,
    text_digest: Option<String>,
    text_simhash: Option<String>,
    reads: Option<Value>,
    likes: Option<Value>,
    comments: Option<Value>,
    shares: Option<Value>,
}

fn read_form(word: &str) -> Result<Form, StoreError> {
    [Form::Text, Form::Image, Form::Video, Form::Article, Form::Live]
        .into_iter()
        .find(|form| form.as_str() == word)
        .ok_or_else(|| misread("a form", word))
}

fn read_origin(word: &str) -> Result<Origin, StoreError> {
    [Origin::Original, Origin::Repost, Origin::Unknown]
        .into_iter()
        .find(|origin| origin.as_str() == word)
        .ok_or_else(|| misread("an origin", word))
}

impl PostRow {
    pub(super) fn into_stored(self) -> Result<StoredPost, StoreError> {
        Ok(StoredPost {
            listed: ListedPost {
                reference: self.reference,
                claimed: read_moment(self.claimed_at, self.claimed_precision)?,
                first_seen: self.first_seen,
                missed_by: self.missed_by,
                seen_before: self.seen_before,
                recorded_at: self.recorded_at,
            },
            last_seen: self.last_seen,
            url: self.url,
            title: self.title,
            form: self.form.as_deref().map(read_form).transpose()?,
            origin: read_origin(&self.origin)?,
            text_digest: self.text_digest,
            text_simhash: self.text_simhash,
            reads: read_count(self.reads)?,
            likes: read_count(self.likes)?,
            comments: read_count(self.comments)?,
            shares: read_count(self.shares)?,
        })
    }
}

/// Posts of many accounts that count at or after `since` and before `until` by their claimed time
/// or were first seen then.
pub(super) async fn between(
    store: &Store,
    accounts: &[i64],
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<PostRow>, StoreError> {
    let rows = sqlx::query_as!(
        PostRow,
        r#"select account_id, ref as reference, claimed_at, claimed_precision, first_seen,
               last_seen, missed_by, seen_before, recorded_at, url, title, form, origin,
               text_digest, text_simhash, reads, likes, comments, shares
           from posts
           where account_id = any($1)
             and ((claimed_at >= $2 and claimed_at < $3) or (first_seen >= $2 and first_seen < $3))
           order by account_id, coalesce(claimed_at, first_seen), ref"#,
        accounts,
        since,
        until
    )
    .fetch_all(&store.pool)
    .await?;
    Ok(rows)
}

impl Store {
    /// At most `limit` posts of an account, newest first by claimed time (first seen where there is
    /// none), those after `cursor` where one is given.
    pub async fn posts(
        &self,
        account: AccountId,
        cursor: Option<&PostCursor>,
        limit: u32,
    ) -> Result<Vec<StoredPost>, StoreError> {
        let rows = sqlx::query_as!(
            PostRow,
            r#"select account_id, ref as reference, claimed_at, claimed_precision, first_seen,
                   last_seen, missed_by, seen_before, recorded_at, url, title, form, origin,
                   text_digest, text_simhash, reads, likes, comments, shares
               from posts
               where account_id = $1 and ($2::timestamptz is null
                   or (coalesce(claimed_at, first_seen), ref) < ($2, $3::text))
               order by coalesce(claimed_at, first_seen) desc, ref desc limit $4"#,
            account.0,
            cursor.map(|cursor| cursor.at),
            cursor.map(|cursor| cursor.reference.as_str()),
            i64::from(limit)
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(PostRow::into_stored).collect()
    }
}
