//! Whole pages in the platforms' own formats, with made-up content.

use std::sync::LazyLock;

use chrono::DateTime;

use super::{Explanation, Page, explain, extract};
use crate::domain::{Extraction, PageVerdict, SourceText};
use crate::platform::Catalog;

const ACCOUNT: &str = "9990000001";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let file = |name: &str, text: &str| SourceText { file: name.to_owned(), text: text.to_owned() };
    Catalog::compile(&[
        file("weibo.toml", include_str!("../../config/platforms/weibo.toml")),
        file("wechat.toml", include_str!("../../config/platforms/wechat.toml")),
        file("portal.toml", include_str!("../../config/platforms/portal.toml")),
        file("feed.toml", include_str!("../../config/platforms/feed.toml")),
    ])
    .unwrap()
});

/// How a body came: everything but the body has a value that most fixtures share.
#[derive(Clone, Copy)]
struct Answer<'a> {
    kind: (&'a str, &'a str),
    body: &'a [u8],
    handle: Option<&'a str>,
    url: Option<&'a str>,
    final_url: Option<&'a str>,
    status: u16,
    headers: &'a [(String, String)],
}

fn answer<'a>(platform: &'a str, page: &'a str, body: &'a [u8]) -> Answer<'a> {
    Answer {
        kind: (platform, page),
        body,
        handle: (platform == "weibo").then_some(ACCOUNT),
        url: None,
        final_url: None,
        status: 200,
        headers: &[],
    }
}

fn read(answer: Answer<'_>) -> Extraction {
    with_page(answer, extract)
}

fn with_page<T>(answer: Answer<'_>, work: impl FnOnce(&Page<'_>) -> T) -> T {
    let platform = CATALOG.get(answer.kind.0).unwrap();
    work(&Page {
        platform,
        kind: &platform.pages[answer.kind.1],
        body: answer.body,
        content_type: None,
        status: answer.status,
        url: answer.url,
        final_url: answer.final_url,
        headers: answer.headers,
        observed_at: DateTime::parse_from_rfc3339("2026-11-22T20:15:00+08:00").unwrap().to_utc(),
        handle: answer.handle,
        number: 1,
        inquiry_key: b"key",
    })
}

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/pages/", $name)).as_slice()
    };
}

macro_rules! snapshots {
    ($($test:ident: $platform:literal, $page:literal, $file:literal;)*) => {$(
        #[test]
        fn $test() {
            let address = ($platform == "portal").then_some("http://www.hailan.example/tzgg/");
            let body = fixture!($file);
            let extraction = read(Answer { url: address, ..answer($platform, $page, body) });
            insta::assert_json_snapshot!(extraction);
        }
    )*};
}

snapshots! {
    weibo_without_pins: "weibo", "timeline", "weibo/timeline_pins_0.json";
    weibo_with_one_pin: "weibo", "timeline", "weibo/timeline_pins_1.json";
    weibo_with_two_pins: "weibo", "timeline", "weibo/timeline_pins_2.json";
    weibo_with_three_pins: "weibo", "timeline", "weibo/timeline_pins_3.json";
    weibo_times: "weibo", "timeline", "weibo/timeline_times.json";
    weibo_repost: "weibo", "timeline", "weibo/timeline_repost.json";
    weibo_foreign_liked_post: "weibo", "timeline", "weibo/timeline_liked.json";
    weibo_deleted_placeholders: "weibo", "timeline", "weibo/timeline_deleted.json";
    weibo_scheduled_post: "weibo", "timeline", "weibo/timeline_scheduled.json";
    weibo_profile: "weibo", "profile", "weibo/profile.json";
    weibo_never_posted: "weibo", "profile", "weibo/profile_never_posted.json";
    wechat_article: "wechat", "article", "wechat/article.html";
    wechat_history: "wechat", "history", "wechat/history.json";
    wechat_bridge: "wechat", "bridge", "wechat/bridge.xml";
    portal_gbk_list: "portal", "list", "portal/list_gbk.html";
    portal_table_list: "portal", "list", "portal/list_table.html";
    portal_json_list: "portal", "list", "portal/list.json";
    portal_packed_records: "portal", "list", "portal/list_records.html";
    portal_date_forms: "portal", "list", "portal/list_forms.html";
    portal_article: "portal", "article", "portal/article_meta.html";
    feed_atom: "feed", "feed", "feed/atom.xml";
    feed_wrong_offset: "feed", "feed", "feed/wrong_offset.xml";
}

