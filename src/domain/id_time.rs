use chrono::{DateTime, Utc};

/// What a post's id tells of when it was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdTime {
    /// The instant it holds.
    At(DateTime<Utc>),
    /// Its place in the order in which the site gives its ids out.
    Place(u64),
    /// Nothing.
    Untold,
}
