//! HTML as a run of tags and texts, without a tree: what a page in reasonable order needs.
//!
//! The tokens are those of the HTML standard, section 13.2.5, but for scripts that write comments
//! with scripts in them. Nothing is copied: names, attributes and texts are parts of the page.

use std::borrow::Cow;

use super::reference::decoded;

/// One piece of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A start tag.
    Open(&'t str, Attributes<'t>),
    /// An end tag.
    Close(&'t str),
    /// Text with its character references, or what an element holds that has text only.
    Text(&'t str),
}

/// The attributes of a tag, as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Attributes<'t>(&'t str);

/// Elements whose content is text up to their end tag.
const TEXT_ONLY: [&str; 9] =
    ["iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp"];

/// Names that are compared with, for tags that are written in capitals.
const NAMES: [&str; 72] = [
    "a", "abbr", "acronym", "address", "article", "aside", "b", "base", "big", "body", "br",
    "button", "caption", "center", "cite", "code", "dd", "div", "dl", "dt", "em", "fieldset",
    "font", "footer", "form", "frame", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr",
    "html", "i", "iframe", "img", "input", "label", "li", "link", "main", "meta", "nav",
    "noscript", "object", "ol", "option", "p", "pre", "script", "section", "select", "small",
    "span", "strong", "style", "sub", "sup", "table", "tbody", "td", "textarea", "tfoot", "th",
    "thead", "time", "title", "tr", "ul",
];

/// The tokens of a page.
pub(super) struct Tokens<'t> {
    page: &'t str,
    at: usize,
    /// The element whose text-only content comes next.
    inside: Option<&'t str>,
}

impl<'t> Tokens<'t> {
    pub(super) fn of(page: &'t str) -> Self {
        Self { page, at: 0, inside: None }
    }

    /// The content of an element that has text only; its end tag is left for the next token.
    fn content(&mut self, name: &str) -> &'t str {
        let rest = &self.page[self.at..];
        let mut from = 0;
        let end = loop {
            let Some(found) = rest[from..].find("</") else { break rest.len() };
            let start = from + found + 2;
            let named = rest.as_bytes().get(start..start + name.len());
            let ends = rest.as_bytes().get(start + name.len()).is_none_or(|byte| ends_name(*byte));
            if ends && named.is_some_and(|named| named.eq_ignore_ascii_case(name.as_bytes())) {
                break start - 2;
            }
            from = start;
        };
        self.at += end;
        &rest[..end]
    }

    /// A tag, or nothing where a comment, a declaration or a lone bracket was passed.
    fn tag(&mut self) -> Option<Token<'t>> {
        let rest = &self.page[self.at..];
        let bytes = rest.as_bytes();
        let closes = bytes.get(1) == Some(&b'/');
        let start = if closes { 2 } else { 1 };
        if !bytes.get(start).is_some_and(u8::is_ascii_alphabetic) {
            self.pass(rest);
            return None;
        }
        let length = bytes[start..].iter().position(|byte| ends_name(*byte));
        let name_end = length.map_or(bytes.len(), |length| start + length);
        let end = tag_end(bytes, name_end);
        self.at += (end + 1).min(bytes.len());
        let name = known(&rest[start..name_end]);
        // A tag that the page's end cuts off is none.
        if end == bytes.len() {
            return None;
        }
        if closes {
            return Some(Token::Close(name));
        }
        self.inside = TEXT_ONLY.contains(&name).then_some(name);
        Some(Token::Open(name, Attributes(&rest[name_end..end])))
    }

    /// Passes what begins with a bracket and is no tag.
    fn pass(&mut self, rest: &str) {
        let length = if let Some(comment) = rest.strip_prefix("<!--") {
            // `<!-->` and `<!--->` are whole comments.
            let whole = ["->", ">"].into_iter().find(|end| comment.starts_with(end));
            let whole = whole.map(|end| 4 + end.len());
            let end = || comment.find("-->").map(|end| 4 + end + 3);
            whole.or_else(end).unwrap_or(rest.len())
        } else if rest.starts_with("</") || rest.starts_with("<!") || rest.starts_with("<?") {
            rest.find('>').map_or(rest.len(), |end| end + 1)
        } else {
            1
        };
        self.at += length;
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        if let Some(name) = self.inside.take() {
            let content = self.content(name);
            if !content.is_empty() {
                return Some(Token::Text(content));
            }
        }
        while self.at < self.page.len() {
            let rest = &self.page[self.at..];
            let text = match rest.find('<') {
                Some(0) => {
                    let lone = rest.as_bytes().get(1).is_none_or(|byte| {
                        !byte.is_ascii_alphabetic() && !matches!(byte, b'/' | b'!' | b'?')
                    });
                    if !lone {
                        match self.tag() {
                            Some(token) => return Some(token),
                            None => continue,
                        }
                    }
                    rest[1..].find('<').map_or(rest.len(), |end| end + 1)
                }
                Some(end) => end,
                None => rest.len(),
            };
            self.at += text;
            return Some(Token::Text(&rest[..text]));
        }
        None
    }
}

