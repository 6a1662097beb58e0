use std::sync::Arc;

use anyhow::Context as _;

use crate::domain::Clock;
use crate::evidence::Vault;
use crate::fetch::{Fetcher, HostLimit};
use crate::jobs::driver::Bells;
use crate::jobs::{self, crawl};
use crate::metrics::{Known, Metrics};
use crate::notify::{Notifier, RobotKind, Robots};
use crate::platform::{Catalog, Platform};
use crate::settings::Settings;
use crate::store::Store;

use super::installation::{InstallationKey, owner_name};
use super::open::{Rules, open_store, own_store, platforms, rules, schemes};
use super::postgres::Database;

type Catalogs = (Catalog, Rules, crate::alert::Catalog);

/// What the jobs work with, and the database under it.
pub struct Jobs {
    context: jobs::Context,
    database: Database,
}

impl Jobs {
    /// For the time of one command, beside a running daemon if there is one.
    ///
    /// # Errors
    /// Whatever keeps a part from being built; what was started is stopped again.
    pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let catalogs = (platforms(settings)?, schemes(settings)?, rules(settings)?);
        Self::over(settings, clock, catalogs, open_store(settings).await?).await
    }

    /// For the daemon, which takes the data directory for itself.
    pub(super) async fn own(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let catalogs = (platforms(settings)?, schemes(settings)?, rules(settings)?);
        let jobs = Self::over(settings, clock, catalogs, own_store(settings).await?).await?;
        if settings.database.url.is_empty() {
            // Nobody else works on a private database: what is held was held by a dead daemon.
            let now = jobs.context.clock.now();
            jobs.context.store.release_everything(now).await.context("leases of a dead daemon")?;
        }
        Ok(jobs)
    }

    async fn over(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        catalogs: Catalogs,
        (store, database): (Store, Database),
    ) -> anyhow::Result<Self> {
        match context(settings, clock, catalogs, store.clone()) {
            Ok(context) => Ok(Self { context, database }),
            Err(error) => {
                store.close().await;
                database.stop().await?;
                Err(error)
            }
        }
    }

    /// What the jobs work with.
    pub fn context(&self) -> &jobs::Context {
        &self.context
    }

    /// Closes the store and stops the database if it is ours.
    ///
    /// # Errors
    /// The database had to be killed; what it acknowledged is recovered at the next start.
    pub async fn close(self) -> anyhow::Result<()> {
        if let Err(error) = jobs::evidence::ship_everything(&self.context).await {
            tracing::warn!(error = format!("{error:#}"), "evidence stays in the spool for now");
        }
        self.context.store.close().await;
        self.database.stop().await
    }
}

fn context(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    (platforms, schemes, rules): Catalogs,
    store: Store,
) -> anyhow::Result<jobs::Context> {
    let limits: Vec<(String, HostLimit)> = platforms.iter().flat_map(host_limits).collect();
    let notifier =
        Notifier::new(&settings.notify, &settings.data_dir).map_err(anyhow::Error::msg)?;
    let robots = Robots::new(&settings.notify).map_err(anyhow::Error::msg)?;
    let metrics = Metrics::new(&Known {
        version: env!("CARGO_PKG_VERSION"),
        revision: option_env!("XUNJIAN_REVISION").unwrap_or("unknown"),
        platforms: platforms.iter().map(|one| one.id.as_str()).collect(),
        outcomes: crawl::outcome_words(),
        jobs: jobs::NAMES.to_vec(),
        channels: notifier
            .words()
            .into_iter()
            .chain(RobotKind::ALL.map(RobotKind::as_str))
            .collect(),
    });
    metrics.set_config_last_reload(true);
    let key = InstallationKey::of(&settings.data_dir).context("the installation's key")?;
    let owner = owner_name()?;
    let evidence = open_evidence(settings, &owner, &metrics);
    Ok(jobs::Context {
        store,
        fetcher: Arc::new(Fetcher::new(settings.fetch.clone(), limits, clock.clone())?),
        schemes: Arc::new(schemes.schemes),
        indices: Arc::new(schemes.indices),
        calendar: Arc::new(schemes.calendar),
        rules: Arc::new(rules),
        alert: Arc::new(settings.alert),
        notify: Arc::new(settings.notify.clone()),
        notifier: Arc::new(notifier),
        robots: Arc::new(robots),
        bells: Arc::new(Bells::new(&jobs::NAMES)),
        settings: Arc::new(settings.crawl.clone()),
        schedule: Arc::new(settings.schedule.clone()),
        habits: Arc::default(),
        pulses: Arc::default(),
        observe: Arc::new(settings.observe),
        metrics: Arc::new(metrics),
        clock,
        data_dir: settings.data_dir.as_path().into(),
        owner: owner.into(),
        evidence,
        inquiry_key: key.inquiry_ids().into(),
        platforms: Arc::new(platforms),
    })
}

/// The evidence store; where there can be none the crawl goes on and every visit says why.
fn open_evidence(
    settings: &Settings,
    owner: &str,
    metrics: &Metrics,
) -> Result<Vault, &'static str> {
    if !settings.evidence.enabled {
        return Err("off");
    }
    // The random end of the name tells this process from all others.
    let writer = owner.rsplit(':').next().unwrap_or(owner);
    Vault::open(&settings.evidence, &settings.data_dir, writer).map_err(|error| {
        metrics.evidence_failed();
        tracing::error!(%error, "no evidence is kept; the visits say that it is missing");
        error.reason()
    })
}

fn host_limits(platform: &Platform) -> Vec<(String, HostLimit)> {
    let limit = crawl::host_limit(platform);
    platform.hosts.iter().map(|host| (host.clone(), limit)).collect()
}
