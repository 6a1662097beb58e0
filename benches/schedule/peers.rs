//! The rules of others, at the same slots and the same budget.

use chrono::{DateTime, TimeDelta, Utc};
use xunjian::schedule::{Rate, Settings};

use crate::host::Rule;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The longest unvisited first.
    RoundRobin,
    /// The greatest λ·τ: intervals in proportion to 1/λ.
    Proportional,
    /// The greatest λ·τ²/2: the square-root rule, for constant rates.
    SquareRoot,
    /// Interval × 1.4 after a visit without news, × 0.8 after one with; 10 minutes to 24 hours.
    Nutch,
    /// Interval × 1.5 and × 0.5; one hour to 14 days.
    StormCrawler,
    /// Interval = a week ÷ the pushes of the last week; 5 minutes to 24 hours.
    Miniflux,
}

/// A rule of others.
#[derive(Debug)]
pub(crate) struct Peer {
    kind: Kind,
    settings: Settings,
    known: Vec<Option<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    rate: Rate,
    recent: Vec<DateTime<Utc>>,
    interval: TimeDelta,
    last_visit: DateTime<Utc>,
}

impl Peer {
    pub(crate) fn new(kind: Kind, accounts: usize) -> Self {
        Self { kind, settings: Settings::default(), known: vec![None; accounts] }
    }

    /// How much an account wants to be visited; none where it waits for its interval.
    fn wish(&self, known: &Known, now: DateTime<Utc>) -> Option<f64> {
        let days = (now - known.last_visit).as_seconds_f64() / 86_400.0;
        let rate = known.rate.posts_per_day(&self.settings);
        match self.kind {
            Kind::RoundRobin => Some(days),
            Kind::Proportional => Some(rate * days),
            Kind::SquareRoot => Some(rate * days * days / 2.0),
            Kind::Nutch | Kind::StormCrawler | Kind::Miniflux => {
                let over = (now - known.last_visit - known.interval).as_seconds_f64();
                (over >= 0.0).then_some(over)
            }
        }
    }

    fn interval(&self, known: &Known, found: bool, now: DateTime<Utc>) -> TimeDelta {
        let step = |slower: f64, faster: f64, shortest: TimeDelta, longest: TimeDelta| {
            let factor = if found { faster } else { slower };
            let seconds = known.interval.as_seconds_f64() * factor;
            TimeDelta::seconds(seconds as i64).clamp(shortest, longest)
        };
        match self.kind {
            Kind::Nutch => step(1.4, 0.8, TimeDelta::minutes(10), TimeDelta::hours(24)),
            Kind::StormCrawler => step(1.5, 0.5, TimeDelta::hours(1), TimeDelta::days(14)),
            Kind::Miniflux => {
                let week = TimeDelta::days(7);
                let count = known.recent.iter().filter(|at| **at > now - week).count();
                let interval = week / i32::try_from(count.max(1)).unwrap_or(i32::MAX);
                interval.clamp(TimeDelta::minutes(5), TimeDelta::hours(24))
            }
            _ => known.interval,
        }
    }
}

impl Rule for Peer {
    fn enter(&mut self, account: usize, listed: &[DateTime<Utc>], now: DateTime<Utc>) {
        let mut rate = Rate::default();
        if let Some(first) = listed.first() {
            let days = (now - *first).as_seconds_f64() / 86_400.0;
            rate.observe(listed.len() as u32, days, &self.settings);
        }
        let interval = TimeDelta::hours(6);
        let recent = listed.to_vec();
        // Not all at once: the first visits are spread over the interval.
        let last_visit = now - TimeDelta::seconds((account as i64 * 7919) % interval.num_seconds());
        self.known[account] = Some(Known { rate, recent, interval, last_visit });
    }

    fn choose(&mut self, now: DateTime<Utc>, _left: f64) -> Option<usize> {
        let wish = |(place, known): (usize, &Option<Known>)| {
            Some((self.wish(known.as_ref()?, now)?, place))
        };
        let wishes = self.known.iter().enumerate().filter_map(wish);
        wishes.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, place)| place)
    }

    fn visited(&mut self, account: usize, found: &[DateTime<Utc>], now: DateTime<Utc>) {
        let Some(mut known) = self.known[account].take() else { return };
        let days = (now - known.last_visit).as_seconds_f64() / 86_400.0;
        known.rate.observe(found.len() as u32, days, &self.settings);
        known.recent.extend(found);
        known.recent.retain(|at| *at > now - TimeDelta::days(7));
        known.last_visit = now;
        known.interval = self.interval(&known, !found.is_empty(), now);
        self.known[account] = Some(known);
    }
}
