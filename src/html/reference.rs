//! Character references: 13.2.5.72 and what follows it in the HTML standard.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use memchr::memchr;

/// What a reference stands for, and its length in bytes.
pub(super) struct Reference {
    pub(super) characters: [Option<char>; 2],
    pub(super) length: usize,
    /// Whether a semicolon ends it.
    pub(super) closed: bool,
}

/// References that are most of all, looked for before the table is asked.
const FREQUENT: [(&str, char); 5] =
    [("&nbsp;", '\u{a0}'), ("&amp;", '&'), ("&gt;", '>'), ("&lt;", '<'), ("&quot;", '"')];

/// Adds the value of an attribute, decoded, to a text.
pub(super) fn decode_value(mut rest: &str, value: &mut String) {
    while let Some(found) = memchr(b'&', rest.as_bytes()) {
        value.push_str(&rest[..found]);
        rest = &rest[found..];
        let reference = reference(rest).filter(|found| {
            // Old names without a semicolon may be parameters of an address.
            let after = rest.as_bytes().get(found.length);
            let goes_on = after.is_some_and(|byte| *byte == b'=' || byte.is_ascii_alphanumeric());
            found.closed || rest.starts_with("&#") || !goes_on
        });
        let Some(reference) = reference else {
            value.push('&');
            rest = &rest[1..];
            continue;
        };
        value.extend(reference.characters.into_iter().flatten());
        rest = &rest[reference.length..];
    }
    value.push_str(rest);
}

/// What a text begins with that begins with `&`; none: the ampersand is text.
pub(super) fn reference(text: &str) -> Option<Reference> {
    let frequent = FREQUENT.iter().find(|(written, _)| text.starts_with(written));
    if let Some((written, one)) = frequent {
        let characters = [Some(*one), None];
        return Some(Reference { characters, length: written.len(), closed: true });
    }
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
