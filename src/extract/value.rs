//! From a node and a candidate to a text.

use std::borrow::Cow;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::html::{AttributeName, Element, Node as Part, Tag};
use crate::platform::{Candidate, Css};

use super::document::Node;
use super::text::{even_blanks, unescape, without_tags};

/// Text as a person reads it: no markup, entities decoded, blanks even.
pub(super) fn readable(text: &str) -> String {
    if is_readable(text) { text.to_owned() } else { even_blanks(&unescape(&without_tags(text))) }
}

/// Whether a text has nothing that [`readable`] would change.
fn is_readable(text: &str) -> bool {
    let mut blank = true;
    for character in text.chars() {
        let changes = match character {
            '<' | '&' | '\0' => true,
            ' ' => blank,
            other => other.is_whitespace(),
        };
        if changes {
            return false;
        }
        blank = character == ' ';
    }
    !blank
}

/// What a candidate makes of the text at its place: pattern, functions, word, prefix.
pub(super) fn refine<'t>(candidate: &'t Candidate, text: &'t str) -> Option<Cow<'t, str>> {
    let mut text = match &candidate.matches {
        Some(pattern) => Cow::Borrowed(first_group(pattern, text)?),
        None => Cow::Borrowed(text.trim()),
    };
    for quirk in &candidate.quirks {
        text = Cow::Owned((quirk.apply)(&text)?);
    }
    if let Some(word) = &candidate.is {
        let no = matches!(text.as_ref(), "" | "0" | "false");
        return (!no).then_some(Cow::Borrowed(word));
    }
    Some(match &candidate.prefix {
        Some(prefix) if !text.is_empty() => Cow::Owned(format!("{prefix}{text}")),
        _ => text,
    })
}

fn first_group<'t>(pattern: &Regex, text: &'t str) -> Option<&'t str> {
    // Without groups, the match itself is the value, and is found faster.
    if pattern.captures_len() == 1 {
        return pattern.find(text).map(|found| found.as_str().trim());
    }
    pattern.captures(text).map(|found| group(&found))
}

/// The first group that took part in a match, or the whole match where there is no group.
pub(super) fn group<'t>(found: &Captures<'t>) -> &'t str {
    let groups = (1..found.len()).find_map(|index| found.get(index));
    groups.or_else(|| found.get(0)).map_or("", |one| one.as_str()).trim()
}

/// The text of a node; none for containers, unless their presence is what counts.
pub(super) fn node_text<'a>(candidate: &Candidate, node: Node<'a>) -> Option<Cow<'a, str>> {
    match node {
        Node::Json(Value::String(text)) => Some(Cow::Borrowed(text)),
        Node::Json(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
        Node::Json(Value::Bool(yes)) => Some(Cow::Borrowed(if *yes { "true" } else { "false" })),
        // For words given by presence, a filled container is present.
        Node::Json(Value::Array(list)) if candidate.is.is_some() && !list.is_empty() => {
            Some(Cow::Borrowed("1"))
        }
        Node::Json(Value::Object(map)) if candidate.is.is_some() && !map.is_empty() => {
            Some(Cow::Borrowed("1"))
        }
        Node::Json(_) => None,
        Node::Html(_) | Node::Unparsed(_) => {
            let element = node.element()?;
            match &candidate.attribute {
                Some(name) => element.attribute(name).map(Cow::Borrowed),
                None => Some(element_text(element, candidate.without.as_ref())),
            }
        }
    }
}

/// Of several links, the one that names the post: the first that is more than half as long as the
/// longest. Those to one address are one, known by the first of them that has words.
pub(super) fn longest<'a>(links: &[Node<'a>]) -> Option<Node<'a>> {
    let [first, _, ..] = links else { return links.first().copied() };
    let mut known = Vec::new();
    let mut told = Vec::new();
    for link in links {
        let element = link.element()?;
        let address = element.attribute(&AttributeName::HREF);
        let length = title_length(&element_text(element, None));
        if length > 0 && !known.contains(&address) {
            known.push(address);
            told.push((length, *link));
        }
    }
    let most = told.iter().map(|(length, _)| *length).max().unwrap_or_default();
    let named = told.into_iter().find(|(length, _)| length * 2 > most);
    named.map(|(_, link)| link).or(Some(*first))
}

/// Characters of a title; words in brackets, such as `[要闻]`, are a category.
pub(in crate::extract) fn title_length(words: &str) -> usize {
    let words = words.trim();
    let bracketed =
        words.starts_with(['[', '【', '(', '（']) && words.ends_with([']', '】', ')', '）']);
    if bracketed { 1 } else { words.chars().count() }
}

/// Whether a node is there without a text of its own.
pub(super) fn is_container(node: Node<'_>) -> bool {
    match node {
        Node::Json(Value::Array(list)) => !list.is_empty(),
        Node::Json(Value::Object(map)) => !map.is_empty(),
        Node::Json(_) => false,
        Node::Html(_) | Node::Unparsed(_) => true,
    }
}

/// The text of an element as shown: without scripts and styles, blocks apart from each other.
fn element_text<'a>(element: Element<'a>, without: Option<&Css>) -> Cow<'a, str> {
    let mut places = element.places();
    if places.len() == 1
        && let Part::Text(text) = element.node_at(places.start)
    {
        return with_even_blanks(text);
    }
    let mut out = String::new();
    while let Some(place) = places.next() {
        match element.node_at(place) {
            Part::Text(text) => out.push_str(text),
            Part::Element(inner) => {
                let tag = inner.tag();
                let hidden =
                    matches!(tag, Tag::Script | Tag::Style | Tag::Noscript | Tag::Template);
                if !is_within_line(tag) {
                    out.push(' ');
                }
                if hidden || without.is_some_and(|selector| selector.matches(inner)) {
                    places.start = inner.places().end;
                }
            }
        }
    }
    Cow::Owned(even_blanks(&out))
}

fn with_even_blanks(text: &str) -> Cow<'_, str> {
    let mut blank = true;
    let uneven = text.chars().any(|character| {
        let after = std::mem::replace(&mut blank, character.is_whitespace());
        blank && (after || character != ' ')
    });
    if uneven || blank { Cow::Owned(even_blanks(text)) } else { Cow::Borrowed(text) }
}

/// Whether an element's text goes on with what stands before it.
fn is_within_line(tag: Tag) -> bool {
    matches!(tag, Tag::A | Tag::B | Tag::Em | Tag::Font | Tag::I | Tag::Span | Tag::Strong)
}
