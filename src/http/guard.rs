use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::Peer;
use super::problem::ProblemDetail;
use super::site::Site;

/// Headers that say a request was passed on by somebody.
const FORWARDING: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Stands before every page: what may be asked, how long the answer may take.
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
    holds_nul(request.uri())
        .then(|| ProblemDetail::bad_request("an address holds no NUL character"))
}

/// Why a request for reading is refused: it has a body. Asked where its operation is known, so that
/// what is not offered at an address is told first.
pub(super) fn body_where_none_is_read(parts: &Parts) -> Option<ProblemDetail> {
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let length = parts.headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
    let has_body = parts.headers.contains_key(header::TRANSFER_ENCODING)
        || length.is_some_and(|length| length != b"0");
    (reads && has_body).then(|| {
        ProblemDetail::new(StatusCode::PAYLOAD_TOO_LARGE, "a request for reading has no body")
    })
}

/// No text of ours holds it, and the database takes none that does.
fn holds_nul(uri: &Uri) -> bool {
    let text = uri.path_and_query().map_or("", PathAndQuery::as_str);
    percent_encoding::percent_decode_str(text).any(|byte| byte == 0)
}

/// Why a request is not known to come from this machine; `None` where it does.
///
/// A page in a browser whose name was made to point at 127.0.0.1 (DNS rebinding) sends its own
/// name; what a proxy on this machine passes on comes from elsewhere.
pub(super) fn not_local(parts: &Parts) -> Option<String> {
    let headers = &parts.headers;
    let peer = parts.extensions.get::<Peer>();
    if !peer.is_some_and(|peer| peer.0.ip().is_loopback()) {
        return Some("the request comes from another machine".to_owned());
    }
    if let Some(name) = FORWARDING.into_iter().find(|name| headers.contains_key(*name)) {
        return Some(format!("the request was passed on by a proxy ({name})"));
    }
    let host = host_of(headers, &parts.uri);
    (!host.as_deref().is_some_and(is_loopback))
        .then(|| "the Host is not a loopback name".to_owned())
}

/// The name under which the request looks for us.
fn host_of(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(Authority::as_str).or(named)?;
    let authority = host.parse::<Authority>().ok()?;
    Some(authority.host().trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// Whether the name is one of this machine.
fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) async fn no_such_page(uri: Uri) -> ProblemDetail {
    ProblemDetail::not_found(format!("there is no {}", uri.path()))
}

pub(super) async fn not_offered(method: Method, uri: Uri) -> ProblemDetail {
    let detail = format!("{method} is not offered at {}; Allow says what is", uri.path());
    ProblemDetail::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
