//! HTML pages as trees that are searched many times: elements and texts in their order.
//!
//! A page is cut into tags and texts (`cut`), of which `build` makes the tree in one pass: nodes
//! one after the other, texts as parts of the page. What it cannot add at the end (mis-nested
//! formatting, text between a table's lines, drawings, templates) it leaves to html5ever, whose
//! tree is then copied (`standard`). Either way the tree is the one of the HTML standard: a
//! property test against html5ever sees to it.

use std::borrow::Cow;

use memchr::memchr_iter;

mod attribute;
mod build;
mod cut;
mod depth;
mod element;
mod matching;
mod reference;
mod standard;
mod tag;
mod tree;

#[cfg(test)]
mod tests;

pub use attribute::AttributeName;
pub use element::Element;
pub use matching::{first_matching, matches};
pub use tag::Tag;
pub use tree::{Node, Tree};

/// The most nodes a page may have.
const NODES_MAX: usize = 500_000;

/// The deepest nesting of a page.
const DEPTH_MAX: usize = 700;

/// Parses a page.
///
/// # Errors
/// Why it is refused: too deep, too many nodes, or made to cost time.
pub fn parse(text: Cow<'_, str>) -> Result<Tree<'_>, String> {
    match even_lines(text) {
        Cow::Borrowed(text) => tree(text),
        Cow::Owned(text) => {
            let Tree { decoded, records, attributes, .. } = tree(&text)?;
            Ok(Tree { text: Cow::Owned(text), decoded, records, attributes })
        }
    }
}

fn tree(text: &str) -> Result<Tree<'_>, String> {
    cut::tree(text).or_else(|build::Irregular| standard::tree(text))
}

/// Every line ends with a line feed alone: the standard's preprocessing (13.2.3.5).
fn even_lines(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut returns = memchr_iter(b'\r', text.as_bytes()).peekable();
    if returns.peek().is_none() {
        return text;
    }
    let mut even = String::with_capacity(text.len());
    let mut from = 0;
    for at in returns {
        even.push_str(&text[from..at]);
        if text.as_bytes().get(at + 1) != Some(&b'\n') {
            even.push('\n');
        }
        from = at + 1;
    }
    even.push_str(&text[from..]);
    Cow::Owned(even)
}
