use std::path::Path;
use std::sync::LazyLock;

use chrono::DateTime;
use serde_json::Value;

use super::super::{Page, extract};
use crate::domain::{Extraction, PageVerdict, SourceText};
use crate::extract::charset::decode;
use crate::platform::Catalog;

#[path = "../../../benches/generic/mutations.rs"]
mod mutations;

#[path = "../../../benches/generic/traps.rs"]
mod traps;

use mutations::{Answer, Truth, compare_article, compare_list};

const OBSERVED_AT: &str = "2026-11-22T20:15:00+08:00";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let text = include_str!("../../../config/platforms/site.toml").to_owned();
    Catalog::compile(&[SourceText { file: "site.toml".to_owned(), text }]).unwrap()
});

fn read(page: &str, body: &[u8], url: Option<&str>) -> Extraction {
    let platform = CATALOG.get("site").unwrap();
    extract(&Page {
        platform,
        kind: &platform.pages[page],
        body,
        content_type: None,
        status: 200,
        url,
        final_url: None,
        headers: &[],
        observed_at: DateTime::parse_from_rfc3339(OBSERVED_AT).unwrap().to_utc(),
        handle: None,
        number: 1,
        inquiry_key: b"key",
    })
}

struct Fixture {
    page: String,
    file: String,
    url: String,
    body: Vec<u8>,
    truth: Value,
}

fn fixtures(page: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages/portal/site");
    let truth = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = truth["pages"].as_array().unwrap().iter().map(|truth| Fixture {
        page: text(&truth["page"]),
        file: text(&truth["file"]),
        url: text(&truth["url"]),
        body: std::fs::read(folder.join(text(&truth["file"]))).unwrap(),
        truth: truth.clone(),
    });
    all.filter(|fixture| fixture.page == page).collect()
}

impl Fixture {
    fn day(&self) -> &str {
        &self.truth["published_at"].as_str().unwrap()[..10]
    }

    fn clock(&self) -> &str {
        let length = match self.truth["precision"].as_str() {
            Some("second") => 8,
            Some("minute") => 5,
            _ => 0,
        };
        &self.truth["published_at"].as_str().unwrap()[11..11 + length]
    }

    fn entries(&self) -> Vec<(String, String)> {
        let pair = |entry: &Value| {
            let text = |at: usize| entry[at].as_str().unwrap().to_owned();
            (text(0), text(1))
        };
        self.truth["entries"].as_array().unwrap().iter().map(pair).collect()
    }
}

#[derive(Default)]
struct Tally {
    right: usize,
    refused: Vec<String>,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, what: &str, answer: Answer, read: &Extraction) {
        match answer {
            Answer::Right => self.right += 1,
            Answer::Refused => {
                assert_eq!(read.verdict, PageVerdict::Drifted, "{what}");
                let reason = read.reason.clone().unwrap_or_default();
                self.refused.push(format!("{what}: {reason}"));
            }
            Answer::Wrong => self.wrong.push(format!("{what}: {:?}", read.finding)),
        }
    }

    /// At most one wrong answer in a hundred; refusals at most one in ten readable pages.
    fn check(&self, least: usize) {
        let all = self.right + self.refused.len() + self.wrong.len();
        println!("{all} pages, {} right, {} refused", self.right, self.refused.len());
        println!("{}", self.refused.join("\n"));
        assert!(all >= least, "{all} pages");
        assert!(self.wrong.len() * 100 <= all, "wrong:\n{}", self.wrong.join("\n"));
        assert!(self.refused.len() * 10 <= all, "refused:\n{}", self.refused.join("\n"));
    }
}

#[test]
fn articles_of_every_template_are_read_with_their_place() {
    for fixture in fixtures("article") {
        let read = read("article", &fixture.body, Some(&fixture.url));
        let value = serde_json::to_value(&read).unwrap();
        let answer = compare_article(&value, fixture.day(), fixture.clock());
        assert_eq!(answer, Answer::Right, "{}: {:?}", fixture.file, read.reason);
        assert_eq!(read.posts[0].title.as_deref(), fixture.truth["title"].as_str());
        assert!(!read.finding.unwrap().place.is_empty());
    }
}

#[test]
fn lists_of_every_template_are_read() {
    for fixture in fixtures("list") {
        let read = read("list", &fixture.body, Some(&fixture.url));
        let value = serde_json::to_value(&read).unwrap();
        let answer = compare_list(&value, &fixture.entries(), &[]);
        assert_eq!(answer, Answer::Right, "{}: {:?}", fixture.file, read.reason);
    }
}

#[test]
fn mutants_of_articles_are_read_right_or_refused() {
    let (mut readable, mut unreadable) = (Tally::default(), Tally::default());
    for fixture in fixtures("article") {
        let page = decode(&fixture.body, None);
        let truth = Truth {
            title: fixture.truth["title"].as_str().unwrap(),
            day: fixture.day(),
            clock: fixture.clock(),
            url: Some(&fixture.url),
        };
        for mutant in mutations::articles(&page, &truth) {
            let read = read("article", &mutant.body, mutant.url.as_deref());
            let value = serde_json::to_value(&read).unwrap();
            let answer = compare_article(&value, truth.day, truth.clock);
            let what = format!("{}, {}", fixture.file, mutant.name);
            let tally = if mutant.readable { &mut readable } else { &mut unreadable };
            tally.add(&what, answer, &read);
        }
    }
    readable.check(200);
    assert!(unreadable.wrong.is_empty(), "{}", unreadable.wrong.join("\n"));
}

