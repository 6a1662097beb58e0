use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use url::form_urlencoded;

use crate::domain::Deed;

use super::super::problem::ProblemDetail;
use super::super::query::understood;
use super::super::site::Site;
use super::super::writes;
use super::door::Visitor;
use super::frame::{self, Here};
use super::session::cookie;

/// What a form sent, name by name.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a form of at most so many bytes.
    pub(super) async fn read(body: Body, limit: usize) -> Result<Self, ProblemDetail> {
        let bytes = to_bytes(body, limit).await.map_err(|_| {
            let detail = format!("a form of more than {limit} bytes, or one that broke off");
            ProblemDetail::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        })?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }

    /// The text of a field; nothing where it was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, text)| text)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    next: String,
}

pub(super) async fn show(
    visitor: Visitor,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Markup, ProblemDetail> {
    let next = understood(query)?.next;
    Ok(frame::page("登录", &visitor, Here::Elsewhere, &form(own(&next), None)))
}

/// The form that takes a token and leads on to a page of ours.
pub(super) fn form(next: &str, wrong: Option<&str>) -> Markup {
    html! {
        form.narrow method="post" action="/sign-in" {
            p { "用管理员发给您的令牌登录。能看到什么、能做什么，由令牌的用途和地区决定。" }
            @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
            input type="hidden" name="next" value=(next);
            label for="token" { "令牌" }
            input #token type="password" name="token" required maxlength="200"
                autocomplete="current-password" spellcheck="false" placeholder="xunjian_…";
            button type="submit" { "登录" }
        }
    }
}

/// An address of ours to go on to; nobody is led elsewhere.
fn own(next: &str) -> &str {
    let is_own = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && !next.chars().any(char::is_control);
    if is_own { next } else { "/" }
}

pub(super) async fn enter(
    State(site): State<Site>,
    visitor: Visitor,
    sent: Request,
) -> Result<Response, ProblemDetail> {
    let (parts, body) = sent.into_parts();
    let fields = Fields::read(body, site.settings.body_bytes_max).await?;
    let next = own(fields.text("next")).to_owned();
    let secret = fields.text("token").trim();
    let grant = site.grant_of(secret).await;
    if let Ok(grant) = &grant
        && let Err(seconds) = site.limits.token(grant.token)
    {
        return Err(ProblemDetail::too_many(seconds));
    }
    let holder = grant.as_ref().ok().cloned();
    let problem = match grant {
        Ok(grant) if grant.scope.allows(Deed::ReadFindings) => {
            return begin(&site, &parts, secret, &grant.person, &next);
        }
        Ok(grant) => {
            let detail =
                format!("the token's scope is {}, which reads nothing", grant.scope.as_str());
            ProblemDetail::new(StatusCode::FORBIDDEN, detail)
        }
        Err(problem) => site.counted(&parts, problem),
    };
    if problem.status != StatusCode::UNAUTHORIZED && problem.status != StatusCode::FORBIDDEN {
        return Err(problem);
    }
    writes::refused(&site, holder.as_deref(), &parts, &problem).await;
    let wrong = match problem.status {
        StatusCode::FORBIDDEN => "这个令牌不是用来查看的，请向管理员要一个。",
        _ => "令牌不对，或已过期、已注销。",
    };
    let page = frame::page("登录", &visitor, Here::Elsewhere, &form(&next, Some(wrong)));
    Ok((problem.status, page).into_response())
}

fn begin(
    site: &Site,
    parts: &Parts,
    secret: &str,
    person: &str,
    next: &str,
) -> Result<Response, ProblemDetail> {
    let hours = site.settings.session_hours;
    // Whoever was signed in in this browser is not any more.
    site.sessions.end(&parts.headers);
    let begun = site.sessions.begin(secret, person, site.clock.now(), hours);
    let cookie = begun.and_then(|name| cookie(&name, hours * 3600, &parts.headers));
    let cookie = cookie.ok_or_else(|| {
        ProblemDetail::new(StatusCode::SERVICE_UNAVAILABLE, "the system has no random bits")
    })?;
    Ok(led_to(next, Some(cookie)))
}

pub(super) async fn leave(
    State(site): State<Site>,
    visitor: Visitor,
    sent: Request,
) -> Result<Response, ProblemDetail> {
    let (parts, body) = sent.into_parts();
    let fields = Fields::read(body, site.settings.body_bytes_max).await?;
    if let Some(session) = &visitor.session {
        if !session.holds(fields.text("csrf")) {
            return Err(not_of_this_session());
        }
        site.sessions.end(&parts.headers);
    }
    Ok(led_to("/", cookie("", 0, &parts.headers)))
}

/// A form that is not of the session under which it was sent.
pub(super) fn not_of_this_session() -> ProblemDetail {
    ProblemDetail::new(StatusCode::FORBIDDEN, "the form is not of this session")
}

/// On to a page of ours, with a cookie.
pub(super) fn led_to(place: &str, cookie: Option<HeaderValue>) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for (next, place) in [
            ("/findings/17?state=all", "/findings/17?state=all"),
            ("", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/", "/"),
            ("/a\r\nset-cookie: x", "/"),
        ] {
            assert_eq!(own(next), place, "{next:?}");
        }
    }
}
