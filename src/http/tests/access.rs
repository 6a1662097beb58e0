//! Who may read what, and how often.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{FewAccounts, Reply, TestSite, open};
use crate::domain::{Area, FindingId, FindingState, Grant, Scope, Sha256Digest};
use crate::http::{Acts, Answer, Done, HandedOver, Refusal, Register, Settings, TakenStep};
use crate::jobs::findings::PersonFinding;
use crate::jobs::import::Export;
use crate::metrics;
use crate::store::{AuditEntry, Begun, KeptAnswer, Token};

impl Register for FewAccounts {
    fn token_of<'a>(&'a self, secret: &'a str) -> Answer<'a, Option<Token>> {
        self.answer(token(secret))
    }

    fn token_used(&self, _: i64, _: DateTime<Utc>) -> Answer<'_, ()> {
        self.answer(())
    }

    fn audit<'a>(&'a self, _: &'a AuditEntry, _: DateTime<Utc>) -> Answer<'a, i64> {
        self.answer(1)
    }

    fn begin_answer<'a>(
        &'a self,
        _: (i64, &'a str),
        _: Sha256Digest,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
    ) -> Answer<'a, Begun> {
        self.answer(Begun::New)
    }

    fn end_answer<'a>(&'a self, _: (i64, &'a str), _: Option<&'a KeptAnswer>) -> Answer<'a, ()> {
        self.answer(())
    }
}

/// Nobody does anything here.
impl Acts for FewAccounts {
    fn step(&self, _: TakenStep) -> Done<'_, FindingState> {
        Box::pin(async { Err(Refusal::Invalid("nothing is done here".to_owned())) })
    }

    fn enter(&self, _: PersonFinding, _: Area) -> Done<'_, FindingId> {
        Box::pin(async { Err(Refusal::Invalid("nothing is done here".to_owned())) })
    }

    fn hand_in<'a>(&'a self, _: Export<'a>, _: bool) -> Done<'a, HandedOver> {
        Box::pin(async { Err(Refusal::Invalid("nothing is done here".to_owned())) })
    }

    fn run(&self, job: &str) -> bool {
        job == "judge"
    }
}

/// Secrets are `SCOPE-AREA`; those that begin with `late-` or `revoked-` are not valid any more.
fn token(secret: &str) -> Option<Token> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let (rest, expires_at) = match secret.strip_prefix("late-") {
        Some(rest) => (rest, at("2026-11-22T04:00:00Z")),
        None => (secret, at("2027-01-01T00:00:00Z")),
    };
    let (rest, revoked) = match rest.strip_prefix("revoked-") {
        Some(rest) => (rest, Some(("li".to_owned(), at("2026-11-01T00:00:00Z")))),
        None => (rest, None),
    };
    let (scope, area) = rest.split_once('-')?;
    let scope = Scope::from_word(scope)?;
    let grant = Grant {
        token: i64::try_from(secret.len()).unwrap(),
        person: "zhang".to_owned(),
        scope,
        area: area.parse().ok()?,
        sponsor: (scope == Scope::Sponsor).then_some(7),
        source: None,
    };
    Some(Token {
        grant,
        sponsor: None,
        created_by: "li".to_owned(),
        created_at: at("2026-01-01T00:00:00Z"),
        expires_at,
        revoked,
        last_used_at: None,
    })
}

impl TestSite {
    async fn get_as(&self, secret: &str, path: &str) -> Reply {
        self.get_with(path, &format!("authorization: Bearer {secret}\r\n")).await
    }
}

async fn closed() -> TestSite {
    TestSite::with(Settings::default(), metrics::Settings::default()).await
}

