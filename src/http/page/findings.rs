use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};

use crate::domain::{Area, FindingState};

use super::super::findings::{ListQuery, page};
use super::super::problem::ProblemDetail;
use super::super::query::understood;
use super::super::site::Site;
use super::door::Visitor;
use super::frame::{self, Here, following};
use super::tables::findings_table;
use super::words::with_query;

const ROWS: u32 = 50;

pub(super) async fn list(
    State(site): State<Site>,
    visitor: Visitor,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Markup, ProblemDetail> {
    let asked = understood(query)?;
    let area: Area = asked.area.trim().parse().map_err(ProblemDetail::bad_request)?;
    let limit = asked.limit.or(Some(ROWS));
    let wanted = ListQuery { area: area.digits().to_owned(), limit, ..asked.clone() };
    let (found, next) = page(&site, &visitor.caller, wanted).await?;
    let next = next.map(|cursor| {
        let pairs = [
            ("state", asked.state.as_str()),
            ("rule", &asked.rule),
            ("account", &asked.account),
            ("area", &asked.area),
            ("cursor", &cursor),
        ];
        with_query("/findings", &pairs)
    });
    let body = html! {
        (choices(&asked))
        section aria-labelledby="list" {
            h2 #list { "列表" }
            @if found.is_empty() { p.none { "没有这样的问题。" } } @else {
                (findings_table(&found, visitor.caller.reads(), "问题，按编号排列"))
            }
            (following(next, "问题"))
        }
    };
    Ok(frame::page("问题", &visitor, Here::Findings, &body))
}

fn choices(asked: &ListQuery) -> Markup {
    html! {
        form.choices method="get" action="/findings" role="search" aria-label="筛选问题" {
            div {
                label for="state" { "进展" }
                select #state name="state" {
                    option value="" { "未办结" }
                    option value="all" selected[asked.state == "all"] { "全部" }
                    @for (_, word, title) in FindingState::ALL {
                        option value=(word) selected[asked.state == word] { (title) }
                    }
                }
            }
            div {
                label for="area" { "地区（区划代码，含下级）" }
                input #area name="area" value=(asked.area) inputmode="numeric" maxlength="6"
                    pattern="[0-9]{2}|[0-9]{4}|[0-9]{6}" title="2、4 或 6 位数字";
            }
            div {
                label for="account" { "账号编号" }
                input #account name="account" value=(asked.account) maxlength="300";
            }
            div {
                label for="rule" { "规则编号" }
                input #rule name="rule" value=(asked.rule) maxlength="100";
            }
            div.buttons {
                button type="submit" { "筛选" }
                a href="/findings" { "清除条件" }
            }
        }
    }
}
