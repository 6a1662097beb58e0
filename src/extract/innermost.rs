//! Which elements of a page are its items where they stand inside each other.

use std::collections::{HashMap, HashSet};

use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node as HtmlNode};

use crate::platform::{Candidate, Layout, Place as Sought, Source};

use super::document::Node;
use super::explain::Place;
use super::moment::may_be_time;
use super::reader::Reader;

/// How far above a line of details its entry may begin.
const ENTRY_WITHIN: usize = 6;

/// The most links in an entry: more are a list.
const ENTRY_LINKS_MAX: usize = 8;

/// Of elements inside each other, those complete ones that hold no other complete one.
pub(super) fn innermost<'a>(
    layout: &Layout,
    reader: &Reader<'a>,
    nodes: Vec<Node<'a>>,
) -> Vec<Node<'a>> {
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
    widened(layout, reader, kept)
}

/// How many of the elements every element above them holds.
pub(super) fn held(kept: &[Node<'_>]) -> HashMap<NodeId, usize> {
    let mut held = HashMap::new();
    for above in kept.iter().filter_map(|node| node.element()).flat_map(|one| one.ancestors()) {
        *held.entry(above.id()).or_insert(0) += 1;
    }
    held
}

/// A date with a link beside it may be the line of details of a post, the link its department: the
/// title then stands elsewhere in the entry around both.
fn widened<'a>(layout: &Layout, reader: &Reader<'a>, kept: Vec<Node<'a>>) -> Vec<Node<'a>> {
    let is_line = |node: &Node<'a>| node.element().is_some_and(|element| !is_entry(element));
    if !kept.iter().any(is_line) {
        return kept;
    }
    let held = held(&kept);
    let around = |node: Node<'a>| {
        let element = node.element().filter(|element| !is_entry(*element))?;
        let mut above = element.ancestors().filter_map(ElementRef::wrap).take(ENTRY_WITHIN);
        let entry = above.find(|above| is_entry(*above))?;
        let links = links(entry).take(ENTRY_LINKS_MAX + 1).count();
        if held.get(&entry.id()) != Some(&1)
            || links > ENTRY_LINKS_MAX
            || links == self::links(element).count()
        {
            return None;
        }
        let entry = Node::Html(entry);
        let time = |node| reader.quiet_time(&layout.item.published_at, node);
        (time(entry) == time(node)).then_some(entry)
    };
    kept.into_iter().map(|node| around(node).unwrap_or(node)).collect()
}

/// Whether an element is made to hold one entry of a list.
fn is_entry(element: ElementRef<'_>) -> bool {
    matches!(element.value().name(), "li" | "tr" | "dl" | "article")
}

fn links(element: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    let below = element.descendants().filter_map(ElementRef::wrap);
    below.filter(|one| one.value().name() == "a" && one.value().attr("href").is_some())
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
