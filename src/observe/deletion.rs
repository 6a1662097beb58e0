//! Deletion after publication: what was listed and is no longer there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::domain::{Moment, Precision, shanghai_date};

use super::appearance::Sight;
use super::canary::Trust;
use super::facts::{History, MarkKind, PostMark};
use super::view::{Seen, View};

/// Observations that must have missed a post for it to count as deleted.
const ABSENCES: usize = 2;

/// Days on which its own address must have answered that a post is gone, where no list missed it:
/// a site in trouble may say so of everything for a day.
const GONE_DAYS: usize = 2;

/// How a deletion is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletionProof {
    /// Two observations that show an older and a newer item without it, the oldest such.
    Absent(Vec<Sight>),
    /// The post's own address answered that it is gone: on two days, or once while an observation
    /// missed it.
    Gone(Sight),
}

/// Whether a post that was missing once is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It was listed again after all that was missing.
    Listed,
    /// It is not listed, and that is all that can be said: one observation missed it, or its own
    /// address still showed it.
    NotListed,
    /// It was deleted within `[last_seen, first_missing]`.
    Deleted(DeletionProof),
}

/// A post with marks, and what they come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostPresence {
    /// The post.
    pub reference: String,
    /// As-of time of the newest observation that listed it before it was missing, or of the answer
    /// of its own address that still showed it.
    pub last_seen: DateTime<Utc>,
    /// As-of time of the first that missed it, or of its own address's answer; `None` where it is
    /// listed again or its own address still shows it.
    pub first_missing: Option<DateTime<Utc>>,
    /// What can be said.
    pub presence: Presence,
}

/// What became of every post that has marks, by what is recorded by `known_at`, by reference.
///
/// Once a post's own address has shown it although its list did not, lists alone prove nothing any
/// more: it was taken off the list, or lies elsewhere.
///
/// A post without marks is listed as ever, or lies deeper than the lists now reach: nothing is said
/// of it. Observations without a healthy canary behind them, those that confirm nothing (a cache
/// may have answered), those whose source had moved its times, and those that the history does not
/// tell prove no absence; nor does any of a post whose own first listing was such a one: the time
/// it claims may be wrong, as it may where the source has moved its times since. Nor does any of a
/// post that was listed once, with a time coarser than a second: an old page shown as new moves
/// times such as 3小时前 with it, and the post may never have stood where it is missed.
pub fn presences(
    history: &History,
    marks: &[PostMark],
    known_at: DateTime<Utc>,
) -> Vec<PostPresence> {
    let view = View::new(history, known_at);
    let mut by_post: BTreeMap<&str, Vec<&PostMark>> = BTreeMap::new();
    for mark in marks.iter().filter(|mark| mark.recorded_at <= known_at) {
        by_post.entry(&mark.reference).or_default().push(mark);
    }
    let told = by_post.into_iter().filter_map(|(reference, mut marks)| {
        marks.sort_by_key(|mark| (mark.at, mark.kind, mark.started_at));
        presence(&view, reference, &marks)
    });
    told.collect()
}

/// Whether a post that claimed one time first and claims another now cannot mean the same.
///
/// Words such as `3小时前` say a time to their own unit, and move by up to one more between readings;
/// times to the second are allowed a minute.
pub fn is_redated(first: Moment, now: Moment) -> bool {
    let moves = first.precision.max(now.precision).max(Precision::Minute).step();
    first.upper() + moves <= now.lower() || now.upper() + moves <= first.lower()
}

fn presence(view: &View<'_>, reference: &str, marks: &[&PostMark]) -> Option<PostPresence> {
    let (redated, marks): (Vec<&PostMark>, Vec<&PostMark>) =
        marks.iter().partition(|mark| mark.kind == MarkKind::Redated);
    // Of what came before it was shown the last time nothing is left to say.
    let is_sight = |mark: &&PostMark| matches!(mark.kind, MarkKind::Listed | MarkKind::Open);
    let shown = marks.iter().rposition(is_sight);
    let opened = shown.map(|at| marks[at]).filter(|mark| mark.kind == MarkKind::Open);
    let claims_well = redated.is_empty() && claims_well(view, reference, &marks);
    let counts = |mark: &&PostMark| match mark.kind {
        MarkKind::Gone => true,
        _ => claims_well && is_settled(view, mark),
    };
    let since = marks[shown.map_or(0, |at| at + 1)..].iter().copied();
    let since: Vec<&PostMark> = since.filter(counts).collect();
    let has_gone = since.iter().any(|mark| mark.kind == MarkKind::Gone);
    let first = since.first().filter(|_| opened.is_none() || has_gone);
    let Some(first) = first else {
        return Some(PostPresence {
            reference: reference.to_owned(),
            last_seen: marks[shown?].at,
            first_missing: None,
            presence: opened.map_or(Presence::Listed, |_| Presence::NotListed),
        });
    };
    let sight = |mark: &PostMark| Sight {
        as_of: mark.at,
        started_at: mark.started_at,
        page: mark.page.clone(),
    };
    let gone: Vec<&&PostMark> = since.iter().filter(|mark| mark.kind == MarkKind::Gone).collect();
    let gone_days: BTreeSet<_> = gone.iter().map(|mark| shanghai_date(mark.at)).collect();
    let absent = since.iter().filter(|mark| mark.kind == MarkKind::Absent);
    let absent: Vec<Sight> = absent.take(ABSENCES).map(|mark| sight(mark)).collect();
    // What its own address showed is missing from when that says so, not from when a list does.
    let first_missing = match gone.first() {
        Some(gone) if opened.is_some() => gone.at,
        _ => first.at,
    };
    let presence = match gone.first() {
        Some(gone) if gone_days.len() >= GONE_DAYS || (opened.is_none() && !absent.is_empty()) => {
            Presence::Deleted(DeletionProof::Gone(sight(gone)))
        }
        _ if absent.len() == ABSENCES && opened.is_none() => {
            Presence::Deleted(DeletionProof::Absent(absent))
        }
        _ => Presence::NotListed,
    };
    Some(PostPresence {
        reference: reference.to_owned(),
        last_seen: opened.map_or(first.last_seen, |mark| mark.at),
        first_missing: Some(first_missing),
        presence,
    })
}

fn is_settled(view: &View<'_>, mark: &PostMark) -> bool {
    view.seen.iter().any(|seen| {
        seen.visit.page == mark.page
            && seen.visit.started_at == mark.started_at
            && seen.confirms.is_some()
            && is_sound(seen)
    })
}

/// Whether the post's claim was read by a sound observation, or before the stretch that the history
/// tells; a coarse claim, by two observations.
fn claims_well(view: &View<'_>, reference: &str, marks: &[&PostMark]) -> bool {
    let post = view.posts.iter().find(|times| times.post.reference == reference);
    let Some(times) = post else { return true };
    if !times.shift.is_zero() {
        return false;
    }
    let post = times.post;
    let is_coarse = post.claimed.is_none_or(|claim| claim.precision != Precision::Second);
    if is_coarse && !marks.iter().any(|mark| mark.last_seen > post.first_seen) {
        return false;
    }
    let mut listed_it = view
        .seen
        .iter()
        .filter(|seen| seen.visit.page == post.page && seen.visit.recorded_at == post.recorded_at);
    listed_it.all(is_sound)
}

fn is_sound(seen: &Seen<'_>) -> bool {
    matches!(seen.trust, Trust::Settled | Trust::Attested)
        && seen.observation.claims_shift_seconds == 0
}
