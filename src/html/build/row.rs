//! The lines and cells of a table: 13.2.6.4.13 to 13.2.6.4.15 of the HTML standard.

use super::super::tag::Tag;
use super::super::tree::Part;
use super::table::{Ended, Started, is_cell, is_outer};
use super::{Builder, Mode, Start, Then};

impl Builder<'_> {
    pub(super) fn start_in_table_body(&mut self, start: Start) -> Started {
        let bounds = |tag: Tag| tag.is_table_body() || tag.bounds_tables();
        match start.tag {
            Tag::Tr => {
                self.clear_to(bounds);
                self.insert(start);
                self.mode = Mode::InRow;
                Ok(Some(Then::Markup))
            }
            Tag::Td | Tag::Th => {
                self.clear_to(bounds);
                self.insert_bare(Tag::Tr);
                self.mode = Mode::InRow;
                Ok(None)
            }
            tag if is_outer(tag) => {
                self.end_table_body();
                Ok(None)
            }
            _ => self.start_in_table(start),
        }
    }

    pub(super) fn end_in_table_body(&mut self, tag: Tag, name: Part) -> Ended {
        match tag {
            Tag::Table => {
                self.end_table_body();
                Ok(false)
            }
            _ if tag.is_table_body() => {
                if self.in_table_scope(tag) {
                    self.end_table_body();
                }
                Ok(true)
            }
            _ => self.end_in_table(tag, name),
        }
    }

    fn end_table_body(&mut self) {
        self.clear_to(|tag| tag.is_table_body() || tag.bounds_tables());
        self.pop();
        self.mode = Mode::InTable;
    }

    pub(super) fn start_in_row(&mut self, start: Start) -> Started {
        if is_cell(start.tag) {
            self.clear_to(|tag| tag == Tag::Tr);
            self.insert(start);
            self.add_marker();
            self.mode = Mode::InCell;
            return Ok(Some(Then::Markup));
        }
        if is_outer(start.tag) || start.tag == Tag::Tr {
            self.end_row();
            return Ok(None);
        }
        self.start_in_table(start)
    }

    pub(super) fn end_in_row(&mut self, tag: Tag, name: Part) -> Ended {
        match tag {
            Tag::Tr | Tag::Table => {
                self.end_row();
                Ok(tag == Tag::Tr)
            }
            _ if tag.is_table_body() => {
                if !self.in_table_scope(tag) {
                    return Ok(true);
                }
                self.end_row();
                Ok(false)
            }
            _ => self.end_in_table(tag, name),
        }
    }

    fn end_row(&mut self) {
        self.clear_to(|tag| tag == Tag::Tr);
        self.pop();
        self.mode = Mode::InTableBody;
    }

    pub(super) fn start_in_cell(&mut self, start: Start) -> Started {
        if is_outer(start.tag) || is_cell(start.tag) || start.tag == Tag::Tr {
            self.end_cell();
            return Ok(None);
        }
        self.start_in_body(start).map(Some)
    }

    pub(super) fn end_in_cell(&mut self, tag: Tag, name: Part) -> Ended {
        match tag {
            Tag::Td | Tag::Th => {
                if self.in_table_scope(tag) {
                    self.end_implied(None);
                    self.pop_until(|open| open == tag);
                    self.clear_to_marker();
                    self.mode = Mode::InRow;
                }
                Ok(true)
            }
            Tag::Body | Tag::Html | Tag::Caption | Tag::Col | Tag::Colgroup => Ok(true),
            Tag::Table | Tag::Tr | Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                if !self.in_table_scope(tag) {
                    return Ok(true);
                }
                self.end_cell();
                Ok(false)
            }
            _ => self.end_in_body(tag, name).map(|()| true),
        }
    }

    fn end_cell(&mut self) {
        self.end_implied(None);
        self.pop_until(is_cell);
        self.clear_to_marker();
        self.mode = Mode::InRow;
    }
}
