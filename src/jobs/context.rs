use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::calendar::Calendar;
use crate::domain::Clock;
use crate::evidence::Vault;
use crate::fetch::Fetcher;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};
use crate::{alert, notify, observe, platform, schedule, scheme};

use super::budgets::PlatformHabits;
use super::driver::Bells;
use super::{Pulses, Settings};

/// Claims and commits take milliseconds; one that takes so long is never answered.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Everything the jobs compose: built once by `app`, cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Facts, targets and verdicts.
    pub store: Store,
    /// The one crawling client.
    pub fetcher: Arc<Fetcher>,
    /// What each platform's pages mean.
    pub platforms: Arc<platform::Catalog>,
    /// How scores are made.
    pub schemes: Arc<scheme::Catalog>,
    /// Index formulas.
    pub indices: Arc<scheme::IndexCatalog>,
    /// Working days.
    pub calendar: Arc<Calendar>,
    /// What is held against accounts.
    pub rules: Arc<alert::Catalog>,
    /// The numbers of the early warning.
    pub alert: Arc<alert::Settings>,
    /// How letters to sponsors are written.
    pub notify: Arc<notify::Settings>,
    /// How they are sent.
    pub notifier: Arc<notify::Notifier>,
    /// The robots of chat groups.
    pub robots: Arc<notify::Robots>,
    /// With which jobs are asked for before their time.
    pub bells: Arc<Bells>,
    /// The rhythm of the jobs themselves.
    pub settings: Arc<Settings>,
    /// When to come back.
    pub schedule: Arc<schedule::Settings>,
    /// What is usual on each platform, as last learned.
    pub habits: Arc<PlatformHabits>,
    /// The numbers of the observation calculus.
    pub observe: Arc<observe::Policy>,
    /// Whether the loops come round.
    pub pulses: Arc<Pulses>,
    /// What Prometheus is told.
    pub metrics: Arc<Metrics>,
    /// Where raw answers are kept; or the reason, as kept with each visit, why nowhere.
    pub evidence: Result<Vault, &'static str>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where the state is kept, to watch the room left.
    pub data_dir: Arc<Path>,
    /// This daemon's own name among those that share the database.
    pub owner: Arc<str>,
    /// The installation's key under which message ids are kept.
    pub inquiry_key: Arc<[u8]>,
}

impl Context {
    /// How often evidence is looked after; without any, ended days are sealed all the same.
    pub(super) fn evidence_seconds(&self) -> u64 {
        self.evidence.as_ref().map_or(600, |vault| vault.settings().keep_seconds)
    }

    /// How long a claim holds.
    pub(super) fn lease(&self) -> TimeDelta {
        TimeDelta::seconds(i64::try_from(self.settings.lease_seconds).unwrap_or(i64::MAX / 1000))
    }

    /// Awaits a question to the store and tells the metrics how long it took, or that it failed.
    ///
    /// A server that vanishes, machine and all, closes no connection: what was asked of it then is
    /// given up, so that the same is asked again over another.
    pub(super) async fn timed<T>(
        &self,
        query: &'static str,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let asked = tokio::time::Instant::now();
        let answered = in_time(answer).await;
        match &answered {
            Ok(_) => self.metrics.store_answered(query, asked.elapsed().as_secs_f64()),
            Err(_) => self.metrics.store_failed(),
        }
        answered
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let answered = tokio::time::timeout(ANSWERED_WITHIN, answer).await;
    answered.unwrap_or_else(|_| Err(StoreError::unanswered()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_one_that_cannot_be_reached() {
        let asked = tokio::time::Instant::now();
        let answered = in_time(std::future::pending::<Result<(), StoreError>>()).await;
        assert!(matches!(answered, Err(StoreError::Unavailable(_))), "{answered:?}");
        assert_eq!(asked.elapsed(), ANSWERED_WITHIN);
        assert!(in_time(std::future::ready(Ok(()))).await.is_ok());
    }
}