#[test]
fn mutants_of_lists_are_read_right_or_refused() {
    let (mut readable, mut unreadable) = (Tally::default(), Tally::default());
    for fixture in fixtures("list") {
        let page = decode(&fixture.body, None);
        for mutant in mutations::lists(&page, &fixture.url) {
            let read = read("list", &mutant.body, mutant.url.as_deref());
            let value = serde_json::to_value(&read).unwrap();
            let answer = compare_list(&value, &fixture.entries(), &[]);
            let what = format!("{}, {}", fixture.file, mutant.name);
            let tally = if mutant.readable { &mut readable } else { &mut unreadable };
            tally.add(&what, answer, &read);
        }
    }
    readable.check(200);
    assert!(unreadable.wrong.is_empty(), "{}", unreadable.wrong.join("\n"));
}

/// Refusals are allowed here, and counted in `benches/generic/README.md`; wrong answers are not.
#[test]
fn traps_are_read_right_or_refused() {
    let (mut right, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for trap in traps::articles() {
        let read = read("article", &trap.body, Some(&trap.url));
        let value = serde_json::to_value(&read).unwrap();
        let told = value["posts"][0]["published_at"].as_str().and_then(|at| at.get(..10));
        match (told, trap.day) {
            (None, None) => right += 1,
            (None, Some(_)) => refused.push(format!("{}: {:?}", trap.name, read.reason)),
            (told, day) if told == day => right += 1,
            (told, _) => wrong.push(format!("{}: {told:?}, {:?}", trap.name, read.finding)),
        }
    }
    for trap in traps::lists() {
        let read = read("list", &trap.body, Some(&trap.url));
        let value = serde_json::to_value(&read).unwrap();
        match compare_list(&value, &trap.entries, &[]) {
            Answer::Right => right += 1,
            Answer::Refused => refused.push(format!("list: {}: {:?}", trap.name, read.reason)),
            Answer::Wrong => wrong.push(format!("list: {}: {:?}", trap.name, read.finding)),
        }
    }
    println!("{right} right, {} refused, {} wrong", refused.len(), wrong.len());
    println!("{}\nwrong:\n{}", refused.join("\n"), wrong.join("\n"));
    let all = right + refused.len() + wrong.len();
    assert!(all >= 1000, "{all} pages");
    assert!(wrong.len() * 100 <= all, "{} of {all} wrong", wrong.len());
}

#[test]
fn pages_beyond_every_cap_are_refused() {
    for (body, reason) in [
        ("<div>".repeat(100_000), "deep"),
        ("<b>一".repeat(100_000), "deep"),
        ("<table><tr><td>".repeat(100_000), "deep"),
        ("<br>".repeat(600_000), "elements"),
        ("x".repeat(50_000_000), "at most"),
    ] {
        for page in ["list", "article"] {
            let read = read(page, body.as_bytes(), Some("https://www.hailan.example/tzgg/"));
            assert_eq!(read.verdict, PageVerdict::Drifted, "{}", &body[..8]);
            assert!(read.reason.as_ref().is_some_and(|told| told.contains(reason)), "{read:?}");
        }
    }
    // Wide and long pages are read, and in a time that grows with them.
    let row = "<li><a href='/1.html'>全市安全生产工作会议召开</a><span>2026-11-01</span></li>";
    for body in [row.repeat(20_000), "2026-11-01 ".repeat(100_000), "</b><a".repeat(200_000)] {
        for page in ["list", "article"] {
            read(page, body.as_bytes(), Some("https://www.hailan.example/tzgg/"));
        }
    }
}

fn refused(page: &str, body: &str, reason: &str) {
    let body = format!("<html><head><title>海岚市某局</title></head><body>{body}</body></html>");
    let read = read(page, body.as_bytes(), Some("https://www.hailan.example/tzgg/"));
    assert_eq!((read.verdict, read.posts.len()), (PageVerdict::Drifted, 0), "{body}");
    let told = read.reason.unwrap();
    assert!(told.contains(reason), "{body}: {told}");
}

#[test]
fn what_is_not_sure_is_refused_with_the_reason() {
    let title = "<h1>关于开展安全检查的通知</h1>";
    for body in [
        "",
        "<p>版权所有 © 2010-2026 海ICP备20261101号</p>",
        "<p>最后更新：2026-11-20</p>",
        "<p>今天是2026年11月22日 星期日</p>",
        "<p>成文日期：2026年11月2日</p>",
        "<p>2026年11月1日，全市召开安全工作会议。</p>",
        "<p>上一篇：<a href='/1.html'>通知</a> 2026-11-01</p>",
        "<p>发布时间：2027-11-01</p>",
        "<ul><li><a href='/1.html'>全市安全生产工作会议召开</a><span>2026-11-01</span></li></ul>",
    ] {
        refused("article", &format!("{title}{body}"), "no publication time");
    }
    let two = "<p>发布日期：2026-11-01</p><p>发布日期：2026-10-01</p>";
    refused("article", &format!("{title}{two}"), "not sure enough");
    refused("list", "<ul><li><a href='/zwgk/'>政务公开</a></li></ul>", "no list");
    let box_of = |at: usize| {
        let row = |day: usize| {
            format!(
                "<li><a href='/{at}/{day}.html'>第{at}栏第{day}条工作动态信息</a>2026-11-1{day}</li>"
            )
        };
        format!("<div><ul>{}</ul></div>", (1..5).rev().map(row).collect::<String>())
    };
    refused("list", &(1..4).map(box_of).collect::<String>(), "as likely");
}
