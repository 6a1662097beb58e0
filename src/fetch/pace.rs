//! How fast one host may be asked just now. Pure: every time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use super::outcome::LimitedReason;
use super::settings::HostLimit;

/// The share of the full speed that a good answer gives back.
const RECOVERY: f64 = 0.05;

/// How a request ended, as far as the host's pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The host answered as asked.
    Good,
    /// An answer that may be a wall (4xx): neither slower nor faster.
    Neutral,
    /// 429, 5xx or no answer, with what `Retry-After` asks for.
    Trouble { retry_after: Option<Duration> },
}

/// Why a host cannot be asked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) time: Duration,
    pub(super) reason: LimitedReason,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Circuit {
    Closed,
    Open {
        until: Instant,
    },
    /// One request is trying; everybody else waits for its end.
    Probing,
}

/// The adaptive delay of one host: additive increase, multiplicative decrease of its speed.
///
/// `speed` is the share of the limit in use. Trouble halves it, down to one request per
/// `backoff_max`; a good answer gives back a twentieth. A run of troubles opens the circuit:
/// nothing is asked for a while, then one request tries.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    gap: Duration,
    delay_max: Duration,
    breaker_failures: u32,
    breaker_open: Duration,
    speed: f64,
    failures: u32,
    /// Speed and failures before the last good answer: if extraction finds that the answer was a
    /// wall, its reward is taken back before the penalty, so that a wall never shortens a delay.
    before_good: Option<(f64, u32)>,
    last_start: Option<Instant>,
    not_before: Option<Instant>,
    circuit: Circuit,
}

impl Pace {
    pub(super) fn new(limit: HostLimit, breaker_failures: u32, breaker_open: Duration) -> Self {
        let gap = limit.gap();
        Self {
            gap,
            delay_max: gap.max(Duration::from_secs(limit.backoff_max_seconds)),
            breaker_failures,
            breaker_open,
            speed: 1.0,
            failures: 0,
            before_good: None,
            last_start: None,
            not_before: None,
            circuit: Circuit::Closed,
        }
    }

    /// The time between two requests at the present speed.
    pub(super) fn delay(&self) -> Duration {
        self.gap.div_f64(self.speed).min(self.delay_max)
    }

    /// How much longer than ordinary that is.
    pub(super) fn penalty(&self) -> Duration {
        self.delay().saturating_sub(self.gap)
    }

    /// What stands between now and the next request; `None`: nothing.
    pub(super) fn wait(&self, now: Instant) -> Option<Wait> {
        let left = |until: Instant, reason| {
            let time = until.saturating_duration_since(now);
            (!time.is_zero()).then_some(Wait { time, reason })
        };
        let circuit = match self.circuit {
            Circuit::Closed => None,
            Circuit::Open { until } => left(until, LimitedReason::CircuitOpen),
            Circuit::Probing => {
                Some(Wait { time: self.delay(), reason: LimitedReason::CircuitOpen })
            }
        };
        let retry = self.not_before.and_then(|until| left(until, LimitedReason::RetryAfter));
        let turn = self.last_start.map(|start| start + self.delay());
        let turn = turn.and_then(|until| left(until, LimitedReason::Patience));
        [turn, retry, circuit].into_iter().flatten().max_by_key(|wait| wait.time)
    }

    /// Whether waiting here can only end in another refusal: somebody else is probing.
    pub(super) fn is_probing(&self) -> bool {
        self.circuit == Circuit::Probing
    }

    /// A request begins. Says whether it is the probe of an open circuit.
    pub(super) fn start(&mut self, now: Instant) -> bool {
        self.last_start = Some(now);
        let probe = matches!(self.circuit, Circuit::Open { .. });
        if probe {
            self.circuit = Circuit::Probing;
        }
        probe
    }

    /// A request ended.
    pub(super) fn end(&mut self, ending: Ending, probe: bool, now: Instant) {
        match ending {
            Ending::Good => {
                self.before_good = Some((self.speed, self.failures));
                self.speed = (self.speed + RECOVERY).min(1.0);
                self.failures = 0;
                if probe {
                    self.circuit = Circuit::Closed;
                }
            }
            Ending::Neutral if probe => {
                // The host speaks again; one more trouble closes the door at once.
                self.circuit = Circuit::Closed;
                self.failures = self.breaker_failures.saturating_sub(1);
            }
            Ending::Neutral => {}
            Ending::Trouble { retry_after } => {
                if let Some(wait) = retry_after {
                    let until = now + wait;
                    self.not_before = Some(self.not_before.map_or(until, |one| one.max(until)));
                }
                self.slow_down(now, probe);
            }
        }
    }

