use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION, PRAGMA,
};
use tokio::time::Instant;
use url::Url;

use super::body::{Cap, Excess};
use super::exchange::{Answer, Exchange};
use super::guard::{Guard, Target};
use super::headers;
use super::outcome::{
    Disallowed, DisallowedReason, Fetched, Limited, LimitedReason, NotModified, Page,
    RefusedReason, Unreachable, UnreachableReason,
};
use super::pace::Ending;
use super::request::{Request, Validators};
use super::resolver::{PinnedResolver, Resolver, SystemResolver};
use super::robots::{ROBOTS_MAX_BYTES, RobotsRules};
use super::robots_cache::{RobotsCache, Verdict};
use super::settings::{HostLimit, Settings, find_host};
use super::turn::Hosts;
use crate::domain::Clock;

/// Redirects followed for a robots.txt (RFC 9309 section 2.3.1.2).
const ROBOTS_REDIRECTS_MAX: u32 = 5;

/// Why a fetcher could not be built.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Settings that cannot be kept, as (key below `fetch`, reason).
    #[error("fetch settings: {}", .0.iter().map(|(key, why)| format!("{key}: {why}")).collect::<Vec<_>>().join("; "))]
    Settings(Vec<(String, String)>),
    /// The client could not be built, usually for want of the machine's root certificates.
    #[error("crawling client: {0}")]
    Client(String),
}

/// The one door to the outside; cheap to share behind an `Arc`.
pub struct Fetcher {
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    guard: Guard,
    hosts: Hosts,
    robots: RobotsCache,
    exchange: Exchange,
    /// Makes two cache busters of one millisecond differ.
    asked: AtomicU64,
}

/// What holds for every hop of one fetch.
#[derive(Clone, Copy)]
struct Terms {
    limit: Option<HostLimit>,
    deadline: Instant,
}

