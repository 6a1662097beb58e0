//! The only place that reads the system's time.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::Clock;

/// The time of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one clock everybody else is handed")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// The machine's time moved by an offset that can be stepped: for the demo, which shows weeks in
/// minutes, and for tests.
#[derive(Debug, Default)]
pub struct SteppedClock {
    offset_microseconds: AtomicI64,
}

impl SteppedClock {
    /// A clock that shows `instant` now and runs on from there.
    pub fn starting_at(instant: DateTime<Utc>) -> Self {
        let clock = Self::default();
        clock.step(instant - SystemClock.now());
        clock
    }

    /// Moves the time shown, forward or, with a negative delta, back.
    pub fn step(&self, delta: TimeDelta) {
        // A delta of more than 292,000 years moves nothing.
        let microseconds = delta.num_microseconds().unwrap_or(0);
        self.offset_microseconds.fetch_add(microseconds, Ordering::SeqCst);
    }

    /// Moves the time shown to `instant`.
    pub fn step_to(&self, instant: DateTime<Utc>) {
        self.step(instant - self.now());
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> DateTime<Utc> {
        let offset = self.offset_microseconds.load(Ordering::SeqCst);
        SystemClock.now() + TimeDelta::microseconds(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stepped_clock_runs_on_from_where_it_was_set() {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let clock = SteppedClock::starting_at(start);
        let check = |expected: DateTime<Utc>| {
            let ahead = clock.now() - expected;
            assert!((TimeDelta::zero()..TimeDelta::minutes(1)).contains(&ahead), "{ahead}");
        };
        check(start);
        clock.step(TimeDelta::days(14));
        check(start + TimeDelta::days(14));
        clock.step_to(start);
        check(start);
    }
}
