use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::domain::{Extraction, PageVerdict, Post};
use crate::fetch::{NotModified, Page};
use crate::observe::{Answer, PageRules, Proof, Provenance, Reading, Role, relative_times};
use crate::platform::{self, IdentityProof, Observability, Order, PageKind, Platform};
use crate::store::Claimed;

use super::gather::Answered;

/// What was asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) target: &'a Claimed,
    pub(super) platform: &'a Platform,
    pub(super) kind: &'a PageKind,
    /// The address of the first page, without the cache buster.
    pub(super) address: &'a str,
}

impl Asked<'_> {
    /// Whether the platform file names the account as known to be busy.
    pub(super) fn is_named_canary(&self) -> bool {
        self.platform.canaries.iter().any(|canary| canary.0 == self.target.handle)
    }
}

/// What earlier answers say of this one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Earlier {
    /// As-of time of the first answer that said the same.
    pub(super) same_since: Option<DateTime<Utc>>,
    /// Whether another account's page of this host and kind has changed since.
    pub(super) peers_changed: bool,
}

/// Puts an answered visit into the words of the observation calculus; `pages` are empty where
/// nothing had changed.
pub(super) fn reading(
    answered: &Answered,
    pages: &[Extraction],
    asked: &Asked<'_>,
    earlier: Earlier,
) -> Reading {
    let kind = asked.kind;
    let first = pages.first();
    let last = pages.last();
    let posts: Vec<Post> = pages.iter().flat_map(|page| page.posts.clone()).collect();
    let identity = first.map(|page| page.identity.clone()).unwrap_or_default();
    Reading {
        provenance: provenance(answered, first, asked, earlier),
        failure: None,
        verdict: first.map_or(PageVerdict::Observation, |page| page.verdict),
        rules: rules(kind, pages),
        proof: proof(answered, first, asked),
        posts,
        end_marker: last.is_some_and(|page| page.exhausted),
        // Which length is usual is known to the platform file alone, and it says so by its marker.
        short_page: last.is_some_and(|page| page.next.is_none()),
        empty_marker: first.is_some_and(|page| page.empty_marker),
        posts_total: identity.posts_total,
        registered_at: identity.registered_at,
    }
}

/// A page that was read without paths proves no more than one of an unknown site: no silence.
fn rules(kind: &PageKind, pages: &[Extraction]) -> PageRules {
    let by_paths = pages.iter().all(|page| page.finding.is_none());
    PageRules {
        role: if kind.role == platform::Role::Profile { Role::Profile } else { Role::List },
        newest_first: kind.order == Order::NewestFirst,
        verified: kind.verified.is_some() && by_paths,
        short_page_is_end: kind.short_page_is_end,
    }
}

fn proof(answered: &Answered, first: Option<&Extraction>, asked: &Asked<'_>) -> Proof {
    let Answered::Page(page) = answered else {
        // The validators are those of an answer that proved it.
        return Proof::Id { matches: Some(true), address_kept: true };
    };
    let buster = asked.kind.cache_buster.as_deref();
    let address_kept = same_address(asked.address, &page.final_url, buster);
    match asked.kind.identity {
        IdentityProof::Answer => Proof::Id {
            matches: first
                .and_then(|page| page.identity.handle.as_ref())
                .map(|handle| *handle == asked.target.handle),
            address_kept,
        },
        IdentityProof::Address => Proof::Address {
            address_kept,
            list_found: first.is_some_and(|page| page.verdict == PageVerdict::Observation),
        },
        IdentityProof::Nobody => Proof::Id { matches: None, address_kept },
    }
}

/// Whether two addresses are the same but for the scheme, a closing slash and the cache buster.
pub(super) fn same_address(asked: &str, reached: &str, buster: Option<&str>) -> bool {
    let plain = |address: &str| {
        let url = url::Url::parse(address).ok()?;
        let query: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| Some(name.as_ref()) != buster)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Some((url.host_str()?.to_owned(), url.path().trim_end_matches('/').to_owned(), query))
    };
    plain(asked).is_some_and(|one| Some(one) == plain(reached))
}

fn provenance(
    answered: &Answered,
    first: Option<&Extraction>,
    asked: &Asked<'_>,
    earlier: Earlier,
) -> Provenance {
    let page = match answered {
        Answered::Page(page) => page,
        Answered::NotModified(answer) => {
            return Provenance::Crawl(unchanged(answer, asked.target));
        }
    };
    match asked.platform.observability {
        Observability::PublicFeed => Provenance::Bridge {
            sent_at: page.sent_at,
            upstream_success: first.and_then(|feed| feed.source_time),
        },
        _ => Provenance::Crawl(answer(page, first, earlier)),
    }
}

