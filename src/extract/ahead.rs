//! Values that were read to see whether an element is an item, kept for when the item is read.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::domain::Moment;
use crate::platform::Source;

use super::document::Node;

/// A time as it was read, and as the page shows it.
pub(super) type ReadTime = (Option<Moment>, Option<String>);

/// Whose value it is, and of which element.
type Key = (*const Source, u32);

/// Values read ahead, each handed out once.
#[derive(Default)]
pub(super) struct Ahead {
    times: RefCell<HashMap<Key, ReadTime>>,
    texts: RefCell<HashMap<Key, Option<String>>>,
    /// Where every reading is to be seen, nothing is kept.
    keeps_nothing: bool,
}

impl Ahead {
    pub(super) fn nothing() -> Self {
        Self { keeps_nothing: true, ..Self::default() }
    }

    pub(super) fn keep_time(&self, source: &Source, node: Node<'_>, read: ReadTime) {
        if let Some(key) = self.key(source, node) {
            self.times.borrow_mut().insert(key, read);
        }
    }

    pub(super) fn take_time(&self, source: &Source, node: Node<'_>) -> Option<ReadTime> {
        let mut times = self.times.borrow_mut();
        if times.is_empty() { None } else { times.remove(&self.key(source, node)?) }
    }

    pub(super) fn keep_text(&self, source: &Source, node: Node<'_>, text: Option<String>) {
        if let Some(key) = self.key(source, node) {
            self.texts.borrow_mut().insert(key, text);
        }
    }

    pub(super) fn take_text(&self, source: &Source, node: Node<'_>) -> Option<Option<String>> {
        let mut texts = self.texts.borrow_mut();
        if texts.is_empty() { None } else { texts.remove(&self.key(source, node)?) }
    }

    /// Nobody will ask for what was read of an element.
    pub(super) fn forget(&self, time: &Source, text: &Source, node: Node<'_>) {
        self.take_time(time, node);
        self.take_text(text, node);
    }

    fn key(&self, source: &Source, node: Node<'_>) -> Option<Key> {
        match node {
            Node::Html(element) if !self.keeps_nothing => Some((source, element.place())),
            _ => None,
        }
    }
}