#[tokio::test]
async fn reading_needs_a_token_unless_the_settings_let_this_machine_read() {
    let site = closed().await;
    for path in ["/api/v1/accounts", "/api/v1/accounts/weibo:1", "/api/v1/assessments"] {
        let refused = site.get(path).await;
        refused.is_problem(401, "a token is needed");
        assert!(refused.head.contains("www-authenticate: bearer"), "{}", refused.head);
        assert_eq!(site.get_as("read-", path).await.status, 200, "{path}");
    }
    for path in ["/", "/healthz", "/metrics", "/metrics/accounts"] {
        assert_eq!(site.get(path).await.status, 200, "{path}");
    }
    assert!(!site.get("/").await.text().contains("账号 3 个"), "nobody is told a number");
    for (secret, words) in [
        ("none", "no such token"),
        ("late-read-", "past its end"),
        ("revoked-read-", "is revoked"),
        ("", "Bearer and a token"),
    ] {
        site.get_as(secret, "/api/v1/accounts").await.is_problem(401, words);
    }
    let basic = "authorization: Basic eDp5\r\n";
    site.get_with("/api/v1/accounts", basic).await.is_problem(401, "Bearer");
    // A wrong token is told so also where none is needed.
    site.get_as("none", "/metrics").await.is_problem(401, "no such token");
}

#[tokio::test]
async fn this_machine_is_known_by_its_address_its_name_and_no_proxy() {
    let site = TestSite::start().await;
    let ask = |host: &str, more: &str| {
        format!("GET /api/v1/accounts HTTP/1.1\r\nhost: {host}\r\n{more}connection: close\r\n\r\n")
    };
    for host in ["localhost:9611", "127.0.0.1", "[::1]:9611", "LOCALHOST"] {
        assert_eq!(site.send(&ask(host, "")).await.status, 200, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "192.168.1.2:9611", ""] {
        site.send(&ask(host, "")).await.is_problem(401, "loopback");
        let shown = "authorization: Bearer read-\r\n";
        assert_eq!(site.send(&ask(host, shown)).await.status, 200, "{host}");
    }
    for header in ["x-forwarded-for: 10.0.0.1", "forwarded: for=10.0.0.1", "via: 1.1 proxy"] {
        let header = format!("{header}\r\n");
        site.send(&ask("127.0.0.1", &header)).await.is_problem(401, "proxy");
        site.get_with("/metrics", &header).await.is_problem(401, "proxy");
    }
}

#[tokio::test]
async fn the_scope_says_what_a_token_opens() {
    let site = closed().await;
    for scope in ["read-", "report-", "write-", "admin-"] {
        for path in ["/api/v1/accounts", "/api/v1/assessments", "/metrics"] {
            assert_eq!(site.get_as(scope, path).await.status, 200, "{scope} {path}");
        }
    }
    for scope in ["sponsor-", "import-", "notify-"] {
        for path in ["/api/v1/accounts", "/api/v1/assessments/2026-06.csv", "/metrics"] {
            site.get_as(scope, path).await.is_problem(403, "scope");
        }
    }
    for path in ["/metrics", "/metrics/accounts"] {
        site.get_as("read-441521", path).await.is_problem(403, "all areas");
    }
}

#[tokio::test]
async fn what_lies_outside_of_the_area_does_not_exist() {
    let site = closed().await;
    let keys = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    };
    for (secret, query, found) in [
        ("read-441521", "", &["weibo:1", "weibo:3"][..]),
        ("read-441521", "?area=4415", &["weibo:1", "weibo:3"]),
        ("read-441522", "", &["portal:https://a.gov.cn/x/"]),
        ("read-441522", "?area=441521", &[]),
        ("read-441500", "?area=441521", &["weibo:1", "weibo:3"]),
        ("read-33", "", &[]),
        ("read-33", "?area=44", &[]),
    ] {
        let page = site.get_as(secret, &format!("/api/v1/accounts{query}")).await.json();
        assert_eq!(keys(&page), found, "{secret} {query}");
        assert_eq!(page["next_cursor"], Value::Null);
    }
    let other = site.get_as("read-441522", "/api/v1/accounts/weibo:1").await;
    other.is_problem(404, "there is no account \"weibo:1\"");
    let none = site.get_as("read-441522", "/api/v1/accounts/weibo:none").await;
    assert_eq!(
        other.text().replace("weibo:1", "weibo:none"),
        none.text(),
        "what is hidden looks like what is not there"
    );
    site.get_as("read-441522", "/api/v1/accounts/weibo:1/site").await.is_problem(404, "weibo:1");
    // Frozen results: the numbers of others are not counted either.
    let listed = site.get_as("read-441521", "/api/v1/assessments").await.json();
    assert_eq!(listed["items"][0]["accounts"], 1);
    let listed = site.get_as("read-33", "/api/v1/assessments").await.json();
    assert_eq!(listed["items"], serde_json::json!([]));
    site.get_as("read-33", "/api/v1/assessments/2026-06").await.is_problem(404, "not frozen");
    let feed = site.get_as("read-441521", "/api/v1/assessments/2026-06.csv?area=441522").await;
    assert_eq!((feed.status, feed.text().lines().count()), (200, 1), "only the head");
    assert!(site.get_as("read-441521", "/").await.text().contains("账号 2 个"));
}

