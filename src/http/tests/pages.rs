//! The pages for people, over a store of a few accounts.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::{Reply, Settings, TestSite, open};
use crate::http::operations::operations;
use crate::http::page::pages;
use crate::metrics;

impl TestSite {
    async fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        let (address, length) = (self.address, body.len());
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {length}\r\n\
             content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n\r\n{body}"
        ))
        .await
    }
}

async fn closed() -> TestSite {
    TestSite::with(Settings::default(), metrics::Settings::default()).await
}

/// The cookie that an answer sets, as it is sent back.
fn cookie(reply: &Reply) -> String {
    let set = reply.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    format!("cookie: {}\r\n", set.split(';').next().unwrap())
}

fn is_page(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert!(reply.head.contains("content-type: text/html; charset=utf-8"), "{}", reply.head);
    for rule in [
        "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "referrer-policy: same-origin",
        "x-frame-options: deny",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(reply.head.contains(rule), "{rule}: {}", reply.head);
    }
    let html = reply.text();
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"zh-CN\">"), "{html}");
    for outside in ["<script", " src=", "href=\"http", "style=\"", "javascript:"] {
        assert!(!html.contains(outside), "{outside}: {html}");
    }
    for part in ["<main id=\"main\"", "href=\"#main\"", "<h1>", "name=\"viewport\""] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn pages_and_operations_share_no_address() {
    let operations: Vec<&str> = operations().iter().map(|one| one.path).collect();
    for page in pages(&Settings::default()) {
        assert!(!page.path.starts_with("/api/") && !operations.contains(&page.path));
    }
}

#[tokio::test]
async fn every_page_keeps_to_itself_and_escapes_what_it_is_given() {
    let site = TestSite::start().await;
    for path in ["/", "/accounts/weibo:3", "/findings", "/sign-in", "/?activity=undetermined"] {
        is_page(&site.get(path).await, 200);
    }
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        format!("/?q={hostile}&sponsor={hostile}"),
        format!("/findings?account={hostile}&rule={hostile}"),
        format!("/sign-in?next=/{hostile}"),
    ] {
        let page = site.get(&path).await;
        is_page(&page, 200);
        let shown = page.text();
        assert!(shown.contains("&quot;&gt;&lt;script&gt;alert(1)"), "{path}: {shown}");
    }
    is_page(&site.get(&format!("/accounts/{}", hostile.replace('/', "%2F"))).await, 404);
    assert!(site.get("/").await.text().contains("&quot;weibo:3&quot;"), "names are escaped");
    let style = site.get("/page.css?v=1").await;
    assert!(style.head.contains("content-type: text/css"), "{}", style.head);
    assert!(style.head.contains("cache-control: public, max-age=3600"), "{}", style.head);
    assert!(site.get("/page.svg").await.head.contains("content-type: image/svg+xml"));
}

#[tokio::test]
async fn what_is_not_known_is_grey_and_says_why() {
    let site = TestSite::start().await;
    let html = site.get("/").await.text();
    assert!(html.contains("<span class=\"mark undetermined\">未能判定</span> <span class=\"reason\">平台拦截访问</span>"), "{html}");
    assert!(html.contains("<h2 id=\"list-zombie\">僵尸</h2>"));
    assert!(!html.contains("list-active"), "who posts is not a matter of attention");
    let style = site.get("/page.css").await.text();
    let rule = |class: &str| {
        let rest = style.split(&format!(".mark.{class} {{ color: ")).nth(1).unwrap();
        rest.split(' ').next().unwrap().to_owned()
    };
    assert_eq!(
        (rule("undetermined").as_str(), rule("active").as_str()),
        ("var(--grey)", "var(--green)")
    );
    for class in ["active", "watch", "dormant", "zombie", "empty", "gone", "undetermined"] {
        let sign = format!(".mark.{class}::before {{ content: ");
        assert!(style.contains(&sign), "{class} is told by its colour alone");
    }
}

