//! Posts: what is kept from their first listing, what moves with each later one, their samples.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::StoreError;
use super::columns::{column, count_json, source_word, to_micros};
use super::known::KnownPost;
use super::record::VisitRecord;
use crate::domain::Post;
use crate::observe::Source;

/// What a batch says of one post.
#[derive(Clone)]
pub(super) struct ListedRow<'a> {
    pub(super) account: i64,
    pub(super) reference: &'a str,
    /// Place in the batch of the record that listed it first.
    pub(super) record: usize,
    /// And of the one that listed it last.
    pub(super) last_record: usize,
    pub(super) part: &'a str,
    /// The page kind of the first listing.
    pub(super) page: &'a str,
    /// And of the last.
    pub(super) last_page: &'a str,
    pub(super) first_seen: DateTime<Utc>,
    /// As-of time of the last listing.
    pub(super) seen_at: DateTime<Utc>,
    pub(super) recorded_at: DateTime<Utc>,
    /// The first listing, for what is kept from it.
    pub(super) first: &'a Post,
    /// The last listing, for what moves.
    pub(super) last: &'a Post,
    /// Digest of what the last listing tells, and of whose word it is.
    pub(super) told: [u8; 16],
    /// What is known of the post from before; absent where it is new.
    pub(super) known: Option<KnownPost>,
}

/// Every post of a batch once, in the order of the table's key.
#[derive(Default)]
pub(super) struct Listing<'a> {
    pub(super) posts: Vec<ListedRow<'a>>,
    pub(super) nameless: usize,
}

/// The platform's id; where there is none, the address, else the digest of the text.
pub(super) fn reference(post: &Post) -> Option<&str> {
    [&post.reference, &post.url, &post.text_digest]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .find(|name| !name.is_empty())
}

impl<'a> Listing<'a> {
    pub(super) fn of(records: &[&'a VisitRecord]) -> Self {
        let mut rows: BTreeMap<(i64, &'a str), ListedRow<'a>> = BTreeMap::new();
        let mut nameless = 0;
        for (index, &record) in records.iter().enumerate() {
            for post in &record.posts {
                let Some(reference) = reference(post) else {
                    nameless += 1;
                    continue;
                };
                let row = ListedRow {
                    account: record.account.0,
                    reference,
                    record: index,
                    last_record: index,
                    part: &record.visit.part,
                    page: &record.visit.page,
                    last_page: &record.visit.page,
                    first_seen: record.seen_at,
                    seen_at: record.seen_at,
                    recorded_at: record.visit.recorded_at,
                    first: post,
                    last: post,
                    told: told(post, record.visit.source),
                    known: None,
                };
                match rows.entry((record.account.0, reference)) {
                    Entry::Vacant(place) => drop(place.insert(row)),
                    Entry::Occupied(mut other) => {
                        let merged = other.get().clone().merge(row);
                        other.insert(merged);
                    }
                }
            }
        }
        Self { posts: rows.into_values().collect(), nameless }
    }

    /// What the batch says of a post.
    pub(super) fn find(&self, account: i64, reference: &str) -> Option<&ListedRow<'a>> {
        self.place(account, reference).map(|at| &self.posts[at])
    }

    /// See [`Listing::find`].
    pub(super) fn find_mut(&mut self, account: i64, reference: &str) -> Option<&mut ListedRow<'a>> {
        self.place(account, reference).map(|at| &mut self.posts[at])
    }

    fn place(&self, account: i64, reference: &str) -> Option<usize> {
        let key = (account, reference);
        self.posts.binary_search_by(|row| (row.account, row.reference).cmp(&key)).ok()
    }

    /// The posts that are not known yet.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &ListedRow<'a>> {
        self.posts.iter().filter(|row| row.known.is_none())
    }

    /// The posts that are known, each with what is known of it.
    pub(super) fn known(&self) -> impl Iterator<Item = (&ListedRow<'a>, &KnownPost)> {
        self.posts.iter().filter_map(|row| Some((row, row.known.as_ref()?)))
    }
}

impl ListedRow<'_> {
    /// Listings of one post in one batch: the earliest keeps what is kept, the latest tells what is
    /// told.
    fn merge(self, other: Self) -> Self {
        let early = if other.first_seen < self.first_seen { &other } else { &self }.clone();
        let late = if other.seen_at < self.seen_at { self } else { other };
        Self {
            seen_at: late.seen_at,
            last_record: late.last_record,
            last_page: late.last_page,
            last: late.last,
            told: late.told,
            ..early
        }
    }

    /// Whether its last listing gives any number.
    pub(super) fn has_numbers(&self) -> bool {
        let Post { reads, likes, comments, shares, .. } = self.last;
        [reads, likes, comments, shares].into_iter().any(Option::is_some)
    }

    /// Whether the post has come to 1, 3 or 7 days since its last sample: interactions are compared
    /// at these ages, so that a sample is due even where no number changed.
    pub(super) fn is_sample_due(&self, known: &KnownPost) -> bool {
        let Some((claimed, sampled_at)) = known.claimed.zip(known.sampled_at) else { return false };
        let passed = |hours| {
            let at = claimed.at + TimeDelta::hours(hours);
            sampled_at < at && at <= to_micros(self.seen_at)
        };
        self.has_numbers() && [24, 72, 168].into_iter().any(passed)
    }
}