impl Fetcher {
    /// Builds the client. `host_limits` are the platform files' own; the settings override them.
    pub fn new(
        settings: Settings,
        host_limits: impl IntoIterator<Item = (String, HostLimit)>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FetchError> {
        Self::with_resolver(settings, host_limits, clock, Arc::new(SystemResolver))
    }

    /// The same with names looked up elsewhere.
    pub fn with_resolver(
        settings: Settings,
        host_limits: impl IntoIterator<Item = (String, HostLimit)>,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, FetchError> {
        let known_limits: HashMap<_, _> = host_limits.into_iter().collect();
        let mut problems = settings.problems();
        for (host, limit) in &known_limits {
            problems.extend(limit.problem().map(|reason| (format!("limit of {host}"), reason)));
        }
        if !problems.is_empty() {
            return Err(FetchError::Settings(problems));
        }
        let settings = Arc::new(settings);
        let guard = Guard::new(settings.clone());
        let pinned = PinnedResolver { inner: resolver, guard: guard.clone() };
        Ok(Self {
            exchange: Exchange::new(&settings, pinned, clock.clone())?,
            hosts: Hosts::new(settings.clone(), known_limits),
            robots: RobotsCache::new(&settings),
            asked: AtomicU64::new(0),
            guard,
            settings,
            clock,
        })
    }

    /// Asks for one page, following redirects hop by hop.
    ///
    /// Every hop is checked, judged by its host's robots.txt, and waits for its host's turn. The
    /// future may be dropped at any time.
    pub async fn fetch(&self, request: Request) -> Fetched {
        match self.follow(&request).await {
            Ok(fetched) | Err(fetched) => fetched,
        }
    }

    /// Slows a host down because extraction found a wall in its answer.
    pub fn report_blocked(&self, host: &str) {
        self.hosts.report_blocked(&host.trim_end_matches('.').to_ascii_lowercase());
    }

    /// How much longer than its limit asks for the delay of a host is just now.
    pub fn penalty(&self, host: &str) -> Duration {
        self.hosts.penalty(&host.trim_end_matches('.').to_ascii_lowercase())
    }

    async fn follow(&self, request: &Request) -> Result<Fetched, Fetched> {
        let settings = &self.settings;
        let patience = Duration::from_secs(settings.patience_seconds);
        let terms = Terms {
            limit: request.limit,
            deadline: Instant::now() + request.patience.unwrap_or(patience),
        };
        let cap = Cap { bytes: as_size(settings.body_max_bytes), excess: Excess::Refuse };
        let mut target = self.guard.check(&request.url, None)?;
        let buster = request.cache_buster.as_deref().map(|name| self.bust(&mut target.url, name));
        for redirects in 0..=settings.redirects_max {
            self.check_robots(&target, terms).await?;
            let headers = asking_headers(request, redirects == 0);
            let conditional =
                headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE);
            let answer = self.ask(&target, headers, cap, terms).await?;
            if let Some(location) = redirect_of(&answer) {
                target = self.guard.check(&location, Some(&target.url))?;
                continue;
            }
            if answer.status == 304 {
                return not_modified(&answer, conditional);
            }
            let page = page(answer, &target.url, buster.as_deref());
            return Ok(Fetched::Page(Box::new(Page { redirects, conditional, ..page })));
        }
        let detail = format!("more than {} redirects", settings.redirects_max);
        Err(Fetched::refused(RefusedReason::TooManyRedirects, detail))
    }

    /// Waits for the turn, asks, and tells the host's pace how it ended.
    async fn ask(
        &self,
        target: &Target,
        headers: HeaderMap,
        cap: Cap,
        terms: Terms,
    ) -> Result<Answer, Fetched> {
        let turn = self.hosts.turn(&target.host, terms.limit, terms.deadline).await?;
        let answer = match self.exchange.ask(target, headers, cap).await {
            Ok(answer) => answer,
            Err(failed) => {
                let retry_after = None;
                let trouble = matches!(failed, Fetched::Unreachable(_));
                turn.end(if trouble { Ending::Trouble { retry_after } } else { Ending::Neutral });
                return Err(failed);
            }
        };
        let max = Duration::from_secs(self.settings.retry_after_max_seconds);
        let retry_after = headers::retry_after(&answer.headers, answer.received_at, max);
        match answer.status {
            429 => {
                turn.end(Ending::Trouble { retry_after });
                let penalty = self.hosts.delay(&target.host);
                Err(Fetched::Limited(Limited {
                    reason: LimitedReason::TooManyRequests,
                    retry_after: retry_after.unwrap_or(penalty),
                    detail: format!("{} answered 429", target.host),
                }))
            }
            status @ 500..=599 => {
                turn.end(Ending::Trouble { retry_after });
                Err(Fetched::Unreachable(Unreachable {
                    reason: UnreachableReason::ServerError,
                    status: Some(status),
                    retry_after,
                    detail: format!("{} answered {status}", target.host),
                }))
            }
            200..=399 | 404 | 410 => {
                turn.end(Ending::Good);
                Ok(answer)
            }
            _ => {
                turn.end(Ending::Neutral);
                Ok(answer)
            }
        }
    }

    async fn check_robots(&self, target: &Target, terms: Terms) -> Result<(), Fetched> {
        if find_host(&self.settings.authorised_hosts, &target.host).is_some() {
            return Ok(());
        }
        let slot = self.robots.slot(&target.origin(), self.clock.now());
        let Ok(mut slot) = tokio::time::timeout_at(terms.deadline, slot.lock()).await else {
            return Err(Fetched::Limited(Limited {
                reason: LimitedReason::Patience,
                retry_after: self.hosts.delay(&target.host),
                detail: format!("robots.txt of {} is still being asked for", target.host),
            }));
        };
        let verdict = match slot.believed(self.clock.now()) {
            Some(verdict) => verdict,
            None => {
                let verdict = self.read_robots(target, terms).await?;
                self.robots.remember(&mut slot, &verdict, self.clock.now());
                verdict
            }
        };
        match verdict {
            Verdict::Unread(fetched) => Err(fetched),
            Verdict::Rules(rules) => {
                let path = &target.url[url::Position::BeforePath..url::Position::AfterQuery];
                match rules.refusal(path) {
                    None => Ok(()),
                    Some(detail) => Err(Fetched::Disallowed(Disallowed {
                        reason: DisallowedReason::Rule,
                        detail,
                    })),
                }
            }
        }
    }

    /// Asks for a robots.txt. An error is about this moment (limits) or about the address; it is
    /// not remembered.
    async fn read_robots(&self, origin: &Target, terms: Terms) -> Result<Verdict, Fetched> {
        let allow_all = || Ok(Verdict::Rules(Arc::default()));
        let cap = Cap { bytes: ROBOTS_MAX_BYTES, excess: Excess::Cut };
        let mut target = self.guard.check("/robots.txt", Some(&origin.url))?;
        for _ in 0..=ROBOTS_REDIRECTS_MAX {
            let answer = match self.ask(&target, HeaderMap::new(), cap, terms).await {
                Ok(answer) => answer,
                Err(Fetched::Unreachable(failed)) => return Ok(Verdict::Unread(unread(failed))),
                Err(other) => return Err(other),
            };
            if let Some(location) = redirect_of(&answer) {
                target = self.guard.check(&location, Some(&target.url))?;
                continue;
            }
            if (200..300).contains(&answer.status) {
                let rules = RobotsRules::parse(&answer.body, self.settings.product_token());
                return Ok(Verdict::Rules(Arc::new(rules)));
            }
            return allow_all();
        }
        allow_all()
    }

    /// Adds a value never used before and gives it back as it stands in the query.
    fn bust(&self, url: &mut Url, name: &str) -> String {
        let count = self.asked.fetch_add(1, Ordering::Relaxed);
        let value = format!("{}{:06}", self.clock.now().timestamp_millis(), count % 1_000_000);
        url.query_pairs_mut().append_pair(name, &value);
        let query = url.query().unwrap_or_default();
        query.rsplit('&').next().unwrap_or_default().to_owned()
    }
}

/// How pages end while the robots.txt of their origin cannot be read: a server error there refuses
/// everything; no answer at all is the host's own trouble and is called by its name.
fn unread(mut failed: Unreachable) -> Fetched {
    failed.detail = format!("robots.txt: {}", failed.detail);
    if failed.reason == UnreachableReason::ServerError {
        let reason = DisallowedReason::RobotsUnreachable;
        return Fetched::Disallowed(Disallowed { reason, detail: failed.detail });
    }
    Fetched::Unreachable(failed)
}

fn asking_headers(request: &Request, first: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if request.confirming {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        return headers;
    }
    if let Some(validators) = request.validators.as_ref().filter(|_| first) {
        let lines =
            [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)];
        for (name, value) in lines {
            // A validator that is no header value cannot be sent; the request is unconditional.
            let value = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok());
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
    }
    headers
}

