use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::jobs::heartbeat;

use super::problem::ProblemDetail;
use super::site::Site;

/// What start-up has achieved, told by the part that builds the daemon.
#[derive(Debug, Default)]
pub struct Readiness {
    migrated: AtomicBool,
    adapters: AtomicUsize,
}

impl Readiness {
    /// The schema is the one this program knows.
    pub fn set_migrated(&self, migrated: bool) {
        self.migrated.store(migrated, Ordering::Relaxed);
    }

    /// How many platform files were compiled, at start and after a reload.
    pub fn set_adapters(&self, platforms: usize) {
        self.adapters.store(platforms, Ordering::Relaxed);
    }
}

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The feed in which the daemon watches itself.
pub(super) async fn heartbeat(State(site): State<Site>) -> impl IntoResponse {
    let media_type = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    (media_type, heartbeat::feed(site.clock.now()))
}

pub(super) async fn ready(State(site): State<Site>) -> Result<Json<Value>, ProblemDetail> {
    let database = site.ask("ping", site.reads.ping()).await.is_ok();
    let migrated = site.readiness.migrated.load(Ordering::Relaxed);
    let adapters = site.readiness.adapters.load(Ordering::Relaxed);
    let conditions = [
        ("database", database, "the database does not answer"),
        ("migrations", migrated, "the schema is not migrated"),
        ("adapters", adapters > 0, "no platform file is loaded"),
    ];
    let lacking: Vec<_> = conditions.into_iter().filter(|(_, met, _)| !met).collect();
    if lacking.is_empty() {
        return Ok(Json(json!({ "status": "ready", "adapters": adapters })));
    }
    let detail = lacking.iter().map(|(.., sentence)| *sentence).collect::<Vec<_>>().join("; ");
    Err(ProblemDetail::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        .with_missing(lacking.iter().map(|(name, ..)| *name).collect()))
}
