//! One wrong file per rule, and the shipped files.

use super::*;
use crate::domain::{IdTime, Moment, Post, SourceText};

const GOOD: &str = r#"id = "example"
title = "示例平台"
observability = "public_page"
hosts = ["m.example.cn"]
limit = { per_minute = 20, concurrent = 1, backoff_max_s = 3600 }
canaries = ["1234567890"]

[pages.timeline]
role = "list"
crawl = true
url = "https://m.example.cn/u/{handle}?page={page}"
format = "json"
identity = { handle = "$.user.id", name = "$.user.name" }
items = "$.cards[*]"
verified = "never"
blocked = [{ at = "$.url", matches = "captcha|login" }, { status = [403] }]

[pages.timeline.item]
ref = "$.id"
published_at = { at = "$.created_at", as = "datetime" }
likes = { at = "$.attitudes", as = "count" }
comments = { at = "$.comments", or = "hidden:login_required" }
"#;

fn compile(text: &str) -> Result<Catalog, Vec<String>> {
    let file = SourceText { file: "p.toml".to_owned(), text: text.to_owned() };
    let problems = |problems: Vec<crate::domain::Problem>| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    Catalog::compile(&[file]).map_err(problems)
}

/// One change to a good file gives exactly one problem, which begins and speaks as wanted.
fn check(from: &str, to: &str, place: &str, reason: &str) {
    assert_eq!(GOOD.matches(from).count(), 1, "{from:?} is not once in the good file");
    let problems = compile(&GOOD.replace(from, to)).err().unwrap_or_default();
    assert_eq!(problems.len(), 1, "{to:?}: {problems:#?}");
    assert!(problems[0].starts_with(place), "{to:?}: {} does not start {place}", problems[0]);
    assert!(problems[0].contains(reason), "{to:?}: {} does not say {reason:?}", problems[0]);
}

#[test]
fn a_good_file_compiles() {
    let catalog = compile(GOOD).unwrap();
    let platform = catalog.find("示例平台").unwrap();
    assert_eq!(platform.limit.per_minute, 20);
    assert_eq!(platform.pages["timeline"].identity, IdentityProof::Answer);
    assert_eq!(platform.crawled().count(), 1);
    assert!(platform.digest.starts_with("sha256:") && platform.digest.len() == 71);
}

#[test]
fn keys_that_nobody_knows_are_refused() {
    check("hosts =", "host =", "p.toml:4: host:", "unknown key");
    check("per_minute", "per_hour", "p.toml:5: limit.per_hour:", "unknown key");
    check("likes =", "like =", "p.toml:21: pages.timeline.item.like:", "unknown key");
}

#[test]
fn words_outside_their_set_are_refused() {
    check("\"public_page\"", "\"page\"", "p.toml:3: observability:", "none of: public_page");
    check("\"list\"", "\"wall\"", "p.toml:9: pages.timeline.role:", "none of: list");
    check("\"json\"", "\"xml\"", "p.toml:12: pages.timeline.format:", "none of: json");
}

#[test]
fn what_is_missing_is_named() {
    check("title = \"示例平台\"\n", "", "p.toml:1: title:", "is missing");
    check(
        "url = \"https://m.example.cn/u/{handle}?page={page}\"\n",
        "",
        "p.toml:8: pages.timeline.url:",
        "is missing",
    );
    check(
        "identity = { handle = \"$.user.id\", name = \"$.user.name\" }\n",
        "",
        "p.toml:8: pages.timeline.identity:",
        "is missing",
    );
    check("items = \"$.cards[*]\"\n", "", "p.toml:8: pages.timeline.items:", "is missing");
    check("verified = \"never\"\n", "", "p.toml:8: pages.timeline.verified:", "is missing");
    check("handle = \"$.user.id\", ", "", "p.toml:8: pages.timeline.identity:", "is missing");
}

