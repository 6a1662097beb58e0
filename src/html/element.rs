//! Elements: what they are, what they hold and what holds them.

use super::attribute::{Attribute, AttributeName};
use super::tag::Tag;
use super::tree::{Node, Record, Tree};

/// An element of a tree.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) at: u32,
}

/// Elements are the same where they are one node of one tree.
impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.at == other.at
    }
}

impl Eq for Element<'_> {}

impl<'a> Element<'a> {
    fn record(self) -> &'a Record {
        self.tree.record(self.at)
    }

    /// Its place in the document, which tells it from every other node of its tree.
    pub fn place(self) -> u32 {
        self.at
    }

    /// Which element it is.
    pub fn tag(self) -> Tag {
        self.record().tag.unwrap_or(Tag::Other)
    }

    /// Its name.
    pub fn name(self) -> &'a str {
        self.tag().name().unwrap_or_else(|| self.tree.read(self.record().part))
    }

    /// Whether it belongs to a drawing or a formula.
    pub(super) fn is_foreign(self) -> bool {
        self.record().foreign
    }

    /// Its attributes: names in lower case, values decoded.
    pub fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let (from, count) = self.record().attributes;
        let of = &self.tree.attributes[from as usize..(from + count) as usize];
        of.iter().map(move |one| (self.tree.read(one.name), self.tree.read(one.value)))
    }

    /// The value of an attribute.
    pub fn attribute(self, name: &AttributeName) -> Option<&'a str> {
        let (from, count) = self.record().attributes;
        let mut of = self.tree.attributes[from as usize..(from + count) as usize].iter();
        let is_it =
            |one: &&Attribute| one.hash == name.hash && self.tree.read(one.name) == name.text();
        of.find(is_it).map(|one| self.tree.read(one.value))
    }

    /// The element `html` of its page.
    pub fn root(self) -> Self {
        Self { at: 0, ..self }
    }

    /// The element that holds it.
    pub fn parent(self) -> Option<Self> {
        (self.at > 0).then(|| Self { at: self.record().parent, ..self })
    }

    /// The elements that hold it, the innermost first.
    pub fn ancestors(self) -> impl Iterator<Item = Self> + use<'a> {
        std::iter::successors(self.parent(), |one| one.parent())
    }

    /// The nodes right below it.
    pub fn children(self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.child_places().map(move |at| self.tree.node(at))
    }

    /// The elements right below it.
    pub fn child_elements(self) -> impl Iterator<Item = Self> + use<'a> {
        self.child_places().filter_map(move |at| self.tree.element(at))
    }

    fn child_places(self) -> impl Iterator<Item = u32> + use<'a> {
        let end = self.record().end;
        let first = Some(self.at + 1).filter(|first| *first < end);
        std::iter::successors(first, move |at| {
            Some(self.tree.record(*at).end).filter(|next| *next < end)
        })
    }

    /// The elements before it below the same one, the nearest first.
    pub fn previous_elements(self) -> impl Iterator<Item = Self> + use<'a> {
        let before = move |at: u32| Some(self.tree.record(at).previous).filter(|one| *one != at);
        std::iter::successors(before(self.at), move |at| before(*at))
            .filter_map(move |at| self.tree.element(at))
    }

    /// The element that follows below the same one.
    pub fn next_element(self) -> Option<Self> {
        let end = self.parent()?.record().end;
        let next = |at: u32| Some(self.tree.record(at).end).filter(|next| *next < end);
        std::iter::successors(next(self.at), move |at| next(*at))
            .find_map(|at| self.tree.element(at))
    }

    /// The elements below it, in the order of the document.
    pub fn descendants(self) -> impl Iterator<Item = Self> + use<'a> {
        (self.at + 1..self.record().end).filter_map(move |at| self.tree.element(at))
    }

    /// The texts below it, in the order of the document.
    pub fn texts(self) -> impl Iterator<Item = &'a str> + use<'a> {
        let below = &self.tree.records[self.at as usize + 1..self.record().end as usize];
        let texts = below.iter().filter(|record| record.tag.is_none());
        texts.map(move |record| self.tree.read(record.part))
    }

    /// The places of the texts and elements below it.
    pub fn places(self) -> std::ops::Range<u32> {
        self.at + 1..self.record().end
    }

    /// The node at a place of its tree.
    pub fn node_at(self, place: u32) -> Node<'a> {
        self.tree.node(place)
    }

    /// The place of the element that holds the node at a place.
    pub fn parent_of(self, place: u32) -> Option<u32> {
        (place > 0).then(|| self.tree.record(place).parent)
    }
}
