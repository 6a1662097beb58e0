//! What keeping a page as evidence costs, beside reading that page.
//!
//! `cargo run --release --example evidence_cost`: a column page of a portal, its noise and its items
//! as many as make the size; processor time of the reader and of the writer of records, alternating
//! in one run, medians. Fetching is not in it, which makes the ratio look worse than it is.
//!
//! `cargo run --example evidence_cost -- city [ACCOUNTS] [DAYS]` looks at a simulated city once a
//! day and tells how many bytes were kept; these are the same in every build.

mod city;

use std::fs;
use std::hint::black_box;
use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, Utc};
use xunjian::domain::{EvidenceClass, RecordKey, SourceText};
use xunjian::evidence::{Answer, Circumstances, Keep, capture};
use xunjian::extract::{Page, extract};
use xunjian::platform::Catalog;

const REPEATS: usize = 41;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => cost_of_pages(),
        ["city", rest @ ..] => {
            let accounts = rest.first().map_or(Ok(200), |text| text.parse())?;
            let days = rest.get(1).map_or(Ok(10), |text| text.parse())?;
            tokio::runtime::Runtime::new()?.block_on(city::measure(accounts, days))
        }
        _ => anyhow::bail!("nothing, or: city [ACCOUNTS] [DAYS]"),
    }
}

fn cost_of_pages() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("config/platforms/portal.toml");
    let text = fs::read_to_string(&file)?;
    let source = SourceText { file: file.display().to_string(), text };
    let catalog =
        Catalog::compile(&[source]).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let platform = catalog.get("portal").context("no platform portal")?;
    let kind = platform.pages.get("list").context("no page kind list")?;
    let now: DateTime<Utc> = "2026-11-27T04:00:00Z".parse()?;
    println!("page bytes | items | read | whole record | stored bytes | repeat | whole : read");
    for kilobytes in [6, 32, 125] {
        let body = column_page(kilobytes * 1024);
        let address = "https://www.lucheng.example/col/col1/index.html";
        let read = || {
            extract(&Page {
                platform,
                kind,
                body: &body,
                content_type: Some("text/html; charset=utf-8"),
                status: 200,
                url: Some(address),
                final_url: Some(address),
                headers: &[],
                observed_at: now,
                handle: Some(address),
                number: 1,
                inquiry_key: b"key",
            })
        };
        let keep = |keep: &Keep| {
            capture(&answer(&body, address, now), &about(now), keep, EvidenceClass::Change, 1)
        };
        let items = read().posts.len();
        anyhow::ensure!(items > 10, "the page does not read: {items} items");
        let same = Keep::SameAs(RecordKey([1; 16]));
        let (mut reading, mut whole, mut repeat) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..REPEATS {
            reading.push(cost(|| drop(black_box(read())))?);
            whole.push(cost(|| drop(black_box(keep(&Keep::Whole))))?);
            repeat.push(cost(|| drop(black_box(keep(&same))))?);
        }
        let [reading, whole, repeat] = [reading, whole, repeat].map(median);
        println!(
            "{} | {items} | {reading} us | {whole} us | {} | {repeat} us | {:.2}",
            body.len(),
            keep(&Keep::Whole).bytes.len(),
            whole as f64 / reading as f64,
        );
    }
    Ok(())
}

/// A page whose items and scripts are all a little different, as pages are.
fn column_page(bytes: usize) -> Vec<u8> {
    let mut page = String::from(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>政务动态</title></head><body>\
         <div class=\"nav\"><a href=\"/\">首页</a></div><ul class=\"list\">",
    );
    let mut number: u64 = 1;
    while page.len() < bytes {
        number =
            number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (day, id) = (1 + number % 27, number >> 32);
        page.push_str(&format!(
            "<li><a href=\"/art/2026/11/{day}/art_1_{id}.html\" title=\"关于{id}号事项的通知公告\">\
             关于{id}号事项的通知公告</a><span>2026-11-{day:02}</span></li>\
             <script>window.r{id} = {{ t: {number}, k: '{:x}' }};</script>",
            number.rotate_left(17)
        ));
    }
    page.push_str("</ul></body></html>");
    page.into_bytes()
}

fn answer<'a>(body: &'a [u8], address: &'a str, now: DateTime<Utc>) -> Answer<'a> {
    Answer {
        requested: address,
        answered: address,
        redirects: 0,
        status: 200,
        headers: &[],
        body,
        sent_at: now,
        received_at: now,
        date: Some(now),
        conditional: false,
        cache_buster: false,
    }
}

fn about(now: DateTime<Utc>) -> Circumstances<'static> {
    Circumstances {
        software: "xunjian/bench",
        account: "portal:1",
        page: "portal/list",
        number: 1,
        adapter: "sha256:0",
        started_at: now,
        outcome: "observed",
        as_of: Some(now),
    }
}

/// Processor time of this thread, in microseconds.
fn cost(work: impl FnOnce()) -> anyhow::Result<u64> {
    let spent = || -> anyhow::Result<u64> {
        let text = fs::read_to_string("/proc/thread-self/schedstat")?;
        Ok(text.split(' ').next().context("no schedstat")?.parse()?)
    };
    let before = spent()?;
    work();
    Ok((spent()? - before) / 1000)
}

fn median(mut costs: Vec<u64>) -> u64 {
    costs.sort_unstable();
    costs[costs.len() / 2]
}