#[test]
fn paths_and_patterns_are_compiled() {
    check("\"$.cards[*]\"", "\"$.cards[\"", "p.toml:14: pages.timeline.items:", "bad JSONPath");
    check(
        "\"captcha|login\"",
        "\"captcha(\"",
        "p.toml:16: pages.timeline.blocked[0].matches:",
        "bad pattern",
    );
    check("\"$.id\"", "\"id\"", "p.toml:19: pages.timeline.item.ref:", "bad JSONPath");
    check("{handle}?", "{uid}?", "p.toml:11: pages.timeline.url:", "unknown place {uid}");
}

#[test]
fn what_ids_tell_of_their_time_is_said_by_a_quirk_or_a_pattern() {
    let place = "p.toml:15: pages.timeline.ref_time:";
    let verified = "verified = \"never\"";
    let with = |key: &str| format!("{key}\n{verified}");
    check(verified, &with("ref_time = \"birth\""), place, "no quirk");
    let place = "p.toml:15: pages.timeline.ref_place:";
    check(verified, &with("ref_place = '(\\d+'"), place, "unclosed group");
    check(verified, &with("ref_place = '\\d+'"), place, "exactly one group");
    let id_time = |key: &str, reference: &str| {
        let catalog = compile(&GOOD.replace(verified, &with(key))).unwrap();
        catalog.get("example").unwrap().pages["timeline"].id_time(reference)
    };
    let at = "2025-11-22T04:00:00Z".parse().unwrap();
    let weibo = "ref_time = \"weibo_id_time\"";
    assert_eq!(id_time(weibo, "5235751935553593"), IdTime::At(at));
    assert_eq!(id_time(weibo, "12"), IdTime::Untold);
    let counted = "ref_place = '_(\\d+)\\.html$'";
    assert_eq!(id_time(counted, "/art/2026/11/22/art_1229_4567.html"), IdTime::Place(4567));
    assert_eq!(id_time(counted, "/art/2026/11/22/a.html"), IdTime::Untold);
}

#[test]
fn a_post_is_as_old_as_its_id_says_whatever_an_old_page_claims() {
    let verified = "verified = \"never\"";
    let with = format!("ref_time = \"weibo_id_time\"\n{verified}");
    let catalog = compile(&GOOD.replace(verified, &with)).unwrap();
    let kind = &catalog.get("example").unwrap().pages["timeline"];
    // The id was given out on 2025-11-22 at 04:00.
    for (reference, claims, expected) in [
        (Some("5235751935553593"), "2026-11-22T04:00:00Z", "2025-11-22T04:00:00Z"),
        (Some("5235751935553593"), "2025-11-21T04:00:00Z", "2025-11-21T04:00:00Z"),
        (Some("12"), "2026-11-22T04:00:00Z", "2026-11-22T04:00:00Z"),
        (None, "2026-11-22T04:00:00Z", "2026-11-22T04:00:00Z"),
    ] {
        let post = Post {
            reference: reference.map(str::to_owned),
            published: Some(Moment::second(claims.parse().unwrap())),
            ..Post::default()
        };
        assert_eq!(kind.published_by(&post), Some(expected.parse().unwrap()), "{reference:?}");
    }
    assert_eq!(kind.published_by(&Post::default()), None);
}

#[test]
fn the_addresses_of_publishing_systems_tell_their_place() {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/config/platforms/portal.toml"));
    let catalog = compile(text).unwrap();
    let kind = &catalog.get("portal").unwrap().pages["list"];
    for (address, place) in [
        ("http://www.a.gov.cn/art/2026/11/22/art_1229_4567.html", Some(4567)),
        ("http://www.a.gov.cn/xw/202611/t20261122_1234567.html", Some(1_234_567)),
        ("http://www.a.gov.cn/xw/4567.shtml?from=list", Some(4567)),
        ("http://www.a.gov.cn/xw/5f3a9c.html", None),
        ("http://www.a.gov.cn/xw/index.html", None),
        ("http://www.a.gov.cn/xw/12.html", None),
    ] {
        assert_eq!(kind.id_time(address), place.map_or(IdTime::Untold, IdTime::Place), "{address}");
    }
}

