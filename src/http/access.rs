use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::domain::{Deed, Grant};

use super::guard::{body_where_none_is_read, not_local};
use super::problem::ProblemDetail;
use super::site::Site;
use super::writes;

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Who is asking.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Nobody that is known.
    Nobody,
    /// This machine, which may read without a token.
    Here,
    /// Whoever holds a valid token.
    Holder(Arc<Grant>),
}

impl Caller {
    /// The digits of the area outside of which nothing exists for the caller.
    pub(super) fn area(&self) -> &str {
        self.grant().map_or("", |grant| grant.area.digits())
    }

    /// The sponsor to whose findings the caller is kept.
    pub(super) fn sponsor(&self) -> Option<i64> {
        self.grant().and_then(|grant| grant.sponsor)
    }

    pub(super) fn grant(&self) -> Option<&Grant> {
        match self {
            Self::Holder(grant) => Some(grant),
            Self::Nobody | Self::Here => None,
        }
    }

    /// Whether a region's accounts exist for the caller.
    pub(super) fn sees(&self, region: &str) -> bool {
        region.starts_with(self.area())
    }

    /// Whether the caller may read what belongs to accounts.
    pub(super) fn reads(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Here => true,
            Self::Holder(grant) => grant.scope.allows(Deed::Read),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or(Self::Nobody))
    }
}

/// What an operation asks of whoever wants it done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// Nothing.
    Open,
    /// This machine, or a token for all areas that reads.
    Scrape,
    /// A token that allows it; for reading, this machine where the settings say so.
    Deed(Deed),
    /// The same, with a token for all areas.
    DeedEverywhere(Deed),
}

impl Permit {
    fn deed(self) -> Option<Deed> {
        match self {
            Self::Open => None,
            Self::Scrape => Some(Deed::Read),
            Self::Deed(deed) | Self::DeedEverywhere(deed) => Some(deed),
        }
    }

    /// Whether this machine may without a token.
    fn is_local(self, anonymous: bool) -> bool {
        match self {
            // Alertmanager beside us is one of this machine's own.
            Self::Open | Self::Scrape | Self::Deed(Deed::HandOver) => true,
            Self::Deed(Deed::Read | Deed::ReadFindings) => anonymous,
            Self::Deed(_) | Self::DeedEverywhere(_) => false,
        }
    }
}

/// Stands before each operation: lets in who may, and writes down who wanted to write.
pub(super) async fn admit(
    State((site, permit)): State<(Site, Permit)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(problem) = body_where_none_is_read(&parts) {
        return problem.into_response();
    }
    let is_write = parts.method == Method::POST;
    match site.caller(&parts, permit).await {
        Ok(caller) => {
            parts.extensions.insert(caller.clone());
            match caller.grant() {
                Some(grant) if is_write => {
                    writes::recorded(&site, grant, (parts, body), next).await
                }
                _ => next.run(Request::from_parts(parts, body)).await,
            }
        }
        Err((problem, grant)) => {
            // What comes too often is not written down: nobody may fill the log.
            if is_write && problem.status != StatusCode::TOO_MANY_REQUESTS {
                writes::refused(&site, grant.as_deref(), &parts, &problem).await;
            }
            problem.into_response()
        }
    }
}

pub(super) type Refused = (ProblemDetail, Option<Arc<Grant>>);

impl Site {
    pub(super) async fn caller(&self, parts: &Parts, permit: Permit) -> Result<Caller, Refused> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return self.without_token(parts, permit).map_err(|problem| (problem, None));
        }
        let grant = match self.holder(&parts.headers).await {
            Ok(grant) => grant,
            Err(problem) => return Err((self.counted(parts, problem), None)),
        };
        self.admitted(grant, permit)
    }

    /// The holder of a valid token, where it opens this and is not shown too often.
    pub(super) fn admitted(&self, grant: Arc<Grant>, permit: Permit) -> Result<Caller, Refused> {
        if let Err(seconds) = self.limits.token(grant.token) {
            return Err((ProblemDetail::too_many(seconds), Some(grant)));
        }
        match forbidden(&grant, permit) {
            Some(detail) => Err((ProblemDetail::new(StatusCode::FORBIDDEN, detail), Some(grant))),
            None => Ok(Caller::Holder(grant)),
        }
    }

    pub(super) fn without_token(
        &self,
        parts: &Parts,
        permit: Permit,
    ) -> Result<Caller, ProblemDetail> {
        let anonymous = self.settings.anonymous_loopback;
        let stranger = not_local(parts);
        if stranger.is_none() && permit.is_local(anonymous) {
            // An open page may show more to whoever may read.
            return Ok(if anonymous || permit != Permit::Open {
                Caller::Here
            } else {
                Caller::Nobody
            });
        }
        if permit == Permit::Open {
            return Ok(Caller::Nobody);
        }
        let detail = match stranger {
            Some(why) => format!("a token is needed (Authorization: Bearer …): {why}"),
            None => "a token is needed (Authorization: Bearer …)".to_owned(),
        };
        let problem = ProblemDetail::new(StatusCode::UNAUTHORIZED, detail);
        let is_write = parts.method == Method::POST;
        Err(if is_write { self.counted(parts, problem) } else { problem })
    }

    /// The problem, or that there were too many of them from this address.
    pub(super) fn counted(&self, parts: &Parts, problem: ProblemDetail) -> ProblemDetail {
        let peer = parts.extensions.get::<Peer>();
        let counted = peer.map_or(Ok(()), |peer| self.limits.stranger(peer.0.ip()));
        counted.err().map_or(problem, ProblemDetail::too_many)
    }

    /// What the token that is shown grants.
    async fn holder(&self, headers: &HeaderMap) -> Result<Arc<Grant>, ProblemDetail> {
        let refused = |detail: &str| ProblemDetail::new(StatusCode::UNAUTHORIZED, detail);
        let mut fields = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return Err(refused("one Authorization, not several"));
        };
        let secret = field.to_str().ok().and_then(|text| text.split_once(' '));
        let secret = secret.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some(secret) = secret.map(|(_, secret)| secret.trim()).filter(|one| !one.is_empty())
        else {
            return Err(refused("Authorization is Bearer and a token"));
        };
        self.grant_of(secret).await
    }

    /// What the token with this secret grants, if it is valid now.
    pub(super) async fn grant_of(&self, secret: &str) -> Result<Arc<Grant>, ProblemDetail> {
        let refused = |detail: &str| ProblemDetail::new(StatusCode::UNAUTHORIZED, detail);
        let now = self.clock.now();
        let token = self.ask("token_of", self.register.token_of(secret)).await?;
        let Some(token) = token else { return Err(refused("there is no such token")) };
        if token.revoked.is_some() {
            return Err(refused("the token is revoked"));
        }
        if token.expires_at <= now {
            return Err(refused("the token is past its end"));
        }
        self.ask("token_used", self.register.token_used(token.grant.token, now)).await?;
        Ok(Arc::new(token.grant))
    }
}

/// Why a token does not open this.
fn forbidden(grant: &Grant, permit: Permit) -> Option<String> {
    let scope = grant.scope.as_str();
    if permit.deed().is_some_and(|deed| !grant.scope.allows(deed)) {
        return Some(format!("the token's scope is {scope}, which does not include this"));
    }
    let everywhere = matches!(permit, Permit::Scrape | Permit::DeedEverywhere(_));
    (everywhere && !grant.area.is_all()).then(|| "this needs a token for all areas".to_owned())
}