fn check(answer: Answer<'_>, verdict: PageVerdict, reason: &str) {
    let read = read(answer);
    let told = read.reason.clone().unwrap_or_default();
    assert_eq!((read.verdict, read.posts.len()), (verdict, 0), "{:?}: {told}", answer.kind);
    assert!(told.contains(reason), "{:?}: {told:?} does not say {reason:?}", answer.kind);
}

#[test]
fn walls_that_look_like_success_are_blocked() {
    let timeline = |body| answer("weibo", "timeline", body);
    check(timeline(fixture!("weibo/captcha.json")), PageVerdict::Blocked, "-100");
    check(timeline(fixture!("weibo/ok_minus_100.json")), PageVerdict::Blocked, "-100");
    check(timeline(fixture!("weibo/visitor_system.html")), PageVerdict::Blocked, "");
    check(
        answer("wechat", "article", fixture!("wechat/article_wall.html")),
        PageVerdict::Blocked,
        "环境异常",
    );
    check(
        answer("wechat", "history", fixture!("wechat/history_no_session.json")),
        PageVerdict::Blocked,
        "no session",
    );
    check(
        answer("portal", "article", fixture!("portal/article_waf.html")),
        PageVerdict::Blocked,
        "安全验证",
    );
}

#[test]
fn an_empty_list_without_proof_is_blocked() {
    let timeline = |body| answer("weibo", "timeline", body);
    check(timeline(fixture!("weibo/empty.json")), PageVerdict::Blocked, "without proof");
    check(
        timeline(fixture!("weibo/success_without_cards.json")),
        PageVerdict::Blocked,
        "without proof",
    );
    let end = read(timeline(fixture!("weibo/empty.json")));
    assert!(end.exhausted && end.empty_marker);
    check(
        answer("portal", "list", fixture!("portal/list_by_script.html")),
        PageVerdict::Blocked,
        "empty list",
    );
    check(answer("feed", "feed", fixture!("feed/empty.xml")), PageVerdict::Blocked, "empty list");
}

#[test]
fn an_empty_list_with_the_sites_own_sign_is_an_observation() {
    check(
        answer("portal", "list", fixture!("portal/list_marked_empty.html")),
        PageVerdict::Observation,
        "",
    );
    let column = |inside: &str| format!("<html><body><ul class='list'>{inside}</ul></body></html>");
    for (inside, verdict) in [
        ("<li class='empty'>暂无信息</li>", PageVerdict::Observation),
        ("<li>没有相关内容！</li>", PageVerdict::Observation),
        ("<li style='display:none'>暂无信息</li>", PageVerdict::Blocked),
        ("<li v-if='!rows.length'>暂无信息</li>", PageVerdict::Blocked),
        ("<li>全部暂无信息的栏目</li>", PageVerdict::Blocked),
    ] {
        let body = column(inside);
        assert_eq!(read(answer("portal", "list", body.as_bytes())).verdict, verdict, "{inside}");
    }
}

#[test]
fn statuses_and_redirects_are_no_observation() {
    let body = fixture!("weibo/timeline_pins_0.json");
    for status in [403, 418, 432, 429, 401] {
        check(
            Answer { status, ..answer("weibo", "timeline", body) },
            PageVerdict::Blocked,
            "status",
        );
    }
    for status in [301, 404, 500, 503] {
        check(
            Answer { status, ..answer("weibo", "timeline", body) },
            PageVerdict::Drifted,
            "status",
        );
    }
    let login = Some("https://passport.weibo.com/sso/signin");
    check(
        Answer { final_url: login, ..answer("weibo", "timeline", body) },
        PageVerdict::Blocked,
        "redirected",
    );
}

