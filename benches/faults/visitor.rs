use chrono::{DateTime, Utc};
use url::Url;
use xunjian::domain::{Extraction, LedgerEntry, Moment, PageVerdict, Post, Precision, Reason};
use xunjian::extract::{self, extract};
use xunjian::observe::{Answer, PageRules, Proof, Provenance, Reading, Role, relative_times};
use xunjian::platform::{self, IdentityProof, Observability, Order, PageKind, Platform};
use xunjian::simulator::{City, Faults, Response};

use super::guard::Guard;

/// One visit of one page kind, as the crawl makes it, without a socket.
pub(super) struct Visitor<'a> {
    pub(super) city: &'a City,
    pub(super) faults: &'a Faults,
    pub(super) platform: &'a Platform,
    pub(super) kind: &'a PageKind,
    pub(super) entry: &'a LedgerEntry,
    pub(super) now: DateTime<Utc>,
    pub(super) without: Option<Guard>,
}

/// What a visit brought home.
pub(super) struct Gathered {
    first: Result<Reached, Reason>,
    /// What the pages say, first page first.
    pub(super) pages: Vec<Extraction>,
}

struct Reached {
    response: Response,
    final_url: String,
}

impl Visitor<'_> {
    /// Asks for the page and those that follow, back to `back_to`.
    pub(super) fn gather(&self, back_to: DateTime<Utc>) -> Option<Gathered> {
        let url = self.entry.url.as_deref();
        let address = self.kind.url.as_ref()?.fill(&self.entry.handle, url, 1)?;
        let reached = match self.reach(&address) {
            Ok(reached) => reached,
            Err(reason) => return Some(Gathered { first: Err(reason), pages: Vec::new() }),
        };
        let mut pages = vec![self.read(&reached, &address, 1)];
        let first = Ok(reached);
        while let Some(next) = next_page(&pages, back_to, self.kind.pages_max) {
            let number = u32::try_from(pages.len()).unwrap_or(u32::MAX) + 1;
            let Ok(reached) = self.reach(&next) else { break };
            let page = self.read(&reached, &next, number);
            if page.verdict != PageVerdict::Observation {
                // An end page shows no id; the first page has proven whose list it ends.
                let ends = page.exhausted && page.posts.is_empty();
                if let Some(last) = pages.last_mut() {
                    last.exhausted |= ends;
                }
                break;
            }
            pages.push(page);
        }
        Some(Gathered { first, pages })
    }

    fn reach(&self, address: &str) -> Result<Reached, Reason> {
        let mut url = Url::parse(address).map_err(|_| Reason::Unreachable)?;
        for _ in 0..4 {
            let host = url.host_str().unwrap_or_default().to_owned();
            if url.as_str() == address && !self.robots_allow(&host)? {
                return Err(Reason::Disallowed);
            }
            let path = match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            };
            let response = self.city.respond(self.faults, &host, &path, self.now);
            let response = response.ok_or(Reason::Unreachable)?;
            match response.status {
                429 => return Err(Reason::Limited),
                500.. => return Err(Reason::Unreachable),
                300..400 => {
                    let location = header(&response, "location").ok_or(Reason::Unreachable)?;
                    url = url.join(location).map_err(|_| Reason::Unreachable)?;
                }
                _ => return Ok(Reached { response, final_url: url.into() }),
            }
        }
        Err(Reason::Unreachable)
    }

    fn robots_allow(&self, host: &str) -> Result<bool, Reason> {
        let robots = self.city.respond(self.faults, host, "/robots.txt", self.now);
        let robots = robots.filter(|answer| answer.status < 500).ok_or(Reason::Unreachable)?;
        let text = String::from_utf8_lossy(&robots.body).into_owned();
        Ok(!text.lines().any(|line| line == "Disallow: /"))
    }

    fn read(&self, reached: &Reached, address: &str, number: u32) -> Extraction {
        let guarded = self.without != Some(Guard::Identity);
        let known = guarded.then_some(self.entry.handle.as_str());
        let final_url = if guarded { &reached.final_url } else { address };
        extract(&extract::Page {
            platform: self.platform,
            kind: self.kind,
            body: &reached.response.body,
            content_type: header(&reached.response, "content-type"),
            status: reached.response.status,
            url: Some(address),
            final_url: Some(final_url),
            headers: &reached.response.headers,
            observed_at: self.now,
            handle: known,
            number,
            inquiry_key: b"a key of the simulation",
        })
    }

    /// The visit in the words of the calculus; `same_since` as [`Answer::same_since`].
    pub(super) fn reading(
        &self,
        gathered: &Gathered,
        same_since: Option<DateTime<Utc>>,
    ) -> Reading {
        let first = gathered.pages.first();
        let last = gathered.pages.last();
        let identity = first.map(|page| page.identity.clone()).unwrap_or_default();
        Reading {
            provenance: self.provenance(gathered, same_since),
            failure: gathered.first.as_ref().err().copied(),
            verdict: match first {
                Some(page) if !self.passes_for_empty(page) => page.verdict,
                _ => PageVerdict::Observation,
            },
            rules: PageRules {
                role: match self.kind.role {
                    platform::Role::Profile => Role::Profile,
                    _ => Role::List,
                },
                newest_first: self.kind.order == Order::NewestFirst,
                verified: self.kind.verified.is_some() || self.without == Some(Guard::Verified),
                short_page_is_end: self.kind.short_page_is_end,
            },
            proof: self.proof(gathered),
            posts: self.posts(gathered),
            end_marker: last.is_some_and(|page| page.exhausted)
                || self.without == Some(Guard::Exhausted),
            short_page: last.is_some_and(|page| page.next.is_none()),
            empty_marker: first.is_some_and(|page| page.empty_marker)
                || self.without == Some(Guard::Empty),
            posts_total: identity.posts_total,
            registered_at: identity.registered_at,
        }
    }

    fn posts(&self, gathered: &Gathered) -> Vec<Post> {
        let mut posts: Vec<Post> =
            gathered.pages.iter().flat_map(|page| page.posts.clone()).collect();
        if self.without == Some(Guard::Pins) {
            posts.iter_mut().for_each(|post| post.pinned = false);
        }
        if self.without == Some(Guard::Precision) {
            for claim in posts.iter_mut().filter_map(|post| post.published.as_mut()) {
                claim.precision = Precision::Second;
            }
        }
        posts
    }

    /// Whether a page without posts is taken for a list without posts, whatever it is.
    fn passes_for_empty(&self, page: &Extraction) -> bool {
        self.without == Some(Guard::Empty)
            && page.posts.is_empty()
            && page.verdict != PageVerdict::Gone
    }

    fn proof(&self, gathered: &Gathered) -> Proof {
        let first = gathered.pages.first();
        let Ok(reached) = &gathered.first else {
            return Proof::Id { matches: None, address_kept: false };
        };
        let list_found = first.is_some_and(|page| {
            page.verdict == PageVerdict::Observation || self.passes_for_empty(page)
        });
        if self.without == Some(Guard::Identity) {
            return Proof::Address { address_kept: true, list_found };
        }
        let address =
            self.kind.url.as_ref().and_then(|template| {
                template.fill(&self.entry.handle, self.entry.url.as_deref(), 1)
            });
        let asked = address.and_then(|address| Url::parse(&address).ok());
        let address_kept = asked.is_some_and(|asked| asked.as_str() == reached.final_url);
        match self.kind.identity {
            IdentityProof::Answer => Proof::Id {
                matches: first
                    .and_then(|page| page.identity.handle.as_ref())
                    .map(|handle| *handle == self.entry.handle),
                address_kept,
            },
            IdentityProof::Address => Proof::Address { address_kept, list_found },
            IdentityProof::Nobody => Proof::Id { matches: None, address_kept },
        }
    }

    fn provenance(&self, gathered: &Gathered, same_since: Option<DateTime<Utc>>) -> Provenance {
        let blind = self.without == Some(Guard::Freshness);
        if self.platform.observability == Observability::PublicFeed {
            let told = gathered.pages.first().and_then(|page| page.source_time);
            let blind = blind || self.without == Some(Guard::Upstream);
            let upstream_success = if blind { Some(self.now) } else { told };
            return Provenance::Bridge { sent_at: self.now, upstream_success };
        }
        let told = |name| {
            let response = gathered.first.as_ref().ok().map(|reached| &reached.response);
            response.filter(|_| !blind).and_then(|response| header(response, name))
        };
        let date = told("date").and_then(|date| httpdate::parse_http_date(date).ok());
        let same_since = same_since.filter(|_| !blind && self.without != Some(Guard::Identical));
        Provenance::Crawl(Answer {
            sent_at: self.now,
            not_modified: false,
            conditional: false,
            no_cache: true,
            date: date.map(DateTime::<Utc>::from),
            age_seconds: told("age").and_then(|age| age.parse().ok()),
            cache_hit: told("x-cache").is_some_and(|hit| hit.contains("HIT")),
            cache_buster: self.kind.cache_buster.is_some(),
            peers_changed: false,
            same_since,
            unchanged_times: same_since
                .zip(gathered.pages.first())
                .map(|(since, page)| relative_times(&page.posts, since))
                .unwrap_or_default(),
        })
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The address of the next page, where there is one worth following.
fn next_page(pages: &[Extraction], back_to: DateTime<Utc>, pages_max: u32) -> Option<String> {
    let last = pages.last()?;
    let wanted = last.verdict == PageVerdict::Observation && !last.exhausted;
    let oldest = last.posts.iter().filter(|post| !post.pinned).filter_map(|post| post.published);
    let reaches = oldest.map(Moment::lower).min().is_some_and(|oldest| oldest <= back_to);
    let more = pages.len() < usize::try_from(pages_max).unwrap_or(usize::MAX);
    (wanted && !reaches && more).then(|| last.next.clone()).flatten()
}
