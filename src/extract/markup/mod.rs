//! Pages as trees: html5ever builds them, from tags and texts that are cut out of the whole page.
//!
//! html5ever's own tokenizer takes pages in pieces, and what is not text one character at a time,
//! which is most of the time of a page. Here the whole page is at hand: names, values and texts are
//! slices of it. What pages seldom have (markup that is cut off, CDATA, scripts that write scripts)
//! is left to html5ever's tokenizer, with all that follows. Either way the tree is the same: the
//! HTML standard (section 13.2.5) and a property test against html5ever see to it.

use std::borrow::Cow;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, State};
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeSink};
use memchr::{memchr, memchr_iter, memchr2, memmem};
use scraper::{Html, HtmlTreeSink};

use piece::feed;

mod declaration;
mod piece;
mod reference;
mod tag;

#[cfg(test)]
mod tests;

/// What a tokenizer skips where it begins, also anew after a script.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Parses a page.
pub(super) fn parse(text: &str) -> Html {
    if memchr(0, text.as_bytes()).is_some() {
        return Html::parse_document(text);
    }
    let text = even_lines(text);
    let sink = HtmlTreeSink::new(Html::new_document());
    let cutter = Cutter {
        text: &text,
        shared: StrTendril::from_slice(&text),
        at: 0,
        builder: TreeBuilder::new(sink, Default::default()),
    };
    cutter.cut()
}

/// Every line ends with a line feed alone: the standard's preprocessing (13.2.3.5).
fn even_lines(text: &str) -> Cow<'_, str> {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut even = String::with_capacity(text.len());
    let mut from = 0;
    for at in memchr_iter(b'\r', text.as_bytes()) {
        even.push_str(&text[from..at]);
        if text.as_bytes().get(at + 1) != Some(&b'\n') {
            even.push('\n');
        }
        from = at + 1;
    }
    even.push_str(&text[from..]);
    Cow::Owned(even)
}

/// Cuts a page into what the tree is built from.
struct Cutter<'t> {
    /// The page, without NUL and carriage returns.
    text: &'t str,
    /// The same, for slices that the tree keeps.
    shared: StrTendril,
    /// What was cut so far, in bytes.
    at: usize,
    builder: TreeBuilder<<HtmlTreeSink as TreeSink>::Handle, HtmlTreeSink>,
}

/// What stands after a tag.
enum After {
    Markup,
    /// Text up to the end tag of the element.
    Raw(RawKind, String),
    /// Text up to the end of the page.
    Plain,
}

/// What only html5ever's tokenizer reads, from where the cutter stands.
struct Left {
    state: State,
    within: Option<String>,
}

impl Left {
    const MARKUP: Self = Self { state: State::Data, within: None };
}

impl<'t> Cutter<'t> {
    fn cut(mut self) -> Html {
        self.skip_mark();
        match self.cut_all() {
            Ok(()) => {
                self.emit(Token::EOFToken);
                self.builder.end();
                self.builder.sink.finish()
            }
            Err(left) => self.leave(left),
        }
    }

    fn cut_all(&mut self) -> Result<(), Left> {
        while self.at < self.text.len() {
            let rest = &self.text.as_bytes()[self.at..];
            let found = memchr2(b'<', b'&', rest).map_or(self.text.len(), |found| self.at + found);
            self.text(found);
            match self.text.as_bytes().get(found) {
                Some(b'<') => match self.markup()? {
                    After::Markup => {}
                    After::Raw(kind, element) => self.raw(kind, element)?,
                    After::Plain => self.text(self.text.len()),
                },
                Some(_) => self.reference(),
                None => {}
            }
        }
        Ok(())
    }

    /// What begins with `<`.
    fn markup(&mut self) -> Result<After, Left> {
        let inside = &self.text.as_bytes()[self.at + 1..];
        match *inside {
            [b'a'..=b'z' | b'A'..=b'Z', ..] | [b'/', b'a'..=b'z' | b'A'..=b'Z', ..] => {
                return self.tag();
            }
            [b'/', b'>', ..] => {
                // An error, which the builder hears of, and nothing else.
                self.emit(Token::ParseError(Cow::Borrowed("no name")));
                self.at += 3;
            }
            [b'!', b'-', b'-', ..] => self.comment()?,
            [b'!', ..] => self.declaration(inside)?,
            [b'/', _, ..] => self.bogus_comment(self.at + 2)?,
            [b'?', ..] => self.bogus_comment(self.at + 1)?,
            [b'/'] | [] => return Err(Left::MARKUP),
            [..] => self.text(self.at + 1),
        }
        Ok(After::Markup)
    }

    /// The text of an element that holds no others.
    fn raw(&mut self, kind: RawKind, element: String) -> Result<(), Left> {
        let left = |element| Left { state: State::RawData(kind), within: Some(element) };
        let Some(end) = self.end_of(&element) else { return Err(left(element)) };
        if kind == RawKind::ScriptData && writes_script(&self.text[self.at..end]) {
            return Err(left(element));
        }
        while kind == RawKind::Rcdata
            && let Some(found) = memchr(b'&', &self.text.as_bytes()[self.at..end])
        {
            self.text(self.at + found);
            self.reference();
        }
        self.text(end);
        Ok(())
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

    /// Text as it stands, up to a place.
    fn text(&mut self, end: usize) {
        if self.at < end {
            self.emit(Token::CharacterTokens(self.slice(self.at, end)));
            self.at = end;
        }
    }

    fn slice(&self, from: usize, end: usize) -> StrTendril {
        self.shared.subtendril(from as u32, (end - from) as u32)
    }

    /// Hands over what is no tag, and has no bearing on what follows.
    fn emit(&self, token: Token) {
        let _ = self.builder.process_token(token, 1);
    }

    /// Hands over a tag, and tells what stands after it.
    fn emit_tag(&mut self, token: Token, name: &str) -> After {
        match self.builder.process_token(token, 1) {
            TokenSinkResult::Continue => After::Markup,
            TokenSinkResult::Plaintext => After::Plain,
            TokenSinkResult::RawData(kind) => After::Raw(kind, name.to_owned()),
            TokenSinkResult::Script(_) | TokenSinkResult::EncodingIndicator(_) => {
                self.skip_mark();
                After::Markup
            }
        }
    }

    fn skip_mark(&mut self) {
        if self.text[self.at..].starts_with(BYTE_ORDER_MARK) {
            self.at += BYTE_ORDER_MARK.len();
        }
    }

    fn leave(mut self, left: Left) -> Html {
        // Inside an element such a mark is text, but the tokenizer would skip it.
        while left.within.is_some() && self.text[self.at..].starts_with(BYTE_ORDER_MARK) {
            self.text(self.at + BYTE_ORDER_MARK.len());
        }
        let options = TokenizerOpts {
            initial_state: Some(left.state),
            last_start_tag_name: left.within,
            ..TokenizerOpts::default()
        };
        let rest = self.slice(self.at, self.text.len());
        feed(Tokenizer::new(self.builder, options), rest).sink.finish()
    }
}

/// Whether a script may hold end tags of scripts that do not end it: a script inside a comment.
fn writes_script(script: &str) -> bool {
    let Some(comment) = memmem::find(script.as_bytes(), b"<!--") else { return false };
    let rest = &script.as_bytes()[comment..];
    memchr_iter(b'<', rest)
        .any(|at| rest.get(at + 1..at + 7).is_some_and(|name| name.eq_ignore_ascii_case(b"script")))
}
