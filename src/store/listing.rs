//! Posts as a batch lists them: what is kept from the first listing, what is told by the last.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::columns::{count_json, source_word, to_micros};
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
