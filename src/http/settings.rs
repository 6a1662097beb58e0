use std::net::{Ipv4Addr, SocketAddr};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// `[http]`: where the daemon answers and how patient it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address to listen on; one that others can reach needs a token to exist.
    pub listen: SocketAddr,
    /// Whether this machine may read without a token.
    pub anonymous_loopback: bool,
    /// How many hours a person who has signed in on the pages stays so.
    #[serde(deserialize_with = "within::<_, _, 1, 72>")]
    pub session_hours: u32,
    /// Longest time for one answer, and for sending one request's headers.
    #[serde(deserialize_with = "within::<_, _, 1, 600>")]
    pub request_timeout_seconds: u64,
    /// Longest wait for the database inside one answer; keep it below the scrape timeout.
    #[serde(deserialize_with = "within::<_, _, 1, 60>")]
    pub database_timeout_seconds: u64,
    /// How long fleet numbers are reused between scrapes, at most 15.
    #[serde(deserialize_with = "within::<_, _, 0, 15>")]
    pub fleet_cache_seconds: u64,
    /// Most connections at once; further ones wait.
    #[serde(deserialize_with = "within::<_, _, 1, 10000>")]
    pub connections_max: usize,
    /// Most bytes of a request's line and headers.
    #[serde(deserialize_with = "within::<_, _, 1024, 1048576>")]
    pub header_bytes_max: usize,
    /// Most bytes of the body of a write.
    #[serde(deserialize_with = "within::<_, _, 1024, 16777216>")]
    pub body_bytes_max: usize,
    /// Most bytes of an export that is handed in.
    #[serde(deserialize_with = "within::<_, _, 1024, 1073741824>")]
    pub import_bytes_max: usize,
    /// Most requests a minute of one token.
    #[serde(deserialize_with = "within::<_, _, 1, 1000000>")]
    pub requests_per_minute: u32,
    /// Most refused requests a minute that one address is told the reason of.
    #[serde(deserialize_with = "within::<_, _, 1, 1000000>")]
    pub refusals_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9611)),
            anonymous_loopback: false,
            session_hours: 8,
            request_timeout_seconds: 20,
            database_timeout_seconds: 5,
            fleet_cache_seconds: 15,
            connections_max: 64,
            header_bytes_max: 16_384,
            body_bytes_max: 65_536,
            import_bytes_max: 33_554_432,
            requests_per_minute: 600,
            refusals_per_minute: 30,
        }
    }
}

/// A number of the file that is taken only between two bounds: a limit of nothing would answer
/// nobody, and a value is never quietly replaced by another.
fn within<'de, D: Deserializer<'de>, T: TryFrom<u64>, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<T, D::Error> {
    let number = u64::deserialize(deserializer)?;
    let taken = T::try_from(number).ok().filter(|_| (LEAST..=MOST).contains(&number));
    taken.ok_or_else(|| D::Error::custom(format!("{LEAST} to {MOST}, not {number}")))
}