    /// Extraction found that the answer was a wall.
    pub(super) fn blocked(&mut self, now: Instant) {
        self.slow_down(now, false);
    }

    /// A probe was given up before it ended: the next request may try.
    pub(super) fn abandon_probe(&mut self, now: Instant) {
        self.circuit = Circuit::Open { until: now };
    }

    /// What the next daemon has to know: speed, troubles in a row, and the rest still to be kept.
    pub(super) fn told(&self, now: Instant) -> (f64, u32, Duration) {
        let circuit = match self.circuit {
            Circuit::Open { until } => Some(until),
            Circuit::Closed | Circuit::Probing => None,
        };
        let rest = self.not_before.max(circuit).map(|until| until.saturating_duration_since(now));
        (self.speed, self.failures, rest.unwrap_or_default())
    }

    /// Goes on where another daemon has left off: `asked` is when the host was last asked at the
    /// latest, `rest` what is still to be kept of a rest it needs.
    pub(super) fn take_over(
        &mut self,
        (speed, failures, rest): (f64, u32, Duration),
        asked: Option<Instant>,
        now: Instant,
    ) {
        self.speed = speed.clamp(self.slowest(), 1.0);
        self.failures = failures;
        self.before_good = None;
        self.last_start = asked;
        self.not_before = (!rest.is_zero()).then(|| now + rest);
        self.circuit = match failures >= self.breaker_failures {
            true => Circuit::Open { until: now + rest },
            false => Circuit::Closed,
        };
    }

    fn slowest(&self) -> f64 {
        self.gap.as_secs_f64() / self.delay_max.as_secs_f64()
    }

    fn slow_down(&mut self, now: Instant, probe: bool) {
        let (speed, failures) = self.before_good.take().unwrap_or((1.0, 0));
        self.speed = (self.speed.min(speed) / 2.0).max(self.slowest());
        self.failures = self.failures.max(failures).saturating_add(1);
        let may_open = probe || self.circuit == Circuit::Closed;
        if may_open && (probe || self.failures >= self.breaker_failures) {
            let until = now + self.breaker_open.max(self.delay());
            self.circuit = Circuit::Open { until };
        }
    }

