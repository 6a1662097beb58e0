use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use crate::domain::{Moment, Reason};

use super::canary::{Admit, Canaries, Trust};
use super::disorder::Disorder;
use super::facts::{Drift, History, ListedPost, Observation, Outcome, Source, Span, Visit};
use super::hidden::{HiddenPost, hidden_posts};
use super::outdated::{lapsed, overtaken};
use super::post::{PostTimes, late};
use super::span::Covered;

/// The part that a page kind lists when it lists everything.
const ALL_PARTS: &str = "all";

/// On so many days a list must lack what headed earlier ones for that to have been deleted, on one
/// more where no canary vouches for it: as many as silence is confirmed on by default.
const LAPSE_DAYS: usize = 2;

/// An observation as it may be used: its times cut to what is possible, its trust settled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) visit: &'a Visit,
    pub(super) observation: &'a Observation,
    pub(super) as_of: DateTime<Utc>,
    pub(super) trust: Trust,
    /// The covered span; absent for a source that cannot prove what it does not list.
    pub(super) span: Option<Span>,
    /// The instant it confirms silence for, where it may confirm.
    pub(super) confirms: Option<DateTime<Utc>>,
    /// Whether it lacks what had headed the list: it may be of an old page, and proves no silence.
    /// What it missed and what it counted still speak against silence.
    pub(super) is_lapsed: bool,
}

impl Seen<'_> {
    fn speaks_for(&self, part: &str) -> bool {
        self.visit.part == part || self.visit.part == ALL_PARTS
    }

    /// Whether it is known to lack a post: of an earlier time, and written down before the post
    /// was. A cached page fetched later is of an earlier time too and may well list it.
    pub(super) fn came_before(&self, post: &ListedPost) -> bool {
        self.as_of < post.first_seen && self.visit.recorded_at <= post.recorded_at
    }

    fn proves_activity_only(&self) -> bool {
        match self.visit.source {
            Source::Crawl => false,
            Source::Bridge => self.observation.upstream_success.is_none(),
            Source::Import | Source::Person => self.span.is_none(),
        }
    }
}

/// The platform's word, at a time, that the account is gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct GoneSign {
    pub(super) as_of: DateTime<Utc>,
    pub(super) trust: Trust,
    pub(super) confirming: bool,
}

/// A history as it was known at one time, in an order that does not depend on how it was told.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) history: &'a History,
    /// The parts that silence needs.
    pub(super) parts: Vec<&'a str>,
    pub(super) visits: Vec<&'a Visit>,
    pub(super) seen: Vec<Seen<'a>>,
    pub(super) gone: Vec<GoneSign>,
    pub(super) posts: Vec<PostTimes<'a>>,
    pub(super) hidden: Vec<HiddenPost>,
    pub(super) canaries: Canaries<'a>,
    drifts: Drifts<'a>,
}

/// The drifts known at one time.
#[derive(Debug)]
struct Drifts<'a> {
    known: Vec<&'a Drift>,
    known_at: DateTime<Utc>,
}

impl Drifts<'_> {
    /// The end of a drift, as far as it was known: one that ended later was still open.
    fn end(&self, drift: &Drift) -> Option<DateTime<Utc>> {
        drift.until.filter(|until| *until <= self.known_at)
    }

    fn hold(&self, visit: &Visit) -> bool {
        self.known.iter().any(|drift| {
            drift.page == visit.page
                && drift.since <= visit.started_at
                && self.end(drift).is_none_or(|until| visit.started_at < until)
        })
    }

    fn open_since(&self) -> Option<DateTime<Utc>> {
        let open = self.known.iter().filter(|drift| self.end(drift).is_none());
        open.map(|drift| drift.since).max()
    }
}

