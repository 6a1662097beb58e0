//! `xunjian demo`: a simulated city on loopback, and the real daemon watching it.

mod summary;
mod truth;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Context;
use crate::app::clock::{SteppedClock, SystemClock};
use crate::app::lifecycle::signals;
use crate::app::{App, Work, platforms};
use crate::domain::Clock;
use crate::fetch::HostLimit;
use crate::jobs::crawl::{PassSummary, pass};
use crate::settings::Settings;
use crate::simulator::{City, Simulator, Venue};
use crate::{jobs, registry};

use summary::summarise;
use truth::differences;

/// Days visited: the day before yesterday, yesterday, today. Two confirm a silence; a third is what
/// takes the place of a canary on hosts with a single account.
const DAYS: i64 = 3;

/// How often each host of the city may be asked: fast, since it is this machine.
pub const HOST_LIMIT: HostLimit =
    HostLimit { per_minute: 3000.0, concurrent: 8, backoff_max_seconds: 2 };

/// Starts a made-up city and the daemon watching it; Ctrl-C stops both.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The city is the same for the same seed and day.
    #[arg(long, default_value_t = 339_900)]
    seed: u64,
    /// How many accounts.
    #[arg(long, default_value_t = 240)]
    accounts: usize,
    /// Where the daemon answers.
    #[arg(long, default_value = "127.0.0.1:9611")]
    listen: SocketAddr,
    /// Where its state is kept [default: a folder of its own that is removed at the end].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let mut settings = context.settings()?;
    settings.http.listen = args.listen;
    let folder = args.data_dir.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("xunjian-demo-{}", std::process::id()))
    });
    settings.data_dir = folder.clone();
    let notices = signals()?;
    let demo = Demo::start(settings, args.seed, args.accounts, SystemClock.now()).await?;
    println!("虚构城市   http://{}", demo.simulator.address());
    println!(
        "巡检       http://{}/  （/metrics  /metrics/accounts  /api/v1/accounts）",
        demo.app.address()
    );
    let ended = demo.run_until_stopped(notices).await;
    if args.data_dir.is_none() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("removing {}", folder.display()))?;
    }
    ended
}

/// A city and the daemon that watches it, before anything has been visited.
pub struct Demo {
    app: App,
    settings: Settings,
    simulator: Simulator,
    clock: Arc<SteppedClock>,
    streets: TaskTracker,
    closing: CancellationToken,
}

impl Demo {
    /// Starts the simulator and builds the daemon on its ledger; the clock runs two days before
    /// `today`, from which the city counts its dates.
    ///
    /// `settings` say where the daemon answers and keeps its state, and may make the waits after
    /// trouble shorter than the demo's; hosts and limits are the demo's.
    ///
    /// # Errors
    /// Whatever keeps a part from starting.
    pub async fn start(
        settings: Settings,
        seed: u64,
        accounts: usize,
        today: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        Self::watch(settings, City::generate(seed, today, accounts), today).await
    }

    /// The same for a city that is made already.
    ///
    /// # Errors
    /// Whatever keeps a part from starting.
    pub async fn watch(
        mut settings: Settings,
        mut city: City,
        today: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let clock = Arc::new(SteppedClock::starting_at(today - TimeDelta::days(DAYS - 1)));
        for canary in platforms(&settings)?.get("weibo").iter().flat_map(|one| &one.canaries) {
            city = city.with_canary(Venue::Weibo, &canary.0);
        }
        let (streets, closing) = (TaskTracker::new(), CancellationToken::new());
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let simulator =
            Simulator::start(city, clock.clone(), anywhere, &streets, closing.clone()).await?;
        streets.close();
        hurry(&mut settings, &simulator);
        let app = App::build(&settings, clock.clone()).await?;
        import(app.jobs(), simulator.city(), &settings).await?;
        Ok(Self { app, settings, simulator, clock, streets, closing })
    }

    /// The daemon.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The city.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Answers over HTTP from now on, at the address returned.
    pub fn serve(&mut self) -> SocketAddr {
        self.app.serve();
        self.app.address()
    }

