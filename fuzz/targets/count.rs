#![no_main]
//! One written number, under each way of rounding.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use xunjian::extract::extract;
use xunjian::platform::Catalog;
use xunjian_fuzz::{check, made_for_target, observed_at, page, within_time};

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
reads = { at = "$.number", rounding = "floor" }
likes = { at = "$.number", rounding = "half_up" }
comments = { at = "$.number", rounding = "unknown" }
shares = { at = "$.number", capped = 1000000, zero = "hidden:zero" }
"#,
    )
});

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let body = serde_json::json!({ "items": [{ "id": 1, "number": text }] }).to_string();
    let platform = CATALOG.get("target").expect("the target's platform");
    let page = page(platform, &platform.pages["list"], body.as_bytes(), observed_at());
    check(&within_time(|| extract(&page)));
});
