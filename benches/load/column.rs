//! A column of a government site in its editions: each has one post more than the one before.

use std::sync::OnceLock;

use axum::body::Bytes;

use crate::pages::packed;
use crate::sample;

/// How many there are; who asks more often gets the last.
pub(crate) const EDITIONS: usize = 8;

/// Each edition plain and as gzip.
pub(crate) fn editions() -> &'static [(Bytes, Bytes)] {
    static MADE: OnceLock<Vec<(Bytes, Bytes)>> = OnceLock::new();
    MADE.get_or_init(|| {
        let made = (0..EDITIONS).map(|number| {
            let text = edition(number);
            (Bytes::from(text.clone()), packed(text.as_bytes()))
        });
        made.collect()
    })
}

/// The page of the extraction bench with so many newer posts at the head of its list, as many older
/// ones gone, and without a further page.
fn edition(number: usize) -> String {
    let page = sample::column().body;
    let (before, rest) = page.split_once("<ul class=\"list\">\n").expect("the page has its list");
    let (list, after) = rest.split_once("</ul>\n").expect("the list has an end");
    let after = after.replacen(" <a class=\"next\" href=\"index_1.html\">下一页</a>", "", 1);
    let newer = (1..=number).rev().map(|post| {
        format!(
            "<li><a href=\"/gzdt/202611/t20261128_{}.html\" target=\"_blank\" title=\"关于第{post}号事项有关\
             工作进展情况的通报\">关于第{post}号事项有关工作进展情况的通报</a><span class=\"date\">2026-11-28\
             </span></li>\n",
            1000 + post
        )
    });
    let older = list.lines().map(|line| format!("{line}\n"));
    let entries: String = newer.chain(older).take(list.lines().count()).collect();
    format!("{before}<ul class=\"list\">\n{entries}</ul>\n{after}")
}