fn redirect_of(answer: &Answer) -> Option<String> {
    let redirects = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
    redirects.then(|| headers::text(&answer.headers, &LOCATION)).flatten()
}

fn not_modified(answer: &Answer, conditional: bool) -> Result<Fetched, Fetched> {
    if !conditional {
        let detail = "304 to a request without validators";
        return Err(Fetched::unreachable(UnreachableReason::BrokenAnswer, detail));
    }
    Ok(Fetched::NotModified(NotModified {
        date: headers::date(&answer.headers),
        sent_at: answer.sent_at,
        elapsed: answer.elapsed,
    }))
}

fn page(answer: Answer, url: &Url, buster: Option<&str>) -> Page {
    let query = url.query().unwrap_or_default();
    let buster = buster.filter(|pair| query.split('&').any(|one| one == *pair));
    Page {
        status: answer.status,
        final_url: without_pair(url, buster),
        redirects: 0,
        wire_bytes: answer.wire_bytes,
        date: headers::date(&answer.headers),
        age_seconds: headers::age_seconds(&answer.headers),
        cache_hit: headers::cache_hit(&answer.headers),
        validators: Validators {
            etag: headers::text(&answer.headers, &ETAG),
            last_modified: headers::text(&answer.headers, &LAST_MODIFIED),
        },
        content_type: headers::text(&answer.headers, &CONTENT_TYPE),
        headers: headers::kept(&answer.headers),
        body: answer.body.into(),
        sent_at: answer.sent_at,
        received_at: answer.received_at,
        elapsed: answer.elapsed,
        conditional: false,
        cache_buster_sent: buster.is_some(),
    }
}

/// The address without the cache buster, everything else letter for letter.
fn without_pair(url: &Url, pair: Option<&str>) -> String {
    let (Some(pair), Some(query)) = (pair, url.query()) else { return url.to_string() };
    let others: Vec<_> = query.split('&').filter(|one| *one != pair).collect();
    let mut url = url.clone();
    url.set_query((!others.is_empty()).then(|| others.join("&")).as_deref());
    url.to_string()
}

fn as_size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
