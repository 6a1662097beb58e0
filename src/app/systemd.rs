//! What the service manager is told (`sd_notify(3)`): ready, alive, ending. Where none has started
//! us (no `NOTIFY_SOCKET`) nobody is told anything.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use super::App;
use crate::jobs::Pulses;

/// Says that the daemon is ready, and from then on that it is alive, as long as it is, until the
/// soft stop.
pub fn accompany(app: &App) {
    let pulses = app.jobs().pulses.clone();
    let stop = app.lifecycle().soft_stop();
    // Twice within the time after which we would be killed, as `sd_watchdog_enabled(3)` advises.
    let every = sd_notify::watchdog_enabled().map(|limit| limit / 2);
    tell(&[NotifyState::Ready, NotifyState::Status("巡检运行中")]);
    app.lifecycle().spawn("systemd", async move {
        beat(&pulses, every, &stop, tell).await;
        tell(&[NotifyState::Stopping]);
        Ok(())
    });
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Gives a sign of life at a rhythm, but not while a loop is stalled: then we are to be killed.
async fn beat(
    pulses: &Arc<Pulses>,
    every: Option<Duration>,
    stop: &CancellationToken,
    tell: impl Fn(&[NotifyState<'_>]),
) {
    let mut silent = false;
    loop {
        let pause = async {
            match every {
                Some(every) => tokio::time::sleep(every).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = pause => {}
        }
        let stalled = pulses.stalled();
        if stalled.is_empty() {
            silent = false;
            tell(&[NotifyState::Watchdog]);
        } else if !silent {
            silent = true;
            let names = stalled.join(", ");
            tracing::error!(loops = names, "no progress: the watchdog gets no sign of life");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_makes_no_progress_gives_no_sign_of_life() {
        let pulses = Arc::new(Pulses::default());
        let signs = AtomicUsize::new(0);
        let stop = CancellationToken::new();
        let tell = |states: &[NotifyState<'_>]| {
            assert!(matches!(states, [NotifyState::Watchdog]));
            signs.fetch_add(1, Ordering::SeqCst);
        };
        let second = Duration::from_secs(1);
        let beating = beat(&pulses, Some(second), &stop, tell);
        let script = async {
            let half = Duration::from_millis(500);
            tokio::time::sleep(second * 5 + half).await;
            assert_eq!(signs.load(Ordering::SeqCst), 5, "idle is alive");
            pulses.works("crawl", second * 2);
            tokio::time::sleep(second * 10).await;
            assert_eq!(signs.load(Ordering::SeqCst), 7, "until the loop was overdue");
            pulses.works("crawl", second * 60);
            tokio::time::sleep(second * 3).await;
            assert_eq!(signs.load(Ordering::SeqCst), 10, "it came round after all");
            stop.cancel();
        };
        tokio::join!(beating, script);
    }
}
