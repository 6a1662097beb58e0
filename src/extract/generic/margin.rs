//! What stands around an article or a list, by the names that templates give it.

use std::collections::HashMap;

use super::outline::Part;
use super::tag::Attributes;

/// Elements that are never the article or the list itself.
const ELEMENTS: [&str; 3] = ["aside", "footer", "nav"];

/// Words of a class or an id; a number may follow.
const WORDS: [&str; 32] = [
    "aside",
    "bottom",
    "breadcrumb",
    "breadcrumbs",
    "calendar",
    "comments",
    "comment",
    "copyright",
    "crumb",
    "crumbs",
    "foot",
    "footer",
    "hot",
    "menu",
    "nav",
    "navbar",
    "navi",
    "page",
    "pager",
    "pagination",
    "prev",
    "rank",
    "ranking",
    "recommend",
    "relate",
    "related",
    "rili",
    "side",
    "sidebar",
    "tuijian",
    "xgwz",
    "xgyd",
];

/// Parts of a word.
const INSIDE: [&str; 6] = ["sidebar", "footer", "copyright", "calendar", "breadcrumb", "related"];

/// The share of the page's text from which on an element is no margin, whatever its name.
const MAIN_SHARE: f64 = 0.5;

/// Which elements are margin by what they say themselves.
#[derive(Debug, Default)]
pub(super) struct Margins<'t> {
    /// For each element, in the order of the document.
    own: Vec<bool>,
    /// Names that were met: templates repeat them.
    known: HashMap<&'t str, bool>,
}

impl<'t> Margins<'t> {
    /// Judges the next element.
    pub(super) fn add(&mut self, name: &str, attributes: Attributes<'t>) {
        let mut margin = ELEMENTS.contains(&name);
        for (key, value) in attributes.pairs() {
            margin |= match key.len() {
                5 if key.eq_ignore_ascii_case("class") => self.is_named(value),
                2 if key.eq_ignore_ascii_case("id") => self.is_named(value),
                6 if key.eq_ignore_ascii_case("hidden") => true,
                5 if key.eq_ignore_ascii_case("style") => hides(value),
                _ => false,
            };
        }
        self.own.push(margin);
    }

    fn is_named(&mut self, value: &'t str) -> bool {
        *self.known.entry(value).or_insert_with(|| names_margin(value))
    }

    /// What is inside the margin is margin; what holds most of the page is not, whatever its name.
    pub(super) fn mark(&self, parts: &mut [Part<'t>], text: usize) {
        for (index, own) in self.own.iter().enumerate() {
            let part = &parts[index];
            let inherited = index > 0 && parts[part.parent].margin;
            let main = part.range.len() as f64 / text.max(1) as f64 >= MAIN_SHARE;
            parts[index].margin = inherited || !main && *own;
        }
    }
}

/// Whether a class or an id names what stands around a page's main part.
pub(in crate::extract) fn names_margin(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let words = value.split(|c: char| c.is_ascii_whitespace() || c == '_' || c == '-');
    let named = |word: &str| {
        WORDS.iter().any(|known| {
            let after = word.strip_prefix(known);
            after.is_some_and(|after| {
                after.is_empty() || after.starts_with(|c: char| c.is_ascii_digit())
            })
        })
    };
    words.into_iter().any(named) || INSIDE.iter().any(|inside| value.contains(inside))
}

fn hides(style: &str) -> bool {
    let style = style.to_ascii_lowercase();
    let hidden = |after: &str| {
        let value = after.trim_start().strip_prefix(':');
        value.is_some_and(|value| value.trim_start().starts_with("none"))
    };
    style.split("display").skip(1).any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_margin() {
        for name in ["footer", "m-nav", "left_side", "hot2", "siteFooterBox", "xgwz"] {
            assert!(names_margin(name), "{name}");
        }
        for name in ["navy", "article", "photo", "x1", "content hotel", "sidewalk"] {
            assert!(!names_margin(name), "{name}");
        }
        assert!(hides("color:red; DISPLAY : none"));
        assert!(!hides("display:block"));
    }
}
