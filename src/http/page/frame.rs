//! What stands around every page.

use std::sync::LazyLock;

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest, Sha256};

use super::door::Visitor;
use super::{STYLE, sign_in, words};

/// The stylesheet's address, which changes with its content.
static STYLE_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/page.css?v={}", &hex::encode(Sha256::digest(STYLE))[..12]));

/// Which of the main pages one stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Overview,
    Findings,
    Elsewhere,
}

/// A whole page of this title.
pub(super) fn page(title: &str, visitor: &Visitor, here: Here, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · 巡检" }
                link rel="stylesheet" href=(*STYLE_PATH);
                link rel="icon" href="/page.svg" type="image/svg+xml";
            }
            body {
                a.skip href="#main" { "跳到正文" }
                (head(visitor, here))
                main #main tabindex="-1" {
                    h1 { (title) }
                    (body)
                }
                (foot())
            }
        }
    }
}

fn head(visitor: &Visitor, here: Here) -> Markup {
    let current = |place| (here == place).then_some("page");
    html! {
        header {
            div.bar {
                a.brand href="/" { "巡检" }
                nav aria-label="主要页面" {
                    ul {
                        li { a href="/" aria-current=[current(Here::Overview)] { "总览" } }
                        @if visitor.reads_findings() {
                            li {
                                a href="/findings" aria-current=[current(Here::Findings)] { "问题" }
                            }
                        }
                    }
                }
                (who(visitor))
            }
        }
    }
}

fn who(visitor: &Visitor) -> Markup {
    html! {
        div.who {
            @if let Some(session) = &visitor.session {
                span {
                    (session.person)
                    @if let Some(grant) = visitor.caller.grant() {
                        "（" (words::scope(grant.scope))
                        @if !grant.area.is_all() { "，地区 " (grant.area.digits()) }
                        "）"
                    }
                }
                form method="post" action="/sign-out" {
                    input type="hidden" name="csrf" value=(session.csrf);
                    button.plain type="submit" { "退出" }
                }
            } @else {
                a href="/sign-in" { "登录" }
            }
        }
    }
}

fn foot() -> Markup {
    html! {
        footer {
            p {
                "“未能判定”是指证据不足，既不算正常，也不算停更。时间均为北京时间。"
            }
            nav aria-label="其他入口" {
                ul {
                    li { a href="/docs" { "接口说明" } }
                    li { a href="/metrics" { "运行指标" } }
                    li { a href="/readyz" { "是否就绪" } }
                }
            }
        }
    }
}

/// The page that says why something is refused; who has to sign in can do so on it.
pub(super) fn refusal(visitor: &Visitor, status: StatusCode, detail: &str, next: &str) -> Markup {
    let (title, words) = words::refusal(status);
    let body = html! {
        p { (words) }
        @if status == StatusCode::UNAUTHORIZED {
            (sign_in::form(next, None))
        } @else {
            p.detail lang="en" { (detail) }
            p { a href="/" { "回到总览" } }
        }
    };
    page(title, visitor, Here::Elsewhere, &body)
}

/// The way to the page of a list that follows.
pub(super) fn following(address: Option<String>, what: &str) -> Markup {
    html! {
        @if let Some(address) = address {
            p.following { a href=(address) rel="next" { "下一页" span.hidden { "：" (what) } } }
        }
    }
}
