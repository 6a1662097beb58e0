use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;

use super::*;
use crate::domain::{HostPace, HostTerms};
use crate::fetch::HostLimit;

fn robots(text: &'static str) -> Server {
    Server::start(move |seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(200, text.as_bytes()),
        _ => Reply::new(200, b"page"),
    })
}

#[tokio::test]
async fn a_page_that_robots_txt_refuses_is_not_asked_for() {
    let server = robots("User-agent: xunjian\nDisallow: /private\n");
    let fetcher = fetcher(mapped(&server, ""));
    let fetched = get(&fetcher, "http://a.example/private/1").await;
    assert_ended(&fetched, "disallowed", "robots_rule");
    assert_eq!(fetched.detail(), "Disallow: /private");
    page(get(&fetcher, "http://a.example/public").await);
    assert_eq!(server.paths(), ["/robots.txt", "/public"]);
}

#[tokio::test]
async fn a_written_authorisation_lifts_the_refusal_for_its_host_only() {
    let server = robots("User-agent: *\nDisallow: /\n");
    let fetcher =
        fetcher(mapped(&server, "authorised_hosts = { 'a.example' = '政数函〔2026〕12号' }"));
    page(get(&fetcher, "http://a.example/1").await);
    assert_ended(&get(&fetcher, "http://b.example/1").await, "disallowed", "robots_rule");
    assert_eq!(server.paths(), ["/1", "/robots.txt"]);
}

#[tokio::test]
async fn a_redirect_is_judged_by_the_robots_txt_of_its_target() {
    let server = Server::start(|seen| match (seen.header("host"), seen.path.as_str()) {
        (Some("b.example"), "/robots.txt") => Reply::new(200, b"User-agent: *\nDisallow: /"),
        (_, "/robots.txt") => Reply::new(404, b""),
        _ => Reply::redirect("http://b.example/1"),
    });
    let fetched = get(&fetcher(mapped(&server, "")), "http://a.example/").await;
    assert_ended(&fetched, "disallowed", "robots_rule");
    assert_eq!(server.paths(), ["/robots.txt", "/", "/robots.txt"]);
}

#[tokio::test]
async fn what_a_robots_txt_comes_to_depends_on_its_status() {
    let check = async |reply: fn(&str) -> Reply, expected: &str| {
        let server = Server::start(move |seen| match seen.path.as_str() {
            "/page" => Reply::new(200, b""),
            path => reply(path),
        });
        let fetched = get(&fetcher(mapped(&server, "")), "http://a.example/page").await;
        assert_eq!(fetched.reason().unwrap_or("page"), expected);
    };
    check(|_| Reply::new(404, b"User-agent: *\nDisallow: /"), "page").await;
    check(|_| Reply::new(403, b""), "page").await;
    check(|_| Reply::new(500, b""), "robots_unreachable").await;
    check(|_| Reply::new(503, b""), "robots_unreachable").await;
    check(|_| Reply::new(429, b""), "too_many_requests").await;
    check(|_| Reply::raw(b""), "broken_answer").await;
    check(|_| Reply::redirect("/robots.txt"), "page").await;
    check(
        |path| match path {
            "/r" => Reply::new(200, b"User-agent: *\nDisallow: /"),
            _ => Reply::redirect("http://b.example/r"),
        },
        "robots_rule",
    )
    .await;
    check(|_| Reply::gzip(b"User-agent: *\nDisallow: /"), "robots_rule").await;
    let long = |_: &str| {
        let body = format!("User-agent: *\nDisallow: /\n{}", "# more\n".repeat(100_000));
        Reply::new(200, body.as_bytes())
    };
    check(long, "robots_rule").await;
}

