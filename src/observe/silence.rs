use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{Reason, shanghai_date};

use super::canary::{Admit, Trust};
use super::facts::Span;
use super::hidden::HiddenPost;
use super::policy::Policy;
use super::post::PostTimes;
use super::span::Covered;
use super::threshold::{Threshold, Window};
use super::view::{Seen, View};

/// What the live state adds to a question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    pub(super) now: DateTime<Utc>,
    /// A canary failed and the host's own verdicts are frozen: only attested ones count.
    pub(super) frozen: bool,
}

/// A question about silence: this long, at this cutoff.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) threshold: Threshold,
    /// The cutoff T (监测时间点).
    pub(super) cutoff: DateTime<Utc>,
    /// A post before this instant keeps the account from being silent. At a cutoff that is the
    /// cutoff itself; for the live state it is open, so that a verdict never outlives a post.
    pub(super) posts_before: DateTime<Utc>,
    /// The last confirming observation must lie at or after this instant.
    pub(super) confirmed_from: DateTime<Utc>,
    /// Only lists proven to be empty confirm.
    pub(super) empty: bool,
    /// Which observations count.
    pub(super) admit: Admit,
    /// A canary failed and the host's own verdicts are frozen: only attested ones count.
    pub(super) frozen: bool,
}

/// What a proven silence rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Silence {
    /// As-of times of the confirming observations, oldest first.
    pub(super) confirmations: Vec<DateTime<Utc>>,
    /// Whether a third confirmation stood in for the missing canary.
    pub(super) no_canary: bool,
}

/// The first thing that keeps silence from being proven.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shortfall<'a> {
    TooYoung,
    /// A post at a stated time: it lies in the window.
    Posted(PostTimes<'a>),
    /// A post whose time is in doubt: it may lie in the window.
    Ambiguous(PostTimes<'a>),
    Hidden(HiddenPost),
    PartMissing(&'a str),
    NotCovered(Window),
    /// So many days of confirmation for the worst part.
    Unconfirmed {
        part: &'a str,
        days: usize,
        needed: usize,
    },
}

impl Shortfall<'_> {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::TooYoung => Reason::TooYoung,
            // The crossing itself has not been observed yet.
            Self::Posted(_) | Self::Unconfirmed { .. } => Reason::Unconfirmed,
            Self::Ambiguous(_) => Reason::TimeAmbiguous,
            Self::Hidden(_) => Reason::HiddenPost,
            Self::PartMissing(_) => Reason::PartsMissing,
            Self::NotCovered(_) => Reason::NotCovered,
        }
    }
}

impl Question {
    /// What is known of a part and counts.
    fn of_part<'v, 'a>(
        &self,
        view: &'v View<'a>,
        part: &'v str,
    ) -> impl Iterator<Item = &'v Seen<'a>> {
        let admit = self.admit;
        view.of_part(part).filter(move |seen| admit.lets_in(seen.trust))
    }

    /// Whether canaries of their own stand behind all lists that count of a part.
    fn is_vouched(&self, view: &View, part: &str) -> bool {
        let mut lists = self.of_part(view, part).filter(|seen| seen.span.is_some());
        view.canaries.exist() && lists.all(|seen| seen.trust != Trust::Beside)
    }