fn ends_name(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/' | b'>')
}

/// The name in lower case, where it is one that anybody compares with.
fn known(name: &str) -> &str {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return name;
    }
    NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name)
}

/// The place of the bracket that ends a tag: not one inside a quoted value.
fn tag_end(bytes: &[u8], mut at: usize) -> usize {
    let mut value = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'>' => return at,
            b'=' => value = true,
            b'"' | b'\'' if value => {
                let end = bytes[at + 1..].iter().position(|other| other == byte);
                at = end.map_or(bytes.len(), |end| at + 1 + end);
                value = false;
            }
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => {}
            _ => value = false,
        }
        at += 1;
    }
    bytes.len()
}

impl<'t> Attributes<'t> {
    /// Names and values as they are written, in order.
    pub(super) fn pairs(self) -> impl Iterator<Item = (&'t str, &'t str)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            // An equals sign in the first place belongs to the name.
            let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'=');
            let end = rest.bytes().skip(1).position(|byte| ends(&byte)).map(|end| end + 1);
            let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
            let Some(value) = after.trim_ascii_start().strip_prefix('=') else {
                rest = after;
                return Some((name, ""));
            };
            let value = value.trim_ascii_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, after) = match quote {
                Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                None => value
                    .split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
            };
            rest = after;
            Some((name, value))
        })
    }

    /// The value of an attribute, its character references decoded.
    pub(super) fn get(self, name: &str) -> Option<Cow<'t, str>> {
        let found = self.pairs().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| decoded(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(page: &str) -> Vec<String> {
        let tokens = Tokens::of(page).map(|token| match token {
            Token::Open(name, attributes) => {
                let pairs = attributes.pairs().map(|(name, value)| format!(" {name}={value}"));
                format!("<{name}{}>", pairs.collect::<String>())
            }
            Token::Close(name) => format!("</{name}>"),
            Token::Text(text) => text.to_owned(),
        });
        tokens.collect()
    }

    #[test]
    fn pages_are_cut_into_tags_and_texts() {
        for (page, wanted) in [
            ("<P CLASS=a>一<br/>二</P>", &["<p CLASS=a>", "一", "<br>", "二", "</p>"][..]),
            ("<a href='x>y' title = \"a'b\" hidden>", &["<a href=x>y title=a'b hidden=>"]),
            ("1 < 2 <b>&lt;</b>", &["1 ", "< 2 ", "<b>", "&lt;", "</b>"]),
            ("a<!-- <b> -->b<!-->c<!DOCTYPE html>d<?x?>e</>f", &["a", "b", "c", "d", "e", "f"]),
            ("<script>a<b></p></script >c", &["<script>", "a<b></p>", "</script>", "c"]),
            ("<title></title><style>x", &["<title>", "</title>", "<style>", "x"]),
            ("<a href=/x/y/>z<em", &["<a href=/x/y/>", "z"]),
            ("<x-y a=1 / b>", &["<x-y a=1 b=>"]),
        ] {
            assert_eq!(told(page), wanted, "{page}");
        }
    }
}