#[tokio::test]
async fn every_colour_of_text_can_be_read() {
    let style = closed().await.get("/page.css").await.text();
    let colours: BTreeMap<&str, &str> = style
        .split(&[';', '{', '\n'][..])
        .filter_map(|rule| rule.trim().strip_prefix("--")?.split_once(": "))
        .collect();
    // WCAG 2.2, relative luminance.
    let luminance = |hex: &str| -> f64 {
        let hex = hex.trim_start_matches('#');
        let wide: String = match hex.len() {
            3 => hex.chars().flat_map(|one| [one, one]).collect(),
            _ => hex.to_owned(),
        };
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    };
    for name in ["ink", "soft", "blue", "red", "amber", "green", "grey"] {
        for ground in ["paper", "tint"] {
            let (text, ground) = (luminance(colours[name]), luminance(colours[ground]));
            let contrast = (ground + 0.05) / (text + 0.05);
            assert!(contrast >= 4.5, "{name}: {contrast}");
        }
    }
}

#[tokio::test]
async fn lists_are_paged_and_chosen_from() {
    let site = TestSite::start().await;
    let check = async |path: &str, shown: &[&str], hidden: &[&str]| {
        let page = site.get(path).await;
        is_page(&page, 200);
        let html = page.text();
        for key in shown {
            assert!(html.contains(&format!("&quot;{key}&quot;")), "{path} lacks {key}: {html}");
        }
        for key in hidden {
            assert!(!html.contains(&format!("&quot;{key}&quot;")), "{path} shows {key}");
        }
    };
    let (zombie, active, blocked) = ("weibo:3", "weibo:1", "portal:https://a.gov.cn/x/");
    check("/", &[zombie, blocked], &[active]).await;
    check("/?activity=active", &[active], &[zombie]).await;
    check("/?q=WEIBO", &[zombie], &[blocked]).await;
    check("/?q=nothing", &[], &[zombie]).await;
    check("/?area=441500", &[zombie, blocked], &[active]).await;
    check("/?area=441522", &[blocked], &[zombie]).await;
    check("/?sponsor=%E5%8E%BF", &[zombie], &[]).await;
    for path in ["/?area=44x", "/?activity=asleep", "/?page=2", "/?cursor=zz", "/?area=000000"] {
        is_page(&site.get(path).await, 400);
    }
    for path in ["/accounts/weibo:3?days=0", "/accounts/weibo:3?days=121", "/findings?state=x"] {
        is_page(&site.get(path).await, 400);
    }
}

#[tokio::test]
async fn nobody_is_shown_anything_before_they_sign_in() {
    let site = closed().await;
    let landing = site.get("/").await;
    is_page(&landing, 200);
    for hidden in ["账号 3 个", "weibo:3", "441521", "运行提示"] {
        assert!(!landing.text().contains(hidden), "{hidden}");
    }
    for path in ["/accounts/weibo:3", "/accounts/none", "/findings", "/findings/1"] {
        let page = site.get(path).await;
        is_page(&page, 401);
        let form = format!("name=\"next\" value=\"{path}\"");
        assert!(page.text().contains(&form), "{}", page.text());
    }
    let refused = site.post("/findings/1/approve", "", "reason=x").await;
    is_page(&refused, 401);
}

