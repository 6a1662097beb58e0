//! A body parsed as its layout says.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;
use scraper::{ElementRef, Html};
use serde_json::Value;

use crate::platform::{Format, Layout, Path, Prepare};

use super::script::script;
use super::{feed, prepare};

/// The most nodes an HTML page may have.
const NODES_MAX: usize = 500_000;

/// The deepest nesting of an HTML page; JSON is held to 128 by its parser.
const DEPTH_MAX: usize = 700;

/// The most tags a page may leave open at once: the time to parse grows with the square of it.
const OPEN_TAGS_MAX: usize = 3000;

static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)").expect("a fixed pattern"));

/// Elements that have no end or need none: their number says nothing about the depth.
const ENDLESS: [&str; 24] = [
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta",
    "option", "p", "param", "source", "td", "th", "tr", "tbody", "thead", "track", "wbr",
];

static JSONP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[\w.$\[\]]{1,80}\s*\((?s:(.*))\)\s*;?$").expect("a fixed pattern")
});

/// A parsed page.
pub(crate) struct Document<'a> {
    /// The raw text, decoded.
    pub(crate) text: &'a str,
    /// What was changed before it is read.
    pub(crate) note: Option<&'static str>,
    tree: Tree,
}

enum Tree {
    Json(Value),
    Html(Box<Html>),
}

/// A node of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node<'a> {
    /// A JSON value.
    Json(&'a Value),
    /// An HTML element.
    Html(ElementRef<'a>),
}

impl<'a> Document<'a> {
    pub(crate) fn parse(
        layout: &Layout,
        text: &'a str,
        observed_at: DateTime<Utc>,
    ) -> Result<Self, String> {
        let tree = match &layout.format {
            Format::Json => Tree::Json(json(text)?),
            Format::Html | Format::Generic if layout.prepare == Some(Prepare::CdataRecords) => {
                Tree::Html(Box::new(html(&prepare::unpacked(text))?))
            }
            Format::Html | Format::Generic if layout.prepare == Some(Prepare::HtmlInJson) => {
                Tree::Html(Box::new(html(&prepare::markup(&json(text)?))?))
            }
            Format::Html | Format::Generic => Tree::Html(Box::new(html(text)?)),
            Format::Feed => Tree::Json(feed::parse(text)?),
            Format::HtmlJson(place) => Tree::Json(script(text, place)?),
        };
        let (tree, note) = match (layout.prepare, tree) {
            (Some(prepare), Tree::Json(value)) => {
                let (value, note) = prepare::apply(prepare, value, observed_at)?;
                (Tree::Json(value), note)
            }
            (_, tree) => (tree, None),
        };
        Ok(Self { text, note, tree })
    }

    /// A document that is parsed already.
    pub(crate) fn of(value: Value) -> Document<'static> {
        Document { text: "", note: None, tree: Tree::Json(value) }
    }

    pub(crate) fn root(&self) -> Node<'_> {
        match &self.tree {
            Tree::Json(value) => Node::Json(value),
            Tree::Html(html) => Node::Html(html.root_element()),
        }
    }
}

impl<'a> Node<'a> {
    /// The nodes of a path below this one, in the order of the document.
    pub(crate) fn select(self, path: &Path) -> Vec<Self> {
        match (self, path) {
            (Self::Json(value), Path::Json(path)) => {
                path.query(value).all().into_iter().map(Self::Json).collect()
            }
            (Self::Html(element), Path::Css(selector)) => {
                element.select(selector).map(Self::Html).collect()
            }
            (Self::Json(value), Path::Column(name)) => {
                value.get(name).into_iter().map(Self::Json).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn json(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let inner = JSONP.captures(text).and_then(|found| found.get(1)).map_or(text, |m| m.as_str());
    serde_json::from_str(inner).map_err(|error| format!("not JSON: {error}"))
}

pub(super) fn html(text: &str) -> Result<Html, String> {
    // An answer in JSON may hold markup in its strings, which is for another layout to read.
    if !text.contains('<') || text.trim_start().starts_with(['{', '[']) {
        return Err("not HTML".to_owned());
    }
    if tags_left_open(text) > OPEN_TAGS_MAX {
        return Err(format!("over {OPEN_TAGS_MAX} tags deep"));
    }
    let html = Html::parse_document(text);
    let mut nodes = 0_usize;
    let mut open = vec![(html.tree.root(), 0_usize)];
    while let Some((node, depth)) = open.pop() {
        nodes += 1;
        if depth > DEPTH_MAX || nodes > NODES_MAX {
            return Err(format!("over {DEPTH_MAX} deep or {NODES_MAX} nodes"));
        }
        open.extend(node.children().map(|child| (child, depth + 1)));
    }
    Ok(html)
}

/// How deep the tags of a text go at most, before any parsing.
fn tags_left_open(text: &str) -> usize {
    let (mut open, mut most, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(found) = TAG.captures_at(text, at) {
        at = found.get(0).map_or(text.len(), |whole| whole.end());
        let name = found[2].to_ascii_lowercase();
        if ENDLESS.contains(&name.as_str()) {
            continue;
        }
        if !found[1].is_empty() {
            open = open.saturating_sub(1);
            continue;
        }
        if matches!(name.as_str(), "script" | "style") {
            at = text[at..].find("</").map_or(text.len(), |end| at + end);
        }
        open += 1;
        most = most.max(open);
    }
    most
}
