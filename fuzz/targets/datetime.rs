#![no_main]
//! One written time, seen at an instant of its own: four bytes of seconds, then the text.

use std::sync::LazyLock;

use chrono::{DateTime, Timelike};
use libfuzzer_sys::fuzz_target;
use xunjian::domain::Precision;
use xunjian::extract::extract;
use xunjian::platform::Catalog;
use xunjian_fuzz::{check, made_for_target, page, within_time};

/// Midnight in Beijing, as an hour of UTC.
const MIDNIGHT_HOUR: u32 = 16;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    made_for_target(
        r#"
id = "target"
title = "target"
observability = "public_page"
[pages.list]
role = "list"
time_source = "author"
verified = "never"
identity = "nobody"
format = "json"
items = "$.items[*]"
[pages.list.item]
ref = "$.id"
published_at = ["$.at", "$.finer"]
"#,
    )
});

fuzz_target!(|input: &[u8]| {
    let Some((seconds, text)) = input.split_first_chunk::<4>() else { return };
    let Some(at) = DateTime::from_timestamp(i64::from(u32::from_le_bytes(*seconds)), 0) else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let body = serde_json::json!({ "items": [
        { "id": 1, "at": text },
        { "id": 2, "at": "2026-11-22", "finer": text },
    ] });
    let platform = CATALOG.get("target").expect("the target's platform");
    let body = body.to_string();
    let page = page(platform, &platform.pages["list"], body.as_bytes(), at);
    let read = within_time(|| extract(&page));
    check(&read);
    for moment in read.posts.iter().filter_map(|post| post.published) {
        assert!(moment.lower() < moment.upper(), "{moment:?}");
        if moment.precision == Precision::Day {
            let time = (moment.at.hour(), moment.at.minute(), moment.at.second());
            assert_eq!(time, (MIDNIGHT_HOUR, 0, 0), "a day begins at midnight: {moment:?}");
        }
    }
});
