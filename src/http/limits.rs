use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use super::settings::Settings;

/// More addresses than this are not remembered at once; those that have rested are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// How often may be asked: by each token, and by each address that shows no valid one.
pub(super) struct Limits {
    tokens: DefaultKeyedRateLimiter<i64>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Limits {
    pub(super) fn new(settings: &Settings) -> Self {
        let quota =
            |number: u32| Quota::per_minute(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        Self {
            tokens: DefaultKeyedRateLimiter::keyed(quota(settings.requests_per_minute)),
            strangers: DefaultKeyedRateLimiter::keyed(quota(settings.refusals_per_minute)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of a token; where it is one too many, the whole seconds to wait.
    pub(super) fn token(&self, token: i64) -> Result<(), u64> {
        self.tokens.check_key(&token).map_err(|not_yet| self.seconds(&not_yet))
    }

    /// Counts a refusal of an address, likewise.
    pub(super) fn stranger(&self, address: IpAddr) -> Result<(), u64> {
        if self.strangers.len() > ADDRESSES_MAX {
            self.strangers.retain_recent();
        }
        self.strangers.check_key(&address).map_err(|not_yet| self.seconds(&not_yet))
    }

    fn seconds(&self, not_yet: &governor::NotUntil<<DefaultClock as Clock>::Instant>) -> u64 {
        not_yet.wait_time_from(self.clock.now()).as_secs() + 1
    }
}
