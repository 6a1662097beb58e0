//! The part of `benches/generic/compare.py` that makes the pages and reads them with ours.
//!
//! `generic_reader DIR`: writes every page and mutant into DIR and one JSON line for each to
//! `DIR/pages.jsonl`: file, truth, our answer and our time. Pages are the project's own fixtures
//! and, where `XUNJIAN_CORPUS` names a folder with a `cases.json`, its portal pages.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xunjian::domain::SourceText;
use xunjian::extract::{Page, extract};
use xunjian::platform::{Catalog, Platform};

#[path = "mutations.rs"]
mod mutations;
#[path = "traps.rs"]
mod traps;

use mutations::{Answer, Mutant, Truth, articles, compare_article, compare_list, lists};

/// Readings of one page; the fastest counts.
const REPEATS: usize = 3;

/// A page with what is true of it.
struct Known {
    source: &'static str,
    file: String,
    list: bool,
    body: Vec<u8>,
    observed_at: DateTime<Utc>,
    url: Option<String>,
    title: String,
    days: Vec<String>,
    clocks: Vec<String>,
    entries: Vec<(String, String)>,
    optional: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).map(PathBuf::from);
    let Some(folder) = folder else { bail!("generic_reader DIR") };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("config/platforms/site.toml");
    let text = fs::read_to_string(&file)?;
    let source = SourceText { file: file.display().to_string(), text };
    let catalog =
        Catalog::compile(&[source]).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let platform = catalog.get("site").context("no platform site")?;
    let mut known = fixtures(&root.join("tests/fixtures/pages/portal/site"))?;
    if let Some(corpus) = std::env::var_os("XUNJIAN_CORPUS") {
        known.extend(recorded(Path::new(&corpus))?);
    }
    let mut out = fs::File::create(folder.join("pages.jsonl"))?;
    let mut number = 0;
    for page in &known {
        for mutant in mutants(page) {
            let name = folder.join(format!("{number}.html"));
            number += 1;
            fs::write(&name, &mutant.body)?;
            let line = measured(platform, page, &mutant, &name);
            writeln!(out, "{line}")?;
        }
    }
    for (page, trap) in trapped()? {
        let name = folder.join(format!("{number}.html"));
        number += 1;
        fs::write(&name, &trap.body)?;
        writeln!(out, "{}", measured(platform, &page, &trap, &name))?;
    }
    Ok(())
}

/// Pages that are hard to read, each as if it were a mutant.
fn trapped() -> anyhow::Result<Vec<(Known, Mutant)>> {
    let observed_at = instant("2026-11-22T20:15:00+08:00")?;
    let known = |list, days: Vec<String>, entries| Known {
        source: "traps",
        file: "trap".to_owned(),
        list,
        body: Vec::new(),
        observed_at,
        url: None,
        title: String::new(),
        clocks: vec![String::new(); days.len()],
        days,
        entries,
        optional: Vec::new(),
    };
    let articles = traps::articles().into_iter().map(|trap| {
        let days = trap.day.into_iter().map(str::to_owned).collect();
        let readable = trap.day.is_some();
        let (name, body, url) = (trap.name, trap.body, Some(trap.url));
        (known(false, days, Vec::new()), Mutant { name, body, url, readable })
    });
    let lists = traps::lists().into_iter().map(|trap| {
        let (name, body, url) = (trap.name, trap.body, Some(trap.url));
        (known(true, Vec::new(), trap.entries), Mutant { name, body, url, readable: true })
    });
    Ok(articles.chain(lists).collect())
}

/// The page itself, then its mutants.
fn mutants(page: &Known) -> Vec<Mutant> {
    let body = page.body.clone();
    let itself = Mutant { name: "itself".to_owned(), body, url: page.url.clone(), readable: true };
    let text = String::from_utf8(page.body.clone())
        .unwrap_or_else(|_| encoding_rs::GB18030.decode(&page.body).0.into_owned());
    let changed = if page.list {
        lists(&text, page.url.as_deref().unwrap_or_default())
    } else {
        let truth = Truth {
            title: &page.title,
            day: &page.days[0],
            clock: &page.clocks[0],
            url: page.url.as_deref(),
        };
        articles(&text, &truth)
    };
    std::iter::once(itself).chain(changed).collect()
}

