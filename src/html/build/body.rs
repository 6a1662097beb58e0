//! What begins in a body: 13.2.6.4.7 of the HTML standard.

use super::super::tag::Tag;
use super::{Builder, Irregular, Mode, Start, Then};

impl Builder<'_> {
    pub(super) fn start_in_body(&mut self, start: Start) -> Result<Then, Irregular> {
        let tag = start.tag;
        match tag {
            Tag::Html | Tag::Body => return self.start_again(start),
            Tag::Frameset | Tag::Image | Tag::Math | Tag::Plaintext | Tag::Svg => {
                return Err(Irregular);
            }
            Tag::Rb | Tag::Rp | Tag::Rt | Tag::Rtc | Tag::Nobr => return Err(Irregular),
            Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Frame
            | Tag::Head
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => return Ok(self.ignore(start)),
            Tag::Form if self.form.is_some() => return Ok(self.ignore(start)),
            Tag::Li | Tag::Dd | Tag::Dt => self.end_item(tag),
            Tag::Table => return self.start_table(start),
            Tag::Hr => {
                self.close_paragraph();
                if self.in_scope(Tag::Select) {
                    self.end_implied(None);
                }
                return Ok(self.insert_void(start));
            }
            Tag::Param | Tag::Source | Tag::Track => return Ok(self.insert_void(start)),
            Tag::Iframe | Tag::Noembed => {
                self.insert(start);
                return Ok(Then::Raw);
            }
            Tag::Textarea => {
                self.insert(start);
                return Ok(Then::Decoded);
            }
            _ if tag.is_heading() => {
                self.close_paragraph();
                if self.current().is_some_and(Tag::is_heading) {
                    self.pop();
                }
            }
            _ if is_block(tag) => self.close_paragraph(),
            _ => match self.start_metadata(start)? {
                Some(then) => return Ok(then),
                None => return self.start_phrase(start),
            },
        }
        if tag == Tag::Form {
            self.form = Some(self.tree.records.len() as u32);
        }
        self.insert(start);
        Ok(match tag {
            Tag::Pre | Tag::Listing => Then::MarkupAfterLine,
            _ => Then::Markup,
        })
    }

    /// What stands in a line of text, formatted as what stands before it.
    fn start_phrase(&mut self, start: Start) -> Result<Then, Irregular> {
        match start.tag {
            Tag::A => {
                let (name, again) = (start.name, self.since_marker_has(Tag::A));
                if let Some(node) = again {
                    self.end_formatting(Tag::A, name)?;
                    if self.formatting.contains(&Some(node)) {
                        return Err(Irregular);
                    }
                }
            }
            Tag::Button if self.in_scope(Tag::Button) => {
                self.end_implied(None);
                self.pop_until(|tag| tag == Tag::Button);
            }
            Tag::Input if self.in_scope(Tag::Select) => self.pop_until(|tag| tag == Tag::Select),
            Tag::Select if self.in_scope(Tag::Select) => {
                self.pop_until(|tag| tag == Tag::Select);
                return Ok(self.ignore(start));
            }
            Tag::Option if self.in_scope(Tag::Select) => self.end_implied(Some(Tag::Optgroup)),
            Tag::Optgroup if self.in_scope(Tag::Select) => self.end_implied(None),
            Tag::Option | Tag::Optgroup if self.current() == Some(Tag::Option) => {
                self.pop();
            }
            Tag::Xmp => self.close_paragraph(),
            _ => {}
        }
        self.reconstruct_formatting();
        match start.tag {
            Tag::Area | Tag::Br | Tag::Embed | Tag::Img | Tag::Input | Tag::Keygen | Tag::Wbr => {
                return Ok(self.insert_void(start));
            }
            Tag::Applet | Tag::Marquee | Tag::Object => {
                self.insert(start);
                self.add_marker();
            }
            Tag::Xmp => {
                self.insert(start);
                return Ok(Then::Raw);
            }
            tag if is_formatting(tag) => self.insert_formatting(start),
            _ => self.insert(start),
        }
        Ok(Then::Markup)
    }

    /// Ends the item before one of the same list.
    fn end_item(&mut self, tag: Tag) {
        let ends = |open: Tag| match tag {
            Tag::Li => open == Tag::Li,
            _ => matches!(open, Tag::Dd | Tag::Dt),
        };
        let bounds =
            |open: Tag| open.is_special() && !matches!(open, Tag::Address | Tag::Div | Tag::P);
        let mut open = self.open.iter().rev().map(|open| open.tag);
        if let Some(before) =
            open.find(|open| ends(*open) || bounds(*open)).filter(|one| ends(*one))
        {
            self.end_implied(Some(before));
            self.pop_until(|tag| tag == before);
        }
        self.close_paragraph();
    }

    fn start_table(&mut self, start: Start) -> Result<Then, Irregular> {
        if self.standard == Some(true) {
            self.close_paragraph();
        } else if self.has_paragraph() {
            // Whether it is closed depends on the declaration.
            return Err(Irregular);
        }
        self.insert(start);
        self.mode = Mode::InTable;
        Ok(Then::Markup)
    }

    fn since_marker_has(&self, tag: Tag) -> Option<u32> {
        let entries = self.formatting.iter().rev().map_while(|entry| *entry);
        entries.into_iter().find(|node| self.tree.records[*node as usize].tag == Some(tag))
    }
}

/// Elements that end a paragraph, and are ended by their own end tag alone.
pub(super) fn is_block(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Address
            | Tag::Article
            | Tag::Aside
            | Tag::Blockquote
            | Tag::Center
            | Tag::Details
            | Tag::Dialog
            | Tag::Dir
            | Tag::Div
            | Tag::Dl
            | Tag::Fieldset
            | Tag::Figcaption
            | Tag::Figure
            | Tag::Footer
            | Tag::Form
            | Tag::Header
            | Tag::Hgroup
            | Tag::Listing
            | Tag::Main
            | Tag::Menu
            | Tag::Nav
            | Tag::Ol
            | Tag::P
            | Tag::Pre
            | Tag::Search
            | Tag::Section
            | Tag::Summary
            | Tag::Ul
    )
}

pub(super) fn is_formatting(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::A
            | Tag::B
            | Tag::Big
            | Tag::Code
            | Tag::Em
            | Tag::Font
            | Tag::I
            | Tag::S
            | Tag::Small
            | Tag::Strike
            | Tag::Strong
            | Tag::Tt
            | Tag::U
    )
}
