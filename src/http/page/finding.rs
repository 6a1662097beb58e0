use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Step, shanghai_date};
use crate::jobs::findings::bar_of;
use crate::store::{FindingEvent, FindingRecord, IssuedNotice, NoticeOutcome};

use super::super::findings::seen;
use super::super::problem::ProblemDetail;
use super::super::query::understood;
use super::super::site::Site;
use super::act::{Attempt, forms};
use super::door::Visitor;
use super::evidence::evidence;
use super::frame::{self, Here};
use super::tables::{head, subject};
use super::words::{self, when};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asked {
    /// The step that was just taken.
    done: String,
}

pub(super) async fn show(
    State(site): State<Site>,
    visitor: Visitor,
    id: Result<Path<i64>, PathRejection>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Markup, ProblemDetail> {
    let done = understood(query)?.done;
    let done = Step::ALL.into_iter().find(|row| row.1 == done).map(|row| row.0);
    let record = seen(&site, &visitor.caller, id).await?;
    written(&site, &visitor, record, done, None).await
}

/// A finding's page, after a step that was taken or one that was refused.
pub(super) async fn written(
    site: &Site,
    visitor: &Visitor,
    record: FindingRecord,
    done: Option<Step>,
    attempt: Option<&Attempt<'_>>,
) -> Result<Markup, ProblemDetail> {
    let story = site.ask("finding_story", site.reads.finding_story(record.id)).await?;
    let (events, notices) = story;
    let records = site.ask("pinned_records", site.reads.pinned_records(record.id)).await?;
    let bar = bar_of(&record, shanghai_date(site.clock.now())).map(|bar| bar.to_string());
    let reads_accounts = visitor.caller.reads();
    let body = html! {
        @if let Some(step) = done {
            p.done role="status" { "已登记：" (words::step(step)) "。" }
        }
        @if let Some(attempt) = attempt {
            p.wrong role="alert" {
                "“" (words::step(attempt.step)) "”没有办成：" (words::refusal(attempt.status).1)
                " " span.detail lang="en" { (attempt.detail) }
            }
        }
        (facts(&record, bar.as_deref(), reads_accounts))
        (forms(visitor, &record, attempt))
        (evidence(&record, &records, reads_accounts))
        (log(&events))
        (letters(&notices))
    };
    let title = format!("问题 {}：{}", record.id, record.found.rule_title);
    Ok(frame::page(&title, visitor, Here::Findings, &body))
}

fn facts(record: &FindingRecord, bar: Option<&str>, reads_accounts: bool) -> Markup {
    let found = &record.found;
    html! {
        section aria-labelledby="facts" {
            h2 #facts {
                "情况："
                span class=(format!("state {}", record.state)) { (record.state.title()) }
            }
            p.statement { (found.statement) }
            @if let Some(doubt) = &record.doubt {
                p.note { "最近一次复核时未能判定：" (doubt) }
            }
            dl {
                div { dt { "对象" } dd { (subject(record, reads_accounts)) } }
                @if let Some(sponsor) = &record.sponsor { div { dt { "主办单位" } dd { (sponsor) } } }
                @if let Some(region) = &record.region { div { dt { "地区" } dd { (region) } } }
                div { dt { "程度" } dd { (found.severity.title()) } }
                @if let Some((from, to)) = found.window {
                    div { dt { "时段" } dd { (when(from)) " 至 " (when(to)) } }
                }
                div { dt { "依据条款" } dd { (found.clause) } }
                div { dt { "条款出处" } dd { (found.source) } }
                div { dt { "整改建议" } dd { (found.advice) } }
                div { dt { "提出" } dd { (who(&found.raised_by)) "，" (when(record.raised_at)) } }
                @if let Some(person) = &record.approved_by { div { dt { "复核人" } dd { (person) } } }
                @if let Some(at) = record.deadline { div { dt { "整改期限" } dd { (when(at)) } } }
                @if let Some(day) = record.explained_until {
                    div { dt { "说明有效至" } dd { (day) } }
                }
                @if let Some(bar) = bar { div { dt { "暂不点名" } dd { (bar) } } }
            }
            @if let Value::Object(inputs) = &found.inputs {
                @if !inputs.is_empty() {
                    details {
                        summary { "规则所用数据" }
                        dl.inputs {
                            @for (name, value) in inputs {
                                div { dt { code { (name) } } dd { code { (shortly(value)) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn shortly(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Jobs act under `job:NAME`.
fn who(actor: &str) -> String {
    actor.strip_prefix("job:").map_or_else(|| actor.to_owned(), |job| format!("程序（{job}）"))
}

fn log(events: &[FindingEvent]) -> Markup {
    html! {
        section aria-labelledby="log" {
            h2 #log { "经过" }
            table.cards {
                caption { "这个问题的每一步，旧的在前；记录不可更改" }
                (head(&["时间", "办理人", "步骤", "此后状态", "理由"]))
                tbody {
                    @for event in events {
                        tr {
                            th scope="row" { (when(event.at)) }
                            td data-label="办理人" { (who(&event.actor)) }
                            td data-label="步骤" { (words::step_of(&event.step)) }
                            td data-label="此后状态" { (event.to.title()) }
                            td data-label="理由" { (event.reason) }
                        }
                    }
                }
            }
        }
    }
}

fn letters(notices: &[IssuedNotice]) -> Markup {
    html! {
        @if !notices.is_empty() {
            section aria-labelledby="letters" {
                h2 #letters { "通知" }
                ul {
                    @for one in notices {
                        li {
                            "第 " (one.stage) " 次，" (when(one.issued_at)) " 发出，期限 "
                            (when(one.deadline)) "："
                            @match &one.outcome {
                                NoticeOutcome::Pending(None) => "尚无结果",
                                NoticeOutcome::Pending(Some(_)) => "期限已过，结果未能判定",
                                NoticeOutcome::Answered { at, .. } => { (when(*at)) " 已有更新" },
                                NoticeOutcome::Missed => "证实没有更新",
                                NoticeOutcome::Withdrawn => "已撤回",
                            }
                        }
                    }
                }
            }
        }
    }
}
