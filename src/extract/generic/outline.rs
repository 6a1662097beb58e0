//! A page as one run of visible text, with the elements and links that hold its parts.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use scraper::{ElementRef, Node};

/// Elements that do not break a line.
const INLINE: [&str; 24] = [
    "a", "abbr", "acronym", "b", "bdo", "big", "cite", "code", "em", "font", "i", "img", "ins",
    "kbd", "label", "mark", "small", "span", "strong", "sub", "sup", "time", "u", "wbr",
];

/// Elements whose text nobody sees as text of the page.
const UNSEEN: [&str; 14] = [
    "button", "head", "iframe", "input", "noscript", "object", "option", "script", "select",
    "style", "svg", "template", "textarea", "title",
];

/// Elements that are never the article or the list itself.
const MARGIN: [&str; 3] = ["aside", "footer", "nav"];

/// Names that templates give to what stands around an article or a list.
static MARGIN_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?:^|[\s_-])(?:foot(?:er)?|bottom|copyright|nav|navi|navbar|menu|side(?:bar)?|aside|",
        r"calendar|rili|related?|xgyd|xgwz|hot|rank(?:ing)?|recommend|tuijian|comments?|crumbs?|",
        r"breadcrumbs?|prev|pager?|pagination)(?:$|[\s_-]|\d)|sidebar|footer|copyright|calendar|",
        r"breadcrumb|related",
    ))
    .expect("a fixed pattern")
});

static HIDDEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)display\s*:\s*none").expect("a fixed pattern"));

/// The share of the page's text from which on an element is no margin, whatever its name.
const MAIN_SHARE: f64 = 0.5;

/// One element with the part of the text that it holds.
pub(super) struct Part<'a> {
    pub(super) element: ElementRef<'a>,
    /// The index of the element around it; the root's own is 0.
    pub(super) parent: usize,
    /// Bytes of the outline's text.
    pub(super) range: Range<usize>,
    /// Whether it stands in the margin: footer, navigation, hot list, calendar, or hidden.
    pub(super) margin: bool,
}

/// The visible text of a page and where its parts come from.
pub(super) struct Outline<'a> {
    /// Digits half-width, blanks even; blocks are set apart by line ends.
    pub(super) text: String,
    /// Elements in the order of the document; the first is the root.
    pub(super) parts: Vec<Part<'a>>,
    /// Indices of links with an address, in the order of the document.
    pub(super) links: Vec<usize>,
    /// Where each piece of text begins and which element it stands in.
    pieces: Vec<(usize, usize)>,
}

impl<'a> Outline<'a> {
    pub(super) fn of(root: ElementRef<'a>) -> Self {
        let mut outline =
            Self { text: String::new(), parts: Vec::new(), links: Vec::new(), pieces: Vec::new() };
        outline.walk(root, 0);
        outline.spread_margins();
        outline
    }

    fn walk(&mut self, element: ElementRef<'a>, parent: usize) {
        let name = element.value().name();
        let index = self.parts.len();
        let inline = INLINE.contains(&name);
        if !inline {
            self.end_line();
        }
        let start = self.text.len();
        self.parts.push(Part { element, parent, range: start..start, margin: false });
        if name == "a" && element.attr("href").is_some() {
            self.links.push(index);
        }
        for child in element.children() {
            match child.value() {
                Node::Text(text) => self.push(text, index),
                Node::Element(child_element) if UNSEEN.contains(&child_element.name()) => {}
                Node::Element(_) => {
                    if let Some(child) = ElementRef::wrap(child) {
                        self.walk(child, index);
                    }
                }
                _ => {}
            }
        }
        self.parts[index].range.end = self.text.len();
        if !inline || name == "br" {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn push(&mut self, text: &str, element: usize) {
        let mut begun = false;
        for character in text.chars() {
            let digits = self.text.ends_with(|c: char| c.is_ascii_digit());
            let character = narrow(character, digits);
            let blank = character.is_whitespace();
            if matches!(character, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}')
                || blank && self.text.chars().next_back().is_none_or(|c| c == ' ' || c == '\n')
            {
                continue;
            }
            if !begun {
                begun = true;
                // Numbers of two elements are two numbers.
                if digits && character.is_ascii_digit() {
                    self.text.push(' ');
                }
                self.pieces.push((self.text.len(), element));
            }
            self.text.push(if blank { ' ' } else { character });
        }
    }

    /// What is inside the margin is margin; what holds most of the page is not, whatever its name.
    fn spread_margins(&mut self) {
        let all = self.text.len().max(1);
        for index in 0..self.parts.len() {
            let part = &self.parts[index];
            let inherited = index > 0 && self.parts[part.parent].margin;
            let main = part.range.len() as f64 / all as f64 >= MAIN_SHARE;
            let margin = inherited || !main && is_margin(part.element);
            self.parts[index].margin = margin;
        }
    }

    /// The element that holds the text at a place.
    pub(super) fn at(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).map_or(0, |index| self.pieces[index].1)
    }

    /// An element and all around it, outwards.
    pub(super) fn around(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let up = move |index: &usize| (*index > 0).then(|| self.parts[*index].parent);
        std::iter::successors(Some(index), up)
    }

    /// The text of an element.
    pub(super) fn text_of(&self, index: usize) -> &str {
        self.text.get(self.parts[index].range.clone()).unwrap_or_default().trim()
    }

    /// The text before a place, at most so many bytes.
    pub(super) fn before(&self, offset: usize, bytes: usize) -> &str {
        let start = self.boundary(offset.saturating_sub(bytes));
        &self.text[start..offset]
    }

    /// The text after a place, at most so many bytes.
    pub(super) fn after(&self, offset: usize, bytes: usize) -> &str {
        let offset = offset.min(self.text.len());
        &self.text[offset..self.boundary(offset.saturating_add(bytes).min(self.text.len()))]
    }

    fn boundary(&self, mut offset: usize) -> usize {
        while !self.text.is_char_boundary(offset) {
            offset += 1;
        }
        offset
    }

    /// The line that holds a place.
    pub(super) fn line(&self, offset: usize) -> Range<usize> {
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[offset..].find('\n').map_or(self.text.len(), |at| offset + at);
        start..end
    }
}

/// Full-width digits, and what joins them, as plain ones; other text stays as it is.
fn narrow(character: char, after_digit: bool) -> char {
    match character {
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(character) - 0xfee0),
        '－' | '／' | '．' | '：' if after_digit => {
            char::from_u32(u32::from(character) - 0xfee0)
        }
        _ => None,
    }
    .unwrap_or(character)
}

fn is_margin(element: ElementRef<'_>) -> bool {
    let value = element.value();
    let named = |name: &str| value.attr(name).is_some_and(|text| MARGIN_NAME.is_match(text));
    MARGIN.contains(&value.name())
        || named("class")
        || named("id")
        || value.attr("hidden").is_some()
        || value.attr("style").is_some_and(|style| HIDDEN.is_match(style))
}