impl<'a> View<'a> {
    pub(super) fn new(history: &'a History, known_at: DateTime<Utc>) -> Self {
        let canaries = Canaries::new(history, known_at);
        let known = history.drifts.iter().filter(|drift| drift.recorded_at <= known_at).collect();
        let drifts = Drifts { known, known_at };
        let mut visits: Vec<&Visit> = Vec::with_capacity(history.visits.len());
        visits.extend(history.visits.iter().filter(|visit| visit.recorded_at <= known_at));
        visits.sort_by(|a, b| {
            (a.started_at, a.recorded_at, &a.page).cmp(&(b.started_at, b.recorded_at, &b.page))
        });
        let mut all_seen = Vec::with_capacity(visits.len());
        all_seen.extend(visits.iter().filter_map(|visit| seen(visit, &canaries, &drifts)));
        let mut view = Self {
            history,
            parts: match history.parts.as_slice() {
                [] => vec![ALL_PARTS],
                parts => parts.iter().map(String::as_str).collect(),
            },
            seen: all_seen,
            gone: visits.iter().filter_map(|visit| gone_sign(visit, &canaries, &drifts)).collect(),
            posts: Vec::new(),
            visits,
            hidden: Vec::new(),
            canaries,
            drifts,
        };
        view.seen.sort_by_key(|seen| (seen.as_of, seen.visit.started_at));
        let disorder = Disorder::of(&view.visits);
        for seen in view.seen.iter_mut().filter(|seen| disorder.holds(seen.visit)) {
            (seen.span, seen.confirms) = (None, None);
        }
        let known = || history.posts.iter().filter(|post| post.recorded_at <= known_at);
        let overtaken = overtaken(&view.seen, known());
        let old_pages: Vec<DateTime<Utc>> =
            overtaken.iter().map(|at| view.seen[*at].as_of).collect();
        for at in overtaken {
            view.seen[at].trust = Trust::Void;
        }
        let days = |page: &str| LAPSE_DAYS + usize::from(!view.canaries.speak_for(page));
        for at in lapsed(&view.seen, days) {
            let seen = &mut view.seen[at];
            (seen.span, seen.confirms, seen.is_lapsed) = (None, None, true);
        }
        let shifted: Vec<&Seen> =
            view.seen.iter().filter(|seen| seen.observation.claims_shift_seconds != 0).collect();
        let mut posts: Vec<PostTimes> = Vec::with_capacity(history.posts.len());
        posts.extend(known().map(|post| view.times_of(post, &shifted)));
        view.posts = posts;
        view.posts.sort_by_key(|times| (times.post.first_seen, &times.post.reference));
        view.hidden = hidden_posts(&view.seen, &old_pages);
        view
    }

