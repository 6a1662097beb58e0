use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The part of a host's daily budget that prices aim at; the rest is for days with more to see.
const AIM: f64 = 0.985;
/// No price is above so many times the base price: an account is then visited at its floors only.
const FACTOR_MAX: f64 = 1e4;

/// What a visit to a host costs, in push-hours of waiting: learned from how its budget is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// What it has settled to; kept between calls.
    pub settled: f64,
    /// What it is now: more where the last day had more visits than aimed at.
    pub now: f64,
}

/// The price after `elapsed`. `used` are the visits made in the last day, `budget` those that may
/// be made in one.
///
/// Where more are made than aimed at, visits become dearer and all accounts of the host are visited
/// less, those least for which it saves most; where fewer, cheaper, down to `base`. It settles by
/// at most a factor of e³ a day, so that a bad day does not upset the next.
pub fn next_price(settled: f64, base: f64, used: f64, budget: f64, elapsed: TimeDelta) -> Price {
    let days = elapsed.as_seconds_f64() / 86_400.0;
    let share = used / (AIM * budget.max(1e-9));
    let settled = settled * (3.0 * (share - 1.0).clamp(-1.0, 1.0) * days.clamp(0.0, 1.0)).exp();
    let settled = settled.clamp(base, base * FACTOR_MAX);
    let now = settled * share.clamp(0.25, 4.0).powf(1.5);
    Price { settled, now: now.clamp(base, base * FACTOR_MAX) }
}

/// Visits to a host in each of the last 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spending {
    /// Hour by hour, the running one last.
    hours: [u64; 24],
    /// The running hour, in hours since the Unix epoch.
    hour: i64,
}

impl Spending {
    /// Adds visits made since the last call.
    pub fn add(&mut self, visits: u64, now: DateTime<Utc>) {
        let hour = now.timestamp().div_euclid(3600);
        let passed = usize::try_from(hour - self.hour).unwrap_or(0).min(24);
        self.hours.rotate_left(passed % 24);
        self.hours[24 - passed..].fill(0);
        self.hour = self.hour.max(hour);
        self.hours[23] += visits;
    }

    /// Visits of the last day.
    pub fn used(&self) -> u64 {
        self.hours.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spending_is_forgotten_after_a_day() {
        let at = |hour: i64| DateTime::from_timestamp(1_790_000_000 + hour * 3600, 0).unwrap();
        let mut spending = Spending::default();
        spending.add(5, at(0));
        spending.add(3, at(1));
        assert_eq!(spending.used(), 8);
        spending.add(2, at(23));
        assert_eq!(spending.used(), 10);
        spending.add(0, at(24));
        assert_eq!(spending.used(), 5);
        spending.add(1, at(23));
        assert_eq!(spending.used(), 6, "a clock set back forgets nothing");
        spending.add(7, at(1000));
        assert_eq!(spending.used(), 7);
    }

    #[test]
    fn a_price_settles_where_the_budget_is_used() {
        // Visits follow the inverse root of the price, as for constant rates; they are counted over
        // the day that ends now.
        let mut price = Price { settled: 0.75, now: 0.75 };
        let mut hours = [20.0; 24];
        for hour in 0..24 * 60 {
            hours[hour % 24] = 400.0 / price.now.sqrt() / 24.0;
            let used: f64 = hours.iter().sum();
            price = next_price(price.settled, 0.01, used, 1000.0, TimeDelta::hours(1));
        }
        let used: f64 = hours.iter().sum();
        assert!((used / 1000.0 - AIM).abs() < 0.01, "{used}");
    }

    #[test]
    fn a_price_stays_within_its_bounds() {
        let long = TimeDelta::days(400);
        let idle = next_price(0.75, 0.75, 0.0, 1000.0, long);
        assert_eq!(idle, Price { settled: 0.75, now: 0.75 });
        assert!(next_price(0.75, 0.75, 1e9, 0.0, long).settled <= 0.75 * 3f64.exp() + 1e-9);
        assert!(next_price(7000.0, 0.75, 1e9, 1.0, long).now <= 7500.0);
    }
}
