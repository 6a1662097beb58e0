//! How deep a page goes and how long its tags are, told before it is parsed: a parser walks what is
//! open at every tag, and the names of a tag at every further one.

use memchr::{memchr, memchr_iter, memmem};

/// Attributes of one tag at most; what people and their programs write has a few dozen.
pub(super) const ATTRIBUTES_MAX: usize = 1_000;

/// Different names of tags that are told apart; ends of further ones close nothing.
const NAMES_MAX: usize = 200;

/// Why a page is not to be parsed; `None` where nothing speaks against it.
///
/// An end tag closes one element of its name, and none where no such is open: what a parser would
/// do with wrongly nested tags leaves no more open than this.
pub(super) fn too_deep(text: &str, open_max: usize) -> Option<String> {
    let mut open = Open::default();
    let mut rest = text;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = after_comment(comment);
            continue;
        }
        let ends = rest.starts_with('/');
        let named = rest.strip_prefix('/').unwrap_or(rest);
        if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let ends_name =
            |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>');
        let length = named.bytes().position(|byte| ends_name(&byte)).unwrap_or(named.len());
        let name = &named.as_bytes()[..length];
        let (attributes, after) = skip_tag(&named[length..]);
        rest = after;
        if attributes > ATTRIBUTES_MAX {
            return Some(format!("over {ATTRIBUTES_MAX} attributes in a tag"));
        }
        let foreign = open.is_foreign();
        if is_endless(name) && !foreign {
            continue;
        }
        if ends {
            open.close(name);
            continue;
        }
        open.open(name);
        if open.all > open_max {
            return Some(format!("over {open_max} tags deep"));
        }
        if !foreign && !open.is_open(b"select") && holds_text(name) {
            rest = at_end_tag(rest, name).unwrap_or(rest);
        }
    }
    None
}

/// The elements that are open, by name.
#[derive(Default)]
struct Open<'a> {
    all: usize,
    by_name: Vec<(&'a [u8], usize)>,
}

impl<'a> Open<'a> {
    fn of(&mut self, name: &[u8]) -> Option<&mut usize> {
        let mut known = self.by_name.iter_mut();
        known.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, count)| count)
    }

    fn open(&mut self, name: &'a [u8]) {
        self.all += 1;
        if let Some(count) = self.of(name) {
            *count += 1;
        } else if self.by_name.len() < NAMES_MAX {
            self.by_name.push((name, 1));
        }
    }

    fn close(&mut self, name: &[u8]) {
        if let Some(count) = self.of(name).filter(|count| **count > 0) {
            *count -= 1;
            self.all -= 1;
        }
    }

    /// Whether a drawing or a formula may be open, where other rules hold.
    fn is_foreign(&self) -> bool {
        self.is_open(b"svg") || self.is_open(b"math")
    }

    fn is_open(&self, name: &[u8]) -> bool {
        self.by_name.iter().any(|(other, count)| *count > 0 && other.eq_ignore_ascii_case(name))
    }
}

/// What follows a comment, of which `text` begins behind its `<!--`.
fn after_comment(text: &str) -> &str {
    if let Some(after) = text.strip_prefix('>').or_else(|| text.strip_prefix("->")) {
        return after;
    }
    let ends = |at: &usize| {
        let before = &text.as_bytes()[..*at];
        before.ends_with(b"--") || before.ends_with(b"--!")
    };
    let end = memchr_iter(b'>', text.as_bytes()).find(ends);
    &text[end.map_or(text.len(), |at| at + 1)..]
}

