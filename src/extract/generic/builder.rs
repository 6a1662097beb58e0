//! From the tags of a page to its outline.

use super::margin::Margins;
use super::nesting::{ended, is_inline, is_unseen, is_void, kept_at_start};
use super::outline::{Outline, Part, Unseen};
use super::tag::{Attributes, Token, Tokens};
use super::visible::Visible;

/// The most elements that a page may have.
const PARTS_MAX: usize = 500_000;

/// The deepest nesting of a page.
const DEPTH_MAX: usize = 700;

/// Reads a page.
///
/// # Errors
/// That it is larger or deeper than any page.
pub(super) fn build(page: &str) -> Result<Outline<'_>, String> {
    let mut builder = Builder::default();
    builder.start("html", Attributes::default())?;
    for token in Tokens::of(page) {
        match token {
            Token::Open(name, attributes) => builder.start(name, attributes)?,
            Token::Close(name) => builder.end(name),
            Token::Text(text) => builder.text(text),
        }
    }
    builder.close_to(0);
    let Builder { text, mut parts, links, unseen, margins, pieces, .. } = builder;
    let text = text.into_text();
    margins.mark(&mut parts, text.len());
    Ok(Outline { text, parts, links, unseen, pieces })
}

/// An outline under way.
#[derive(Default)]
struct Builder<'t> {
    text: Visible,
    parts: Vec<Part<'t>>,
    links: Vec<usize>,
    unseen: Unseen<'t>,
    margins: Margins<'t>,
    pieces: Vec<(usize, usize)>,
    /// The names of the open elements, and their parts; none of those that nobody sees.
    open: Vec<&'t str>,
    open_parts: Vec<Option<usize>>,
    /// The linked data or the title whose text comes next.
    expected: Option<Expected>,
}

#[derive(Clone, Copy)]
enum Expected {
    Title,
    LinkedData,
}

impl<'t> Builder<'t> {
    fn start(&mut self, name: &'t str, attributes: Attributes<'t>) -> Result<(), String> {
        self.expected = None;
        self.note(name, attributes);
        let again = matches!(name, "head") || name == "body" && self.open.contains(&"body");
        if again || name == "html" && !self.open.is_empty() {
            return Ok(());
        }
        self.close_to(kept_at_start(&self.open, name));
        let around = self.open_parts.last().copied();
        let seen = !is_unseen(name) && around.is_none_or(|around| around.is_some());
        let part = seen.then_some(self.parts.len());
        if seen {
            if !is_inline(name) {
                self.text.end_line();
            }
            let start = self.text.len();
            if name == "a" && attributes.get("href").is_some() {
                self.links.push(self.parts.len());
            }
            self.margins.add(name, attributes);
            let parent = around.flatten().unwrap_or_default();
            let range = start..start;
            self.parts.push(Part { name, attributes, parent, range, margin: false });
        }
        self.open.push(name);
        self.open_parts.push(part);
        if is_void(name) {
            self.close_to(self.open.len() - 1);
        }
        if self.open.len() > DEPTH_MAX || self.parts.len() > PARTS_MAX {
            return Err(format!("over {DEPTH_MAX} deep or {PARTS_MAX} elements"));
        }
        Ok(())
    }

    /// Keeps what an element says beside the visible text.
    fn note(&mut self, name: &str, attributes: Attributes<'t>) {
        match name {
            "meta" => self.unseen.metas.push(attributes),
            "link" => self.unseen.links.push(attributes),
            "base" if self.unseen.base.is_none() => self.unseen.base = Some(attributes),
            "title" if self.unseen.title.is_none() => self.expected = Some(Expected::Title),
            "script" => {
                let kind = attributes.get("type").unwrap_or_default();
                let linked = kind.trim().eq_ignore_ascii_case("application/ld+json");
                self.expected = linked.then_some(Expected::LinkedData);
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &'t str) {
        self.expected = None;
        if matches!(name, "html" | "body" | "head") {
            return;
        }
        let Some(at) = ended(&self.open, name) else { return };
        let inside = &self.open[at + 1..];
        if is_inline(name) && !inside.iter().all(|inner| is_inline(inner)) {
            self.open.remove(at);
            self.close_part(at);
        } else {
            self.close_to(at);
        }
    }

    fn text(&mut self, text: &'t str) {
        match self.expected.take() {
            Some(Expected::Title) => self.unseen.title = Some(text),
            Some(Expected::LinkedData) => self.unseen.linked_data.push(text),
            None => {
                let Some(Some(part)) = self.open_parts.last().copied() else { return };
                if let Some(start) = self.text.push(text) {
                    self.pieces.push((start, part));
                }
            }
        }
    }

    fn close_to(&mut self, kept: usize) {
        while self.open.len() > kept {
            let name = self.open.pop().unwrap_or_default();
            if self.close_part(kept.max(self.open.len())) && !is_inline(name) {
                self.text.end_line();
            }
        }
    }

    /// Ends the part of an open element; whether anybody sees it.
    fn close_part(&mut self, at: usize) -> bool {
        let part = self.open_parts.remove(at);
        if let Some(part) = part {
            self.parts[part].range.end = self.text.len();
        }
        part.is_some()
    }
}
