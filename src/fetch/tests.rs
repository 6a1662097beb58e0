//! The whole way of a request, against a server on a real socket that writes down what it sees.

mod inside;
mod politeness;
mod safety;
mod server;

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::{Fetched, Fetcher, Page, Request, Settings, Validators};
use crate::domain::Clock;
use server::{Reply, Server};

/// Stands still until it is told to step.
struct SteppedClock(Mutex<DateTime<Utc>>);

impl SteppedClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap())))
    }

    fn step(&self, time: TimeDelta) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// Settings under which every `*.example` host is the server, fast.
fn mapped(server: &Server, more: &str) -> Settings {
    let text = format!(
        "{more}\nconnect_to = {{ '*.example' = '{}' }}\n\
         default_limit = {{ per_minute = 60000, concurrent = 4 }}",
        server.address
    );
    toml::from_str(&text).unwrap()
}

fn fetcher(settings: Settings) -> Fetcher {
    Fetcher::new(settings, [], SteppedClock::new()).unwrap()
}

async fn get(fetcher: &Fetcher, url: &str) -> Fetched {
    fetcher.fetch(Request::new(url)).await
}

#[track_caller]
fn page(fetched: Fetched) -> Page {
    match fetched {
        Fetched::Page(page) => *page,
        other => panic!("no page: {other:?}"),
    }
}

#[track_caller]
fn assert_ended(fetched: &Fetched, outcome: &str, reason: &str) {
    assert_eq!((fetched.as_str(), fetched.reason()), (outcome, Some(reason)), "{fetched:?}");
    assert!(!fetched.detail().is_empty());
}

#[tokio::test]
async fn a_page_comes_with_everything_that_dates_it() {
    let server = Server::start(|_| {
        Reply::gzip("政务公开".as_bytes())
            .header("Date", "Sun, 22 Nov 2026 11:59:58 GMT")
            .header("Age", "7")
            .header("ETag", "\"abc\"")
            .header("Last-Modified", "Sun, 22 Nov 2026 11:00:00 GMT")
            .header("Content-Type", "text/html; charset=utf-8")
            .header("Set-Cookie", "id=1")
            .header("X-Layout", "two")
    });
    let fetcher = fetcher(mapped(&server, "contact = 'mailto:office@city.example'"));
    let page = page(get(&fetcher, "https://m.weibo.example:8443/u/1?page=2#top").await);
    assert_eq!(page.status, 200);
    assert_eq!(&page.body[..], "政务公开".as_bytes());
    assert_eq!(page.final_url, "https://m.weibo.example:8443/u/1?page=2#top");
    assert_eq!(page.date, Some(Utc.with_ymd_and_hms(2026, 11, 22, 11, 59, 58).unwrap()));
    assert_eq!((page.age_seconds, page.cache_hit), (Some(7), true));
    assert_eq!(page.validators.etag.as_deref(), Some("\"abc\""));
    assert_eq!(page.content_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!((page.header("x-layout"), page.header("Set-Cookie")), (Some("two"), None));
    assert_eq!((page.conditional, page.cache_buster_sent, page.redirects), (false, false, 0));
    assert!(page.wire_bytes > 0);

    let seen = server.seen();
    let asked = &seen[1];
    assert_eq!((seen[0].path.as_str(), asked.path.as_str()), ("/robots.txt", "/u/1?page=2"));
    assert_eq!(asked.header("host"), Some("m.weibo.example:8443"));
    let agent = concat!("xunjian/", env!("CARGO_PKG_VERSION"), " (+mailto:office@city.example)");
    assert_eq!(asked.header("user-agent"), Some(agent));
    assert_eq!(asked.header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn no_cookie_is_ever_sent_back() {
    let server = Server::start(|_| Reply::new(200, b"").header("Set-Cookie", "id=1; Path=/"));
    let fetcher = fetcher(mapped(&server, ""));
    for _ in 0..2 {
        page(get(&fetcher, "http://a.example/").await);
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(
        seen.iter().all(|one| one.header("cookie").is_none() && one.header("referer").is_none())
    );
}

#[tokio::test]
async fn a_conditional_request_may_end_in_not_modified() {
    let server = Server::start(|seen| match seen.header("if-none-match") {
        Some("\"abc\"") => Reply::new(304, b"").header("Date", "Sun, 22 Nov 2026 11:00:00 GMT"),
        _ => Reply::new(200, b"new"),
    });
    let fetcher = fetcher(mapped(&server, ""));
    let validators = |etag: &str| {
        Some(Validators { etag: Some(etag.to_owned()), last_modified: Some("x".to_owned()) })
    };
    let request =
        Request { validators: validators("\"abc\""), ..Request::new("http://a.example/") };
    let Fetched::NotModified(same) = fetcher.fetch(request.clone()).await else {
        panic!("expected 304");
    };
    assert_eq!(same.date, Some(Utc.with_ymd_and_hms(2026, 11, 22, 11, 0, 0).unwrap()));
    let other = Request { validators: validators("\"old\""), ..request.clone() };
    assert!(page(fetcher.fetch(other).await).conditional);
    assert!(!page(fetcher.fetch(Request { confirming: true, ..request }).await).conditional);
    let seen = server.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.header("cache-control"), Some("no-cache"));
    assert_eq!((last.header("if-none-match"), last.header("if-modified-since")), (None, None));
    assert_eq!(seen[2].header("cache-control"), None);
}

#[tokio::test]
async fn validators_of_one_address_are_not_sent_to_another() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/old" => Reply::redirect("/new"),
        _ => Reply::new(200, b""),
    });
    let validators = Some(Validators { etag: Some("\"1\"".to_owned()), last_modified: None });
    let request = Request { validators, ..Request::new("http://a.example/old") };
    assert!(!page(fetcher(mapped(&server, "")).fetch(request).await).conditional);
    let sent: Vec<_> =
        server.seen().iter().map(|one| one.header("if-none-match").is_some()).collect();
    assert_eq!(sent, [false, true, false], "robots.txt, the address, the redirect's target");
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_broken_answer() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        _ => Reply::new(304, b""),
    });
    let fetched = get(&fetcher(mapped(&server, "")), "http://a.example/").await;
    assert_ended(&fetched, "unreachable", "broken_answer");
}

