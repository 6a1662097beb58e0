//! Texts of answers in JSON.

use std::borrow::Cow;

use memchr::memchr;

/// A text of an answer, as it is written between its quotes.
pub(super) struct Written<'t> {
    text: &'t str,
    /// Whether some of it is written as escapes.
    escapes: bool,
}

impl<'t> Written<'t> {
    /// The text whose opening quote an answer begins with; nothing where it is not written as JSON.
    #[inline]
    pub(super) fn first(answer: &'t str) -> Option<Self> {
        let inside = answer.strip_prefix('"')?;
        let bytes = inside.as_bytes();
        let (mut at, mut escapes) = (0, false);
        loop {
            at += plain_bytes(&bytes[at..]);
            match bytes.get(at)? {
                b'"' => return Some(Self { text: &inside[..at], escapes }),
                b'\\' => at += escape_bytes(&bytes[at + 1..])? + 1,
                // Others below a blank stand in no text.
                _ => return None,
            }
            escapes = true;
        }
    }

    /// Bytes from quote to quote, both included.
    pub(super) fn length(&self) -> usize {
        self.text.len() + 2
    }

    /// What the text says.
    #[inline]
    pub(super) fn read(&self) -> Cow<'t, str> {
        if self.escapes { Cow::Owned(self.unescaped()) } else { Cow::Borrowed(self.text) }
    }

    fn unescaped(&self) -> String {
        let (mut out, mut rest) = (String::with_capacity(self.text.len()), self.text);
        while let Some(at) = memchr(b'\\', rest.as_bytes()) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if rest.starts_with("\\u") {
                let read = char::decode_utf16(units(&mut rest));
                out.extend(read.map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)));
                continue;
            }
            let mut escape = rest[1..].chars();
            out.extend(escape.next().map(|letter| match letter {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                itself => itself,
            }));
            rest = escape.as_str();
        }
        out.push_str(rest);
        out
    }
}

/// How many bytes behind a backslash are its escape.
fn escape_bytes(behind: &[u8]) -> Option<usize> {
    match behind.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(1),
        b'u' => behind.get(1..5)?.iter().all(u8::is_ascii_hexdigit).then_some(5),
        _ => None,
    }
}

/// The units of UTF-16 that a text begins with as escapes, which it has no more afterwards.
fn units(rest: &mut &str) -> impl Iterator<Item = u16> {
    std::iter::from_fn(|| {
        let (digits, after) = rest.strip_prefix("\\u")?.split_at_checked(4)?;
        *rest = after;
        u16::from_str_radix(digits, 16).ok()
    })
}

/// How many bytes stand before the next quote, backslash or byte below a blank.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = 0x80 * EACH;
    // The lowest of the high bits that are set tells the first byte below a limit up to 128; others
    // may be set by what is carried up from it.
    let below = |word: u64, limit: u64| word.wrapping_sub(limit * EACH) & !word & HIGH;
    let (words, _) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (quote, backslash) = (0x22 * EACH, 0x5c * EACH);
        let ends = below(word, 0x20) | below(word ^ quote, 1) | below(word ^ backslash, 1);
        if ends != 0 {
            return number * 8 + ends.trailing_zeros() as usize / 8;
        }
    }
    let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    let read = words.len() * 8;
    read + bytes[read..].iter().take_while(plain).count()
}