fn unchanged(answer: &NotModified, target: &Claimed) -> Answer {
    Answer {
        sent_at: answer.sent_at,
        not_modified: true,
        conditional: true,
        no_cache: false,
        date: answer.date,
        age_seconds: None,
        cache_hit: false,
        cache_buster: false,
        peers_changed: false,
        same_since: target.body_as_of,
        unchanged_times: Vec::new(),
    }
}

fn answer(page: &Page, first: Option<&Extraction>, earlier: Earlier) -> Answer {
    let Earlier { same_since, peers_changed } = earlier;
    Answer {
        sent_at: page.sent_at,
        not_modified: false,
        conditional: page.conditional,
        no_cache: !page.conditional,
        date: page.date,
        age_seconds: page.age_seconds,
        cache_hit: page.cache_hit,
        cache_buster: page.cache_buster_sent,
        peers_changed,
        same_since,
        unchanged_times: same_since
            .zip(first)
            .map(|(since, page)| relative_times(&page.posts, since))
            .unwrap_or_default(),
    }
}

/// Digest of what a page said, so that a nonce or a server's clock in it is no change.
///
/// Times count as they are written: `5分钟前` is the same words a day later, though it would be
/// resolved to another time.
pub(super) fn digest(page: &Extraction) -> String {
    let mut posts = page.posts.clone();
    for post in posts.iter_mut().filter(|post| post.published_text.is_some()) {
        post.published = None;
    }
    let said = (&page.identity, &posts, &page.inquiries, page.exhausted);
    let text = serde_json::to_vec(&said).unwrap_or_default();
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use crate::domain::{Finding, Moment, Precision, SourceText};

    use super::*;

    #[test]
    fn addresses_are_compared_without_scheme_slash_and_cache_buster() {
        let check = |asked, reached, expected| {
            assert_eq!(same_address(asked, reached, Some("_")), expected, "{asked} {reached}");
        };
        check("http://a.cn/col/", "https://a.cn/col?_=17", true);
        check("https://a.cn/u?id=1", "https://a.cn/u?id=1&_=2", true);
        check("https://a.cn/u?id=1", "https://a.cn/u?id=2", false);
        check("https://a.cn/col/", "https://a.cn/", false);
        check("https://a.cn/", "https://b.cn/", false);
        check("nonsense", "nonsense", false);
    }

    fn read_at(at: &str) -> Extraction {
        let at: DateTime<Utc> = at.parse().expect("a time");
        let post = Post {
            published: Some(Moment { at, precision: Precision::Minute }),
            published_text: Some("5分钟前".to_owned()),
            ..Post::default()
        };
        Extraction {
            platform: "weibo".to_owned(),
            page: "timeline".to_owned(),
            layout: None,
            observed_at: at,
            identity: crate::domain::Identity::default(),
            posts: vec![post],
            inquiries: Vec::new(),
            columns: Vec::new(),
            exhausted: false,
            empty_marker: false,
            next: None,
            source_time: None,
            verdict: PageVerdict::Observation,
            reason: None,
            finding: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_same_words_are_the_same_page_whenever_they_are_read() {
        let (one, other) = (read_at("2026-11-20T00:00:00Z"), read_at("2026-11-23T00:00:00Z"));
        assert_eq!(digest(&one), digest(&other));
        let mut moved_on = other;
        moved_on.posts[0].published_text = Some("3天前".to_owned());
        assert_ne!(digest(&one), digest(&moved_on));
    }

    #[test]
    fn what_was_read_without_paths_is_no_verified_reading() {
        let text = include_str!("../../../config/platforms/portal.toml").to_owned();
        let source = SourceText { file: "portal.toml".to_owned(), text };
        let catalog = platform::Catalog::compile(&[source]).expect("the shipped file");
        let kind = &catalog.get("portal").expect("the platform").pages["list"];
        let by_paths = read_at("2026-11-20T00:00:00Z");
        assert!(rules(kind, &[by_paths.clone(), by_paths.clone()]).verified);
        let finding = Some(Finding { place: "6 entries".to_owned(), confidence_percent: 90 });
        let found = Extraction { finding, ..by_paths.clone() };
        assert!(!rules(kind, &[by_paths, found]).verified);
    }
}
