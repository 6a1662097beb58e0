//! The crawl: due targets are claimed in batches, visited outside any transaction, and finished
//! with their results in one commit.
//!
//! Nothing is held in memory for an account that is not being visited. The channel to the writer is
//! bounded, so a slow database slows the fetches down instead of filling memory.

mod beside;
mod canary;
mod claims;
mod gather;
mod host;
mod keep;
mod next;
mod pass;
mod reading;
mod share;
mod singles;
mod site;
mod targets;
mod visit;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

pub use canary::choose_canaries;
pub use gather::host_limit;
pub use pass::{PassSummary, pass, visit_accounts};
pub use targets::sync_targets;

use crate::store::{Claimed, VisitRecord};

use claims::Claims;
use host::visit_host;
use share::Share;
use visit::Finished;
pub(super) use visit::look_at;
pub use visit::{outcome_word, outcome_words};

use super::Context;

/// Finished visits that may wait for the writer before fetching pauses.
const FINISHED_MAX: usize = 256;

/// A claim is given up after a minute, a finished host is joined at once: a loop that has not come
/// round for so long never will.
const ROUND_AT_MOST: Duration = Duration::from_secs(600);

/// How long to wait before asking a database again that did not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// When the work ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Only when it is stopped: the daemon.
    Stopped,
    /// When nothing is due any more: one pass, and the tests.
    Idle,
}

/// How the crawl is told to end, and whom it tells of each visit.
#[derive(Clone)]
pub struct Running {
    /// No new visits; those under way are finished and stored.
    pub soft_stop: CancellationToken,
    /// Visits that are not stored yet are given up.
    pub hard_stop: CancellationToken,
    /// Told of every visit before it is stored.
    pub on_visit: OnVisit,
    /// Only these accounts, by their keys; none means all.
    pub accounts: Option<Arc<[String]>>,
}

/// Told of a visit: its target, and what is to be written down.
pub type OnVisit = Arc<dyn Fn(&Claimed, &VisitRecord) + Send + Sync>;

impl Running {
    /// Under these two tokens, telling nobody.
    pub fn quietly(soft_stop: CancellationToken, hard_stop: CancellationToken) -> Self {
        Self { soft_stop, hard_stop, on_visit: Arc::new(|_, _| {}), accounts: None }
    }
}

/// Visits what is due until stopped or idle; what was claimed and not visited is handed back.
pub async fn work(context: Context, running: Running, until: Until) -> anyhow::Result<()> {
    let (sender, finished) = mpsc::channel(FINISHED_MAX);
    let writing = writer::write(context.clone(), finished, running.hard_stop.clone());
    let ((), fed) = tokio::join!(writing, feed(&context, &running, until, sender));
    let now = context.clock.now();
    context.store.release(&context.owner, now).await.context("handing back claims")?;
    fed
}

async fn feed(
    context: &Context,
    running: &Running,
    until: Until,
    sender: mpsc::Sender<Finished>,
) -> anyhow::Result<()> {
    let mut hosts = JoinSet::new();
    let mut busy = BTreeSet::new();
    let mut share = Share::new(context);
    let mut claims = Claims::new(context, running, until);
    let idle = Duration::from_secs(context.settings.idle_seconds_max);
    while !running.soft_stop.is_cancelled() {
        context.pulses.works("crawl", idle + ROUND_AT_MOST);
        // Who asks for a pass is there for its time only and takes whatever is free.
        if until == Until::Stopped {
            share.keep(context, &busy).await;
        }
        match claims.make(&busy, &share).await {
            Ok(claimed) if claimed.is_empty() && busy.is_empty() && until == Until::Idle => break,
            Ok(claimed) => {
                share.took(&claimed);
                for (host, targets) in by_host(claimed) {
                    busy.insert(host.clone());
                    let sender = sender.clone();
                    let (context, running) = (context.clone(), running.clone());
                    hosts.spawn(async move {
                        visit_host(context, running, targets, sender).await;
                        host
                    });
                }
            }
            Err(error) if until == Until::Idle => return Err(error),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "no targets claimed, trying again");
            }
        }
        tokio::select! {
            Some(done) = hosts.join_next() => {
                let mut done = vec![done?];
                join_until(claims.next, &running.soft_stop, &mut hosts, &mut done).await?;
                for host in done {
                    busy.remove(&host);
                    claims.done(host);
                }
            }
            () = tokio::time::sleep(claims.rest) => {}
            () = running.soft_stop.cancelled() => {}
        }
    }
    context.pulses.rests("crawl");
    while let Some(done) = hosts.join_next().await {
        done?;
    }
    Ok(())
}

/// Takes back every host that is done by an instant, or by now where that is over: they are asked
/// for together.
async fn join_until(
    instant: Instant,
    stop: &CancellationToken,
    hosts: &mut JoinSet<String>,
    joined: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut over = pin!(timeout_at(instant, stop.cancelled()));
    loop {
        tokio::select! {
            biased;
            Some(done) = hosts.join_next() => joined.push(done?),
            _ = &mut over => return Ok(()),
        };
    }
}

fn by_host(claimed: Vec<Claimed>) -> BTreeMap<String, Vec<Claimed>> {
    let mut hosts: BTreeMap<String, Vec<Claimed>> = BTreeMap::new();
    for target in claimed {
        hosts.entry(target.host.clone()).or_default().push(target);
    }
    hosts
}