    /// What a verdict may rest on, the better first: where what canaries of its own page kind vouch
    /// for is enough, the rest is left out, so that the verdict's mark does not come and go.
    pub(super) fn admissions(&self) -> &'static [Admit] {
        if self.history.unwatched.is_empty() {
            &[Admit::Settled]
        } else {
            &[Admit::Settled, Admit::Beside]
        }
    }

    /// Since when the host's own verdicts are frozen: by a failed canary or an open drift.
    pub(super) fn frozen_since(&self) -> Option<DateTime<Utc>> {
        self.canaries.frozen_since().max(self.drifts.open_since())
    }

    /// The part that lists a post; `None` where no visit of its page kind is known.
    pub(super) fn part_of(&self, post: &ListedPost) -> Option<&'a str> {
        let listed_it = self.visits.iter().find(|visit| visit.page == post.page);
        listed_it.map(|visit| visit.part.as_str())
    }

    fn times_of(&self, post: &'a ListedPost, shifted: &[&Seen<'a>]) -> PostTimes<'a> {
        PostTimes { post, missed_by: self.missed_by(post), shift: shift(post, shifted) }
    }

    /// The newest observation that should have listed a post and did not, void ones left out.
    ///
    /// An observation is voided after the post that it missed was written down: then the newest
    /// that still stands is sought. One before the stretch that the history tells stands as it was
    /// written.
    fn missed_by(&self, post: &ListedPost) -> Option<DateTime<Utc>> {
        let written = post.missed_by?;
        let part = self.part_of(post);
        let of_part = |seen: &&Seen| Some(seen.visit.part.as_str()) == part;
        let mut wrote = self.seen.iter().filter(of_part);
        if !wrote.any(|seen| seen.observation.as_of == written && seen.trust == Trust::Void) {
            return Some(written);
        }
        let standing = self.seen.iter().filter(of_part).filter(|seen| seen.trust != Trust::Void);
        let spans: Vec<Span> = standing.filter_map(|seen| seen.observation.span).collect();
        late(&spans, post.claimed, post.first_seen)
    }

    /// The observations of a part that are not void.
    pub(super) fn of_part(&self, part: &str) -> impl Iterator<Item = &Seen<'a>> {
        self.seen.iter().filter(move |seen| seen.trust != Trust::Void && seen.speaks_for(part))
    }

    /// How far the newest list of a part reaches.
    pub(super) fn newest_list(&self, part: &str) -> Option<DateTime<Utc>> {
        self.of_part(part).filter_map(|seen| seen.span).map(|span| span.high).max()
    }

    /// How far every part has been listed; `None` where one never was.
    pub(super) fn listed_to(&self) -> Option<DateTime<Utc>> {
        self.parts.iter().map(|part| self.newest_list(part)).min().flatten()
    }

    /// Covered time of the whole account: what every part has covered. Provisional observations
    /// count where `trusted` says so.
    pub(super) fn covered(&self, trusted: impl Fn(Trust) -> bool) -> Covered {
        let by_part = self.parts.iter().map(|part| -> Covered {
            let used = self.of_part(part).filter(|seen| trusted(seen.trust));
            used.filter_map(|seen| seen.span).collect()
        });
        by_part.reduce(|all, part| all.intersection(&part)).unwrap_or_default()
    }

    /// The instant by which the account certainly existed.
    ///
    /// `opened_on`, or missing: the earliest of `filed_on`, the page's registration date, the
    /// oldest known post, the first proven observation. A date counts at its end.
    pub(super) fn existed_by(&self) -> Option<DateTime<Utc>> {
        let end_of_day = |day: DateTime<Utc>| day + Duration::days(1);
        if let Some(opened) = self.history.opened_at {
            return Some(end_of_day(opened));
        }
        let registered = self.seen.iter().filter_map(|seen| seen.observation.registered_at);
        let posted = self.posts.iter().map(|times| match times.post.claimed {
            Some(claim) => claim.upper().min(times.post.first_seen),
            None => times.post.first_seen,
        });
        self.history
            .filed_at
            .map(end_of_day)
            .into_iter()
            .chain(registered.map(Moment::upper))
            .chain(posted)
            .chain(self.seen.iter().map(|seen| seen.as_of))
            .min()
    }

    /// Whether no post was ever seen and the newest list of every part is proven empty.
    pub(super) fn never_posted(&self) -> bool {
        let is_empty = |part: &&str| {
            let lists = self.of_part(part).filter(|seen| seen.span.is_some());
            lists.max_by_key(|seen| seen.as_of).is_some_and(|seen| seen.observation.empty)
        };
        self.posts.is_empty() && self.parts.iter().all(is_empty)
    }

    /// The spans by which a coarse claim may be cut: of lists that would have shown the post. Which
    /// part a post belongs to is not told, so only lists of everything serve.
    pub(super) fn bracketing_spans(&self) -> Vec<Span> {
        let whole = |seen: &&Seen| self.parts.len() == 1 || seen.visit.part == ALL_PARTS;
        let settled = self.seen.iter().filter(|seen| seen.trust != Trust::Void);
        settled.filter(whole).filter_map(|seen| seen.span).collect()
    }

    /// Whether whatever was observed comes from sources that cannot prove silence.
    pub(super) fn proves_activity_only(&self) -> bool {
        !self.seen.is_empty() && self.seen.iter().all(Seen::proves_activity_only)
    }

    /// The newest failure of a page kind that no list observation of the same part follows. A page
    /// kind that was read and never listed anything is a profile: the lists stand without it.
    pub(super) fn standing_failure(&self) -> Option<(&'a Visit, Reason)> {
        let mut newest_list: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
        let lists = self
            .seen
            .iter()
            .filter(|seen| seen.trust != Trust::Void && (seen.span.is_some() || seen.is_lapsed));
        for seen in lists {
            let newest = newest_list.entry(&seen.visit.part).or_insert(seen.visit.started_at);
            *newest = seen.visit.started_at.max(*newest);
        }
        let failures = self.visits.iter().filter_map(|visit| match visit.outcome {
            Outcome::Failed(reason) => Some((*visit, reason)),
            _ => None,
        });
        let is_profile = |page: &str| {
            let mut of_page = self.seen.iter().filter(|seen| seen.visit.page == page).peekable();
            of_page.peek().is_some() && of_page.all(|seen| seen.observation.span.is_none())
        };
        failures
            .filter(|(visit, _)| !is_profile(&visit.page))
            .filter(|(visit, _)| {
                newest_list.get(visit.part.as_str()).is_none_or(|list| visit.started_at > *list)
            })
            .max_by_key(|(visit, reason)| (visit.started_at, visit.recorded_at, *reason))
    }
}

