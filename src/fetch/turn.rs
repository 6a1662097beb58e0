//! Whose turn it is at which host.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::outcome::{Fetched, Limited, LimitedReason};
use super::pace::{Ending, Pace, Wait};
use super::settings::{HostLimit, Settings, find_host};

/// Above this many hosts, those with nothing to remember are forgotten.
const HOSTS_KEPT: usize = 20_000;

/// Every host ever asked, with its limit, its pace and its free places.
pub(super) struct Hosts {
    settings: Arc<Settings>,
    known_limits: HashMap<String, HostLimit>,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

impl Hosts {
    pub(super) fn new(settings: Arc<Settings>, known_limits: HashMap<String, HostLimit>) -> Self {
        Self { settings, known_limits, hosts: Mutex::default() }
    }

    /// Waits for the host's turn, at most until `deadline`. Dropping the future gives the place up.
    ///
    /// `limit` is for hosts that neither the settings nor the platform files know; it counts when
    /// the host is first asked.
    pub(super) async fn turn(
        &self,
        name: &str,
        limit: Option<HostLimit>,
        deadline: Instant,
    ) -> Result<Turn, Fetched> {
        let host = self.host(name, limit);
        let (_place, ahead) = Place::take(host.clone());
        let refuse = |wait: Wait| Err(limited(name, wait));
        // Everybody ahead takes at least one delay: no need to stand in a queue that is too long.
        let queue = host.pace().delay().saturating_mul(ahead);
        if !queue.is_zero() && Instant::now() + queue > deadline {
            return refuse(Wait { time: queue, reason: LimitedReason::Patience });
        }
        let permit = host.permits.clone().acquire_owned();
        let Ok(permit) = tokio::time::timeout_at(deadline, permit).await else {
            let time = host.pace().delay().saturating_mul(ahead + 1);
            return refuse(Wait { time, reason: LimitedReason::Patience });
        };
        let permit = permit.expect("the semaphore lives as long as its host and is never closed");
        loop {
            let (wait, probing) = match host.try_start() {
                Ok(probe) => return Ok(Turn { host: host.clone(), probe, _permit: permit }),
                Err(refusal) => refusal,
            };
            if probing || Instant::now() + wait.time > deadline {
                return refuse(wait);
            }
            tokio::time::sleep(wait.time).await;
        }
    }

    /// Extraction found that the host's last answer was a wall.
    pub(super) fn report_blocked(&self, name: &str) {
        self.host(name, None).pace().blocked(Instant::now());
    }

    /// The time between two requests to a host just now.
    pub(super) fn delay(&self, name: &str) -> Duration {
        self.host(name, None).pace().delay()
    }

    /// What another daemon would have to know of the host: speed, troubles, rest.
    pub(super) fn told(&self, name: &str) -> Option<(f64, u32, Duration)> {
        let host = lock(&self.hosts).get(name).cloned();
        host.map(|host| host.pace().told(Instant::now()))
    }

    /// The host is this daemon's from now on; where it was another's, its pace is what that one
    /// left.
    pub(super) fn take_over(
        &self,
        name: &str,
        limit: Option<HostLimit>,
        left: Option<((f64, u32, Duration), Option<Instant>)>,
    ) {
        let host = self.host(name, limit);
        let mut pace = host.pace();
        if let Some((told, asked)) = left {
            pace.take_over(told, asked, Instant::now());
        }
        host.foreign.store(false, Ordering::Relaxed);
    }

    /// Nobody asks the host here any more until it is taken over again; refused, and `false`, while
    /// a request is in flight or waits.
    pub(super) fn let_go(&self, name: &str) -> bool {
        let host = self.host(name, None);
        let _pace = host.pace();
        let idle = host.waiting.load(Ordering::Relaxed) == 0
            && host.permits.available_permits() == host.concurrent;
        if idle {
            host.foreign.store(true, Ordering::Relaxed);
        }
        idle
    }

    /// How much longer than ordinary the host's delay is.
    pub(super) fn penalty(&self, name: &str) -> Duration {
        let host = lock(&self.hosts).get(name).cloned();
        host.map_or(Duration::ZERO, |host| host.pace().penalty())
    }

    /// How many requests may be in flight at the host at once.
    pub(super) fn concurrent(&self, name: &str) -> usize {
        self.limit(name, None).concurrent as usize
    }

    /// The limit of a host; `asked` is for hosts that neither the settings nor the platform files
    /// know.
    pub(super) fn limit(&self, name: &str, asked: Option<HostLimit>) -> HostLimit {
        find_host(&self.settings.limits, name)
            .or_else(|| self.known_limits.get(name))
            .copied()
            .or(asked)
            .unwrap_or(self.settings.default_limit)
    }

