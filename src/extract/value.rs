//! From a node and a candidate to a text.

use regex::{Captures, Regex};
use scraper::{ElementRef, Node as HtmlNode, Selector};
use serde_json::Value;

use crate::platform::Candidate;

use super::document::Node;
use super::text::{even_blanks, unescape, without_tags};

/// Text as a person reads it: no markup, entities decoded, blanks even.
pub(super) fn readable(text: &str) -> String {
    even_blanks(&unescape(&without_tags(text)))
}

/// What a candidate makes of the text at its place: pattern, functions, word, prefix.
pub(super) fn refine(candidate: &Candidate, text: &str) -> Option<String> {
    let mut text = match &candidate.matches {
        Some(pattern) => first_group(pattern, text)?,
        None => text.trim().to_owned(),
    };
    for quirk in &candidate.quirks {
        text = (quirk.apply)(&text)?;
    }
    if let Some(word) = &candidate.is {
        let no = matches!(text.as_str(), "" | "0" | "false");
        return (!no).then(|| word.clone());
    }
    Some(match &candidate.prefix {
        Some(prefix) if !text.is_empty() => format!("{prefix}{text}"),
        _ => text,
    })
}

fn first_group(pattern: &Regex, text: &str) -> Option<String> {
    pattern.captures(text).map(|found| group(&found))
}

/// The first group that took part in a match, or the whole match where there is no group.
pub(super) fn group(found: &Captures<'_>) -> String {
    let groups = found.iter().skip(1).flatten();
    let whole = found.get(0).map_or("", |whole| whole.as_str());
    groups.map(|one| one.as_str()).next().unwrap_or(whole).trim().to_owned()
}

/// The text of a node; none for containers, unless their presence is what counts.
pub(super) fn node_text(candidate: &Candidate, node: Node<'_>) -> Option<String> {
    match node {
        Node::Json(Value::String(text)) => Some(text.clone()),
        Node::Json(Value::Number(number)) => Some(number.to_string()),
        Node::Json(Value::Bool(yes)) => Some(yes.to_string()),
        // For words given by presence, a filled container is present.
        Node::Json(Value::Array(list)) if candidate.is.is_some() && !list.is_empty() => {
            Some("1".to_owned())
        }
        Node::Json(Value::Object(map)) if candidate.is.is_some() && !map.is_empty() => {
            Some("1".to_owned())
        }
        Node::Json(_) => None,
        Node::Html(element) => match &candidate.attribute {
            Some(name) => element.attr(name).map(str::to_owned),
            None => Some(element_text(element, candidate.without.as_ref())),
        },
    }
}

/// Whether a node is there without a text of its own.
pub(super) fn is_container(node: Node<'_>) -> bool {
    match node {
        Node::Json(Value::Array(list)) => !list.is_empty(),
        Node::Json(Value::Object(map)) => !map.is_empty(),
        Node::Json(_) => false,
        Node::Html(_) => true,
    }
}

/// The text of an element as shown: without scripts and styles, blocks apart from each other.
fn element_text(element: ElementRef<'_>, without: Option<&Selector>) -> String {
    let mut out = String::new();
    let mut open = vec![element.children()];
    while let Some(children) = open.last_mut() {
        let Some(child) = children.next() else {
            open.pop();
            continue;
        };
        match child.value() {
            HtmlNode::Text(text) => out.push_str(text),
            HtmlNode::Element(inner) => {
                let hidden = matches!(inner.name(), "script" | "style" | "noscript" | "template");
                let left_out = hidden
                    || without.is_some_and(|selector| {
                        ElementRef::wrap(child).is_some_and(|inner| selector.matches(&inner))
                    });
                if !matches!(inner.name(), "a" | "b" | "em" | "font" | "i" | "span" | "strong") {
                    out.push(' ');
                }
                if !left_out {
                    open.push(child.children());
                }
            }
            _ => {}
        }
    }
    even_blanks(&out)
}
