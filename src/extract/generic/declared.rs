//! What a page declares beside its visible text: meta tags, linked data, its address.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use regex::Regex;
use serde_json::Value;

use super::evidence::{Evidence, Kind};
use super::outline::Unseen;
use super::tag::Attributes;
use super::written::plausible;

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

static ADDRESS_DATE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = concat!(
        r"[/_=]t?(?P<year>(?:19|20)\d{2})(?:[-_/]?)(?P<month>0[1-9]|1[0-2]|[1-9]/)(?:[-_/]?)",
        r"(?P<day>0[1-9]|[12]\d|3[01]|[1-9]/)(?:[/_.-]|c|$)",
    );
    Regex::new(pattern).expect("a fixed pattern")
});
static LINKED_DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""(datePublished|pubDate)"\s*:\s*"([^"]{8,40})""#).expect("a fixed pattern")
});

/// What the meta tags of a page say.
#[derive(Default)]
pub(super) struct Head {
    pub(super) title: Option<String>,
    /// The address that the page names as its own.
    pub(super) address: Option<String>,
    pub(super) times: Vec<Evidence>,
}

/// Reads the meta tags.
pub(super) fn head(unseen: &Unseen<'_>, observed_at: DateTime<Utc>) -> Head {
    let mut head = Head::default();
    for meta in &unseen.metas {
        let Some(content) = meta.get("content") else { continue };
        let content = content.trim();
        let names = ["name", "property", "itemprop"].into_iter().filter_map(|key| meta.get(key));
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
        let canonical = |link: &&Attributes<'_>| link.get("rel").as_deref() == Some("canonical");
        let link = unseen.links.iter().find(canonical).and_then(|link| link.get("href"));
        head.address = link.map(|link| link.trim().to_owned());
    }
    head.title = head.title.filter(|title| !title.is_empty());
    head.address = head.address.filter(|address| address.starts_with("http"));
    head
}

/// A place that names a time, where it names one.
pub(super) fn evidence(
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
pub(super) fn linked_data(
    unseen: &Unseen<'_>,
    title: &str,
    observed_at: DateTime<Utc>,
) -> Vec<Evidence> {
    let title = compact(title);
    let mut dates = Vec::new();
    for script in &unseen.linked_data {
        match serde_json::from_str::<Value>(script) {
            Ok(value) => published(&value, &title, &mut dates),
            // Line ends inside strings are not JSON, and frequent. Of several articles, which one
            // is this page's cannot be told then.
            Err(_) => {
                let found = LINKED_DATE.captures_iter(script);
                let mut found = found.map(|m| (m[1].to_owned(), m[2].to_owned()));
                if let (Some((key, text)), None) = (found.next(), found.next()) {
                    dates.push(Declared { key, text, named: false });
                }
            }
        }
    }
    // An object that names the page's own title knows better than one that names none.
    if dates.iter().any(|date| date.named) {
        dates.retain(|date| date.named);
    }
    let found = dates.iter().filter_map(|date| {
        evidence(Kind::Data, 0.93, &date.key, "JSON-LD", &date.text, observed_at)
    });
    found.collect()
}

/// A date of linked data.
struct Declared {
    key: String,
    text: String,
    /// Whether its object carries the page's title.
    named: bool,
}

/// The dates of the page itself: of an object without a headline, or with the page's.
fn published(value: &Value, title: &str, dates: &mut Vec<Declared>) {
    if let Value::Array(values) = value {
        values.iter().for_each(|value| published(value, title, dates));
        return;
    }
    let headline = ["headline", "title"].iter().find_map(|key| value.get(key)?.as_str());
    let headline = headline.map(compact).filter(|headline| !headline.is_empty());
    let own = headline
        .as_ref()
        .is_none_or(|headline| headline.contains(title) || title.contains(headline));
    if own && is_page(value.get("@type")) {
        let date = ["datePublished", "pubDate"]
            .iter()
            .find_map(|key| Some((key, value.get(key)?.as_str()?)));
        dates.extend(date.map(|(key, text)| Declared {
            key: (*key).to_owned(),
            text: text.to_owned(),
            named: headline.is_some(),
        }));
    }
    for inside in ["@graph", "mainEntity", "mainEntityOfPage"] {
        if let Some(inside) = value.get(inside) {
            published(inside, title, dates);
        }
    }
}

/// Whether an object of this type is the page or its article: the site, its owner and the way to
/// the page have dates of their own.
fn is_page(kind: Option<&Value>) -> bool {
    let known = |kind: &str| {
        kind.is_empty()
            || ["Article", "Posting", "Page", "Report", "CreativeWork", "DigitalDocument"]
                .iter()
                .any(|end| kind.ends_with(end))
    };
    match kind {
        None => true,
        Some(Value::String(kind)) => known(kind),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(known),
        Some(_) => false,
    }
}

fn compact(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

/// The day in an address: the last resort.
pub(super) fn dated(address: &str, observed_at: DateTime<Utc>) -> Option<Evidence> {
    let path = address.split(['?', '#']).next()?;
    let found = ADDRESS_DATE.captures(path)?;
    let part = |name: &str| found.name(name).map(|part| part.as_str().trim_end_matches('/'));
    let text = format!("{}-{}-{}", part("year")?, part("month")?, part("day")?);
    evidence(Kind::Address, 0.63, "date", "address", &text, observed_at)
}
