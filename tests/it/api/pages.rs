//! The pages for people, over the real daemon: who sees what, and what forms do.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::Value;
use url::form_urlencoded;
use xunjian::domain::{FindingId, FindingState, Scope};
use xunjian::store::FindingFilter;

use super::{Counties, EAST, Reply, WEST, ask, bearer, encoded};
use crate::findings::{Office, entry};

/// Somebody who has signed in: the cookie, as a browser sends it.
pub(super) struct Visitor<'a> {
    counties: &'a Counties,
    cookie: String,
}

impl Counties {
    async fn sent(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers = [kind, ("cookie", cookie), ("sec-fetch-site", "same-origin")];
        ask(self.app.address(), "POST", path, &headers, body.as_bytes()).await
    }

    pub(super) async fn signed_in(&self, token: &str) -> Visitor<'_> {
        let entered = self.sent("", "/sign-in", &[("token", token), ("next", "/findings")]).await;
        assert_eq!(entered.status, 303, "{}", entered.text());
        assert!(entered.head.contains("location: /findings"), "{}", entered.head);
        let set = entered.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        Visitor { counties: self, cookie: set.split(';').next().unwrap().to_owned() }
    }
}

impl Visitor<'_> {
    async fn get(&self, path: &str) -> Reply {
        let address = self.counties.app.address();
        ask(address, "GET", path, &[("cookie", &self.cookie)], b"").await
    }

    /// The text of a page, which must be there.
    async fn page(&self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.counties.sent(&self.cookie, path, fields).await
    }

    /// The addresses of every page that can be reached from these, with their texts.
    async fn walk(&self, from: &[&str]) -> Vec<(String, String)> {
        let mut known: BTreeSet<String> = from.iter().map(|path| (*path).to_owned()).collect();
        let mut ahead: Vec<String> = known.iter().cloned().collect();
        let mut seen = Vec::new();
        while let Some(path) = ahead.pop() {
            assert!(seen.len() < 400, "too many pages");
            let html = self.page(&path).await;
            for link in links(&html) {
                if known.insert(link.clone()) {
                    ahead.push(link);
                }
            }
            seen.push((path, html));
        }
        seen
    }
}

