//! The daemon's own rule: the same functions in the same order as `jobs::crawl` calls them. The
//! reserve alone is the bench's: a daemon's budget is less than its limit.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use xunjian::domain::{AccountId, shanghai_date, shanghai_midnight};
use xunjian::observe::Policy;
use xunjian::schedule::{
    Candidate, Habits, Price, Push, Settings, TargetHistory, Terms, next_price, next_visit, order,
    samples, wants_confirmation,
};

use crate::host::{Budget, Rule};

/// Targets of a host that are claimed at once, at most, as `crawl.claims_per_host`; fewer where the
/// host's pace would not get through them in a few minutes.
const CLAIMED_MAX: f64 = 20.0;
const CLAIMED_MINUTES: f64 = 3.0;
/// The part of a day's budget that is kept beside what is known to be owed.
const RESERVE: f64 = 0.01;
/// The part of it that prices aim at where something is owed: on most days that takes the rest.
const ORDINARY: f64 = 0.97;
/// Pushes that a visit can list.
const CAPACITY: u32 = 20;

/// How much of the rule is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The planned visits alone.
    Index,
    /// With silence deadlines, samples at fixed ages, floors and stand-in canaries.
    All,
}

/// A silence that was due to be told: when, and when a confirming visit had told it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence {
    pub(crate) due: DateTime<Utc>,
    pub(crate) told: DateTime<Utc>,
}

/// The daemon's rule.
pub(crate) struct Ours {
    extent: Extent,
    settings: Settings,
    policy: Policy,
    habits: Habits,
    price: Price,
    targets: Vec<Option<Target>>,
    claimed: VecDeque<usize>,
    per_claim: usize,
    learned_at: Option<DateTime<Utc>>,
    /// Visits of a day.
    per_day: f64,
    pub(crate) silences: Vec<Silence>,
}

struct Target {
    history: TargetHistory,
    due_at: DateTime<Utc>,
    deadline_at: Option<DateTime<Utc>>,
    /// The newest crossing that was told.
    told: Option<DateTime<Utc>>,
}

impl Ours {
    pub(crate) fn new(extent: Extent, accounts: usize, budget: Budget) -> Self {
        let per_minute = accounts as f64 * budget.per_account * budget.pace / 1440.0;
        // The budget alone decides, as on a host with many accounts: no visit is too cheap.
        let settings = Settings {
            revisit_at_one_post_a_day_hours: 0.5,
            revisit_min_minutes: 10,
            ..Settings::default()
        };
        Self {
            extent,
            price: Price {
                settled: Settings::default().base_price(),
                now: Settings::default().base_price(),
            },
            settings,
            policy: Policy::default(),
            habits: Habits::default(),
            targets: (0..accounts).map(|_| None).collect(),
            claimed: VecDeque::new(),
            per_claim: (per_minute * CLAIMED_MINUTES).clamp(1.0, CLAIMED_MAX) as usize,
            learned_at: None,
            per_day: accounts as f64 * budget.per_account,
            silences: Vec::new(),
        }
    }

    /// The price that the budget has led to, in push-hours.
    pub(crate) fn price(&self) -> f64 {
        self.price.settled
    }

    fn terms(&self) -> Terms<'_> {
        Terms { settings: &self.settings, habits: &self.habits, price: self.price.now }
    }

    fn schedule(&mut self, account: usize, now: DateTime<Utc>) {
        let Some(target) = &self.targets[account] else { return };
        let mut history = target.history.clone();
        if self.extent == Extent::All {
            history.crossings = crossings(&history, &self.policy);
            history.appointments = samples(&history.rhythm, &self.settings, now);
        }
        let next = next_visit(&history, &self.terms(), now);
        if let Some(target) = &mut self.targets[account] {
            target.history = history;
            target.due_at = next.due_at;
            target.deadline_at = next.deadline_at;
        }
    }

    /// Due targets, those owed first, then the longest waiting: what a claim takes.
    fn claim(&self, now: DateTime<Utc>) -> Vec<usize> {
        let due = |(place, target): (usize, &Option<Target>)| {
            let target = target.as_ref()?;
            let owed = target.deadline_at.filter(|at| *at <= now);
            let key = (owed.is_none(), owed, target.due_at, place);
            (target.due_at <= now).then_some(key)
        };
        let mut due: Vec<_> = self.targets.iter().enumerate().filter_map(due).collect();
        due.sort_unstable();
        due.into_iter().take(self.per_claim).map(|(.., place)| place).collect()
    }

    /// The part of a day's budget that is kept for what will be owed before midnight: a visit for
    /// each target that owes one by then, and the looks of canaries, since they come again.
    fn reserve(&self, now: DateTime<Utc>) -> f64 {
        let tomorrow = shanghai_midnight(shanghai_date(now + TimeDelta::days(1)));
        let owed = |target: &&Target| target.deadline_at.is_some_and(|at| at < tomorrow);
        let owed = self.targets.iter().flatten().filter(owed).count() as f64;
        let minutes = (tomorrow - now).as_seconds_f64() / 60.0;
        let looks = minutes / f64::from(self.settings.canary_interval_minutes);
        (owed + looks) / self.per_day + RESERVE
    }

    /// Platform habits and canaries are learned once a day here; the daemon does so more often.
    fn learn(&mut self, now: DateTime<Utc>) {
        if self.learned_at.is_some_and(|at| now - at < TimeDelta::days(1)) {
            return;
        }
        self.learned_at = Some(now);
        let rhythms = self.targets.iter().flatten().map(|target| &target.history.rhythm);
        self.habits = Habits::of(rhythms, &self.settings, now);
        if self.extent == Extent::All {
            self.choose_canaries();
        }
    }

    /// The busiest tenth stands in, at least three, and shares the canary interval.
    fn choose_canaries(&mut self) {
        let rate = |target: &Target| target.history.rate.posts_per_day(&self.settings);
        let mut busiest: Vec<(f64, usize)> = (self.targets.iter().enumerate())
            .filter_map(|(place, target)| Some((rate(target.as_ref()?), place)))
            .collect();
        busiest.sort_by(|one, other| other.0.total_cmp(&one.0));
        let count = (busiest.len() / 10).max(3).min(busiest.len());
        let minutes = i64::from(self.settings.canary_interval_minutes) * count as i64;
        for (number, (_, place)) in busiest.into_iter().enumerate() {
            if let Some(target) = &mut self.targets[place] {
                let turn = (number < count).then(|| TimeDelta::minutes(minutes));
                target.history.canary_every = turn;
            }
        }
    }

    /// Notes the silences that a visit at `now` tells for the first time.
    fn note_silence(&mut self, account: usize, now: DateTime<Utc>) {
        let Some(target) = &mut self.targets[account] else { return };
        if !wants_confirmation(&target.history, &self.settings, now) {
            return;
        }
        target.history.confirmations.push(now);
        target.history.confirmations.retain(|at| *at > now - TimeDelta::days(7));
        let crossed = crossings(&target.history, &self.policy);
        for due in crossed.into_iter().filter(|at| *at <= now) {
            if target.told.is_none_or(|told| told < due) {
                target.told = Some(due);
                self.silences.push(Silence { due, told: now });
            }
        }
    }
}

