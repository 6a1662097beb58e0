use chrono::{DateTime, Duration, Utc};

use crate::domain::{Moment, Precision};

use super::facts::{ListedPost, Span};
use super::list::latest;
use super::threshold::Window;

/// Looks for the observation that should have listed a post and did not.
///
/// `spans` are the account's earlier covered spans of lists that would show the post. The answer is
/// the as-of time of the newest one that ends before the post was first seen and covers the whole
/// interval of its claimed time: the post appeared late. An undated post has nothing to miss.
pub fn late(
    spans: &[Span],
    claimed: Option<Moment>,
    first_seen: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let claimed = claimed?;
    let missed = |span: &&Span| {
        span.high < first_seen && span.low < claimed.lower() && latest(claimed) <= span.high
    };
    spans.iter().filter(missed).map(|span| span.high).max()
}

/// When a post may have been published, as far as it bears on a verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct PostTimes<'a> {
    pub(super) post: &'a ListedPost,
    /// [`ListedPost::missed_by`] as it stands by what the canaries say now.
    pub(super) missed_by: Option<DateTime<Utc>>,
    /// By how much the source had moved all its times when it listed the post first; the claim may
    /// be meant the old way.
    pub(super) shift: Duration,
}

impl PostTimes<'_> {
    /// The last instant at which the post can have been published: it was there when it was seen.
    ///
    /// `first_seen` is what the source proves, which can lie before the true sight of it; a claim
    /// between the two is no claim about the future, so the record's own time is the limit.
    fn seen_by(&self) -> DateTime<Utc> {
        self.post.first_seen.max(self.post.recorded_at)
    }

    /// Whether the claim lies wholly after the post was written down.
    fn claims_the_future(&self) -> bool {
        self.post.claimed.is_some_and(|claim| claim.lower() > self.seen_by())
    }

    /// Whether the post may lie in a window of silence; if so, the window is not proven silent.
    ///
    /// A post counts at its claimed time, cut to its first sight. An undated one, and one with a
    /// date in the future, counts at its first sight, and before a cutoff as far back as the last
    /// observation without it. One that appeared late may have been published at its claimed time,
    /// or at any time between the observation that missed it and its first sight.
    pub(super) fn may_lie_in(&self, window: &Window) -> bool {
        let (first_seen, seen_by) = (self.post.first_seen, self.seen_by());
        let Some(claim) = self.post.claimed.filter(|_| !self.claims_the_future()) else {
            let unseen = self.post.seen_before.unwrap_or(DateTime::<Utc>::MIN_UTC);
            return window.begins_by(seen_by) && unseen.min(first_seen) < window.end;
        };
        let claimed = window.meets(claim.lower(), latest(claim).min(seen_by));
        let unshifted = !self.shift.is_zero()
            && window.meets(claim.lower() - self.shift, (latest(claim) - self.shift).min(seen_by));
        let appeared = self.missed_by.is_some_and(|missed| window.meets(missed, seen_by));
        claimed || unshifted || appeared
    }

    /// Whether the claimed time can prove activity in a window at all.
    pub(super) fn may_prove(&self, window: &Window) -> bool {
        self.post.claimed.is_some_and(|claim| window.meets(claim.lower(), latest(claim)))
            || self.claims_the_future()
    }

    /// The closed range that an undisputed post proves activity for: from its claimed time, never
    /// later than first seen. A coarse claim is cut to after the last observation that would have
    /// shown the post and did not.
    pub(super) fn activity_range(&self, spans: &[Span]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let claim = self.post.claimed?;
        let first_seen = self.post.first_seen;
        let both = |at: DateTime<Utc>| [at.min(first_seen), (at - self.shift).min(first_seen)];
        let lower = both(claim.lower()).into_iter().min()?;
        let upper = both(latest(claim)).into_iter().max()?;
        if claim.precision == Precision::Second || self.missed_by.is_some() {
            return Some((lower, upper));
        }
        let without = |span: &&Span| {
            span.low < lower && span.high < first_seen && (lower..upper).contains(&span.high)
        };
        let cut = spans.iter().filter(without).map(|span| span.high).max();
        Some((cut.unwrap_or(lower), upper))
    }

    /// Whether the post speaks for its claimed time at this cutoff: not if it appeared late and
    /// was first seen after it.
    pub(super) fn is_disputed(&self, cutoff: DateTime<Utc>) -> bool {
        self.missed_by.is_some() && self.post.first_seen > cutoff
    }

    /// Whether its time is stated and not in doubt.
    pub(super) fn is_plain(&self) -> bool {
        self.missed_by.is_none()
            && self.shift.is_zero()
            && !self.claims_the_future()
            && self.post.claimed.is_some_and(|claim| claim.precision == Precision::Second)
    }

    /// The newest publication shown to the reader: the claimed time, never later than first seen.
    pub(super) fn shown_at(&self) -> Option<DateTime<Utc>> {
        self.post.claimed.map(|claim| claim.lower().min(self.post.first_seen))
    }

    /// The instant from which silence is counted: the last at which the post may have appeared.
    pub(super) fn silent_from(&self) -> DateTime<Utc> {
        match self.post.claimed {
            Some(claim) if self.missed_by.is_none() && !self.claims_the_future() => {
                let end = match claim.precision {
                    Precision::Second => claim.at,
                    _ => claim.upper(),
                };
                end.min(self.seen_by())
            }
            _ => self.post.first_seen,
        }
    }
}
