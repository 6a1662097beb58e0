use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use chrono::{DateTime, Utc};

/// One request as it arrived, for checks of politeness.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The Host header without the port.
    pub host: String,
    /// The city's time.
    pub at: DateTime<Utc>,
    /// The machine's monotonic time.
    pub instant: Instant,
    /// Path and query.
    pub path: String,
    /// The User-Agent header; empty where there is none.
    pub user_agent: String,
    /// Whether it carried `If-None-Match` or `If-Modified-Since`.
    pub conditional: bool,
    /// Requests of the same host in flight at that moment, this one included.
    pub in_flight: usize,
}

/// The newest requests of all hosts and how many are in flight.
#[derive(Debug, Default)]
pub(super) struct Requests {
    newest: VecDeque<Arrival>,
    in_flight: BTreeMap<String, usize>,
    total: u64,
}

/// Requests remembered; older ones are counted only.
pub(super) const REMEMBERED_MAX: usize = 50_000;

impl Requests {
    /// Notes a request; [`Requests::done`] must follow.
    pub(super) fn arrived(&mut self, mut arrival: Arrival) {
        let in_flight = self.in_flight.entry(arrival.host.clone()).or_default();
        *in_flight += 1;
        arrival.in_flight = *in_flight;
        if self.newest.len() == REMEMBERED_MAX {
            self.newest.pop_front();
        }
        self.newest.push_back(arrival);
        self.total += 1;
    }

    /// Notes that a request of a host has its answer, or was given up.
    pub(super) fn done(&mut self, host: &str) {
        if let Some(in_flight) = self.in_flight.get_mut(host) {
            *in_flight = in_flight.saturating_sub(1);
        }
    }

    /// What is remembered, oldest first, by host.
    pub(super) fn by_host(&self) -> BTreeMap<String, Vec<Arrival>> {
        let mut hosts = BTreeMap::<_, Vec<_>>::new();
        for arrival in &self.newest {
            hosts.entry(arrival.host.clone()).or_default().push(arrival.clone());
        }
        hosts
    }

    /// All requests since the start, forgotten ones included.
    pub(super) fn total(&self) -> u64 {
        self.total
    }
}
