use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::domain::{
    ActiveFinding, Activity, Clock, Count, FindingCell, FindingId, FleetCell, Reason, Standing,
};
use crate::metrics::{self, Known, Metrics, ScoreQuantile};
use crate::observe::History;
use crate::store::{
    Assessment, EvidenceRow, FindingEvent, FindingFilter, FindingRecord, FrozenFilter,
    IssuedNotice, ListedScore, ScoreFilter, SiteFacts, StoredPost, VisitLine,
};

mod access;
mod document;
mod feeds;
mod pages;

/// A store of a few accounts that can be taken down.
#[derive(Default)]
struct FewAccounts {
    down: AtomicBool,
    hangs: AtomicBool,
    fleet_reads: AtomicUsize,
}

impl FewAccounts {
    fn answer<T: Send + 'static>(&self, value: T) -> Answer<'_, T> {
        if self.hangs.load(Ordering::Relaxed) {
            return Box::pin(std::future::pending());
        }
        let down = self.down.load(Ordering::Relaxed);
        Box::pin(async move { if down { Err(Unavailable::new("refused")) } else { Ok(value) } })
    }
}

fn few() -> Vec<Standing> {
    let standing = |key: &str, region: &str, activity| Standing {
        key: key.to_owned(),
        platform: "weibo".to_owned(),
        name: format!("\"{key}\""),
        sponsor: "县政府办".to_owned(),
        region: region.parse().unwrap(),
        category: Some("发布".to_owned()),
        activity,
        last_post_at: Some("2026-11-20T16:00:00Z".parse().unwrap()),
        last_observation_at: None,
        silence_deadline_at: None,
        coverage: 0.5,
        followers: Some(Count::Bounded { value: 100_001, low: 100_001, high: None }),
        scores: vec![("diligence".to_owned(), 71.5)],
    };
    vec![
        standing("weibo:3", "441521", Activity::Zombie),
        standing("weibo:1", "441521", Activity::Active),
        standing("portal:https://a.gov.cn/x/", "441522", Activity::Undetermined(Reason::Blocked)),
    ]
}

impl Reads for FewAccounts {
    fn ping(&self) -> Answer<'_, ()> {
        self.answer(())
    }

    fn fleet(&self) -> Answer<'_, Vec<FleetCell>> {
        self.fleet_reads.fetch_add(1, Ordering::Relaxed);
        let cell = |one: Standing| FleetCell {
            platform: one.platform,
            region: one.region,
            activity: one.activity.as_str().to_owned(),
            accounts: 1,
            coverage_sum: one.coverage,
        };
        self.answer(few().into_iter().map(cell).collect())
    }

    fn score_quantiles(&self) -> Answer<'_, Vec<ScoreQuantile>> {
        self.answer(Vec::new())
    }

    fn finding_cells(&self) -> Answer<'_, Vec<FindingCell>> {
        self.answer(Vec::new())
    }

    fn active_findings(&self, _: u32) -> Answer<'_, Vec<ActiveFinding>> {
        self.answer(Vec::new())
    }

    fn standings<'a>(
        &'a self,
        limit: u32,
        _: Option<&'a str>,
        area: Option<&'a str>,
    ) -> Answer<'a, Vec<Standing>> {
        let area = area.unwrap_or_default();
        let kept = few().into_iter().filter(|one| one.region.as_str().starts_with(area));
        self.answer(kept.take(limit as usize).collect())
    }

    fn site_facts<'a>(
        &'a self,
        _: &'a str,
        _: DateTime<Utc>,
        _: DateTime<Utc>,
    ) -> Answer<'a, Option<SiteFacts>> {
        self.answer(None)
    }

    fn assessments<'a>(&'a self, period: Option<&'a str>) -> Answer<'a, Vec<Assessment>> {
        let all = feeds::assessments().into_iter();
        self.answer(all.filter(|one| period.is_none_or(|period| one.period == period)).collect())
    }

    fn frozen_page<'a>(
        &'a self,
        _: i64,
        after: i64,
        limit: u32,
        _: FrozenFilter<'a>,
    ) -> Answer<'a, Vec<(i64, String)>> {
        self.answer(feeds::page(after, limit))
    }

    fn findings<'a>(&'a self, _: &'a FindingFilter) -> Answer<'a, Vec<FindingRecord>> {
        self.answer(Vec::new())
    }

    fn finding_story(&self, _: FindingId) -> Answer<'_, (Vec<FindingEvent>, Vec<IssuedNotice>)> {
        self.answer((Vec::new(), Vec::new()))
    }

    fn pinned_records(&self, _: FindingId) -> Answer<'_, Vec<EvidenceRow>> {
        self.answer(Vec::new())
    }

    fn scores<'a>(
        &'a self,
        _: &'a str,
        _: [&'a str; 3],
        _: u32,
        _: ScoreFilter<'a>,
    ) -> Answer<'a, Vec<ListedScore>> {
        self.answer(Vec::new())
    }

    fn posts<'a>(
        &'a self,
        _: &'a str,
        _: Option<(DateTime<Utc>, &'a str)>,
        _: u32,
    ) -> Answer<'a, Vec<StoredPost>> {
        self.answer(Vec::new())
    }

    fn visits<'a>(
        &'a self,
        _: &'a str,
        _: Option<(DateTime<Utc>, &'a str)>,
        _: u32,
    ) -> Answer<'a, Vec<VisitLine>> {
        self.answer(Vec::new())
    }

    fn history<'a>(&'a self, _: &'a str, _: DateTime<Utc>) -> Answer<'a, History> {
        self.answer(History::default())
    }

    fn frozen_counts<'a>(&'a self, ids: &'a [i64], area: &'a str) -> Answer<'a, Vec<(i64, u64)>> {
        let inside = u64::from(area.starts_with("4415"));
        self.answer(ids.iter().map(|id| (*id, inside)).collect())
    }

    fn standing<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Standing>> {
        self.answer(few().into_iter().find(|one| one.key == key))
    }
}

