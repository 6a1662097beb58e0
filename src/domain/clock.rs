use chrono::{DateTime, Utc};

/// Where "now" comes from: the system in production, a stepped clock in tests and the demo.
pub trait Clock: Send + Sync + 'static {
    /// The current instant, UTC.
    fn now(&self) -> DateTime<Utc>;
}
