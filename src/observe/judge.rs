use chrono::{DateTime, Duration, SubsecRound, Utc};

use crate::domain::{Activity, Reason};

use super::canary::{Admit, Trust};
use super::coverage::{Coverage, coverage_in};
use super::facts::History;
use super::goneness::prove_gone;
use super::policy::Policy;
use super::post::PostTimes;
use super::reason::undetermined;
use super::silence::{Live, Question, Silence};
use super::span::Covered;
use super::threshold::Threshold;
use super::view::View;

/// One step of an explanation: a stable English code with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about, such as `last_post`, `confirmed`, `not_covered`.
    pub code: &'static str,
    /// The value, times as RFC 3339 in UTC.
    pub data: String,
}

impl Line {
    pub(super) fn new(code: &'static str, data: impl Into<String>) -> Self {
        Self { code, data: data.into() }
    }
}

/// What is proven of an account, and on what it rests.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The strongest activity proven.
    pub activity: Activity,
    /// The instant spoken of: for a live silence the last confirming observation, else now; for a
    /// judgement at a cutoff, the cutoff.
    pub cutoff: DateTime<Utc>,
    /// The newest claimed publication of all items, never later than first seen.
    pub last_post_at: Option<DateTime<Utc>>,
    /// As-of time of the newest observation, whatever its trust.
    pub last_observation_at: Option<DateTime<Utc>>,
    /// When the dormant threshold lies behind the last post, at the latest time it allows.
    pub silence_deadline_at: Option<DateTime<Utc>>,
    /// Covered share of the dormant window before now or before the cutoff, 0–1; observations that
    /// wait for a canary count, void ones do not.
    pub coverage: f64,
    /// The covered time itself, as far back as the history tells; of the same observations.
    pub covered: Covered,
    /// As-of times of the observations that confirm a silent or gone account, oldest first.
    pub confirmations: Vec<DateTime<Utc>>,
    /// Whether a third confirmation stands in for a canary: naming then needs approval.
    pub no_canary: bool,
    /// Why, step by step.
    pub explanation: Vec<Line>,
    /// When the live state can change by itself, without new facts; `None` at a cutoff, and where
    /// only a new fact can change it.
    pub next_crossing_at: Option<DateTime<Utc>>,
}

/// A history as it was known at one time, ready to be judged any number of times.
#[derive(Debug)]
pub struct Knowledge<'a>(View<'a>);

impl<'a> Knowledge<'a> {
    /// The facts recorded by `known_at`.
    pub fn new(history: &'a History, known_at: DateTime<Utc>) -> Self {
        Self(View::new(history, known_at))
    }

    /// As [`judge`].
    pub fn judge(&self, policy: &Policy, now: DateTime<Utc>) -> Judgement {
        judge_now(&self.0, policy, now)
    }

    /// As [`judge_at`].
    pub fn judge_at(&self, policy: &Policy, cutoff: DateTime<Utc>) -> Judgement {
        judge_cutoff(&self.0, policy, cutoff)
    }

