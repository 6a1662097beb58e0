use chrono::{DateTime, SubsecRound, Utc};

use crate::domain::Reason;

use super::canary::{Admit, Trust};
use super::judge::{Line, tiers};
use super::policy::Policy;
use super::silence::{Live, Question, Shortfall};
use super::view::View;

/// Why neither activity nor silence is proven: the most telling cause, with its data.
///
/// In this order: nothing was ever looked at; the sources cannot prove silence at all; the newest
/// visits fail; the last good look is too old; a canary stands in the way; what the proof itself
/// lacks. At a cutoff a failure is told only where a look is missing, since it may lie months
/// after.
pub(super) fn undetermined(
    view: &View,
    policy: &Policy,
    cutoff: DateTime<Utc>,
    live: Option<Live>,
) -> (Reason, Vec<Line>) {
    if view.visits.is_empty() {
        return (Reason::NeverVisited, Vec::new());
    }
    if view.proves_activity_only() {
        let remedies = ["authorised_import", "person_check", "bridge_upstream_time"];
        let lines = remedies.map(|remedy| Line::new("remedy", remedy)).to_vec();
        return (Reason::SourceCannotProveSilence, lines);
    }
    let failure = view.standing_failure().map(|(visit, reason)| {
        let data = format!("{} {} {reason}", visit.started_at.to_rfc3339(), visit.page);
        (reason, vec![Line::new("visit_failed", data)])
    });
    if let Some(live) = live {
        return failure.unwrap_or_else(|| live_reason(view, policy, live));
    }
    let question = weakest(view, policy, cutoff, cutoff, cutoff + policy.visibility_lag());
    let (reason, lines) = missing(view, policy, question, false);
    let wants_a_look = matches!(reason, Reason::Unconfirmed | Reason::PartsMissing)
        || view.listed_to().is_none_or(|newest| newest < cutoff);
    failure.filter(|_| wants_a_look).unwrap_or((reason, lines))
}

fn live_reason(view: &View, policy: &Policy, live: Live) -> (Reason, Vec<Line>) {
    let newest_sight = view.seen.last().map(|seen| seen.as_of);
    let newest_gone = view.gone.iter().max_by_key(|sign| sign.as_of);
    if let Some(gone) = newest_gone.filter(|sign| newest_sight.is_none_or(|at| sign.as_of > at)) {
        let reason = match gone.trust {
            _ if live.now - gone.as_of > policy.max_age() => Reason::ObservationTooOld,
            _ if live.frozen => Reason::Frozen,
            Trust::Provisional | Trust::Void => Reason::Provisional,
            Trust::Settled | Trust::Beside | Trust::Attested => Reason::Unconfirmed,
        };
        return (reason, vec![Line::new("gone_seen", gone.as_of.to_rfc3339())]);
    }
    let lapsed = view.seen.iter().filter(|seen| seen.is_lapsed && seen.trust != Trust::Void);
    let lapsed = lapsed.map(|seen| seen.as_of).max();
    if let Some(lapsed) = lapsed.filter(|at| view.listed_to().is_none_or(|newest| *at > newest))
        && live.now - lapsed <= policy.max_age()
    {
        let line = Line::new("newest_post_missing", lapsed.to_rfc3339());
        return (if live.frozen { Reason::Frozen } else { Reason::Unconfirmed }, vec![line]);
    }
    let Some(newest) = view.listed_to() else {
        let question = weakest(view, policy, live.now, DateTime::<Utc>::MAX_UTC, live.now);
        return missing(view, policy, question, live.frozen);
    };
    if live.now - newest > policy.max_age() {
        let line = Line::new("last_listed", newest.to_rfc3339());
        return (Reason::ObservationTooOld, vec![line]);
    }
    let cutoff = newest.trunc_subsecs(0);
    let question = weakest(view, policy, cutoff, DateTime::<Utc>::MAX_UTC, cutoff);
    missing(view, policy, question, live.frozen)
}

/// The question that is easiest to answer with silence.
fn weakest(
    view: &View,
    policy: &Policy,
    cutoff: DateTime<Utc>,
    posts_before: DateTime<Utc>,
    confirmed_from: DateTime<Utc>,
) -> Question {
    let (threshold, empty) = tiers(view, policy)
        .last()
        .map_or((policy.watch, false), |(_, threshold, empty)| (*threshold, *empty));
    Question {
        threshold,
        cutoff,
        posts_before,
        confirmed_from,
        empty,
        admit: Admit::Provisional,
        frozen: false,
    }
}

/// What the proof lacks when provisional observations are let in; a canary, if nothing else.
fn missing(view: &View, policy: &Policy, question: Question, frozen: bool) -> (Reason, Vec<Line>) {
    let held = if frozen { Reason::Frozen } else { Reason::Provisional };
    let canary = view.canaries.frozen_since().map(|at| ("canary_failed", at));
    let since = canary.or_else(|| Some(("page_kind_drifted", view.frozen_since()?)));
    let since = since.filter(|_| frozen);
    let canary_line = || since.map(|(code, at)| Line::new(code, at.to_rfc3339()));
    match question.prove(view, policy) {
        Ok(_) => (held, canary_line().into_iter().collect()),
        Err(shortfall) => {
            let lines = canary_line().into_iter().chain([told(&shortfall)]).collect();
            let waits_for_looks = matches!(
                shortfall,
                Shortfall::Unconfirmed { .. }
                    | Shortfall::PartMissing(_)
                    | Shortfall::NotCovered(_)
            );
            let newest_is_void = view
                .seen
                .iter()
                .max_by_key(|seen| seen.visit.started_at)
                .is_some_and(|seen| seen.trust == Trust::Void && seen.span.is_some());
            if waits_for_looks && (frozen || newest_is_void) {
                return (held, lines);
            }
            match shortfall {
                Shortfall::PartMissing(_) if view.parts.len() == 1 => (Reason::NotCovered, lines),
                _ => (shortfall.reason(), lines),
            }
        }
    }
}

fn told(shortfall: &Shortfall) -> Line {
    match shortfall {
        Shortfall::TooYoung => Line::new("too_young", ""),
        Shortfall::Posted(post) => Line::new("posted_in_window", post.post.reference.as_str()),
        Shortfall::Ambiguous(post) => Line::new("may_lie_in_window", post.post.reference.as_str()),
        Shortfall::Hidden(hidden) => Line::new(
            "counter_grew",
            format!("{}/{}", hidden.after.to_rfc3339(), hidden.by.to_rfc3339()),
        ),
        Shortfall::PartMissing(part) => Line::new("part_missing", *part),
        Shortfall::NotCovered(window) => Line::new(
            "not_covered",
            format!("{}/{}", window.start.to_rfc3339(), window.end.to_rfc3339()),
        ),
        Shortfall::Unconfirmed { part, days, needed } => {
            Line::new("confirmed_days", format!("{days} of {needed} for {part}"))
        }
    }
}
