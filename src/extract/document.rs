//! A body parsed as its layout says.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;
use serde_json::Value;

use crate::html::{self, Element, Tree as Html};
use crate::platform::{Format, Layout, Names, Path, Prepare};

use super::script::script;
use super::{feed, json, prepare};

static JSONP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[\w.$\[\]]{1,80}\s*\((?s:(.*))\)\s*;?$").expect("a fixed pattern")
});

/// A parsed page.
pub(crate) struct Document<'a> {
    /// The raw text, decoded.
    pub(crate) text: &'a str,
    /// What was changed before it is read.
    pub(crate) note: Option<&'static str>,
    tree: Tree<'a>,
}

enum Tree<'a> {
    Json(Value),
    Html(Html<'a>),
    Unparsed(Unparsed<'a>),
}

/// A page that is read without a tree, and parsed only if a selector asks for one.
#[derive(Debug)]
pub(crate) struct Unparsed<'a> {
    /// The page.
    pub(crate) page: Cow<'a, str>,
    html: OnceCell<Option<Html<'static>>>,
}

impl<'a> Unparsed<'a> {
    fn of(page: Cow<'a, str>) -> Result<Tree<'a>, String> {
        match page.contains('<') {
            true => Ok(Tree::Unparsed(Self { page, html: OnceCell::new() })),
            false => Err("not HTML".to_owned()),
        }
    }

    fn root(&self) -> Option<Element<'_>> {
        let html = self.html.get_or_init(|| html(Cow::Owned(self.page.to_string())).ok());
        html.as_ref().map(Html::root)
    }
}

/// A node of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node<'a> {
    /// A JSON value.
    Json(&'a Value),
    /// An HTML element.
    Html(Element<'a>),
    /// A whole HTML page without a tree yet.
    Unparsed(&'a Unparsed<'a>),
}

impl<'a> Document<'a> {
    pub(crate) fn parse(
        layout: &Layout,
        text: &'a str,
        observed_at: DateTime<Utc>,
    ) -> Result<Self, String> {
        let tree = match &layout.format {
            Format::Json => {
                let asked = layout.asked.as_ref().filter(|_| layout.prepare.is_none());
                Tree::Json(answer(text, asked)?)
            }
            Format::Html if layout.prepare == Some(Prepare::CdataRecords) => {
                Tree::Html(html(Cow::Owned(prepare::unpacked(text)))?)
            }
            Format::Html if layout.prepare == Some(Prepare::HtmlInJson) => {
                Tree::Html(html(Cow::Owned(prepare::markup(&answer(text, None)?)))?)
            }
            Format::Html => Tree::Html(html(Cow::Borrowed(text))?),
            Format::Generic => Unparsed::of(match layout.prepare {
                Some(Prepare::CdataRecords) => Cow::Owned(prepare::unpacked(text)),
                Some(Prepare::HtmlInJson) => Cow::Owned(prepare::markup(&answer(text, None)?)),
                _ => Cow::Borrowed(text),
            })?,
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
            Tree::Html(html) => Node::Html(html.root()),
            Tree::Unparsed(page) => Node::Unparsed(page),
        }
    }
}

impl<'a> Node<'a> {
    /// The nodes of a path below this one, in the order of the document.
    pub(crate) fn select(self, path: &Path) -> Vec<Self> {
        let mut nodes = Vec::new();
        let _: Option<()> = self.find(path, |node| {
            nodes.push(node);
            None
        });
        nodes
    }

    /// The first result of `found` that is one, over the nodes of a path below this one.
    pub(crate) fn find<R>(
        self,
        path: &Path,
        mut found: impl FnMut(Self) -> Option<R>,
    ) -> Option<R> {
        match (self, path) {
            (Self::Json(value), Path::Json(query)) => {
                query.find(value, &mut |value| found(Self::Json(value)))
            }
            (Self::Json(value), Path::Column(name)) => found(Self::Json(value.get(name)?)),
            (_, Path::Css(selector)) => {
                selector.find(self.element()?, |element| found(Self::Html(element)))
            }
            _ => None,
        }
    }

    /// Whether it is an element, or a JSON object with any field.
    pub(crate) fn holds_something(self) -> bool {
        match self {
            Self::Json(value) => value.as_object().is_some_and(|fields| !fields.is_empty()),
            Self::Html(_) | Self::Unparsed(_) => true,
        }
    }

    /// The HTML element; a page without a tree gets one.
    pub(crate) fn element(self) -> Option<Element<'a>> {
        match self {
            Self::Json(_) => None,
            Self::Html(element) => Some(element),
            Self::Unparsed(page) => page.root(),
        }
    }
}

/// JSON, or what a script would be called with; see [`json::parse`].
fn answer(text: &str, asked: Option<&Names>) -> Result<Value, String> {
    let text = text.trim();
    if let Ok(value) = json::parse(text, asked) {
        return Ok(value);
    }
    let inner = JSONP.captures(text).and_then(|found| found.get(1)).map_or(text, |m| m.as_str());
    json::parse(inner, asked).map_err(|error| format!("not JSON: {error}"))
}

pub(super) fn html(text: Cow<'_, str>) -> Result<Html<'_>, String> {
    // An answer in JSON may hold markup in its strings, which is for another layout to read.
    if !text.contains('<') || text.trim_start().starts_with(['{', '[']) {
        return Err("not HTML".to_owned());
    }
    html::parse(text)
}
