//! What every origin's robots.txt says, asked for once and believed for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::outcome::Fetched;
use super::robots::RobotsRules;
use super::settings::Settings;

/// Above this many origins, outdated ones are forgotten.
const ORIGINS_KEPT: usize = 20_000;

/// What a robots.txt came to (RFC 9309 section 2.3.1).
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// It was read, or does not exist: empty rules allow everything.
    Rules(Arc<RobotsRules>),
    /// It could not be read, which refuses everything; how pages of the origin end meanwhile.
    Unread(Fetched),
}

/// One origin's place in the cache; whoever holds it asks, the others wait for the result.
#[derive(Default)]
pub(super) struct Slot {
    known: Option<(Verdict, DateTime<Utc>)>,
}

impl Slot {
    /// What is known and still believed.
    pub(super) fn believed(&self, now: DateTime<Utc>) -> Option<Verdict> {
        let (verdict, until) = self.known.as_ref()?;
        (now < *until).then(|| verdict.clone())
    }
}

/// The verdicts by origin.
pub(super) struct RobotsCache {
    slots: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Slot>>>>,
    cache: Duration,
    retry: Duration,
}

impl RobotsCache {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            slots: Mutex::default(),
            cache: Duration::from_secs(u64::from(settings.robots_cache_hours) * 3600),
            retry: Duration::from_secs(settings.robots_retry_seconds),
        }
    }

    /// The place of an origin.
    pub(super) fn slot(&self, origin: &str, now: DateTime<Utc>) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= ORIGINS_KEPT {
            slots.retain(|_, slot| {
                Arc::strong_count(slot) > 1
                    || slot.try_lock().is_ok_and(|slot| slot.believed(now).is_some())
            });
        }
        slots.entry(origin.to_owned()).or_default().clone()
    }

    /// Writes down what robots.txt came to at `now`.
    pub(super) fn remember(&self, slot: &mut Slot, verdict: &Verdict, now: DateTime<Utc>) {
        let time = match verdict {
            Verdict::Rules(_) => self.cache,
            Verdict::Unread(_) => self.retry,
        };
        let until = TimeDelta::from_std(time).ok().and_then(|time| now.checked_add_signed(time));
        slot.known = Some((verdict.clone(), until.unwrap_or(DateTime::<Utc>::MAX_UTC)));
    }
}
