//! The stack of open elements: 13.2.4.2 and 13.2.6.1 of the HTML standard.

use super::super::tag::Tag;
use super::super::tree::{DECODED, Part, Record};
use super::{Builder, Start, Then};

/// An open element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) tag: Tag,
    pub(super) at: u32,
    /// The last node right below it; itself if there is none.
    last: u32,
}

impl Builder<'_> {
    pub(super) fn insert(&mut self, start: Start) {
        self.insert_record(start.tag, start.name, start.attributes);
    }

    /// An element without attributes that no tag began.
    pub(super) fn insert_bare(&mut self, tag: Tag) {
        // The attributes of a tag that waits to be added may be the last of the tree.
        self.insert_record(tag, Part { from: 0, length: 0 }, (0, 0));
    }

    /// An element that holds nothing.
    pub(super) fn insert_void(&mut self, start: Start) -> Then {
        self.insert(start);
        self.pop();
        Then::Markup
    }

    pub(super) fn insert_record(&mut self, tag: Tag, part: Part, attributes: (u32, u32)) {
        let at = self.add(Some(tag), part, attributes);
        self.open.push(Open { tag, at, last: at });
    }

    /// A node below the current one; its number.
    fn add(&mut self, tag: Option<Tag>, part: Part, attributes: (u32, u32)) -> u32 {
        let at = self.tree.records.len() as u32;
        let (parent, previous) = match self.open.last_mut() {
            Some(open) => {
                let previous = if open.last == open.at { at } else { open.last };
                open.last = at;
                (open.at, previous)
            }
            None => (at, at),
        };
        self.after_comment = false;
        let end = at + 1;
        let record = Record { tag, foreign: false, part, attributes, parent, previous, end };
        self.tree.records.push(record);
        at
    }

    /// Text at the end of the current node, one with the text that stands there.
    pub(super) fn append(&mut self, part: Part) {
        let last = self.open.last().map(|open| open.last);
        let at = (self.tree.records.len() - 1) as u32;
        let before = self.tree.records[at as usize];
        if last != Some(at) || before.tag.is_some() || self.after_comment {
            self.add(None, part, (0, 0));
            return;
        }
        let joined = if before.part.from + before.part.length == part.from {
            Part { length: before.part.length + part.length, ..before.part }
        } else {
            self.joined(before.part, part)
        };
        self.tree.records[at as usize].part = joined;
    }

    /// Two texts that are apart in the page, as one.
    fn joined(&mut self, first: Part, second: Part) -> Part {
        let decoded = &mut self.tree.decoded;
        // The second may be what was decoded last: the first is to stand before it.
        let text = match second.from.checked_sub(DECODED) {
            Some(from) => decoded.split_off(from as usize),
            None => {
                let from = second.from as usize;
                self.tree.text[from..from + second.length as usize].to_owned()
            }
        };
        let ends = first.from.checked_sub(DECODED).map(|from| (from + first.length) as usize);
        let from = if ends == Some(decoded.len()) {
            first.from
        } else {
            let from = DECODED + decoded.len() as u32;
            match first.from.checked_sub(DECODED) {
                Some(at) => {
                    decoded.extend_from_within(at as usize..(at + first.length) as usize);
                }
                None => {
                    let at = first.from as usize;
                    decoded.push_str(&self.tree.text[at..at + first.length as usize]);
                }
            }
            from
        };
        decoded.push_str(&text);
        Part { from, length: first.length + second.length }
    }

    pub(super) fn pop(&mut self) -> Option<Tag> {
        let open = self.open.pop()?;
        self.tree.records[open.at as usize].end = self.tree.records.len() as u32;
        Some(open.tag)
    }

    pub(super) fn current(&self) -> Option<Tag> {
        self.open.last().map(|open| open.tag)
    }

    /// Pops down to an open element, and that one.
    pub(super) fn pop_to(&mut self, index: usize) {
        while self.open.len() > index {
            self.pop();
        }
    }

    /// Pops elements until one of a kind was popped.
    pub(super) fn pop_until(&mut self, is_it: impl Fn(Tag) -> bool) {
        while self.pop().is_some_and(|tag| !is_it(tag)) {}
    }

    /// Pops elements until the current one is of a kind.
    pub(super) fn clear_to(&mut self, is_it: impl Fn(Tag) -> bool) {
        while self.current().is_some_and(|tag| !is_it(tag)) {
            self.pop();
        }
    }

    /// Whether one of a kind is open, none that bounds the search above it.
    pub(super) fn has(&self, is_it: impl Fn(Tag) -> bool, bounds: impl Fn(Tag) -> bool) -> bool {
        let open = self.open.iter().rev().map(|open| open.tag);
        open.into_iter().find(|tag| is_it(*tag) || bounds(*tag)).is_some_and(is_it)
    }

    pub(super) fn in_scope(&self, wanted: Tag) -> bool {
        self.has(|tag| tag == wanted, Tag::bounds_scope)
    }

    pub(super) fn in_table_scope(&self, wanted: Tag) -> bool {
        self.has(|tag| tag == wanted, Tag::bounds_tables)
    }

    /// Pops what ends by itself, up to one that is not to.
    pub(super) fn end_implied(&mut self, except: Option<Tag>) {
        while self.current().is_some_and(|tag| tag.ends_by_itself() && Some(tag) != except) {
            self.pop();
        }
    }

    /// Closes a paragraph that is open.
    pub(super) fn close_paragraph(&mut self) {
        if self.has_paragraph() {
            self.end_implied(Some(Tag::P));
            self.pop_until(|tag| tag == Tag::P);
        }
    }

    /// Whether a paragraph is open.
    pub(super) fn has_paragraph(&self) -> bool {
        self.has(|tag| tag == Tag::P, |tag| tag.bounds_scope() || tag == Tag::Button)
    }
}
