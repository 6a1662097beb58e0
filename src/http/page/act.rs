//! The steps of a finding as forms. A form that is sent is the interface's own operation, asked as
//! the holder of the token: what it refuses, writes down and does once is its own.

use axum::body::Body;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::rejection::PathRejection;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use maud::{Markup, html};
use serde_json::json;

use crate::domain::{By, Deed, Scope, Step, take_step};
use crate::store::FindingRecord;

use super::super::access::Peer;
use super::super::findings::seen;
use super::super::operations::STEPS;
use super::super::problem::ProblemDetail;
use super::super::site::Site;
use super::super::writes::{self, Why};
use super::door::Visitor;
use super::finding::written;
use super::session::{Session, random};
use super::sign_in::{Fields, led_to, not_of_this_session};
use super::words;

/// A step that was refused, with what was written in its form.
pub(super) struct Attempt<'a> {
    pub(super) step: Step,
    pub(super) status: StatusCode,
    pub(super) detail: String,
    reason: &'a str,
    until: &'a str,
}

/// The forms of the steps that this person may take from where the finding stands.
pub(super) fn forms(
    visitor: &Visitor,
    record: &FindingRecord,
    attempt: Option<&Attempt<'_>>,
) -> Markup {
    let (Some(session), Some(grant)) = (&visitor.session, visitor.caller.grant()) else {
        return html! {};
    };
    let may = |step: &Step| {
        grant.scope.allows(Deed::Step(*step)) && take_step(record.state, *step, By::Person).is_ok()
    };
    let steps: Vec<Step> = STEPS.into_iter().map(|(step, _)| step).filter(may).collect();
    html! {
        @if !steps.is_empty() {
            section.acts aria-labelledby="acts" {
                h2 #acts { "办理" }
                @for step in steps {
                    @let tried = attempt.filter(|attempt| attempt.step == step);
                    (form(session, record, step, grant.scope != Scope::Sponsor, tried))
                }
            }
        }
    }
}

fn form(
    session: &Session,
    record: &FindingRecord,
    step: Step,
    may_accept: bool,
    tried: Option<&Attempt<'_>>,
) -> Markup {
    let (word, title) = (step.as_str(), words::step(step));
    // One form is done once, however often it is sent. Without random bits it cannot be sent.
    let once = random().unwrap_or_default();
    html! {
        details open[tried.is_some()] {
            summary { (title) }
            form method="post" action=(format!("/findings/{}/{word}", record.id)) {
                input type="hidden" name="csrf" value=(session.csrf);
                input type="hidden" name="once" value=(once);
                label for=(format!("{word}-reason")) { "理由（必填，将记入经过）" }
                textarea id=(format!("{word}-reason")) name="reason" required rows="3"
                    maxlength="4000" { (tried.map_or("", |tried| tried.reason)) }
                @if step == Step::Explain && may_accept {
                    label for="explain-until" { "说明有效至（到期前不点名；不填则照常点名，期满退回）" }
                    input #explain-until type="date" name="until"
                        value=(tried.map_or("", |tried| tried.until));
                }
                button type="submit" { (title) }
            }
        }
    }
}

pub(super) async fn take(
    step: Step,
    site: Site,
    visitor: Visitor,
    id: Result<Path<i64>, PathRejection>,
    sent: Request,
) -> Result<Response, ProblemDetail> {
    let (parts, body) = sent.into_parts();
    let fields = Fields::read(body, site.settings.body_bytes_max).await?;
    let session = visitor.session.clone().filter(|one| one.holds(fields.text("csrf")));
    let Some(session) = session else {
        let problem = not_of_this_session();
        writes::refused(&site, visitor.caller.grant(), &parts, &problem).await;
        return Err(problem);
    };
    let Path(id) = id.map_err(|error| ProblemDetail::bad_request(error.body_text()))?;
    let (reason, until) = (fields.text("reason"), fields.text("until"));
    let mut given = json!({ "reason": reason });
    if !until.is_empty() {
        given["until"] = until.into();
    }
    let asked = Request::builder()
        .method(Method::POST)
        .uri(format!("/api/v1/findings/{id}/{}", step.as_str()))
        .header(header::AUTHORIZATION, format!("Bearer {}", session.secret))
        .header(header::CONTENT_TYPE, "application/json")
        .header(writes::KEY, format!("page-{}", fields.text("once")))
        .body(Body::from(given.to_string()));
    let mut asked = asked.map_err(|error| ProblemDetail::bad_request(error.to_string()))?;
    if let Some(peer) = parts.extensions.get::<Peer>() {
        asked.extensions_mut().insert(*peer);
    }
    let answered = match TowerToHyperService::new(site.clone().router()).call(asked).await {
        Ok(answered) => answered,
        Err(never) => match never {},
    };
    let status = answered.status();
    if status.is_success() {
        return Ok(led_to(&format!("/findings/{id}?done={}", step.as_str()), None));
    }
    let why = answered.extensions().get::<Why>();
    let detail = why.map_or_else(|| "it was refused before".to_owned(), |why| why.0.clone());
    let attempt = Attempt { step, status, detail, reason, until };
    let record = seen(&site, &visitor.caller, Ok(Path(id))).await?;
    let page = written(&site, &visitor, record, None, Some(&attempt)).await?;
    Ok((status, page).into_response())
}
