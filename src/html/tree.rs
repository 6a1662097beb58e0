//! A page as a tree, its nodes in the order of the document.

use std::borrow::Cow;

use super::attribute::Attribute;
use super::element::Element;
use super::tag::Tag;

/// A part of a page's text, or of what was decoded from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Bytes from the beginning; those of decoded text from [`DECODED`] on.
    pub(super) from: u32,
    pub(super) length: u32,
}

impl Part {
    /// Its first bytes, and the rest.
    pub(super) fn split(self, length: u32) -> (Self, Self) {
        let rest = Self { from: self.from + length, length: self.length - length };
        (Self { length, ..self }, rest)
    }
}

/// Where the places of decoded text begin.
pub(super) const DECODED: u32 = 1 << 31;

/// An element or a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// What element it is; none: a text.
    pub(super) tag: Option<Tag>,
    /// Whether it belongs to a drawing or a formula.
    pub(super) foreign: bool,
    /// The text, or the name of an element that has no tag of its own.
    pub(super) part: Part,
    /// The first of its attributes, and how many there are.
    pub(super) attributes: (u32, u32),
    pub(super) parent: u32,
    /// The sibling before it; itself if there is none.
    pub(super) previous: u32,
    /// The first node that is not below it.
    pub(super) end: u32,
}

/// A page's elements and texts; comments, declarations and what a template holds are left out.
///
/// A node's number is its place in the document, so what is below an element is one range.
#[derive(Debug, Clone)]
pub struct Tree<'t> {
    /// The page, its lines ended by a line feed alone.
    pub(super) text: Cow<'t, str>,
    /// What character references stand for, capitals of names, and the texts around them.
    pub(super) decoded: String,
    pub(super) records: Vec<Record>,
    pub(super) attributes: Vec<Attribute>,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy)]
pub enum Node<'a> {
    /// An element.
    Element(Element<'a>),
    /// Its text.
    Text(&'a str),
}

impl<'t> Tree<'t> {
    /// The element `html`.
    pub fn root(&self) -> Element<'_> {
        Element { tree: self, at: 0 }
    }

    /// How many elements and texts there are.
    pub fn size(&self) -> usize {
        self.records.len()
    }

    pub(super) fn of(text: Cow<'t, str>) -> Self {
        let (decoded, attributes) = (String::new(), Vec::with_capacity(text.len() / 64));
        Self { decoded, records: Vec::with_capacity(text.len() / 32), attributes, text }
    }

    pub(super) fn read(&self, part: Part) -> &str {
        let (text, from) = match part.from.checked_sub(DECODED) {
            Some(from) => (self.decoded.as_str(), from),
            None => (&*self.text, part.from),
        };
        &text[from as usize..(from + part.length) as usize]
    }

    pub(super) fn record(&self, at: u32) -> &Record {
        &self.records[at as usize]
    }

    pub(super) fn node(&self, at: u32) -> Node<'_> {
        let record = self.record(at);
        match record.tag {
            Some(_) => Node::Element(Element { tree: self, at }),
            None => Node::Text(self.read(record.part)),
        }
    }

    pub(super) fn element(&self, at: u32) -> Option<Element<'_>> {
        self.record(at).tag.map(|_| Element { tree: self, at })
    }
}

/// The names, attributes and texts, as a test compares them.
#[cfg(test)]
impl std::fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn write(f: &mut std::fmt::Formatter<'_>, element: Element<'_>) -> std::fmt::Result {
            write!(f, "<{}", element.name())?;
            let mut attributes = element.attributes().collect::<Vec<_>>();
            attributes.sort_unstable();
            for (name, value) in attributes {
                write!(f, " {name}={value:?}")?;
            }
            write!(f, ">")?;
            for child in element.children() {
                match child {
                    Node::Element(inner) => write(f, inner)?,
                    Node::Text(text) => write!(f, "{text:?}")?,
                }
            }
            write!(f, "</>")
        }
        write(f, self.root())
    }
}
