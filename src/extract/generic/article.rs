//! The publication time of an article page of an unknown site.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;

use crate::domain::shanghai_date;

use super::declared::{dated, evidence, head, linked_data};
use super::evidence::{Evidence, Kind, Settled, is_day, settle};
use super::heading::{Heading, heading};
use super::label::{LINE_MAX, Label, has_byline, label};
use super::outline::Outline;
use super::written::{Written, full_dates, plausible};

/// How far from the title a date without a full label may stand, in bytes: a date stands rather
/// below it than above.
const BELOW_TITLE: usize = 900;
const ABOVE_TITLE: usize = 400;

/// Characters from which on a line with a full stop is a paragraph.
const SENTENCE_MIN: usize = 20;

/// A link with so many characters is the title of another article.
const LINK_MIN: usize = 9;

/// Bytes of the smallest element around a date in which such a link makes it an entry of a list.
const ENTRY_MAX: usize = 900;

/// What an article page says of itself.
pub(super) struct Article {
    pub(super) title: String,
    pub(super) settled: Settled,
    /// The address that the page names as its own.
    pub(super) own_address: Option<String>,
}

/// Reads an article page, or says why it is refused.
pub(super) fn read(
    outline: &Outline<'_>,
    address: Option<&str>,
    observed_at: DateTime<Utc>,
) -> Result<Article, String> {
    let head = head(&outline.unseen, observed_at);
    let heading = heading(outline, head.title.as_deref()).ok_or("no title on the page")?;
    let mut found = head.times;
    found.extend(linked_data(&outline.unseen, &heading.title, observed_at));
    found.extend(time_elements(outline, &heading, observed_at));
    found.extend(written(outline, &heading, observed_at));
    doubt_far_labels(&mut found);
    doubt_rendering(&mut found, observed_at);
    doubt_change(outline, &mut found, observed_at);
    let addresses = [address, head.address.as_deref()];
    found.extend(addresses.into_iter().flatten().filter_map(|one| dated(one, observed_at)));
    Ok(Article { title: heading.title, settled: settle(&found)?, own_address: head.address })
}

fn time_elements(
    outline: &Outline<'_>,
    heading: &Heading,
    observed_at: DateTime<Utc>,
) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (index, part) in outline.parts.iter().enumerate() {
        if part.margin || part.name != "time" {
            continue;
        }
        let Some(text) = part.attr("datetime") else { continue };
        let start = part.range.start;
        let shown = plausible(&text, observed_at)
            .map(|moment| Written { range: start..part.range.end.max(start), moment });
        let Some(written) = shown else { continue };
        let said = matches!(label(outline, &written), Label::Other(_));
        let named = part.attr("itemprop").unwrap_or_default();
        if said || in_list(outline, index) || named.contains("odified") {
            continue;
        }
        let declared = named.contains("ublished") || part.attr("pubdate").is_some();
        let weight = match (declared, near(outline, heading, start)) {
            (true, _) => 0.88,
            (false, true) => 0.8,
            (false, false) => 0.35,
        };
        found.extend(evidence(Kind::Element, weight, "datetime", "time", &text, observed_at));
    }
    found
}

/// Dates of the visible text, each with the weight that its words and place give it.
fn written(outline: &Outline<'_>, heading: &Heading, observed_at: DateTime<Utc>) -> Vec<Evidence> {
    let mut found = Vec::new();
    for date in full_dates(outline, observed_at) {
        let holder = outline.at(date.range.start);
        if outline.parts[holder].margin || in_list(outline, holder) {
            continue;
        }
        let near = near(outline, heading, date.range.start);
        let (kind, weight, place) = match label(outline, &date) {
            Label::Published(word) if near || !is_of_visitors(outline, holder, &word) => {
                (Kind::Label, if near { LABEL_NEAR } else { LABEL_FAR }, format!("label {word}"))
            }
            Label::Plain(word) if near => (Kind::Label, 0.78, format!("label {word}")),
            Label::Bare if near && !is_today(heading, &date, observed_at) => {
                let clock = if is_day(date.moment) { 0.0 } else { 0.08 };
                let byline = if has_byline(outline, &date) { 0.08 } else { 0.0 };
                (Kind::Bare, 0.66 + clock + byline, "date beside the title".to_owned())
            }
            _ => continue,
        };
        let text = outline.text[date.range].to_owned();
        found.push(Evidence { kind, moment: date.moment, weight, place, text });
    }
    found
}

/// Whether a label belongs to what visitors wrote below the article.
fn is_of_visitors(outline: &Outline<'_>, holder: usize, word: &str) -> bool {
    let small = |index: &usize| outline.parts[*index].range.len() <= VISITORS_MAX;
    let around = outline.around(holder).take(5).take_while(small);
    word.starts_with("发表于")
        || word.starts_with("发帖")
        || around.into_iter().any(|index| VISITORS.is_match(outline.text_of(index)))
}