#[tokio::test]
async fn a_token_that_asks_too_often_waits_and_no_other_with_it() {
    let few = Settings { requests_per_minute: 2, refusals_per_minute: 3, ..open() };
    let site = TestSite::with(few, metrics::Settings::default()).await;
    for _ in 0..2 {
        assert_eq!(site.get_as("read-44", "/api/v1/accounts").await.status, 200);
    }
    let refused = site.get_as("read-44", "/api/v1/accounts").await;
    refused.is_problem(429, "try again in");
    let seconds = refused.head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=60).contains(&seconds.parse::<u32>().unwrap()), "{seconds}");
    assert_eq!(site.get_as("read-4415", "/api/v1/accounts").await.status, 200);
    assert_eq!(site.get("/api/v1/accounts").await.status, 200);
    for _ in 0..3 {
        site.get_as("wrong", "/api/v1/accounts").await.is_problem(401, "no such token");
    }
    let guessing = site.get_as("wrong", "/api/v1/accounts").await;
    guessing.is_problem(429, "too many");
    assert!(guessing.head.contains("retry-after: "), "{}", guessing.head);
}

#[tokio::test]
async fn writing_needs_a_token_that_includes_it() {
    let site = TestSite::start().await;
    let post = |path: &str, secret: &str, body: &str| {
        let address = site.address;
        let shown = match secret {
            "" => String::new(),
            secret => format!("authorization: Bearer {secret}\r\n"),
        };
        format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\n{shown}content-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let job = "/api/v1/jobs/judge";
    site.send(&post(job, "", "")).await.is_problem(401, "a token is needed");
    for scope in ["read-", "sponsor-", "import-", "report-", "write-", "notify-"] {
        site.send(&post(job, scope, "")).await.is_problem(403, "does not include this");
    }
    site.send(&post(job, "admin-44", "")).await.is_problem(403, "all areas");
    assert_eq!(site.send(&post(job, "admin-", "")).await.status, 202);
    site.send(&post("/api/v1/jobs/sing", "admin-", "")).await.is_problem(404, "housekeeping");
    let reason = r#"{"reason":"x"}"#;
    for step in ["approve", "recheck", "dismiss", "reopen"] {
        let path = format!("/api/v1/findings/1/{step}");
        site.send(&post(&path, "sponsor-", reason)).await.is_problem(403, "scope is sponsor");
        site.send(&post(&path, "write-", reason)).await.is_problem(404, "no finding 1");
    }
    site.send(&post("/api/v1/findings/1/explain", "sponsor-", reason)).await.is_problem(404, "1");
    let large = "x".repeat(70_000);
    let path = "/api/v1/findings/1/approve";
    site.send(&post(path, "write-", &large)).await.is_problem(413, "65536 bytes");
    site.send(&post(path, "write-", "{")).await.is_problem(400, "JSON");
    site.send(&post(path, "write-", "{}")).await.is_problem(422, "reason");
}
