use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// `[http]`: where the daemon answers and how patient it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address to listen on; only loopback until there are tokens.
    pub listen: SocketAddr,
    /// Longest time for one answer, and for sending one request's headers.
    pub request_timeout_seconds: u64,
    /// Longest wait for the database inside one answer; keep it below the scrape timeout.
    pub database_timeout_seconds: u64,
    /// How long fleet numbers are reused between scrapes, at most 15.
    pub fleet_cache_seconds: u64,
    /// Most connections at once; further ones wait.
    pub connections_max: usize,
    /// Most bytes of a request's line and headers.
    pub header_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9611)),
            request_timeout_seconds: 20,
            database_timeout_seconds: 5,
            fleet_cache_seconds: 15,
            connections_max: 64,
            header_bytes_max: 16_384,
        }
    }
}