    /// Proves silence, or names what is missing, the most telling first.
    pub(super) fn prove<'a>(
        &self,
        view: &View<'a>,
        policy: &Policy,
    ) -> Result<Silence, Shortfall<'a>> {
        let window = self.threshold.window(self.cutoff);
        let barred = Window { end: self.posts_before, ..window };
        if view.existed_by().is_none_or(|by| by > window.start) {
            return Err(Shortfall::TooYoung);
        }
        let blockers = || view.posts.iter().copied().filter(|post| post.may_lie_in(&barred));
        if let Some(first) = blockers().next() {
            let plain = blockers().find(PostTimes::is_plain);
            return Err(plain.map_or(Shortfall::Ambiguous(first), Shortfall::Posted));
        }
        let grew = |hidden: &&HiddenPost| hidden.after < barred.end && barred.begins_by(hidden.by);
        if let Some(hidden) = view.hidden.iter().find(grew) {
            return Err(Shortfall::Hidden(*hidden));
        }
        if let Some(part) = view.parts.iter().find(|part| view.newest_list(part).is_none()) {
            return Err(Shortfall::PartMissing(part));
        }
        for part in &view.parts {
            let covered: Covered = self.of_part(view, part).filter_map(|seen| seen.span).collect();
            if !covered.covers(&window) {
                return Err(Shortfall::NotCovered(window));
            }
        }
        self.cover_often(view, policy, &window)?;
        self.confirm(view, policy)
    }

    /// Whether on as many days as silence needs confirmations somebody saw each instant of the
    /// window, but for its last days, which the confirmations themselves stand for.
    ///
    /// Else one old page, shown as new on a day amid failures, would speak for days on which
    /// nothing was seen, and confirmations weeks later would stand behind it.
    fn cover_often<'a>(
        &self,
        view: &View<'a>,
        policy: &Policy,
        window: &Window,
    ) -> Result<(), Shortfall<'a>> {
        let early =
            Window { end: window.end.min(self.cutoff - policy.confirm_within()), ..*window };
        if early.end <= early.start {
            return Ok(());
        }
        for part in &view.parts {
            let needed = needed(self.is_vouched(view, part), policy);
            let mut attested = Vec::new();
            let mut by_day: BTreeMap<NaiveDate, Vec<Span>> = BTreeMap::new();
            for seen in self.of_part(view, part) {
                let Some(span) = seen.span else { continue };
                match seen.trust {
                    Trust::Attested => attested.push(span),
                    _ => by_day.entry(shanghai_date(span.high)).or_default().push(span),
                }
            }
            let days = by_day.into_values().map(|spans| spans.into_iter().collect());
            let attested: Covered = attested.into_iter().collect();
            let often = Covered::at_least(needed, days).union(&attested);
            if !often.covers(&early) {
                return Err(Shortfall::Unconfirmed { part, days: needed - 1, needed });
            }
        }
        Ok(())
    }

    fn confirm<'a>(&self, view: &View<'a>, policy: &Policy) -> Result<Silence, Shortfall<'a>> {
        let mut confirmations = BTreeSet::new();
        let mut no_canary = false;
        for part in &view.parts {
            let confirming =
                || self.of_part(view, part).filter(|seen| !self.empty || seen.observation.empty);
            let attested = confirming()
                .filter(|seen| seen.trust == Trust::Attested)
                .filter_map(|seen| seen.confirms)
                .filter(|at| *at >= self.cutoff)
                .min();
            if let Some(at) = attested {
                confirmations.insert(at);
                continue;
            }
            let own = confirming().filter(|seen| seen.trust != Trust::Attested && !self.frozen);
            let times: BTreeSet<DateTime<Utc>> = own
                .filter_map(|seen: &Seen| seen.confirms)
                .filter(|at| *at >= self.cutoff - policy.confirm_within())
                .collect();
            let is_vouched = self.is_vouched(view, part);
            let needed = needed(is_vouched, policy);
            let times = together(&times, self.confirmed_from, needed, policy)
                .map_err(|days| Shortfall::Unconfirmed { part, days, needed })?;
            no_canary |= !is_vouched;
            confirmations.extend(times);
        }
        Ok(Silence { confirmations: confirmations.into_iter().collect(), no_canary })
    }
}

/// The first of the confirmations that stand together: on as many days as needed, none longer
/// before the last than `confirm_within`, and the last at or after `from`; else the most days of
/// any that do.
///
/// Two looks weeks apart confirm nothing of each other: each may have been shown an old page.
pub(super) fn together(
    times: &BTreeSet<DateTime<Utc>>,
    from: DateTime<Utc>,
    needed: usize,
    policy: &Policy,
) -> Result<Vec<DateTime<Utc>>, usize> {
    let mut most = 0;
    for last in times {
        let near: Vec<_> = times.range(*last - policy.confirm_within()..=*last).copied().collect();
        let days: BTreeSet<NaiveDate> = near.iter().copied().map(shanghai_date).collect();
        if days.len() >= needed && *last >= from {
            return Ok(near);
        }
        most = most.max(days.len());
    }
    Err(most)
}

/// How many confirming days are needed: one more where no canary can vouch for the reading.
pub(super) fn needed(is_vouched: bool, policy: &Policy) -> usize {
    let needed =
        if is_vouched { policy.confirmations } else { policy.confirmations_without_canary };
    usize::try_from(needed).unwrap_or(usize::MAX)
}
