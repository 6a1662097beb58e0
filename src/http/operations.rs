use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{MethodRouter, get, post};

use crate::domain::{Deed, Step};
use crate::jobs::heartbeat;

use super::access::{Caller, Permit};
use super::site::Site;
use super::{
    accounts, alertmanager, assessments, cover, deeds, docs, findings, hand_in, health, scores,
    scrape, site_report, timeline,
};

/// One thing that can be asked for.
pub(super) struct Operation {
    /// `GET` or `POST`; the router knows it from the handler, tests from here.
    #[cfg_attr(not(test), expect(dead_code, reason = "the document is held to it in a test"))]
    pub(super) method: &'static str,
    /// With the names of its parts in braces.
    pub(super) path: &'static str,
    /// Who may.
    pub(super) permit: Permit,
    /// What is done.
    pub(super) handler: MethodRouter<Site>,
}

fn read(path: &'static str, permit: Permit, handler: MethodRouter<Site>) -> Operation {
    Operation { method: "GET", path, permit, handler }
}

fn write(path: &'static str, permit: Permit, handler: MethodRouter<Site>) -> Operation {
    Operation { method: "POST", path, permit, handler }
}

/// Everything that can be asked for; the document at `/openapi.json` is held to this list.
pub(super) fn operations() -> Vec<Operation> {
    let reading = Permit::Deed(Deed::Read);
    let found = Permit::Deed(Deed::ReadFindings);
    let mut all = vec![
        read("/healthz", Permit::Open, get(health::alive)),
        read("/readyz", Permit::Open, get(health::ready)),
        read(heartbeat::PATH, Permit::Open, get(health::heartbeat)),
        read("/openapi.json", Permit::Open, get(docs::document)),
        read("/docs", Permit::Open, get(docs::page)),
        read("/metrics", Permit::Scrape, get(scrape::process_and_fleet)),
        read("/metrics/accounts", Permit::Scrape, get(scrape::accounts)),
        read("/api/v1/accounts", reading, get(accounts::list)),
        read("/api/v1/accounts/{key}", reading, get(accounts::show)),
        read("/api/v1/accounts/{key}/site", reading, get(site_report::show)),
        read("/api/v1/accounts/{key}/posts", reading, get(timeline::posts)),
        read("/api/v1/accounts/{key}/visits", reading, get(timeline::visits)),
        read("/api/v1/accounts/{key}/coverage", reading, get(cover::cover)),
        read("/api/v1/findings", found, get(findings::list)),
        read("/api/v1/findings/{id}", found, get(findings::show)),
        read("/api/v1/findings/{id}/evidence", found, get(findings::evidence)),
        read("/api/v1/scores", reading, get(scores::list)),
        read("/api/v1/assessments", reading, get(assessments::list)),
        read("/api/v1/assessments/{period}", reading, get(assessments::show)),
        write("/api/v1/findings", Permit::Deed(Deed::Enter), post(deeds::enter)),
        // Its size is watched where the body is read; the router's own limit is smaller.
        write(
            "/api/v1/observations",
            Permit::Deed(Deed::Import),
            post(hand_in::hand_in).layer(DefaultBodyLimit::disable()),
        ),
        write(
            "/api/v1/alertmanager/{channel}",
            Permit::Deed(Deed::HandOver),
            post(alertmanager::take).layer(DefaultBodyLimit::max(alertmanager::BODY_BYTES_MAX)),
        ),
        write("/api/v1/jobs/{name}", Permit::DeedEverywhere(Deed::Run), post(deeds::run)),
    ];
    all.extend(STEPS.into_iter().map(|(step, path)| {
        let take =
            move |State(site): State<Site>, caller: Caller, id: FindingPath, body: StepJson| {
                deeds::take(step, site, caller, id, body)
            };
        write(path, Permit::Deed(Deed::Step(step)), post(take))
    }));
    all
}

pub(super) type FindingPath = Result<Path<i64>, PathRejection>;
type StepJson = Result<Json<deeds::StepBody>, JsonRejection>;

/// The steps that persons take, each under its own address.
pub(super) const STEPS: [(Step, &str); 6] = [
    (Step::Approve, "/api/v1/findings/{id}/approve"),
    (Step::Explain, "/api/v1/findings/{id}/explain"),
    (Step::Rectify, "/api/v1/findings/{id}/rectify"),
    (Step::Recheck, "/api/v1/findings/{id}/recheck"),
    (Step::Dismiss, "/api/v1/findings/{id}/dismiss"),
    (Step::Reopen, "/api/v1/findings/{id}/reopen"),
];
