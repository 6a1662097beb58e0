//! Asks hosts for pages, politely and safely.
//!
//! One [`Fetcher`] holds the only crawling client of the program. Every request, redirects and
//! robots.txt included, goes the same way: the address is checked (`guard`), the name is resolved
//! and its addresses are checked (`resolver`), the host's turn is awaited (`turn`, `pace`), the
//! answer is read under caps (`exchange`, `body`). How a request ends is a [`Fetched`], never an
//! error. There is no cookie jar, no credential and no way around a captcha here.

mod asker;
mod body;
mod exchange;
mod fetcher;
mod guard;
mod headers;
mod outcome;
mod pace;
mod page;
mod quiet;
mod ranges;
mod request;
mod resolver;
mod robots;
mod robots_cache;
mod settings;
mod turn;

#[cfg(test)]
mod tests;

pub use fetcher::{FetchError, Fetcher};
pub use outcome::{
    Disallowed, DisallowedReason, Fetched, Limited, LimitedReason, Refused, RefusedReason,
    Unreachable, UnreachableReason,
};
pub use page::{NotModified, Page};
pub use quiet::QuietHours;
pub use request::{Request, Validators};
pub use resolver::{Lookup, Resolver, SystemResolver};
pub use settings::{HostLimit, Settings};
