//! Text as a person would read it: entities decoded, widths and blanks made even.

use std::sync::LazyLock;

use memchr::{memchr, memchr2, memmem};
use regex::{Captures, Regex};

static ENTITY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));?")
        .expect("a fixed pattern")
});

/// Characters of the longest tag: what stands longer between two signs is text.
const TAG_MAX: usize = 2000;

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

/// The texts of a page's `<title>`s, as they are written: a wall may put its own before or behind.
pub(crate) fn page_titles(page: &str) -> Vec<&str> {
    let bytes = page.as_bytes();
    let begins = |at: &usize| {
        let after = bytes.get(at + 6);
        let named = bytes.get(at + 1..at + 6);
        named.is_some_and(|name| name.eq_ignore_ascii_case(b"title"))
            && after.is_some_and(|after| *after == b'>' || after.is_ascii_whitespace())
    };
    let text_of = |at: usize| {
        let end = at + memchr2(b'>', b'<', &bytes[at + 1..])? + 1;
        let text = page[end..].strip_prefix('>')?;
        Some(&text[..text.find('<').unwrap_or(text.len())])
    };
    let tags = ["<t", "<T"].into_iter().flat_map(|tag| memmem::find_iter(bytes, tag));
    let mut places: Vec<usize> = tags.filter(begins).collect();
    places.sort_unstable();
    places.into_iter().filter_map(text_of).collect()
}

/// Removes markup from text that should have none.
pub(crate) fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Behind this place no comment ends.
    let last = memmem::rfind(text.as_bytes(), b"-->").unwrap_or_default();
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = tag_length(rest, text.len() - rest.len() < last);
        out.push_str(if length == 0 { "<" } else { "" });
        rest = &rest[length.max(1)..];
    }
    out.push_str(rest);
    out
}

/// Bytes of the tag or comment that a text begins with; 0: it is none.
fn tag_length(text: &str, may_be_comment: bool) -> usize {
    if may_be_comment
        && text.starts_with("<!--")
        && let Some(end) = text[4..].find("-->")
    {
        return 4 + end + 3;
    }
    let name = text[1..].strip_prefix('/').unwrap_or(&text[1..]);
    let Some(inside) = name.strip_prefix(|first: char| first.is_ascii_alphabetic()) else {
        return 0;
    };
    match memchr2(b'<', b'>', inside.as_bytes()) {
        Some(end) if inside.as_bytes()[end] == b'>' && inside[..end].chars().count() <= TAG_MAX => {
            text.len() - inside.len() + end + 1
        }
        _ => 0,
    }
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
        let titles = "<!-- <title></title> --><svg><TITLE\nid=a>甲_乙</title><title><title>丙";
        assert_eq!(page_titles(titles), ["", "甲_乙", "", "丙"]);
        assert_eq!(page_titles("<titles>甲<title"), [""; 0]);
        let comments = "甲<!-- <b> -->乙<!--->丙<!-- 丁<b a='<'>戊</b ><br/></ b><3";
        assert_eq!(without_tags(comments), "甲乙<!--->丙<!-- 丁<b a='<'>戊</ b><3");
        assert_eq!(
            without_tags(&format!("<a{}><a{}>", "一".repeat(2000), "一".repeat(2001))).len(),
            6006
        );
        assert_eq!(without_tags(&"<!--".repeat(200_000)).len(), 800_000);
        assert_eq!(without_tags("1 < 2 和 <a href='x'>链接</a>"), "1 < 2 和 链接");
    }
}
