use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{Extraction, PageVerdict, Post, Reason, shanghai_date};
use crate::extract;
use crate::fetch::{Fetched, HostLimit, NotModified, Page, Request, Validators};
use crate::jobs::{Context, quarter_start};
use crate::observe::read_order;
use crate::platform::Platform;
use crate::store::{self, Claimed};

use super::keep::Received;
use super::next::may_ask_conditionally;
use super::reading::{Asked, digest};

/// Everything one visit gathered, page after page.
pub(super) struct Gathered {
    /// How the first page was answered, or why it was not.
    pub(super) first: Result<Answered, Failure>,
    /// What the pages say, first page first; empty unless the first was a page.
    pub(super) pages: Vec<Extraction>,
    /// The answers behind `pages`, with their bodies.
    pub(super) received: Vec<Received>,
    /// Bytes of all bodies.
    pub(super) bytes: u64,
    /// Time spent in requests, waiting for the host's turn left out.
    pub(super) elapsed: Duration,
    pub(super) said: OnceLock<String>,
}

/// How the first page was answered.
pub(super) enum Answered {
    /// With a page, whatever it turned out to be; its body is gone by now.
    Page(Box<Page>),
    /// "Nothing changed."
    NotModified(NotModified),
}

/// Why there was no answer to read.
pub(super) struct Failure {
    /// What it means for a verdict: nothing, but with this reason.
    pub(super) reason: Reason,
    /// For logs.
    pub(super) detail: String,
    /// How long the host, or our own pacing, asks us to wait.
    pub(super) retry_after: Option<Duration>,
    /// Whether our own pacing held it back, so that the host never heard of it.
    pub(super) ours: bool,
}

/// How often a host of a platform may be asked, as its file says.
pub fn host_limit(platform: &Platform) -> HostLimit {
    HostLimit {
        per_minute: f64::from(platform.limit.per_minute),
        concurrent: platform.limit.concurrent,
        backoff_max_seconds: u64::from(platform.limit.backoff_max_s),
    }
}

/// Asks for the first page and follows to the last covered span, or at first to the start of the
/// current quarter, at most the page kind's `pages_max`.
pub(super) async fn gather(context: &Context, asked: &Asked<'_>) -> Gathered {
    let now = context.clock.now();
    let asking = Asking { context, asked };
    let conditional = may_ask_conditionally(context, asked, now);
    let mut gathered = asking.first(conditional).await;
    let back_to = back_to(context, asked, now, conditional).await;
    while let Some(next) = gathered.next_page(context, back_to, asked.kind.pages_max) {
        let number = u32::try_from(gathered.pages.len()).unwrap_or(u32::MAX) + 1;
        // Where a further page cannot be had, the list simply ends with the last one that could.
        let Some((page, extraction)) = asking.further(&next, number).await else { break };
        gathered.bytes += page.body.len() as u64;
        gathered.elapsed += page.elapsed;
        gathered.received.push(Received { requested: next, page: *page });
        if extraction.verdict != PageVerdict::Observation {
            // An end page shows no id; the first page has proven whose list it ends.
            let ends = extraction.exhausted && extraction.posts.is_empty();
            gathered.pages.last_mut().expect("a next page has one before it").exhausted |= ends;
            break;
        }
        gathered.pages.push(extraction);
    }
    gathered
}

/// How far back a visit reads: to the last span, or at first to the start of the current quarter.
///
/// The first full visit of a day goes on to the oldest gap that is still open in the quarter, where
/// nobody else of the host waits for the time that takes.
async fn back_to(
    context: &Context,
    asked: &Asked<'_>,
    now: DateTime<Utc>,
    conditional: bool,
) -> DateTime<Utc> {
    let (target, quarter) = (asked.target, quarter_start(now));
    let Some(span_high) = target.span_high else { return quarter };
    let looked_today = target.observed_at.is_some_and(|at| shanghai_date(at) == shanghai_date(now));
    if conditional || looked_today || asked.kind.pages_max < 2 || span_high <= quarter {
        return span_high;
    }
    match oldest_gap(context, asked, quarter, span_high, now).await {
        Ok(gap) => gap.unwrap_or(span_high),
        Err(error) => {
            context.metrics.store_failed();
            tracing::warn!(%error, account = target.key, "gaps are not filled this time");
            span_high
        }
    }
}

async fn oldest_gap(
    context: &Context,
    asked: &Asked<'_>,
    quarter: DateTime<Utc>,
    span_high: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, store::StoreError> {
    let Claimed { account, host, page, .. } = asked.target;
    let covered = context.store.covered_by(*account, page, quarter).await?;
    let Some(gap) = covered.gaps(quarter, span_high).first().copied() else { return Ok(None) };
    let waiting = context.store.keeps_others_waiting(*account, host, now).await?;
    Ok((!waiting).then_some(gap.low))
}

/// Asks for the pages of one visit.
pub(super) struct Asking<'a> {
    pub(super) context: &'a Context,
    pub(super) asked: &'a Asked<'a>,
}

