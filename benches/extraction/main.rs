//! The speed of extraction beside the same values taken by hand, in one run.
//!
//!     cargo bench --bench extraction                 criterion, then the ratios
//!     cargo bench --bench extraction -- --ratios     the ratios alone
//!     … -- --pages DIR                               the pages as files, and our time for each, as JSON
//!     … -- --ours column                             one page read for two seconds, to look at by perf
//!
//! A ratio is the processor time of the work by hand over ours, the medians of rounds in turn, so
//! that a busy machine slows both. It fails if a goal is missed.

#![recursion_limit = "256"] // one json! of a whole page

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use criterion::Criterion;
use xunjian::domain::{Extraction, PageVerdict, SourceText};
use xunjian::extract::{Page, extract};
use xunjian::platform::Catalog;

mod bare;
mod pages;

use pages::Sample;

/// The least speed of ours, by hand being 1.
const HTML_MIN: f64 = 0.85;
const JSON_MIN: f64 = 0.60;

/// Rounds in turn, and the processor time that one round takes at least.
const ROUNDS: usize = 41;
const ROUND_SECONDS: f64 = 0.01;

/// How long one page is read to be looked at.
const LOOKED_AT_SECONDS: f64 = 2.0;

type ByHand = fn(&[u8]) -> usize;

fn main() -> ExitCode {
    let catalog = catalog();
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if let Some(at) = arguments.iter().position(|word| word == "--pages") {
        return written(&catalog, Path::new(&arguments[at + 1]));
    }
    if let Some(at) = arguments.iter().position(|word| word == "--ours") {
        let named = |sample: &Sample| sample.name.contains(&arguments[at + 1]);
        let (sample, ..) = samples().into_iter().find(|(one, ..)| named(one)).expect("a page");
        let until = processor_seconds() + LOOKED_AT_SECONDS;
        while processor_seconds() < until {
            black_box(posts(&catalog, &sample));
        }
        return ExitCode::SUCCESS;
    }
    if !arguments.iter().any(|word| word == "--ratios") {
        measured(&catalog);
    }
    let mut missed = false;
    for (sample, by_hand, least) in samples() {
        let (hand, ours) = in_turn(|| by_hand(sample.body.as_bytes()), || posts(&catalog, &sample));
        let ratio = hand / ours;
        let verdict = if ratio >= least { "met" } else { "missed" };
        missed |= ratio < least;
        println!(
            "{}: {} bytes, by hand {:.0} us, ours {:.0} us: {:.0} % of its speed (goal {:.0} %, {verdict})",
            sample.name,
            sample.body.len(),
            hand * 1e6,
            ours * 1e6,
            ratio * 100.0,
            least * 100.0,
        );
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn samples() -> [(Sample, ByHand, f64); 3] {
    [
        (pages::column(), |body| bare::column(body).len(), HTML_MIN),
        (pages::plain_timeline(), |body| bare::plain_timeline(body).len(), HTML_MIN),
        (pages::cards(), |body| bare::cards(body).len(), JSON_MIN),
    ]
}

fn catalog() -> Catalog {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/platforms");
    let sources = ["portal", "weibo"].map(|id| {
        let file = folder.join(format!("{id}.toml"));
        let text = std::fs::read_to_string(&file).expect("a shipped platform file");
        SourceText { file: file.display().to_string(), text }
    });
    Catalog::compile(&sources).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn observed_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_788_900, 0).expect("a fixed instant")
}

fn read(catalog: &Catalog, sample: &Sample) -> Extraction {
    let platform = catalog.get(sample.platform).expect("a shipped platform");
    extract(&Page {
        platform,
        kind: &platform.pages[sample.kind],
        body: sample.body.as_bytes(),
        content_type: Some("text/html; charset=utf-8"),
        status: 200,
        url: Some(sample.url),
        final_url: None,
        headers: &[],
        observed_at: observed_at(),
        handle: None,
        number: 1,
        inquiry_key: b"bench",
    })
}

/// Reads a page; every post must be there with its time, or the speed means nothing.
fn posts(catalog: &Catalog, sample: &Sample) -> usize {
    let read = read(catalog, sample);
    let timed = read.posts.iter().filter(|post| post.published.is_some()).count();
    assert_eq!(
        (read.verdict, timed),
        (PageVerdict::Observation, sample.posts),
        "{:?}",
        read.reason
    );
    timed
}

fn measured(catalog: &Catalog) {
    let mut criterion = Criterion::default().sample_size(30).configure_from_args();
    for (sample, by_hand, _) in samples() {
        let mut group = criterion.benchmark_group(sample.name);
        group.bench_function("by hand", |bencher| {
            bencher.iter(|| by_hand(black_box(sample.body.as_bytes())));
        });
        group.bench_function("ours", |bencher| bencher.iter(|| posts(catalog, &sample)));
        group.finish();
    }
    criterion.final_summary();
}

/// The median seconds of one call of each, measured in turn.
fn in_turn(mut one: impl FnMut() -> usize, mut other: impl FnMut() -> usize) -> (f64, f64) {
    let calls = |work: &mut dyn FnMut() -> usize| {
        let began = processor_seconds();
        let mut calls = 0;
        while processor_seconds() - began < ROUND_SECONDS {
            black_box(work());
            calls += 1;
        }
        (processor_seconds() - began) / f64::from(calls)
    };
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(calls(&mut one));
        times[1].push(calls(&mut other));
    }
    let [one, other] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    (one, other)
}

/// What this thread has had of a processor.
#[expect(unsafe_code, reason = "the standard library has no clock of processor time")]
fn processor_seconds() -> f64 {
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }
    let mut time = [0_i64; 2];
    // Seconds and nanoseconds, as on every 64-bit Linux.
    let failed = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "no clock of processor time");
    time[0] as f64 + time[1] as f64 / 1e9
}

/// Writes the pages for another program, and what ours takes for each, in microseconds.
fn written(catalog: &Catalog, folder: &Path) -> ExitCode {
    let mut times = BTreeMap::new();
    for (sample, _, _) in samples() {
        let name = format!("{}_{}", sample.platform, sample.kind);
        std::fs::write(folder.join(&name), &sample.body).expect("a folder that can be written");
        let (ours, _) = in_turn(|| posts(catalog, &sample), || 0);
        times.insert(name, ours * 1e6);
    }
    println!("{}", serde_json::json!(times));
    ExitCode::SUCCESS
}