#[test]
fn transforms_are_known_and_fit() {
    check(
        "\"datetime\"",
        "\"weibo_time\"",
        "p.toml:20: pages.timeline.item.published_at.as:",
        "unknown transform",
    );
    check(
        "as = \"count\"",
        "as = \"datetime\"",
        "p.toml:21: pages.timeline.item.likes.as:",
        "not what this field holds",
    );
    check(
        "\"hidden:login_required\"",
        "\"0\"",
        "p.toml:22: pages.timeline.item.comments.or:",
        "hidden:<reason>",
    );
    check(
        "ref = \"$.id\"",
        "ref = { at = \"$.id\", capped = 5 }",
        "p.toml:19: pages.timeline.item.ref.capped:",
        "counts only",
    );
    check(
        "ref = \"$.id\"",
        "ref = { at = \"$.id\", attr = \"href\" }",
        "p.toml:19: pages.timeline.item.ref.attr:",
        "HTML only",
    );
    check(
        "ref = \"$.id\"",
        "ref = { at = \"$.id\", page = \"$.id\" }",
        "p.toml:19: pages.timeline.item.ref:",
        "several places",
    );
}

#[test]
fn types_and_ranges_are_checked() {
    check(
        "crawl = true",
        "crawl = \"yes\"",
        "p.toml:10: pages.timeline.crawl:",
        "expected true or false",
    );
    check("concurrent = 1", "concurrent = 0", "p.toml:5: limit.concurrent:", "outside 1..=64");
    check("\"never\"", "\"2026-13-01\"", "p.toml:15: pages.timeline.verified:", "no date");
    check("[403]", "[42]", "p.toml:16: pages.timeline.blocked[1].status[0]:", "outside 100..=599");
    check(
        "{ status = [403] }",
        "{ matches = \"x\" }",
        "p.toml:16: pages.timeline.blocked[1]:",
        "needs one of",
    );
    check(
        "role = \"list\"",
        "role = \"board\"",
        "p.toml:8: pages.timeline.personal:",
        "must be true",
    );
}

#[test]
fn css_selectors_are_compiled_in_html_layouts() {
    let html = "id = 'h'\ntitle = '页'\nobservability = 'public_page'\n[pages.list]\n\
                role = 'list'\nverified = 2026-11-22\nformat = 'html'\nidentity = 'address'\n\
                items = 'li['\n";
    let problems = compile(html).unwrap_err();
    assert!(problems[0].contains("p.toml:9: pages.list.items: bad CSS selector"), "{problems:?}");
}

#[test]
fn a_generic_layout_has_no_paths_for_what_it_finds_itself() {
    let generic = "id = 'g'\ntitle = '页'\nobservability = 'public_page'\n[pages.list]\n\
                   role = 'list'\nverified = 'never'\nformat = 'generic'\nidentity = 'address'\n";
    assert!(compile(generic).is_ok());
    let problems = compile(&format!("{generic}items = 'li'\nitem = {{ title = 'a' }}\n"));
    let problems = problems.unwrap_err();
    assert!(problems[0].contains("p.toml:9: pages.list.items: has no meaning"), "{problems:?}");
    assert!(problems[1].contains("pages.list.item.title: has no meaning"), "{problems:?}");
}

#[test]
fn every_problem_of_every_file_is_told() {
    let twice = GOOD.replace("hosts =", "host =").replace("\"$.cards[*]\"", "\"$.cards[\"");
    let file = |name: &str, text: &str| SourceText { file: name.to_owned(), text: text.to_owned() };
    let files = [file("a.toml", &twice), file("b.toml", "id = "), file("c.toml", GOOD)];
    let problems = Catalog::compile(&files).unwrap_err();
    let places = problems.iter().map(|one| (one.file.as_str(), one.line)).collect::<Vec<_>>();
    assert_eq!(places, [("a.toml", 4), ("a.toml", 14), ("b.toml", 1)]);
}

