//! A page as one run of visible text, with the elements and links that hold its parts.

use std::borrow::Cow;
use std::ops::Range;

use super::builder::build;
use super::tag::Attributes;

/// One element with the part of the text that it holds.
#[derive(Debug)]
pub(super) struct Part<'t> {
    pub(super) name: &'t str,
    pub(super) attributes: Attributes<'t>,
    /// The index of the element around it; the root's own is 0.
    pub(super) parent: usize,
    /// Bytes of the outline's text.
    pub(super) range: Range<usize>,
    /// Whether it stands in the margin: footer, navigation, hot list, calendar, or hidden.
    pub(super) margin: bool,
}

impl<'t> Part<'t> {
    pub(super) fn attr(&self, name: &str) -> Option<Cow<'t, str>> {
        self.attributes.get(name)
    }
}

/// What a page says beside its visible text.
#[derive(Debug, Default)]
pub(super) struct Unseen<'t> {
    /// The document's title, its character references not decoded.
    pub(super) title: Option<&'t str>,
    /// Meta tags with a content.
    pub(super) metas: Vec<Attributes<'t>>,
    /// Links to the page's other forms.
    pub(super) links: Vec<Attributes<'t>>,
    /// The address against which links count.
    pub(super) base: Option<Attributes<'t>>,
    /// Scripts with linked data (JSON-LD).
    pub(super) linked_data: Vec<&'t str>,
}

/// The visible text of a page and where its parts come from.
#[derive(Debug)]
pub(super) struct Outline<'t> {
    /// Digits half-width, blanks even; blocks are set apart by line ends.
    pub(super) text: String,
    /// Elements in the order of the document; the first is the root.
    pub(super) parts: Vec<Part<'t>>,
    /// Indices of links with an address, in the order of the document.
    pub(super) links: Vec<usize>,
    pub(super) unseen: Unseen<'t>,
    /// Where each piece of text begins and which element it stands in.
    pub(super) pieces: Vec<(usize, usize)>,
}

impl<'t> Outline<'t> {
    /// Reads a page.
    ///
    /// # Errors
    /// That it is larger or deeper than any page.
    pub(super) fn of(page: &'t str) -> Result<Self, String> {
        build(page)
    }

    /// The element that holds the text at a place.
    pub(super) fn at(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).map_or(0, |index| self.pieces[index].1)
    }

    /// An element and all around it, outwards.
    pub(super) fn around(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let up = move |index: &usize| (*index > 0).then(|| self.parts[*index].parent);
        std::iter::successors(Some(index), up)
    }

    /// The text of an element.
    pub(super) fn text_of(&self, index: usize) -> &str {
        self.text.get(self.parts[index].range.clone()).unwrap_or_default().trim()
    }

    /// The links that begin in a part of the text.
    pub(super) fn links_in(&self, range: &Range<usize>) -> &[usize] {
        let place =
            |at: usize| self.links.partition_point(|link| self.parts[*link].range.start < at);
        let (from, to) = (place(range.start), place(range.end));
        &self.links[from..to.max(from)]
    }

    /// The text before a place, at most so many bytes.
    pub(super) fn before(&self, offset: usize, bytes: usize) -> &str {
        let start = self.boundary(offset.saturating_sub(bytes));
        &self.text[start..offset]
    }

    /// The text after a place, at most so many bytes.
    pub(super) fn after(&self, offset: usize, bytes: usize) -> &str {
        let offset = offset.min(self.text.len());
        &self.text[offset..self.boundary(offset.saturating_add(bytes).min(self.text.len()))]
    }

    fn boundary(&self, mut offset: usize) -> usize {
        while !self.text.is_char_boundary(offset) {
            offset += 1;
        }
        offset
    }

    /// The line that holds a place.
    pub(super) fn line(&self, offset: usize) -> Range<usize> {
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[offset..].find('\n').map_or(self.text.len(), |at| offset + at);
        start..end
    }
}