    /// As [`coverage()`](super::coverage()).
    pub fn coverage(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Coverage {
        coverage_in(&self.0, from, to)
    }
}

/// What is proven of an account now, from the facts recorded by `known_at`.
pub fn judge(
    history: &History,
    policy: &Policy,
    now: DateTime<Utc>,
    known_at: DateTime<Utc>,
) -> Judgement {
    Knowledge::new(history, known_at).judge(policy, now)
}

fn judge_now(view: &View<'_>, policy: &Policy, now: DateTime<Utc>) -> Judgement {
    let live = Live { now, frozen: view.frozen_since().is_some() };
    if let Some((cutoff, gone)) = live_gone(view, policy, live) {
        return Found::silent(Activity::Gone, cutoff, gone).finish(view, policy, Some(live));
    }
    if let Some(post) = newest_active(view, policy.watch, now, true) {
        let found = Found {
            activity: Activity::Active,
            cutoff: now,
            silence: None,
            explanation: vec![Line::new("posted", post.to_rfc3339())],
            next_crossing_at: Some(policy.watch.crossing(post)),
        };
        return found.finish(view, policy, Some(live));
    }
    let candidates = live_cutoffs(view, policy, now);
    for (activity, threshold, empty) in tiers(view, policy) {
        let attempts = view
            .admissions()
            .iter()
            .flat_map(|admit| candidates.iter().map(move |at| (*admit, *at)));
        for (admit, cutoff) in attempts {
            let question = Question {
                threshold,
                cutoff,
                // Whatever is known of later keeps the account from being silent as well.
                posts_before: DateTime::<Utc>::MAX_UTC,
                confirmed_from: cutoff,
                empty,
                admit,
                frozen: live.frozen,
            };
            if let Ok(silence) = question.prove(view, policy) {
                let found = Found::silent(activity, cutoff, silence);
                return found.finish(view, policy, Some(live));
            }
        }
    }
    Found::undetermined(view, policy, now, Some(live)).finish(view, policy, Some(live))
}

/// What is proven of an account at a cutoff T (监测时间点), from the facts recorded by `known_at`.
///
/// The same history and times give the same answer for ever. The last confirmation must lie at or
/// after T + `policy.visibility_lag_hours`, as naming and freezing need; a preview sets it to 0.
pub fn judge_at(
    history: &History,
    policy: &Policy,
    cutoff: DateTime<Utc>,
    known_at: DateTime<Utc>,
) -> Judgement {
    Knowledge::new(history, known_at).judge_at(policy, cutoff)
}

fn judge_cutoff(view: &View<'_>, policy: &Policy, cutoff: DateTime<Utc>) -> Judgement {
    let confirmed_from = cutoff + policy.visibility_lag();
    if let Some(gone) = prove_gone(view, policy, cutoff, confirmed_from, None) {
        return Found::silent(Activity::Gone, cutoff, gone).finish(view, policy, None);
    }
    if let Some(post) = newest_active(view, policy.watch, cutoff, false) {
        let found = Found {
            activity: Activity::Active,
            cutoff,
            silence: None,
            explanation: vec![Line::new("posted", post.to_rfc3339())],
            next_crossing_at: None,
        };
        return found.finish(view, policy, None);
    }
    for (activity, threshold, empty) in tiers(view, policy) {
        let question = |admit: &Admit| Question {
            threshold,
            cutoff,
            posts_before: cutoff,
            confirmed_from,
            empty,
            admit: *admit,
            frozen: false,
        };
        let prove = |admit: &Admit| question(admit).prove(view, policy).ok();
        if let Some(silence) = view.admissions().iter().find_map(prove) {
            return Found::silent(activity, cutoff, silence).finish(view, policy, None);
        }
    }
    Found::undetermined(view, policy, cutoff, None).finish(view, policy, None)
}

/// The silent activities from the strongest, each with its threshold and whether it needs lists
/// proven empty. An account that never posted can only be empty.
pub(super) fn tiers(view: &View, policy: &Policy) -> Vec<(Activity, Threshold, bool)> {
    if view.never_posted() {
        return vec![(Activity::Empty, policy.dormant, true)];
    }
    vec![
        (Activity::Zombie, policy.zombie, false),
        (Activity::Dormant, policy.dormant, false),
        (Activity::Watch, policy.watch, false),
    ]
}

/// The newest instant for which an undisputed post proves activity in `[at − watch, at)`; for the
/// live state a post of this very moment counts too.
fn newest_active(
    view: &View,
    watch: Threshold,
    at: DateTime<Utc>,
    is_live: bool,
) -> Option<DateTime<Utc>> {
    let mut window = watch.window(at);
    if is_live {
        window.end = at + Duration::nanoseconds(1);
    }
    let recent: Vec<_> = view.posts.iter().filter(|post| post.may_prove(&window)).collect();
    if recent.is_empty() {
        return None;
    }
    let spans = view.bracketing_spans();
    let proven = recent.into_iter().filter(|post| !post.is_disputed(at)).filter_map(|post| {
        let (earliest, latest) = post.activity_range(&spans)?;
        window.holds(earliest, latest).then_some(earliest)
    });
    proven.max()
}

/// The cutoffs a live silence may speak of, newest first: the confirming observations that are not
/// older than `max_age`, to the whole second below, as posts are timed.
fn live_cutoffs(view: &View, policy: &Policy, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let confirming = view
        .seen
        .iter()
        .filter(|seen| Admit::Beside.lets_in(seen.trust))
        .filter_map(|seen| seen.confirms);
    let mut seconds: Vec<_> = confirming
        .map(|at| at.trunc_subsecs(0))
        .filter(|at| *at <= now && now - *at <= policy.max_age())
        .collect();
    seconds.sort_unstable_by(|a, b| b.cmp(a));
    seconds.dedup();
    seconds
}

fn live_gone(view: &View, policy: &Policy, live: Live) -> Option<(DateTime<Utc>, Silence)> {
    let mut cutoffs: Vec<DateTime<Utc>> = view.gone.iter().map(|sign| sign.as_of).collect();
    cutoffs.retain(|at| *at <= live.now && live.now - *at <= policy.max_age());
    cutoffs.sort_unstable_by(|a, b| b.cmp(a));
    cutoffs
        .into_iter()
        .find_map(|cutoff| Some((cutoff, prove_gone(view, policy, cutoff, cutoff, Some(live))?)))
}

/// A finding on its way to a [`Judgement`].
struct Found {
    activity: Activity,
    cutoff: DateTime<Utc>,
    silence: Option<Silence>,
    explanation: Vec<Line>,
    next_crossing_at: Option<DateTime<Utc>>,
}

impl Found {
    fn silent(activity: Activity, cutoff: DateTime<Utc>, silence: Silence) -> Self {
        let mut explanation = vec![Line::new("silent_at", cutoff.to_rfc3339())];
        explanation
            .extend(silence.confirmations.iter().map(|at| Line::new("confirmed", at.to_rfc3339())));
        if silence.no_canary {
            explanation.push(Line::new("no_canary", "a third day stands in for it"));
        }
        Self { activity, cutoff, silence: Some(silence), explanation, next_crossing_at: None }
    }