/// This machine may read without a token.
fn open() -> Settings {
    Settings { anonymous_loopback: true, ..Settings::default() }
}

/// It is always the same moment.
struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> DateTime<Utc> {
        "2026-11-22T04:00:00Z".parse().unwrap()
    }
}

/// The real server on a free port; it stops when this is dropped.
struct TestSite {
    address: SocketAddr,
    store: Arc<FewAccounts>,
    readiness: Arc<Readiness>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    server: JoinSet<Result<(), ServeError>>,
}

impl TestSite {
    async fn start() -> Self {
        Self::with(open(), metrics::Settings::default()).await
    }

    async fn with(settings: Settings, series: metrics::Settings) -> Self {
        let store = Arc::new(FewAccounts::default());
        let readiness = Arc::new(Readiness::default());
        let known = Known { version: "0.1.0", platforms: vec!["weibo"], ..Known::default() };
        let metrics = Arc::new(Metrics::new(&known));
        let parts = Parts {
            metrics: Arc::clone(&metrics),
            readiness: Arc::clone(&readiness),
            reads: Arc::clone(&store) as Arc<dyn Reads>,
            register: Arc::clone(&store) as Arc<dyn Register>,
            acts: Arc::clone(&store) as Arc<dyn Acts>,
            clock: Arc::new(Standstill),
        };
        let site = Site::new(settings, series, parts);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, site, stop.clone().cancelled_owned()));
        Self { address, store, readiness, metrics, stop, server }
    }

    async fn send(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        Reply::parse(&bytes)
    }

    async fn get(&self, path: &str) -> Reply {
        self.get_with(path, "").await
    }

    async fn get_with(&self, path: &str, headers: &str) -> Reply {
        let address = self.address;
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}connection: close\r\n\r\n"
        ))
        .await
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = &bytes[end + 4..];
        let chunked = head.contains("transfer-encoding: chunked");
        Self { status, body: if chunked { joined(body) } else { body.to_vec() }, head }
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn is_problem(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string());
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail:?} does not say {words:?}");
    }
}

/// The body of an answer that was sent in chunks.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = chunks.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = std::str::from_utf8(&chunks[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunks[line + 2..][..size]);
        chunks = &chunks[line + 2 + size + 2..];
    }
}

#[tokio::test]
async fn the_landing_page_counts_accounts_in_chinese_and_links_the_rest() {
    let site = TestSite::start().await;
    let page = site.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    let html = page.text();
    for part in ["账号 3 个", "僵尸", "未能判定", "href=\"/metrics\"", "href=\"/docs\""] {
        assert!(html.contains(part), "{part}");
    }
}

#[tokio::test]
async fn readiness_names_everything_that_is_missing() {
    let site = TestSite::start().await;
    assert_eq!(site.get("/healthz").await.text(), "ok\n");
    let reply = site.get("/readyz").await;
    reply.is_problem(503, "no platform file");
    assert_eq!(reply.json()["missing"], serde_json::json!(["migrations", "adapters"]));
    site.readiness.set_migrated(true);
    site.readiness.set_adapters(12);
    assert_eq!(site.get("/readyz").await.status, 200);
    site.store.down.store(true, Ordering::Relaxed);
    let reply = site.get("/readyz").await;
    assert_eq!(reply.json()["missing"], serde_json::json!(["database"]));
    assert!(!reply.text().contains("refused"), "the database's own words stay in the log");
}

