//! Text as a person would read it: entities decoded, widths and blanks made even.

use std::sync::LazyLock;

use regex::{Captures, Regex};

static ENTITY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));?")
        .expect("a fixed pattern")
});

static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)<!--.*?-->|</?[a-zA-Z][^<>]{0,2000}>").expect("a fixed pattern")
});

const NAMED: [(&str, &str); 14] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("ensp", " "),
    ("emsp", " "),
    ("middot", "·"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("hellip", "…"),
];

/// Decodes HTML character references; unknown ones stay as they are.
///
/// NUL, written out or as a reference, becomes U+FFFD as in HTML: no text has it, and no database
/// takes it.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.replace('\0', "\u{fffd}");
    }
    let replace = |found: &Captures<'_>| -> String {
        let number = found
            .get(1)
            .and_then(|digits| digits.as_str().parse::<u32>().ok())
            .or_else(|| u32::from_str_radix(found.get(2)?.as_str(), 16).ok());
        if let Some(character) = number.and_then(char::from_u32) {
            return character.to_string();
        }
        let named = found.get(3).map(|name| name.as_str());
        let known = NAMED.iter().find(|(name, _)| Some(*name) == named);
        known.map_or_else(|| found[0].to_owned(), |(_, text)| (*text).to_owned())
    };
    ENTITY.replace_all(text, replace).replace('\0', "\u{fffd}")
}

/// Removes markup from text that should have none.
pub(crate) fn without_tags(text: &str) -> String {
    if text.contains('<') { TAG.replace_all(text, "").into_owned() } else { text.to_owned() }
}

/// Joins runs of blanks, of every kind, to one space; none at the ends.
pub(crate) fn even_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Leaves out characters that take no place, which editors scatter into text.
fn visible(text: &str) -> String {
    let invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}');
    text.chars().filter(|c| !invisible(*c)).collect()
}

/// Full-width ASCII (`２０２６：`) as plain ASCII.
pub(crate) fn half_width(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    };
    text.chars().map(narrow).collect()
}

/// Everything above: the form in which times and numbers are read.
pub(crate) fn plain(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    even_blanks(&half_width(&visible(&unescape(&without_tags(text)))))
}

/// Whether a text has nothing that [`plain`] would change.
fn is_plain(text: &str) -> bool {
    let mut blank = true;
    for character in text.chars() {
        let kept = match character {
            '<' | '&' | '\0'..='\x1f' => false,
            ' ' => !blank,
            '!'..='~' | '\u{3001}'..='\u{9fff}' => true,
            _ => false,
        };
        if !kept {
            return false;
        }
        blank = character == ' ';
    }
    !blank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_a_person_would() {
        assert_eq!(
            plain("<b>２０２６－１１－２２</b>&nbsp;来自\u{3000}微博"),
            "2026-11-22 来自 微博"
        );
        assert_eq!(unescape("&#20013;&#x6587;&amp;&unknown;&lt"), "中文&&unknown;<");
        assert_eq!(unescape("A&#0;B\0C &amp; &#x0;"), "A\u{fffd}B\u{fffd}C & \u{fffd}");
        assert_eq!(without_tags("1 < 2 和 <a href='x'>链接</a>"), "1 < 2 和 链接");
    }
}
