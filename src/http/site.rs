use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};
use tracing::warn;

use crate::domain::Clock;
use crate::jobs;
use crate::metrics::{self, Metrics};
use crate::observe::{Policy, SiteRules};

use super::access::admit;
use super::acts::Acts;
use super::alertmanager::Inbox;
use super::fleet::FleetCache;
use super::guard;
use super::health::Readiness;
use super::limits::Limits;
use super::operations::operations;
use super::page::{self, Sessions, files, pages};
use super::problem::ProblemDetail;
use super::reads::{Answer, Reads};
use super::register::Register;
use super::settings::Settings;

/// What the pages are made from and act through.
#[derive(Clone)]
pub struct Parts {
    /// What Prometheus is told.
    pub metrics: Arc<Metrics>,
    /// What start-up has achieved.
    pub readiness: Arc<Readiness>,
    /// What is read.
    pub reads: Arc<dyn Reads>,
    /// Who may ask, and what was written.
    pub register: Arc<dyn Register>,
    /// What persons do.
    pub acts: Arc<dyn Acts>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// All that the pages are made from.
#[derive(Clone)]
pub struct Site {
    pub(super) settings: Settings,
    pub(super) series: metrics::Settings,
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Arc<Readiness>,
    pub(super) reads: Arc<dyn Reads>,
    pub(super) register: Arc<dyn Register>,
    pub(super) acts: Arc<dyn Acts>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) fleet: Arc<FleetCache>,
    pub(super) limits: Arc<Limits>,
    pub(super) rules: SiteRules,
    pub(super) inbox: Option<Arc<dyn Inbox>>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) judging: Judging,
    pub(super) platform_titles: Arc<BTreeMap<String, String>>,
}

/// How accounts are judged, so that the pages can say what a verdict rests on.
#[derive(Debug, Clone, Copy)]
pub struct Judging {
    /// The numbers of the observation calculus.
    pub policy: Policy,
    /// How many days back a history is read.
    pub history_days: u32,
}

impl Default for Judging {
    fn default() -> Self {
        let history_days = jobs::Settings::default().history_days;
        Self { policy: Policy::default(), history_days }
    }
}

impl Site {
    /// Puts the parts together; nothing is read before the first request.
    pub fn new(settings: Settings, series: metrics::Settings, parts: Parts) -> Self {
        let Parts { metrics, readiness, reads, register, acts, clock } = parts;
        let limits = Arc::new(Limits::new(&settings));
        let (fleet, rules) = (Arc::default(), SiteRules::default());
        let inbox = None;
        Self {
            settings,
            series,
            metrics,
            readiness,
            reads,
            register,
            acts,
            clock,
            fleet,
            limits,
            rules,
            inbox,
            sessions: Arc::default(),
            judging: Judging::default(),
            platform_titles: Arc::default(),
        }
    }

    /// The same, telling how accounts are judged and what the platforms are called.
    #[must_use]
    pub fn with_judging(self, judging: Judging, titles: BTreeMap<String, String>) -> Self {
        Self { judging, platform_titles: Arc::new(titles), ..self }
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
        let mut router = Router::new();
        for operation in operations() {
            let admitted = middleware::from_fn_with_state((self.clone(), operation.permit), admit);
            router = router.route(operation.path, operation.handler.route_layer(admitted));
        }
        for one in pages(&self.settings) {
            let state = (self.clone(), one.permit);
            let admitted = middleware::from_fn_with_state(state, page::admit);
            router = router.route(one.path, one.handler.route_layer(admitted));
        }
        for (path, handler) in files() {
            router = router.route(path, handler);
        }
        router
            .fallback(guard::no_such_page)
            .method_not_allowed_fallback(guard::not_offered)
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
