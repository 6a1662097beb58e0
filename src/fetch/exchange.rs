//! One request and its answer, under caps.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, HOST, HeaderMap, HeaderValue,
};
use reqwest::{Client, Response, StatusCode};
use tokio::time::Instant;

use super::body::{BodyError, BodyReader, Cap, Progress};
use super::fetcher::FetchError;
use super::guard::{AddressRefused, Target};
use super::headers::text;
use super::outcome::{Fetched, RefusedReason, UnreachableReason};
use super::resolver::PinnedResolver;
use super::settings::Settings;
use crate::domain::Clock;

/// The crawling client with its caps.
pub(super) struct Exchange {
    client: Client,
    clock: Arc<dyn Clock>,
    /// Longest time from sending to the last byte where a request says nothing else.
    pub(super) timeout: Duration,
    headers_max: usize,
}

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Empty for redirects, 429 and server errors, whose bodies are not read.
    pub(super) body: Vec<u8>,
    pub(super) wire_bytes: u64,
    pub(super) sent_at: DateTime<Utc>,
    pub(super) received_at: DateTime<Utc>,
    pub(super) elapsed: Duration,
}

impl Exchange {
    pub(super) fn new(
        settings: &Settings,
        resolver: PinnedResolver,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FetchError> {
        // The first installation in the process holds; a second is no error, it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        let accept = "text/html,application/xhtml+xml,application/json,application/xml;q=0.9,\
                      */*;q=0.8";
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("zh-CN,zh;q=0.9,en;q=0.5"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let client = Client::builder()
            .user_agent(settings.full_user_agent())
            .default_headers(headers)
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_secs(settings.connect_timeout_seconds))
            .http1_max_headers(settings.headers_max as usize)
            .http2_max_header_list_size(64 * 1024)
            .build()
            .map_err(|error| FetchError::Client(chain(&error)))?;
        Ok(Self {
            client,
            clock,
            timeout: Duration::from_secs(settings.timeout_seconds),
            headers_max: settings.headers_max as usize,
        })
    }

    /// What time it is.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Sends one GET and reads its answer. The failures are `Unreachable` and `Refused`.
    pub(super) async fn ask(
        &self,
        target: &Target,
        headers: HeaderMap,
        cap: Cap,
        timeout: Duration,
    ) -> Result<Answer, Fetched> {
        match tokio::time::timeout(timeout, self.ask_patiently(target, headers, cap)).await {
            Ok(result) => result,
            Err(_) => Err(Fetched::unreachable(
                UnreachableReason::Timeout,
                format!("no whole answer within {} s", timeout.as_secs()),
            )),
        }
    }

    async fn ask_patiently(
        &self,
        target: &Target,
        headers: HeaderMap,
        cap: Cap,
    ) -> Result<Answer, Fetched> {
        let request = match target.connect_to {
            None => self.client.get(target.url.clone()),
            Some(address) => {
                let path = &target.url[url::Position::BeforePath..url::Position::AfterQuery];
                let request = self.client.get(format!("http://{address}{path}"));
                request.header(HOST, target.authority())
            }
        };
        let request = request.headers(headers);
        let sent_at = self.clock.now();
        let begin = Instant::now();
        let response = request.send().await.map_err(|error| failure(&error))?;
        if response.headers().len() > self.headers_max {
            let detail = format!("more than {} header lines", self.headers_max);
            return Err(Fetched::refused(RefusedReason::TooManyHeaders, detail));
        }
        let status = response.status();
        let headers = response.headers().clone();
        let bodiless = status.is_redirection()
            || status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS;
        let (body, wire_bytes) = match bodiless {
            true => (Vec::new(), 0),
            false => read_body(response, cap).await?,
        };
        Ok(Answer {
            status: status.as_u16(),
            headers,
            body,
            wire_bytes,
            sent_at,
            received_at: self.clock.now(),
            elapsed: begin.elapsed(),
        })
    }
}

async fn read_body(mut response: Response, cap: Cap) -> Result<(Vec<u8>, u64), Fetched> {
    let encoding = text(response.headers(), &CONTENT_ENCODING);
    let mut reader = BodyReader::new(encoding.as_deref(), cap).map_err(body_failure)?;
    reader.expect(response.content_length()).map_err(body_failure)?;
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if reader.push(&chunk).map_err(body_failure)? == Progress::Enough {
            break;
        }
    }
    let wire_bytes = reader.wire_bytes as u64;
    Ok((reader.finish().map_err(body_failure)?, wire_bytes))
}

fn body_failure(error: BodyError) -> Fetched {
    match error {
        BodyError::TooLarge(detail) => Fetched::refused(RefusedReason::TooLarge, detail),
        BodyError::Broken(detail) => Fetched::unreachable(UnreachableReason::BrokenAnswer, detail),
    }
}

/// What an error of the client means; the causes lie at the end of its chain.
fn failure(error: &reqwest::Error) -> Fetched {
    let detail = chain(error);
    if find::<AddressRefused>(error).is_some() {
        return Fetched::refused(RefusedReason::PrivateAddress, detail);
    }
    // The parser's limit has no type of its own outside hyper.
    if detail.contains("message head is too large") {
        return Fetched::refused(RefusedReason::TooManyHeaders, detail);
    }
    let reason = if error.is_dns() {
        UnreachableReason::Dns
    } else if find::<rustls::Error>(error).is_some() {
        UnreachableReason::Tls
    } else if error.is_timeout() {
        UnreachableReason::Timeout
    } else if error.is_connect() {
        UnreachableReason::Connect
    } else {
        UnreachableReason::BrokenAnswer
    };
    Fetched::unreachable(reason, detail)
}

/// Finds a cause by its type; an `io::Error` hides what it carries from `source`.
fn find<'error, T: Error + 'static>(error: &'error (dyn Error + 'static)) -> Option<&'error T> {
    let mut next = Some(error);
    while let Some(one) = next {
        if let Some(found) = one.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| find::<T>(inner)) {
            return Some(found);
        }
        next = one.source();
    }
    None
}

/// Every cause in one line; the address is left out, it may hold what is nobody's business.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(one) = next {
        let part = one.to_string();
        if parts.last() != Some(&part) {
            parts.push(part);
        }
        next = one.source();
    }
    if parts.is_empty() { "the request failed".to_owned() } else { parts.join(": ") }
}
