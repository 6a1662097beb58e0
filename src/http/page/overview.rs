use std::collections::{BTreeMap, BTreeSet};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::Area;
use crate::store::StandingFilter;

use super::super::access::Caller;
use super::super::accounts::{self, activity_of};
use super::super::fleet::Fleet;
use super::super::problem::ProblemDetail;
use super::super::query::{Filter, read_cursor, understood};
use super::super::site::Site;
use super::door::Visitor;
use super::frame::{self, Here, following};
use super::tables::{accounts_table, title_of};
use super::words::{ACTIVITIES, activity_title, share, with_query};
use super::{sign_in, trouble};

/// Rows of a list on a page of its own, and of each where all stand on one.
const ROWS: u32 = 50;
const ROWS_EACH: u32 = 10;

/// More regions than this are offered by prefecture.
const REGIONS_MAX: usize = 200;

/// What is silent, the worst first, and what cannot be told: what an office has to look at.
const LOOKED_AT: [&str; 6] = ["gone", "empty", "zombie", "dormant", "watch", "undetermined"];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    area: String,
    platform: String,
    sponsor: String,
    activity: String,
    /// Part of a name, a key or a handle.
    q: String,
    cursor: String,
}

impl Asked {
    fn address(&self, activity: &str, cursor: &str) -> String {
        let pairs = [
            ("area", self.area.as_str()),
            ("platform", &self.platform),
            ("sponsor", &self.sponsor),
            ("activity", activity),
            ("q", &self.q),
            ("cursor", cursor),
        ];
        with_query("/", &pairs)
    }
}

pub(super) async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Markup, ProblemDetail> {
    let asked = understood(query)?;
    // The code of a prefecture or a province means its subtree, as it does for tokens.
    let area: Area = asked.area.trim().parse().map_err(ProblemDetail::bad_request)?;
    let filter = Filter::new(asked.platform.clone(), area.digits().to_owned())?;
    let chosen = activity_of(&asked.activity)?;
    if !visitor.caller.reads() {
        return Ok(closed(&visitor));
    }
    let now = site.clock.now();
    let told = trouble::sentences(&site.metrics.ailments(), &site.platform_titles, now);
    let Ok(fleet) = site.read_fleet().await else {
        let words = "数据库暂时没有应答，账号数无法显示。".to_owned();
        let body = trouble::banner(&[vec![words], told].concat());
        return Ok(frame::page("总览", &visitor, Here::Overview, &body));
    };
    let filter = filter.within(&visitor.caller);
    let body = html! {
        (trouble::banner(&told))
        @if let Some(filter) = &filter { (counts(&fleet, filter, &asked)) }
        (choices(&site, &fleet, &visitor.caller, &asked))
        (lists(&site, filter.as_ref(), &asked, chosen).await?)
    };
    Ok(frame::page("总览", &visitor, Here::Overview, &body))
}

/// For those who may not read accounts.
fn closed(visitor: &Visitor) -> Markup {
    let body = html! {
        p { "政务新媒体账号更新监测。" }
        @if visitor.reads_findings() {
            p { "您的令牌可以查看和处理" a href="/findings" { "本单位的问题" } "。" }
        } @else {
            p { "查看账号数需要令牌。" }
            (sign_in::form("/", None))
        }
    };
    frame::page("总览", visitor, Here::Overview, &body)
}

/// Accounts and covered shares by activity, within what the filter lets through.
fn counts(fleet: &Fleet, filter: &Filter, asked: &Asked) -> Markup {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut covered = 0.0;
    let inside = |region: &str, platform: &str| filter.admits(platform, region);
    for cell in fleet.cells.iter().filter(|cell| inside(cell.region.as_str(), &cell.platform)) {
        *counts.entry(&cell.activity).or_default() += cell.accounts;
        covered += cell.coverage_sum;
    }
    let total: u64 = counts.values().sum();
    #[expect(clippy::cast_precision_loss, reason = "a share of accounts, of which there are few")]
    let ratio = covered / total as f64;
    html! {
        section aria-labelledby="counts" {
            h2 #counts { "账号 " (total) " 个" }
            @if total > 0 {
                p {
                    "休眠期限内的时段平均有 " strong { (share(ratio)) }
                    " 被观察覆盖；没有覆盖的时段是未知，不作为停更的依据。"
                }
            }
            @if !asked.sponsor.trim().is_empty() || !asked.q.trim().is_empty() {
                p.note { "主办单位和名称只筛选下面的名单，不改变这里的账号数。" }
            }
            table.counts {
                caption { "各状态账号数（按地区、平台统计）" }
                thead { tr { th scope="col" { "状态" } th.number scope="col" { "账号数" } } }
                tbody {
                    @for (word, title) in ACTIVITIES {
                        tr {
                            th scope="row" {
                                a href=(asked.address(word, "")) {
                                    span class=(format!("mark {word}")) { (title) }
                                }
                            }
                            td.number { (counts.get(word).copied().unwrap_or(0)) }
                        }
                    }
                }
            }
        }
    }
}

