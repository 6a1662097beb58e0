use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::Deserialize;
use serde_json::json;
use tracing::warn;

use crate::domain::{EvidenceRef, FindingId, Grant, Scope, Sha256Digest, Step, shanghai_date};
use crate::jobs::findings::PersonFinding;

use super::access::Caller;
use super::acts::{Done, Refusal, TakenStep};
use super::finding_views::{FindingView, WholeFinding};
use super::findings::{seen, whole};
use super::problem::ProblemDetail;
use super::site::Site;

/// Longest text of a reason, a statement or a note, in characters.
const TEXT_MAX: usize = 4000;

/// Most files and notes of one finding.
const EVIDENCE_MAX: usize = 50;

impl Site {
    /// Has something done; what keeps it from being done as a problem.
    pub(super) async fn have<T>(
        &self,
        act: &'static str,
        done: Done<'_, T>,
    ) -> Result<T, ProblemDetail> {
        let refused = |status, reason: String| ProblemDetail::new(status, reason);
        match done.await {
            Ok(done) => Ok(done),
            Err(Refusal::NotThere(reason)) => Err(refused(StatusCode::NOT_FOUND, reason)),
            Err(Refusal::Conflict(reason)) => Err(refused(StatusCode::CONFLICT, reason)),
            Err(Refusal::Forbidden(reason)) => Err(refused(StatusCode::FORBIDDEN, reason)),
            Err(Refusal::Invalid(reason)) => Err(ProblemDetail::unprocessable(reason)),
            Err(Refusal::Rows { errors, shown_max }) => {
                let detail = format!("{} errors; nothing was imported", errors.len());
                Err(ProblemDetail::unprocessable(detail).with_rows(errors, shown_max))
            }
            Err(Refusal::Unavailable(error)) => {
                warn!(act, %error, "the store did not answer");
                Err(ProblemDetail::database())
            }
        }
    }
}

/// Whoever was let in to write holds a token.
pub(super) fn holder(caller: &Caller) -> Result<&Grant, ProblemDetail> {
    let missing = || ProblemDetail::new(StatusCode::UNAUTHORIZED, "a token is needed");
    caller.grant().ok_or_else(missing)
}

fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, ProblemDetail> {
    body.map(|Json(body)| body)
        .map_err(|rejection| ProblemDetail::new(rejection.status(), rejection.body_text()))
}

fn text(field: &str, text: &str) -> Result<(), ProblemDetail> {
    let characters = text.chars().count();
    if text.trim().is_empty() {
        return Err(ProblemDetail::unprocessable(format!("{field} says nothing")));
    }
    if characters > TEXT_MAX {
        let detail = format!("{field} has {characters} characters, more than {TEXT_MAX}");
        return Err(ProblemDetail::unprocessable(detail));
    }
    Ok(())
}

/// Why a step is taken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepBody {
    reason: String,
    /// Of an explanation: the last day it is accepted through.
    #[serde(default)]
    until: Option<NaiveDate>,
}

pub(super) async fn take(
    step: Step,
    site: Site,
    caller: Caller,
    id: Result<Path<i64>, PathRejection>,
    given: Result<Json<StepBody>, JsonRejection>,
) -> Result<Json<WholeFinding>, ProblemDetail> {
    let grant = holder(&caller)?;
    let StepBody { reason, until } = body(given)?;
    text("reason", &reason)?;
    if until.is_some() && step != Step::Explain {
        return Err(ProblemDetail::unprocessable("until goes with explain only"));
    }
    // An explanation bars naming through its last day, which is not for the explained to say.
    if until.is_some() && grant.scope == Scope::Sponsor {
        let detail = "how long an explanation is accepted is for the supervisor to say";
        return Err(ProblemDetail::new(StatusCode::FORBIDDEN, detail));
    }
    let finding = seen(&site, &caller, id).await?.id;
    let taken = TakenStep { finding, step, actor: grant.person.clone(), reason, until };
    site.have("step", site.acts.step(taken)).await?;
    let record = seen(&site, &caller, Ok(Path(finding.0))).await?;
    Ok(Json(whole(&site, record).await?))
}

/// A finding that a person has seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingBody {
    rule: String,
    /// 账号编号.
    account: String,
    statement: String,
    #[serde(default)]
    found_at: Option<DateTime<FixedOffset>>,
    evidence: Vec<EvidenceBody>,
}

/// What a person can point at: a file by its digest, or what was seen.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum EvidenceBody {
    File { name: String, digest: String },
    Note { text: String },
}

impl EvidenceBody {
    fn read(self) -> Result<EvidenceRef, ProblemDetail> {
        match self {
            Self::Note { text: words } => {
                text("evidence.text", &words)?;
                Ok(EvidenceRef::Note { text: words })
            }
            Self::File { name, digest } => {
                text("evidence.name", &name)?;
                let hex = digest.strip_prefix("sha256:").unwrap_or_default();
                if hex.parse::<Sha256Digest>().is_err() {
                    let detail = "evidence.digest is sha256: and 64 hexadecimal digits";
                    return Err(ProblemDetail::unprocessable(detail));
                }
                Ok(EvidenceRef::File { name, digest })
            }
        }
    }
}

pub(super) async fn enter(
    State(site): State<Site>,
    caller: Caller,
    given: Result<Json<FindingBody>, JsonRejection>,
) -> Result<Response, ProblemDetail> {
    let grant = holder(&caller)?;
    let given = body(given)?;
    text("statement", &given.statement)?;
    if given.evidence.len() > EVIDENCE_MAX {
        let detail = format!("evidence has more than {EVIDENCE_MAX} entries");
        return Err(ProblemDetail::unprocessable(detail));
    }
    let evidence = given.evidence.into_iter().map(EvidenceBody::read);
    let finding = PersonFinding {
        rule: given.rule,
        key: given.account,
        statement: given.statement,
        found_at: given.found_at.map_or_else(|| site.clock.now(), |at| at.to_utc()),
        evidence: evidence.collect::<Result<_, _>>()?,
        actor: grant.person.clone(),
    };
    let entered = site.acts.enter(finding, grant.area.clone());
    let FindingId(id) = site.have("enter", entered).await?;
    let record = seen(&site, &Caller::Here, Ok(Path(id))).await?;
    let today = shanghai_date(site.clock.now());
    let mut response = (StatusCode::CREATED, Json(FindingView::new(record, today))).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/findings/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Asks for a job before its time; it runs as soon as it is not running.
pub(super) async fn run(
    State(site): State<Site>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ProblemDetail> {
    let Path(name) = name.map_err(|error| ProblemDetail::bad_request(error.body_text()))?;
    if !site.acts.run(&name) {
        let known = crate::jobs::NAMES.join(", ");
        return Err(ProblemDetail::not_found(format!("no job {name:?}; there are {known}")));
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "job": name }))).into_response())
}