#[test]
fn a_page_of_another_account_is_never_an_observation() {
    for (page, body) in [
        ("timeline", fixture!("weibo/timeline_pins_0.json")),
        ("profile", fixture!("weibo/profile.json")),
    ] {
        let asked = Answer { handle: Some("9990000009"), ..answer("weibo", page, body) };
        let read = read(asked);
        assert_eq!(read.verdict, PageVerdict::Blocked, "{page}");
        assert!(read.reason.unwrap().contains("not of 9990000009"), "{page}");
    }
}

#[test]
fn a_column_that_redirects_elsewhere_is_not_that_column() {
    let column = answer("portal", "list", fixture!("portal/list_gbk.html"));
    let asked = Some("http://www.hailan.example/tzgg/");
    let reached = |final_url| read(Answer { url: asked, final_url, ..column }).verdict;
    assert_eq!(reached(Some("https://www.hailan.example/tzgg")), PageVerdict::Observation);
    assert_eq!(reached(Some("http://www.hailan.example/")), PageVerdict::Blocked);
}

#[test]
fn a_column_goes_on_where_its_pager_says() {
    let next = |pager: &str| {
        let entry = "<ul class='list'><li><a href='/a/1.html' title='通知一'>通知一</a>\
                     <span>2026-11-20</span></li></ul>";
        let body = format!("<html><body>{entry}{pager}</body></html>");
        let column = answer("portal", "list", body.as_bytes());
        read(Answer { url: Some("https://www.hailan.example/tzgg/index.html"), ..column }).next
    };
    let check = |pager: &str, wanted: Option<&str>| {
        let wanted = wanted.map(|name| format!("https://www.hailan.example/tzgg/{name}"));
        assert_eq!(next(pager), wanted, "{pager}");
    };
    check("<a href='index_2.html'>下一页</a>", Some("index_2.html"));
    check("<a class=x href=index_2.html target=_self><span> 下一页 &gt;</span></a>", {
        Some("index_2.html")
    });
    check("<div class='Pager'><a class='next' href='list_2.html'>»</a></div>", Some("list_2.html"));
    check("<a title='下一页' href='?page=2'></a>", Some("index.html?page=2"));
    check("<script>createPageHTML(9, 0, \"index\", \"html\");</script>", Some("index_1.html"));
    check("<script>createPageHTML(9, 8, \"index\", \"html\");</script>", None);
    check("<div class='page'><span class='disabled'>下一页</span></div>", None);
    check("<div class='slides'><a class='next' href='/other.html'>&gt;</a></div>", None);
    check("<a href='javascript:go(2)'>下一页</a>", None);
    check("<a href='https://elsewhere.example/index_2.html'>下一页</a>", None);
}

#[test]
fn what_the_platform_says_is_gone_is_gone() {
    for (platform, page) in [("feed", "feed"), ("wechat", "bridge"), ("portal", "list")] {
        let status = |status| Answer { status, ..answer(platform, page, b"<html>410</html>") };
        check(status(410), PageVerdict::Gone, "410");
        check(status(404), PageVerdict::Drifted, "404");
    }
    for page in ["timeline", "profile"] {
        check(answer("weibo", page, fixture!("weibo/cancelled.json")), PageVerdict::Gone, "不存在");
    }
    check(
        answer("wechat", "article", fixture!("wechat/article_deleted.html")),
        PageVerdict::Gone,
        "删除",
    );
}

#[test]
fn a_page_of_unknown_form_has_drifted() {
    for body in
        ["", "{}", "[]", "{\"ok\":1", "<html><body>改版</body></html>", "{\"data\":{\"cards\":7}}"]
    {
        let read = read(answer("weibo", "timeline", body.as_bytes()));
        assert_ne!(read.verdict, PageVerdict::Observation, "{body}");
    }
    check(
        answer("portal", "list", fixture!("portal/list_home.html")),
        PageVerdict::Drifted,
        "not found",
    );
    check(
        answer("feed", "feed", b"<html><body>404</body></html>"),
        PageVerdict::Drifted,
        "not a feed",
    );
}

