//! Links with a date of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::domain::Moment;
use crate::extract::text::even_blanks;
use crate::extract::value::title_length;

use super::outline::Outline;
use super::written::Written;

/// Characters from which on a link can be the title of a post.
const TITLE_MIN: usize = 4;

/// The longest text of one entry, in bytes: a summary may be part of it.
const ENTRY_MAX: usize = 3000;

static NO_POST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^\s*(?:javascript:|mailto:|tel:|#|$)").expect("a fixed pattern")
});
static DATE_AROUND: LazyLock<Regex> = LazyLock::new(|| {
    let day = r"[\[(（【]?(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?";
    let date = format!(r"{day}(?: \d{{1,2}}:\d{{2}}(?::\d{{2}})?)?[\])）】]?");
    Regex::new(&format!(r"^{date}\s*|\s*{date}$")).expect("a fixed pattern")
});

/// One entry of a list.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The element that holds the whole list.
    pub(super) container: usize,
    /// The entry's text, in bytes of the outline's text.
    pub(super) range: Range<usize>,
    /// The part of it in which links are the entry's own, such as that to a department.
    pub(super) own: Range<usize>,
    /// The link as it stands in the page.
    pub(super) href: String,
    pub(super) title: String,
    pub(super) moment: Moment,
    /// The date as it is written.
    pub(super) text: String,
    pub(super) margin: bool,
}

/// A link that may be a post.
struct Titled {
    part: usize,
    start: usize,
    href: String,
    title: String,
}

/// Pairs dates with links: the smallest element with one link to a post and dates of one day, or
/// an element in which links and dates take turns.
pub(super) fn entries(outline: &Outline<'_>, dates: &[Written]) -> Vec<Entry> {
    let links = titled(outline);
    let mut pairs: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut turns: BTreeSet<usize> = BTreeSet::new();
    for (at, date) in dates.iter().enumerate() {
        for element in outline.around(outline.at(date.range.start)) {
            let range = &outline.parts[element].range;
            let places = within(&links, range);
            let inside = &links[places.clone()];
            if inside.is_empty() {
                continue;
            }
            let here = dates_within(dates, range);
            let one_day = dates[here.clone()].iter().all(|one| one.day() == date.day());
            let one_post = inside.iter().all(|link| link.href == inside[0].href);
            if here.len() > 1 && (!one_day || !one_post) {
                turns.insert(element);
            } else if range.len() <= ENTRY_MAX {
                pairs.entry(element).or_insert((longest(places, &links), at));
            }
            break;
        }
    }
    let mut found = Vec::new();
    let marks = pairs.keys().copied().collect::<Vec<_>>();
    for (element, (link, date)) in pairs {
        let outer = widest(outline, element, &marks, &turns);
        let container = outline.parts[outer].parent;
        let range = outline.parts[outer].range.clone();
        let around = row(outline, element, outer);
        let named = around.and_then(|row| title_of(outline, row, &links));
        let link = &links[named.unwrap_or(link)];
        let own = outline.parts[around.unwrap_or(element)].range.clone();
        let entry = entry(outline, link, &dates[date], container, range);
        found.extend(entry.map(|entry| Entry { own, ..entry }));
    }
    for element in turns {
        found.extend(taking_turns(outline, element, &links, dates));
    }
    found.sort_by_key(|entry| entry.range.start);
    found
}

fn titled(outline: &Outline<'_>) -> Vec<Titled> {
    let links = outline.links.iter().filter_map(|part| {
        let element = &outline.parts[*part];
        let href = element.attr("href")?;
        if NO_POST.is_match(&href) {
            return None;
        }
        let shown = even_blanks(outline.text_of(*part));
        let shown = DATE_AROUND.replace_all(&shown, "").trim().to_owned();
        let named = even_blanks(&element.attr("title").unwrap_or_default());
        let longer = named.chars().count() >= shown.chars().count() || shown.ends_with(['…', '.']);
        let title = if longer && !named.is_empty() { named } else { shown };
        let long = title.chars().count() >= TITLE_MIN;
        let (part, start, href) = (*part, element.range.start, href.trim().to_owned());
        long.then_some(Titled { part, start, href, title })
    });
    links.collect()
}

