//! Which elements a tag ends besides its own: the part of tree building that pages rely on.
//!
//! The rules are those of the HTML standard, section 13.2.6, in the measure that changes where text
//! stands. What belongs to no table stays inside it, and formatting left open ends with its block.

/// Elements that do not break a line.
const INLINE: [&str; 24] = [
    "a", "abbr", "acronym", "b", "bdo", "big", "cite", "code", "em", "font", "i", "img", "ins",
    "kbd", "label", "mark", "small", "span", "strong", "sub", "sup", "time", "u", "wbr",
];

/// Elements that have no end.
const VOID: [&str; 17] = [
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input",
    "keygen", "link", "meta", "param", "track", "wbr",
];

/// Elements whose text nobody sees as text of the page.
const UNSEEN: [&str; 17] = [
    "button", "iframe", "input", "link", "meta", "noembed", "noframes", "noscript", "object",
    "option", "script", "select", "style", "svg", "template", "textarea", "title",
];

/// Elements that a paragraph cannot hold.
const ENDS_PARAGRAPH: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "ul",
];

/// Elements that no end tag inside them can end what is around.
const CELLS: [&str; 5] = ["td", "th", "caption", "table", "template"];

const HEADINGS: [&str; 6] = ["h1", "h2", "h3", "h4", "h5", "h6"];

const TABLE: [&str; 8] = ["table", "caption", "tbody", "thead", "tfoot", "tr", "td", "th"];

pub(super) fn is_inline(name: &str) -> bool {
    INLINE.contains(&name)
}

pub(super) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}

pub(super) fn is_unseen(name: &str) -> bool {
    UNSEEN.contains(&name)
}

/// How many of the open elements, innermost last, stay open when a start tag comes.
pub(super) fn kept_at_start(open: &[&str], name: &str) -> usize {
    let own = match name {
        "li" => innermost(open, &["li"], &["ul", "ol", "menu"]),
        "dt" | "dd" => innermost(open, &["dt", "dd"], &["dl"]),
        "option" => innermost(open, &["option"], &["select"]),
        "tr" => innermost(open, &["tr"], &["table"]),
        "td" | "th" => innermost(open, &["td", "th"], &["tr", "table"]),
        "tbody" | "thead" | "tfoot" => innermost(open, &["tbody", "thead", "tfoot"], &["table"]),
        "a" => {
            innermost(open, &["a"], &CELLS).filter(|at| open[*at..].iter().all(|o| is_inline(o)))
        }
        _ if is_heading(name) => open.len().checked_sub(1).filter(|at| is_heading(open[*at])),
        _ => None,
    };
    let paragraph = || innermost(open, &["p"], &CELLS).filter(|_| ENDS_PARAGRAPH.contains(&name));
    own.or_else(paragraph).unwrap_or(open.len())
}

/// The place, among the open elements, of the one that an end tag ends.
///
/// What is open inside a block ends with it; inside a piece of formatting it stays open.
pub(super) fn ended(open: &[&str], name: &str) -> Option<usize> {
    match name {
        "li" => innermost(open, &["li"], &["ul", "ol", "menu", "td", "th", "table"]),
        _ if is_heading(name) => innermost(open, &HEADINGS, &CELLS),
        "table" => innermost(open, &["table"], &[]),
        _ if TABLE.contains(&name) => innermost(open, &[name], &["table"]),
        _ => innermost(open, &[name], &CELLS),
    }
}

/// The innermost open element of one of these names, sought outwards up to a stop.
fn innermost(open: &[&str], names: &[&str], stops: &[&str]) -> Option<usize> {
    let found = open.iter().rposition(|one| names.contains(one) || stops.contains(one))?;
    names.contains(&open[found]).then_some(found)
}

fn is_heading(name: &str) -> bool {
    HEADINGS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_tags_end_what_cannot_hold_them() {
        for (open, name, kept) in [
            (&["ul", "li", "p"][..], "li", 1),
            (&["ul", "li", "ul"], "li", 3),
            (&["div", "p", "b"], "div", 1),
            (&["div", "p", "b"], "span", 3),
            (&["p", "table", "tr", "td"], "p", 4),
            (&["table", "tr", "td", "b"], "td", 2),
            (&["table", "tr", "td"], "tr", 1),
            (&["td", "table"], "tr", 2),
            (&["dl", "dt"], "dd", 1),
            (&["a", "b"], "a", 0),
            (&["a", "div"], "a", 2),
            (&["h1"], "h2", 0),
        ] {
            assert_eq!(kept_at_start(open, name), kept, "{open:?} {name}");
        }
    }

    #[test]
    fn end_tags_end_nothing_beyond_their_table() {
        for (open, name, at) in [
            (&["div", "table", "tr", "td"][..], "div", None),
            (&["div", "table", "tr", "td"], "tr", Some(2)),
            (&["div", "table", "tr", "td"], "table", Some(1)),
            (&["table", "tr", "td", "table"], "tr", None),
            (&["div", "a", "p"], "a", Some(1)),
            (&["h2", "b"], "h3", Some(0)),
            (&["li", "ul"], "li", None),
            (&["div"], "p", None),
        ] {
            assert_eq!(ended(open, name), at, "{open:?} {name}");
        }
    }
}