/// Links to pages of ours, without what is for programs.
fn links(html: &str) -> Vec<String> {
    let all = html.split("href=\"/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let all = all.map(|link| format!("/{}", link.split('#').next().unwrap().replace("&amp;", "&")));
    let others = ["/docs", "/metrics", "/readyz", "/page."];
    all.filter(|link| !others.iter().any(|one| link.starts_with(one))).collect()
}

/// The hidden fields of the form that is sent to this address.
fn hidden(html: &str, action: &str) -> Vec<(String, String)> {
    let form = html.split("<form").find(|form| form.contains(&format!("action=\"{action}\"")));
    let form = form.unwrap_or_else(|| panic!("no form for {action}: {html}"));
    let form = form.split("</form>").next().unwrap();
    let inputs = form.split("<input type=\"hidden\"").skip(1);
    let value = |input: &str, name: &str| {
        let rest = input.split(&format!(" {name}=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    inputs.map(|input| (value(input, "name"), value(input, "value"))).collect()
}

fn with<'a>(
    hidden: &'a [(String, String)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    hidden.chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn a_county_sees_nothing_of_another_on_any_page() {
    let counties = Counties::open().await;
    let own = counties.token("zhang", Scope::Write, EAST.1).await;
    let own = counties.signed_in(&own).await;
    let foreign = counties.findings(WEST.0).await[0];
    let starts = ["/", "/?activity=active", "/findings?state=all", "/accounts/%E7%94%B2-1"];
    let pages = own.walk(&starts).await;
    for (path, html) in &pages {
        for name in ["乙局", "平安乙", "乙-", "441522"] {
            assert!(!html.contains(name), "{path} tells {name}: {html}");
        }
    }
    // Every kind of page was looked at.
    let reached = |start: &str| pages.iter().filter(|(path, _)| path.starts_with(start)).count();
    for (start, least) in [("/accounts/", 2), ("/findings/", 1), ("/findings?", 1), ("/?", 7)] {
        assert!(reached(start) >= least, "{start}: {}", reached(start));
    }
    assert!(pages.iter().any(|(_, html)| html.contains("账号 2 个")));
    // What was asked for may be shown again, and nothing else.
    for path in [
        "/?area=441522",
        "/?q=%E4%B9%99",
        "/?sponsor=%E4%B9%99",
        "/?area=44",
        "/?activity=dormant&cursor=2f",
        "/findings?account=%E4%B9%99-2&state=all",
        "/findings?area=441522&state=all",
    ] {
        let html = own.page(path).await;
        for name in ["乙局", "平安乙"] {
            assert!(!html.contains(name), "{path} tells {name}: {html}");
        }
    }
    for path in ["/accounts/%E4%B9%99-1", "/accounts/%E4%B9%99-2", &format!("/findings/{foreign}")]
    {
        let refused = own.get(path).await;
        assert_eq!(refused.status, 404, "{path}");
        assert!(!refused.text().contains("乙局"));
    }
    // The account of a county is there for its province, on the same pages.
    let province = counties.token("wang", Scope::Read, "440000").await;
    let province = counties.signed_in(&province).await;
    let pages = province.walk(&["/", "/findings?state=all"]).await;
    for name in ["甲局", "乙局"] {
        assert!(pages.iter().any(|(_, html)| html.contains(name)), "{name}");
    }
    assert!(province.page("/").await.contains("账号 4 个"));
    counties.close().await;
}

#[tokio::test]
async fn a_sponsor_sees_its_own_findings_and_no_account() {
    let counties = Counties::open().await;
    let sponsor = counties.token_for("王", Scope::Sponsor, "", Some("甲局"), None).await;
    let sponsor = counties.signed_in(&sponsor).await;
    let pages = sponsor.walk(&["/", "/findings?state=all"]).await;
    assert!(pages.iter().any(|(path, _)| path.starts_with("/findings/")));
    for (path, html) in &pages {
        assert!(!path.starts_with("/accounts") && !html.contains("乙局"), "{path}: {html}");
    }
    let other = counties.findings(WEST.0).await[0];
    assert_eq!(sponsor.get(&format!("/findings/{other}")).await.status, 404);
    assert_eq!(sponsor.get("/accounts/%E7%94%B2-1").await.status, 403);
    counties.close().await;
}

#[tokio::test]
async fn an_account_shows_its_verdict_its_picture_and_all_of_it_as_tables() {
    let counties = Counties::open().await;
    let all = counties.token("zhang", Scope::Read, "").await;
    let all = counties.signed_in(&all).await;
    let html = all.page("/accounts/%E7%94%B2-2").await;
    for part in [
        "<h1>平安甲-2</h1>",
        "class=\"mark dormant\">休眠",
        "证实截至 2026-10-12 11:00 超过 14 天没有更新，经 1 次观察确认。",
        "判定时段",
        "2026-09-28 11:00</time> 至",
        "role=\"img\"",
        "<title id=\"wide-title\">",
        "<desc id=\"narrow-text\">",
        "以表格查看各时段",
        "<caption>各时段是否被观察覆盖",
        "人工核查",
        "读取成功，可作确认",
        "<caption>看到的发布，新的在前</caption>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    // Both posts of the last 90 days are drawn, and listed.
    assert_eq!(html.matches("class=\"post\"").count(), 4, "two in each of the two pictures");
    let wanted = FindingFilter { key: Some("甲-2".into()), limit: 9, ..FindingFilter::default() };
    let found = counties.office.context().store.findings(&wanted).await.unwrap();
    assert!(html.contains(&format!("href=\"/findings/{}\"", found[0].id)), "{html}");
    let short = all.page("/accounts/%E7%94%B2-2?days=14").await;
    assert_eq!(short.matches("class=\"post\"").count(), 0);
    assert!(short.contains("没有看到发布；"), "{short}");
    let active = all.page("/accounts/%E7%94%B2-1").await;
    assert!(active.contains("class=\"mark active\">正常更新"), "{active}");
    counties.close().await;
}

#[tokio::test]
async fn lists_go_on_to_their_end_and_the_undetermined_say_why() {
    let office = Office::open().await;
    let accounts: Vec<_> = (0..25).map(|number| entry(&format!("丙-{number:02}"))).collect();
    let ids = office.ledger(&accounts).await;
    office.walled(ids[3]).await;
    office.look().await;
    let app = office.answering(|settings| settings.http.anonymous_loopback = true).await;
    let get = async |path: &str| ask(app.address(), "GET", path, &[], b"").await.text();
    let named = |html: &str| {
        let rows = html.split("href=\"/accounts/").skip(1);
        rows.map(|rest| rest.split("\">").nth(1).unwrap().split('<').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (mut path, mut shown) = ("/".to_owned(), Vec::new());
    loop {
        let html = get(&path).await;
        assert!(html.contains("未能判定") && html.contains("尚未访问"), "{html}");
        shown.extend(named(&html));
        let next = html.split("class=\"following\"><a href=\"").nth(1);
        let Some(next) = next else { break };
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    let expected: Vec<String> = accounts.iter().map(|one| one.name.clone()).collect();
    assert_eq!(shown, expected, "each once, none left out");
    let walled = get(&format!("/accounts/{}", encoded("丙-03"))).await;
    for part in ["平台拦截访问", "既不算正常，也不算停更", "访问 timeline 页面失败：平台拦截访问"]
    {
        assert!(walled.contains(part), "{part}: {walled}");
    }
    assert!(walled.contains("url(#wide-hatch)"), "{walled}");
    // Reading without a token is for this machine; nobody acts without one.
    assert!(!walled.contains("<form method=\"post\" action=\"/findings"));
    let api = ask(app.address(), "GET", "/api/v1/accounts?limit=1", &[], b"").await;
    assert_eq!(api.status, 200);
    app.run_until_stopped(futures::stream::empty()).await.unwrap();
}

impl Counties {
    async fn log(&self) -> Vec<String> {
        let log = self.office.xunjian(&["token", "log"]);
        let lines = log.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .map(|line| {
                let person = line["person"].as_str().unwrap_or("-");
                let status = line["status"].as_i64().unwrap_or_default();
                format!("{person} {} {status}", line["target"].as_str().unwrap())
            })
            .collect()
    }

    async fn state(&self, id: i64) -> (FindingState, usize) {
        let store = &self.office.context().store;
        let record = store.finding(FindingId(id)).await.unwrap().unwrap();
        (record.state, store.finding_events(FindingId(id)).await.unwrap().len())
    }
}

#[tokio::test]
async fn a_form_does_once_what_the_interface_does_and_is_logged_as_it_logs() {
    let counties = Counties::open().await;
    let id = counties.findings(EAST.0).await[0];
    let token = counties.token("zhang", Scope::Write, EAST.1).await;
    let zhang = counties.signed_in(&token).await;
    let html = zhang.page(&format!("/findings/{id}")).await;
    let (first, steps) = counties.state(id).await;
    // Only the steps that can be taken from here are offered.
    for step in ["notify", "close", "reopen", "recheck"] {
        assert!(!html.contains(&format!("/findings/{id}/{step}\"")), "{step}: {html}");
    }
    let dismiss = format!("/findings/{id}/dismiss");
    let own = hidden(&html, &dismiss);
    assert_eq!(own.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["csrf", "once"]);

    // Without this session's secret, or from elsewhere, nothing is done.
    let forged = zhang.send(&dismiss, &[("reason", "x"), ("csrf", "0"), ("once", "1")]).await;
    assert_eq!(forged.status, 403, "{}", forged.text());
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(with(&own, &[("reason", "x")]))
        .finish();
    let origin = ("origin", "https://evil.example");
    let headers = [("cookie", zhang.cookie.as_str()), origin];
    let evil = ask(counties.app.address(), "POST", &dismiss, &headers, form.as_bytes()).await;
    assert_eq!(evil.status, 403, "{}", evil.text());
    // Nor with the token alone: forms are for those who have signed in.
    let shown = bearer(&token);
    let headers = [("authorization", shown.as_str())];
    let bare = ask(counties.app.address(), "POST", &dismiss, &headers, form.as_bytes()).await;
    assert_eq!(bare.status, 403, "{}", bare.text());
    assert_eq!(counties.state(id).await, (first, steps));

    // A reason is needed; what was written is not lost.
    let empty = zhang.send(&dismiss, &with(&own, &[("reason", "  ")])).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("没有办成") && empty.text().contains("<details open>"));
    let again = hidden(&empty.text(), &dismiss);
    assert_ne!(again, own, "the next attempt is another");

    let fields = with(&again, &[("reason", "系统迁移 <b>期间</b>")]);
    for _ in 0..2 {
        let done = zhang.send(&dismiss, &fields).await;
        assert_eq!(done.status, 303, "{}", done.text());
        assert!(done.head.contains(&format!("location: /findings/{id}?done=dismiss")));
        assert_eq!(counties.state(id).await, (FindingState::Dismissed, steps + 1), "done once");
    }
    let html = zhang.page(&format!("/findings/{id}?done=dismiss")).await;
    for part in ["已登记：撤销", "已撤销", "系统迁移 &lt;b&gt;期间&lt;/b&gt;", "zhang"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("id=\"acts\""), "nothing more can be done");

    // Nor does it matter that both are sent before either is answered.
    let other = counties.findings(EAST.0).await[1];
    let (_, steps) = counties.state(other).await;
    let rival = format!("/findings/{other}/dismiss");
    let own = hidden(&zhang.page(&format!("/findings/{other}")).await, &rival);
    let fields = with(&own, &[("reason", "误报")]);
    let (one, two) = tokio::join!(zhang.send(&rival, &fields), zhang.send(&rival, &fields));
    for sent in [&one, &two] {
        assert!(matches!(sent.status, 303 | 409), "{}", sent.text());
    }
    assert!(one.status == 303 || two.status == 303);
    assert_eq!(counties.state(other).await, (FindingState::Dismissed, steps + 1), "done once");

    let api = format!("/api/v1{dismiss}");
    let expected = [
        format!("zhang {dismiss} 403"),
        format!("- {dismiss} 403"),
        format!("zhang {dismiss} 403"),
        format!("zhang {api} 0"),
        format!("zhang {api} 422"),
        format!("zhang {api} 0"),
        format!("zhang {api} 200"),
        format!("zhang {api} 0"),
        format!("zhang {api} 200"),
    ];
    let mut log = counties.log().await;
    log.retain(|line| !line.contains(&rival));
    assert_eq!(log, expected);
    counties.close().await;
}

#[tokio::test]
async fn forms_end_where_the_token_ends() {
    let counties = Counties::open().await;
    let (own, other) = (counties.findings(EAST.0).await[0], counties.findings(WEST.0).await[0]);
    let reader = counties.token("li", Scope::Read, "").await;
    let reader = counties.signed_in(&reader).await;
    let html = reader.page(&format!("/findings/{own}")).await;
    assert!(!html.contains("id=\"acts\""), "a reader is offered nothing: {html}");
    let csrf = hidden(&html, "/sign-out");
    let refused = reader.send(&format!("/findings/{own}/dismiss"), &with(&csrf, &[])).await;
    assert_eq!(refused.status, 403, "{}", refused.text());

    let token = counties.token("zhang", Scope::Write, EAST.1).await;
    let zhang = counties.signed_in(&token).await;
    let csrf = hidden(&zhang.page("/").await, "/sign-out");
    let fields = with(&csrf, &[("reason", "x"), ("once", "1")]);
    let (before, steps) = counties.state(other).await;
    for step in ["approve", "explain", "rectify", "recheck", "dismiss", "reopen"] {
        let refused = zhang.send(&format!("/findings/{other}/{step}"), &fields).await;
        assert_eq!(refused.status, 404, "{step}: {}", refused.text());
        assert!(!refused.text().contains("乙局"));
    }
    assert_eq!(counties.state(other).await, (before, steps));

    // A session lasts for hours, and no longer than its token.
    counties.office.clock.step(TimeDelta::hours(7));
    zhang.page("/findings").await;
    counties.office.clock.step(TimeDelta::hours(1));
    assert_eq!(zhang.get("/findings").await.status, 401);
    let zhang = counties.signed_in(&token).await;
    let store = &counties.office.context().store;
    let number = store.token_of(&token).await.unwrap().unwrap().grant.token;
    assert!(store.revoke_token(number, "li", counties.office.now()).await.unwrap());
    assert_eq!(zhang.get("/findings").await.status, 401);
    assert_eq!(zhang.get("/").await.status, 200, "the first page asks to sign in again");
    counties.close().await;
}