#[tokio::test]
async fn a_scrape_outlives_the_database() {
    let uncached = Settings { fleet_cache_seconds: 0, ..open() };
    let site = TestSite::with(uncached, metrics::Settings::default()).await;
    let up = site.get("/metrics").await;
    assert!(up.head.contains("content-type: text/plain; version=0.0.4"), "{}", up.head);
    assert!(up.text().contains("\nxunjian_database_up 1\n"));
    assert!(up.text().contains("xunjian_accounts{platform=\"weibo\",area_code=\"441521\""));
    site.store.down.store(true, Ordering::Relaxed);
    let down = site.get("/metrics").await;
    assert_eq!(down.status, 200);
    assert!(down.text().contains("\nxunjian_database_up 0\n"));
    assert!(!down.text().contains("xunjian_accounts{"), "numbers that cannot be read are absent");
    site.get("/metrics/accounts").await.is_problem(503, "database");
    site.get("/api/v1/accounts").await.is_problem(503, "database");
    let landing = site.get("/").await;
    assert_eq!(landing.status, 200);
    assert!(landing.text().contains("数据库暂时没有应答"));
}

#[tokio::test]
async fn a_database_that_hangs_holds_nobody_up() {
    let impatient = Settings { database_timeout_seconds: 0, ..open() };
    let site = TestSite::with(impatient, metrics::Settings::default()).await;
    site.store.hangs.store(true, Ordering::Relaxed);
    let scrape = site.get("/metrics").await;
    assert_eq!(scrape.status, 200);
    assert!(scrape.text().contains("\nxunjian_database_up 0\n"));
    site.get("/api/v1/accounts/weibo:1").await.is_problem(503, "database");
}

