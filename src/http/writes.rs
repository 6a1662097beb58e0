use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use tracing::error;

use crate::domain::{Grant, Sha256Digest};
use crate::store::{AuditEntry, Begun, KeptAnswer};

use super::access::Peer;
use super::alertmanager;
use super::problem::ProblemDetail;
use super::site::Site;

/// Under which a request can be sent again without being done again.
pub(super) const KEY: &str = "idempotency-key";
const KEY_LENGTH_MAX: usize = 200;

/// Tells that an answer is the one that was given before.
const REPLAYED: &str = "idempotency-replayed";

/// An answer to a write is a few lines.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Detail of a refusal as it is kept, in characters.
const DETAIL_MAX: usize = 500;

/// Has a write done that somebody may do: written down before and after, and once for each
/// `Idempotency-Key`.
pub(super) async fn recorded(
    site: &Site,
    grant: &Grant,
    (parts, body): (Parts, Body),
    next: Next,
) -> Response {
    let limit = match parts.uri.path() {
        "/api/v1/observations" => site.settings.import_bytes_max,
        path if path.starts_with("/api/v1/alertmanager/") => alertmanager::BODY_BYTES_MAX,
        _ => site.settings.body_bytes_max,
    };
    let mut entry = entry_of(&parts, Some(grant));
    let answer = async {
        let body = to_bytes(body, limit).await.map_err(|_| {
            let detail = format!("a body of more than {limit} bytes, or one that broke off");
            ProblemDetail::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        })?;
        let key = key_of(&parts)?;
        entry.body_digest = Some(format!("sha256:{}", hex::encode(Sha256::digest(&body))));
        entry.idempotency_key = key.map(str::to_owned);
        let asked = site.register.audit(&entry, site.clock.now());
        entry.asked = Some(site.ask("audit", asked).await?);
        let Some(key) = key else {
            return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
        };
        let request = digest(&parts, &body);
        let key = key.to_owned();
        let keyed = (grant.token, key.as_str());
        once(site, keyed, request, async {
            next.run(Request::from_parts(parts, Body::from(body))).await
        })
        .await
    };
    let answered: Result<Response, ProblemDetail> = answer.await;
    entry.status = Some(match &answered {
        Ok(response) => response.status().as_u16(),
        Err(problem) => problem.status.as_u16(),
    });
    entry.detail = match &answered {
        Ok(response) => response.extensions().get::<Why>().map(|why| cut(&why.0)),
        Err(problem) => Some(cut(&problem.detail)),
    };
    note(site, &entry).await;
    answered.into_response()
}

/// Writes down a write that was refused at the door.
pub(super) async fn refused(
    site: &Site,
    grant: Option<&Grant>,
    parts: &Parts,
    problem: &ProblemDetail,
) {
    let mut entry = entry_of(parts, grant);
    entry.status = Some(problem.status.as_u16());
    entry.detail = Some(cut(&problem.detail));
    note(site, &entry).await;
}

/// Why an answer refuses, for the log.
#[derive(Debug, Clone)]
pub(super) struct Why(pub(super) String);

async fn note(site: &Site, entry: &AuditEntry) {
    let written = site.register.audit(entry, site.clock.now());
    if site.ask("audit", written).await.is_err() {
        let AuditEntry { method, target, status, .. } = entry;
        error!(method, target, status, "an answer could not be written to the log of writes");
    }
}

fn entry_of(parts: &Parts, grant: Option<&Grant>) -> AuditEntry {
    AuditEntry {
        token: grant.map(|grant| (grant.token, grant.person.clone())),
        peer: peer(&parts.extensions),
        method: parts.method.to_string(),
        target: cut(&parts.uri.to_string()),
        ..AuditEntry::default()
    }
}

fn peer(extensions: &axum::http::Extensions) -> String {
    extensions.get::<Peer>().map(|peer| peer.0.to_string()).unwrap_or_default()
}

fn cut(text: &str) -> String {
    text.chars().filter(|one| *one != '\0').take(DETAIL_MAX).collect()
}

fn key_of(parts: &Parts) -> Result<Option<&str>, ProblemDetail> {
    let Some(field) = parts.headers.get(KEY) else { return Ok(None) };
    let key = field.to_str().ok().filter(|key| (1..=KEY_LENGTH_MAX).contains(&key.len()));
    key.map(Some).ok_or_else(|| {
        let detail = format!("Idempotency-Key is 1 to {KEY_LENGTH_MAX} visible ASCII characters");
        ProblemDetail::bad_request(detail)
    })
}

/// Everything that makes two requests the same.
fn digest(parts: &Parts, body: &Bytes) -> Sha256Digest {
    let kind = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let line = format!("{} {}\n", parts.method, parts.uri);
    let mut digest = Sha256::new();
    for part in [line.as_bytes(), kind.unwrap_or_default(), b"\n", body] {
        digest.update(part);
    }
    Sha256Digest(digest.finalize().into())
}

/// The answer of the first request under this key; work that nobody has begun is done now.
async fn once(
    site: &Site,
    keyed: (i64, &str),
    request: Sha256Digest,
    work: impl Future<Output = Response>,
) -> Result<Response, ProblemDetail> {
    let now = site.clock.now();
    // An answer takes no longer than this; what has none by then never gets one.
    let seconds = site.settings.request_timeout_seconds.saturating_mul(2);
    let stale = now - TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000));
    let begun = site.register.begin_answer(keyed, request, now, stale);
    match site.ask("begin_answer", begun).await? {
        Begun::New => {}
        Begun::Answered(kept) => return Ok(again(kept)),
        Begun::Other => {
            let detail = "another request was sent under this Idempotency-Key";
            return Err(ProblemDetail::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        Begun::Working => {
            let detail = "the first request under this Idempotency-Key is being worked on";
            return Err(ProblemDetail::new(StatusCode::CONFLICT, detail));
        }
    }
    let (mut parts, body) = work.await.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
    let kept = KeptAnswer {
        status: parts.status.as_u16(),
        content_type: parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        body: body.to_vec(),
    };
    let lasting = !parts.status.is_server_error();
    let ended = site.register.end_answer(keyed, lasting.then_some(&kept));
    // The write is done: that its answer is not kept changes nothing about it.
    let _ = site.ask("end_answer", ended).await;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn again(kept: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = HeaderValue::from_str(&kept.content_type);
    let mut response = (status, kept.body).into_response();
    if let Ok(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
