//! Runs jobs at their rhythm; it knows no job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Pulses;

/// A run that takes longer waits for what will never come, such as a server that has vanished.
const RUN_AT_MOST: Duration = Duration::from_secs(3600);

/// A run that was given up must end within this time, or the loop has lost its way.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(60);

/// A piece of periodic work.
///
/// It takes no input and is idempotent, so that running it on demand is the same function sooner.
pub struct Job {
    /// The name in logs and metrics.
    pub name: &'static str,
    /// How long to wait between two runs.
    pub every: Duration,
    run: Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>,
}

impl Job {
    /// Names a function and its rhythm.
    pub fn new<F, W>(name: &'static str, every: Duration, work: F) -> Self
    where
        F: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self { name, every, run: Box::new(move || Box::pin(work())) }
    }
}

/// Asks for jobs before their time.
///
/// A job that is asked for several times before it begins runs once; one that is running runs once
/// more.
#[derive(Debug)]
pub struct Bells(BTreeMap<&'static str, Arc<Notify>>);

impl Bells {
    /// One for each job of these names.
    pub fn new(names: &[&'static str]) -> Self {
        Self(names.iter().map(|name| (*name, Arc::default())).collect())
    }

    /// Asks for a job; false where none has this name.
    pub fn ring(&self, name: &str) -> bool {
        self.0.get(name).map(|bell| bell.notify_one()).is_some()
    }

    /// The bell of a job; one without a place here is never asked for.
    pub fn of(&self, name: &str) -> Arc<Notify> {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

/// Told of every run: name, and whether it succeeded.
pub type Report = Arc<dyn Fn(&'static str, bool) + Send + Sync>;

/// Runs one job now; a failure is logged here and nowhere else.
pub async fn run_once(job: &Job, report: &Report) {
    let outcome = tokio::time::timeout(RUN_AT_MOST, (job.run)()).await;
    let outcome = outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("not done within an hour")));
    if let Err(error) = &outcome {
        tracing::warn!(
            job = job.name,
            error = format!("{error:#}"),
            "job failed; runs again later"
        );
    }
    report(job.name, outcome.is_ok());
}

/// Runs one job at its rhythm, and when its bell is rung, until stopped; a run in progress is
/// finished first.
pub async fn repeat(
    job: Job,
    bell: Arc<Notify>,
    report: Report,
    pulses: &Pulses,
    stop: CancellationToken,
) {
    let mut beat = tokio::time::interval(job.every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = beat.tick() => {}
            () = bell.notified() => {}
        }
        pulses.works(job.name, RUN_AT_MOST + GIVEN_UP_WITHIN);
        run_once(&job, &report).await;
        pulses.rests(job.name);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_run_that_never_ends_is_given_up_and_the_next_one_comes() {
        let runs = Arc::new(Mutex::new(Vec::new()));
        let told = runs.clone();
        let report: Report = Arc::new(move |name, succeeded| {
            told.lock().unwrap().push((name, succeeded));
        });
        let job = Job::new("judge", Duration::from_secs(5), pending);
        let stop = CancellationToken::new();
        let pulses = Pulses::default();
        let running = repeat(job, Arc::default(), report, &pulses, stop.clone());
        let hours = RUN_AT_MOST * 2 + Duration::from_secs(60);
        assert!(tokio::time::timeout(hours, running).await.is_err());
        assert_eq!(*runs.lock().unwrap(), [("judge", false), ("judge", false)]);
        assert_eq!(pulses.stalled(), [""; 0], "a run that is given up in time is progress");
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_is_asked_for_runs_before_its_time() {
        let runs = Arc::new(Mutex::new(0));
        let counted = runs.clone();
        let job = Job::new("judge", Duration::from_secs(3600), move || {
            *counted.lock().unwrap() += 1;
            async { Ok(()) }
        });
        let bells = Bells::new(&["judge"]);
        assert!(!bells.ring("sing"));
        // Asked for twice before it has begun: once is enough.
        assert!(bells.ring("judge") && bells.ring("judge"));
        let report: Report = Arc::new(|_, _| {});
        let pulses = Pulses::default();
        let stop = CancellationToken::new();
        let running = repeat(job, bells.of("judge"), report, &pulses, stop);
        assert!(tokio::time::timeout(Duration::from_secs(60), running).await.is_err());
        assert_eq!(*runs.lock().unwrap(), 2, "at the start, and when asked for");
    }
}
