//! Builds every part and owns its life: start order, signals, soft then hard stop.

pub mod backup;
pub mod clock;
pub mod files;
mod installation;
mod jobs;
pub mod lifecycle;
mod open;
pub mod postgres;
pub mod systemd;
pub mod telemetry;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::Stream;
use tokio::net::TcpListener;

pub use jobs::Jobs;
pub use open::{Misconfigured, Rules, importer, imports, open_store, platforms, rules, schemes};

use crate::domain::Clock;
use crate::fetch::{self, HostLimit};
use crate::http::{self, Desk, Judging, Parts, Readiness, Site};
use crate::jobs::{Context, all, crawl, driver, heartbeat};
use crate::metrics::JobOutcome;
use crate::settings::Settings;

use lifecycle::{Lifecycle, Notice};

/// How long a soft stop may take; a visit in flight ends within the fetch timeout.
const STOP_GRACE: Duration = Duration::from_secs(40);

/// Every part of the daemon, built and not yet running.
pub struct App {
    jobs: Jobs,
    lifecycle: Lifecycle,
    address: SocketAddr,
    /// Until it is being answered on.
    front: Option<(TcpListener, Site)>,
}

impl App {
    /// Builds every part; at the end nothing runs but the database.
    ///
    /// # Errors
    /// Whatever keeps a part from being built; what was started is stopped again.
    pub async fn build(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let importer = importer(settings)?;
        let listener = http::bind(&settings.http).await?;
        let address = listener.local_addr()?;
        let mut settings = settings.clone();
        reach_itself(&mut settings.fetch, address);
        let jobs = Jobs::own(&settings, clock).await?;
        if let Err(error) = may_answer(&jobs, address).await {
            jobs.close().await?;
            return Err(error);
        }
        let context = jobs.context();
        let readiness = Arc::new(Readiness::default());
        readiness.set_migrated(true);
        readiness.set_adapters(context.platforms.iter().count());
        let parts = Parts {
            metrics: context.metrics.clone(),
            readiness,
            reads: Arc::new(context.store.clone()),
            register: Arc::new(context.store.clone()),
            acts: Arc::new(Desk { context: context.clone(), importer }),
            clock: context.clock.clone(),
        };
        let site = Site::new(settings.http, settings.metrics, parts)
            .with_site_rules(settings.observe.site)
            .with_judging(judging(context), platform_titles(context))
            .with_inbox(Arc::new(context.clone()));
        let lifecycle = Lifecycle::new();
        Ok(Self { jobs, lifecycle, address, front: Some((listener, site)) })
    }

    /// What the jobs work with.
    pub fn jobs(&self) -> &Context {
        self.jobs.context()
    }

    /// Where HTTP answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The owner of every task; clones share it.
    pub fn lifecycle(&self) -> Lifecycle {
        self.lifecycle.clone()
    }

    /// The work that is to be started.
    pub fn work(&self) -> Work {
        Work { context: self.jobs().clone(), lifecycle: self.lifecycle.clone() }
    }

    /// Answers over HTTP from now on until the soft stop; a second call changes nothing.
    pub fn serve(&mut self) {
        let Some((listener, site)) = self.front.take() else { return };
        let stop = self.lifecycle.soft_stop();
        self.lifecycle.spawn("http", async move {
            Ok(http::serve(listener, site, stop.cancelled_owned()).await?)
        });
    }

    /// Answers over HTTP until stopped, lives until a stop is asked for or a task crashes, then
    /// ends everything in order: tasks, connections, database.
    ///
    /// # Errors
    /// The first crash; what had to be cut off; a database that did not stop cleanly.
    pub async fn run_until_stopped(
        mut self,
        notices: impl Stream<Item = Notice>,
    ) -> anyhow::Result<()> {
        self.serve();
        let ended = self.lifecycle.run(notices, STOP_GRACE, || {
            tracing::warn!("reloading is not supported yet; restart to read the files again");
        });
        let ended = ended.await;
        ended.and(self.jobs.close().await)
    }
}

fn judging(context: &Context) -> Judging {
    Judging { policy: *context.observe, history_days: context.settings.history_days }
}

fn platform_titles(context: &Context) -> BTreeMap<String, String> {
    context.platforms.iter().map(|one| (one.id.clone(), one.title.clone())).collect()
}

async fn may_answer(jobs: &Jobs, address: SocketAddr) -> anyhow::Result<()> {
    let context = jobs.context();
    let has_token = context.store.has_token(context.clock.now()).await.context("tokens")?;
    Ok(http::may_answer(address, has_token)?)
}

/// Lets the heartbeat find the daemon's own HTTP, whatever port it has, without its waiting long.
fn reach_itself(fetch: &mut fetch::Settings, address: SocketAddr) {
    let limit = HostLimit { per_minute: 600.0, concurrent: 1, backoff_max_seconds: 60 };
    fetch.limits.insert(heartbeat::HOST.to_owned(), limit);
    fetch.connect_to.insert(heartbeat::HOST.to_owned(), address);
}

/// The crawl and the periodic jobs, to be started when the time has come.
#[derive(Clone)]
pub struct Work {
    context: Context,
    lifecycle: Lifecycle,
}

impl Work {
    /// Starts everything that goes on until the soft stop.
    pub fn start(&self) {
        for job in all(&self.context) {
            let (report, stop) = (self.report(), self.lifecycle.soft_stop());
            let (pulses, bell) = (self.context.pulses.clone(), self.context.bells.of(job.name));
            self.lifecycle.spawn(job.name, async move {
                driver::repeat(job, bell, report, &pulses, stop).await;
                Ok(())
            });
        }
        if self.context.settings.enabled {
            let crawl = crawl::work(self.context.clone(), self.running(), crawl::Until::Stopped);
            self.lifecycle.spawn("crawl", crawl);
        }
    }

    /// The stops of the lifecycle for a crawl that tells nobody of its visits.
    pub fn running(&self) -> crawl::Running {
        crawl::Running::quietly(self.lifecycle.soft_stop(), self.lifecycle.hard_stop())
    }

    /// What the jobs work with.
    pub fn context(&self) -> &Context {
        &self.context
    }

    fn report(&self) -> driver::Report {
        let (metrics, clock) = (self.context.metrics.clone(), self.context.clock.clone());
        Arc::new(move |job, succeeded| {
            let outcome = if succeeded { JobOutcome::Succeeded } else { JobOutcome::Failed };
            metrics.job_ran(job, outcome, clock.now());
        })
    }
}