#[test]
fn two_platforms_never_share_a_name() {
    let file = |name: &str, text: &str| SourceText { file: name.to_owned(), text: text.to_owned() };
    let other = GOOD.replace("id = \"example\"", "id = \"other\"");
    let problems = Catalog::compile(&[file("a.toml", GOOD), file("b.toml", &other)]).unwrap_err();
    assert!(problems[0].to_string().contains("\"example\" are used already"), "{problems:?}");
}

#[test]
fn alternatives_inherit_what_they_do_not_say() {
    let text = format!(
        "{GOOD}\n[[pages.timeline.alternatives]]\nname = \"new\"\nitems = \"$.data[*]\"\n\
         item = {{ ref = \"$.mid\" }}\n[[pages.timeline.alternatives]]\nname = \"old\"\n"
    );
    let catalog = compile(&text).unwrap();
    let layouts = &catalog.get("example").unwrap().pages["timeline"].layouts;
    let names = layouts.iter().map(|layout| layout.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["new", "old"]);
    assert!(layouts.iter().all(|layout| layout.item.likes.candidates.len() == 1));
    assert!(layouts.iter().all(|layout| layout.blocked.len() == 2));
}

#[test]
fn catalogs_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Catalog>();
}

const VISIBILITY: &str = r#"[visibility]
posts = "public"
reads = { is = "owner_only", why = "后台" }
likes = "public"
comments = "public"
shares = "public"
followers = "public"
messages = { is = "hidden", why = "登录" }
original = "public"
interaction = "public"
certified = "public"
availability = "n/a"

[pages.timeline]
"#;

/// One change to a good visibility table gives one problem.
fn check_visibility(from: &str, to: &str, reason: &str) {
    assert!(VISIBILITY.contains(from));
    let text = GOOD.replace("[pages.timeline]\n", &VISIBILITY.replace(from, to));
    let problems = compile(&text).err().unwrap_or_default();
    assert!(problems.len() == 1 && problems[0].contains(reason), "{to:?}: {problems:#?}");
}

#[test]
fn visibility_answers_every_need_and_gives_reasons() {
    let catalog = compile(&GOOD.replace("[pages.timeline]\n", VISIBILITY)).unwrap();
    let visibility = &catalog.get("example").unwrap().visibility;
    assert_eq!(visibility.len(), Need::ALL.len());
    assert_eq!(visibility[&Need::Reads], Visibility::OwnerOnly("后台".to_owned()));
    assert_eq!(visibility[&Need::Messages].to_string(), "hidden: 登录");
    assert_eq!((Need::Reads.to_string().as_str(), visibility[&Need::Posts].clone()), {
        ("reads", Visibility::Public)
    });
    check_visibility("posts = \"public\"\n", "", "visibility.posts: is missing");
    check_visibility("posts = \"public\"", "posts = \"visible\"", "none of: public");
    check_visibility("posts = \"public\"", "posts = \"hidden\"", "has a reason");
}

#[test]
fn robots_are_checked_on_a_day_or_never() {
    let with = |robots: &str| compile(&format!("robots = {{ {robots} }}\n{GOOD}"));
    let robots = |text: &str| with(text).unwrap().get("example").unwrap().robots.clone().unwrap();
    assert_eq!(robots("verdict = \"允许\", checked = \"never\"").checked, None);
    assert!(robots("verdict = \"允许\", checked = 2026-11-22").checked.is_some());
    assert!(with("verdict = \"允许\", checked = \"soon\"").is_err());
}

