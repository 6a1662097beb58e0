//! An account's posts and visits, row by row.

use maud::{Markup, html};

use crate::store::{StoredPost, VisitLine};

use super::frame::following;
use super::tables::head;
use super::words::{self, count, when, when_known};

/// Only addresses that a browser opens as pages are led to.
fn is_page(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Posts as they were last seen, with the way to the next.
pub(super) fn posts_section(posts: &[StoredPost], next: Option<String>) -> Markup {
    html! {
        section aria-labelledby="posts" {
            h2 #posts { "发布" }
            @if posts.is_empty() { p.none { "没有看到发布。" } } @else {
                table.cards {
                    caption { "看到的发布，新的在前" }
                    (head(&["标题", "发布时间", "首次看到", "阅读", "点赞", "评论", "转发"]))
                    tbody { @for post in posts { (post_row(post)) } }
                }
            }
            (following(next, "发布"))
        }
    }
}

fn post_row(post: &StoredPost) -> Markup {
    let title = post.title.as_deref().filter(|title| !title.trim().is_empty());
    let title = title.unwrap_or(&post.listed.reference);
    html! {
        tr {
            th scope="row" {
                @match post.url.as_deref().filter(|url| is_page(url)) {
                    Some(url) => a href=(url) rel="noreferrer noopener external" { (title) },
                    None => (title),
                }
                @if let Some(at) = post.listed.missed_by {
                    " " span.note { "（" (when(at)) " 的观察中还没有）" }
                }
            }
            td data-label="发布时间" { (when_known(post.listed.claimed.map(|claimed| claimed.at))) }
            td data-label="首次看到" { (when(post.listed.first_seen)) }
            td data-label="阅读" { (count(post.reads.as_ref())) }
            td data-label="点赞" { (count(post.likes.as_ref())) }
            td data-label="评论" { (count(post.comments.as_ref())) }
            td data-label="转发" { (count(post.shares.as_ref())) }
        }
    }
}

fn source(word: &str) -> &str {
    match word {
        "crawl" => "访问公开页面",
        "bridge" => "数据桥",
        "import" => "导入",
        "person" => "人工核查",
        other => other,
    }
}

fn outcome(visit: &VisitLine) -> &str {
    match visit.outcome.as_str() {
        "observed" => "读取成功",
        "gone" => "平台称账号不存在",
        _ => words::reason(visit.reason.as_deref()),
    }
}

/// Visits and what each proves, with the way to the next.
pub(super) fn visits_section(visits: &[VisitLine], next: Option<String>) -> Markup {
    html! {
        section aria-labelledby="visits" {
            h2 #visits { "访问记录" }
            @if visits.is_empty() { p.none { "还没有访问过。" } } @else {
                table.cards {
                    caption { "每次访问及其证明的时段，新的在前" }
                    (head(&["时间", "来源", "结果", "条数", "数据截至", "覆盖时段"]))
                    tbody { @for visit in visits { (visit_row(visit)) } }
                }
            }
            (following(next, "访问记录"))
        }
    }
}

fn visit_row(visit: &VisitLine) -> Markup {
    html! {
        tr {
            th scope="row" { (when(visit.started_at)) }
            td data-label="来源" { (source(&visit.source)) "（" (visit.page) "）" }
            td data-label="结果" {
                (outcome(visit))
                @if visit.confirming { "，可作确认" }
            }
            td data-label="条数" { (visit.items) "，新 " (visit.new_items) }
            td data-label="数据截至" { (when_known(visit.as_of)) }
            td data-label="覆盖时段" {
                @match visit.span_low.zip(visit.span_high) {
                    // An exhausted list reaches back to the beginning.
                    Some((low, high)) if low.timestamp() <= 0 => { "开通至 " (when(high)) }
                    Some((low, high)) => { (when(low)) " 至 " (when(high)) }
                    None => span.unknown { "无" },
                }
            }
        }
    }
}
