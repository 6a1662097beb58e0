//! Notes which places were asked while a page is read.

use std::cell::RefCell;

use crate::platform::Candidate;

/// What a part of the reading is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) enum Place {
    /// The page as a whole.
    Page,
    /// Whose page it is.
    Identity,
    /// The item of this number, from 0, as the page has them.
    Item(usize),
    /// The citizen's message of this number, from 0: its times are told, its words are not.
    Message(usize),
    /// A first look at items or messages.
    Unnamed,
}

/// Notes which places were asked, group by group.
pub(in crate::extract) struct Trace(pub(super) RefCell<Vec<Group>>);

pub(super) struct Group {
    pub(super) place: Place,
    pub(super) left_out: Option<&'static str>,
    /// Candidates by their address in the layout, each with the texts at its place.
    pub(super) asked: Vec<(*const Candidate, Vec<String>)>,
}

impl Trace {
    pub(in crate::extract) fn new() -> Self {
        Self(RefCell::new(vec![Group::at(Place::Page)]))
    }

    pub(in crate::extract) fn begin(&self, place: Place) {
        self.0.borrow_mut().push(Group::at(place));
    }

    pub(in crate::extract) fn left_out(&self, why: &'static str) {
        if let Some(last) = self.0.borrow_mut().last_mut() {
            last.left_out = Some(why);
        }
    }

    pub(in crate::extract) fn asked(&self, candidate: &Candidate, texts: &[String]) {
        if let Some(last) = self.0.borrow_mut().last_mut() {
            let at = std::ptr::from_ref(candidate);
            // Of several nodes that may be the account, the last one asked is the one taken.
            last.asked.retain(|(known, _)| *known != at);
            last.asked.push((at, texts.to_vec()));
        }
    }
}

impl Group {
    fn at(place: Place) -> Self {
        Self { place, left_out: None, asked: Vec::new() }
    }
}
