use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error answer as RFC 9457 defines it, `application/problem+json`.
///
/// `type` is left out, which means `about:blank`: the status says what kind of problem it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ProblemDetail {
    #[serde(serialize_with = "code")]
    pub(super) status: StatusCode,
    title: String,
    pub(super) detail: String,
    /// What is missing for readiness; an extension member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
}

impl ProblemDetail {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        Self { status, title, detail: detail.into(), missing: Vec::new() }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Without the database's own words, which are for the log.
    pub(super) fn database() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; try again later")
    }

    pub(super) fn with_missing(mut self, missing: Vec<&'static str>) -> Self {
        self.missing = missing;
        self
    }
}

impl IntoResponse for ProblemDetail {
    fn into_response(self) -> Response {
        // Serialising plain strings and a number cannot fail.
        let body = serde_json::to_string(&self).unwrap_or_default();
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}

fn code<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
