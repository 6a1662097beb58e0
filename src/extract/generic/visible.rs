//! Text as it is seen: blanks even, digits half-width, blocks on lines of their own.

use super::reference::reference;

/// The visible text under way.
#[derive(Debug, Default)]
pub(super) struct Visible {
    text: String,
    last: Last,
}

/// What the text ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Last {
    /// A line end, or nothing at all.
    #[default]
    LineEnd,
    Blank,
    Digit,
    Other,
}

impl Visible {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Begins a new line, unless there is one.
    pub(super) fn end_line(&mut self) {
        if self.last == Last::Blank {
            self.text.pop();
        }
        if self.text.is_empty() || self.text.ends_with('\n') {
            self.last = Last::LineEnd;
            return;
        }
        self.text.push('\n');
        self.last = Last::LineEnd;
    }

    /// Adds the text of one node; the place where what is seen of it begins.
    pub(super) fn push(&mut self, text: &str) -> Option<usize> {
        let mut begun = None;
        let mut rest = text;
        while !rest.is_empty() {
            let plain = plain_length(rest.as_bytes());
            if plain > 0 {
                let (run, after) = rest.split_at(plain);
                rest = after;
                let first_digit = run.as_bytes()[0].is_ascii_digit();
                self.begin(&mut begun, first_digit);
                self.text.push_str(run);
                let digit = run.as_bytes()[plain - 1].is_ascii_digit();
                self.last = if digit { Last::Digit } else { Last::Other };
                continue;
            }
            if let Some((characters, length)) = reference(rest) {
                rest = &rest[length..];
                for character in characters.into_iter().flatten() {
                    self.add(character, &mut begun);
                }
                continue;
            }
            let Some(character) = rest.chars().next() else { break };
            rest = &rest[character.len_utf8()..];
            self.add(character, &mut begun);
        }
        begun
    }

    fn begin(&mut self, begun: &mut Option<usize>, digit: bool) {
        if begun.is_none() {
            // Numbers of two elements are two numbers.
            if digit && self.last == Last::Digit {
                self.text.push(' ');
            }
            *begun = Some(self.text.len());
        }
    }

    fn add(&mut self, character: char, begun: &mut Option<usize>) {
        let character = narrow(character, self.last == Last::Digit);
        let blank = character.is_whitespace();
        let invisible = matches!(character, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}');
        if invisible || blank && matches!(self.last, Last::LineEnd | Last::Blank) {
            return;
        }
        let digit = character.is_ascii_digit();
        self.begin(begun, digit);
        self.text.push(if blank { ' ' } else { character });
        self.last = match (blank, digit) {
            (true, _) => Last::Blank,
            (_, true) => Last::Digit,
            _ => Last::Other,
        };
    }
}

/// The bytes of a run that is seen as it is written: ASCII but blanks and `&`, and the ideographs.
fn plain_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'&' | 0..=b' ' => break,
            0x21..=0x7f => 1,
            0xe4..=0xe9 => 3,
            _ => break,
        };
    }
    at
}

/// Full-width digits, and what joins them, as plain ones; other text stays as it is.
fn narrow(character: char, after_digit: bool) -> char {
    match character {
        // No text has it, and no database takes it.
        '\0' => Some(char::REPLACEMENT_CHARACTER),
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(character) - 0xfee0),
        '－' | '／' | '．' | '：' if after_digit => {
            char::from_u32(u32::from(character) - 0xfee0)
        }
        _ => None,
    }
    .unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_is_seen() {
        let mut seen = Visible::default();
        for text in
            ["  发布&nbsp;时间\u{200b}：", "２０２６－１１－０９", "08", "", " \n ", "&lt;b&gt;"]
        {
            seen.push(text);
        }
        seen.end_line();
        seen.end_line();
        assert_eq!(seen.push("\u{3000}"), None);
        assert_eq!(seen.push("末"), Some(seen.len() - 3));
        assert_eq!(seen.into_text(), "发布 时间：2026-11-09 08 <b>\n末");
    }
}
