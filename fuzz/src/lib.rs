//! What the fuzz targets share: the shipped platform files, a page around an input, and the time
//! that one input may take.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::time::{ClockId, clock_gettime};
use xunjian::domain::{Extraction, PageVerdict, SourceText};
use xunjian::extract::{Page, extract};
use xunjian::platform::{Catalog, Format, PageKind, Platform};

/// The processor time that one input may take.
const TIME_MAX: Duration = Duration::from_secs(1);

/// Every platform file that the project ships.
pub static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/platforms");
    let files = fs::read_dir(folder).expect("the platform files");
    let sources = files.map(|file| {
        let path = file.expect("a platform file").path();
        let text = fs::read_to_string(&path).expect("a platform file");
        SourceText { file: path.display().to_string(), text }
    });
    catalog(&sources.collect::<Vec<_>>())
});

/// Compiles platform files that are known to be right.
pub fn catalog(sources: &[SourceText]) -> Catalog {
    Catalog::compile(sources).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// The platform of a file made for a target.
pub fn made_for_target(text: &str) -> Catalog {
    catalog(&[SourceText { file: "target.toml".to_owned(), text: text.to_owned() }])
}

/// Runs the work on one input and fails if it takes more processor time than one input may.
///
/// libFuzzer's own limit counts the time of the wall, in which a busy machine has its share.
pub fn within_time<T>(work: impl FnOnce() -> T) -> T {
    let began = processor_time();
    let result = work();
    let took = processor_time().saturating_sub(began);
    assert!(took <= TIME_MAX, "one input took {took:?} of the processor");
    result
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// 2026-11-22T20:15:00+08:00, the instant at which most fixtures were observed.
pub fn observed_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_349_700, 0).expect("a fixed instant")
}

/// Reads an input `platform/page`, a line end, and a body; an unknown name stands for a page kind
/// whose first layout has one of the formats, by the length of the body.
pub fn read_named(input: &[u8], fits: fn(&Format) -> bool) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (name, body) = end.map_or((&[][..], input), |end| (&input[..end], &input[end + 1..]));
    let name = std::str::from_utf8(name).unwrap_or_default();
    let named = name.split_once('/').and_then(|(platform, page)| {
        let platform = SHIPPED.get(platform)?;
        Some((platform, platform.pages.get(page)?))
    });
    let kinds = SHIPPED.iter().flat_map(|platform| {
        platform.pages.values().map(move |kind| (platform, kind))
    });
    let kinds = kinds.filter(|(_, kind)| kind.layouts.first().is_some_and(|one| fits(&one.format)));
    let kinds = kinds.collect::<Vec<_>>();
    let (platform, kind) = named.unwrap_or_else(|| kinds[body.len() % kinds.len()]);
    let extraction = within_time(|| extract(&page(platform, kind, body, observed_at())));
    check(&extraction);
}

/// A successful answer with a body.
pub fn page<'a>(
    platform: &'a Platform,
    kind: &'a PageKind,
    body: &'a [u8],
    observed_at: DateTime<Utc>,
) -> Page<'a> {
    Page {
        platform,
        kind,
        body,
        content_type: None,
        status: 200,
        url: Some("https://www.hailan.example/tzgg/index.html"),
        final_url: None,
        headers: &[],
        observed_at,
        handle: None,
        number: 1,
        inquiry_key: b"fuzz",
    }
}

/// What holds of every extraction.
pub fn check(extraction: &Extraction) {
    serde_json::to_string(extraction).expect("an extraction can be written");
    let told = extraction.posts.len() + extraction.inquiries.len();
    if extraction.verdict == PageVerdict::Blocked && extraction.reason.is_none() {
        panic!("blocked without a reason");
    }
    assert!(told == 0 || extraction.layout.is_some(), "items of no layout");
    for post in &extraction.posts {
        for count in [&post.reads, &post.likes, &post.comments, &post.shares].into_iter().flatten()
        {
            check_count(count);
        }
    }
}

/// A count lies within its own bounds.
pub fn check_count(count: &xunjian::domain::Count) {
    use xunjian::domain::Count::Bounded;
    if let Bounded { value, low, high } = count {
        assert!(low <= value, "{count:?}");
        assert!(high.is_none_or(|high| *value <= high), "{count:?}");
    }
}
