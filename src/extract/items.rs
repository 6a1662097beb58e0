//! The posts of a page.

use std::collections::HashSet;
use std::fmt::Display;

use crate::domain::{Column, Finding, Form, Origin, Post};
use crate::platform::{Format, ItemFields, Layout, Role};

use super::beside::main_part;
use super::date_column::{Dated, dated};
use super::digest::{normalised, sha256, simhash};
use super::document::Node;
use super::explain::Place;
use super::generic;
use super::innermost::innermost;
use super::page::Page;
use super::reader::Reader;

/// The most items that one page may list.
const ITEMS_MAX: usize = 2000;

/// The items of a page.
#[derive(Default)]
pub(super) struct Listed {
    /// The posts.
    pub(super) posts: Vec<Post>,
    /// How a list without a file of its own was found.
    pub(super) finding: Option<Finding>,
    /// Why such a page is refused.
    pub(super) refused: Option<String>,
    /// What else stands there.
    pub(super) left_out: LeftOut,
}

/// Items of a page that are not among its posts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOut {
    /// Whether one lacks what an item must have.
    pub(super) incomplete: bool,
    /// Whether one is no post of the account: by a rule of skip, or by its author.
    pub(super) passed_over: bool,
}

/// What a page lists, where its role has it list anything.
pub(super) fn listed(
    page: &Page<'_>,
    layout: &Layout,
    reader: &Reader<'_>,
    owner: Option<&str>,
) -> Listed {
    match (page.kind.role, &layout.format) {
        (_, Format::Generic) => match searched(page, layout, reader) {
            Ok((posts, finding)) => Listed { posts, finding: Some(finding), ..Listed::default() },
            Err(reason) => Listed { refused: Some(reason), ..Listed::default() },
        },
        (Role::List | Role::Article | Role::Inventory, _) => posts(layout, reader, owner),
        (Role::Profile | Role::Comments | Role::Board, _) => Listed::default(),
    }
}

/// The account's own posts, in the order of the page, each once: from the first path that has any.
/// Where none has, with what the first path that has items left out.
fn posts(layout: &Layout, reader: &Reader<'_>, owner: Option<&str>) -> Listed {
    if layout.items.is_empty() {
        return read(layout, reader, owner, vec![reader.root()]);
    }
    let mut first = Listed::default();
    for path in &layout.items {
        let nodes = reader.nodes(path, reader.root());
        let nodes = if layout.innermost { innermost(layout, reader, nodes) } else { nodes };
        let nodes = if layout.main_only { main_part(nodes) } else { nodes };
        let found = read(layout, reader, owner, nodes);
        if !found.posts.is_empty() {
            return found;
        }
        if !first.left_out.incomplete && !first.left_out.passed_over {
            first = found;
        }
    }
    first
}

/// The posts of a site without a file of its own; what else the layout names is read as usual.
///
/// # Errors
/// Why the page is refused.
fn searched(
    page: &Page<'_>,
    layout: &Layout,
    reader: &Reader<'_>,
) -> Result<(Vec<Post>, Finding), String> {
    let Node::Unparsed(text) = reader.root() else { return Err("not HTML".to_owned()) };
    let found = generic::read(page.kind.role, &text.page, page.address(), page.observed_at)?;
    let mut posts = found.posts;
    let article = page.kind.role == Role::Article;
    for found in posts.iter_mut().filter(|_| article) {
        let named = post(&layout.item, reader, (reader.root(), reader.root()), "posts[0]");
        (found.reads, found.likes) = (named.reads, named.likes);
        (found.comments, found.shares) = (named.comments, named.shares);
    }
    Ok((posts, found.finding))
}

/// What an inventory lists: each address once, with the words of its link.
pub(super) fn columns(items: Vec<Post>) -> Vec<Column> {
    let columns =
        items.into_iter().filter_map(|item| Some(Column { title: item.title?, url: item.url? }));
    columns.collect()
}

