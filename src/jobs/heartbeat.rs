//! A synthetic account through every stage, so that a green light means that all of them work.
//!
//! The daemon publishes a tiny feed whose newest entry carries its own time, and watches it as it
//! watches any other: fetched by the one client, read by the shipped platform file, stored, read
//! back, judged. The account is outside the ledger and has no target: it is never shown or scored.

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::domain::{Activity, HostTerms, Reason, SHANGHAI, shanghai_date};
use crate::observe::{self, Outcome};
use crate::store::{CanaryAccount, Claimed, Lease, Validators, VisitRecord};

use super::{Context, crawl};

/// The name under which the daemon reaches itself; `.invalid` is never a real host (RFC 2606).
pub const HOST: &str = "heartbeat.xunjian.invalid";

/// Where the feed stands.
pub const PATH: &str = "/heartbeat.xml";

/// The platform file that reads it, and its page kind.
const PLATFORM: &str = "feed";
const PAGE: &str = "feed";

/// The feed at an instant: Atom with one entry of that time. A day has one entry, so that beating
/// does not fill the store.
pub fn feed(now: DateTime<Utc>) -> String {
    let time = now.with_timezone(&SHANGHAI).to_rfc3339_opts(SecondsFormat::Secs, false);
    let entry = format!("http://{HOST}/{}", shanghai_date(now));
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\"><id>http://{HOST}{PATH}</id>\
         <title>巡检心跳</title><updated>{time}</updated>\
         <entry><id>{entry}</id><link href=\"{entry}\"/><title>{time}</title>\
         <published>{time}</published><updated>{time}</updated></entry></feed>\n"
    )
}

/// Takes the account through every stage, then tells the metrics.
///
/// # Errors
/// The first stage that fails, by its name; the metric stays as it was.
pub async fn beat(context: &Context) -> anyhow::Result<()> {
    let began_at = context.clock.now();
    let target = target(context, began_at).await.context("stage ledger")?;
    let visited = crawl::look_at(context, &target).await;
    let record = visited.context("stage platform: no platform file `feed` reads the heartbeat")?;
    was_read(&record, began_at)?;
    let written = context.store.finish(&[VisitRecord { lease: None, ..record }]).await;
    ensure!(written.context("stage store")?.written == 1, "stage store: nothing was written");
    let known = context.store.histories(&[target.account], began_at).await;
    let history = known.context("stage history")?.remove(&target.account).unwrap_or_default();
    ensure!(!history.visits.is_empty(), "stage history: the visit cannot be read back");
    let now = context.clock.now();
    let activity = observe::judge(&history, &context.observe, now, now).activity;
    ensure!(activity == Activity::Active, "stage judge: {} instead of active", activity.as_str());
    context.metrics.beat(now);
    Ok(())
}

/// Fails where the visit did not bring the entry of this very beat.
fn was_read(record: &VisitRecord, began_at: DateTime<Utc>) -> anyhow::Result<()> {
    match record.visit.outcome {
        Outcome::Observed(_) => {}
        Outcome::Failed(reason @ (Reason::Unreachable | Reason::Limited | Reason::Disallowed)) => {
            bail!("stage fetch: {reason}")
        }
        Outcome::Failed(reason) => bail!("stage extract: {reason}"),
        Outcome::Gone { .. } => bail!("stage extract: gone"),
    }
    let newest = record.posts.iter().filter_map(|post| post.published).map(|one| one.at).max();
    let newest = newest.context("stage extract: no entry with a time")?;
    // The feed states whole seconds.
    ensure!(
        newest.timestamp() >= began_at.timestamp(),
        "stage extract: the entry says {newest}, before the beat began at {began_at}"
    );
    Ok(())
}

/// What the crawl would claim if the account had a target.
async fn target(context: &Context, now: DateTime<Utc>) -> anyhow::Result<Claimed> {
    let handle = format!("http://{HOST}{PATH}");
    let outside = CanaryAccount { platform: PLATFORM.to_owned(), handle: handle.clone() };
    let numbers = context.store.ensure_canaries(&[outside], now).await?;
    Ok(Claimed {
        account: *numbers.first().context("the account was not numbered")?,
        key: "heartbeat".to_owned(),
        platform: PLATFORM.to_owned(),
        handle,
        url: None,
        page: PAGE.to_owned(),
        part: "all".to_owned(),
        host: HOST.to_owned(),
        terms: HostTerms::default(),
        address: None,
        yields: Vec::new(),
        is_canary: false,
        lease: Lease { owner: context.owner.to_string(), until: now + TimeDelta::hours(1) },
        due_at: now,
        attempt: 1,
        fails: 0,
        last_visit_at: None,
        validators: Validators::default(),
        body_digest: None,
        body_as_of: None,
        span_high: None,
        observed_at: None,
        rate: None,
        rhythm: None,
        capacity: None,
        deadline_at: None,
        category: None,
        role: None,
        price: None,
        last_post_at: None,
        confirmations: Vec::new(),
        canaries: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_carries_the_time_and_one_entry_a_day_of_shanghai() {
        let feed = feed("2026-11-22T16:30:15.7Z".parse().unwrap());
        assert_eq!(feed.matches("2026-11-23T00:30:15+08:00").count(), 4, "{feed}");
        assert_eq!(feed.matches("http://heartbeat.xunjian.invalid/2026-11-23\"").count(), 1);
        assert_eq!(feed.matches("<entry>").count(), 1);
    }
}
