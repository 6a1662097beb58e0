//! Whether the daemon's loops still come round, for the watchdog.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When each loop has to come round next, by its name.
///
/// A loop that waits for work is at rest and owes nothing; one that took work up owes its next
/// sign within a time of its own. Whether the work succeeds is no matter here: a daemon whose
/// database is away goes on trying, and starting it again would help nobody.
#[derive(Debug, Default)]
pub struct Pulses(Mutex<BTreeMap<&'static str, Instant>>);

impl Pulses {
    /// The loop of this name came round and will do so again within a time, or rest.
    pub fn works(&self, name: &'static str, at_most: Duration) {
        self.owed().insert(name, Instant::now() + at_most);
    }

    /// It waits for work, or has ended.
    pub fn rests(&self, name: &'static str) {
        self.owed().remove(name);
    }

    /// The loops that are overdue.
    pub fn stalled(&self) -> Vec<&'static str> {
        let now = Instant::now();
        self.owed().iter().filter(|(_, until)| **until < now).map(|(name, _)| *name).collect()
    }

    fn owed(&self) -> MutexGuard<'_, BTreeMap<&'static str, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_loop_that_took_work_up_and_does_not_come_round_is_stalled() {
        let pulses = Pulses::default();
        let minute = Duration::from_secs(60);
        pulses.works("crawl", minute);
        pulses.works("store", minute * 3);
        tokio::time::advance(minute * 2).await;
        assert_eq!(pulses.stalled(), ["crawl"]);
        pulses.works("crawl", minute);
        assert_eq!(pulses.stalled(), [""; 0]);
        tokio::time::advance(minute * 2).await;
        assert_eq!(pulses.stalled(), ["crawl", "store"]);
        pulses.rests("crawl");
        assert_eq!(pulses.stalled(), ["store"]);
    }
}
