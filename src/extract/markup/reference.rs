//! Character references: 13.2.5.72 and what follows it in the HTML standard.

use std::borrow::Cow;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::Token;
use memchr::memchr;

use super::Cutter;

/// What a reference stands for, and its length in bytes.
struct Reference {
    characters: [Option<char>; 2],
    length: usize,
    /// Whether a semicolon ends it.
    closed: bool,
}

impl Cutter<'_> {
    /// What begins with `&` in a text.
    pub(super) fn reference(&mut self) {
        let Some(found) = reference(&self.text[self.at..]) else { return self.text(self.at + 1) };
        if !found.closed {
            // An error, which the builder hears of.
            self.emit(Token::ParseError(Cow::Borrowed("no semicolon")));
        }
        let characters = found.characters.into_iter().flatten().collect::<String>();
        self.emit(Token::CharacterTokens(StrTendril::from_slice(&characters)));
        self.at += found.length;
    }

    /// The value of an attribute.
    pub(super) fn value(&self, from: usize, end: usize) -> StrTendril {
        let mut rest = &self.text[from..end];
        if memchr(b'&', rest.as_bytes()).is_none() {
            return self.slice(from, end);
        }
        let mut value = StrTendril::new();
        while let Some(found) = memchr(b'&', rest.as_bytes()) {
            value.push_slice(&rest[..found]);
            rest = &rest[found..];
            let reference = reference(rest).filter(|found| {
                // Old names without a semicolon may be parameters of an address.
                let after = rest.as_bytes().get(found.length);
                let goes_on =
                    after.is_some_and(|byte| *byte == b'=' || byte.is_ascii_alphanumeric());
                found.closed || rest.starts_with("&#") || !goes_on
            });
            let Some(reference) = reference else {
                value.push_char('&');
                rest = &rest[1..];
                continue;
            };
            reference.characters.into_iter().flatten().for_each(|one| value.push_char(one));
            rest = &rest[reference.length..];
        }
        value.push_slice(rest);
        value
    }
}

/// What a text begins with that begins with `&`; none: the ampersand is text.
fn reference(text: &str) -> Option<Reference> {
    let inside = &text[1..];
    if let Some(number) = inside.strip_prefix('#') {
        return numbered(number);
    }
    // The longest name that fits; the names' beginnings are in the table, too, with no character.
    let mut named = None;
    let ends = inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b';');
    for (length, byte) in (1..).zip(ends) {
        let Some((first, second)) = NAMED_ENTITIES.get(&inside[..length]) else { break };
        if let Some(first) = character(*first) {
            let characters = [Some(first), character(*second)];
            named = Some(Reference { characters, length: 1 + length, closed: byte == b';' });
        }
    }
    named
}

fn character(code: u32) -> Option<char> {
    char::from_u32(code).filter(|one| *one != '\0')
}

/// The character of a number, behind `&#`.
fn numbered(text: &str) -> Option<Reference> {
    let marked = text.starts_with(['x', 'X']);
    let (radix, digits) = if marked { (16, &text[1..]) } else { (10, text) };
    let mut code = 0_u32;
    let mut length = 0;
    for digit in digits.chars().map_while(|one| one.to_digit(radix)) {
        // Beyond the last character it stays there.
        code = (code * radix + digit).min(CODE_MAX + 1);
        length += 1;
    }
    if length == 0 {
        return None;
    }
    let closed = digits[length..].starts_with(';');
    let old = code.checked_sub(0x80).and_then(|at| C1_REPLACEMENTS.get(at as usize)).copied();
    let one = old.flatten().or_else(|| character(code)).unwrap_or(char::REPLACEMENT_CHARACTER);
    let length = 2 + usize::from(marked) + length + usize::from(closed);
    Some(Reference { characters: [Some(one), None], length, closed })
}

/// The last code of a character.
const CODE_MAX: u32 = 0x10_ffff;