#[tokio::test]
async fn a_robots_txt_is_asked_for_once_a_day_and_sooner_after_a_failure() {
    let broken = Arc::new(AtomicUsize::new(0));
    let script = broken.clone();
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/robots.txt" if script.load(Ordering::SeqCst) > 0 => Reply::new(503, b""),
        _ => Reply::new(200, b""),
    });
    let clock = SteppedClock::new();
    let fetcher = Fetcher::new(mapped(&server, ""), [], clock.clone()).unwrap();
    let asked = || server.paths().iter().filter(|path| *path == "/robots.txt").count();
    let fetch = async || get(&fetcher, "http://a.example/1").await;

    let both = join_all([fetch(), fetch()]).await;
    both.into_iter().for_each(|one| drop(page(one)));
    assert_eq!(asked(), 1);
    clock.step(TimeDelta::hours(23));
    page(fetch().await);
    assert_eq!(asked(), 1);

    broken.store(1, Ordering::SeqCst);
    clock.step(TimeDelta::hours(1));
    assert_ended(&fetch().await, "disallowed", "robots_unreachable");
    clock.step(TimeDelta::minutes(9));
    assert_ended(&fetch().await, "disallowed", "robots_unreachable");
    assert_eq!(asked(), 2);

    broken.store(0, Ordering::SeqCst);
    clock.step(TimeDelta::minutes(1));
    page(fetch().await);
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn a_host_that_says_429_is_left_alone_as_long_as_it_asks() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        _ => Reply::new(429, b"").header("Retry-After", "3000"),
    });
    let fetcher = fetcher(mapped(&server, "retry_after_max_seconds = 2000"));
    let Fetched::Limited(limited) = get(&fetcher, "http://a.example/1").await else {
        panic!("expected a limit");
    };
    assert_eq!(limited.reason.as_str(), "too_many_requests");
    assert_eq!(limited.retry_after, Duration::from_secs(2000));
    let Fetched::Limited(limited) = get(&fetcher, "http://a.example/2").await else {
        panic!("expected a limit");
    };
    assert_eq!((limited.reason.as_str(), limited.reason.is_ours()), ("retry_after", true));
    assert!(limited.retry_after > Duration::from_secs(1900));
    assert!(fetcher.penalty("a.example") > Duration::ZERO);
    assert_eq!(fetcher.penalty("b.example"), Duration::ZERO);
    assert_eq!(server.paths(), ["/robots.txt", "/1"]);
}

#[tokio::test]
async fn a_wall_found_by_extraction_slows_its_host_down() {
    let server = robots("");
    let fetcher = fetcher(mapped(&server, ""));
    page(get(&fetcher, "http://a.example/").await);
    assert_eq!(fetcher.penalty("a.example"), Duration::ZERO);
    fetcher.report_blocked("A.example.");
    let once = fetcher.penalty("a.example");
    fetcher.report_blocked("a.example");
    assert!(Duration::ZERO < once && once < fetcher.penalty("a.example"));
}

#[tokio::test]
async fn a_host_that_fails_again_and_again_is_left_alone() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        _ => Reply::new(500, b""),
    });
    let fetcher = fetcher(mapped(&server, "breaker_failures = 3"));
    for _ in 0..3 {
        assert_ended(&get(&fetcher, "http://a.example/").await, "unreachable", "server_error");
    }
    assert_ended(&get(&fetcher, "http://a.example/").await, "limited", "circuit_open");
    assert_eq!(server.paths().len(), 4);
}

#[tokio::test]
async fn one_request_is_in_flight_per_host() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        "/long" => Reply::new(200, b"").delayed(Duration::from_millis(60)),
        _ => Reply::new(200, b"").delayed(Duration::from_millis(5)),
    });
    let limit = |host: &str, concurrent| {
        (host.to_owned(), HostLimit { per_minute: 60_000.0, concurrent, ..Default::default() })
    };
    let limits = [limit("one.example", 1), limit("three.example", 3)];
    let fetcher = Fetcher::new(mapped(&server, ""), limits, SteppedClock::new()).unwrap();
    let eight = async |url: &str| {
        join_all((0..8).map(|_| get(&fetcher, url)))
            .await
            .into_iter()
            .for_each(|one| drop(page(one)));
    };
    eight("http://one.example/").await;
    assert_eq!(server.in_flight_max(), 1);
    eight("http://three.example/long").await;
    assert!((2..=3).contains(&server.in_flight_max()), "{}", server.in_flight_max());
}