    fn undetermined(
        view: &View,
        policy: &Policy,
        cutoff: DateTime<Utc>,
        live: Option<Live>,
    ) -> Self {
        let (reason, explanation): (Reason, Vec<Line>) = undetermined(view, policy, cutoff, live);
        let activity = Activity::Undetermined(reason);
        Self { activity, cutoff, silence: None, explanation, next_crossing_at: None }
    }

    fn finish(mut self, view: &View, policy: &Policy, live: Option<Live>) -> Judgement {
        let last_post_at = view.posts.iter().filter_map(PostTimes::shown_at).max();
        let silent_from = view.posts.iter().map(PostTimes::silent_from).max();
        let window = policy.dormant.window(live.map_or(self.cutoff, |live| live.now));
        let covered = view.covered(|trust| trust != Trust::Void);
        let newest = view.seen.last().map(|seen| seen.as_of);
        if let Some(live) = live
            && self.next_crossing_at.is_none()
        {
            let ages_from = if self.silence.is_some() { Some(self.cutoff) } else { newest };
            let too_old = |at: DateTime<Utc>| at + policy.max_age() + Duration::seconds(1);
            self.next_crossing_at = ages_from.map(too_old).filter(|at| *at > live.now);
        }
        if let Some(last) = last_post_at {
            self.explanation.insert(0, Line::new("last_post", last.to_rfc3339()));
        }
        let (confirmations, no_canary) = match self.silence {
            Some(silence) => (silence.confirmations, silence.no_canary),
            None => (Vec::new(), false),
        };
        Judgement {
            activity: self.activity,
            cutoff: self.cutoff,
            last_post_at,
            last_observation_at: newest,
            silence_deadline_at: silent_from.map(|last| policy.dormant.deadline(last)),
            coverage: covered.ratio(window.start, window.end),
            covered,
            confirmations,
            no_canary,
            explanation: self.explanation,
            next_crossing_at: self.next_crossing_at,
        }
    }
}
