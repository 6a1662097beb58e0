use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use tokio::time::Instant;
use url::Url;

use super::asker::{Asker, Terms};
use super::body::{Cap, Excess};
use super::exchange::Exchange;
use super::guard::Guard;
use super::outcome::{Fetched, RefusedReason};
use super::page::{Page, not_modified, page, redirect_of};
use super::request::Request;
use super::resolver::{PinnedResolver, Resolver, SystemResolver};
use super::robots_cache::RobotsCache;
use super::settings::{HostLimit, SETTING_MAX, Settings};
use super::turn::Hosts;
use crate::domain::{Clock, HostPace, HostTerms};

const ZERO: Duration = Duration::ZERO;

/// Why a fetcher could not be built.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Settings that cannot be kept, as (key below `fetch`, reason).
    #[error("fetch settings: {}", listed(.0))]
    Settings(Vec<(String, String)>),
    /// The client could not be built, usually for want of the machine's root certificates.
    #[error("crawling client: {0}")]
    Client(String),
}

fn listed(problems: &[(String, String)]) -> String {
    problems.iter().map(|(key, why)| format!("{key}: {why}")).collect::<Vec<_>>().join("; ")
}

/// The one door to the outside; cheap to share behind an `Arc`.
pub struct Fetcher {
    asker: Asker,
    robots: RobotsCache,
    clock: Arc<dyn Clock>,
    /// Makes two cache busters of one millisecond differ.
    asked: AtomicU64,
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
        let lower = |(host, limit): (String, HostLimit)| (host.to_ascii_lowercase(), limit);
        let known_limits: HashMap<_, _> = host_limits.into_iter().map(lower).collect();
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
            robots: RobotsCache::new(&settings, clock.clone()),
            asker: Asker {
                exchange: Exchange::new(&settings, pinned, clock.clone())?,
                hosts: Hosts::new(settings.clone(), known_limits),
                guard,
                settings,
            },
            clock,
            asked: AtomicU64::new(0),
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
        self.asker.hosts.report_blocked(&host.trim_end_matches('.').to_ascii_lowercase());
    }

    /// How much longer than its limit asks for the delay of a host is just now.
    pub fn penalty(&self, host: &str) -> Duration {
        self.asker.hosts.penalty(&host.trim_end_matches('.').to_ascii_lowercase())
    }

    /// At what pace a host can be asked just now, for the next daemon that asks it.
    pub fn pace(&self, host: &str) -> HostPace {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let (speed, troubles, rest) = self.asker.hosts.told(&host).unwrap_or((1.0, 0, ZERO));
        let rest = TimeDelta::from_std(rest).unwrap_or_default();
        let rest = rest.max(self.asker.quiet(&host).unwrap_or_default());
        let rest_until = (rest > TimeDelta::zero()).then(|| self.clock.now() + rest);
        HostPace { speed, troubles, rest_until }
    }

    /// The host is this daemon's to ask. Where it was another's, it is asked at that one's pace and
    /// not before a whole delay has passed since that one could last have asked it. `limit` is the
    /// platform file's.
    pub fn take_over(&self, host: &str, limit: HostLimit, terms: &HostTerms) {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let now = self.clock.now();
        let left = terms.taken.then(|| {
            let rest = terms.pace.rest_until.and_then(|until| (until - now).to_std().ok());
            let asked = terms.free_since.map(|since| (now - since).to_std().unwrap_or_default());
            let asked = asked.and_then(|ago| Instant::now().checked_sub(ago));
            ((terms.pace.speed, terms.pace.troubles, rest.unwrap_or_default()), asked)
        });
        self.asker.hosts.take_over(&host, Some(limit), left);
    }

    /// Lets go of a host that another daemon is to ask: nothing is asked of it here until
    /// [`Fetcher::take_over`]. `false` while a request is in flight or waits for its turn.
    pub fn let_go(&self, host: &str) -> bool {
        self.asker.hosts.let_go(&host.trim_end_matches('.').to_ascii_lowercase())
    }

    /// How many requests may be in flight at a host at once.
    pub fn concurrent(&self, host: &str) -> usize {
        self.asker.hosts.concurrent(&host.trim_end_matches('.').to_ascii_lowercase())
    }

    /// How often a host may be asked; `asked` is what the platform file says, which holds unless
    /// the settings name the host.
    pub fn limit(&self, host: &str, asked: HostLimit) -> HostLimit {
        self.asker.hosts.limit(&host.trim_end_matches('.').to_ascii_lowercase(), Some(asked))
    }

    async fn follow(&self, request: &Request) -> Result<Fetched, Fetched> {
        let settings = &self.asker.settings;
        let patience = Duration::from_secs(settings.patience_seconds);
        let patience = request.patience.unwrap_or(patience).min(SETTING_MAX);
        let deadline = Instant::now() + patience;
        let timeout = request.timeout.map(|timeout| timeout.min(SETTING_MAX));
        let not_after = request.not_after;
        let terms = Terms { limit: request.limit, deadline, timeout, not_after };
        let cap = Cap { bytes: as_size(settings.body_max_bytes), excess: Excess::Refuse };
        let mut target = self.asker.guard.check(&request.url, None)?;
        let buster = request.cache_buster.as_deref().map(|name| self.bust(&mut target.url, name));
        for redirects in 0..=settings.redirects_max {
            self.robots.check(&self.asker, &target, terms).await?;
            let headers = request.headers(redirects == 0);
            let conditional =
                headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE);
            let answer = self.asker.ask(&target, headers, cap, terms).await?;
            if let Some(location) = redirect_of(&answer) {
                target = self.asker.guard.check(&location, Some(&target.url))?;
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

    /// Adds a value never used before and gives it back as it stands in the query.
    fn bust(&self, url: &mut Url, name: &str) -> String {
        let count = self.asked.fetch_add(1, Ordering::Relaxed);
        let value = format!("{}{:06}", self.clock.now().timestamp_millis(), count % 1_000_000);
        url.query_pairs_mut().append_pair(name, &value);
        let query = url.query().unwrap_or_default();
        query.rsplit('&').next().unwrap_or_default().to_owned()
    }
}

fn as_size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