#[tokio::test]
async fn a_fetch_without_patience_is_handed_back_with_its_wait() {
    let server = robots("");
    let limits = "limits = { 'a.example' = { per_minute = 1 } }";
    let fetcher = fetcher(mapped(&server, limits));
    let request = Request { patience: Some(Duration::ZERO), ..Request::new("http://a.example/") };
    // The first turn went to robots.txt, which is believed from now on.
    let fetched = fetcher.fetch(request).await;
    assert_ended(&fetched, "limited", "patience");
    let Fetched::Limited(limited) = fetched else { unreachable!() };
    assert!(limited.retry_after > Duration::from_secs(50));
    assert_eq!(server.paths(), ["/robots.txt"]);
}

#[tokio::test]
async fn a_host_is_not_asked_in_its_quiet_hours() {
    let server = robots("");
    let clock = SteppedClock::new();
    // Noon UTC is 20:00 in Shanghai.
    let settings = mapped(&server, "quiet_hours = { '*.example' = '19:00-21:00' }");
    let fetcher = Fetcher::new(settings, [], clock.clone()).unwrap();
    let fetched = get(&fetcher, "http://a.example/").await;
    assert_ended(&fetched, "limited", "quiet_hours");
    let Fetched::Limited(limited) = fetched else { unreachable!() };
    assert_eq!(limited.retry_after, Duration::from_secs(3600));
    assert_eq!(fetcher.pace("a.example").rest_until, Some(clock.now() + TimeDelta::hours(1)));
    assert_eq!(server.paths(), [""; 0]);
    clock.step(TimeDelta::hours(1));
    page(get(&fetcher, "http://a.example/").await);
    assert_eq!(fetcher.pace("a.example").rest_until, None);
}

#[tokio::test]
async fn nothing_is_asked_beyond_the_claim_and_the_host_is_not_blamed() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/robots.txt" => Reply::new(404, b""),
        "/slow" => Reply::new(200, b"slow").declared(Some(1000)).hanging(),
        _ => Reply::new(200, b"page"),
    });
    let clock = SteppedClock::new();
    let fetcher = Fetcher::new(mapped(&server, ""), [], clock.clone()).unwrap();
    let fetch = async |path: &str, left: TimeDelta| {
        let not_after = Some(clock.now() + left);
        let url = format!("http://a.example{path}");
        fetcher.fetch(Request { not_after, ..Request::new(url) }).await
    };
    assert_ended(&fetch("/", TimeDelta::zero()).await, "limited", "lease_ended");
    assert_ended(&fetch("/", TimeDelta::seconds(-1)).await, "limited", "lease_ended");
    assert_eq!(server.paths(), [""; 0]);
    page(fetch("/", TimeDelta::hours(1)).await);
    let cut = fetch("/slow", TimeDelta::milliseconds(200)).await;
    assert_ended(&cut, "limited", "lease_ended");
    assert_eq!(fetcher.penalty("a.example"), Duration::ZERO);
}

#[tokio::test]
async fn a_host_that_is_taken_over_keeps_the_pace_it_was_left_with() {
    let server = robots("");
    let clock = SteppedClock::new();
    let fetcher = Fetcher::new(mapped(&server, ""), [], clock.clone()).unwrap();
    let limit = HostLimit { per_minute: 60_000.0, concurrent: 1, backoff_max_seconds: 600 };
    let rest_until = Some(clock.now() + TimeDelta::minutes(20));
    let pace = HostPace { speed: 0.5, troubles: 1, rest_until };
    let free_since = Some(clock.now());
    fetcher.take_over("A.example", limit, &HostTerms { pace, taken: true, free_since });
    assert!(fetcher.pace("a.example").agrees_with(&pace, clock.now()));
    let fetched = get(&fetcher, "http://a.example/").await;
    assert_ended(&fetched, "limited", "retry_after");
    // What it holds already it knows better than what is written.
    let other = HostTerms { taken: false, ..HostTerms::default() };
    fetcher.take_over("a.example", limit, &other);
    assert!(fetcher.pace("a.example").agrees_with(&pace, clock.now()));
    fetcher.take_over("a.example", limit, &HostTerms { taken: true, ..HostTerms::default() });
    page(get(&fetcher, "http://a.example/").await);
    assert!(fetcher.let_go("a.example"));
    assert_ended(&get(&fetcher, "http://a.example/").await, "limited", "lease_ended");
}
