//! Which entries of a page are its list's, and which stand beside it.

use std::collections::HashMap;

use crate::html::{AttributeName, Element, Tag};

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
    let mut beside: HashMap<u32, bool> = HashMap::new();
    let mut is_main = |node: &Node<'a>| {
        let mut above = node.element().into_iter().flat_map(Element::ancestors);
        !above.any(|above| {
            let few = held[above.place() as usize] * 2 <= all;
            few && *beside.entry(above.place()).or_insert_with(|| is_beside(above))
        })
    };
    kept.into_iter().filter(|node| is_main(node)).collect()
}

fn is_beside(element: Element<'_>) -> bool {
    let named = match element.tag() {
        Tag::Li | Tag::Tr | Tag::Td | Tag::Dd | Tag::Dt | Tag::Dl | Tag::Article => return false,
        Tag::Aside | Tag::Footer | Tag::Nav => true,
        Tag::Header => !element
            .ancestors()
            .any(|above| matches!(above.tag(), Tag::Li | Tag::Tr | Tag::Article | Tag::Section)),
        _ => false,
    };
    let told = [element.attribute(&AttributeName::CLASS), element.attribute(&AttributeName::ID)];
    named || told.into_iter().flatten().any(names_margin) || has_side_heading(element)
}

/// Whether the short text before a block, or its own first one, names a hot list or the like.
fn has_side_heading(element: Element<'_>) -> bool {
    let headings = [element.previous_elements().next(), element.child_elements().next()];
    headings.into_iter().flatten().filter_map(heading).any(|text| is_side_heading(&text))
}

/// All of an element's text, where it is no longer than a heading.
fn heading(element: Element<'_>) -> Option<String> {
    let mut text = String::new();
    for part in element.texts() {
        text.push_str(part.trim());
        if text.chars().count() > HEADING_MAX {
            return None;
        }
    }
    Some(text)
}
