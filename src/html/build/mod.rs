//! The tree of a page as section 13.2.6 of the HTML standard builds it, where nothing is moved.
//!
//! Elements are added at the end alone. What would go before or around something that stands there
//! already (text between a table's lines, formatting that ends inside another block), and what
//! pages seldom have (frames, templates, drawings), is [`Irregular`], and html5ever's to build.

use super::tag::Tag;
use super::tree::{Part, Tree};

mod body;
mod close;
mod formatting;
mod head;
mod row;
mod stack;
mod table;

use stack::Open;

/// A page that this builder leaves to html5ever.
#[derive(Debug)]
pub(super) struct Irregular;

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) tag: Tag,
    pub(super) name: Part,
    /// Its attributes, which are the tree's last.
    pub(super) attributes: (u32, u32),
    /// Bytes of decoded text before it.
    pub(super) decoded: usize,
}

/// What stands after a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Markup,
    /// Markup, but for a line feed right after the tag.
    MarkupAfterLine,
    /// Text up to the element's end tag.
    Raw,
    /// The same, with character references.
    Decoded,
}

/// The insertion modes of the standard that are built here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    BeforeHtml,
    BeforeHead,
    InHead,
    AfterHead,
    InBody,
    InTable,
    InCaption,
    InColumns,
    InTableBody,
    InRow,
    InCell,
    AfterBody,
    AfterAll,
}

/// Builds a tree from tags and texts.
pub(super) struct Builder<'t> {
    pub(super) tree: Tree<'t>,
    mode: Mode,
    open: Vec<Open>,
    /// The list of active formatting elements; `None` is a marker.
    formatting: Vec<Option<u32>>,
    form: Option<u32>,
    /// Whether the page is declared as one without quirks; none: no declaration yet.
    standard: Option<bool>,
    /// Whether a comment stands between the last text and what follows.
    after_comment: bool,
}

impl<'t> Builder<'t> {
    pub(super) fn new(tree: Tree<'t>) -> Self {
        Self {
            tree,
            mode: Mode::BeforeHtml,
            open: Vec::with_capacity(32),
            formatting: Vec::new(),
            form: None,
            standard: None,
            after_comment: false,
        }
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// A declaration, and whether it is `<!DOCTYPE html>` and nothing else.
    pub(super) fn doctype(&mut self, plain: bool) {
        self.standard.get_or_insert(plain && self.mode == Mode::BeforeHtml);
    }

    pub(super) fn comment(&mut self) {
        // Behind the body, a comment goes to the page and stands between no texts.
        self.after_comment |= !matches!(self.mode, Mode::AfterBody | Mode::AfterAll);
    }

    pub(super) fn start(&mut self, start: Start) -> Result<Then, Irregular> {
        loop {
            let done = match self.mode {
                Mode::BeforeHtml => self.start_before_html(start),
                Mode::BeforeHead => self.start_before_head(start)?,
                Mode::InHead => self.start_in_head(start)?,
                Mode::AfterHead => self.start_after_head(start)?,
                Mode::InBody => Some(self.start_in_body(start)?),
                Mode::AfterBody | Mode::AfterAll => {
                    self.mode = if start.tag == Tag::Html { self.mode } else { Mode::InBody };
                    Some(self.start_in_body(start)?)
                }
                Mode::InTable => self.start_in_table(start)?,
                Mode::InCaption => self.start_in_caption(start)?,
                Mode::InColumns => self.start_in_columns(start)?,
                Mode::InTableBody => self.start_in_table_body(start)?,
                Mode::InRow => self.start_in_row(start)?,
                Mode::InCell => self.start_in_cell(start)?,
            };
            if let Some(then) = done {
                return Ok(then);
            }
        }
    }

    pub(super) fn end(&mut self, tag: Tag, name: Part) -> Result<(), Irregular> {
        // A declaration counts at the very beginning alone.
        self.standard.get_or_insert(false);
        loop {
            let done = match self.mode {
                Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::AfterHead => {
                    self.end_before_body(tag)?
                }
                Mode::InBody => {
                    self.end_in_body(tag, name)?;
                    true
                }
                Mode::AfterBody | Mode::AfterAll => {
                    let all = self.mode == Mode::AfterBody && tag == Tag::Html;
                    self.mode = if all { Mode::AfterAll } else { Mode::InBody };
                    all
                }
                Mode::InTable => self.end_in_table(tag, name)?,
                Mode::InCaption => self.end_in_caption(tag, name)?,
                Mode::InColumns => self.end_in_columns(tag)?,
                Mode::InTableBody => self.end_in_table_body(tag, name)?,
                Mode::InRow => self.end_in_row(tag, name)?,
                Mode::InCell => self.end_in_cell(tag, name)?,
            };
            if done {
                return Ok(());
            }
        }
    }

    /// Text of the page, as it stands there.
    pub(super) fn text(&mut self, part: Part) -> Result<(), Irregular> {
        let text = self.tree.read(part);
        let blank = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
        let blanks = || text.bytes().take_while(|byte| blank(byte)).count();
        match self.mode {
            Mode::InBody | Mode::InCaption | Mode::InCell => {}
            Mode::InTable | Mode::InTableBody | Mode::InRow | Mode::InColumns => {
                if blanks() < text.len() {
                    return Err(Irregular);
                }
                self.append(part);
                return Ok(());
            }
            Mode::AfterBody | Mode::AfterAll => {
                if blanks() < text.len() {
                    self.mode = Mode::InBody;
                }
            }
            Mode::BeforeHtml | Mode::BeforeHead | Mode::InHead | Mode::AfterHead => {
                let blanks = blanks() as u32;
                let (first, rest) = part.split(blanks);
                if matches!(self.mode, Mode::InHead | Mode::AfterHead) && blanks > 0 {
                    self.append(first);
                }
                if rest.length == 0 {
                    return Ok(());
                }
                self.begin_body();
                self.append(rest);
                return Ok(());
            }
        }
        self.reconstruct_formatting();
        self.append(part);
        Ok(())
    }

    /// Text of an element that holds nothing else.
    pub(super) fn raw_text(&mut self, part: Part) {
        self.append(part);
    }

    /// The end tag of such an element.
    pub(super) fn end_raw(&mut self) {
        self.pop();
    }

    /// The whole page was read.
    pub(super) fn finish(mut self) -> Tree<'t> {
        self.begin_body();
        while !self.open.is_empty() {
            self.pop();
        }
        self.tree
    }
}
