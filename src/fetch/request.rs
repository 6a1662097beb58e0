use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{
    CACHE_CONTROL, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, PRAGMA,
};

use super::settings::HostLimit;

/// What an earlier answer gave to ask "has it changed since" with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// Its `ETag`, as it came.
    pub etag: Option<String>,
    /// Its `Last-Modified`, as it came.
    pub last_modified: Option<String>,
}

/// One page to ask for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// The absolute address, http or https.
    pub url: String,
    /// Asks conditionally, at this address only: a redirect's target has validators of its own.
    pub validators: Option<Validators>,
    /// Asks for an answer that may confirm silence: unconditional (validators are left out) and
    /// with `Cache-Control: no-cache`.
    pub confirming: bool,
    /// The query parameter to which a value never used before is given, past caches on the way.
    pub cache_buster: Option<String>,
    /// The limit of the host where neither the settings nor the platform files know it.
    pub limit: Option<HostLimit>,
    /// Longest wait for the host's turn; absent: the setting.
    pub patience: Option<Duration>,
    /// Longest time from sending the request to the last byte; absent: the setting.
    pub timeout: Option<Duration>,
    /// Nothing is asked any more from this instant on, and what was asked is given up: the claim on
    /// the host has ended, and another daemon may be asking it.
    pub not_after: Option<DateTime<Utc>>,
}

impl Request {
    /// An ordinary unconditional request.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// The header lines that make the request conditional, or fit to confirm; `first`: it goes to
    /// the address itself and not to a redirect's target.
    pub(super) fn headers(&self, first: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.confirming {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
            return headers;
        }
        if let Some(validators) = self.validators.as_ref().filter(|_| first) {
            let lines =
                [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)];
            for (name, value) in lines {
                // A validator that is no header value cannot be sent; the request is unconditional.
                let value = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok());
                if let Some(value) = value {
                    headers.insert(name, value);
                }
            }
        }
        headers
    }
}
