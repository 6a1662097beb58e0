//! The made-up city read through the shipped platform files: what is seen must be what is true.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xunjian::domain::{Clock, Count, Extraction, LedgerEntry, PageVerdict, Post, SourceText};
use xunjian::extract::{Page, extract};
use xunjian::fetch::{self, Fetched, Fetcher, HostLimit, Request};
use xunjian::platform::{Catalog, IdentityProof, PageKind, Role};
use xunjian::simulator::{Character, City, Fault, Simulator};

struct Standing(DateTime<Utc>);

impl Clock for Standing {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// What a visit to one page kind of one account brought.
enum Seen {
    Pages { cache_hit: bool, pages: Vec<Extraction> },
    Limited,
    Unreachable,
    Disallowed,
    Refused(String),
}

struct Visitor {
    simulator: Simulator,
    fetcher: Fetcher,
    catalog: Catalog,
    now: DateTime<Utc>,
}

/// A visited page kind, with everything that may be said about it.
struct Visited {
    entry: LedgerEntry,
    kind: String,
    seen: Seen,
}

fn catalog() -> Catalog {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/platforms");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let sources = files.map(|path| SourceText {
        file: path.display().to_string(),
        text: fs::read_to_string(&path).unwrap(),
    });
    Catalog::compile(&sources.collect::<Vec<_>>()).unwrap()
}

/// No pauses between requests, and none after refusals: nobody is hurt here.
fn fetcher(simulator: &Simulator, clock: Arc<dyn Clock>) -> Fetcher {
    let limit = HostLimit { per_minute: 1e6, concurrent: 1000, backoff_max_seconds: 0 };
    let settings = fetch::Settings {
        contact: "mailto:test@lucheng.example".to_owned(),
        timeout_seconds: 5,
        retry_after_max_seconds: 0,
        breaker_failures: 1_000_000,
        default_limit: limit,
        connect_to: simulator.connect_to(),
        ..fetch::Settings::default()
    };
    Fetcher::new(settings, [], clock).unwrap()
}

impl Visitor {
    async fn visit(&self, entry: &LedgerEntry, kind: &PageKind) -> Seen {
        let template = kind.url.as_ref().unwrap();
        let mut address = template.fill(&entry.handle, entry.url.as_deref(), 1).unwrap();
        let mut pages = Vec::new();
        let mut cache_hit = false;
        for number in 1..=kind.pages_max {
            let request = Request {
                url: address.clone(),
                confirming: true,
                cache_buster: kind.cache_buster.clone(),
                ..Request::default()
            };
            let page = match self.fetcher.fetch(request).await {
                Fetched::Page(page) => page,
                Fetched::Limited(_) => return Seen::Limited,
                Fetched::Unreachable(_) => return Seen::Unreachable,
                Fetched::Disallowed(_) => return Seen::Disallowed,
                other => return Seen::Refused(format!("{other:?}")),
            };
            cache_hit |= page.cache_hit;
            let extraction = extract(&Page {
                platform: self.catalog.get(&entry.platform).unwrap(),
                kind,
                body: &page.body,
                content_type: page.content_type.as_deref(),
                status: page.status,
                url: Some(&address),
                final_url: Some(&page.final_url),
                headers: &page.headers,
                observed_at: self.now,
                handle: Some(&entry.handle),
                number,
                inquiry_key: b"key",
            });
            // What follows the last page of a list is no page of it.
            if number > 1 && extraction.verdict != PageVerdict::Observation {
                break;
            }
            let next = extraction.next.clone();
            pages.push(extraction);
            match next {
                Some(next) => address = next,
                None => break,
            }
        }
        Seen::Pages { cache_hit, pages }
    }
}

/// Visits every crawled page kind of every account.
async fn visits(city: City, now: DateTime<Utc>) -> (Vec<Visited>, Simulator) {
    let clock: Arc<dyn Clock> = Arc::new(Standing(now));
    let stop = CancellationToken::new();
    let tracker = TaskTracker::new();
    let listen = "127.0.0.1:0".parse().unwrap();
    let simulator =
        Simulator::start(city, clock.clone(), listen, &tracker, stop.clone()).await.unwrap();
    // Who answers after seconds shows nothing that the others do not.
    for key in simulator.city().keys_of(Character::Slow) {
        simulator.set_fault(&key, Some(Fault::Slow { milliseconds: 0 }));
    }
    let fetcher = fetcher(&simulator, clock);
    let visitor =
        Arc::new(Visitor { simulator: simulator.clone(), fetcher, catalog: catalog(), now });
    let mut under_way = JoinSet::new();
    for entry in visitor.simulator.city().ledger() {
        for kind in visitor.catalog.get(&entry.platform).unwrap().crawled() {
            if !kind.role.speaks_for_account() {
                continue;
            }
            let (visitor, entry, kind) = (visitor.clone(), entry.clone(), kind.name.clone());
            under_way.spawn(async move {
                let platform = visitor.catalog.get(&entry.platform).unwrap();
                let seen = visitor.visit(&entry, &platform.pages[&kind]).await;
                Visited { entry, kind, seen }
            });
        }
    }
    let visited = under_way.join_all().await;
    stop.cancel();
    (visited, simulator)
}

