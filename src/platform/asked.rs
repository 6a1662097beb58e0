//! The members of JSON answers that a layout asks for.

use std::cell::{Cell, RefCell};

use super::query::Query;
use super::source::Path;

/// Names of members; what no path of a layout names need not be kept.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// By their length in bytes.
    by_length: Vec<Vec<String>>,
    /// How far below a member of these names a path may go without a name.
    unnamed: usize,
}

impl Names {
    /// Whether a name is one of them.
    pub fn contains(&self, name: &str) -> bool {
        let (alike, first) = (self.by_length.get(name.len()), name.as_bytes().first());
        // Most that are as long begin otherwise, which is cheaper to see.
        let is_it = |known: &String| known.as_bytes().first() == first && known == name;
        alike.is_some_and(|alike| alike.iter().any(is_it))
    }

    /// How many steps below a member of one of these names, or the root, something may be asked for
    /// without its name: as an element, or as any member.
    pub fn unnamed(&self) -> usize {
        self.unnamed
    }

    fn add(&mut self, name: &str) {
        if !self.contains(name) {
            let length = self.by_length.len().max(name.len() + 1);
            self.by_length.resize_with(length, Vec::new);
            self.by_length[name.len()].push(name.to_owned());
        }
    }
}

/// What the paths of one layout ask for, noted while they are compiled.
#[derive(Debug, Default)]
pub(super) struct Asked {
    names: RefCell<Names>,
    /// A path may ask for any member.
    any: Cell<bool>,
    /// Items may be members of any name.
    any_item: Cell<bool>,
    /// The item itself may be a value.
    itself: Cell<bool>,
}

impl Asked {
    pub(super) fn note(&self, query: &Query) {
        let mut known = self.names.borrow_mut();
        known.unnamed = query.alls().max(known.unnamed);
        match query.names() {
            Some(names) => names.for_each(|name| known.add(name)),
            None => self.any.set(true),
        }
    }

    /// A path whose values count themselves, whatever they are called.
    pub(super) fn note_values(&self, path: &Path) {
        let Path::Json(query) = path else { return };
        if query.ends_with_all() {
            self.any.set(true);
        }
        if query.is_itself() {
            self.note_itself();
        }
    }

    /// An item counts itself.
    pub(super) fn note_itself(&self) {
        self.itself.set(true);
    }

    /// A path to items.
    pub(super) fn note_items(&self, path: &Path) {
        let all = matches!(path, Path::Json(query) if query.ends_with_all());
        self.any_item.set(self.any_item.get() || all);
    }

    /// The names; none where any member may be asked for.
    pub(super) fn names(self) -> Option<Names> {
        let any = self.any.get() || (self.itself.get() && self.any_item.get());
        (!any).then(|| self.names.into_inner())
    }
}
