use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION};
use url::Url;

use super::exchange::Answer;
use super::headers;
use super::outcome::{Fetched, UnreachableReason};
use super::request::Validators;

/// An answer with everything that bears on whose it is and how fresh it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The HTTP status; never 429 or 5xx, and 3xx only without a usable `Location`.
    pub status: u16,
    /// The address that answered, without the cache buster.
    pub final_url: String,
    /// Redirects followed.
    pub redirects: u32,
    /// The body, unpacked; its character encoding is extraction's to tell.
    pub body: Bytes,
    /// Body bytes received, before unpacking.
    pub wire_bytes: u64,
    /// The origin's `Date`.
    pub date: Option<DateTime<Utc>>,
    /// `Age` in seconds: how long a cache held the answer.
    pub age_seconds: Option<u64>,
    /// Whether a header says that a cache answered (`Age` above 0, `X-Cache: HIT`, …).
    pub cache_hit: bool,
    /// `ETag` and `Last-Modified`, for the next conditional request.
    pub validators: Validators,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// Response headers, names in lower case, in the order received; without `set-cookie` and
    /// without values above 8 KiB.
    pub headers: Vec<(String, String)>,
    /// When the answered request was sent.
    pub sent_at: DateTime<Utc>,
    /// When the last byte came.
    pub received_at: DateTime<Utc>,
    /// From sending to the last byte, on the monotonic clock.
    pub elapsed: Duration,
    /// Whether validators were sent.
    pub conditional: bool,
    /// Whether the answered address carried the cache buster.
    pub cache_buster_sent: bool,
}

impl Page {
    /// The first value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The latest instant that the answer can speak of; `None` where a cache held it and does not
    /// say since when, which proves no time at all.
    pub fn as_of(&self) -> Option<DateTime<Utc>> {
        if self.cache_hit && self.age_seconds.is_none() {
            return None;
        }
        let age = i64::try_from(self.age_seconds.unwrap_or(0)).unwrap_or(i64::MAX / 1000);
        let sent = self.sent_at - TimeDelta::try_seconds(age).unwrap_or_default();
        Some(self.date.map_or(sent, |date| date.min(sent)))
    }
}

/// "Nothing changed", and what it proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotModified {
    /// The origin's `Date`: the answer reaches this instant and never confirms.
    pub date: Option<DateTime<Utc>>,
    /// When the request was sent.
    pub sent_at: DateTime<Utc>,
    /// From sending to the answer.
    pub elapsed: Duration,
    /// Response headers, as in [`Page::headers`].
    pub headers: Vec<(String, String)>,
}

/// Where a redirect leads; `None` for any other answer, and for one that leads nowhere.
pub(super) fn redirect_of(answer: &Answer) -> Option<String> {
    let redirects = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
    redirects.then(|| headers::text(&answer.headers, &LOCATION)).flatten()
}

/// What a 304 proves: nothing, where no validators were sent.
pub(super) fn not_modified(answer: &Answer, conditional: bool) -> Result<Fetched, Fetched> {
    if !conditional {
        let detail = "304 to a request without validators";
        return Err(Fetched::unreachable(UnreachableReason::BrokenAnswer, detail));
    }
    Ok(Fetched::NotModified(NotModified {
        date: headers::date(&answer.headers),
        sent_at: answer.sent_at,
        elapsed: answer.elapsed,
        headers: headers::kept(&answer.headers),
    }))
}

/// The page of an answer at an address, which may carry the cache buster's pair.
pub(super) fn page(answer: Answer, url: &Url, buster: Option<&str>) -> Page {
    let query = url.query().unwrap_or_default();
    let buster = buster.filter(|pair| query.split('&').any(|one| one == *pair));
    Page {
        status: answer.status,
        final_url: without_pair(url, buster),
        redirects: 0,
        wire_bytes: answer.wire_bytes,
        date: headers::date(&answer.headers),
        age_seconds: headers::age_seconds(&answer.headers),
        cache_hit: headers::cache_hit(&answer.headers),
        validators: Validators {
            etag: headers::text(&answer.headers, &ETAG),
            last_modified: headers::text(&answer.headers, &LAST_MODIFIED),
        },
        content_type: headers::text(&answer.headers, &CONTENT_TYPE),
        headers: headers::kept(&answer.headers),
        body: answer.body.into(),
        sent_at: answer.sent_at,
        received_at: answer.received_at,
        elapsed: answer.elapsed,
        conditional: false,
        cache_buster_sent: buster.is_some(),
    }
}

/// The address without the cache buster, everything else letter for letter.
fn without_pair(url: &Url, pair: Option<&str>) -> String {
    let (Some(pair), Some(query)) = (pair, url.query()) else { return url.to_string() };
    let others: Vec<_> = query.split('&').filter(|one| *one != pair).collect();
    let mut url = url.clone();
    url.set_query((!others.is_empty()).then(|| others.join("&")).as_deref());
    url.to_string()
}