impl Asking<'_> {
    /// Asks for the first page and reads it.
    pub(super) async fn first(&self, conditional: bool) -> Gathered {
        match self.ask(conditional).await {
            Fetched::Page(mut page) => {
                let extraction = self.read(&page, self.asked.address, 1);
                let bytes = page.body.len() as u64;
                let requested = self.asked.address.to_owned();
                let received = vec![Received { requested, page: (*page).clone() }];
                page.body = bytes::Bytes::new();
                let elapsed = page.elapsed;
                let gathered = Gathered::without_pages(Ok(Answered::Page(page)), elapsed);
                Gathered { pages: vec![extraction], received, bytes, ..gathered }
            }
            Fetched::NotModified(answer) => {
                let elapsed = answer.elapsed;
                Gathered::without_pages(Ok(Answered::NotModified(answer)), elapsed)
            }
            other => Gathered::without_pages(Err(failure(&other)), Duration::ZERO),
        }
    }

    /// Asks for the first page.
    pub(super) async fn ask(&self, conditional: bool) -> Fetched {
        let Asked { target, platform, kind, address } = *self.asked;
        let store::Validators { etag, last_modified } = target.validators.clone();
        let validators = Validators { etag, last_modified };
        let request = Request {
            url: address.to_owned(),
            validators: conditional.then_some(validators),
            confirming: !conditional,
            cache_buster: kind.cache_buster.clone(),
            limit: Some(host_limit(platform)),
            not_after: Some(target.lease.until),
            ..Request::default()
        };
        self.context.fetcher.fetch(request).await
    }

    /// Asks for a further page and reads it; `None` where it cannot be had.
    pub(super) async fn further(
        &self,
        address: &str,
        number: u32,
    ) -> Option<(Box<Page>, Extraction)> {
        let limit = Some(host_limit(self.asked.platform));
        let url = address.to_owned();
        let not_after = Some(self.asked.target.lease.until);
        let request = Request { url, confirming: true, limit, not_after, ..Request::default() };
        let Fetched::Page(page) = self.context.fetcher.fetch(request).await else { return None };
        let extraction = self.read(&page, address, number);
        Some((page, extraction))
    }

    /// Reads a page as the page kind asked for.
    pub(super) fn read(&self, page: &Page, address: &str, number: u32) -> Extraction {
        let Asked { target, platform, kind, .. } = *self.asked;
        let extraction = extract::extract(&extract::Page {
            platform,
            kind,
            body: &page.body,
            content_type: page.content_type.as_deref(),
            status: page.status,
            url: Some(address),
            final_url: Some(&page.final_url),
            headers: &page.headers,
            observed_at: page.sent_at,
            handle: Some(&target.handle),
            number,
            inquiry_key: &self.context.inquiry_key,
        });
        // An empty list that proves nobody's identity is no observation, and no wall either.
        if extraction.verdict == PageVerdict::Blocked && !extraction.empty_marker {
            let answered = url::Url::parse(&page.final_url).ok();
            let host = answered.as_ref().and_then(url::Url::host_str).unwrap_or(&target.host);
            self.context.fetcher.report_blocked(host);
        }
        extraction
    }
}

impl Gathered {
    /// What is gathered where no page is read.
    pub(super) fn without_pages(first: Result<Answered, Failure>, elapsed: Duration) -> Self {
        let (pages, received, said) = (Vec::new(), Vec::new(), OnceLock::new());
        Self { first, pages, received, bytes: 0, elapsed, said }
    }

    /// Digest of what the first page says. Not to be asked for while pages are still coming, which
    /// may end the first one's list.
    pub(super) fn said(&self) -> Option<&str> {
        let first = self.pages.first()?;
        Some(self.said.get_or_init(|| digest(first)))
    }

    /// The address of the next page, where there is one worth following.
    fn next_page(
        &self,
        context: &Context,
        back_to: DateTime<Utc>,
        pages_max: u32,
    ) -> Option<String> {
        let last = self.pages.last()?;
        let next = last.next.as_ref()?;
        let wanted = last.verdict == PageVerdict::Observation && !last.exhausted;
        let more = self.pages.len() < usize::try_from(pages_max).unwrap_or(usize::MAX);
        // A page that repeats the one before is the end of a list that does not say so.
        let repeats = self.pages.len() > 1 && same_items(&self.pages[self.pages.len() - 2], last);
        if !wanted || !more || repeats {
            return None;
        }
        // Where the order ends, unmarked old pins at the head left aside.
        let posts: Vec<Post> = self.pages.iter().flat_map(|page| page.posts.clone()).collect();
        let low = read_order(&posts, &context.observe).low;
        let reaches = low.is_some_and(|low| low <= back_to);
        (!reaches).then(|| next.clone())
    }
}

fn same_items(one: &Extraction, other: &Extraction) -> bool {
    let names = |page: &Extraction| -> Vec<_> {
        page.posts.iter().map(|post| (post.reference.clone(), post.url.clone())).collect()
    };
    names(one) == names(other)
}

/// Why there was no page.
pub(super) fn failure(fetched: &Fetched) -> Failure {
    let detail = format!("{}: {}", fetched.reason().unwrap_or("-"), fetched.detail());
    let (reason, retry_after, ours) = match fetched {
        Fetched::Limited(limited) => {
            (Reason::Limited, Some(limited.retry_after), limited.reason.is_ours())
        }
        Fetched::Unreachable(answer) => (Reason::Unreachable, answer.retry_after, false),
        Fetched::Disallowed(_) => (Reason::Disallowed, None, false),
        // What we refuse ourselves cannot be reached by us.
        Fetched::Refused(_) => (Reason::Unreachable, None, true),
        Fetched::Page(_) | Fetched::NotModified(_) => (Reason::Drifted, None, false),
    };
    Failure { reason, detail, retry_after, ours }
}