impl Rule for Ours {
    fn enter(&mut self, account: usize, listed: &[DateTime<Utc>], now: DateTime<Utc>) {
        let mut history = TargetHistory::new(AccountId(account as i64));
        if let Some(first) = listed.first() {
            history.rhythm.learn(*first, listed.iter().map(|at| Push::new(*at, false)));
            let days = (now - *first).as_seconds_f64() / 86_400.0;
            history.rate.observe(listed.len() as u32, days, &self.settings);
        } else {
            history.rhythm.learn(now, []);
        }
        history.last_visit_at = Some(now);
        history.last_observation_at = Some(now);
        history.capacity = (self.extent == Extent::All).then_some(CAPACITY);
        // What had crossed before the watch began is not counted.
        let told = crossings(&history, &self.policy).into_iter().filter(|at| *at <= now).max();
        let target = Target { history, due_at: now, deadline_at: None, told };
        self.targets[account] = Some(target);
        self.schedule(account, now);
    }

    fn choose(&mut self, now: DateTime<Utc>, left: f64) -> Option<usize> {
        self.learn(now);
        let reserved = self.extent == Extent::All && left < self.reserve(now);
        if self.claimed.is_empty() {
            let mut places = self.claim(now);
            if reserved {
                let owed = |place: &usize| {
                    let target = self.targets[*place].as_ref();
                    target.and_then(|one| one.deadline_at).is_some_and(|at| at <= now)
                };
                places.retain(owed);
            }
            let candidate = |place: &usize| {
                let target = self.targets[*place].as_ref()?;
                let history = &target.history;
                Some(Candidate {
                    account: history.account,
                    weight: history.weight,
                    forecast: self.terms().forecast(&history.rhythm, now),
                    last_observation_at: history.last_observation_at,
                    deadline_at: target.deadline_at,
                })
            };
            let candidates: Vec<Candidate> = places.iter().filter_map(candidate).collect();
            self.claimed = order(&candidates, now).into_iter().map(|turn| places[turn]).collect();
        }
        self.claimed.pop_front()
    }

    fn visited(&mut self, account: usize, found: &[DateTime<Utc>], now: DateTime<Utc>) {
        let settings = self.settings.clone();
        let Some(target) = &mut self.targets[account] else { return };
        let history = &mut target.history;
        let since = history.last_observation_at.unwrap_or(now);
        history.rhythm.learn(since, found.iter().map(|at| Push::new(*at, false)));
        let days = (now - since).as_seconds_f64() / 86_400.0;
        history.rate.observe(found.len() as u32, days, &settings);
        history.last_visit_at = Some(now);
        history.last_observation_at = Some(now);
        if self.extent == Extent::All {
            self.note_silence(account, now);
        }
        self.schedule(account, now);
    }

    fn spent(&mut self, used: f64, budget: f64, _now: DateTime<Utc>) {
        let base = self.settings.base_price();
        self.per_day = budget;
        // As in the daemon, whose prices know of ordinary visits alone.
        let budget = if self.extent == Extent::All { budget * ORDINARY } else { budget };
        self.price = next_price(self.price.settled, base, used, budget, TimeDelta::hours(1));
    }

    fn evenly(&self) -> bool {
        false
    }
}

/// When the account crosses each limit if it does not push again.
fn crossings(history: &TargetHistory, policy: &Policy) -> Vec<DateTime<Utc>> {
    let Some(last) = history.rhythm.pushes().last() else { return Vec::new() };
    [policy.watch, policy.dormant, policy.zombie].map(|limit| limit.crossing(last.at())).to_vec()
}