#[tokio::test]
async fn scrapes_within_the_cache_time_ask_the_database_once() {
    let site = TestSite::start().await;
    for _ in 0..3 {
        assert_eq!(site.get("/metrics").await.status, 200);
    }
    assert_eq!(site.store.fleet_reads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn account_series_are_packed_when_the_scraper_accepts_it() {
    let site = TestSite::start().await;
    let plain = site.get("/metrics/accounts?platform=&area=").await;
    assert!(!plain.head.contains("content-encoding"));
    assert!(plain.text().contains("xunjian_account_info{key=\"weibo:3\""));
    assert!(plain.text().contains("\\\"weibo:3\\\""), "quotation marks in a name are escaped");
    let refused = site.get_with("/metrics/accounts", "accept-encoding: gzip;q=0\r\n").await;
    assert!(!refused.head.contains("content-encoding"));
    let packed = site.get_with("/metrics/accounts", "accept-encoding: br, gzip;q=0.5\r\n").await;
    assert!(packed.head.contains("content-encoding: gzip"), "{}", packed.head);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text());
}

#[tokio::test]
async fn accounts_beyond_the_limit_are_counted() {
    let series = metrics::Settings { accounts_max: 1, ..metrics::Settings::default() };
    let site = TestSite::with(open(), series).await;
    let all = site.get("/metrics/accounts").await.text();
    assert!(all.contains("\nxunjian_metrics_accounts_dropped 2\n"), "{all}");
    let area = site.get("/metrics/accounts?area=441522").await.text();
    assert!(area.contains("\nxunjian_metrics_accounts_dropped 0\n"), "{area}");
}

#[tokio::test]
async fn accounts_are_listed_page_by_page() {
    let site = TestSite::start().await;
    let first = site.get("/api/v1/accounts?limit=2").await.json();
    let keys = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&first), ["portal:https://a.gov.cn/x/", "weibo:1"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = site.get(&format!("/api/v1/accounts?limit=2&cursor={cursor}")).await.json();
    assert_eq!(keys(&second), ["weibo:3"]);
    assert_eq!(second["next_cursor"], Value::Null);
    for (activity, keys) in [
        ("zombie", &["weibo:3"][..]),
        ("dormant", &[]),
        ("", &["portal:https://a.gov.cn/x/", "weibo:1", "weibo:3"]),
    ] {
        let path = format!("/api/v1/accounts?activity={activity}");
        let list = site.get(&path).await.json();
        let items = list["items"].as_array().unwrap();
        assert!(items.iter().map(|one| &one["key"]).eq(keys), "{activity}: {list}");
    }
    let area = site.get("/api/v1/accounts?area=441522").await.json();
    assert_eq!(keys(&area), ["portal:https://a.gov.cn/x/"]);
}

#[tokio::test]
async fn an_account_tells_its_reason_and_beijing_time() {
    let site = TestSite::start().await;
    let key = "portal:https:%2F%2Fa.gov.cn%2Fx%2F";
    let account = site.get(&format!("/api/v1/accounts/{key}")).await.json();
    assert_eq!(account["activity"], "undetermined");
    assert_eq!(account["reason"], "blocked");
    assert_eq!(account["last_post_at"], "2026-11-21T00:00:00+08:00");
    assert_eq!(account["last_observation_at"], Value::Null);
    assert_eq!(account["followers"]["high"], Value::Null);
    assert_eq!(account["score_points"]["diligence"], 71.5);
    site.get("/api/v1/accounts/none").await.is_problem(404, "none");
}

#[tokio::test]
async fn a_wrong_question_is_a_problem_and_not_a_guess() {
    let site = TestSite::start().await;
    for (path, status, words) in [
        ("/api/v1/accounts?limit=0", 400, "1 to 500"),
        ("/api/v1/accounts?limit=501", 400, "1 to 500"),
        ("/api/v1/accounts?limit=many", 400, "limit"),
        ("/api/v1/accounts?cursor=xyz", 400, "cursor"),
        ("/api/v1/accounts?page=2", 400, "page"),
        ("/api/v1/accounts?area=44x", 400, "area"),
        ("/api/v1/accounts?activity=silent", 400, "undetermined"),
        ("/metrics/accounts?area=441", 400, "area"),
        ("/api/v1/accounts/%ff", 400, "UTF-8"),
        ("/api/v2", 404, "/api/v2"),
    ] {
        site.get(path).await.is_problem(status, words);
    }
    let host = site.address;
    let post = format!("POST /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let refused = site.send(&post).await;
    refused.is_problem(405, "POST is not offered");
    assert!(refused.head.contains("allow: get"), "{}", refused.head);
}

#[tokio::test]
async fn an_address_that_others_can_reach_needs_a_token() {
    let anywhere = "0.0.0.0:9611".parse().unwrap();
    let refused = may_answer(anywhere, false).unwrap_err().to_string();
    assert!(refused.contains("xunjian token create"), "{refused}");
    assert!(may_answer(anywhere, true).is_ok());
    let local = Settings { listen: "127.0.0.1:0".parse().unwrap(), ..Settings::default() };
    let listener = bind(&local).await.unwrap();
    assert!(may_answer(listener.local_addr().unwrap(), false).is_ok());
    let taken = Settings { listen: listener.local_addr().unwrap(), ..Settings::default() };
    assert!(matches!(bind(&taken).await, Err(ServeError::Bind { .. })));
}

#[tokio::test]
async fn requests_that_cannot_be_meant_are_refused() {
    let site = TestSite::start().await;
    site.get_with("/metrics", "content-length: 1\r\n").await.is_problem(413, "body");
    let only_writes = site.get_with("/api/v1/jobs/judge", "content-length: 1\r\n").await;
    only_writes.is_problem(405, "not offered");
    site.get("/api/v1/accounts?platform=%00").await.is_problem(400, "NUL");
    site.get("/api/v1/accounts/a%00").await.is_problem(400, "NUL");
    let long = format!("x-long: {}\r\n", "x".repeat(40_000));
    assert_eq!(site.get_with("/metrics", &long).await.status, 431);
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_the_server() {
    let mut site = TestSite::start().await;
    let mut idle = TcpStream::connect(site.address).await.unwrap();
    assert_eq!(site.get("/healthz").await.status, 200);
    site.stop.cancel();
    assert!(matches!(site.server.join_next().await, Some(Ok(Ok(())))));
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0);
}

#[test]
fn settings_survive_a_round_trip() {
    let text = toml::to_string(&Settings::default()).unwrap();
    assert_eq!(toml::from_str::<Settings>(&text).unwrap(), Settings::default());
    assert!(toml::from_str::<Settings>("listen = \"9611\"").is_err());
    assert!(toml::from_str::<Settings>("port = 9611").is_err());
    let check = |line: &str, words: &str| {
        let error = toml::from_str::<Settings>(line).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(line), "{error}");
    };
    check("fleet_cache_seconds = 16", "0 to 15, not 16");
    check("connections_max = 0", "1 to 10000, not 0");
    check("request_timeout_seconds = -1", "invalid value");
}

#[tokio::test]
async fn the_heartbeat_has_a_name_of_its_own_and_nothing_else_has() {
    let site = TestSite::start().await;
    let ask = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: heartbeat.xunjian.invalid\r\nConnection: close\r\n\r\n"
        )
    };
    let feed = site.send(&ask("/heartbeat.xml")).await;
    assert_eq!(feed.status, 200);
    assert!(String::from_utf8_lossy(&feed.body).contains("2026-11-22T12:00:00+08:00"));
    assert_eq!(site.send(&ask("/api/v1/accounts")).await.status, 401);
    assert_eq!(site.send(&ask("/metrics")).await.status, 401);
}
