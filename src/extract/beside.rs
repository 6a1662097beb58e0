//! Which entries of a page are its list's, and which stand beside it.

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::ElementRef;

use super::document::Node;
use super::generic::{is_side_heading, names_margin};
use super::innermost::held;

/// Characters of the longest heading of a list.
const HEADING_MAX: usize = 16;

/// The entries without those of navigation, headers and hot lists.
///
/// What holds most of a page's entries is its list, whatever it is named.
pub(super) fn main_part<'a>(kept: Vec<Node<'a>>) -> Vec<Node<'a>> {
    let (all, held) = (kept.len(), held(&kept));
    let mut beside: HashMap<NodeId, bool> = HashMap::new();
    let mut is_main = |node: &Node<'a>| {
        let above = node.element().into_iter().flat_map(|element| element.ancestors());
        let mut above = above.filter_map(ElementRef::wrap);
        !above.any(|above| {
            let few = held.get(&above.id()).is_some_and(|held| held * 2 <= all);
            few && *beside.entry(above.id()).or_insert_with(|| is_beside(above))
        })
    };
    kept.into_iter().filter(|node| is_main(node)).collect()
}

fn is_beside(element: ElementRef<'_>) -> bool {
    let value = element.value();
    let named = match value.name() {
        "li" | "tr" | "td" | "dd" | "dt" | "dl" | "article" => return false,
        "aside" | "footer" | "nav" => true,
        "header" => !element
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|above| matches!(above.value().name(), "li" | "tr" | "article" | "section")),
        _ => false,
    };
    let told = [value.attr("class"), value.attr("id")];
    named || told.into_iter().flatten().any(names_margin) || has_side_heading(element)
}

/// Whether the short text before a block, or its own first one, names a hot list or the like.
fn has_side_heading(element: ElementRef<'_>) -> bool {
    let mut before = element.prev_siblings().filter_map(ElementRef::wrap);
    let mut inside = element.children().filter_map(ElementRef::wrap);
    let headings = [before.next(), inside.next()];
    headings.into_iter().flatten().filter_map(heading).any(|text| is_side_heading(&text))
}

/// All of an element's text, where it is no longer than a heading.
fn heading(element: ElementRef<'_>) -> Option<String> {
    let mut text = String::new();
    for part in element.text() {
        text.push_str(part.trim());
        if text.chars().count() > HEADING_MAX {
            return None;
        }
    }
    Some(text)
}