fn measured(platform: &Platform, page: &Known, mutant: &Mutant, name: &Path) -> Value {
    let read = || {
        extract(&Page {
            platform,
            kind: &platform.pages[if page.list { "list" } else { "article" }],
            body: &mutant.body,
            content_type: None,
            status: 200,
            url: mutant.url.as_deref(),
            final_url: None,
            headers: &[],
            observed_at: page.observed_at,
            handle: None,
            number: 1,
            inquiry_key: b"bench",
        })
    };
    let mut micros = u128::MAX;
    for _ in 0..REPEATS {
        let began = Instant::now();
        std::hint::black_box(read());
        micros = micros.min(began.elapsed().as_micros());
    }
    let value = serde_json::to_value(read()).unwrap_or_default();
    let answer = if page.list {
        compare_list(&value, &page.entries, &page.optional)
    } else {
        let each = page.days.iter().zip(&page.clocks);
        let answers = each.map(|(day, clock)| compare_article(&value, day, clock));
        let best = answers.min_by_key(|answer| *answer != Answer::Right);
        let refused = value["posts"][0]["published_at"].is_null();
        best.unwrap_or(if refused { Answer::Refused } else { Answer::Wrong })
    };
    json!({
        "source": page.source, "page": page.file, "mutation": mutant.name, "list": page.list,
        "file": name, "url": mutant.url, "readable": mutant.readable, "days": page.days,
        "observed": page.observed_at.date_naive().to_string(), "answer": format!("{answer:?}"),
        "told": value["posts"][0]["published_at"], "finding": value["finding"],
        "reason": value["reason"], "micros": micros as u64,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn clock(at: &str, precision: &Value) -> String {
    let length = match precision.as_str() {
        Some("second") => 8,
        Some("minute") => 5,
        _ => 0,
    };
    at.get(11..11 + length).unwrap_or_default().to_owned()
}

fn instant(text: &str) -> anyhow::Result<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(text).with_context(|| text.to_owned())?.to_utc())
}

fn fixtures(folder: &Path) -> anyhow::Result<Vec<Known>> {
    let truth: Value = serde_json::from_str(&fs::read_to_string(folder.join("truth.json"))?)?;
    let pages = truth["pages"].as_array().context("pages")?;
    let known = pages.iter().map(|page| {
        let file = text(&page["file"]);
        let at = text(&page["published_at"]);
        let entries = page["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Known {
            source: "fixtures",
            list: page["page"] == "list",
            body: fs::read(folder.join(&file))?,
            file,
            observed_at: instant(&text(&truth["observed_at"]))?,
            url: Some(text(&page["url"])),
            title: text(&page["title"]),
            days: at.get(..10).map(str::to_owned).into_iter().collect(),
            clocks: vec![clock(&at, &page["precision"])],
            entries: entries.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            optional: Vec::new(),
        })
    });
    known.collect()
}

/// The HTML pages of portals in a folder of recorded pages.
fn recorded(folder: &Path) -> anyhow::Result<Vec<Known>> {
    let cases: Value = serde_json::from_str(&fs::read_to_string(folder.join("cases.json"))?)?;
    let cases = cases["cases"].as_array().or_else(|| cases.as_array()).context("cases")?;
    let portal = cases
        .iter()
        .filter(|case| case["platform"] == "portal" && text(&case["file"]).ends_with(".html"));
    let known = portal.map(|case| {
        let posts = case["expect"]["posts"].as_array().context("posts")?;
        let mut times = vec![text(&posts[0]["published_at"])];
        let also = posts[0]["also_published_at"].as_array();
        times.extend(also.into_iter().flatten().map(text));
        let pair = |post: &Value| {
            let day = text(&post["published_at"]).get(..10).unwrap_or_default().to_owned();
            (text(&post["ref"]), day)
        };
        let optional = case["expect"]["posts_optional"].as_array();
        Ok(Known {
            source: "recorded",
            file: text(&case["file"]),
            list: case["page"] == "list",
            body: fs::read(folder.join(text(&case["file"])))?,
            observed_at: instant(&text(&case["observed_at"]))?,
            url: case["url"].as_str().map(str::to_owned),
            title: text(&posts[0]["title"]),
            days: times.iter().filter_map(|at| Some(at.get(..10)?.to_owned())).collect(),
            clocks: times.iter().map(|at| clock(at, &posts[0]["precision"])).collect(),
            entries: posts.iter().map(pair).collect(),
            optional: optional.into_iter().flatten().map(text).collect(),
        })
    });
    known.collect()
}
