use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use chrono::TimeDelta;
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::Standing;
use crate::observe::judge;

use super::super::accounts::seen;
use super::super::findings;
use super::super::problem::ProblemDetail;
use super::super::query::understood;
use super::super::site::Site;
use super::super::timeline::{Place, post_page, visit_page};
use super::door::Visitor;
use super::frame::{self, Here, following};
use super::grid::beginning;
use super::picture::draw;
use super::records::{posts_section, visits_section};
use super::scene::Scene;
use super::tables::{findings_table, title_of};
use super::verdict::{verdict, window_of};
use super::words::{account_path, with_query};

/// Rows of a list on the page.
const ROWS: u32 = 20;

/// How many days the picture shows, unless asked otherwise; no more than the history that is read.
const DAYS: u32 = 90;
const DAYS_OFFERED: [u32; 4] = [14, 30, 90, 365];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    days: Option<u32>,
    /// Cursors of the lists.
    posts: String,
    visits: String,
}

pub(super) async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    key: Result<Path<String>, PathRejection>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Markup, ProblemDetail> {
    let asked = understood(query)?;
    let days_max = site.judging.history_days.max(1);
    let days = asked.days.unwrap_or(DAYS.min(days_max));
    if !(1..=days_max).contains(&days) {
        let detail = format!("days is 1 to {days_max}, not {days}");
        return Err(ProblemDetail::bad_request(detail));
    }
    let (posts_from, visits_from) = (Place::read(&asked.posts)?, Place::read(&asked.visits)?);
    let standing = seen(&site, &visitor.caller, key).await?;
    let key = standing.key.as_str();
    let now = site.clock.now();
    let since = now - TimeDelta::days(i64::from(days_max));
    let history = site.ask("history", site.reads.history(key, since)).await?;
    let policy = &site.judging.policy;
    let judged = judge(&history, policy, now, now);
    let stretch = (beginning(now, days).max(since), now);
    let window = window_of(&judged, policy).filter(|_| judged.activity.is_silent());
    let scene = Scene::new(&history, stretch, &judged.confirmations, window);
    let wanted = findings::ListQuery {
        state: "all".into(),
        account: key.into(),
        limit: Some(ROWS),
        ..Default::default()
    };
    let (found, more_found) = findings::page(&site, &visitor.caller, wanted).await?;
    let (posts, next_posts) = post_page(&site, key, &posts_from, ROWS).await?;
    let (visits, next_visits) = visit_page(&site, key, &visits_from, ROWS).await?;
    let days_text = days.to_string();
    let address = |name: &str, cursor: &str, anchor: &str| {
        let pairs = [("days", days_text.as_str()), (name, cursor)];
        format!("{}#{anchor}", with_query(&account_path(key), &pairs))
    };
    let body = html! {
        (about(&site, &standing))
        (verdict(&standing, &judged, policy))
        section aria-labelledby="time" {
            h2 #time { "时间图（近 " (days) " 天）" }
            (span_choice(key, days, days_max))
            (figure(&scene))
            details {
                summary { "以表格查看各时段" }
                (scene.table())
            }
        }
        section aria-labelledby="found" {
            h2 #found { "问题" }
            @if found.is_empty() {
                p.none { "没有问题。" }
            } @else {
                (findings_table(&found, true, "这个账号的问题；证据见各问题页"))
            }
            @let all = with_query("/findings", &[("state", "all"), ("account", key)]);
            (following(more_found.map(|cursor| format!("{all}&cursor={cursor}")), "问题"))
        }
        (posts_section(&posts, next_posts.map(|next| address("posts", &next, "posts"))))
        (visits_section(&visits, next_visits.map(|next| address("visits", &next, "visits"))))
    };
    Ok(frame::page(&standing.name, &visitor, Here::Elsewhere, &body))
}

fn about(site: &Site, standing: &Standing) -> Markup {
    html! {
        dl.about {
            div { dt { "平台" } dd { (title_of(site, &standing.platform)) } }
            div { dt { "主办单位" } dd { (standing.sponsor) } }
            div { dt { "地区" } dd { (standing.region) } }
            @if let Some(category) = &standing.category { div { dt { "类别" } dd { (category) } } }
            div { dt { "账号编号" } dd { code { (standing.key) } } }
        }
    }
}

fn span_choice(key: &str, days: u32, days_max: u32) -> Markup {
    let mut offered: Vec<u32> = DAYS_OFFERED.into_iter().map(|one| one.min(days_max)).collect();
    offered.dedup();
    html! {
        nav.spans aria-label="时间图的长度" {
            ul {
                @for one in offered {
                    @let address = with_query(&account_path(key), &[("days", &one.to_string())]);
                    li {
                        a href=(address) aria-current=[(one == days).then_some("true")] {
                            (one) " 天"
                        }
                    }
                }
            }
        }
    }
}

fn figure(scene: &Scene) -> Markup {
    html! {
        figure {
            (draw(scene, 720, "wide"))
            (draw(scene, 340, "narrow"))
            figcaption {
                ul.legend {
                    li { "● 发布" }
                    li { "竖线 读取成功" }
                    li { "× 访问失败" }
                    li { "◇ 平台称无此号" }
                    li { "▲ 确认观察" }
                    li { "实心 已覆盖" }
                    li { "斜纹 缺口，访问失败" }
                    li { "点纹 缺口，未访问到" }
                    @if scene.window.is_some() { li { "⊢⊣ 判定时段" } }
                }
            }
        }
    }
}
