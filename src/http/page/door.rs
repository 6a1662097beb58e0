use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::domain::{Deed, Grant};

use super::super::access::{Caller, Permit};
use super::super::guard::body_where_none_is_read;
use super::super::problem::ProblemDetail;
use super::super::site::Site;
use super::super::writes::{self, Why};
use super::frame;
use super::session::Session;

/// Who looks at a page.
#[derive(Clone)]
pub(super) struct Visitor {
    /// What they may see, as everywhere over HTTP.
    pub(super) caller: Caller,
    /// Where they have signed in.
    pub(super) session: Option<Arc<Session>>,
}

impl Visitor {
    const NOBODY: Self = Self { caller: Caller::Nobody, session: None };

    /// Whether they may read findings.
    pub(super) fn reads_findings(&self) -> bool {
        let granted = |grant: &Grant| grant.scope.allows(Deed::ReadFindings);
        self.caller.reads() || self.caller.grant().is_some_and(granted)
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or(Self::NOBODY))
    }
}

struct TurnedAway {
    problem: ProblemDetail,
    grant: Option<Arc<Grant>>,
    session: Option<Arc<Session>>,
}

/// Stands before each page as `access::admit` does before each operation. Who is signed in counts
/// as the holder of their token; what is refused is told as a page.
pub(in crate::http) async fn admit(
    State((site, permit)): State<(Site, Permit)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let uri = parts.uri.clone();
    let is_write = parts.method == Method::POST;
    let (visitor, response) = match site.visitor(&parts, permit).await {
        Ok(visitor) => {
            parts.extensions.insert(visitor.clone());
            (visitor, next.run(Request::from_parts(parts, body)).await)
        }
        Err(TurnedAway { problem, grant, session }) => {
            if is_write && problem.status != StatusCode::TOO_MANY_REQUESTS {
                writes::refused(&site, grant.as_deref(), &parts, &problem).await;
            }
            (Visitor { session, ..Visitor::NOBODY }, problem.into_response())
        }
    };
    dressed(shown(&visitor, &uri, is_write, response))
}

impl Site {
    async fn visitor(&self, parts: &Parts, permit: Permit) -> Result<Visitor, TurnedAway> {
        let now = self.clock.now();
        let session = self.sessions.of(&parts.headers, now);
        let away = |problem, grant| TurnedAway { problem, grant, session: session.clone() };
        if let Some(problem) = body_where_none_is_read(parts) {
            return Err(away(problem, None));
        }
        if parts.method == Method::POST && is_sent_from_elsewhere(&parts.headers) {
            let detail = "the form was sent by another site";
            let problem = ProblemDetail::new(StatusCode::FORBIDDEN, detail);
            return Err(away(self.counted(parts, problem), None));
        }
        let (caller, session) = match &session {
            _ if shows_a_token(&parts.headers) => (self.caller(parts, permit).await, None),
            Some(open) => match self.grant_of(&open.secret).await {
                Ok(grant) => (self.admitted(grant, permit), session.clone()),
                Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
                    // The token has ended or was revoked, and so has what it opened.
                    self.sessions.end(&parts.headers);
                    (self.without_token(parts, permit).map_err(|problem| (problem, None)), None)
                }
                Err(problem) => return Err(away(problem, None)),
            },
            None => (self.without_token(parts, permit).map_err(|problem| (problem, None)), None),
        };
        match caller {
            Ok(caller) => Ok(Visitor { caller, session }),
            Err((problem, grant)) => Err(TurnedAway { problem, grant, session }),
        }
    }
}

/// Whether a token is shown beside any session. A proxy's own `Authorization: Basic` is none.
fn shows_a_token(headers: &HeaderMap) -> bool {
    headers.get_all(header::AUTHORIZATION).iter().any(|field| {
        let scheme = field.to_str().ok().and_then(|text| text.split(' ').next());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
    })
}

/// Whether a browser says that a form comes from another site than ours. Each form's own secret
/// stands behind this; for signing in there is none yet.
fn is_sent_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|field| field.to_str().unwrap_or_default());
    if let Some(site) = text("sec-fetch-site") {
        return site != "same-origin";
    }
    let Some(origin) = text("origin") else { return false };
    let origin = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().cloned());
    let is_named = |name: &str| {
        let named = text(name).and_then(|host| host.parse::<Authority>().ok());
        named.is_some() && named == origin
    };
    // A proxy may ask for us under another name than the browser does.
    !(is_named("host") || is_named("x-forwarded-host"))
}

/// A refusal as a page; everything else as it is.
fn shown(visitor: &Visitor, uri: &Uri, is_write: bool, response: Response) -> Response {
    let Some(Why(detail)) = response.extensions().get::<Why>().cloned() else { return response };
    let next = if is_write { "/" } else { uri.path_and_query().map_or("/", |path| path.as_str()) };
    let page = frame::refusal(visitor, response.status(), &detail, next);
    let mut told = (response.status(), page).into_response();
    if let Some(seconds) = response.headers().get(header::RETRY_AFTER) {
        told.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    told
}

/// Only what this daemon itself serves is loaded, no script at all; no other site may show a page
/// of ours within its own.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

fn dressed(mut response: Response) -> Response {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // No other site learns an address of ours; our own forms tell where they come from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::VARY, "cookie, authorization"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_known_by_what_browsers_say() {
        let check = |sent: &[(&'static str, &'static str)], elsewhere: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_sent_from_elsewhere(&headers), elsewhere, "{sent:?}");
        };
        let host = ("host", "xunjian.gov.cn");
        check(&[host], false);
        check(&[host, ("sec-fetch-site", "same-origin")], false);
        check(&[host, ("sec-fetch-site", "same-site")], true);
        check(&[host, ("sec-fetch-site", "cross-site")], true);
        check(&[host, ("sec-fetch-site", "none")], true);
        check(&[host, ("origin", "https://xunjian.gov.cn")], false);
        check(&[host, ("origin", "https://evil.example")], true);
        check(&[host, ("origin", "https://xunjian.gov.cn.evil.example")], true);
        check(&[host, ("origin", "null")], true);
        let behind = ("x-forwarded-host", "jc.gov.cn");
        check(&[("host", "127.0.0.1:9611"), ("origin", "https://jc.gov.cn"), behind], false);
    }
}
