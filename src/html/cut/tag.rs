//! Tags: 13.2.5.8 and what follows it in the HTML standard.

use memchr::memchr;

use super::super::attribute::{Attribute, HASH_OF_NOTHING, hash as hash_of, hash_with};
use super::super::build::Irregular;
use super::super::depth::ATTRIBUTES_MAX;
use super::super::reference::decode_value;
use super::super::tag::Tag;
use super::super::tree::{DECODED, Part};
use super::Cutter;

impl Cutter<'_> {
    /// Reads a tag whose name begins at a place: what it is, its name and its attributes, which are
    /// the last of the tree.
    pub(super) fn tag(&mut self, from: usize) -> Result<(Tag, Part, (u32, u32)), Irregular> {
        let (name, hash, mut at) = self.name(from, from, ENDS_TAG_NAME)?;
        let tag = Tag::hashed(self.builder.tree.read(name), hash);
        let first = self.builder.tree.attributes.len();
        loop {
            at = self.skip(at, BLANK)?;
            match self.text.as_bytes()[at] {
                b'>' => break,
                b'/' => at += 1,
                _ => at = self.attribute(at, first)?,
            }
        }
        self.at = at + 1;
        let count = self.builder.tree.attributes.len() - first;
        if self.text.as_bytes()[from - 1] == b'/' {
            self.builder.tree.attributes.truncate(first);
        }
        Ok((tag, name, (first as u32, count as u32)))
    }

    /// Adds the attribute that begins at a place, unless there is one of that name; where it ends.
    fn attribute(&mut self, from: usize, first: usize) -> Result<usize, Irregular> {
        // A name may begin with the sign that ends others.
        let (name, hash, end) = self.name(from, from + 1, ENDS_TAG_NAME | EQUALS)?;
        let after = self.skip(end, BLANK)?;
        let (value, at) = match self.text.as_bytes()[after] {
            b'=' => self.attribute_value(self.skip(after + 1, BLANK)?)?,
            _ => (Part { from: 0, length: 0 }, after),
        };
        let tree = &self.builder.tree;
        let known = &tree.attributes[first..];
        if known.len() >= ATTRIBUTES_MAX {
            return Err(Irregular);
        }
        let same =
            |known: &Attribute| known.hash == hash && tree.read(known.name) == tree.read(name);
        if !known.iter().any(same) {
            self.builder.tree.attributes.push(Attribute { hash, name, value });
        }
        Ok(at)
    }

    fn attribute_value(&mut self, from: usize) -> Result<(Part, usize), Irregular> {
        let bytes = self.text.as_bytes();
        match bytes[from] {
            quote @ (b'"' | b'\'') => {
                let end = from + 1 + memchr(quote, &bytes[from + 1..]).ok_or(Irregular)?;
                Ok((self.value(from + 1, end), end + 1))
            }
            b'>' => Ok((Part { from: 0, length: 0 }, from)),
            _ => {
                let end = from + until(&bytes[from..], BLANK | CLOSES).ok_or(Irregular)?;
                Ok((self.value(from, end), end))
            }
        }
    }

    fn value(&mut self, from: usize, end: usize) -> Part {
        if memchr(b'&', &self.text.as_bytes()[from..end]).is_none() {
            return self.part(from, end);
        }
        let decoded = &mut self.builder.tree.decoded;
        let start = decoded.len();
        decode_value(&self.text[from..end], decoded);
        Part { from: DECODED + start as u32, length: (decoded.len() - start) as u32 }
    }

    /// A name in lower case, its hash, and where it ends: at the first byte of a kind from `search`
    /// on.
    fn name(
        &mut self,
        from: usize,
        search: usize,
        ends: u8,
    ) -> Result<(Part, u32, usize), Irregular> {
        let bytes = self.text.as_bytes();
        let (mut at, mut hash, mut capitals) = (from, HASH_OF_NOTHING, false);
        loop {
            let byte = *bytes.get(at).ok_or(Irregular)?;
            if KINDS[usize::from(byte)] & ends != 0 && at >= search {
                break;
            }
            hash = hash_with(hash, byte);
            capitals |= byte.is_ascii_uppercase();
            at += 1;
        }
        if !capitals {
            return Ok((self.part(from, at), hash, at));
        }
        let decoded = &mut self.builder.tree.decoded;
        let start = decoded.len();
        decoded.push_str(&self.text[from..at]);
        decoded[start..].make_ascii_lowercase();
        let part = Part { from: DECODED + start as u32, length: (at - from) as u32 };
        Ok((part, hash_of(&decoded[start..]), at))
    }

    /// The first place from one on without a byte of a kind.
    fn skip(&self, from: usize, kind: u8) -> Result<usize, Irregular> {
        let rest = self.text.as_bytes().get(from..).ok_or(Irregular)?;
        let length = rest.iter().position(|byte| KINDS[usize::from(*byte)] & kind == 0);
        Ok(from + length.ok_or(Irregular)?)
    }
}

/// How long a text is up to a byte of a kind.
fn until(text: &[u8], kind: u8) -> Option<usize> {
    text.iter().position(|byte| KINDS[usize::from(*byte)] & kind != 0)
}

/// Kinds of bytes in tags.
const BLANK: u8 = 1;
const CLOSES: u8 = 2;
const SLASH: u8 = 4;
const EQUALS: u8 = 8;
const ENDS_TAG_NAME: u8 = BLANK | CLOSES | SLASH;

static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    kinds[b'\t' as usize] = BLANK;
    kinds[b'\n' as usize] = BLANK;
    kinds[b'\x0c' as usize] = BLANK;
    kinds[b' ' as usize] = BLANK;
    kinds[b'>' as usize] = CLOSES;
    kinds[b'/' as usize] = SLASH;
    kinds[b'=' as usize] = EQUALS;
    kinds
};
