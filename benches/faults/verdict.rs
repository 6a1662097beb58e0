use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use xunjian::domain::Activity;
use xunjian::observe::{Judgement, Knowledge, Policy};
use xunjian::simulator::Character;

use super::guard::Guard;
use super::oracle::Tellable;
use super::run::{Simulation, Watched, days};
use super::tally::LATE_DAYS_MAX;

/// A silence of an account: since when, and since which day each limit could be told.
#[derive(Default)]
pub(super) struct Spell {
    since: Option<DateTime<Utc>>,
    limits: BTreeMap<i64, Limit>,
}

#[derive(Default, Clone, Copy)]
struct Limit {
    provable_days: usize,
    found: bool,
}

/// Days of rest before a frozen cutoff could be silent at all; a freeze is not tried before.
const REST_DAYS: i64 = 7;

impl Simulation<'_> {
    pub(super) fn judge_all(&mut self, watched: &mut [Watched<'_>], day: usize) {
        let (run, now) = (self.run, self.start + days(day + 1));
        for one in watched.iter_mut().filter(|one| run.judges(one)) {
            let weakened = self.run.without.map(|guard| {
                let mut history = one.notebook.history.clone();
                guard.weaken(&mut history);
                history
            });
            let history = weakened.as_ref().unwrap_or(&one.notebook.history);
            let known = Knowledge::new(history, now);
            let judgement = known.judge(&self.policy, now);
            let frozen: Vec<Judgement> = match judgement.activity {
                Activity::Active
                    if judgement.last_post_at > Some(now - Duration::days(REST_DAYS)) =>
                {
                    Vec::new()
                }
                // A bulletin of one and of two midnights ago, by what is known now.
                _ => [1, 2]
                    .map(|back| known.judge_at(&self.policy, now - Duration::days(back)))
                    .into(),
            };
            if self.run.follow.is_some() {
                self.tell(one, &judgement, &frozen, day);
            }
            self.check_silent(one, &judgement, now, &format!("day {day}"));
            for frozen in frozen {
                self.check_frozen(one, &frozen, &format!("frozen on day {day}"));
            }
            self.check_unknown(one, &judgement, now, day);
            self.note_naive(one, now);
        }
    }

    /// What a freeze at each midnight would say, from all that is known at the end.
    pub(super) fn judge_cutoffs(&mut self, watched: &mut [Watched<'_>]) {
        let (run, end) = (self.run, self.start + days(self.run.days));
        for one in watched.iter_mut().filter(|one| run.judges(one)) {
            self.close_spell(one);
            if one.tellable_days > 2 * LATE_DAYS_MAX && !one.was_told {
                self.tally.eternal.push(one.name(self.run.seed));
            }
            let weakened = self.run.without.map(|guard| {
                let mut history = one.notebook.history.clone();
                guard.weaken(&mut history);
                history
            });
            let known = Knowledge::new(weakened.as_ref().unwrap_or(&one.notebook.history), end);
            for day in 1..self.run.days {
                let cutoff = self.start + days(day);
                let judgement = known.judge_at(&self.policy, cutoff);
                self.check_frozen(one, &judgement, &format!("cutoff before day {day}"));
            }
            let is_of_verdicts = self.run.without.is_some_and(Guard::is_of_verdicts);
            if let Some(history) = weakened.filter(|_| !is_of_verdicts) {
                one.notebook.history = history;
            }
        }
    }

    /// A frozen verdict must be borne out by the truth of its cutoff, whichever way it goes.
    fn check_frozen(&mut self, one: &Watched<'_>, judgement: &Judgement, when: &str) {
        self.tally.silent_at_cutoffs += u64::from(is_silent(judgement.activity));
        self.check_silent(one, judgement, judgement.cutoff, when);
        let window = self.policy.watch.window(judgement.cutoff);
        let days = (judgement.cutoff - window.start).num_days();
        let is_late = one.oracle.character == Character::Backdating;
        if judgement.activity == Activity::Active
            && is_late
            && !one.oracle.was_active(judgement.cutoff, days)
        {
            let name = one.name(self.run.seed);
            self.tally.saved_afterwards.push(format!("{name} ({when}): {}", judgement.cutoff));
        }
    }

    /// A silent verdict must be borne out by the truth at the instant it speaks of.
    fn check_silent(
        &mut self,
        one: &Watched<'_>,
        judgement: &Judgement,
        now: DateTime<Utc>,
        when: &str,
    ) {
        let policy = Policy::default();
        let cutoff = judgement.cutoff;
        let limit = match judgement.activity {
            Activity::Watch => policy.watch,
            Activity::Dormant | Activity::Empty | Activity::Gone => policy.dormant,
            Activity::Zombie => policy.zombie,
            Activity::Active | Activity::Undetermined(_) => return,
        };
        let window = limit.window(cutoff);
        let is_false = match judgement.activity {
            Activity::Gone => {
                let truth = self.city.truth(&one.entry.key, cutoff);
                truth.is_none_or(|truth| truth.activity != Activity::Gone)
            }
            Activity::Empty => one.oracle.last_post(cutoff).is_some(),
            _ if cutoff == now => one.oracle.has_published_in(&window),
            _ => one.oracle.posts.iter().any(|post| window.meets(*post, *post)),
        };
        let is_young = judgement.activity != Activity::Gone && one.oracle.opened_by > window.start;
        let max_age = Duration::hours(i64::from(policy.max_age_hours));
        if is_false || is_young || now - cutoff > max_age {
            let last = one.oracle.last_post(cutoff).map(|at| at.to_rfc3339());
            self.tally.false_silent.push(format!(
                "{} ({when}): {} at {}, last post {}, confirmed {:?}",
                one.name(self.run.seed),
                judgement.activity.as_str(),
                cutoff.to_rfc3339(),
                last.unwrap_or_default(),
                judgement.confirmations,
            ));
        }
    }

    fn check_unknown(
        &mut self,
        one: &mut Watched<'_>,
        judgement: &Judgement,
        now: DateTime<Utc>,
        day: usize,
    ) {
        let name = one.name(self.run.seed);
        let tally = &mut self.tally;
        let has_canary = one.notebook.history.has_canary;
        let frozen = has_canary && self.frozen.get(&one.host).copied().unwrap_or(false);
        let tellable = one.oracle.tellable(now, frozen, &Policy::default());
        let last = one.oracle.last_post(now);
        tally.account_days += 1;
        tally.silent += u64::from(is_silent(judgement.activity));
        tally.untellable += u64::from(tellable == Tellable::No);
        one.tellable_days += usize::from(tellable != Tellable::No);
        let quiet = last.is_none_or(|last| last < now - Duration::days(11));
        tally.false_active += u64::from(judgement.activity == Activity::Active && quiet);
        match judgement.activity {
            Activity::Undetermined(reason) => {
                *tally.undetermined.entry(reason.as_str()).or_default() += 1;
                if tellable != Tellable::No {
                    *tally.avoidable.entry(reason.as_str()).or_default() += 1;
                    let why = &judgement.explanation;
                    tally
                        .avoidable_told
                        .push(format!("{name} day {day}: {reason}, {tellable:?}, {why:?}"));
                }
            }
            _ => one.was_told = true,
        }
        if one.spell.since != last {
            self.close_spell(one);
            one.spell = Spell { since: last, limits: BTreeMap::new() };
        }
        let Tellable::Yes { silent_days } = tellable else { return };
        for limit in [10, 14].into_iter().filter(|limit| *limit <= silent_days) {
            let told = one.spell.limits.entry(limit).or_default();
            if told.found {
                continue;
            }
            if told_days(judgement.activity) >= limit {
                told.found = true;
                *self.tally.lateness.entry(told.provable_days).or_default() += 1;
                if told.provable_days > LATE_DAYS_MAX {
                    self.tally.late.push(format!(
                        "{name} day {day}: silent for {limit} days, told {} days late",
                        told.provable_days
                    ));
                }
            }
            told.provable_days += 1;
        }
    }

    /// A silence that ends untold was missed, if there was time enough to tell it.
    fn close_spell(&mut self, one: &mut Watched<'_>) {
        let untold = one.spell.limits.iter().filter(|(_, limit)| !limit.found);
        for (days, limit) in untold.filter(|(_, limit)| limit.provable_days > LATE_DAYS_MAX) {
            self.tally.missed.push(format!(
                "{}: silent for {days} days, provable on {} days, never told",
                one.name(self.run.seed),
                limit.provable_days,
            ));
        }
    }

    /// The naive rule: the newest item seen anywhere is the last post, whatever failed.
    fn note_naive(&mut self, one: &Watched<'_>, now: DateTime<Utc>) {
        let fortnight = now - Duration::days(14);
        let called =
            one.notebook.was_asked && one.notebook.newest_item.is_none_or(|at| at < fortnight);
        let posted = one.oracle.last_post(now).is_some_and(|last| last >= fortnight);
        if called && posted && one.oracle.character != Character::Cancelled {
            self.tally.wronged_naively.insert(format!("{}:{}", self.run.seed, one.entry.key));
        }
    }
}

pub(super) fn is_silent(activity: Activity) -> bool {
    told_days(activity) > 0
}

fn told_days(activity: Activity) -> i64 {
    match activity {
        Activity::Active | Activity::Undetermined(_) => 0,
        Activity::Watch => 10,
        _ => 14,
    }
}
