//! Comments, and what begins like one: 13.2.5.41 and what follows it in the HTML standard.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink};
use memchr::{memchr, memchr_iter};

use super::piece::tokens;
use super::{Cutter, Left};

impl Cutter<'_> {
    pub(super) fn declaration(&mut self, inside: &[u8]) -> Result<(), Left> {
        let is_doctype = inside.get(1..8).is_some_and(|name| name.eq_ignore_ascii_case(b"doctype"));
        if is_doctype {
            let end = self.at + 2 + memchr(b'>', inside).ok_or(Left::MARKUP)?;
            tokens(&self.text[self.at..end]).into_iter().for_each(|token| self.emit(token));
            self.at = end;
            return Ok(());
        }
        let foreign = self.builder.adjusted_current_node_present_but_not_in_html_namespace();
        if foreign && inside.starts_with(b"![CDATA[") {
            return Err(Left::MARKUP);
        }
        self.bogus_comment(self.at + 2)
    }

    pub(super) fn comment(&mut self) -> Result<(), Left> {
        let from = self.at + 4;
        let rest = &self.text.as_bytes()[from..];
        if let Some(abrupt) = [">", "->"].iter().find(|end| rest.starts_with(end.as_bytes())) {
            self.emit(Token::CommentToken(StrTendril::new()));
            self.at = from + abrupt.len();
            return Ok(());
        }
        let (length, end) = end_of_comment(rest).ok_or(Left::MARKUP)?;
        self.emit(Token::CommentToken(self.slice(from, from + length)));
        self.at = from + end;
        Ok(())
    }

    /// Up to the next `>`.
    pub(super) fn bogus_comment(&mut self, from: usize) -> Result<(), Left> {
        let end = memchr(b'>', &self.text.as_bytes()[from..]).ok_or(Left::MARKUP)?;
        self.emit(Token::CommentToken(self.slice(from, from + end)));
        self.at = from + end + 1;
        Ok(())
    }
}

/// How long a comment is, without and with its end.
fn end_of_comment(rest: &[u8]) -> Option<(usize, usize)> {
    memchr_iter(b'-', rest).find_map(|at| {
        let end = ["-->", "--!>"].iter().find(|end| rest[at..].starts_with(end.as_bytes()))?;
        Some((at, at + end.len()))
    })
}
