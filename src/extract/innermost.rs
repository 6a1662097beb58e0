//! Which elements of a page are its items where they stand inside each other.

use crate::html::{AttributeName, Element, Node as Part, Tag};
use crate::platform::{Layout, Source};

use super::document::Node;
use super::explain::Place;
use super::moment::may_be_time;
use super::reader::Reader;
use super::timing::is_told_by_text;

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
    let size = nodes.first().and_then(|node| node.element()).map_or(0, size);
    let mut holders = vec![false; size];
    let mut kept = Vec::new();
    // Backwards through the document, what is inside comes before what holds it.
    for node in nodes.into_iter().rev() {
        let Some(element) = node.element() else { continue };
        let place = element.place() as usize;
        if holders[place] || with_times.as_ref().is_some_and(|with| !with[place]) {
            continue;
        }
        let complete = layout.require.iter().all(|name| match name.as_str() {
            "url" => reader.has_address(&fields.url, node),
            "published_at" => reader.time_ahead(&fields.published_at, node),
            "title" => reader.text_ahead(&fields.title, node),
            _ => true,
        });
        if !complete {
            reader.ahead.forget(&fields.published_at, &fields.title, node);
            continue;
        }
        element.ancestors().for_each(|above| holders[above.place() as usize] = true);
        kept.push(node);
    }
    kept.reverse();
    widened(layout, reader, kept)
}

/// How many of the elements every element above them holds, by its place.
pub(super) fn held(kept: &[Node<'_>]) -> Vec<usize> {
    let mut held = vec![0; kept.first().and_then(|node| node.element()).map_or(0, size)];
    for above in kept.iter().filter_map(|node| node.element()).flat_map(Element::ancestors) {
        held[above.place() as usize] += 1;
    }
    held
}

/// How many nodes an element's page has.
fn size(element: Element<'_>) -> usize {
    element.root().places().end as usize
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
        let mut above = element.ancestors().take(ENTRY_WITHIN);
        let entry = above.find(|above| is_entry(*above))?;
        let links = links(entry).take(ENTRY_LINKS_MAX + 1).count();
        if held[entry.place() as usize] != 1
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
fn is_entry(element: Element<'_>) -> bool {
    matches!(element.tag(), Tag::Li | Tag::Tr | Tag::Dl | Tag::Article)
}

fn links(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    element
        .descendants()
        .filter(|one| one.tag() == Tag::A && one.attribute(&AttributeName::HREF).is_some())
}

/// Which nodes of an element's page are, or hold, a text or attribute that can be a time.
fn may_hold_times(element: Element<'_>, source: &Source) -> Vec<bool> {
    let names = source.candidates.iter().filter_map(|one| one.attribute.as_ref());
    let names = names.collect::<Vec<_>>();
    let mut holders = vec![false; size(element)];
    for place in element.root().places() {
        let may = match element.node_at(place) {
            Part::Text(text) => may_be_time(text),
            Part::Element(inner) => {
                names.iter().filter_map(|name| inner.attribute(name)).any(may_be_time)
            }
        };
        let above =
            std::iter::successors(Some(place).filter(|_| may), |place| element.parent_of(*place));
        // What holds a holder was added with it.
        for place in above {
            if std::mem::replace(&mut holders[place as usize], true) {
                break;
            }
        }
    }
    holders
}