/// No source proves a time after it was asked, whatever it says.
fn cut(as_of: DateTime<Utc>, visit: &Visit) -> DateTime<Utc> {
    as_of.min(visit.started_at).min(visit.recorded_at)
}

fn trust(visit: &Visit, canaries: &Canaries, drifts: &Drifts) -> Trust {
    match visit.source {
        Source::Import | Source::Person => Trust::Attested,
        Source::Crawl | Source::Bridge if drifts.hold(visit) => Trust::Void,
        Source::Crawl | Source::Bridge => {
            canaries.trust(&visit.page, &visit.adapter, visit.started_at)
        }
    }
}

fn seen<'a>(visit: &'a Visit, canaries: &Canaries, drifts: &Drifts) -> Option<Seen<'a>> {
    let Outcome::Observed(observation) = &visit.outcome else { return None };
    let speaks_until = match visit.source {
        Source::Bridge => observation.upstream_success.map(|success| cut(success, visit)),
        _ => Some(cut(observation.as_of, visit)),
    };
    let span = observation.span.zip(speaks_until).and_then(|(span, until)| {
        let span = Span { low: span.low, high: span.high.min(until) };
        (span.low < span.high).then_some(span)
    });
    Some(Seen {
        visit,
        observation,
        as_of: cut(observation.as_of, visit),
        trust: trust(visit, canaries, drifts),
        span,
        confirms: span.filter(|_| observation.confirming).map(|span| span.high),
        is_lapsed: false,
    })
}

fn gone_sign(visit: &Visit, canaries: &Canaries, drifts: &Drifts) -> Option<GoneSign> {
    let Outcome::Gone { as_of, confirming } = visit.outcome else { return None };
    Some(GoneSign { as_of: cut(as_of, visit), trust: trust(visit, canaries, drifts), confirming })
}

/// By how much the source had moved its times when it listed a post first, or has moved them back
/// since.
///
/// A post that was listed before a move claims, after it, another time than was written down; which
/// of the two is right cannot be told from the move.
fn shift(post: &ListedPost, shifted: &[&Seen<'_>]) -> Duration {
    let of_page = || shifted.iter().filter(|seen| seen.visit.page == post.page);
    let first = of_page().find(|seen| seen.visit.recorded_at == post.recorded_at);
    let later = || of_page().find(|seen| seen.as_of > post.first_seen && lists(seen, post));
    let seconds = match (first, later()) {
        (Some(first), _) => first.observation.claims_shift_seconds,
        (None, Some(later)) => -later.observation.claims_shift_seconds,
        (None, None) => 0,
    };
    Duration::seconds(i64::from(seconds))
}

/// Whether a list reaches back to a post, by whichever of its times.
fn lists(seen: &Seen<'_>, post: &ListedPost) -> bool {
    let moved = Duration::seconds(i64::from(seen.observation.claims_shift_seconds)).abs();
    let low = seen.observation.span.map(|span| span.low);
    low.zip(post.claimed).is_some_and(|(low, claim)| low < claim.upper() + moved)
}