    /// Visits everything once on each of the days, canaries last, and judges.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn watch_days(&self) -> anyhow::Result<()> {
        watch_days(&self.app.work(), &self.clock, |_, _| {}).await
    }

    /// Lets days pass on which nobody visits.
    pub fn rest(&self, days: i64) {
        self.clock.step(TimeDelta::days(days));
    }

    /// Visits everything once, canaries last, and judges.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn watch_day(&self) -> anyhow::Result<PassSummary> {
        let work = self.app.work();
        pass(work.context(), &work.running()).await
    }

    /// Every account whose verdict is not what the city's truth allows, with both.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn differences(&self) -> anyhow::Result<Vec<String>> {
        differences(self.app.jobs(), self.simulator.city()).await
    }

    /// Watches the days, then runs on as a daemon does, until told to stop.
    async fn run_until_stopped(
        self,
        notices: impl futures::Stream<Item = crate::app::lifecycle::Notice>,
    ) -> anyhow::Result<()> {
        let (work, clock) = (self.app.work(), self.clock.clone());
        let simulator = self.simulator.clone();
        let stop = self.app.lifecycle().soft_stop();
        self.app.lifecycle().spawn("demo", async move {
            tokio::select! {
                shown = show(&work, &clock, simulator.city()) => shown,
                () = stop.cancelled() => Ok(()),
            }
        });
        let ended = self.app.run_until_stopped(notices).await;
        self.closing.cancel();
        self.streets.wait().await;
        ended
    }

    /// Stops the daemon, is away for as long as `away` takes, and builds the daemon anew on what
    /// the first one kept, to answer at the same address. The city goes on.
    ///
    /// # Errors
    /// What keeps the first from stopping cleanly, or the second from being built.
    pub async fn restart(self, away: impl Future<Output = ()>) -> anyhow::Result<Self> {
        let Self { app, mut settings, simulator, clock, streets, closing } = self;
        settings.http.listen = app.address();
        app.run_until_stopped(futures::stream::empty()).await?;
        // Bound and not listening: whoever calls is refused, and nobody else is given the port.
        let kept = TcpSocket::new_v4()?;
        kept.set_reuseaddr(true)?;
        kept.bind(settings.http.listen)?;
        away.await;
        let app = App::build(&settings, clock.clone()).await?;
        Ok(Self { app, settings, simulator, clock, streets, closing })
    }

    /// Ends everything.
    ///
    /// # Errors
    /// A task crashed, or the database did not stop cleanly.
    pub async fn stop(self) -> anyhow::Result<()> {
        let ended = self.app.run_until_stopped(futures::stream::empty()).await;
        self.closing.cancel();
        self.streets.wait().await;
        ended
    }
}

/// Points every host of the city at the simulator, with limits that fit a demo on loopback.
fn hurry(settings: &mut Settings, simulator: &Simulator) {
    let fetch = &mut settings.fetch;
    fetch.connect_to = simulator.connect_to();
    let backoff_max_seconds =
        fetch.default_limit.backoff_max_seconds.min(HOST_LIMIT.backoff_max_seconds);
    let limit = HostLimit { backoff_max_seconds, ..HOST_LIMIT };
    fetch.limits = fetch.connect_to.keys().map(|host| (host.clone(), limit)).collect();
    // One host stands for a whole platform here: a wall around a few accounts is not its end.
    fetch.breaker_failures = u32::MAX;
    fetch.retry_after_max_seconds = fetch.retry_after_max_seconds.min(2);
    // Long enough for a machine that has more to do; some pages of the city never answer.
    fetch.timeout_seconds = 8;
    settings.database.url = String::new();
    // Whoever tries it out has no token yet.
    settings.http.anonymous_loopback = true;
    // One host stands for the whole platform here, and its comments are asked for post by post.
    settings.crawl.comments_posts_max = 2;
    // A pass waits for each of its commits; nobody watches what they cost.
    settings.crawl.commit_delay_ms_max = 50;
}

async fn import(jobs: &jobs::Context, city: &City, settings: &Settings) -> anyhow::Result<()> {
    let platform = |name: &str| jobs.platforms.find(name).map(|one| one.id.clone());
    let ledger = registry::read(city.ledger_csv().as_bytes(), &platform, &settings.registry)?;
    let changes = registry::compare(&[], &ledger, None);
    let changes = crate::store::LedgerChanges {
        added: changes.added,
        ..crate::store::LedgerChanges::default()
    };
    let now = jobs.clock.now();
    jobs.store.apply_ledger(&changes, "demo", "演示台账", now).await?;
    Ok(())
}

async fn watch_days(
    work: &Work,
    clock: &SteppedClock,
    mut done: impl FnMut(i64, &PassSummary),
) -> anyhow::Result<()> {
    for day in 1..=DAYS {
        if day > 1 {
            clock.step(TimeDelta::days(1));
        }
        let summary = pass(work.context(), &work.running()).await?;
        done(day, &summary);
    }
    jobs::score::score_current_quarter(work.context()).await?;
    Ok(())
}

/// Watches the days and runs on, with a summary on the terminal.
async fn show(work: &Work, clock: &SteppedClock, city: &City) -> anyhow::Result<()> {
    let jobs = work.context();
    let watching = watch_days(work, clock, |day, summary| {
        println!(
            "\r\x1b[K第 {day} 天：访问 {} 个页面，判定 {} 个账号",
            summary.visits, summary.judged
        );
    });
    tokio::select! {
        watched = watching => watched?,
        never = summarise(jobs) => never?,
    }
    let differences = differences(jobs, city).await?;
    println!("\r\x1b[K与虚构城市的真相不符的判定：{} 个", differences.len());
    differences.iter().for_each(|line| println!("  {line}"));
    work.start();
    summarise(jobs).await
}
