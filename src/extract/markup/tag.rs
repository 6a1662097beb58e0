//! Tags: 13.2.5.8 and what follows it in the HTML standard.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token};
use html5ever::{Attribute, LocalName, QualName, ns};
use memchr::memchr;

use super::{After, Cutter, Left};

impl Cutter<'_> {
    /// A start or end tag.
    pub(super) fn tag(&mut self) -> Result<After, Left> {
        let (tag, end) = self.parsed_tag().ok_or(Left::MARKUP)?;
        self.at = end;
        let element = tag.name.clone();
        Ok(self.emit_tag(Token::TagToken(tag), &element))
    }

    /// The tag, and where it ends; none if the page ends before.
    fn parsed_tag(&self) -> Option<(Tag, usize)> {
        let bytes = self.text.as_bytes();
        let ends = bytes[self.at + 1] == b'/';
        let from = self.at + 1 + usize::from(ends);
        let mut at = self.skip(from, |byte| !is_blank(byte) && !matches!(byte, b'/' | b'>'))?;
        let mut tag = Tag {
            kind: if ends { TagKind::EndTag } else { TagKind::StartTag },
            name: local_name(&self.text[from..at]),
            self_closing: false,
            attrs: Vec::new(),
            had_duplicate_attributes: false,
        };
        loop {
            at = self.skip(at, is_blank)?;
            match bytes[at] {
                b'>' => return Some((tag, at + 1)),
                b'/' => {
                    at += 1;
                    if *bytes.get(at)? == b'>' {
                        tag.self_closing = true;
                        return Some((tag, at + 1));
                    }
                }
                _ => at = self.attribute(at, &mut tag)?,
            }
        }
    }

    /// Adds the attribute that begins at a place, unless there is one of that name; where it ends.
    fn attribute(&self, from: usize, tag: &mut Tag) -> Option<usize> {
        // A name may begin with the sign that ends others.
        let end =
            self.skip(from + 1, |byte| !is_blank(byte) && !matches!(byte, b'/' | b'>' | b'='))?;
        let after = self.skip(end, is_blank)?;
        let (value, at) = match self.text.as_bytes()[after] {
            b'=' => self.attribute_value(self.skip(after + 1, is_blank)?)?,
            _ => (StrTendril::new(), after),
        };
        let name = local_name(&self.text[from..end]);
        if tag.attrs.iter().any(|known| known.name.local == name) {
            tag.had_duplicate_attributes = true;
        } else {
            tag.attrs.push(Attribute { name: QualName::new(None, ns!(), name), value });
        }
        Some(at)
    }

    fn attribute_value(&self, from: usize) -> Option<(StrTendril, usize)> {
        let bytes = self.text.as_bytes();
        match bytes[from] {
            quote @ (b'"' | b'\'') => {
                let end = from + 1 + memchr(quote, &bytes[from + 1..])?;
                Some((self.value(from + 1, end), end + 1))
            }
            b'>' => Some((StrTendril::new(), from)),
            _ => {
                let end = self.skip(from, |byte| !is_blank(byte) && byte != b'>')?;
                Some((self.value(from, end), end))
            }
        }
    }

    /// The first place from one on without such a byte; none if the page ends before.
    fn skip(&self, from: usize, skipped: impl Fn(u8) -> bool) -> Option<usize> {
        let rest = self.text.as_bytes().get(from..)?;
        rest.iter().position(|byte| !skipped(*byte)).map(|length| from + length)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b' ')
}

fn local_name(name: &str) -> LocalName {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        LocalName::from(name.to_ascii_lowercase())
    } else {
        LocalName::from(name)
    }
}