fn explained(answer: Answer<'_>) -> Explanation {
    let explanation = with_page(answer, explain);
    assert_eq!(explanation.extraction, read(answer), "explaining changes nothing");
    explanation
}

#[test]
fn every_value_is_explained_by_its_place_its_raw_text_and_what_became_of_it() {
    let told = explained(answer("weibo", "timeline", fixture!("weibo/timeline_pins_1.json")));
    let text = told.to_string();
    for line in [
        "layout default: chosen\n",
        "identity.handle = \"9990000001\"\n    $.id: \"9990000001\"\n",
        "posts[0].pinned = true\n",
        "posts[1].published_at = \"2026-11-22T20:14:40+08:00\"\n    $.created_at: \"刚刚\"\n    \
         $.mid as weibo_id_time: \"5368147993432065\" → \"",
        "posts[0].reads = null\n    $.reads_count: nothing there\n",
    ] {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn messages_are_explained_by_their_times_and_never_by_their_words() {
    let body = fixture!("weibo/comments_own_replies.json");
    let text = explained(answer("weibo", "comments", body)).to_string();
    assert!(text.contains("inquiries[0].asked_at = \"2026-11-20T09:00:00+08:00\""), "{text}");
    assert!(text.contains("inquiries[0].replied_at = \"2026-11-20T10:00:00+08:00\""), "{text}");
    assert!(!text.contains("9990000101") && !text.contains("略"), "{text}");
    let home = explained(answer("portal", "inventory", fixture!("portal/inventory.html")));
    assert!(home.values.iter().any(|one| one.place == "columns[1].title"), "{home}");
}

#[test]
fn items_and_layouts_that_were_not_taken_are_told_with_their_reason() {
    let liked = explained(answer("weibo", "timeline", fixture!("weibo/timeline_liked.json")));
    let whys: Vec<_> = liked.left_out.iter().map(|(_, why)| *why).collect();
    assert!(whys.contains(&"posted by another account"), "{whys:?}");
    let posts = liked.extraction.posts.len();
    assert!(liked.values.iter().any(|one| one.place == format!("posts[{}].likes", posts - 1)));
    assert!(!liked.values.iter().any(|one| one.place.starts_with(&format!("posts[{posts}]"))));

    let list = explained(answer("portal", "list", fixture!("portal/list.json")));
    let chosen = list.layouts.iter().position(|layout| layout.chosen).unwrap();
    let wrong = list.layouts[..chosen].iter().find(|layout| layout.reason.is_none());
    assert!(wrong.is_none() && list.layouts[chosen + 1..].iter().all(|one| !one.tried));
    let wall = explained(answer("weibo", "timeline", fixture!("weibo/captcha.json")));
    assert!(wall.to_string().contains("layout default: chosen: login: -100\n"), "{wall}");
}

#[test]
fn depth_and_size_are_limited() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(answer("weibo", "timeline", deep.as_bytes()), PageVerdict::Drifted, "recursion limit");
    let deep = "<div>".repeat(50_000);
    check(answer("portal", "list", deep.as_bytes()), PageVerdict::Drifted, "deep");
    let large = vec![b' '; 50_000_000];
    for (platform, page) in [("feed", "feed"), ("portal", "list"), ("weibo", "timeline")] {
        check(answer(platform, page, &large), PageVerdict::Drifted, "at most");
    }
}

#[test]
fn depth_is_limited_in_every_format() {
    let nested =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let item = |inside: &str| {
        format!(
            "<rss version='2.0'><channel><title>某局</title><item>{inside}</item></channel></rss>"
        )
    };
    let entry = |inside: &str| {
        format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>某局</title><entry>\
             <content type='xhtml'>{inside}</content></entry></feed>"
        )
    };
    for (platform, page, body) in [
        ("portal", "list", nested("<table><tr><td>", "</td></tr></table>")),
        ("portal", "list", nested("<b>", "")),
        ("portal", "article", nested("<section>", "</section>")),
        ("portal", "list", nested("{\"a\":", "}")),
        ("feed", "feed", item(&nested("<a>", "</a>"))),
        ("feed", "feed", entry(&nested("<div xmlns='http://www.w3.org/1999/xhtml'>", "</div>"))),
        ("feed", "feed", nested("<channel>", "</channel>")),
    ] {
        let read = read(answer(platform, page, body.as_bytes()));
        let wall = read.verdict == PageVerdict::Drifted && read.reason.is_some();
        assert!(wall && read.posts.is_empty(), "{platform} {page} {}: {read:?}", &body[..40]);
    }
}

