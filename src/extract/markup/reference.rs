//! Character references: 13.2.5.72 and what follows it in the HTML standard.

use html5ever::data::NAMED_ENTITIES;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::Token;
use memchr::memchr;

use super::{Cutter, tokens};

/// What an ampersand begins.
enum Reference {
    /// Nothing: it is text.
    None,
    /// One or two characters; the length, in bytes.
    Characters([Option<char>; 2], usize),
    /// Something rare, of so many bytes.
    Rare(usize),
}

impl Cutter<'_> {
    /// What begins with `&` in a text.
    pub(super) fn reference(&mut self) {
        match reference(&self.text[self.at..]) {
            Reference::None => self.text(self.at + 1),
            Reference::Characters(characters, length) => {
                let characters = characters.into_iter().flatten().collect::<String>();
                self.emit(Token::CharacterTokens(StrTendril::from_slice(&characters)));
                self.at += length;
            }
            Reference::Rare(length) => {
                let end = self.at + length;
                tokens(&self.text[self.at..end]).into_iter().for_each(|token| self.emit(token));
                self.at = end;
            }
        }
    }

    /// The value of an attribute, whose quote is given, if it has any.
    pub(super) fn value(&self, from: usize, end: usize, quote: Option<u8>) -> StrTendril {
        let mut rest = &self.text[from..end];
        if memchr(b'&', rest.as_bytes()).is_none() {
            return self.slice(from, end);
        }
        let mut value = StrTendril::new();
        while let Some(found) = memchr(b'&', rest.as_bytes()) {
            value.push_slice(&rest[..found]);
            rest = &rest[found..];
            match reference(rest) {
                Reference::Characters(characters, length) => {
                    characters.into_iter().flatten().for_each(|one| value.push_char(one));
                    rest = &rest[length..];
                }
                // Before `=`, a name is one of an address's parameters.
                Reference::Rare(length)
                    if rest.starts_with("&#") || rest.as_bytes().get(length) != Some(&b'=') =>
                {
                    return rare_value(&self.text[from..end], quote);
                }
                Reference::None | Reference::Rare(_) => {
                    value.push_char('&');
                    rest = &rest[1..];
                }
            }
        }
        value.push_slice(rest);
        value
    }
}

fn reference(text: &str) -> Reference {
    let inside = &text[1..];
    let number = inside.strip_prefix('#');
    let name = number.unwrap_or(inside);
    let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    if length == 0 && number.is_none() {
        return Reference::None;
    }
    let closed = name[length..].starts_with(';');
    let whole = text.len() - name.len() + length + usize::from(closed);
    let characters = match number {
        _ if !closed => None,
        Some(_) => numbered(&name[..length]).map(|one| [Some(one), None]),
        None => NAMED_ENTITIES.get(&name[..=length]).and_then(|(first, second)| {
            let one = |code: u32| char::from_u32(code).filter(|one| *one != '\0');
            one(*first).map(|first| [Some(first), one(*second)])
        }),
    };
    match characters {
        Some(characters) => Reference::Characters(characters, whole),
        None => Reference::Rare(whole),
    }
}

/// A character by its decimal number, unless the standard puts another in its place.
fn numbered(digits: &str) -> Option<char> {
    let code = digits.parse::<u32>().ok()?;
    let plain = matches!(code, 0x20..=0x7e | 0xa0..=0xd7ff | 0xe000..=0xfdcf);
    char::from_u32(code).filter(|_| plain)
}

/// The value as html5ever's tokenizer reads it.
fn rare_value(value: &str, quote: Option<u8>) -> StrTendril {
    let quote = quote.map(char::from).map(String::from).unwrap_or_default();
    let mut tokens = tokens(&format!("<a b={quote}{value}{quote}>")).into_iter();
    let value = tokens.find_map(|token| match token {
        Token::TagToken(tag) => tag.attrs.into_iter().next(),
        _ => None,
    });
    value.map(|one| one.value).unwrap_or_default()
}
