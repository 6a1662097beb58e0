//! Backdating (补发/伪造发稿日期): posts that claim a time at which they were not there.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};

use crate::domain::{IdTime, Moment, shanghai_date};

use super::appearance::{DateRules, Doubt, LatePost, SetAside, Sight};
use super::canary::Trust;
use super::facts::{History, ListedPost, Visit};
use super::list::latest;
use super::post::PostTimes;
use super::view::{Seen, View};

/// One of them must have looked so soon after the claimed time, or nobody can say that the post was
/// not there and taken from sight before anyone looked.
const LOOKED_WITHIN: Duration = Duration::hours(48);

/// Days on which full observations must have missed a post.
const MISSED_DAYS: usize = 2;

/// Every post that appeared late, by what is recorded by `known_at`, in order of first sight.
///
/// A candidate for a finding is one that the author dated, of which at least two full observations
/// on two days, the first within 48 hours of the claimed time, show an older and a newer item
/// without it, made by the same kind of viewer with the
/// same version of the platform file as the one that listed it; that came later than the platform's
/// visibility lag; whose text was not seen before, whose id does not support the claim, and whose
/// source did not shift its times meanwhile. `rules` are those of a page kind, `id_time` says what
/// a post's id tells.
pub fn late_posts(
    history: &History,
    rules: impl Fn(&str) -> Option<DateRules>,
    id_time: impl Fn(&ListedPost) -> IdTime,
    known_at: DateTime<Utc>,
) -> Vec<LatePost> {
    let view = View::new(history, known_at);
    let late = view.posts.iter().filter(|times| times.missed_by.is_some());
    late.filter_map(|times| {
        let claimed = times.post.claimed?;
        let case = Case::of(&view, times, claimed);
        let doubts = case.doubts(rules(&times.post.page), &id_time);
        Some(LatePost {
            reference: times.post.reference.to_string(),
            claimed,
            first_seen: times.post.first_seen,
            listed_by: case.listed_by.map(Sight::of),
            late_by: case.late_by(),
            missed_by: case.missed.iter().map(|seen| Sight::of(seen)).collect(),
            set_aside: case.set_aside.iter().map(|(seen, why)| (Sight::of(seen), *why)).collect(),
            doubts,
        })
    })
    .collect()
}

struct Case<'v, 'a> {
    view: &'v View<'a>,
    post: &'a ListedPost,
    claimed: Moment,
    listed_by: Option<&'v Seen<'a>>,
    missed: Vec<&'v Seen<'a>>,
    set_aside: Vec<(&'v Seen<'a>, SetAside)>,
}

fn is_settled(seen: &Seen<'_>) -> bool {
    matches!(seen.trust, Trust::Settled | Trust::Attested)
}

impl<'v, 'a> Case<'v, 'a> {
    fn of(view: &'v View<'a>, times: &PostTimes<'a>, claimed: Moment) -> Self {
        let post = times.post;
        let listed_by = view.seen.iter().find(|seen| {
            let visit: &Visit = seen.visit;
            visit.page == post.page
                && visit.recorded_at == post.recorded_at
                && seen.observation.as_of == post.first_seen
        });
        let part = view.part_of(post);
        let (mut missed, mut set_aside) = (Vec::new(), Vec::new());
        let covering = view.seen.iter().filter(|seen| {
            let covers = |span: &super::facts::Span| {
                span.low < claimed.lower() && latest(claimed) <= span.high
            };
            Some(seen.visit.part.as_str()) == part
                && seen.came_before(post)
                && seen.span.as_ref().is_some_and(covers)
        });
        for seen in covering {
            match listed_by.and_then(|listed_by| why_set_aside(seen, listed_by, claimed)) {
                Some(why) => set_aside.push((seen, why)),
                None => missed.push(seen),
            }
        }
        Self { view, post, claimed, listed_by, missed, set_aside }
    }

    fn late_by(&self) -> Duration {
        self.post.first_seen - latest(self.claimed)
    }

    fn doubts(
        &self,
        rules: Option<DateRules>,
        id_time: &impl Fn(&ListedPost) -> IdTime,
    ) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        let rules = rules.filter(|rules| rules.author_time);
        if rules.is_none() {
            doubts.push(Doubt::NotTheAuthorsTime);
        }
        let lag = rules.map_or(Duration::zero(), |rules| rules.visibility_lag);
        if self.late_by() <= lag {
            doubts.push(Doubt::WithinLag);
        }
        if !self.listed_by.is_some_and(is_settled) {
            doubts.push(Doubt::FirstListing);
        }
        if let Some(other) = self.same_text() {
            doubts.push(Doubt::TextSeenBefore(other.reference.to_string()));
        }
        if self.id_supports(lag, id_time) {
            doubts.push(Doubt::IdSupportsClaim);
        }
        if self.offset_shifted() {
            doubts.push(Doubt::OffsetShifted);
        }
        let days: BTreeSet<_> = self.missed.iter().map(|seen| shanghai_date(seen.as_of)).collect();
        if days.len() < MISSED_DAYS {
            doubts.push(Doubt::TooFewDays(days.len()));
        }
        let soon = latest(self.claimed) + LOOKED_WITHIN;
        if self.missed.first().is_some_and(|first| first.as_of > soon) {
            doubts.push(Doubt::NobodyLookedThen);
        }
        doubts
    }

    fn others(&self) -> impl Iterator<Item = &'a ListedPost> {
        self.view.posts.iter().map(|times| times.post).filter(|other| {
            other.reference != self.post.reference && other.first_seen < self.post.first_seen
        })
    }

    fn same_text(&self) -> Option<&'a ListedPost> {
        self.post.text_digest.as_ref()?;
        self.others().find(|other| other.text_digest == self.post.text_digest)
    }

    /// An id that holds a time supports a claim that it does not lie after, the lag allowed for.
    /// One that only has a place supports it if an item behind it had been seen before the first
    /// observation that missed the post: the id was given out by then.
    fn id_supports(&self, lag: Duration, id_time: &impl Fn(&ListedPost) -> IdTime) -> bool {
        match id_time(self.post) {
            IdTime::At(at) => at <= latest(self.claimed) + lag,
            IdTime::Place(place) => self.missed.first().is_some_and(|first| {
                let mut seen_by_then =
                    self.others().filter(|other| other.first_seen <= first.as_of);
                seen_by_then
                    .any(|other| matches!(id_time(other), IdTime::Place(later) if later > place))
            }),
            IdTime::Untold => false,
        }
    }

    fn offset_shifted(&self) -> bool {
        let Some(first) = self.missed.first() else { return false };
        let meanwhile = self.view.seen.iter().filter(|seen| {
            seen.visit.page == self.post.page
                && seen.as_of >= first.as_of
                && seen.as_of <= self.post.first_seen
        });
        meanwhile.into_iter().any(|seen| seen.observation.claims_shift_seconds != 0)
    }
}

/// Why an observation is not one that counts; `None` where it does.
fn why_set_aside(seen: &Seen<'_>, listed_by: &Seen<'_>, claimed: Moment) -> Option<SetAside> {
    let (one, other) = (seen.visit, listed_by.visit);
    if !seen.observation.bracket.is_some_and(|bracket| bracket.holds(claimed)) {
        return Some(SetAside::Unbracketed);
    }
    if one.page != other.page || one.source != other.source {
        return Some(SetAside::OtherViewer);
    }
    if one.adapter != other.adapter {
        return Some(SetAside::OtherAdapter);
    }
    (!is_settled(seen)).then_some(SetAside::Unsettled)
}