#[tokio::test]
async fn a_cache_buster_is_never_the_same_and_not_part_of_the_address() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/moved" => Reply::redirect("/plain"),
        path if path.starts_with("/moved?") => Reply::redirect("/plain"),
        _ => Reply::new(200, b""),
    });
    let fetcher = fetcher(mapped(&server, ""));
    let busting = |url: &str| Request {
        cache_buster: Some("_".to_owned()),
        confirming: true,
        ..Request::new(url)
    };
    for _ in 0..2 {
        let page = page(fetcher.fetch(busting("http://a.example/list?q=%20x&y=1")).await);
        assert!(page.cache_buster_sent);
        assert_eq!(page.final_url, "http://a.example/list?q=%20x&y=1");
    }
    assert_eq!(
        page(fetcher.fetch(busting("http://a.example/bare")).await).final_url,
        "http://a.example/bare"
    );
    assert!(!page(fetcher.fetch(busting("http://a.example/moved")).await).cache_buster_sent);
    let mut paths: Vec<_> = server.seen().into_iter().map(|one| one.path).collect();
    assert!(paths[1].starts_with("/list?q=%20x&y=1&_=1795348800000"), "{}", paths[1]);
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), server.seen().len());
}

#[tokio::test]
async fn walls_and_missing_pages_are_pages() {
    let server = Server::start(|seen| {
        let status = seen.path.trim_start_matches('/').parse().unwrap_or(404);
        Reply::new(status, b"why")
    });
    let fetcher = fetcher(mapped(&server, ""));
    for status in [400, 401, 403, 404, 410, 418, 432, 451] {
        let page = page(get(&fetcher, &format!("http://a.example/{status}")).await);
        assert_eq!((page.status, &page.body[..]), (status, &b"why"[..]));
    }
}

#[tokio::test]
async fn a_fetch_may_be_spawned_and_dropped() {
    let server = Server::start(|_| Reply::new(200, b"").hanging().declared(Some(1)));
    let fetcher = Arc::new(fetcher(mapped(&server, "patience_seconds = 1")));
    let mut tasks = tokio::task::JoinSet::new();
    let spawned = fetcher.clone();
    tasks.spawn(async move { get(&spawned, "http://a.example/").await });
    tokio::task::yield_now().await;
    tasks.shutdown().await;
    assert_eq!(fetcher.penalty("a.example"), std::time::Duration::ZERO);
}
