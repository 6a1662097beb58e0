//! Whether sites can be opened: the visits that the national rule asks for, spread over each day.

use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use futures::StreamExt;

use crate::fetch::{Fetched, Page, Request};
use crate::observe::{Probe, ProbeOutcome};
use crate::store::{DueProbe, SiteProbe};

use super::{Context, crawl};

/// Sites taken at once, and probed side by side; each waits for its own host's turn.
const TAKEN_MAX: u32 = 500;
const SIDE_BY_SIDE: usize = 32;

/// Another host must have answered at most this long before for a failure to be the site's own.
const WITNESS_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// How soon a probe that our own pacing held back is made again.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Statuses of a wall in front of us: they say nothing of what others can open.
const WALLS: [u16; 8] = [401, 403, 405, 407, 412, 418, 429, 521];

/// Opens the home page of every site whose probe is due, and writes down how that ended; returns
/// how many were probed.
///
/// A failure counts only with a witness: another host that answered us at that time. Without one it
/// is as likely our own network, and the probe says nothing.
pub async fn probe_sites(context: &Context) -> anyhow::Result<usize> {
    let every = TimeDelta::minutes(context.settings.probe_minutes.into());
    let now = context.clock.now();
    let lease = context.lease();
    let due = context.store.claim_probes(&context.owner, now, lease, every, TAKEN_MAX);
    let due = due.await.context("sites to be probed")?;
    let probing = futures::stream::iter(due).map(|site| {
        let context = context.clone();
        async move { probe(&context, site).await }
    });
    let mut probes: Vec<SiteProbe> = probing.buffer_unordered(SIDE_BY_SIDE).collect().await;
    bear_witness(context, &mut probes).await?;
    context.store.save_probes(&probes).await.context("saving probes")?;
    Ok(probes.len())
}

async fn probe(context: &Context, site: DueProbe) -> SiteProbe {
    let limit = Duration::from_secs(context.observe.site.probe_limit_seconds.into());
    let platform = context.platforms.get(&site.platform);
    let began_at = context.clock.now();
    let asked = platform.map(crawl::host_limit);
    context.fetcher.take_over(&site.host, asked.unwrap_or_default(), &site.terms);
    let request = Request {
        confirming: true,
        limit: asked,
        not_after: Some(site.lease_until),
        timeout: Some(limit),
        ..Request::new(site.address)
    };
    let fetched = context.fetcher.fetch(request).await;
    let ended = ended(&fetched, limit);
    let recorded_at = context.clock.now();
    let page = match &fetched {
        Fetched::Page(page) => Some(page),
        _ => None,
    };
    SiteProbe {
        host: site.host,
        probe: Probe { at: page.map_or(began_at, |page| page.sent_at), outcome: ended.outcome },
        reason: ended.reason,
        status: ended.status,
        duration_ms: page.and_then(|page| u32::try_from(page.elapsed.as_millis()).ok()),
        witness: None,
        again_at: ended.is_ours.then(|| recorded_at + AGAIN_AFTER),
        recorded_at,
    }
}

/// How an attempt ended, its witness left aside.
struct Ended {
    outcome: ProbeOutcome,
    reason: Option<String>,
    status: Option<u16>,
    is_ours: bool,
}

fn ended(fetched: &Fetched, limit: Duration) -> Ended {
    let end = |outcome, reason: &str, status| Ended {
        outcome,
        reason: Some(reason.to_owned()),
        status,
        is_ours: false,
    };
    let word = fetched.reason().unwrap_or("unknown");
    match fetched {
        Fetched::Page(page) => opened(page, limit),
        Fetched::Unreachable(failed) => end(ProbeOutcome::Failed, word, failed.status),
        Fetched::Limited(limited) => {
            Ended { is_ours: limited.reason.is_ours(), ..end(ProbeOutcome::Unknown, word, None) }
        }
        Fetched::NotModified(_) | Fetched::Disallowed(_) | Fetched::Refused(_) => {
            end(ProbeOutcome::Unknown, word, None)
        }
    }
}

fn opened(page: &Page, limit: Duration) -> Ended {
    let status = Some(page.status);
    let (outcome, reason) = match page.status {
        code if WALLS.contains(&code) => (ProbeOutcome::Unknown, Some("wall")),
        400.. => (ProbeOutcome::Failed, Some("error_page")),
        _ if page.elapsed > limit => (ProbeOutcome::Failed, Some("too_slow")),
        _ => (ProbeOutcome::Open, None),
    };
    Ended { outcome, reason: reason.map(str::to_owned), status, is_ours: false }
}

/// Names a witness for every failure, or turns it into what says nothing.
async fn bear_witness(context: &Context, probes: &mut [SiteProbe]) -> anyhow::Result<()> {
    let open: Vec<String> = probes
        .iter()
        .filter(|one| one.probe.outcome == ProbeOutcome::Open)
        .map(|one| one.host.clone())
        .collect();
    let failed: Vec<String> = probes
        .iter()
        .filter(|one| one.probe.outcome == ProbeOutcome::Failed)
        .map(|one| one.host.clone())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let witness = match open.into_iter().next() {
        Some(host) => Some(host),
        None => {
            let since = context.clock.now() - WITNESS_WITHIN;
            context.store.witness(since, &failed).await.context("a witness of our network")?
        }
    };
    for one in probes.iter_mut().filter(|one| one.probe.outcome == ProbeOutcome::Failed) {
        match &witness {
            Some(host) => one.witness = Some(host.clone()),
            None => {
                one.probe.outcome = ProbeOutcome::Unknown;
                one.reason = Some("no_witness".to_owned());
            }
        }
    }
    Ok(())
}