fn within(links: &[Titled], range: &Range<usize>) -> Range<usize> {
    let from = links.partition_point(|link| link.start < range.start);
    let to = links.partition_point(|link| link.start < range.end);
    from..to.max(from)
}

fn dates_within(dates: &[Written], range: &Range<usize>) -> Range<usize> {
    let from = dates.partition_point(|date| date.range.start < range.start);
    let to = dates.partition_point(|date| date.range.start < range.end);
    from..to.max(from)
}

/// The place, among all links, of the first of those with the longest title.
fn longest(places: Range<usize>, links: &[Titled]) -> usize {
    let length = |place: &usize| links[*place].title.chars().count();
    // Of several, the first: `max_by_key` keeps the last.
    places.rev().max_by_key(length).unwrap_or_default()
}

/// The outermost element that holds this entry and no other.
fn widest(outline: &Outline<'_>, element: usize, all: &[usize], turns: &BTreeSet<usize>) -> usize {
    let alone = |index: usize| {
        let range = &outline.parts[index].range;
        let before = |at: usize| all.partition_point(|one| outline.parts[*one].range.start < at);
        let inside = before(range.end).saturating_sub(before(range.start));
        inside == 1 && !turns.contains(&index) && range.len() <= ENTRY_MAX
    };
    outline
        .around(element)
        .skip(1)
        .take_while(|index| *index > 0 && alone(*index))
        .last()
        .unwrap_or(element)
}

/// The element made to hold one entry, from a date with a link outwards.
fn row(outline: &Outline<'_>, element: usize, outer: usize) -> Option<usize> {
    let mut around = outline.around(element).take_while(|index| *index >= outer);
    around.find(|index| matches!(outline.parts[*index].name, "li" | "tr" | "dl" | "article"))
}

/// The place of the link that names the entry: a heading's, else the first that is more than half
/// as long as the longest. Beside it stand departments, categories and keywords.
fn title_of(outline: &Outline<'_>, row: usize, links: &[Titled]) -> Option<usize> {
    let places = within(links, &outline.parts[row].range);
    if places.len() > ENTRY_LINKS_MAX {
        return None;
    }
    let heading = places.clone().find(|place| {
        let mut above = outline.around(links[*place].part).take_while(|index| *index > row);
        above.any(|index| matches!(outline.parts[index].name, "h1" | "h2" | "h3" | "h4" | "h5"))
    });
    heading.or_else(|| {
        let length = |place: &usize| title_length(&links[*place].title);
        let most = places.clone().map(|place| length(&place)).max()?;
        places.into_iter().find(|place| length(place) * 2 > most)
    })
}

/// The most links in an entry: more are a list.
const ENTRY_LINKS_MAX: usize = 8;

/// Link, date, link, date … without an element around each pair.
fn taking_turns(
    outline: &Outline<'_>,
    element: usize,
    links: &[Titled],
    dates: &[Written],
) -> Vec<Entry> {
    let range = outline.parts[element].range.clone();
    let links = &links[within(links, &range)];
    let dates = &dates[dates_within(dates, &range)];
    if links.len() != dates.len() {
        return Vec::new();
    }
    let link_first = links[0].start < dates[0].range.start;
    let mut entries = Vec::new();
    for (at, (link, date)) in links.iter().zip(dates).enumerate() {
        let (first, second) = if link_first {
            (link.start, date.range.start)
        } else {
            (date.range.start, link.start)
        };
        let next = match (link_first, links.get(at + 1), dates.get(at + 1)) {
            (true, Some(link), _) => link.start,
            (false, _, Some(date)) => date.range.start,
            _ => range.end,
        };
        if first > second || second >= next {
            return Vec::new();
        }
        entries.extend(entry(outline, link, date, element, first..next));
    }
    entries
}

fn entry(
    outline: &Outline<'_>,
    link: &Titled,
    date: &Written,
    container: usize,
    range: Range<usize>,
) -> Option<Entry> {
    Some(Entry {
        container,
        own: range.clone(),
        range,
        href: link.href.clone(),
        title: link.title.clone(),
        moment: date.moment,
        text: outline.text.get(date.range.clone())?.to_owned(),
        margin: outline.parts[link.part].margin,
    })
}
