use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use axum::{Router, middleware};
use tracing::warn;

use crate::domain::Clock;
use crate::jobs::heartbeat;
use crate::metrics::{self, Metrics};
use crate::observe::SiteRules;

use super::alertmanager::{self, Inbox};
use super::fleet::FleetCache;
use super::health::Readiness;
use super::problem::ProblemDetail;
use super::reads::{Answer, Reads};
use super::settings::Settings;
use super::{accounts, assessments, guard, health, landing, scrape, site_report};

/// All that the pages are made from.
#[derive(Clone)]
pub struct Site {
    pub(super) settings: Settings,
    pub(super) series: metrics::Settings,
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Arc<Readiness>,
    pub(super) reads: Arc<dyn Reads>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) fleet: Arc<FleetCache>,
    pub(super) rules: SiteRules,
    pub(super) inbox: Option<Arc<dyn Inbox>>,
}

impl Site {
    /// Puts the parts together; nothing is read before the first request.
    pub fn new(
        settings: Settings,
        series: metrics::Settings,
        metrics: Arc<Metrics>,
        readiness: Arc<Readiness>,
        reads: Arc<dyn Reads>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (fleet, rules) = (Arc::default(), SiteRules::default());
        let inbox = None;
        Self { settings, series, metrics, readiness, reads, clock, fleet, rules, inbox }
    }

    /// The same, judging government sites by these rules.
    #[must_use]
    pub fn with_site_rules(self, rules: SiteRules) -> Self {
        Self { rules, ..self }
    }

    /// The same, taking what is to be told to chat groups.
    #[must_use]
    pub fn with_inbox(self, inbox: Arc<dyn Inbox>) -> Self {
        Self { inbox: Some(inbox), ..self }
    }

    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/", get(landing::page))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .route(heartbeat::PATH, get(health::heartbeat))
            .route("/metrics", get(scrape::process_and_fleet))
            .route("/metrics/accounts", get(scrape::accounts))
            .route("/api/v1/accounts", get(accounts::list))
            .route("/api/v1/accounts/{key}", get(accounts::show))
            .route("/api/v1/accounts/{key}/site", get(site_report::show))
            .route("/api/v1/assessments", get(assessments::list))
            .route("/api/v1/assessments/{period}", get(assessments::show))
            .merge(alertmanager::routes(self.inbox.clone()))
            .fallback(guard::no_such_page)
            .method_not_allowed_fallback(guard::only_reading)
            .layer(middleware::from_fn_with_state(self.clone(), guard::watch_over))
            .with_state(self)
    }

    /// Asks the store and waits no longer than allowed. The gauge `database_up` learns the result;
    /// a failure is logged here and nowhere else.
    pub(super) async fn ask<T>(
        &self,
        question: &'static str,
        answer: Answer<'_, T>,
    ) -> Result<T, ProblemDetail> {
        let patience = Duration::from_secs(self.settings.database_timeout_seconds);
        let answered = tokio::time::timeout(patience, answer).await;
        self.metrics.set_database_up(matches!(answered, Ok(Ok(_))));
        match answered {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => warn!(question, %error, "the store did not answer"),
            Err(_) => warn!(question, seconds = patience.as_secs(), "the store took too long"),
        }
        Err(ProblemDetail::database())
    }
}