fn read<'a>(
    layout: &Layout,
    reader: &Reader<'a>,
    owner: Option<&str>,
    nodes: Vec<Node<'a>>,
) -> Listed {
    let mut posts = Vec::new();
    let mut left_out = LeftOut::default();
    let mut seen = HashSet::new();
    if nodes.len() > ITEMS_MAX {
        reader.warn("posts", &format!("{} items, the first {ITEMS_MAX} are read", nodes.len()));
    }
    for (index, node) in nodes.into_iter().take(ITEMS_MAX).enumerate() {
        reader.begin(Place::Item(index));
        if layout.skip.iter().any(|rule| reader.hit(rule, node).is_some()) {
            reader.left_out("a rule of skip fits");
            left_out.passed_over = true;
            continue;
        }
        let authors = reader.all_texts(&layout.item.author, node);
        if owner.is_some_and(|owner| !authors.is_empty() && authors.iter().all(|one| one != owner))
        {
            reader.left_out("posted by another account");
            left_out.passed_over = true;
            continue;
        }
        let date = match dated(reader, node) {
            Dated::Here => node,
            Dated::In(cell) => cell,
            Dated::Untold => {
                reader.left_out("several dates, none of them named a publication");
                left_out.incomplete = true;
                continue;
            }
        };
        let post = post(&layout.item, reader, (node, date), format_args!("posts[{index}]"));
        let key = post.reference.clone().or_else(|| post.url.clone());
        if !is_complete(layout, &post) {
            reader.left_out("lacks what an item must have");
            left_out.incomplete |= node.holds_something();
        } else if key.is_none_or(|key| seen.insert(key)) {
            posts.push(post);
        } else {
            reader.left_out("listed already");
        }
    }
    Listed { posts, left_out, ..Listed::default() }
}

/// An article needs something that tells it from an empty page; a list's elements are items.
fn is_complete(layout: &Layout, post: &Post) -> bool {
    let something = post.title.is_some() || post.published.is_some() || post.reference.is_some();
    something
        && (!layout.items.is_empty() || !layout.require.is_empty() || post.title.is_some())
        && layout.require.iter().all(|name| has(post, name))
}

fn has(post: &Post, name: &str) -> bool {
    match name {
        "ref" => post.reference.is_some(),
        "url" => post.url.is_some(),
        "title" => post.title.is_some(),
        "published_at" => post.published.is_some(),
        _ => true,
    }
}

/// Reads a post; its date may stand in a part of it.
fn post<'a>(
    fields: &ItemFields,
    reader: &Reader<'a>,
    (node, date): (Node<'a>, Node<'a>),
    place: impl Display + Copy,
) -> Post {
    let text = reader.text(&fields.text, node).map(|text| normalised(&text));
    let text = text.filter(|text| !text.is_empty());
    let (published, shown) =
        reader.written_time(&fields.published_at, date, format_args!("{place}.published_at"));
    Post {
        reference: reader.text(&fields.reference, node),
        url: reader.address(&fields.url, node, format_args!("{place}.url")),
        title: reader.text(&fields.title, node),
        text_digest: text.as_deref().map(sha256),
        text_simhash: text.as_deref().map(simhash),
        published,
        published_text: shown,
        pinned: reader.flag(&fields.pinned, node).unwrap_or(false),
        form: reader.text(&fields.form, node).and_then(|word| form(&word)),
        origin: origin(reader.flag(&fields.repost, node), reader.flag(&fields.original, node)),
        reads: reader.count(&fields.reads, node, format_args!("{place}.reads")),
        likes: reader.count(&fields.likes, node, format_args!("{place}.likes")),
        comments: reader.count(&fields.comments, node, format_args!("{place}.comments")),
        shares: reader.count(&fields.shares, node, format_args!("{place}.shares")),
    }
}

fn form(word: &str) -> Option<Form> {
    let forms = [Form::Text, Form::Image, Form::Video, Form::Article, Form::Live];
    forms.into_iter().find(|form| form.as_str() == word)
}

/// Where a platform only marks reposts, what is unmarked is original; where it also marks own work,
/// what has neither mark is unknown.
pub(super) fn origin(repost: Option<bool>, original: Option<bool>) -> Origin {
    match (repost, original) {
        (Some(true), _) => Origin::Repost,
        (_, Some(true)) | (Some(false), None) => Origin::Original,
        _ => Origin::Unknown,
    }
}
