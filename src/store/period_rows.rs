//! Rows of visits, posts and samples, read account by account.

use std::ops::Range;

use chrono::{DateTime, Utc};

use super::StoreError;
use super::columns::{read_reason, read_source};
use super::copy_rows::Columns;
use super::packed_rows::Packed;
use super::period_tables::FUTURE;
use super::score_inputs::FactsOf;
use crate::domain::{Count, Form, Origin, Word};
use crate::observe::{Bracket, ListedPost, Observation, Outcome, Span, Visit};

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
    pub text_digest: Option<String>,
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
        let mut visits: Vec<(Option<&str>, Visit)> = self.visits.room(account, 48);
        self.visits.each(account, "a visit", |columns| {
            let one = visit(columns, visits.last().map(|(_, visit)| visit))?;
            if one.1.started_at >= of.since {
                visits.push(one);
            }
            Some(())
        })?;
        visits.sort_by(|(_, a), (_, b)| (a.started_at, &a.page).cmp(&(b.started_at, &b.page)));
        Ok(visits)
    }

    /// The posts that bear on an account's history, by the time they claim, else by that at which
    /// they were first seen.
    pub(super) fn posts(&self, account: i64, of: FactsOf) -> Result<Vec<ScoredPost>, StoreError> {
        let until = of.known_at + FUTURE;
        let inside = |at: DateTime<Utc>| of.since <= at && at < until;
        let mut posts = self.posts.room(account, 96);
        self.posts.each(account, "a post", |columns| {
            let one = post(columns)?;
            let listed = &one.listed;
            let bears = inside(listed.first_seen) || listed.claimed.is_some_and(|it| inside(it.at));
            if bears && listed.recorded_at <= of.known_at {
                posts.push(one);
            }
            Some(())
        })?;
        let at =
            |post: &ScoredPost| post.listed.claimed.map_or(post.listed.first_seen, |one| one.at);
        posts.sort_by(|a, b| (at(a), &a.listed.reference).cmp(&(at(b), &b.listed.reference)));
        Ok(posts)
    }

    /// The samples of an account's posts taken in the period and known.
    pub(super) fn samples(&self, account: i64, of: FactsOf) -> Result<PostSamples, StoreError> {
        let mut rows: Vec<(&str, PostSample)> = self.samples.room(account, 24);
        self.samples.each(account, "a sample", |columns| {
            let (reference, recorded_at, one) = sample(columns)?;
            if of.from <= one.at && one.at < of.to && recorded_at <= of.known_at {
                rows.push((reference, one));
            }
            Some(())
        })?;
        rows.sort_by(|(a, one), (b, other)| (a, one.at).cmp(&(b, other.at)));
        let samples = Vec::with_capacity(rows.len());
        let mut samples = PostSamples { samples, posts: Vec::new() };
        for (at, (reference, one)) in rows.into_iter().enumerate() {
            match samples.posts.last_mut() {
                Some((last, range)) if last == reference => range.end = at + 1,
                _ => samples.posts.push((reference.to_owned(), at..at + 1)),
            }
            samples.samples.push(one);
        }
        Ok(samples)
    }

    /// The bytes that it holds.
    pub(super) fn size(&self) -> usize {
        self.visits.size() + self.posts.size() + self.samples.size()
    }
}

/// Behind the account, in the order in which [`visit`] takes them.
pub(super) const VISIT: &str =
    "started_at, page, host, part, recorded_at, adapter, source, outcome, reason,
    items, as_of, span_low, span_high, exhausted, empty, confirming, posts_total, new_items,
    upstream_success, registered_at, registered_precision, bracket_older, bracket_newer,
    claims_shift_seconds";

/// A visit and its host; what it shares with the one before is that one's.
fn visit<'a>(
    row: &mut dyn Columns<'a>,
    before: Option<&Visit>,
) -> Option<(Option<&'a str>, Visit)> {
    let shared = |text: &str, of: fn(&Visit) -> &Word| {
        before.map_or_else(|| text.into(), |before| of(before).or_new(text))
    };
    let started_at = row.time()??;
    let page = shared(row.text()??, |visit| &visit.page);
    let host = row.text()?;
    let part = shared(row.text()??, |visit| &visit.part);
    let recorded_at = row.time()??;
    let adapter = shared(row.text()??, |visit| &visit.adapter);
    let source = read_source(row.text()??).ok()?;
    let (outcome, reason) = (row.text()??, row.text()?);
    let items = row.integer()??.unsigned_abs();
    let as_of = row.time()?;
    let span = row.time()?.zip(row.time()?).map(|(low, high)| Span { low, high });
    let (exhausted, empty, confirming) = (row.flag()??, row.flag()??, row.flag()??);
    let (posts_total, new_items) = (row.count()?, row.integer()??.unsigned_abs());
    let (upstream_success, registered_at) = (row.time()?, row.moment()?);
    let bracket = row.time()?.zip(row.time()?).map(|(older, newer)| Bracket { older, newer });
    let claims_shift_seconds = row.integer()??;
    let outcome = match (outcome, as_of) {
        ("observed", Some(as_of)) => Outcome::Observed(Observation {
            as_of,
            span,
            bracket,
            claims_shift_seconds,
            exhausted,
            empty,
            confirming,
            posts_total,
            new_items,
            upstream_success,
            registered_at,
        }),
        ("gone", Some(as_of)) => Outcome::Gone { as_of, confirming },
        ("failed", _) => Outcome::Failed(read_reason(reason?).ok()?),
        _ => return None,
    };
    let visit = Visit { page, part, started_at, recorded_at, adapter, source, items, outcome };
    Some((host, visit))
}

/// Behind the account, in the order in which [`post`] takes them.
pub(super) const POST: &str =
    "ref, page, claimed_at, claimed_precision, first_seen, missed_by, seen_before,
    first_text_digest, recorded_at, title, form, origin, text_digest, sampled_at, reads, likes,
    comments, shares";

fn post<'a>(row: &mut dyn Columns<'a>) -> Option<ScoredPost> {
    Some(ScoredPost {
        listed: ListedPost {
            reference: row.text()??.to_owned(),
            page: row.text()??.to_owned(),
            claimed: row.moment()?,
            first_seen: row.time()??,
            missed_by: row.time()?,
            seen_before: row.time()?,
            text_digest: row.text()?.map(str::to_owned),
            recorded_at: row.time()??,
        },
        title: row.text()?.map(str::to_owned),
        form: row.form()?,
        origin: row.origin()?,
        text_digest: row.text()?.map(str::to_owned),
        sampled_at: row.time()?,
        reads: row.count()?,
        likes: row.count()?,
        comments: row.count()?,
        shares: row.count()?,
    })
}

/// Behind the account, in the order in which [`sample`] takes them.
pub(super) const SAMPLE: &str = "ref, at, recorded_at, reads, likes, comments, shares";

/// A sample, of which post it is, and when it was written down.
fn sample<'a>(row: &mut dyn Columns<'a>) -> Option<(&'a str, DateTime<Utc>, PostSample)> {
    let (reference, at, recorded_at) = (row.text()??, row.time()??, row.time()??);
    let sample = PostSample {
        at,
        reads: row.count()?,
        likes: row.count()?,
        comments: row.count()?,
        shares: row.count()?,
    };
    Some((reference, recorded_at, sample))
}
