//! Attributes, told apart by the hashes of their names.

use std::borrow::Cow;

use super::tree::Part;

/// An attribute: its name, the hash of it, and its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    pub(super) hash: u32,
    pub(super) name: Part,
    pub(super) value: Part,
}

/// The name of an attribute that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeName {
    text: Cow<'static, str>,
    pub(super) hash: u32,
}

impl AttributeName {
    /// `class`.
    pub const CLASS: Self = Self::fixed("class");
    /// `href`.
    pub const HREF: Self = Self::fixed("href");
    /// `id`.
    pub const ID: Self = Self::fixed("id");

    /// A name in lower case.
    pub fn of(text: &str) -> Self {
        Self { hash: hash(text), text: Cow::Owned(text.to_owned()) }
    }

    /// The name.
    pub fn text(&self) -> &str {
        &self.text
    }

    const fn fixed(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), hash: hash(text) }
    }
}

/// Tells most names apart (Fowler, Noll and Vo's).
pub(super) const fn hash(name: &str) -> u32 {
    let (bytes, mut at, mut hash) = (name.as_bytes(), 0, HASH_OF_NOTHING);
    while at < bytes.len() {
        hash = hash_with(hash, bytes[at]);
        at += 1;
    }
    hash
}

/// The hash of a name with one more byte.
pub(super) const fn hash_with(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

pub(super) const HASH_OF_NOTHING: u32 = 0x811c_9dc5;