/// What is wrong with what was seen, in words, where it does not agree with the truth.
fn disagreement(
    city: &City,
    visited: &Visited,
    kind: &PageKind,
    now: DateTime<Utc>,
) -> Result<(), String> {
    use Character::*;
    let key = &visited.entry.key;
    let character = city.character(key).unwrap();
    let wechat = visited.entry.platform == "wechat";
    let (cache_hit, pages) = match (&visited.seen, character) {
        (Seen::Pages { cache_hit, pages }, _) => (*cache_hit, pages),
        (Seen::Limited, RateLimiting) | (Seen::Disallowed, RobotsRefused) => return Ok(()),
        (Seen::Unreachable | Seen::Disallowed, Unreachable) => return Ok(()),
        (Seen::Limited, _) => return Err("limited".to_owned()),
        (Seen::Unreachable, _) => return Err("unreachable".to_owned()),
        (Seen::Disallowed, _) => return Err("disallowed".to_owned()),
        (Seen::Refused(what), _) => return Err(what.clone()),
    };
    let first = &pages[0];
    let verdict = |allowed: &[PageVerdict]| match allowed.contains(&first.verdict) {
        true => Ok(()),
        false => Err(format!("{:?} because of {:?}", first.verdict, first.reason)),
    };
    let unread = [PageVerdict::Blocked, PageVerdict::Drifted];
    match character {
        Unreachable | RobotsRefused => return Err("was read".to_owned()),
        Cancelled => return verdict(&[PageVerdict::Gone]),
        Walled if !wechat => return verdict(&[PageVerdict::Blocked]),
        Redesigned => return verdict(&unread),
        HollowSuccess if kind.role == Role::List => return verdict(&unread),
        Cached => return if cache_hit { Ok(()) } else { Err("a cache, unnoticed".to_owned()) },
        _ => {}
    }
    let as_of = first.source_time.unwrap_or(now);
    let truth = city.truth(key, as_of).unwrap().posts;
    if truth.is_empty() && kind.role == Role::List {
        // Columns say that they are empty; the others' empty lists prove nothing.
        return match visited.entry.platform.as_str() {
            "portal" if !first.empty_marker => Err("no sign of the empty list".to_owned()),
            "portal" => verdict(&[PageVerdict::Observation]),
            _ => verdict(&unread),
        };
    }
    verdict(&[PageVerdict::Observation])?;
    if kind.identity == IdentityProof::Answer
        && first.identity.handle.as_ref() != Some(&visited.entry.handle)
    {
        return Err(format!("the page of {:?}", first.identity.handle));
    }
    if visited.entry.platform == "portal" && truth.len() >= 20 && pages.len() == 1 {
        return Err("only the first page of the column was read".to_owned());
    }
    match kind.role {
        Role::Profile => counter(first, truth.len() as u64, character),
        _ => posts(pages, &truth),
    }
}

fn counter(profile: &Extraction, truth: u64, character: Character) -> Result<(), String> {
    match profile.identity.posts_total {
        Some(Count::Exact(total)) if total == truth => Ok(()),
        Some(Count::Exact(total)) if total < truth && character == Character::Deleting => Ok(()),
        ref total => Err(format!("{total:?} posts, in truth {truth}")),
    }
}

/// The newest post is the true one, and each that is listed exists, once.
fn posts(pages: &[Extraction], truth: &[DateTime<Utc>]) -> Result<(), String> {
    let listed = pages.iter().flat_map(|page| &page.posts).collect::<Vec<_>>();
    let claims = |post: &Post, at: DateTime<Utc>| {
        post.published.is_some_and(|claim| claim.lower() <= at && at < claim.upper())
    };
    let newest = listed.iter().max_by_key(|post| post.published.map(|claim| claim.at));
    let last = *truth.last().unwrap();
    if !newest.is_some_and(|post| claims(post, last)) {
        return Err(format!(
            "the newest is {:?}, in truth {last}",
            newest.map(|one| &one.published)
        ));
    }
    if let Some(post) = listed.iter().find(|post| !truth.iter().any(|at| claims(post, *at))) {
        return Err(format!("there is no {:?}", post.published_text));
    }
    let mut names = listed.iter().map(|post| (&post.reference, &post.url)).collect::<Vec<_>>();
    names.sort_unstable();
    names.dedup();
    match names.len() == listed.len() {
        true => Ok(()),
        false => Err(format!("{} posts, {} different", listed.len(), names.len())),
    }
}

async fn check(seed: u64, now: &str) {
    let now: DateTime<Utc> = now.parse().unwrap();
    let (visited, simulator) = visits(City::generate(seed, now, 240), now).await;
    let (city, catalog) = (simulator.city(), catalog());
    let mut wrong = Vec::new();
    let mut agreed = BTreeMap::<(String, String), usize>::new();
    for one in &visited {
        let kind = &catalog.get(&one.entry.platform).unwrap().pages[&one.kind];
        let character = city.character(&one.entry.key).unwrap();
        match disagreement(city, one, kind, now) {
            Ok(()) => {
                *agreed.entry((one.entry.platform.clone(), one.kind.clone())).or_default() += 1;
            }
            Err(what) => {
                wrong.push(format!("{} {} {character:?}: {what}", one.entry.key, one.kind));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), visited.len(), wrong.join("\n"));
    assert_eq!(agreed.len(), 5, "{agreed:?}");
    assert_eq!(visited.len(), 240 + 84, "every account, the microblogs by two pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_of_the_city_is_seen_as_it_is() {
    check(7, "2026-11-22T02:30:00Z").await;
}

/// Shortly after midnight in Shanghai and after New Year, when dates without a year turn over.
#[tokio::test(flavor = "multi_thread")]
async fn the_turn_of_a_year_changes_nothing() {
    check(8, "2026-12-31T16:10:00Z").await;
}
