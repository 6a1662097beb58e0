//! Rows of visits, posts and samples, read account by account.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::StoreError;
use super::packed_rows::Packed;
use super::period_columns::{listing, look, post, sample, started_at, visit};
use super::period_tables::FUTURE;
use super::score_inputs::FactsOf;
use crate::domain::{Count, Form, Origin, Word};
use crate::observe::{ListedPost, Visit};

/// A post as scores need it, without its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredPost {
    /// When it was listed, and by what it was missed.
    pub listed: ListedPost,
    /// The title.
    pub title: Option<String>,
    /// The kind of content.
    pub form: Option<Form>,
    /// Own work or a repost.
    pub origin: Origin,
    /// `sha256:…` of the normalised text.
    pub text_digest: Option<Word>,
    /// As-of time of the newest numbers.
    pub sampled_at: Option<DateTime<Utc>>,
    /// Reads or plays, newest known.
    pub reads: Option<Count>,
    /// Likes, newest known.
    pub likes: Option<Count>,
    /// Comments, newest known.
    pub comments: Option<Count>,
    /// Shares, newest known.
    pub shares: Option<Count>,
}

/// The numbers of a post as of one observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostSample {
    /// As-of time of the observation.
    pub at: DateTime<Utc>,
    /// Reads or plays.
    pub reads: Option<Count>,
    /// Likes.
    pub likes: Option<Count>,
    /// Comments.
    pub comments: Option<Count>,
    /// Shares.
    pub shares: Option<Count>,
}

/// The samples of one account's posts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostSamples {
    samples: Vec<PostSample>,
    /// Which of them are a post's, in the order of the posts' refs.
    posts: Vec<(String, Range<usize>)>,
}

impl PostSamples {
    /// The samples of a post, oldest first.
    pub fn of(&self, reference: &str) -> &[PostSample] {
        let place = self.posts.binary_search_by(|(one, _)| one.as_str().cmp(reference));
        place.map_or(&[], |at| &self.samples[self.posts[at].1.clone()])
    }
}

/// What was read of some accounts.
pub(super) struct PeriodRows {
    pub(super) visits: Packed,
    pub(super) posts: Packed,
    pub(super) samples: Packed,
}

impl PeriodRows {
    /// The visits to an account since the begin of its history, by time, each with its host.
    pub(super) fn visits(
        &self,
        account: i64,
        of: FactsOf,
    ) -> Result<Vec<(Option<&str>, Visit)>, StoreError> {
        let mut visits: Vec<(Option<&str>, Visit)> = self.visits.room(account, 64);
        self.visits.each(account, "a visit", |columns| {
            if started_at(columns)? >= of.since {
                visits.push(visit(columns, visits.last().map(|(_, visit)| visit))?);
            }
            Some(())
        })?;
        visits.sort_by(|(_, a), (_, b)| (a.started_at, &a.page).cmp(&(b.started_at, &b.page)));
        Ok(visits)
    }

    /// Whether an account is known to be older than any silence that is asked about, by its opening
    /// day or a look, whenever it posted first.
    ///
    /// Not where a look lists what was there before the history begins, as a file that is handed in
    /// or an old page: what is found so late may lie in a silence, whatever it claims.
    pub(super) fn tell_age(
        &self,
        account: i64,
        is_dated: bool,
        of: FactsOf,
    ) -> Result<bool, StoreError> {
        let (mut was_seen, mut looks_back) = (is_dated, false);
        self.visits.each(account, "a visit", |columns| {
            let look = look(columns)?;
            if look.speaks && of.since <= look.started_at && look.recorded_at <= of.known_at {
                was_seen |= look.has_observed && look.started_at <= of.asked_from;
                looks_back |= look.items > 0 && look.as_of.is_none_or(|at| at < of.since);
            }
            Some(())
        })?;
        Ok(was_seen && !looks_back)
    }

    /// The posts that bear on an account's history, by the time they claim, else by that at which
    /// they were first seen.
    pub(super) fn posts(&self, account: i64, of: FactsOf) -> Result<Vec<ScoredPost>, StoreError> {
        let until = of.known_at + FUTURE;
        let inside = |at: DateTime<Utc>| of.since <= at && at < until;
        let mut posts = self.posts.room(account, 112);
        self.posts.each(account, "a post", |columns| {
            let listed = listing(columns)?;
            let bears = inside(listed.first_seen) || listed.claimed.is_some_and(inside);
            if bears && listed.recorded_at <= of.known_at {
                posts.push(post(columns, posts.last())?);
            }
            Some(())
        })?;
        let at =
            |post: &ScoredPost| post.listed.claimed.map_or(post.listed.first_seen, |one| one.at);
        posts.sort_by(|a, b| (at(a), &a.listed.reference).cmp(&(at(b), &b.listed.reference)));
        Ok(posts)
    }

    /// Whether a post of an account that was known claims a time since the begin of its history, or
    /// claims none and was first seen since.
    pub(super) fn has_post_since(&self, account: i64, of: FactsOf) -> Result<bool, StoreError> {
        let until = of.known_at + FUTURE;
        self.posts.any(account, "a post", |columns| {
            let listed = listing(columns)?;
            let at = listed.claimed.unwrap_or(listed.first_seen);
            Some(of.since <= at && at < until && listed.recorded_at <= of.known_at)
        })
    }

    /// The samples of an account's posts taken in the period and known.
    pub(super) fn samples(&self, account: i64, of: FactsOf) -> Result<PostSamples, StoreError> {
        let mut read: Vec<Option<PostSample>> = self.samples.room(account, 24);
        // Sorted without the samples themselves, which are five times as large.
        let mut order: Vec<(&str, DateTime<Utc>, usize)> = Vec::with_capacity(read.capacity());
        self.samples.each(account, "a sample", |columns| {
            let (reference, recorded_at, one) = sample(columns)?;
            if of.from <= one.at && one.at < of.to && recorded_at <= of.known_at {
                order.push((reference, one.at, read.len()));
                read.push(Some(one));
            }
            Some(())
        })?;
        order.sort_unstable();
        let mut samples =
            PostSamples { samples: Vec::with_capacity(read.len()), posts: Vec::new() };
        for (reference, _, place) in order {
            let at = samples.samples.len();
            match samples.posts.last_mut() {
                Some((last, range)) if last == reference => range.end = at + 1,
                _ => samples.posts.push((reference.to_owned(), at..at + 1)),
            }
            samples.samples.extend(read[place].take());
        }
        Ok(samples)
    }

    /// The bytes of its rows.
    pub(super) fn size(&self) -> usize {
        self.visits.size() + self.posts.size() + self.samples.size()
    }
}
