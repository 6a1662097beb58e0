//! `POST /api/v1/alertmanager/{dingtalk|feishu}`: takes Alertmanager's webhook for a chat group.
//!
//! 202: kept, and sent as the vendor allows; handing the same in again changes nothing. 400: no
//! webhook of version 4. 404: no such channel. 409: its robot is not set up. 503: the database does
//! not answer; Alertmanager tries again.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::problem::ProblemDetail;
use super::reads::{Answer, Unavailable};
use super::site::Site;
use crate::jobs::{Context, robots};
use crate::notify::{Notification, RobotKind};

/// A group of a thousand alerts with our annotations has half of that, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// Takes what is to be told to chat groups.
pub trait Inbox: Send + Sync + 'static {
    /// Whether messages of this kind go anywhere.
    fn has(&self, kind: RobotKind) -> bool;

    /// Keeps a notification to be sent; `false` where the same is known already.
    fn hand_in<'a>(&'a self, kind: RobotKind, notification: &'a Notification) -> Answer<'a, bool>;
}

impl Inbox for Context {
    fn has(&self, kind: RobotKind) -> bool {
        self.robots.has(kind)
    }

    fn hand_in<'a>(&'a self, kind: RobotKind, notification: &'a Notification) -> Answer<'a, bool> {
        Box::pin(async move {
            robots::hand_in(self, kind, notification).await.map_err(Unavailable::new)
        })
    }
}

/// Keeps what Alertmanager hands in.
pub(super) async fn take(
    State(site): State<Site>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), ProblemDetail> {
    let kind = RobotKind::from_word(&channel)
        .ok_or_else(|| ProblemDetail::not_found(format!("there is no channel {channel:?}")))?;
    comes_from_no_page(&headers)?;
    let body = body.map_err(|refused| ProblemDetail::new(refused.status(), refused.body_text()))?;
    let notification =
        Notification::read(&body).map_err(|error| ProblemDetail::bad_request(error.to_string()))?;
    let inbox = site.inbox.clone().filter(|inbox| inbox.has(kind)).ok_or_else(|| {
        let detail = format!("no robot is set up: [notify.{channel}]");
        ProblemDetail::new(StatusCode::CONFLICT, detail)
    })?;
    let kept = site.ask("hand_in", inbox.hand_in(kind, &notification)).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "kept": kept }))))
}

/// A page in a browser of this machine can post to us, but not with this type without asking us
/// first, which nothing here answers.
fn comes_from_no_page(headers: &HeaderMap) -> Result<(), ProblemDetail> {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_json = content_type.is_some_and(|value| {
        let kind = value.split(|byte| *byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
    });
    if !is_json {
        let detail = "the body must be application/json";
        return Err(ProblemDetail::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    if headers.contains_key(header::ORIGIN) {
        let detail = "sent by a page in a browser";
        return Err(ProblemDetail::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(())
}
