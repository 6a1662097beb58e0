//! What every origin's robots.txt says, asked for once and believed for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use reqwest::header::HeaderMap;

use super::asker::{Asker, Terms};
use super::body::{Cap, Excess};
use super::guard::Target;
use super::outcome::{
    Disallowed, DisallowedReason, Fetched, Limited, LimitedReason, Unreachable, UnreachableReason,
};
use super::page::redirect_of;
use super::robots::{ROBOTS_MAX_BYTES, RobotsRules};
use super::settings::{Settings, find_host};
use crate::domain::Clock;

/// Redirects followed for a robots.txt (RFC 9309 section 2.3.1.2).
const ROBOTS_REDIRECTS_MAX: u32 = 5;

/// Above this many origins, outdated ones are forgotten.
const ORIGINS_KEPT: usize = 20_000;

/// What a robots.txt came to (RFC 9309 section 2.3.1).
#[derive(Debug, Clone)]
enum Verdict {
    /// It was read, or does not exist: empty rules allow everything.
    Rules(Arc<RobotsRules>),
    /// It could not be read, which refuses everything; how pages of the origin end meanwhile.
    Unread(Fetched),
}

/// One origin's place in the cache; whoever holds it asks, the others wait for the result.
#[derive(Default)]
struct Slot {
    known: Option<(Verdict, DateTime<Utc>)>,
}

impl Slot {
    /// What is known and still believed.
    fn believed(&self, now: DateTime<Utc>) -> Option<Verdict> {
        let (verdict, until) = self.known.as_ref()?;
        (now < *until).then(|| verdict.clone())
    }
}

/// The verdicts by origin.
pub(super) struct RobotsCache {
    slots: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Slot>>>>,
    clock: Arc<dyn Clock>,
    cache: Duration,
    retry: Duration,
}

impl RobotsCache {
    pub(super) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            slots: Mutex::default(),
            clock,
            cache: Duration::from_secs(u64::from(settings.robots_cache_hours) * 3600),
            retry: Duration::from_secs(settings.robots_retry_seconds),
        }
    }

    /// Whether robots.txt lets us ask for an address; reads it first where it is not known.
    pub(super) async fn check(
        &self,
        asker: &Asker,
        target: &Target,
        terms: Terms,
    ) -> Result<(), Fetched> {
        if find_host(&asker.settings.authorised_hosts, &target.host).is_some() {
            return Ok(());
        }
        let slot = self.slot(&target.origin(), self.clock.now());
        let Ok(mut slot) = tokio::time::timeout_at(terms.deadline, slot.lock()).await else {
            return Err(Fetched::Limited(Limited {
                reason: LimitedReason::Patience,
                retry_after: asker.hosts.delay(&target.host),
                detail: format!("robots.txt of {} is still being asked for", target.host),
            }));
        };
        let verdict = match slot.believed(self.clock.now()) {
            Some(verdict) => verdict,
            None => {
                let verdict = read_robots(asker, target, terms).await?;
                self.remember(&mut slot, &verdict, self.clock.now());
                verdict
            }
        };
        match verdict {
            Verdict::Unread(fetched) => Err(fetched),
            Verdict::Rules(rules) => {
                let path = &target.url[url::Position::BeforePath..url::Position::AfterQuery];
                match rules.refusal(path) {
                    None => Ok(()),
                    Some(detail) => Err(Fetched::Disallowed(Disallowed {
                        reason: DisallowedReason::Rule,
                        detail,
                    })),
                }
            }
        }
    }

    /// The place of an origin.
    fn slot(&self, origin: &str, now: DateTime<Utc>) -> Arc<tokio::sync::Mutex<Slot>> {
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
    fn remember(&self, slot: &mut Slot, verdict: &Verdict, now: DateTime<Utc>) {
        let time = match verdict {
            Verdict::Rules(_) => self.cache,
            Verdict::Unread(_) => self.retry,
        };
        let until = TimeDelta::from_std(time).ok().and_then(|time| now.checked_add_signed(time));
        slot.known = Some((verdict.clone(), until.unwrap_or(DateTime::<Utc>::MAX_UTC)));
    }
}

/// Asks for a robots.txt. An error is about this moment (limits) or about the address; it is
/// not remembered.
async fn read_robots(asker: &Asker, origin: &Target, terms: Terms) -> Result<Verdict, Fetched> {
    let allow_all = || Ok(Verdict::Rules(Arc::default()));
    let cap = Cap { bytes: ROBOTS_MAX_BYTES, excess: Excess::Cut };
    let mut target = asker.guard.check("/robots.txt", Some(&origin.url))?;
    for _ in 0..=ROBOTS_REDIRECTS_MAX {
        let answer = match asker.ask(&target, HeaderMap::new(), cap, terms).await {
            Ok(answer) => answer,
            Err(Fetched::Unreachable(failed)) => return Ok(Verdict::Unread(unread(failed))),
            Err(other) => return Err(other),
        };
        if let Some(location) = redirect_of(&answer) {
            target = asker.guard.check(&location, Some(&target.url))?;
            continue;
        }
        if (200..300).contains(&answer.status) {
            let rules = RobotsRules::parse(&answer.body, asker.settings.product_token());
            return Ok(Verdict::Rules(Arc::new(rules)));
        }
        return allow_all();
    }
    allow_all()
}

/// How pages end while the robots.txt of their origin cannot be read: a server error there refuses
/// everything; no answer at all is the host's own trouble and is called by its name.
fn unread(mut failed: Unreachable) -> Fetched {
    failed.detail = format!("robots.txt: {}", failed.detail);
    if failed.reason == UnreachableReason::ServerError {
        let reason = DisallowedReason::RobotsUnreachable;
        return Fetched::Disallowed(Disallowed { reason, detail: failed.detail });
    }
    Fetched::Unreachable(failed)
}
