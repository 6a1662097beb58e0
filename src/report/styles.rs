//! The parts of an official document that do not depend on its text.
//!
//! Page and type follow GB/T 9704—2012: A4, margins 37 mm above and 28 mm left, a type area of
//! 156 × 225 mm, 22 lines of 28 characters, body in 3 号 仿宋, title in 2 号 小标宋, first heads in
//! 黑体, second in 楷体, page numbers in 4 号 between dashes. Where a machine lacks a font it takes
//! the next of its own; none is shipped.

/// `word/styles.xml`.
pub(super) const STYLES: &str = include_str!("parts/styles.xml");

/// `word/footer1.xml`: the page number between dashes.
pub(super) const FOOTER: &str = include_str!("parts/footer1.xml");

/// `[Content_Types].xml`.
pub(super) const TYPES: &str = include_str!("parts/content_types.xml");

/// `_rels/.rels`.
pub(super) const RELATIONS: &str = include_str!("parts/relations.xml");

/// `word/_rels/document.xml.rels`.
pub(super) const DOCUMENT_RELATIONS: &str = include_str!("parts/document_relations.xml");

/// The page of GB/T 9704, in twentieths of a point: 37 mm above, 35 below, 28 left, 26 right.
pub(super) const PAGE: &str = include_str!("parts/page.xml");

/// The width of its type area, in twentieths of a point: 156 mm.
pub(super) const TYPE_AREA: u32 = 8844;
