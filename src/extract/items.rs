//! The posts of a page.

use std::collections::HashSet;
use std::fmt::Display;

use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node as HtmlNode};

use crate::domain::{Column, Finding, Form, Origin, Post};
use crate::platform::{Candidate, ItemFields, Layout, Place as Sought, Role, Source};

use super::digest::{normalised, sha256, simhash};
use super::document::Node;
use super::explain::Place;
use super::generic;
use super::moment::may_be_time;
use super::page::Page;
use super::reader::Reader;

/// The most items that one page may list.
const ITEMS_MAX: usize = 2000;

/// The account's own posts, in the order of the page, each once: from the first path that has any.
pub(super) fn posts(layout: &Layout, reader: &Reader<'_>, owner: Option<&str>) -> Vec<Post> {
    if layout.items.is_empty() {
        return listed(layout, reader, owner, vec![reader.root()]);
    }
    let nodes = layout.items.iter().map(|path| reader.nodes(path, reader.root()));
    let posts = nodes.map(|nodes| {
        let nodes = if layout.innermost { innermost(layout, reader, nodes) } else { nodes };
        listed(layout, reader, owner, nodes)
    });
    posts.into_iter().find(|posts| !posts.is_empty()).unwrap_or_default()
}

/// The posts of a site without a file of its own; what else the layout names is read as usual.
///
/// # Errors
/// Why the page is refused.
pub(super) fn searched(
    page: &Page<'_>,
    layout: &Layout,
    reader: &Reader<'_>,
) -> Result<(Vec<Post>, Finding), String> {
    let Node::Unparsed(text) = reader.root() else { return Err("not HTML".to_owned()) };
    let found = generic::read(page.kind.role, &text.page, page.address(), page.observed_at)?;
    let mut posts = found.posts;
    let article = page.kind.role == Role::Article;
    for found in posts.iter_mut().filter(|_| article) {
        let named = post(&layout.item, reader, reader.root(), "posts[0]");
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

fn listed<'a>(
    layout: &Layout,
    reader: &Reader<'a>,
    owner: Option<&str>,
    nodes: Vec<Node<'a>>,
) -> Vec<Post> {
    let mut posts = Vec::new();
    let mut seen = HashSet::new();
    if nodes.len() > ITEMS_MAX {
        reader.warn("posts", &format!("{} items, the first {ITEMS_MAX} are read", nodes.len()));
    }
    for (index, node) in nodes.into_iter().take(ITEMS_MAX).enumerate() {
        reader.begin(Place::Item(index));
        if layout.skip.iter().any(|rule| reader.hit(rule, node).is_some()) {
            reader.left_out("a rule of skip fits");
            continue;
        }
        let author = reader.text(&layout.item.author, node);
        if author.is_some() && owner.is_some() && author.as_deref() != owner {
            reader.left_out("posted by another account");
            continue;
        }
        let post = post(&layout.item, reader, node, format_args!("posts[{index}]"));
        let key = post.reference.clone().or_else(|| post.url.clone());
        if !is_complete(layout, &post) {
            reader.left_out("lacks what an item must have");
        } else if key.is_none_or(|key| seen.insert(key)) {
            posts.push(post);
        } else {
            reader.left_out("listed already");
        }
    }
    posts
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

/// Of elements inside each other, those complete ones that hold no other complete one.
fn innermost<'a>(layout: &Layout, reader: &Reader<'a>, nodes: Vec<Node<'a>>) -> Vec<Node<'a>> {
    reader.begin(Place::Unnamed);
    let fields = &layout.item;
    let timed = layout.require.iter().any(|name| name == "published_at")
        && fields.published_at.candidates.iter().all(is_told_by_text);
    // Most of a page has nothing that can be a time, and need not be searched.
    let with_times = nodes.first().filter(|_| timed).and_then(|node| node.element());
    let with_times = with_times.map(|element| may_hold_times(element, &fields.published_at));
    let mut holders = HashSet::new();
    let mut kept = Vec::new();
    // Backwards through the document, what is inside comes before what holds it.
    for node in nodes.into_iter().rev() {
        let Some(element) = node.element() else { continue };
        if holders.contains(&element.id())
            || with_times.as_ref().is_some_and(|with| !with.contains(&element.id()))
        {
            continue;
        }
        let complete = layout.require.iter().all(|name| match name.as_str() {
            "url" => reader.address(&fields.url, node, "").is_some(),
            "published_at" => reader.readable_moment(&fields.published_at, node),
            "title" => reader.text(&fields.title, node).is_some(),
            _ => true,
        });
        if complete {
            holders.extend(element.ancestors().map(|above| above.id()));
            kept.push(node);
        }
    }
    kept.reverse();
    kept
}

/// Every node of an element's page that is, or holds, a text or attribute that can be a time.
fn may_hold_times(element: ElementRef<'_>, source: &Source) -> HashSet<NodeId> {
    let names = source.candidates.iter().filter_map(|one| one.attribute.as_deref());
    let names = names.collect::<Vec<_>>();
    let mut holders = HashSet::new();
    for node in element.tree().nodes() {
        let may = match node.value() {
            HtmlNode::Text(text) => may_be_time(text),
            HtmlNode::Element(inner) => {
                inner.attrs().any(|(name, value)| names.contains(&name) && may_be_time(value))
            }
            _ => false,
        };
        let above = std::iter::successors(Some(node).filter(|_| may), NodeRef::parent);
        // What holds a holder was added with it.
        above.map(|node| node.id()).take_while(|id| holders.insert(*id)).for_each(drop);
    }
    holders
}

/// Whether a candidate's value is a part of what stands in the item.
fn is_told_by_text(candidate: &Candidate) -> bool {
    let plain = candidate.quirks.is_empty() && candidate.prefix.is_none() && candidate.is.is_none();
    plain
        && match &candidate.place {
            Sought::Here | Sought::At(_) => true,
            Sought::Joined(parts, _) => {
                parts.iter().flat_map(|part| &part.candidates).all(is_told_by_text)
            }
            _ => false,
        }
}

fn post<'a>(
    fields: &ItemFields,
    reader: &Reader<'a>,
    node: Node<'a>,
    place: impl Display + Copy,
) -> Post {
    let text = reader.text(&fields.text, node).map(|text| normalised(&text));
    let text = text.filter(|text| !text.is_empty());
    let (published, shown) =
        reader.written_time(&fields.published_at, node, format_args!("{place}.published_at"));
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