/// How many attributes a tag has, and what follows it; `text` begins behind its name.
fn skip_tag(text: &str) -> (usize, &str) {
    let bytes = text.as_bytes();
    let is_blank = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/');
    let (mut attributes, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        if byte == b'>' {
            return (attributes, &text[at + 1..]);
        }
        if is_blank(byte) {
            at += 1;
            continue;
        }
        attributes += 1;
        // A name may begin with the sign that ends others.
        at += 1;
        while bytes.get(at).is_some_and(|byte| !is_blank(*byte) && !matches!(byte, b'=' | b'>')) {
            at += 1;
        }
        let value = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if bytes.get(value) != Some(&b'=') {
            continue;
        }
        let blanks = bytes[value + 1..].iter().take_while(|byte| byte.is_ascii_whitespace());
        at = value + 1 + blanks.count();
        at = match bytes.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                memchr(*quote, &bytes[at + 1..]).map_or(bytes.len(), |end| at + end + 2)
            }
            _ => {
                let of_value = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'>';
                at + bytes[at..].iter().take_while(|byte| of_value(byte)).count()
            }
        };
    }
    (attributes, "")
}

/// Elements that hold text up to their own end tag, whatever it looks like.
fn holds_text(name: &[u8]) -> bool {
    let known = ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];
    known.iter().chain(&["noscript"]).any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// The text from the next end tag of a name on.
fn at_end_tag<'a>(text: &'a str, name: &[u8]) -> Option<&'a str> {
    let ends = memmem::find_iter(text.as_bytes(), "</");
    let is_its = |at: &usize| {
        let named = text.as_bytes().get(at + 2..at + 2 + name.len());
        named.is_some_and(|named| named.eq_ignore_ascii_case(name))
    };
    ends.into_iter().find(is_its).map(|at| &text[at..])
}

/// Elements that have no end or need none: their number says nothing about the depth.
fn is_endless(name: &[u8]) -> bool {
    let mut lower = [0_u8; 6];
    let Some(lower) = lower.get_mut(..name.len()) else { return false };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    matches!(
        &*lower,
        b"area"
            | b"base"
            | b"br"
            | b"col"
            | b"dd"
            | b"dt"
            | b"embed"
            | b"hr"
            | b"img"
            | b"input"
            | b"li"
            | b"link"
            | b"meta"
            | b"option"
            | b"p"
            | b"param"
            | b"source"
            | b"td"
            | b"th"
            | b"tr"
            | b"tbody"
            | b"thead"
            | b"track"
            | b"wbr"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(page: &str, expected: Option<&str>) {
        assert_eq!(too_deep(page, 100).as_deref(), expected, "{page:.80}");
    }

    #[test]
    fn what_a_parser_would_leave_open_is_counted() {
        let deep = Some("over 100 tags deep");
        let many = |text: &str| text.repeat(200);
        check(&many("<div>"), deep);
        check(&many("<div></x>"), deep);
        check(&many("<div><!--</div>-->"), deep);
        check(&many("<div title='</div>'>"), deep);
        check(&many("<div title=</div>"), deep);
        check(&many("<b><div></b>"), deep);
        check(&format!("<svg>{}", many("<td></x>")), deep);
        check(&format!("<svg><style>{}", many("<g>")), deep);
        check(&many("<!--><div>"), deep);
        check(&many("<!--a><b--->b--><div>"), deep);
        check(&many("<!--a--b><div>--!><!---- -->"), None);
        check(&many("<script></div></script><div>"), deep);
        check(&many("<div><textarea></div></textarea>"), deep);
        check(&format!("<select><xmp></select>{}</xmp>", many("<div>")), deep);
        check(&format!("<style>{}", many("<div>")), deep);
        check(&many("<DIV></div><p><li><td>text<br>"), None);
        check(&many("<div title='<div>'></div>"), None);
        check(&many("<!-- <div> --!></div>"), None);
        check(&many("<a \"></a>"), None);
        check(&format!("<SCRIPT>{}</Script>", many("<div>")), None);
    }

    #[test]
    fn a_tag_with_thousands_of_attributes_is_refused() {
        let tag = |count: usize| {
            let names: Vec<String> =
                (0..count).map(|number| format!("n{number}=\"> '\"")).collect();
            format!("<a {} >", names.join(" "))
        };
        check(&tag(1_000), None);
        check(&tag(1_001), Some("over 1000 attributes in a tag"));
        check(&tag(1_001).replace('>', ""), Some("over 1000 attributes in a tag"));
    }
}