/// A digest of all that a listing tells of a post and that moves: 128 bits, so that no two tellings
/// are taken for each other.
fn told(post: &Post, source: Source) -> [u8; 16] {
    let mut digest = Sha256::new();
    let mut tell = |value: Option<&[u8]>| {
        // Absent values and the ends of others are told apart.
        digest.update(value.map_or(u64::MAX, |value| value.len() as u64).to_le_bytes());
        digest.update(value.unwrap_or_default());
    };
    tell(Some(source_word(source).as_bytes()));
    for text in [&post.url, &post.title, &post.text_digest, &post.text_simhash] {
        tell(text.as_deref().map(str::as_bytes));
    }
    tell(post.form.map(|form| form.as_str().as_bytes()));
    tell(Some(post.origin.as_str().as_bytes()));
    for count in [&post.reads, &post.likes, &post.comments, &post.shares] {
        let text = count_json(count.as_ref()).map(|count| count.to_string());
        tell(text.as_deref().map(str::as_bytes));
    }
    let digest = digest.finalize();
    digest[..16].try_into().expect("32 bytes hold 16")
}

/// The stored word of the kind of content, as listed last.
fn form(listed: &ListedRow<'_>) -> Option<String> {
    listed.last.form.map(|form| form.as_str().to_owned())
}

/// Writes what moves of posts that changed, each with whether it stands in its list: last seen,
/// text, newest numbers. A number that changed, or a post that passed 1, 3 or 7 days since its last
/// sample, gets a sample.
pub(super) async fn update(
    connection: &mut PgConnection,
    changed: &[(&ListedRow<'_>, bool)],
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with seen as materialized (
             select n.account_id, n.ref, n.seen_at, n.recorded_at, n.stands, n.told,
                 coalesce(n.url, p.url) as new_url, coalesce(n.title, p.title) as new_title,
                 coalesce(n.form, p.form) as new_form,
                 coalesce(nullif(n.origin, 'unknown'), p.origin) as new_origin,
                 coalesce(n.text_digest, p.text_digest) as new_digest,
                 coalesce(n.text_simhash, p.text_simhash) as new_simhash,
                 coalesce(n.reads, p.reads) as new_reads, coalesce(n.likes, p.likes) as new_likes,
                 coalesce(n.comments, p.comments) as new_comments,
                 coalesce(n.shares, p.shares) as new_shares,
                 array_remove(array[case when n.reads is not null then 'reads' end,
                     case when n.likes is not null then 'likes' end,
                     case when n.comments is not null then 'comments' end,
                     case when n.shares is not null then 'shares' end], null) as given,
                 coalesce(n.reads, n.likes, n.comments, n.shares) is not null and (
                     (coalesce(n.reads, p.reads), coalesce(n.likes, p.likes),
                         coalesce(n.comments, p.comments), coalesce(n.shares, p.shares))
                         is distinct from (p.reads, p.likes, p.comments, p.shares)
                     or exists (select from (values (interval '24 hours'), (interval '72 hours'),
                             (interval '168 hours')) as passed (age)
                         where p.claimed_at + passed.age > p.sampled_at
                             and p.claimed_at + passed.age <= n.seen_at)
                 ) as is_sample
             from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                 $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                 $11::jsonb[], $12::jsonb[], $13::jsonb[], $14::jsonb[], $15::bool[],
                 $16::bytea[])
                 as n (account_id, ref, seen_at, recorded_at, url, title, form, origin,
                     text_digest, text_simhash, reads, likes, comments, shares, stands, told)
             join posts p on p.account_id = n.account_id and p.ref = n.ref
         ), sampled as (
             insert into post_samples (account_id, ref, at, recorded_at, reads, likes, comments,
                 shares)
             select account_id, ref, seen_at, recorded_at, new_reads, new_likes, new_comments,
                 new_shares
             from seen where is_sample
             on conflict (account_id, ref, at) do nothing
         )
         update posts p set
             last_seen = s.seen_at, url = s.new_url, title = s.new_title, form = s.new_form,
             origin = s.new_origin, text_digest = s.new_digest, text_simhash = s.new_simhash,
             reads = s.new_reads, likes = s.new_likes, comments = s.new_comments,
             shares = s.new_shares, imported = p.imported - s.given,
             sampled_at = case when s.is_sample then s.seen_at else p.sampled_at end,
             stands = s.stands, told = s.told
         from seen s
         where p.account_id = s.account_id and p.ref = s.ref",
        &column(changed, |(r, _)| r.account),
        &column(changed, |(r, _)| r.reference) as &[&str],
        &column(changed, |(r, _)| r.seen_at),
        &column(changed, |(r, _)| r.recorded_at),
        &column(changed, |(r, _)| r.last.url.clone()) as &[Option<String>],
        &column(changed, |(r, _)| r.last.title.clone()) as &[Option<String>],
        &column(changed, |(r, _)| form(r)) as &[Option<String>],
        &column(changed, |(r, _)| r.last.origin.as_str().to_owned()),
        &column(changed, |(r, _)| r.last.text_digest.clone()) as &[Option<String>],
        &column(changed, |(r, _)| r.last.text_simhash.clone()) as &[Option<String>],
        &column(changed, |(r, _)| count_json(r.last.reads.as_ref())) as &[Option<Value>],
        &column(changed, |(r, _)| count_json(r.last.likes.as_ref())) as &[Option<Value>],
        &column(changed, |(r, _)| count_json(r.last.comments.as_ref())) as &[Option<Value>],
        &column(changed, |(r, _)| count_json(r.last.shares.as_ref())) as &[Option<Value>],
        &column(changed, |(_, stands)| *stands),
        &column(changed, |(r, _)| r.told.to_vec()),
    )
    .execute(connection)
    .await?;
    Ok(())
}