    fn host(&self, name: &str, limit: Option<HostLimit>) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.get(name) {
            return host.clone();
        }
        if hosts.len() >= HOSTS_KEPT {
            let now = Instant::now();
            hosts.retain(|_, host| Arc::strong_count(host) > 1 || !host.is_forgettable(now));
        }
        let limit = self.limit(name, limit);
        let host = Arc::new(Host::new(limit, &self.settings));
        hosts.insert(name.to_owned(), host.clone());
        host
    }
}

fn limited(name: &str, wait: Wait) -> Fetched {
    let seconds = wait.time.as_secs_f64();
    let detail = match wait.reason {
        LimitedReason::CircuitOpen => format!("{name} fails and is left alone for {seconds:.1} s"),
        LimitedReason::LeaseEnded => format!("{name} is another daemon's"),
        LimitedReason::RetryAfter => format!("{name} asked to be left alone for {seconds:.1} s"),
        _ => format!("the turn at {name} comes in {seconds:.1} s"),
    };
    Fetched::Limited(Limited { reason: wait.reason, retry_after: wait.time, detail })
}

/// One host: an ordinary limit that nothing can pass (`limiter`), and an adaptive one below it.
struct Host {
    limiter: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<TokioInstant>>,
    permits: Arc<Semaphore>,
    concurrent: usize,
    pace: Mutex<Pace>,
    waiting: AtomicU32,
    /// Whether it was given to another daemon; changes only under the lock of `pace`.
    foreign: AtomicBool,
}

impl Host {
    fn new(limit: HostLimit, settings: &Settings) -> Self {
        let quota = Quota::with_period(limit.gap())
            .expect("a checked limit has a gap above zero")
            .allow_burst(NonZeroU32::MIN);
        let breaker_open = Duration::from_secs(settings.breaker_open_seconds);
        Self {
            limiter: RateLimiter::direct_with_clock(quota, TokioClock),
            permits: Arc::new(Semaphore::new(limit.concurrent as usize)),
            pace: Mutex::new(Pace::new(limit, settings.breaker_failures, breaker_open)),
            waiting: AtomicU32::new(0),
            foreign: AtomicBool::new(false),
            concurrent: limit.concurrent as usize,
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        lock(&self.pace)
    }

    /// Begins a request now, saying whether it is a probe, or says how long it must wait and
    /// whether waiting here is of no use: somebody else is probing, or the host is another's.
    fn try_start(&self) -> Result<bool, (Wait, bool)> {
        let mut pace = self.pace();
        let now = Instant::now();
        if self.foreign.load(Ordering::Relaxed) {
            return Err((Wait { time: pace.delay(), reason: LimitedReason::LeaseEnded }, true));
        }
        if let Some(wait) = pace.wait(now) {
            return Err((wait, pace.is_probing()));
        }
        match self.limiter.check() {
            Ok(()) => Ok(pace.start(now)),
            Err(until) => {
                let time = until.wait_time_from(TokioInstant(now));
                Err((Wait { time, reason: LimitedReason::Patience }, false))
            }
        }
    }

    fn is_forgettable(&self, now: Instant) -> bool {
        // What is another's must not look like a host that nobody knows.
        !self.foreign.load(Ordering::Relaxed) && self.pace().is_forgettable(now)
    }
}

/// A place in the queue of a host, given up when dropped.
struct Place(Arc<Host>);

impl Place {
    fn take(host: Arc<Host>) -> (Self, u32) {
        let ahead = host.waiting.fetch_add(1, Ordering::Relaxed);
        (Self(host), ahead)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to one request, given back when dropped.
pub(super) struct Turn {
    host: Arc<Host>,
    probe: bool,
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    /// Says how the request ended; a turn dropped without it changes nothing.
    pub(super) fn end(mut self, ending: Ending) {
        self.host.pace().end(ending, self.probe, Instant::now());
        self.probe = false;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.probe {
            self.host.pace().abandon_probe(Instant::now());
        }
    }
}

/// A poisoned lock guards plain numbers that are whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The runtime's clock for the limiter, so that both stand still together in tests.
#[derive(Debug, Clone, Copy)]
struct TokioClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct TokioInstant(Instant);

impl Clock for TokioClock {
    type Instant = TokioInstant;

    fn now(&self) -> TokioInstant {
        TokioInstant(Instant::now())
    }
}

impl Add<Nanos> for TokioInstant {
    type Output = Self;

    fn add(self, nanos: Nanos) -> Self {
        Self(self.0 + Duration::from(nanos))
    }
}

impl Reference for TokioInstant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

#[cfg(test)]
mod tests;
