//! One host: its slots, its daily budget, and what each visit finds.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use xunjian::domain::shanghai_date;

use crate::histories::Set;

/// How often a host may be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Visits a day for each account under watch.
    pub(crate) per_account: f64,
    /// The closest visits may follow each other, against the mean pace of the budget.
    pub(crate) pace: f64,
}

/// Who is visited when: one rule.
pub(crate) trait Rule {
    /// An account comes under watch; `listed` are the pushes that its page shows.
    fn enter(&mut self, account: usize, listed: &[DateTime<Utc>], now: DateTime<Utc>);
    /// Whom to visit in the slot at `now`; `left` is the share of the day's budget still there.
    fn choose(&mut self, now: DateTime<Utc>, left: f64) -> Option<usize>;
    /// The visit found these pushes, made since the one before.
    fn visited(&mut self, account: usize, found: &[DateTime<Utc>], now: DateTime<Utc>);
    /// Told every hour how many visits the last day had and might have had.
    fn spent(&mut self, _used: f64, _budget: f64, _now: DateTime<Utc>) {}
    /// Whether it keeps to evenly spaced slots; else it may be as fast as the pace allows.
    fn evenly(&self) -> bool {
        true
    }
}

/// What came of a rule.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Hours from each scored push to its detection; those never found count to the end.
    pub(crate) delays: Vec<f64>,
    /// Visits made, and visits that the budget allowed.
    pub(crate) visits: f64,
    pub(crate) allowed: f64,
    /// Most visits of a Shanghai day against that day's budget.
    pub(crate) fullest_day: f64,
    /// The longest time between two visits of one account, in hours.
    pub(crate) worst_interval: f64,
    /// Every visit: account and time.
    pub(crate) log: Vec<(usize, DateTime<Utc>)>,
}

/// Pushes that an account's page shows when it is visited for the first time.
const LISTED: usize = 10;

/// Plays a rule over a set.
pub(crate) fn play(set: &Set, budget: Budget, rule: &mut dyn Rule) -> Outcome {
    let mut play = Play::new(set, budget);
    while play.now < set.to {
        play.enter(rule);
        play.begin_day();
        play.tell(rule);
        if play.watched == 0 {
            play.now += TimeDelta::hours(1);
            continue;
        }
        let mean = 86_400.0 / (budget.per_account * play.watched as f64);
        let gap = if rule.evenly() { mean } else { mean / budget.pace };
        let left = 1.0 - play.spent_today / play.today_budget;
        if play.spent_today + 1.0 <= play.today_budget + 1e-6
            && let Some(account) = rule.choose(play.now, left)
        {
            play.visit(account, rule);
        }
        play.now += TimeDelta::milliseconds((gap * 1000.0) as i64);
    }
    play.end()
}

struct Play<'a> {
    set: &'a Set,
    budget: Budget,
    now: DateTime<Utc>,
    entered: Vec<bool>,
    watched: usize,
    next_push: Vec<usize>,
    last_visit: Vec<DateTime<Utc>>,
    day: Option<NaiveDate>,
    today_budget: f64,
    spent_today: f64,
    hours: Vec<f64>,
    hour: i64,
    outcome: Outcome,
}

impl<'a> Play<'a> {
    fn new(set: &'a Set, budget: Budget) -> Self {
        let count = set.accounts.len();
        let next_push = set
            .accounts
            .iter()
            .map(|account| account.pushes.partition_point(|at| *at < account.watched_from));
        Self {
            set,
            budget,
            now: set.from,
            entered: vec![false; count],
            watched: 0,
            next_push: next_push.collect(),
            last_visit: set.accounts.iter().map(|account| account.watched_from).collect(),
            day: None,
            today_budget: 0.0,
            spent_today: 0.0,
            hours: vec![0.0; 24],
            hour: set.from.timestamp() / 3600,
            outcome: Outcome::default(),
        }
    }

    /// Accounts come under watch at midnight, so that a day's budget is known when it begins.
    fn enter(&mut self, rule: &mut dyn Rule) {
        if self.day == Some(shanghai_date(self.now)) {
            return;
        }
        for (place, account) in self.set.accounts.iter().enumerate() {
            if !self.entered[place] && account.watched_from <= self.now {
                self.entered[place] = true;
                self.watched += 1;
                let known = self.next_push[place];
                let listed = &account.pushes[known.saturating_sub(LISTED)..known];
                rule.enter(place, listed, self.now);
            }
        }
    }

    fn begin_day(&mut self) {
        let day = shanghai_date(self.now);
        if self.day == Some(day) {
            return;
        }
        self.close_day();
        self.day = Some(day);
        self.today_budget = self.budget.per_account * self.watched as f64;
        self.spent_today = 0.0;
        self.outcome.allowed += self.today_budget;
    }

    fn close_day(&mut self) {
        if self.today_budget > 0.0 {
            let share = self.spent_today / self.today_budget;
            self.outcome.fullest_day = self.outcome.fullest_day.max(share);
        }
    }

    fn tell(&mut self, rule: &mut dyn Rule) {
        while self.hour < self.now.timestamp() / 3600 {
            self.hour += 1;
            rule.spent(self.hours.iter().sum(), self.today_budget, self.now);
            self.hours.rotate_left(1);
            self.hours[23] = 0.0;
        }
    }

    fn visit(&mut self, place: usize, rule: &mut dyn Rule) {
        let pushes = &self.set.accounts[place].pushes;
        let first = self.next_push[place];
        let end = first + pushes[first..].partition_point(|at| *at <= self.now);
        for at in &pushes[first..end] {
            if *at >= self.set.scored_from {
                self.outcome.delays.push(hours(self.now - *at));
            }
        }
        let interval = hours(self.now - self.last_visit[place]);
        self.outcome.worst_interval = self.outcome.worst_interval.max(interval);
        self.last_visit[place] = self.now;
        self.next_push[place] = end;
        self.hours[23] += 1.0;
        self.spent_today += 1.0;
        self.outcome.visits += 1.0;
        self.outcome.log.push((place, self.now));
        rule.visited(place, &pushes[first..end], self.now);
    }

    fn end(mut self) -> Outcome {
        self.close_day();
        for (place, account) in self.set.accounts.iter().enumerate() {
            let rest = account.pushes[self.next_push[place]..].iter();
            let missed = rest.filter(|at| **at < self.set.to && **at >= self.set.scored_from);
            self.outcome.delays.extend(missed.map(|at| hours(self.set.to - *at)));
        }
        self.outcome.delays.sort_unstable_by(f64::total_cmp);
        self.outcome
    }
}

fn hours(time: TimeDelta) -> f64 {
    time.as_seconds_f64() / 3600.0
}
