//! The document of the interface, for programs and for people; neither loads anything from outside.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::header;
use axum::response::{Html, IntoResponse};
use serde_json::Value;

/// What every operation takes and gives. A test holds it to [`super::operations`], and real answers
/// to its schemas.
const TEXT: &str = include_str!("openapi.json");

pub(super) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(TEXT).expect("a test reads it");
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document
});

static DOCUMENT_TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());
static PAGE: LazyLock<String> = LazyLock::new(|| written(&DOCUMENT));

pub(super) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT_TEXT.as_str())
}

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>巡检 · 接口说明</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font-family: system-ui, "PingFang SC", "Microsoft YaHei", sans-serif;
  max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #222; line-height: 1.5 }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
h2 { border-top: 1px solid #ccc; padding-top: 1rem; font-size: 1.1rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem 1rem .2rem 0;
  vertical-align: top } pre { background: #f5f5f5; padding: .6rem; overflow-x: auto }
</style></head><body>
<h1>巡检 · 接口说明</h1>
"#;

/// Styles are our own and nothing else may load.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'none'";

pub(super) async fn page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE.as_str()))
}

/// The document as a page: each operation with its parameters and answers, then the shapes.
fn written(document: &Value) -> String {
    let mut html = HEAD.to_owned();
    let info = &document["info"];
    push(&mut html, format_args!("<p>{}</p>\n", text(&info["description"])));
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            push_operation(&mut html, document, (method, path), operation);
        }
    }
    html.push_str("<h2>数据结构</h2>\n");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let pretty = serde_json::to_string_pretty(schema).unwrap_or_default();
        let (name, pretty) = (escaped(name), escaped(&pretty));
        push(&mut html, format_args!("<h3 id=\"{name}\">{name}</h3>\n<pre>{pretty}</pre>\n"));
    }
    html.push_str("</body></html>\n");
    html
}

fn push_operation(
    html: &mut String,
    document: &Value,
    (method, path): (&str, &str),
    operation: &Value,
) {
    let (method, path) = (method.to_uppercase(), escaped(path));
    push(html, format_args!("<h2><code>{method} {path}</code></h2>\n"));
    push(html, format_args!("<p>{}</p>\n", text(&operation["summary"])));
    if operation["description"].is_string() {
        push(html, format_args!("<p>{}</p>\n", text(&operation["description"])));
    }
    html.push_str("<table>\n");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolved(document, parameter);
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        let about = text(&parameter["description"]);
        push(
            html,
            format_args!("<tr><td><code>{name}</code></td><td>{place}</td><td>{about}</td></tr>\n"),
        );
    }
    let body = &operation["requestBody"];
    for (kind, shape) in body["content"].as_object().into_iter().flatten() {
        let (kind, shape) = (escaped(kind), shape_of(&shape["schema"]));
        push(html, format_args!("<tr><td>正文</td><td>{kind}</td><td>{shape}</td></tr>\n"));
    }
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let answer = resolved(document, answer);
        let about = text(&answer["description"]);
        let kinds = answer["content"].as_object().into_iter().flatten();
        let shapes: Vec<String> = kinds.map(|(_, one)| shape_of(&one["schema"])).collect();
        let shapes = shapes.concat();
        push(html, format_args!("<tr><td>{status}</td><td>{shapes}</td><td>{about}</td></tr>\n"));
    }
    html.push_str("</table>\n");
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let place = value["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(value)
}

fn shape_of(schema: &Value) -> String {
    let name = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next());
    name.map(|name| format!("<a href=\"#{name}\">{name}</a>")).unwrap_or_default()
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// Text between tags or in quotation marks.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = html.write_fmt(text);
}
