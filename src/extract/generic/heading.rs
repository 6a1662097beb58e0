//! The title of an article and where it stands.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::extract::text::{even_blanks, half_width};

use super::outline::Outline;
use super::reference::decoded;

/// Characters from which on a text can be a title.
const TITLE_MIN: usize = 4;

/// A title that stands in more places than these is looked for in the first of them only.
const PLACES_MAX: usize = 40;

static SEPARATOR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\s*(?:[_|–—>]|-{1,3}|::)\s*").expect("a fixed pattern"));

static OFFICE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^.{0,10}(?:局|厅|委员会|委|政府|办公室|中心|网|网站|门户)$")
        .expect("a fixed pattern")
});

/// A title and every place of the visible text where it stands as one.
pub(super) struct Heading {
    pub(super) title: String,
    /// Whole lines of the outline's text.
    pub(super) places: Vec<Range<usize>>,
}

/// Finds the title: as the page's own meta tags name it, else the line of the page that the
/// document title begins with, else the largest heading.
pub(super) fn heading(outline: &Outline<'_>, named: Option<&str>) -> Option<Heading> {
    let document = outline.unseen.title.map(decoded);
    let mut wanted = named.into_iter().map(even_blanks).collect::<Vec<_>>();
    let document = document.as_deref().map(even_blanks);
    // Some sites put nothing but their own name there.
    wanted.extend(document.clone().filter(|title| !OFFICE.is_match(title)));
    wanted.retain(|title| title.chars().count() >= TITLE_MIN);
    for title in &wanted {
        let places = lines_of(outline, title);
        if let Some(first) = places.first() {
            let shown = outline.text[first.clone()].to_owned();
            let title = if named.is_some() { title.clone() } else { shown };
            return Some(Heading { title, places });
        }
    }
    let largest = largest(outline);
    let title = named.map(even_blanks).filter(|title| title.chars().count() >= TITLE_MIN);
    let title = title.or_else(|| largest.clone().map(|place| outline.text[place].to_owned()));
    let title = title.or_else(|| Some(bare(wanted.first()?))).or(document)?;
    Some(Heading { title, places: largest.into_iter().collect() })
}

/// Lines that are the title, or its first part.
fn lines_of(outline: &Outline<'_>, title: &str) -> Vec<Range<usize>> {
    let compact =
        |text: &str| half_width(text).chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let whole = compact(title);
    let parts = SEPARATOR.split(title).map(compact).collect::<Vec<_>>();
    let mut found: Vec<(bool, Range<usize>)> = Vec::new();
    let mut start = 0;
    for line in outline.text.split('\n') {
        let range = start..start + line.len();
        start = range.end + 1;
        let length = line.chars().count();
        if length < TITLE_MIN || length > whole.chars().count() + 20 {
            continue;
        }
        let text = compact(line);
        let is_first = parts.first().is_some_and(|part| *part == text);
        let begins = text.chars().count() >= 8 && whole.starts_with(&text);
        let margin = outline.parts[outline.at(range.start)].margin;
        if !margin && (text == whole || is_first || begins) {
            found.push((text == whole, range));
        }
    }
    if found.iter().any(|(exact, _)| *exact) {
        found.retain(|(exact, _)| *exact);
    }
    let mut places = found.into_iter().map(|(_, range)| range).collect::<Vec<_>>();
    places.truncate(PLACES_MAX);
    // A link of that name is met in lists; broken markup puts the title itself into one.
    let linked = |range: &Range<usize>| {
        let mut above = outline.around(outline.at(range.start)).take(4);
        above.any(|index| outline.parts[index].name == "a")
    };
    if places.iter().any(|range| !linked(range)) {
        places.retain(|range| !linked(range));
    }
    places
}

/// The first heading of the highest rank that is no site name.
fn largest(outline: &Outline<'_>) -> Option<Range<usize>> {
    let headings = outline.parts.iter().filter_map(|part| {
        let rank = ["h1", "h2", "h3"].iter().position(|heading| *heading == part.name)?;
        let text = outline.text.get(part.range.clone())?.trim_end_matches('\n');
        let long = text.chars().count() >= TITLE_MIN && !text.contains('\n');
        (long && !part.margin).then_some((rank, part.range.start..part.range.start + text.len()))
    });
    headings.min_by_key(|(rank, _)| *rank).map(|(_, range)| range)
}

/// A document title without the names of column and site behind it.
fn bare(title: &str) -> String {
    let first = SEPARATOR.split(title).next().unwrap_or(title);
    if first.chars().count() >= TITLE_MIN { first.to_owned() } else { title.to_owned() }
}
