//! How the process lives and ends.
//!
//! The first signal to stop is *soft*: no new work is taken, what runs is finished. A second one,
//! or the end of the grace, is *hard*: what still runs is dropped where it waits. A task that
//! ends with an error or a panic is a crash: everything stops softly and the process fails.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{anyhow, bail};
use futures::FutureExt;
use futures::stream::{self, Stream, StreamExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What remains for tasks to notice a hard stop; those inside blocking code may not.
const HARD_STOP_WITHIN: Duration = Duration::from_secs(5);

/// What the world outside asks of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// SIGINT or SIGTERM: end.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// Spawns the tasks of the process and ends them. Clones share everything.
#[derive(Clone, Default)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
    record: Arc<Mutex<Record>>,
}

#[derive(Default)]
struct Record {
    running: BTreeMap<&'static str, usize>,
    crash: Option<anyhow::Error>,
}

impl Lifecycle {
    /// A lifecycle in which nothing runs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when no new work is to be taken.
    pub fn soft_stop(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Cancelled when work in hand is to be dropped.
    pub fn hard_stop(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Runs a task under a name. It is to end by itself after the soft stop; the hard stop drops
    /// it. Its error, or its panic, stops everything.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        *self.record().running.entry(name).or_default() += 1;
        let this = self.clone();
        self.tasks.spawn(async move {
            let caught = AssertUnwindSafe(task).catch_unwind();
            let end = tokio::select! {
                end = caught => end.unwrap_or_else(|panic| Err(panic_error(&*panic))),
                () = this.hard.cancelled() => Ok(()),
            };
            this.ended(name, end);
        });
    }

    fn ended(&self, name: &'static str, end: anyhow::Result<()>) {
        let mut record = self.record();
        if let Some(count) = record.running.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                record.running.remove(name);
            }
        }
        let Err(error) = end else { return };
        let error = error.context(format!("task {name} crashed"));
        if record.crash.is_some() {
            // Only the first is returned; the others are often its consequences.
            tracing::error!("{error:#}");
        } else {
            record.crash = Some(error);
        }
        drop(record);
        self.soft.cancel();
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lives until a stop is asked for or a task crashes, then until all tasks have ended.
    /// `grace` is what a soft stop may take; `reload` is called at every [`Notice::Reload`].
    ///
    /// # Errors
    /// The first crash; or the names of the tasks that were cut off.
    pub async fn run(
        self,
        notices: impl Stream<Item = Notice>,
        grace: Duration,
        mut reload: impl FnMut(),
    ) -> anyhow::Result<()> {
        let mut notices = pin!(notices);
        loop {
            tokio::select! {
                () = self.soft.cancelled() => break,
                notice = notices.next() => match notice {
                    Some(Notice::Reload) => reload(),
                    Some(Notice::Stop) | None => break,
                },
            }
        }
        self.soft.cancel();
        self.tasks.close();
        tracing::info!(grace_seconds = grace.as_secs(), "stopping; a second signal cuts work off");
        tokio::select! {
            () = self.tasks.wait() => {}
            () = next_stop(notices) => tracing::warn!("second signal: stopping at once"),
            () = tokio::time::sleep(grace) => tracing::warn!("grace is over: stopping at once"),
        }
        let cut_off = self.names_running();
        self.hard.cancel();
        let all_ended = tokio::time::timeout(HARD_STOP_WITHIN, self.tasks.wait()).await.is_ok();
        if let Some(crash) = self.record().crash.take() {
            return Err(crash);
        }
        if !all_ended {
            bail!("still running after a hard stop: {}", self.names_running());
        }
        if !cut_off.is_empty() {
            bail!("cut off by a hard stop: {cut_off}");
        }
        Ok(())
    }

    fn names_running(&self) -> String {
        self.record().running.keys().copied().collect::<Vec<_>>().join(", ")
    }
}

