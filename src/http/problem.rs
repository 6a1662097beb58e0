use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::domain::RowError;

use super::writes::Why;

/// An error answer as RFC 9457 defines it, `application/problem+json`.
///
/// `type` is left out, which means `about:blank`: the status says what kind of problem it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ProblemDetail {
    #[serde(serialize_with = "code")]
    pub(super) status: StatusCode,
    title: &'static str,
    pub(super) detail: String,
    /// What is missing for readiness; an extension member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
    /// What is wrong with the rows of an export; an extension member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<RowProblem>,
    /// Seconds after which to try again, for the header.
    #[serde(skip)]
    retry_after: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct RowProblem {
    row: usize,
    column: String,
    reason: String,
}

impl ProblemDetail {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        let detail = detail.into();
        let (missing, errors) = (Vec::new(), Vec::new());
        Self { status, title, detail, missing, errors, retry_after: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let detail = format!("too many requests; try again in {seconds} seconds");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, detail);
        Self { retry_after: Some(seconds), ..problem }
    }

    /// Without the database's own words, which are for the log.
    pub(super) fn database() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again later")
    }

    pub(super) fn with_missing(mut self, missing: Vec<&'static str>) -> Self {
        self.missing = missing;
        self
    }

    /// The first `shown_max` of these.
    pub(super) fn with_rows(mut self, errors: Vec<RowError>, shown_max: usize) -> Self {
        let shown = errors.into_iter().take(shown_max);
        let shown =
            shown.map(|RowError { row, column, reason }| RowProblem { row, column, reason });
        self.errors = shown.collect();
        self
    }
}

impl IntoResponse for ProblemDetail {
    fn into_response(self) -> Response {
        // Serialising plain strings and a number cannot fail.
        let body = serde_json::to_string(&self).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Why(self.detail));
        response
    }
}

fn code<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
