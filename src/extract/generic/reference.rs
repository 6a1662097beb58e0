//! Character references of HTML.

use std::borrow::Cow;

use html5ever::data::NAMED_ENTITIES;

/// A text without its character references.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((characters, length)) => {
                out.extend(characters.into_iter().flatten());
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The longest name of a character reference, in bytes.
const REFERENCE_MAX: usize = 33;

/// The characters of the reference that a text begins with, and its length.
pub(super) fn reference(text: &str) -> Option<([Option<char>; 2], usize)> {
    let inside = text.strip_prefix('&')?;
    if let Some(number) = inside.strip_prefix('#') {
        let hexadecimal = number.starts_with(['x', 'X']);
        let digits = if hexadecimal { &number[1..] } else { number };
        let radix = if hexadecimal { 16 } else { 10 };
        let length = digits.chars().take_while(|c| c.is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..length.min(8))?, radix).ok()?;
        let character = char::from_u32(code).filter(|c| *c != '\0');
        let begun = 2 + usize::from(hexadecimal) + length;
        let end = begun + usize::from(text[begun..].starts_with(';'));
        return Some(([Some(character.unwrap_or(char::REPLACEMENT_CHARACTER)), None], end));
    }
    let letters = inside.bytes().take(REFERENCE_MAX).take_while(u8::is_ascii_alphanumeric).count();
    let closed = letters + usize::from(inside[letters..].starts_with(';'));
    // Some old names need no semicolon; of these the longest that fits.
    (2..=closed).rev().find_map(|length| {
        let (first, second) = NAMED_ENTITIES.get(&inside[..length]).copied()?;
        let character = |code: u32| char::from_u32(code).filter(|c| *c != '\0');
        character(first).map(|first| ([Some(first), character(second)], length + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_references_are_decoded() {
        for (text, wanted) in [
            ("a&amp;b&lt", "a&b<"),
            ("&nbsp;&#20013;&#x6587;&hellip;", "\u{a0}中文…"),
            ("&notit; &unknown; & &;&#; &#0;", "¬it; &unknown; & &;&#; \u{fffd}"),
            ("&NotEqualTilde;", "≂̸"),
        ] {
            assert_eq!(decoded(text), wanted, "{text}");
        }
    }
}