/// The signals of this process as notices, from now on instead of their usual effect.
///
/// # Errors
/// The system refuses a handler.
pub fn signals() -> anyhow::Result<impl Stream<Item = Notice>> {
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    let hangup = signal(SignalKind::hangup())?;
    let handlers = (interrupt, terminate, hangup);
    Ok(stream::unfold(handlers, async |(mut interrupt, mut terminate, mut hangup)| {
        let notice = tokio::select! {
            _ = interrupt.recv() => Notice::Stop,
            _ = terminate.recv() => Notice::Stop,
            _ = hangup.recv() => Notice::Reload,
        };
        Some((notice, (interrupt, terminate, hangup)))
    }))
}

/// Waits for another stop; for ever once nobody can ask for one.
async fn next_stop(mut notices: impl Stream<Item = Notice> + Unpin) {
    while let Some(notice) = notices.next().await {
        if notice == Notice::Stop {
            return;
        }
    }
    std::future::pending::<()>().await;
}

fn panic_error(panic: &(dyn std::any::Any + Send)) -> anyhow::Error {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    anyhow!("panicked: {}", message.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// Runs the tasks that `spawn` starts, with the notices already sent.
    async fn check(
        notices: &[Notice],
        grace: Duration,
        spawn: impl FnOnce(&Lifecycle),
    ) -> Result<(), String> {
        let lifecycle = Lifecycle::new();
        spawn(&lifecycle);
        let notices = stream::iter(notices.iter().copied()).chain(stream::pending());
        let ended = lifecycle.run(notices, grace, || {}).await;
        ended.map_err(|error| format!("{error:#}"))
    }

    #[tokio::test]
    async fn a_soft_stop_lets_work_finish() {
        let finished = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&finished);
        let ended = check(&[Notice::Stop], LONG, |lifecycle| {
            let soft = lifecycle.soft_stop();
            lifecycle.spawn("crawl", async move {
                soft.cancelled().await;
                tokio::task::yield_now().await;
                counter.fetch_add(1, Ordering::SeqCst);
                Ok(())
            });
        });
        assert_eq!(ended.await, Ok(()));
        assert_eq!(finished.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_second_signal_cuts_work_off_and_says_which() {
        let ended = check(&[Notice::Stop, Notice::Stop], LONG, |lifecycle| {
            lifecycle.spawn("crawl", pending());
        });
        assert_eq!(ended.await, Err("cut off by a hard stop: crawl".to_owned()));
    }

    #[tokio::test]
    async fn the_end_of_the_grace_cuts_work_off() {
        let ended = check(&[Notice::Stop], Duration::ZERO, |lifecycle| {
            lifecycle.spawn("crawl", pending());
        });
        assert_eq!(ended.await, Err("cut off by a hard stop: crawl".to_owned()));
    }

    #[tokio::test]
    async fn an_error_stops_everything_and_is_returned() {
        let ended = check(&[], LONG, |lifecycle| {
            let soft = lifecycle.soft_stop();
            lifecycle.spawn("http", async move {
                soft.cancelled().await;
                Ok(())
            });
            lifecycle.spawn("score", async { bail!("no scheme") });
        });
        assert_eq!(ended.await, Err("task score crashed: no scheme".to_owned()));
    }

    #[tokio::test]
    async fn a_panic_is_a_crash() {
        let ended = check(&[], LONG, |lifecycle| {
            lifecycle.spawn("judge", async { panic!("impossible {}", 1) });
        });
        assert_eq!(ended.await, Err("task judge crashed: panicked: impossible 1".to_owned()));
    }

    #[tokio::test]
    async fn reload_is_called_and_ends_nothing() {
        let notices = stream::iter([Notice::Reload, Notice::Reload, Notice::Stop]);
        let mut reloads = 0;
        Lifecycle::new().run(notices, LONG, || reloads += 1).await.unwrap();
        assert_eq!(reloads, 2);
    }
}
