//! What is read of one row of visits, posts or samples, column by column.

use chrono::{DateTime, Utc};

use super::columns::{read_reason, read_source};
use super::copy_rows::Columns as _;
use super::packing::UnpackedRow;
use super::period_rows::{PostSample, ScoredPost};
use crate::domain::Word;
use crate::observe::{Bracket, ListedPost, Observation, Outcome, Span, Visit};

/// Behind the account, in the order in which [`visit`] takes them.
pub(super) const VISIT: &str =
    "started_at, page, host, part, recorded_at, adapter, source, outcome, reason,
    items, as_of, span_low, span_high, exhausted, empty, confirming, posts_total, new_items,
    upstream_success, registered_at, registered_precision, bracket_older, bracket_newer,
    claims_shift_seconds";

/// Of a visit its time alone, which tells whether the rest of its row is read.
pub(super) fn started_at(mut row: UnpackedRow<'_, '_>) -> Option<DateTime<Utc>> {
    row.time()?
}

/// What came of a visit, as far as it tells that there was an account.
pub(super) struct Look {
    pub(super) started_at: DateTime<Utc>,
    pub(super) recorded_at: DateTime<Utc>,
    /// Whether its page speaks for a list.
    pub(super) speaks: bool,
    pub(super) has_observed: bool,
    /// How many items it listed.
    pub(super) items: i32,
    pub(super) as_of: Option<DateTime<Utc>>,
}

/// Of a visit its times and what came of it, without the rest.
pub(super) fn look(mut row: UnpackedRow<'_, '_>) -> Option<Look> {
    let started_at = row.time()??;
    let (_page, _host, part) = (row.next()?, row.next()?, row.next()??);
    let recorded_at = row.time()??;
    let (_adapter, _source, outcome, _reason) =
        (row.next()?, row.next()?, row.next()??, row.next()?);
    let (items, as_of) = (row.integer()??, row.time()?);
    let (speaks, has_observed) = (!part.is_empty(), outcome == b"observed");
    Some(Look { started_at, recorded_at, speaks, has_observed, items, as_of })
}

/// A visit and its host; what it shares with the one before is that one's.
pub(super) fn visit<'a>(
    mut row: UnpackedRow<'_, 'a>,
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

/// A post; what it shares with the one before is that one's.
pub(super) fn post<'a>(
    mut row: UnpackedRow<'_, 'a>,
    before: Option<&ScoredPost>,
) -> Option<ScoredPost> {
    let or_new = |text: &str, known: Option<&Word>| {
        known.map_or_else(|| text.into(), |known| known.or_new(text))
    };
    let listed = ListedPost {
        reference: row.text()??.into(),
        page: or_new(row.text()??, before.map(|post| &post.listed.page)),
        claimed: row.moment()?,
        first_seen: row.time()??,
        missed_by: row.time()?,
        seen_before: row.time()?,
        text_digest: row.text()?.map(Word::from),
        recorded_at: row.time()??,
    };
    Some(ScoredPost {
        title: row.text()?.map(str::to_owned),
        form: row.form()?,
        origin: row.origin()?,
        text_digest: row.text()?.map(|text| or_new(text, listed.text_digest.as_ref())),
        sampled_at: row.time()?,
        listed,
        reads: row.count()?,
        likes: row.count()?,
        comments: row.count()?,
        shares: row.count()?,
    })
}

/// When a post was listed: what tells whether the rest of its row is read.
pub(super) struct Listing {
    /// The time it claims.
    pub(super) claimed: Option<DateTime<Utc>>,
    pub(super) first_seen: DateTime<Utc>,
    pub(super) recorded_at: DateTime<Utc>,
}

/// Of a post its times alone.
pub(super) fn listing(mut row: UnpackedRow<'_, '_>) -> Option<Listing> {
    let (_reference, _page) = (row.next()?, row.next()?);
    let (claimed, first_seen) = (row.moment()?, row.time()??);
    let (_missed_by, _seen_before, _text_digest) = (row.next()?, row.next()?, row.next()?);
    Some(Listing { claimed: claimed.map(|one| one.at), first_seen, recorded_at: row.time()?? })
}

/// Behind the account, in the order in which [`sample`] takes them.
pub(super) const SAMPLE: &str = "ref, at, recorded_at, reads, likes, comments, shares";

/// A sample, of which post it is, and when it was written down.
pub(super) fn sample<'a>(
    mut row: UnpackedRow<'_, 'a>,
) -> Option<(&'a str, DateTime<Utc>, PostSample)> {
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