#[test]
fn the_last_page_of_an_export_says_so() {
    let more = include_str!("../../tests/fixtures/pages/wechat/history.json");
    let last = more.replace("\"can_msg_continue\": 1", "\"can_msg_continue\": 0");
    assert!(!read(answer("wechat", "history", more.as_bytes())).exhausted);
    assert!(read(answer("wechat", "history", last.as_bytes())).exhausted);
}

#[test]
fn a_bridge_tells_its_own_success_upstream() {
    let headers = [("x-upstream-success-at".to_owned(), "2026-11-22T11:30:00Z".to_owned())];
    let bridge = answer("wechat", "bridge", fixture!("wechat/bridge.xml"));
    let told = read(Answer { headers: &headers, ..bridge }).source_time.unwrap();
    assert_eq!(told.to_rfc3339(), "2026-11-22T11:30:00+00:00");
    assert_eq!(read(bridge).source_time, None, "what the feed says of its last change is no proof");
    let own_feed =
        Answer { headers: &headers, ..answer("feed", "feed", fixture!("feed/atom.xml")) };
    assert_eq!(read(own_feed).source_time, None, "an account's own feed asks nobody upstream");
}

#[test]
fn a_nul_in_a_page_is_no_nul_in_what_is_read() {
    let rss = r#"<rss version="2.0"><channel><title>x</title><item><title>A&amp;#0;B</title>
        <guid>g</guid><pubDate>Fri, 21 Aug 2026 11:35:00 +0800</pubDate></item></channel></rss>"#;
    let feed = read(answer("feed", "feed", rss.as_bytes()));
    assert_eq!(feed.posts[0].title.as_deref(), Some("A\u{fffd}B"));
    let timeline = String::from_utf8_lossy(fixture!("weibo/timeline_pins_0.json")).replacen(
        "\"screen_name\": \"",
        "\"screen_name\": \"\\u0000",
        1,
    );
    let weibo = read(answer("weibo", "timeline", timeline.as_bytes()));
    let shown = format!("{weibo:?}");
    assert!(weibo.verdict == PageVerdict::Observation && !shown.contains("\\0"), "{shown}");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(128))]

    /// Times and numbers are built from the pieces that the parsers look for.
    #[test]
    fn no_time_or_number_makes_the_parsers_panic(
        text in "([0-9]{0,20}|[-/.:+年月日时分秒万亿前天昨刚TZ ]|小时|Jan|GMT|[\\PC]){0,8}"
    ) {
        let at = DateTime::parse_from_rfc3339("2026-11-22T20:15:00+08:00").unwrap().to_utc();
        let _ = super::moment::moment(&text, at);
        let _ = super::count::count(&text, crate::platform::Rounding::Unknown);
    }

    #[test]
    fn a_damaged_page_is_read_without_panic(
        kept in 0_usize..4000, damage in proptest::collection::vec(proptest::num::u8::ANY, 0..40)
    ) {
        for (platform, page, body) in [
            ("weibo", "timeline", fixture!("weibo/timeline_times.json")),
            ("wechat", "article", fixture!("wechat/article.html")),
            ("wechat", "bridge", fixture!("wechat/bridge.xml")),
            ("portal", "list", fixture!("portal/list_gbk.html")),
        ] {
            let kept = kept.min(body.len());
            let damaged = [&body[..kept], &damage, &body[kept..]].concat();
            let _ = read(answer(platform, page, &damaged));
            let _ = read(answer(platform, page, &damaged[..kept + damage.len()]));
        }
    }
}