#[tokio::test]
async fn who_signs_in_sees_what_the_token_opens_until_they_sign_out() {
    let site = closed().await;
    for wrong in ["none", "late-read-", "revoked-read-", ""] {
        let page = site.post("/sign-in", "", &format!("token={wrong}")).await;
        is_page(&page, 401);
        assert!(page.text().contains("令牌不对") && !page.head.contains("set-cookie"));
    }
    let useless = site.post("/sign-in", "", "token=import-").await;
    is_page(&useless, 403);
    let entered = site.post("/sign-in", "", "token=read-441521&next=%2F%3Fq%3Dweibo").await;
    assert_eq!(entered.status, 303, "{}", entered.text());
    assert!(entered.head.contains("location: /?q=weibo\r\n"), "{}", entered.head);
    for rule in ["httponly", "samesite=strict", "max-age=28800", "path=/"] {
        assert!(entered.head.contains(rule), "{}", entered.head);
    }
    assert!(!entered.head.contains("secure") && !entered.head.contains("read-441521"));
    let own = cookie(&entered);
    let landing = site.get_with("/", &own).await;
    is_page(&landing, 200);
    for part in ["账号 2 个", "zhang", "查看，地区 441521"] {
        assert!(landing.text().contains(part), "{part}: {}", landing.text());
    }
    assert!(!landing.text().contains("441522"), "{}", landing.text());
    is_page(&site.get_with("/accounts/weibo:3", &own).await, 200);
    is_page(&site.get_with("/accounts/portal:https:%2F%2Fa.gov.cn%2Fx%2F", &own).await, 404);
    // The scope does not include it, and the cookie opens no operation.
    is_page(&site.post("/findings/1/approve", &own, "reason=x").await, 403);
    site.get_with("/api/v1/accounts", &own).await.is_problem(401, "a token is needed");
    // A form that is not of this session signs nobody out.
    is_page(&site.post("/sign-out", &own, "csrf=x").await, 403);
    let html = landing.text();
    let csrf = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let elsewhere = format!("{own}sec-fetch-site: cross-site\r\n");
    is_page(&site.post("/sign-out", &elsewhere, &format!("csrf={csrf}")).await, 403);
    let left = site.post("/sign-out", &own, &format!("csrf={csrf}")).await;
    assert_eq!(left.status, 303);
    assert!(left.head.contains("max-age=0"), "{}", left.head);
    is_page(&site.get_with("/accounts/weibo:3", &own).await, 401);
}

#[tokio::test]
async fn tokens_are_not_guessed_through_the_form() {
    let few = Settings { refusals_per_minute: 3, ..open() };
    let site = TestSite::with(few, metrics::Settings::default()).await;
    for _ in 0..3 {
        is_page(&site.post("/sign-in", "", "token=none").await, 401);
    }
    let page = site.post("/sign-in", "", "token=none").await;
    is_page(&page, 429);
    assert!(page.head.contains("retry-after: "), "{}", page.head);
}

#[tokio::test]
async fn nobody_fills_the_log_with_forms_of_other_sites() {
    let few = Settings { refusals_per_minute: 2, ..open() };
    let site = TestSite::with(few, metrics::Settings::default()).await;
    let elsewhere = "origin: https://evil.example\r\n";
    for status in [403, 403, 429] {
        is_page(&site.post("/sign-in", elsewhere, "token=read-").await, status);
    }
}

#[tokio::test]
async fn a_database_that_is_down_is_told_in_words_and_with_the_usual_look() {
    let uncached = Settings { fleet_cache_seconds: 0, ..Settings::default() };
    let site = TestSite::with(uncached, metrics::Settings::default()).await;
    let own = cookie(&site.post("/sign-in", "", "token=read-").await);
    site.store.down.store(true, Ordering::Relaxed);
    for path in ["/", "/findings", "/accounts/weibo:3"] {
        let page = site.get_with(path, &own).await;
        is_page(&page, 503);
        assert!(page.text().contains("数据库暂时没有应答") && page.text().contains("zhang"));
    }
    assert_eq!(site.get_with("/page.css", &own).await.status, 200);
    site.store.down.store(false, Ordering::Relaxed);
    is_page(&site.get_with("/", &own).await, 200);
}

#[tokio::test]
async fn a_sponsor_is_led_to_its_findings_and_to_nothing_else() {
    let site = closed().await;
    let own = cookie(&site.post("/sign-in", "", "token=sponsor-").await);
    let landing = site.get_with("/", &own).await;
    is_page(&landing, 200);
    assert!(landing.text().contains("本单位的问题") && !landing.text().contains("账号 3 个"));
    is_page(&site.get_with("/findings", &own).await, 200);
    is_page(&site.get_with("/accounts/weibo:3", &own).await, 403);
}

#[tokio::test]
async fn what_ails_a_platform_is_told_before_anything_else() {
    let site = TestSite::start().await;
    assert!(!site.get("/").await.text().contains("运行提示"));
    site.metrics.set_platform_up("weibo", false);
    let html = site.get("/").await.text();
    let (banner, list) =
        (html.find("weibo：目前读取不到").unwrap(), html.find("账号 3 个").unwrap());
    assert!(banner < list);
}
