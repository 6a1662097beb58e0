//! What stands before a body: 13.2.6.4.1 to 13.2.6.4.6 of the HTML standard.

use super::super::tag::Tag;
use super::{Builder, Irregular, Mode, Start, Then};

impl Builder<'_> {
    /// Adds what every page has, up to the body.
    pub(super) fn begin_body(&mut self) {
        if self.mode == Mode::BeforeHtml {
            self.insert_bare(Tag::Html);
            self.mode = Mode::BeforeHead;
        }
        if self.mode == Mode::BeforeHead {
            self.insert_bare(Tag::Head);
            self.mode = Mode::InHead;
        }
        if self.mode == Mode::InHead {
            self.pop();
            self.mode = Mode::AfterHead;
        }
        if self.mode == Mode::AfterHead {
            self.insert_bare(Tag::Body);
            self.mode = Mode::InBody;
        }
    }

    pub(super) fn start_before_html(&mut self, start: Start) -> Option<Then> {
        self.mode = Mode::BeforeHead;
        if start.tag == Tag::Html {
            self.insert(start);
            return Some(Then::Markup);
        }
        self.insert_bare(Tag::Html);
        None
    }

    pub(super) fn start_before_head(&mut self, start: Start) -> Result<Option<Then>, Irregular> {
        match start.tag {
            Tag::Html => return self.start_again(start).map(Some),
            Tag::Head => {
                self.insert(start);
                self.mode = Mode::InHead;
                return Ok(Some(Then::Markup));
            }
            _ => {}
        }
        self.insert_bare(Tag::Head);
        self.mode = Mode::InHead;
        Ok(None)
    }

    pub(super) fn start_in_head(&mut self, start: Start) -> Result<Option<Then>, Irregular> {
        match start.tag {
            Tag::Html => self.start_again(start).map(Some),
            Tag::Head => Ok(Some(self.ignore(start))),
            _ => {
                if let Some(then) = self.start_metadata(start)? {
                    return Ok(Some(then));
                }
                self.pop();
                self.mode = Mode::AfterHead;
                Ok(None)
            }
        }
    }

    /// What stands in a head, wherever it stands; `None` for anything else.
    pub(super) fn start_metadata(&mut self, start: Start) -> Result<Option<Then>, Irregular> {
        Ok(Some(match start.tag {
            Tag::Base | Tag::Basefont | Tag::Bgsound | Tag::Link | Tag::Meta => {
                self.insert_void(start)
            }
            Tag::Title => {
                self.insert(start);
                Then::Decoded
            }
            Tag::Noframes | Tag::Style | Tag::Noscript | Tag::Script => {
                self.insert(start);
                Then::Raw
            }
            Tag::Template => return Err(Irregular),
            _ => return Ok(None),
        }))
    }

    pub(super) fn start_after_head(&mut self, start: Start) -> Result<Option<Then>, Irregular> {
        match start.tag {
            Tag::Html => self.start_again(start).map(Some),
            Tag::Head => Ok(Some(self.ignore(start))),
            Tag::Body => {
                self.insert(start);
                self.mode = Mode::InBody;
                Ok(Some(Then::Markup))
            }
            Tag::Frameset
            | Tag::Base
            | Tag::Basefont
            | Tag::Bgsound
            | Tag::Link
            | Tag::Meta
            | Tag::Noframes
            | Tag::Script
            | Tag::Style
            | Tag::Template
            | Tag::Title => Err(Irregular),
            _ => {
                self.begin_body();
                Ok(None)
            }
        }
    }

    pub(super) fn end_before_body(&mut self, tag: Tag) -> Result<bool, Irregular> {
        match (self.mode, tag) {
            (_, Tag::Template) => Err(Irregular),
            (Mode::InHead, Tag::Head) => {
                self.pop();
                self.mode = Mode::AfterHead;
                Ok(true)
            }
            (Mode::BeforeHtml | Mode::BeforeHead, Tag::Head) => {
                // The page has a head then, and this is its end.
                self.begin_head();
                Ok(false)
            }
            (_, Tag::Body | Tag::Html | Tag::Br) => {
                self.begin_body();
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    fn begin_head(&mut self) {
        if self.mode == Mode::BeforeHtml {
            self.insert_bare(Tag::Html);
        }
        self.insert_bare(Tag::Head);
        self.mode = Mode::InHead;
    }

    /// A second `<html>` or `<body>`, whose attributes the first one would get.
    pub(super) fn start_again(&mut self, start: Start) -> Result<Then, Irregular> {
        if start.attributes.1 > 0 { Err(Irregular) } else { Ok(self.ignore(start)) }
    }

    pub(super) fn ignore(&mut self, start: Start) -> Then {
        // Without it, texts on both sides would each be copied behind what it left.
        self.tree.decoded.truncate(start.decoded);
        self.tree.attributes.truncate(start.attributes.0 as usize);
        Then::Markup
    }
}
