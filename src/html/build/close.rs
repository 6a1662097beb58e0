//! What ends in a body: 13.2.6.4.7 of the HTML standard.

use super::super::tag::Tag;
use super::super::tree::Part;
use super::body::{is_block, is_formatting};
use super::{Builder, Irregular, Mode};

impl Builder<'_> {
    pub(super) fn end_in_body(&mut self, tag: Tag, name: Part) -> Result<(), Irregular> {
        match tag {
            Tag::Template | Tag::Nobr => return Err(Irregular),
            Tag::Body => {
                if self.in_scope(Tag::Body) {
                    self.mode = Mode::AfterBody;
                }
            }
            Tag::Html => {
                if self.in_scope(Tag::Body) {
                    self.mode = Mode::AfterAll;
                }
            }
            Tag::Form => return self.end_form(),
            Tag::P => {
                if !self.has_paragraph() {
                    self.insert_bare(Tag::P);
                }
                self.close_paragraph();
            }
            Tag::Li | Tag::Dd | Tag::Dt => {
                let bounds = |open: Tag| {
                    open.bounds_scope() || (tag == Tag::Li && matches!(open, Tag::Ol | Tag::Ul))
                };
                if self.has(|open| open == tag, bounds) {
                    self.end_implied(Some(tag));
                    self.pop_until(|open| open == tag);
                }
            }
            Tag::Applet | Tag::Marquee | Tag::Object => {
                if self.in_scope(tag) {
                    self.end_implied(None);
                    self.pop_until(|open| open == tag);
                    self.clear_to_marker();
                }
            }
            Tag::Br => {
                self.reconstruct_formatting();
                self.insert_bare(Tag::Br);
                self.pop();
            }
            _ if tag.is_heading() => {
                if self.has(Tag::is_heading, Tag::bounds_scope) {
                    self.end_implied(None);
                    self.pop_until(Tag::is_heading);
                }
            }
            _ if is_formatting(tag) => return self.end_formatting(tag, name),
            _ if is_block(tag) || matches!(tag, Tag::Button | Tag::Select) => {
                if self.in_scope(tag) {
                    self.end_implied(None);
                    self.pop_until(|open| open == tag);
                }
            }
            _ => self.end_any(tag, name),
        }
        Ok(())
    }

    /// The end of an element of which the standard says nothing more.
    pub(super) fn end_any(&mut self, tag: Tag, name: Part) {
        let named = self.tree.read(name);
        let is_it = |open: &super::Open| {
            let part = self.tree.records[open.at as usize].part;
            open.tag == tag && (tag != Tag::Other || self.tree.read(part) == named)
        };
        let found = self.open.iter().rposition(|open| is_it(open) || open.tag.is_special());
        if let Some(place) = found.filter(|place| is_it(&self.open[*place])) {
            self.pop_to(place);
        }
    }

    fn end_form(&mut self) -> Result<(), Irregular> {
        let Some(form) = self.form.take() else { return Ok(()) };
        let Some(place) = self.open.iter().rposition(|open| open.at == form) else {
            return Ok(());
        };
        if self.open[place + 1..].iter().any(|open| open.tag.bounds_scope()) {
            return Ok(());
        }
        self.end_implied(None);
        if self.open.len() != place + 1 {
            // It would be ended around what stays open.
            return Err(Irregular);
        }
        self.pop();
        Ok(())
    }
}
