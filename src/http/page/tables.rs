//! The tables that stand on more than one page.

use maud::{Markup, html};

use crate::domain::Standing;
use crate::store::FindingRecord;

use super::super::site::Site;
use super::words::{account_path, activity, when, when_known};

/// What a platform is called; its id where nobody says.
pub(super) fn title_of<'a>(site: &'a Site, id: &'a str) -> &'a str {
    site.platform_titles.get(id).map_or(id, String::as_str)
}

/// The head of a table, column by column.
pub(super) fn head(titles: &[&str]) -> Markup {
    html! { thead { tr { @for title in titles { th scope="col" { (title) } } } } }
}

/// Accounts with what is proven of each. On a narrow screen each row is a card, whose cells say
/// what they are.
pub(super) fn accounts_table(site: &Site, accounts: &[Standing], caption: &str) -> Markup {
    html! {
        table.cards {
            caption { (caption) }
            (head(&["账号", "平台", "主办单位", "地区", "状态与原因", "最近发布", "最近有效观察"]))
            tbody {
                @for one in accounts {
                    tr {
                        th scope="row" { a href=(account_path(&one.key)) { (one.name) } }
                        td data-label="平台" { (title_of(site, &one.platform)) }
                        td data-label="主办单位" { (one.sponsor) }
                        td data-label="地区" { (one.region) }
                        td data-label="状态与原因" { (activity(one.activity)) }
                        td data-label="最近发布" { (when_known(one.last_post_at)) }
                        td data-label="最近有效观察" { (when_known(one.last_observation_at)) }
                    }
                }
            }
        }
    }
}

/// Whom or what a finding is about.
pub(super) fn subject(one: &FindingRecord, reads_accounts: bool) -> Markup {
    html! {
        @match (&one.key, &one.account) {
            (Some(key), Some((name, ..))) if reads_accounts => {
                a href=(account_path(key)) { (name) }
            }
            (_, Some((name, ..))) => (name),
            _ => {
                @match (&one.sponsor, &one.region) {
                    (Some(sponsor), _) => (sponsor),
                    (None, Some(region)) => { "地区 " (region) }
                    (None, None) => "未注明",
                }
            }
        }
    }
}

/// Findings, in the order of their numbers.
pub(super) fn findings_table(
    findings: &[FindingRecord],
    reads_accounts: bool,
    caption: &str,
) -> Markup {
    html! {
        table.cards {
            caption { (caption) }
            (head(&["问题", "对象", "程度", "进展", "整改期限", "更新于"]))
            tbody {
                @for one in findings {
                    tr {
                        th scope="row" {
                            a href=(format!("/findings/{}", one.id)) {
                                (one.id) " " (one.found.rule_title)
                            }
                        }
                        td data-label="对象" { (subject(one, reads_accounts)) }
                        td data-label="程度" { (one.found.severity.title()) }
                        td data-label="进展" {
                            span class=(format!("state {}", one.state)) { (one.state.title()) }
                        }
                        td data-label="整改期限" {
                            @match one.deadline {
                                Some(at) => (when(at)),
                                None => span.unknown { "未通知" },
                            }
                        }
                        td data-label="更新于" { (when(one.updated_at)) }
                    }
                }
            }
        }
    }
}