/// Bytes of the largest element that is one box of comments.
const VISITORS_MAX: usize = 3000;

static VISITORS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^.{0,8}(?:评论|留言|回复|跟帖|网友)").expect("a fixed pattern"));

/// Whether a date above the title is that of the visit, as headers of sites show it.
fn is_today(heading: &Heading, date: &Written, observed_at: DateTime<Utc>) -> bool {
    let above = heading.places.first().is_some_and(|title| date.range.start < title.start);
    above && date.day() == shanghai_date(observed_at)
}

/// Labels far from the title are those of related articles and comments as often as the page's own:
/// beside one at the title they only confirm, and alone they must agree.
fn doubt_far_labels(found: &mut Vec<Evidence>) {
    let near = |one: &Evidence| one.kind == Kind::Label && one.weight > LABEL_FAR;
    let far = |one: &Evidence| one.kind == Kind::Label && one.weight <= LABEL_FAR;
    if found.iter().any(near) {
        for one in found.iter_mut().filter(|one| far(one)) {
            one.weight = FAR_CONFIRMS;
        }
        return;
    }
    let days = found.iter().filter(|one| far(one)).map(|one| shanghai_date(one.moment.at));
    let days = days.collect::<Vec<_>>();
    if days.windows(2).any(|pair| pair[0] != pair[1]) {
        found.retain(|one| !far(one));
    }
}

/// A day in the head that is the day of the visit may be that of rendering: where a label says
/// another, it only confirms.
fn doubt_rendering(found: &mut [Evidence], observed_at: DateTime<Utc>) {
    let today = shanghai_date(observed_at);
    let day = |one: &Evidence| shanghai_date(one.moment.at);
    let labelled = |one: &Evidence| one.kind == Kind::Label && one.weight >= LABEL_FAR;
    if found.iter().any(|one| labelled(one) && day(one) != today) {
        for one in found.iter_mut().filter(|one| one.kind == Kind::Meta && day(one) == today) {
            one.weight = one.weight.min(CONFIRMS_ONLY);
        }
    }
}

/// `pubDate` of linked data is as often the last change: on a day that the page itself calls so, it
/// only confirms.
fn doubt_change(outline: &Outline<'_>, found: &mut [Evidence], observed_at: DateTime<Utc>) {
    let doubtful = |one: &Evidence| one.kind == Kind::Data && one.place.ends_with("pubDate");
    if !found.iter().any(doubtful) {
        return;
    }
    let dates = full_dates(outline, observed_at).into_iter();
    let changed = dates.filter(|date| match label(outline, date) {
        Label::Other(word) => word.contains("更新") || word.contains("修改"),
        _ => false,
    });
    let days = changed.map(|date| date.day()).collect::<Vec<_>>();
    for one in found.iter_mut().filter(|one| doubtful(one)) {
        if days.contains(&shanghai_date(one.moment.at)) {
            one.weight = one.weight.min(CONFIRMS_ONLY);
        }
    }
}

/// The weight of a publication label beside the title and elsewhere, and of what is not enough
/// alone.
const LABEL_NEAR: f64 = 0.88;
const LABEL_FAR: f64 = 0.7;
const FAR_CONFIRMS: f64 = 0.35;
const CONFIRMS_ONLY: f64 = 0.45;

/// Whether a place is beside the title, with no paragraph between.
fn near(outline: &Outline<'_>, heading: &Heading, offset: usize) -> bool {
    heading.places.iter().any(|title| {
        let between = if offset >= title.end {
            (offset - title.end <= BELOW_TITLE).then(|| &outline.text[title.end..offset])
        } else {
            let gap = title.start.checked_sub(offset).filter(|gap| *gap <= ABOVE_TITLE);
            gap.map(|_| &outline.text[offset..title.start])
        };
        between.is_some_and(|between| !between.split('\n').any(is_paragraph))
    })
}

fn is_paragraph(line: &str) -> bool {
    let length = line.chars().count();
    length > LINE_MAX || length >= SENTENCE_MIN && line.contains('。')
}

/// Whether a date belongs to a link to another article.
fn in_list(outline: &Outline<'_>, index: usize) -> bool {
    let links = |index: usize| {
        let inside = outline.links_in(&outline.parts[index].range).iter();
        inside.into_iter().any(|link| outline.text_of(*link).chars().count() >= LINK_MIN)
    };
    outline.around(index).take(6).any(|above| {
        let part = &outline.parts[above];
        let entry = matches!(part.name, "li" | "tr" | "dd" | "dt" | "dl" | "a");
        (entry || above == index) && part.range.len() <= ENTRY_MAX && links(above)
    })
}
