//! The publication time of an article page of an unknown site.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;
use scraper::{ElementRef, Selector};
use serde_json::Value;

use super::evidence::{Evidence, Kind, Settled, is_day, settle};
use super::heading::{Heading, heading};
use super::label::{LINE_MAX, Label, has_byline, label};
use super::outline::Outline;
use super::written::{Written, full_dates, plausible};

/// Names of meta tags, in lower case, with how far they are to be believed. `PubDate` is what the
/// national standard for government sites asks for; `date` is as often the day of
/// rendering: it confirms, but is not enough alone.
const META: [(&str, f64); 28] = [
    ("pubdate", 0.93),
    ("article:published_time", 0.93),
    ("og:published_time", 0.93),
    ("og:article:published_time", 0.93),
    ("og:release_date", 0.93),
    ("publishdate", 0.92),
    ("publish_date", 0.92),
    ("publish-date", 0.92),
    ("publishtime", 0.92),
    ("publish_time", 0.92),
    ("published_time", 0.92),
    ("datepublished", 0.92),
    ("bytedance:published_time", 0.92),
    ("apub:time", 0.92),
    ("weibo:article:create_at", 0.9),
    ("firstpublishedtime", 0.92),
    ("firstcreatetime", 0.85),
    ("releasedate", 0.9),
    ("_pubtime", 0.92),
    ("pubtime", 0.92),
    ("dc.date.issued", 0.92),
    ("dcterms.issued", 0.92),
    ("dcterms.created", 0.85),
    ("dc.date.created", 0.85),
    ("dc.date", 0.7),
    ("createdate", 0.75),
    ("article_date_original", 0.92),
    ("date", 0.45),
];

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

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a fixed selector")
}

