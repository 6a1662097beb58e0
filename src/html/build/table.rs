//! What stands in a table: 13.2.6.4.9 and what follows it in the HTML standard.
//!
//! Start tags: `None` where the tag is to be looked at again in another mode. End tags: false.

use super::super::tag::Tag;
use super::super::tree::Part;
use super::{Builder, Irregular, Mode, Start, Then};

pub(super) type Started = Result<Option<Then>, Irregular>;
pub(super) type Ended = Result<bool, Irregular>;

/// Parts of a table that are not cells or lines.
pub(super) fn is_outer(tag: Tag) -> bool {
    tag.is_table_body() || matches!(tag, Tag::Caption | Tag::Col | Tag::Colgroup)
}

pub(super) fn is_cell(tag: Tag) -> bool {
    matches!(tag, Tag::Td | Tag::Th)
}

impl Builder<'_> {
    pub(super) fn start_in_table(&mut self, start: Start) -> Started {
        let clear = |builder: &mut Self| builder.clear_to(Tag::bounds_tables);
        match start.tag {
            Tag::Caption => {
                clear(self);
                self.add_marker();
                self.insert(start);
                self.mode = Mode::InCaption;
            }
            Tag::Colgroup => {
                clear(self);
                self.insert(start);
                self.mode = Mode::InColumns;
            }
            Tag::Col => {
                clear(self);
                self.insert_bare(Tag::Colgroup);
                self.mode = Mode::InColumns;
                return Ok(None);
            }
            tag if tag.is_table_body() => {
                clear(self);
                self.insert(start);
                self.mode = Mode::InTableBody;
            }
            Tag::Td | Tag::Th | Tag::Tr => {
                clear(self);
                self.insert_bare(Tag::Tbody);
                self.mode = Mode::InTableBody;
                return Ok(None);
            }
            Tag::Table => {
                self.pop_until(|tag| tag == Tag::Table);
                self.reset_mode();
                return Ok(None);
            }
            Tag::Style | Tag::Script => return self.start_metadata(start),
            Tag::Input if self.is_hidden(start) => return Ok(Some(self.insert_void(start))),
            Tag::Form => {
                if self.form.is_some() {
                    return Ok(Some(self.ignore(start)));
                }
                self.form = Some(self.tree.records.len() as u32);
                return Ok(Some(self.insert_void(start)));
            }
            _ => return Err(Irregular),
        }
        Ok(Some(Then::Markup))
    }

    pub(super) fn end_in_table(&mut self, tag: Tag, name: Part) -> Ended {
        match tag {
            Tag::Table => {
                self.pop_until(|tag| tag == Tag::Table);
                self.reset_mode();
                Ok(true)
            }
            Tag::Body | Tag::Html | Tag::Tr | Tag::Td | Tag::Th => Ok(true),
            _ if is_outer(tag) => Ok(true),
            // They would add something.
            Tag::P | Tag::Br => Err(Irregular),
            _ => self.end_in_body(tag, name).map(|()| true),
        }
    }

    pub(super) fn start_in_caption(&mut self, start: Start) -> Started {
        if !is_outer(start.tag) && !is_cell(start.tag) && start.tag != Tag::Tr {
            return self.start_in_body(start).map(Some);
        }
        self.end_caption();
        Ok(None)
    }

    pub(super) fn end_in_caption(&mut self, tag: Tag, name: Part) -> Ended {
        match tag {
            Tag::Caption | Tag::Table => {
                self.end_caption();
                Ok(tag == Tag::Caption)
            }
            Tag::Body | Tag::Html | Tag::Tr | Tag::Td | Tag::Th => Ok(true),
            _ if is_outer(tag) => Ok(true),
            _ => self.end_in_body(tag, name).map(|()| true),
        }
    }

    fn end_caption(&mut self) {
        self.end_implied(None);
        self.pop_until(|tag| tag == Tag::Caption);
        self.clear_to_marker();
        self.mode = Mode::InTable;
    }

    pub(super) fn start_in_columns(&mut self, start: Start) -> Started {
        match start.tag {
            Tag::Html => self.start_again(start).map(Some),
            Tag::Col => Ok(Some(self.insert_void(start))),
            Tag::Template => Err(Irregular),
            _ => {
                self.pop();
                self.mode = Mode::InTable;
                Ok(None)
            }
        }
    }

    pub(super) fn end_in_columns(&mut self, tag: Tag) -> Ended {
        match tag {
            Tag::Col => Ok(true),
            Tag::Template => Err(Irregular),
            _ => {
                self.pop();
                self.mode = Mode::InTable;
                Ok(tag == Tag::Colgroup)
            }
        }
    }

    fn is_hidden(&self, start: Start) -> bool {
        let (from, count) = start.attributes;
        let mut attributes = self.tree.attributes[from as usize..(from + count) as usize].iter();
        let kind = attributes.find(|one| self.tree.read(one.name) == "type");
        kind.is_some_and(|one| self.tree.read(one.value).eq_ignore_ascii_case("hidden"))
    }

    /// The mode of what is open (13.2.4.1).
    fn reset_mode(&mut self) {
        let modes = self.open.iter().rev().filter_map(|open| match open.tag {
            Tag::Td | Tag::Th => Some(Mode::InCell),
            Tag::Tr => Some(Mode::InRow),
            Tag::Caption => Some(Mode::InCaption),
            Tag::Colgroup => Some(Mode::InColumns),
            Tag::Table => Some(Mode::InTable),
            tag if tag.is_table_body() => Some(Mode::InTableBody),
            _ => None,
        });
        self.mode = modes.into_iter().next().unwrap_or(Mode::InBody);
    }
}
