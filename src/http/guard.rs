use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::jobs::heartbeat;

use super::problem::ProblemDetail;
use super::site::Site;

/// Headers that say a request was passed on by somebody.
const FORWARDING: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Stands before every page: who may ask, how long the answer may take.
pub(super) async fn watch_over(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut response = match refuse(&request) {
        Some(problem) => problem.into_response(),
        None => answer_in_time(&site, request, next).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn answer_in_time(site: &Site, request: Request, next: Next) -> Response {
    let patience = Duration::from_secs(site.settings.request_timeout_seconds);
    tokio::time::timeout(patience, next.run(request)).await.unwrap_or_else(|_| {
        let detail = format!("no answer within {} seconds", patience.as_secs());
        ProblemDetail::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
    })
}

fn refuse(request: &Request) -> Option<ProblemDetail> {
    let headers = request.headers();
    if let Some(name) = FORWARDING.into_iter().find(|name| headers.contains_key(*name)) {
        let detail = format!("passed on by a proxy ({name}); reading without a token is local");
        return Some(ProblemDetail::new(StatusCode::FORBIDDEN, detail));
    }
    let host = host_of(headers, request.uri());
    if !host.as_deref().is_some_and(is_loopback) && !is_heartbeat(host.as_deref(), request.uri()) {
        let detail = "the Host is not a loopback name; reading without a token is local";
        return Some(ProblemDetail::new(StatusCode::FORBIDDEN, detail));
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
    let has_body = headers.contains_key(header::TRANSFER_ENCODING)
        || length.is_some_and(|length| length != b"0");
    (reads && has_body).then(|| {
        ProblemDetail::new(StatusCode::PAYLOAD_TOO_LARGE, "a request for reading has no body")
    })
}

/// The name under which the request looks for us.
fn host_of(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(Authority::as_str).or(named)?;
    let authority = host.parse::<Authority>().ok()?;
    Some(authority.host().trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// Whether the request names this machine. A page in a browser whose name was made to point at
/// 127.0.0.1 (DNS rebinding) sends its own name.
fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The daemon asks for its own feed under a name of its own; it tells nothing but the time.
fn is_heartbeat(host: Option<&str>, uri: &Uri) -> bool {
    host == Some(heartbeat::HOST) && uri.path() == heartbeat::PATH
}

pub(super) async fn no_such_page(uri: Uri) -> ProblemDetail {
    ProblemDetail::not_found(format!("there is no {}", uri.path()))
}

pub(super) async fn only_reading(method: Method) -> ProblemDetail {
    let detail = format!("{method} is not offered here, only GET and HEAD");
    ProblemDetail::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
