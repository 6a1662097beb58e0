//! What feeds get wrong, put right before they are parsed.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::extract::text::unescape;

/// Older forms of a feed by their namespaces, with the newer ones that hold the same elements.
const NAMESPACES: [(&str, &str); 3] = [
    ("http://purl.org/atom/ns#", "http://www.w3.org/2005/Atom"),
    ("http://my.netscape.com/rdf/simple/0.9/", "http://purl.org/rss/1.0/"),
    ("http://channel.netscape.com/rdf/simple/0.9/", "http://purl.org/rss/1.0/"),
];

static ATOM_03_TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<(?P<end>/?)(?P<name>modified|issued|created)>").expect("a fixed pattern")
});

/// A CDATA section, or an ampersand with what may be its reference.
static AMPERSAND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)<!\[CDATA\[.*?\]\]>|&(?P<reference>#\d{1,7};|#x[0-9a-fA-F]{1,6};|\w{1,8};)?")
        .expect("a fixed pattern")
});

static ITEM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)<item[\s>].*?</item>").expect("a fixed pattern"));
static DC_DATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)<dc:date[\s>].{0,80}?</dc:date>").expect("a fixed pattern"));
static UPPER_CASE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("<(?P<end>/?)(?P<name>ITEM|TITLE|LINK|PUBDATE|DESCRIPTION|GUID|pubdate)>")
        .expect("a fixed pattern")
});

/// The elements of RSS as it writes them: XML tells upper and lower case apart.
pub(super) fn as_named(text: &str) -> Cow<'_, str> {
    if !["<PUBDATE>", "<TITLE>", "<pubdate>"].iter().any(|tag| text.contains(tag)) {
        return Cow::from(text);
    }
    UPPER_CASE.replace_all(text, |found: &Captures<'_>| {
        let name = found["name"].to_ascii_lowercase();
        let name = if name == "pubdate" { "pubDate" } else { &name };
        format!("<{}{name}>", &found["end"])
    })
}

/// An item that says when it was published says it once: beside that, `dc:date` is as often the
/// last change.
pub(super) fn published_once(text: &str) -> Cow<'_, str> {
    if !text.contains("<dc:date") || !text.contains("<pubDate") {
        return Cow::from(text);
    }
    ITEM.replace_all(text, |found: &Captures<'_>| {
        let item = &found[0];
        match item.contains("<pubDate") {
            true => DC_DATE.replace_all(item, "").into_owned(),
            false => item.to_owned(),
        }
    })
}

/// A feed of an older form as one of the form that followed it.
pub(super) fn modern(text: &str) -> Cow<'_, str> {
    let Some((old, new)) = NAMESPACES.iter().find(|(old, _)| text.contains(old)) else {
        return Cow::from(text);
    };
    let text = text.replace(old, new);
    let renamed = ATOM_03_TIME.replace_all(&text, |found: &Captures<'_>| {
        let name = if &found["name"] == "modified" { "updated" } else { "published" };
        format!("<{}{name}>", &found["end"])
    });
    Cow::from(renamed.into_owned())
}

/// XML whose ampersands are references, all of which XML knows; JSON whose ids are text.
pub(super) fn repaired(text: &str) -> Option<String> {
    if text.trim_start().starts_with('{') {
        return ids_as_text(text);
    }
    let repaired = AMPERSAND.replace_all(text, |found: &Captures<'_>| {
        let whole = &found[0];
        let known = |reference: &str| {
            reference.starts_with('#')
                || ["amp;", "lt;", "gt;", "quot;", "apos;"].contains(&reference)
        };
        match found.name("reference").map(|reference| reference.as_str()) {
            _ if whole.starts_with('<') => whole.to_owned(),
            Some(reference) if known(reference) => whole.to_owned(),
            Some(_) => unescape(whole).replace('&', "&amp;"),
            None => "&amp;".to_owned(),
        }
    });
    Some(repaired.into_owned())
}

fn ids_as_text(text: &str) -> Option<String> {
    let mut feed = serde_json::from_str::<Value>(text).ok()?;
    for item in feed.get_mut("items")?.as_array_mut()? {
        if let Some(id) = item.get_mut("id").filter(|id| id.is_number()) {
            *id = Value::String(id.to_string());
        }
    }
    Some(feed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ampersands_become_references_except_in_character_data() {
        let text = "<a>x & y &nbsp; &hellip; &amp; &#38; ?a=1&b=2 &unknown;<![CDATA[a & b]]></a>";
        let wanted = "<a>x &amp; y   … &amp; &#38; ?a=1&amp;b=2 &amp;unknown;<![CDATA[a & b]]></a>";
        assert_eq!(repaired(text).as_deref(), Some(wanted));
    }

    #[test]
    fn an_item_is_published_once_and_named_as_rss_names_it() {
        let feed = "<item><TITLE>x</TITLE><PUBDATE>1</PUBDATE><dc:date>2</dc:date></item>\
                    <item><dc:date>3</dc:date></item>";
        let wanted = "<item><title>x</title><pubDate>1</pubDate></item>\
                      <item><dc:date>3</dc:date></item>";
        assert_eq!(published_once(&as_named(feed)), wanted);
    }

    #[test]
    fn older_forms_are_read_as_newer_ones() {
        let old = r#"<feed xmlns="http://purl.org/atom/ns#"><issued>x</issued></feed>"#;
        let wanted = r#"<feed xmlns="http://www.w3.org/2005/Atom"><published>x</published></feed>"#;
        assert_eq!(modern(old), wanted);
        assert_eq!(modern("<rss/>"), "<rss/>");
        let ids = r#"{"items":[{"id":1},{"id":"2"}]}"#;
        assert_eq!(repaired(ids).as_deref(), Some(r#"{"items":[{"id":"1"},{"id":"2"}]}"#));
    }
}