static METAS: LazyLock<Selector> = LazyLock::new(|| selector("meta[content]"));
static LINKED_DATA: LazyLock<Selector> =
    LazyLock::new(|| selector(r#"script[type="application/ld+json" i]"#));
static CANONICAL: LazyLock<Selector> = LazyLock::new(|| selector(r#"link[rel="canonical"][href]"#));
static ADDRESS_DATE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = concat!(
        r"[/_t=](?P<year>(?:19|20)\d{2})(?:[-_/]?)(?P<month>0[1-9]|1[0-2]|[1-9]/)(?:[-_/]?)",
        r"(?P<day>0[1-9]|[12]\d|3[01]|[1-9]/)(?:[/_.-]|c|$)",
    );
    Regex::new(pattern).expect("a fixed pattern")
});
static LINKED_DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""(?:datePublished|pubDate)"\s*:\s*"([^"]{8,40})""#).expect("a fixed pattern")
});

/// What an article page says of itself.
pub(super) struct Article {
    pub(super) title: String,
    pub(super) settled: Settled,
    /// The address that the page names as its own.
    pub(super) own_address: Option<String>,
}

/// What the meta tags of a page say.
#[derive(Default)]
struct Head {
    title: Option<String>,
    address: Option<String>,
    times: Vec<Evidence>,
}

/// Reads an article page, or says why it is refused.
pub(super) fn read(
    root: ElementRef<'_>,
    outline: &Outline<'_>,
    address: Option<&str>,
    observed_at: DateTime<Utc>,
) -> Result<Article, String> {
    let head = head(root, observed_at);
    let heading = heading(root, outline, head.title.as_deref()).ok_or("no title on the page")?;
    let mut evidence = head.times;
    evidence.extend(linked_data(root, observed_at));
    evidence.extend(time_elements(outline, &heading, observed_at));
    evidence.extend(written(outline, &heading, observed_at));
    let addresses = [address, head.address.as_deref()];
    evidence.extend(addresses.into_iter().flatten().filter_map(|one| dated(one, observed_at)));
    Ok(Article { title: heading.title, settled: settle(&evidence)?, own_address: head.address })
}

fn head(root: ElementRef<'_>, observed_at: DateTime<Utc>) -> Head {
    let mut head = Head::default();
    for meta in root.select(&METAS) {
        let content = meta.attr("content").unwrap_or_default().trim();
        let names = ["name", "property", "itemprop"].into_iter().filter_map(|key| meta.attr(key));
        for name in names {
            let name = name.trim().to_ascii_lowercase();
            match name.as_str() {
                "articletitle" => head.title = Some(content.to_owned()),
                "og:title" if head.title.is_none() => head.title = Some(content.to_owned()),
                "url" | "og:url" => head.address = Some(content.to_owned()),
                _ => {}
            }
            let known = META.iter().find(|(known, _)| *known == name);
            let Some((_, weight)) = known else { continue };
            head.times.extend(evidence(Kind::Meta, *weight, &name, "meta", content, observed_at));
        }
    }
    if head.address.is_none() {
        let link = root.select(&CANONICAL).next().and_then(|link| link.attr("href"));
        head.address = link.map(|link| link.trim().to_owned());
    }
    head.title = head.title.filter(|title| !title.is_empty());
    head.address = head.address.filter(|address| address.starts_with("http"));
    head
}

fn evidence(
    kind: Kind,
    weight: f64,
    name: &str,
    place: &str,
    text: &str,
    observed_at: DateTime<Utc>,
) -> Option<Evidence> {
    let moment = plausible(text, observed_at)?;
    Some(Evidence { kind, moment, weight, place: format!("{place} {name}"), text: text.to_owned() })
}

/// `datePublished` of linked data: of an article, not of what it links to.
fn linked_data(root: ElementRef<'_>, observed_at: DateTime<Utc>) -> Vec<Evidence> {
    let mut texts = Vec::new();
    for script in root.select(&LINKED_DATA) {
        let script = script.text().collect::<String>();
        match serde_json::from_str::<Value>(&script) {
            Ok(value) => published(&value, &mut texts),
            // Line ends inside strings are not JSON, and frequent.
            Err(_) => texts.extend(LINKED_DATE.captures_iter(&script).map(|m| m[1].to_owned())),
        }
    }
    let found = texts.iter().filter_map(|text| {
        evidence(Kind::Data, 0.93, "datePublished", "JSON-LD", text, observed_at)
    });
    found.collect()
}

fn published(value: &Value, texts: &mut Vec<String>) {
    let one = |value: &Value, texts: &mut Vec<String>| {
        let date = value.get("datePublished").or_else(|| value.get("pubDate"));
        texts.extend(date.and_then(Value::as_str).map(str::to_owned));
    };
    match value {
        Value::Array(values) => values.iter().for_each(|value| one(value, texts)),
        value => {
            one(value, texts);
            let graph = value.get("@graph").and_then(Value::as_array);
            graph.into_iter().flatten().for_each(|value| one(value, texts));
        }
    }
}

fn time_elements(
    outline: &Outline<'_>,
    heading: &Heading,
    observed_at: DateTime<Utc>,
) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (index, part) in outline.parts.iter().enumerate() {
        if part.margin || part.element.value().name() != "time" {
            continue;
        }
        let Some(text) = part.element.attr("datetime") else { continue };
        let start = part.range.start;
        let shown = plausible(text, observed_at)
            .map(|moment| Written { range: start..part.range.end.max(start), moment });
        let Some(written) = shown else { continue };
        let said = matches!(label(outline, &written), Label::Other(_));
        let named = part.element.attr("itemprop").unwrap_or_default();
        if said || in_list(outline, index) || named.contains("odified") {
            continue;
        }
        let declared = named.contains("ublished") || part.element.attr("pubdate").is_some();
        let weight = match (declared, near(outline, heading, start)) {
            (true, _) => 0.88,
            (false, true) => 0.8,
            (false, false) => 0.35,
        };
        found.extend(evidence(Kind::Element, weight, "datetime", "time", text, observed_at));
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
            Label::Published(word) => {
                (Kind::Label, if near { 0.88 } else { 0.7 }, format!("label {word}"))
            }
            Label::Plain(word) if near => (Kind::Label, 0.78, format!("label {word}")),
            Label::Bare if near => {
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
        let range = &outline.parts[index].range;
        let inside =
            outline.links.partition_point(|link| outline.parts[*link].range.start < range.start);
        outline.links[inside..]
            .iter()
            .take_while(|link| outline.parts[**link].range.start < range.end)
            .any(|link| outline.text_of(*link).chars().count() >= LINK_MIN)
    };
    outline.around(index).take(6).any(|above| {
        let part = &outline.parts[above];
        let name = part.element.value().name();
        let entry = matches!(name, "li" | "tr" | "dd" | "dt" | "dl" | "a");
        (entry || above == index) && part.range.len() <= ENTRY_MAX && links(above)
    })
}

/// The day in an address: the last resort.
fn dated(address: &str, observed_at: DateTime<Utc>) -> Option<Evidence> {
    let path = address.split(['?', '#']).next()?;
    let found = ADDRESS_DATE.captures(path)?;
    let part = |name: &str| found.name(name).map(|part| part.as_str().trim_end_matches('/'));
    let text = format!("{}-{}-{}", part("year")?, part("month")?, part("day")?);
    evidence(Kind::Address, 0.63, "date", "address", &text, observed_at)
}