#[test]
fn a_page_kind_is_read_like_another_but_is_what_it_says_itself() {
    let like = |name: &str, more: &str| {
        format!("{GOOD}\n[pages.other]\nlike = \"{name}\"\nrole = \"list\"\n{more}")
    };
    let text = like("timeline", "verified = \"never\"\nitems = \"$.list[*]\"\n");
    let catalog = compile(&text).unwrap();
    let other = &catalog.get("example").unwrap().pages["other"];
    assert!(!other.crawl && other.url.is_none() && other.order == Order::Unordered);
    let layout = &other.layouts[0];
    assert_eq!((layout.blocked.len(), layout.items[0].to_string().as_str()), (2, "$.list[*]"));
    assert_eq!(layout.item.likes.candidates.len(), 1);
    for (name, more, reason) in [
        ("timeline", "", "verified: is missing"),
        ("other", "verified = \"never\"\n", "no other page kind"),
        ("nobody", "verified = \"never\"\n", "no other page kind"),
    ] {
        let problems = compile(&like(name, more)).err().unwrap_or_default();
        assert!(problems.iter().any(|one| one.contains(reason)), "{name}: {problems:#?}");
    }
}

#[test]
fn signs_say_what_they_mean_in_known_words() {
    let wall = "blocked = [{ at = \"$.url\", matches = \"captcha|login\"";
    let text = GOOD.replace(wall, &format!("{wall}, means = \"captcha\""));
    let catalog = compile(&text).unwrap();
    let layout = &catalog.get("example").unwrap().pages["timeline"].layouts[0];
    assert_eq!(layout.blocked[0].means, Some("captcha"));
    assert_eq!(layout.blocked[1].means, None);
    check(wall, &format!("{wall}, means = \"migrated\""), "p.toml:16:", "none of: captcha");
    check(
        "likes = { at = \"$.attitudes\"",
        "likes = { means = \"captcha\", at = \"$.attitudes\"",
        "p.toml:21:",
        "unknown key",
    );
}

macro_rules! shipped {
    ($name:literal) => {
        ($name, include_str!(concat!("../../config/platforms/", $name)))
    };
}

#[test]
fn the_shipped_files_compile_and_say_what_is_publicly_visible() {
    let files = [
        shipped!("app.toml"),
        shipped!("bilibili.toml"),
        shipped!("board.toml"),
        shipped!("douyin.toml"),
        shipped!("feed.toml"),
        shipped!("kuaishou.toml"),
        shipped!("mastodon.toml"),
        shipped!("portal.toml"),
        shipped!("site.toml"),
        shipped!("toutiao.toml"),
        shipped!("wechat.toml"),
        shipped!("wechat_channels.toml"),
        shipped!("weibo.toml"),
        shipped!("xiaohongshu.toml"),
    ];
    let sources =
        files.map(|(file, text)| SourceText { file: file.to_owned(), text: text.to_owned() });
    let catalog = Catalog::compile(&sources).unwrap_or_else(|problems| panic!("{problems:#?}"));
    for platform in catalog.iter() {
        assert!(sources.iter().any(|source| source.file == format!("{}.toml", platform.id)));
        assert!(
            !platform.notes.is_empty(),
            "{} does not say what is publicly visible",
            platform.id
        );
        assert_eq!(platform.visibility.len(), Need::ALL.len(), "{}", platform.id);
        assert!(platform.robots.is_some(), "{} does not say what robots.txt says", platform.id);
        let text = sources.iter().find(|source| source.file == format!("{}.toml", platform.id));
        for key in ["visibility_lag_hours = ", "rounding = "] {
            let says = text.is_some_and(|source| source.text.contains(&format!("\n{key}")));
            assert!(says, "{} does not say {key}", platform.id);
        }
        for kind in platform.crawled() {
            let read = matches!(kind.role, Role::Board | Role::Comments);
            let speaks = kind.role.speaks_for_account() || read;
            assert!(kind.url.is_some() && speaks, "{}", kind.name);
        }
    }
}
