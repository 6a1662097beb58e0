//! Pages that html5ever builds, copied.

use std::borrow::Cow;
use std::collections::HashMap;

use ego_tree::iter::Edge;
use memchr::memchr_iter;
use scraper::{Html, Node as Parsed};

use super::attribute::{Attribute, hash};
use super::depth::too_deep;
use super::tag::Tag;
use super::tree::{DECODED, Part, Record, Tree};
use super::{DEPTH_MAX, NODES_MAX};

/// What is no longer than this is parsed at once, however it is made.
const SHORT: usize = 32 * 1024;

/// The most tags a page may leave open at once: the time to parse grows with the square of it.
const OPEN_TAGS_MAX: usize = 3000;

/// The tree of any page.
///
/// # Errors
/// Why it is refused.
pub(super) fn tree(text: &str) -> Result<Tree<'_>, String> {
    // What is short costs little however it is made.
    if (text.len() > SHORT || has_many_tags(text))
        && let Some(reason) = too_deep(text, OPEN_TAGS_MAX)
    {
        return Err(reason);
    }
    copied(&Html::parse_document(text)).map(|tree| Tree { text: Cow::Borrowed(text), ..tree })
}

/// Whether a page begins as many tags as it may leave open.
fn has_many_tags(text: &str) -> bool {
    let begun = memchr_iter(b'<', text.as_bytes());
    let mut begun = begun.filter(|at| text.as_bytes().get(at + 1) != Some(&b'/'));
    begun.nth(OPEN_TAGS_MAX).is_some()
}

/// The elements and texts of a tree of html5ever's.
pub(super) fn copied(html: &Html) -> Result<Tree<'static>, String> {
    let tree = Tree::of(Cow::Borrowed(""));
    let mut copy = Copy { tree, open: Vec::new(), long: HashMap::new() };
    let root = html.root_element();
    // What a template holds is no part of the page.
    let mut templates = 0_usize;
    for edge in (*root).traverse() {
        match edge {
            Edge::Open(node) if node.value().is_fragment() => templates += 1,
            Edge::Close(node) if node.value().is_fragment() => templates -= 1,
            _ if templates > 0 => {}
            Edge::Open(node) => {
                if copy.open.len() > DEPTH_MAX || copy.tree.records.len() > NODES_MAX {
                    return Err(format!("over {DEPTH_MAX} deep or {NODES_MAX} nodes"));
                }
                if copy.tree.attributes.len() > ATTRIBUTES_MAX || copy.tree.decoded.len() > TEXT_MAX
                {
                    return Err(format!("over {ATTRIBUTES_MAX} attributes or {TEXT_MAX} bytes"));
                }
                match node.value() {
                    Parsed::Element(element) => copy.element(element),
                    Parsed::Text(text) => {
                        copy.add(None, text);
                    }
                    _ => {}
                }
            }
            Edge::Close(node) => {
                if node.value().is_element()
                    && let Some((at, _)) = copy.open.pop()
                {
                    copy.tree.records[at as usize].end = copy.tree.records.len() as u32;
                }
            }
        }
    }
    Ok(copy.tree)
}

/// The most attributes of all elements of a page.
const ATTRIBUTES_MAX: usize = 2_000_000;

/// The most bytes of its names, values and texts.
const TEXT_MAX: usize = 256 << 20;

/// From which length on a value is looked for among those that were copied: html5ever begins
/// formatting anew again and again, with one value for all of them.
const LONG: usize = 64;

struct Copy {
    tree: Tree<'static>,
    /// Where long values of html5ever's were copied to, by their place in memory.
    long: HashMap<(*const u8, usize), Part>,
    /// The open elements, and the last node right below each.
    open: Vec<(u32, u32)>,
}

impl Copy {
    fn part(&mut self, text: &str) -> Part {
        let from = DECODED + self.tree.decoded.len() as u32;
        self.tree.decoded.push_str(text);
        Part { from, length: text.len() as u32 }
    }

    fn value(&mut self, text: &str) -> Part {
        if text.len() < LONG {
            return self.part(text);
        }
        let place = (text.as_ptr(), text.len());
        if let Some(known) = self.long.get(&place) {
            return *known;
        }
        let part = self.part(text);
        self.long.insert(place, part);
        part
    }

    fn add(&mut self, tag: Option<Tag>, text: &str) -> u32 {
        let at = self.tree.records.len() as u32;
        let (mut parent, mut previous) = (at, at);
        if let Some((above, last)) = self.open.last_mut() {
            parent = *above;
            previous = if last == above { at } else { *last };
            *last = at;
        }
        let part = self.part(text);
        let attributes = (self.tree.attributes.len() as u32, 0);
        let end = at + 1;
        let record = Record { tag, foreign: false, part, attributes, parent, previous, end };
        self.tree.records.push(record);
        at
    }

    fn element(&mut self, element: &scraper::node::Element) {
        let at = self.add(Some(Tag::of(element.name())), element.name());
        for (name, value) in &element.attrs {
            // `xlink:href` is no `href`.
            if name.ns.is_empty() {
                let hash = hash(&name.local);
                let (name, value) = (self.part(&name.local), self.value(value));
                self.tree.attributes.push(Attribute { hash, name, value });
            }
        }
        let record = &mut self.tree.records[at as usize];
        record.foreign = element.name.ns != html5ever::ns!(html);
        record.attributes.1 = self.tree.attributes.len() as u32 - record.attributes.0;
        self.open.push((at, at));
    }
}
