//! The pages for offices without boards: what stands, what each verdict rests on, and the steps of
//! findings, as HTML that needs no script and loads nothing from outside.
//!
//! Nothing is read or done here in a way of its own: pages read through the same functions as
//! `/api/v1`, and a form is that interface's own operation, asked as the holder of the token. Who
//! signs in with a token sees and does what the token allows.

mod account;
mod act;
mod door;
mod evidence;
mod finding;
mod findings;
mod frame;
mod grid;
mod overview;
mod picture;
mod records;
mod scene;
mod session;
mod sign_in;
mod tables;
mod trouble;
mod verdict;
mod words;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};

use crate::domain::Deed;

use super::access::Permit;
use super::operations::{FindingPath, STEPS};
use super::settings::Settings;
use super::site::Site;

use door::Visitor;
pub(super) use door::admit;
pub(super) use session::Sessions;
pub(super) use words::ACTIVITIES;

/// One page, or one form's address.
pub(super) struct Page {
    pub(super) path: &'static str,
    pub(super) permit: Permit,
    pub(super) handler: MethodRouter<Site>,
}

/// Every page. They are for people: the document of the interface has the rest.
pub(super) fn pages(settings: &Settings) -> Vec<Page> {
    let page = |path, permit, handler: MethodRouter<Site>| Page {
        path,
        permit,
        handler: handler.layer(DefaultBodyLimit::max(settings.body_bytes_max)),
    };
    let found = Permit::Deed(Deed::ReadFindings);
    let mut all = vec![
        page("/", Permit::Open, get(overview::show)),
        page("/accounts/{key}", Permit::Deed(Deed::Read), get(account::show)),
        page("/findings", found, get(findings::list)),
        page("/findings/{id}", found, get(finding::show)),
        page("/sign-in", Permit::Open, get(sign_in::show).post(sign_in::enter)),
        page("/sign-out", Permit::Open, post(sign_in::leave)),
    ];
    all.extend(STEPS.into_iter().filter_map(|(step, path)| {
        let take =
            move |State(site): State<Site>, visitor: Visitor, id: FindingPath, sent: Request| {
                act::take(step, site, visitor, id, sent)
            };
        let path = path.strip_prefix("/api/v1")?;
        Some(page(path, Permit::Deed(Deed::Step(step)), post(take)))
    }));
    all
}

/// What pages look like: open to everybody, and there whether or not the database answers.
pub(super) fn files() -> [(&'static str, MethodRouter<Site>); 2] {
    [("/page.css", get(style)), ("/page.svg", get(icon))]
}

/// Kept by browsers for an hour; its address changes with its content.
const KEPT: &str = "public, max-age=3600";

const STYLE: &str = include_str!("page.css");

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, KEPT)], STYLE)
}

async fn icon() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, KEPT)];
    (kind, include_str!("page.svg"))
}