    /// Whether nothing is remembered that a fresh pace would not know.
    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        self.speed >= 1.0 && self.failures == 0 && self.wait(now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TROUBLE: Ending = Ending::Trouble { retry_after: None };

    fn pace() -> Pace {
        let limit = HostLimit { per_minute: 6.0, concurrent: 1, backoff_max_seconds: 600 };
        Pace::new(limit, 5, Duration::from_secs(300))
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn trouble_doubles_the_delay_up_to_the_maximum() {
        let now = Instant::now();
        let mut pace = pace();
        let delays: Vec<_> = (0..8)
            .map(|_| {
                pace.end(TROUBLE, false, now);
                pace.delay().as_secs()
            })
            .collect();
        assert_eq!(delays, [20, 40, 80, 160, 320, 600, 600, 600]);
    }

    #[test]
    fn good_answers_bring_the_speed_back_slowly() {
        let now = Instant::now();
        let mut pace = pace();
        pace.end(TROUBLE, false, now);
        for good in 0..10 {
            assert!(pace.delay() > seconds(10), "full speed after {good}");
            pace.end(Ending::Good, false, now);
        }
        pace.end(Ending::Good, false, now);
        assert_eq!(pace.delay(), seconds(10));
        assert_eq!(pace.penalty(), Duration::ZERO);
    }

    #[test]
    fn a_retry_after_holds_every_request_back() {
        let now = Instant::now();
        let mut pace = pace();
        pace.start(now);
        pace.end(Ending::Trouble { retry_after: Some(seconds(500)) }, false, now);
        let wait = pace.wait(now + seconds(100)).unwrap();
        assert_eq!((wait.time, wait.reason), (seconds(400), LimitedReason::RetryAfter));
        pace.end(Ending::Trouble { retry_after: Some(seconds(1)) }, false, now);
        assert_eq!(pace.wait(now + seconds(100)).unwrap().time, seconds(400));
        assert_eq!(pace.wait(now + seconds(500)), None);
    }

    #[test]
    fn a_run_of_troubles_opens_the_circuit_for_one_probe() {
        let mut now = Instant::now();
        let mut pace = pace();
        for _ in 0..5 {
            assert!(!pace.start(now));
            pace.end(TROUBLE, false, now);
        }
        let wait = pace.wait(now).unwrap();
        assert_eq!((wait.time, wait.reason), (seconds(320), LimitedReason::CircuitOpen));
        now += seconds(320);
        assert_eq!(pace.wait(now), None);
        assert!(pace.start(now), "the next request is the probe");
        now += seconds(1000);
        assert_eq!(pace.wait(now).unwrap().reason, LimitedReason::CircuitOpen);
        pace.end(TROUBLE, true, now);
        assert_eq!(pace.wait(now).unwrap().time, seconds(600));
        now += seconds(600);
        assert!(pace.start(now));
        pace.end(Ending::Good, true, now);
        assert!(!pace.start(now + seconds(600)));
    }

    #[test]
    fn the_next_daemon_goes_on_where_the_last_left_off() {
        let now = Instant::now();
        let handed = |mut left: Pace, asked: Option<u64>| {
            let told = left.told(now);
            left.take_over((1.0, 0, Duration::ZERO), None, now);
            let mut next = pace();
            next.take_over(told, asked.map(|ago| now.checked_sub(seconds(ago)).unwrap()), now);
            next
        };
        // Nothing wrong: only the gap since the last request is kept.
        assert_eq!(handed(pace(), None).wait(now), None);
        assert_eq!(handed(pace(), Some(4)).wait(now).unwrap().time, seconds(6));
        assert_eq!(handed(pace(), Some(10)).wait(now), None);
        // Slowed down: the longer gap.
        let mut slow = pace();
        slow.end(TROUBLE, false, now);
        assert_eq!(handed(slow, Some(0)).wait(now).unwrap().time, seconds(20));
        // Asked to be left alone.
        let mut asked = pace();
        asked.end(Ending::Trouble { retry_after: Some(seconds(500)) }, false, now);
        let wait = handed(asked, Some(0)).wait(now + seconds(100)).unwrap();
        assert_eq!((wait.time, wait.reason), (seconds(400), LimitedReason::RetryAfter));
        // Failing: one request tries when the circuit's time has come.
        let mut failing = pace();
        (0..5).for_each(|_| failing.end(TROUBLE, false, now));
        let mut next = handed(failing, Some(0));
        assert_eq!(next.wait(now).unwrap().time, seconds(320));
        assert!(next.start(now + seconds(320)), "the next request is the probe");
        // One that died while probing leaves the probe to the next.
        let mut probing = pace();
        (0..5).for_each(|_| probing.end(TROUBLE, false, now));
        probing.start(now + seconds(320));
        assert!(handed(probing, None).start(now + seconds(1000)));
    }

    #[test]
    fn an_abandoned_probe_leaves_its_place_to_the_next() {
        let now = Instant::now();
        let mut pace = pace();
        for _ in 0..5 {
            pace.end(TROUBLE, false, now);
        }
        let later = now + seconds(1000);
        assert!(pace.start(later));
        pace.abandon_probe(later);
        assert!(pace.start(later + seconds(1000)));
    }

    proptest! {
        #[test]
        fn no_trouble_and_no_wall_ever_shortens_a_delay(
            events in prop::collection::vec(0..4u8, 0..60),
        ) {
            let now = Instant::now();
            let mut pace = pace();
            let mut before_good = pace.delay();
            for event in events {
                let delay = pace.delay();
                match event {
                    0 => {
                        before_good = delay;
                        pace.end(Ending::Good, false, now);
                        prop_assert!(pace.delay() <= delay);
                    }
                    1 => {
                        pace.end(TROUBLE, false, now);
                        prop_assert!(pace.delay() >= delay);
                    }
                    2 => {
                        pace.blocked(now);
                        prop_assert!(pace.delay() >= delay.max(before_good.min(pace.delay_max)));
                    }
                    _ => {
                        pace.end(Ending::Neutral, false, now);
                        prop_assert_eq!(pace.delay(), delay);
                    }
                }
                if event != 0 {
                    before_good = Duration::ZERO;
                }
                prop_assert!(pace.delay() >= pace.gap && pace.delay() <= pace.delay_max);
            }
        }
    }
}