/// The form that chooses accounts.
fn choices(site: &Site, fleet: &Fleet, caller: &Caller, asked: &Asked) -> Markup {
    let seen = || fleet.cells.iter().filter(|cell| caller.sees(cell.region.as_str()));
    let platforms: BTreeSet<&str> = seen().map(|cell| cell.platform.as_str()).collect();
    let mut regions: BTreeSet<&str> = seen().map(|cell| cell.region.as_str()).collect();
    if regions.len() > REGIONS_MAX {
        regions = seen().map(|cell| cell.region.prefix(4)).collect();
    }
    html! {
        form.choices method="get" action="/" role="search" aria-label="筛选账号" {
            div {
                label for="area" { "地区（区划代码，含下级）" }
                input #area name="area" value=(asked.area) inputmode="numeric" list="regions"
                    pattern="[0-9]{2}|[0-9]{4}|[0-9]{6}" maxlength="6" title="2、4 或 6 位数字";
                datalist #regions { @for region in regions { option value=(region) {} } }
            }
            div {
                label for="platform" { "平台" }
                select #platform name="platform" {
                    option value="" { "全部" }
                    @for id in platforms {
                        option value=(id) selected[asked.platform == id] {
                            (title_of(site, id))
                        }
                    }
                }
            }
            div {
                label for="activity" { "状态" }
                select #activity name="activity" {
                    option value="" { "停更和未能判定" }
                    @for (word, title) in ACTIVITIES {
                        option value=(word) selected[asked.activity == word] { (title) }
                    }
                }
            }
            div {
                label for="sponsor" { "主办单位" }
                input #sponsor name="sponsor" value=(asked.sponsor) maxlength="100";
            }
            div {
                label for="q" { "名称、编号或平台账号" }
                input #q type="search" name="q" value=(asked.q) maxlength="100";
            }
            div.buttons {
                button type="submit" { "筛选" }
                a href="/" { "清除条件" }
            }
        }
    }
}

/// The list of the chosen activity, or the first rows of each that is to be looked at.
async fn lists(
    site: &Site,
    filter: Option<&Filter>,
    asked: &Asked,
    chosen: Option<&'static str>,
) -> Result<Markup, ProblemDetail> {
    let Some(filter) = filter else {
        return Ok(html! { p.none { "所选地区不在您的范围内。" } });
    };
    let after = read_cursor(&asked.cursor)?;
    let (words, rows) = match &chosen {
        Some(word) => (std::slice::from_ref(word), ROWS),
        None => (&LOOKED_AT[..], ROWS_EACH),
    };
    let mut sections = Vec::new();
    for word in words {
        let wanted = StandingFilter {
            platform: filter.platform(),
            area: filter.area(),
            activity: Some(word),
            sponsor: Some(asked.sponsor.trim()).filter(|text| !text.is_empty()),
            text: Some(asked.q.trim()).filter(|text| !text.is_empty()),
        };
        let (found, next) = accounts::page(site, wanted, &after, rows).await?;
        if found.is_empty() && chosen.is_none() {
            continue;
        }
        let title = activity_title(word);
        sections.push(html! {
            section aria-labelledby=(format!("list-{word}")) {
                h2 id=(format!("list-{word}")) { (title) }
                @if *word == "undetermined" {
                    p { "证据不足，原因见各行。既不算正常，也不算停更。" }
                }
                @if found.is_empty() {
                    p.none { "没有这样的账号。" }
                } @else {
                    (accounts_table(site, &found, &format!("{title}的账号，按账号编号排列")))
                }
                (following(next.map(|cursor| asked.address(word, &cursor)), title))
            }
        });
    }
    Ok(html! {
        @if sections.is_empty() { p.none { "没有停更或未能判定的账号。" } }
        @for section in sections { (section) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_silent_activity_and_the_undetermined_are_looked_at() {
        let mut all: Vec<&str> = ACTIVITIES.iter().map(|one| one.0).collect();
        all.retain(|word| *word != "active");
        all.sort_unstable();
        let mut looked_at = LOOKED_AT;
        looked_at.sort_unstable();
        assert_eq!(all, looked_at);
        assert_eq!(activity_title("undetermined"), "未能判定");
    }

    #[test]
    fn the_next_page_keeps_every_choice() {
        let asked = Asked {
            area: "4415".into(),
            sponsor: "甲 局".into(),
            q: "a&b".into(),
            ..Asked::default()
        };
        let address = asked.address("zombie", "6162");
        assert_eq!(
            address,
            "/?area=4415&sponsor=%E7%94%B2+%E5%B1%80&activity=zombie&q=a%26b&cursor=6162"
        );
    }
}
