use maud::{Markup, html};

use crate::domain::EvidenceRef;
use crate::store::{EvidenceRow, FindingRecord};

use super::tables::head;
use super::words::{account_path, when};

/// What a finding rests on, and the records that are kept of it.
pub(super) fn evidence(
    record: &FindingRecord,
    records: &[EvidenceRow],
    reads_accounts: bool,
) -> Markup {
    html! {
        section aria-labelledby="evidence" {
            h2 #evidence { "证据" }
            @if record.found.evidence.is_empty() { p.none { "没有列出证据。" } } @else {
                ul { @for one in &record.found.evidence { li { (rests_on(one, reads_accounts)) } } }
            }
            @if !records.is_empty() {
                table.cards {
                    caption { "留存的原始记录；摘要为 SHA-256，是当日证据链的一叶" }
                    (head(&["访问时间", "页面", "摘要", "字节", "封存日"]))
                    tbody { @for one in records { (kept(one)) } }
                }
                p.note {
                    "运维可用 " code { "xunjian evidence export --finding " (record.id) }
                    " 导出证据包，任何人可离线核验。"
                }
            }
        }
    }
}

fn rests_on(one: &EvidenceRef, reads_accounts: bool) -> Markup {
    let account = |key: &str| {
        html! {
            @if reads_accounts { a href=(account_path(key)) { (key) } } @else { (key) }
        }
    };
    html! {
        @match one {
            EvidenceRef::Visit { key, page, started_at } => {
                "访问：" (account(key)) " 的 " (page) " 页面，" (when(*started_at))
            }
            EvidenceRef::Post { key, reference } => {
                "发布：" (account(key)) " 的 " code { (reference) }
            }
            EvidenceRef::Ledger { key } => { "台账：" (account(key)) },
            EvidenceRef::Inquiry { key, reference } => {
                "留言：" (account(key)) " 的 " code { (reference) }
            }
            EvidenceRef::File { name, digest } => { "文件：" (name) "，" code { (digest) } },
            EvidenceRef::Note { text } => { "记录：" (text) },
            EvidenceRef::Notice { finding, stage } => {
                "通知：" a href=(format!("/findings/{finding}")) { "问题 " (finding) }
                " 的第 " (stage) " 次"
            }
        }
    }
}

fn kept(one: &EvidenceRow) -> Markup {
    html! {
        tr {
            th scope="row" { (when(one.visited_at.unwrap_or(one.recorded_at))) }
            td data-label="页面" { (one.page.as_deref().unwrap_or("—")) }
            td data-label="摘要" { code { (one.leaf.to_string()) } }
            td data-label="字节" {
                (one.length)
                @if one.dropped { "（已过留存期，仅存摘要）" }
            }
            td data-label="封存日" {
                @match one.leaf_of {
                    Some((day, _)) => (day),
                    None => span.unknown { "当日未封存" },
                }
            }
        }
    }
}
