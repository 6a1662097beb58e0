use std::collections::BTreeMap;
use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse};

use super::access::Caller;
use super::fleet::Fleet;
use super::site::Site;

/// The activities in the order in which an office asks for them. Grey is for the unknown: it is
/// neither good nor bad.
pub(super) const ACTIVITIES: [(&str, &str, &str); 7] = [
    ("active", "正常更新", "#2e7d32"),
    ("watch", "临近超期", "#f9a825"),
    ("dormant", "休眠", "#ef6c00"),
    ("zombie", "僵尸", "#c62828"),
    ("empty", "空壳", "#ad1457"),
    ("gone", "平台已无此号", "#6a1b9a"),
    ("undetermined", "无法判定", "#757575"),
];

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>巡检</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font-family: system-ui, "PingFang SC", "Microsoft YaHei", sans-serif;
  max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse } td { padding: .3rem 1rem .3rem 0 }
td.number { text-align: right; font-variant-numeric: tabular-nums }
i { display: inline-block; width: .8rem; height: .8rem; border-radius: 50%; margin-right: .5rem }
</style></head><body>
<h1>巡检</h1>
<p>政务新媒体账号更新监测。“无法判定”是指证据不足，既不算正常，也不算停更。</p>
"#;

const LINKS: &str = r#"<h2>入口</h2>
<ul>
<li><a href="/metrics">/metrics</a>：运行与总体指标（Prometheus）</li>
<li><a href="/metrics/accounts">/metrics/accounts</a>：分账号指标（Prometheus）</li>
<li><a href="/api/v1/accounts">/api/v1/accounts</a>：账号状态（JSON）</li>
<li><a href="/docs">/docs</a>：接口说明；<a href="/openapi.json">/openapi.json</a>（OpenAPI）</li>
<li><a href="/readyz">/readyz</a>：是否就绪；<a href="/healthz">/healthz</a>：是否存活</li>
</ul>
</body></html>
"#;

/// Styles are our own and nothing else may load.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'none'";

pub(super) async fn page(State(site): State<Site>, caller: Caller) -> impl IntoResponse {
    let mut html = HEAD.to_owned();
    match site.read_fleet().await {
        _ if !caller.reads() => html.push_str("<p>查看账号数需要令牌。</p>\n"),
        Ok(fleet) => push_counts(&mut html, &fleet, &caller),
        Err(_) => html.push_str("<p><strong>数据库暂时没有应答，账号数无法显示。</strong></p>\n"),
    }
    html.push_str(LINKS);
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html))
}

fn push_counts(html: &mut String, fleet: &Fleet, caller: &Caller) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for cell in fleet.cells.iter().filter(|cell| caller.sees(cell.region.as_str())) {
        *counts.entry(&cell.activity).or_default() += cell.accounts;
    }
    let total: u64 = counts.values().sum();
    // Writing to a String cannot fail.
    let _ = writeln!(html, "<h2>账号 {total} 个</h2>\n<table>");
    for (word, title, colour) in ACTIVITIES {
        let accounts = counts.get(word).copied().unwrap_or(0);
        let _ = writeln!(
            html,
            "<tr><td><i style=\"background:{colour}\"></i>{title}</td>\
             <td class=\"number\">{accounts}</td></tr>"
        );
    }
    html.push_str("</table>\n");
}
