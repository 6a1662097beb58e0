//! Cuts a page into tags and texts: 13.2.5 of the HTML standard, the whole page at hand.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::build::{Builder, Irregular, Start, Then};
use super::reference::reference;
use super::tag::Tag;
use super::tree::{DECODED, Part, Tree};
use super::{DEPTH_MAX, NODES_MAX};

mod tag;

/// What html5ever skips at the beginning of a page, and anew after some tags.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The tree of a page without carriage returns.
pub(super) fn tree(text: &str) -> Result<Tree<'_>, Irregular> {
    if text.len() >= DECODED as usize / 2 || memchr(0, text.as_bytes()).is_some() {
        return Err(Irregular);
    }
    let begin = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let builder = Builder::new(Tree::of(Cow::Borrowed(text)));
    let mut cutter = Cutter { text, at: begin, builder };
    cutter.cut()?;
    Ok(cutter.builder.finish())
}

struct Cutter<'t> {
    text: &'t str,
    /// What was cut so far, in bytes.
    at: usize,
    builder: Builder<'t>,
}

impl Cutter<'_> {
    fn cut(&mut self) -> Result<(), Irregular> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let found = memchr2(b'<', b'&', &bytes[self.at..]);
            let found = found.map_or(bytes.len(), |found| self.at + found);
            self.text(found)?;
            match bytes.get(found) {
                Some(b'<') => self.markup()?,
                Some(_) => self.reference()?,
                None => {}
            }
            let Builder { tree, .. } = &self.builder;
            if self.builder.depth() > DEPTH_MAX
                || tree.size() > NODES_MAX
                || tree.decoded.len() >= DECODED as usize / 2
            {
                return Err(Irregular);
            }
        }
        Ok(())
    }

    /// Text as it stands, up to a place.
    fn text(&mut self, end: usize) -> Result<(), Irregular> {
        let part = self.part(self.at, end);
        self.at = end;
        if part.length == 0 { Ok(()) } else { self.builder.text(part) }
    }

    fn part(&self, from: usize, end: usize) -> Part {
        Part { from: from as u32, length: (end - from) as u32 }
    }

    /// What begins with `<`.
    fn markup(&mut self) -> Result<(), Irregular> {
        let inside = &self.text.as_bytes()[self.at + 1..];
        match *inside {
            [b'a'..=b'z' | b'A'..=b'Z', ..] => self.start_tag(),
            [b'/', b'a'..=b'z' | b'A'..=b'Z', ..] => {
                let decoded = self.builder.tree.decoded.len();
                let (tag, name, _) = self.tag(self.at + 2)?;
                self.builder.end(tag, name)?;
                self.builder.tree.decoded.truncate(decoded);
                Ok(())
            }
            [b'/', b'>', ..] => {
                self.at += 3;
                Ok(())
            }
            [b'!', b'-', b'-', ..] => self.comment(),
            [b'!', ..] => self.declaration(inside),
            [b'/', _, ..] | [b'?', ..] => self.bogus_comment(),
            [b'/'] | [] => Err(Irregular),
            [..] => self.text(self.at + 1),
        }
    }

    fn start_tag(&mut self) -> Result<(), Irregular> {
        let decoded = self.builder.tree.decoded.len();
        let (tag, name, attributes) = self.tag(self.at + 1)?;
        let then = self.builder.start(Start { tag, name, attributes, decoded })?;
        match then {
            Then::Markup => {}
            Then::MarkupAfterLine => self.skip_line()?,
            Then::Raw | Then::Decoded => self.raw(tag, then == Then::Decoded)?,
        }
        // html5ever looks for its mark again after these.
        let again = matches!(tag, Tag::Meta | Tag::Script);
        if again && self.text[self.at..].starts_with(BYTE_ORDER_MARK) {
            return Err(Irregular);
        }
        Ok(())
    }

    /// A line feed right after the tag is none of the element's text.
    fn skip_line(&mut self) -> Result<(), Irregular> {
        match self.text.as_bytes().get(self.at) {
            Some(b'\n') => self.at += 1,
            // It may be written as a reference.
            Some(b'&') => return Err(Irregular),
            _ => {}
        }
        Ok(())
    }

    /// The text and the end tag of an element that holds no others.
    fn raw(&mut self, tag: Tag, decoded: bool) -> Result<(), Irregular> {
        if tag == Tag::Textarea {
            self.skip_line()?;
        }
        let end = self.end_of(tag.name().unwrap_or_default()).ok_or(Irregular)?;
        if tag == Tag::Script && writes_script(&self.text[self.at..end]) {
            return Err(Irregular);
        }
        while decoded && let Some(found) = memchr(b'&', &self.text.as_bytes()[self.at..end]) {
            self.raw_text(self.at + found);
            match reference(&self.text[self.at..end]) {
                Some(found) => {
                    let part = self.decoded(found.characters);
                    self.builder.raw_text(part);
                    self.at += found.length;
                }
                None => self.raw_text(self.at + 1),
            }
        }
        self.raw_text(end);
        self.tag(end + 2)?;
        self.builder.end_raw();
        Ok(())
    }

    fn raw_text(&mut self, end: usize) {
        if self.at < end {
            self.builder.raw_text(self.part(self.at, end));
            self.at = end;
        }
    }

    /// Where the end tag of such an element begins.
    fn end_of(&self, element: &str) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let found = memmem::find_iter(rest, b"</").find(|found| {
            let name = &rest[found + 2..];
            let after = name.get(element.len());
            name.get(..element.len())
                .is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes()))
                && matches!(after, Some(b'\t' | b'\n' | b'\x0c' | b' ' | b'/' | b'>'))
        });
        found.map(|found| self.at + found)
    }

    /// What begins with `&` in a text.
    fn reference(&mut self) -> Result<(), Irregular> {
        let Some(found) = reference(&self.text[self.at..]) else { return self.text(self.at + 1) };
        let part = self.decoded(found.characters);
        self.at += found.length;
        self.builder.text(part)
    }

    fn decoded(&mut self, characters: [Option<char>; 2]) -> Part {
        let decoded = &mut self.builder.tree.decoded;
        let from = decoded.len();
        decoded.extend(characters.into_iter().flatten());
        Part { from: DECODED + from as u32, length: (decoded.len() - from) as u32 }
    }

    fn declaration(&mut self, inside: &[u8]) -> Result<(), Irregular> {
        let is_doctype = inside.get(1..8).is_some_and(|name| name.eq_ignore_ascii_case(b"doctype"));
        if !is_doctype {
            return self.bogus_comment();
        }
        let end = memchr(b'>', inside).ok_or(Irregular)?;
        let plain = inside.get(8..end).unwrap_or_default().trim_ascii();
        self.builder.doctype(plain.eq_ignore_ascii_case(b"html"));
        self.at += 2 + end;
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Irregular> {
        let from = self.at + 4;
        let rest = &self.text.as_bytes()[from..];
        let abrupt = [">", "->"].into_iter().find(|end| rest.starts_with(end.as_bytes()));
        let end = match abrupt {
            Some(end) => end.len(),
            None => end_of_comment(rest).ok_or(Irregular)?,
        };
        self.builder.comment();
        self.at = from + end;
        Ok(())
    }

    /// Up to the next `>`.
    fn bogus_comment(&mut self) -> Result<(), Irregular> {
        let end = memchr(b'>', &self.text.as_bytes()[self.at..]).ok_or(Irregular)?;
        self.builder.comment();
        self.at += end + 1;
        Ok(())
    }
}

/// How long a comment is with its end.
fn end_of_comment(rest: &[u8]) -> Option<usize> {
    memchr_iter(b'-', rest).find_map(|at| {
        let end = ["-->", "--!>"].iter().find(|end| rest[at..].starts_with(end.as_bytes()))?;
        Some(at + end.len())
    })
}

/// Whether a script may hold end tags of scripts that do not end it: a script inside a comment.
fn writes_script(script: &str) -> bool {
    let Some(comment) = memmem::find(script.as_bytes(), b"<!--") else { return false };
    let rest = &script.as_bytes()[comment..];
    memchr_iter(b'<', rest)
        .any(|at| rest.get(at + 1..at + 7).is_some_and(|name| name.eq_ignore_ascii_case(b"script")))
}
