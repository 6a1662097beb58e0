//! RSS, Atom and JSON Feed in one JSON form that platform files can name paths of.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use feed_rs::model::{Entry, Feed, Link, Text};
use feed_rs::parser;
use regex::Regex;
use serde_json::{Value, json};
use url::Url;

use crate::domain::SHANGHAI;

use super::digest::{normalised, sha256};
use super::moment::moment;
use super::text::unescape;

mod repair;

static DECLARATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*<\?xml[^>]*\?>").expect("a fixed pattern"));

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"https?://[^\s"'<>\[\]\\]+"#).expect("a fixed pattern"));

/// `{title, updated, entries: [{id, link, title, text, published, updated, author}]}`; times as
/// they stand in the feed.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    // The text is decoded already; its declaration would have it decoded again.
    let text = DECLARATION.replace(text.trim_start_matches('\u{feff}'), "");
    let text = repair::as_named(&text);
    let text = repair::published_once(&text);
    let text = repair::modern(&text);
    // Most feeds are right as they are: nothing is changed that can be read.
    parsed(&text).or_else(|reason| {
        let repaired = repair::repaired(&text).filter(|repaired| *repaired != text);
        repaired.and_then(|repaired| parsed(&repaired).ok()).ok_or(reason)
    })
}

fn parsed(text: &str) -> Result<Value, String> {
    let times = WrittenTimes::default();
    let links = WrittenLinks::of(text);
    let record = times.clone();
    let parser = parser::Builder::new()
        .timestamp_parser(move |text| record.keep(text))
        .id_generator(|links, title, _| own_id(links, title.as_ref()))
        .build();
    let feed = parser.parse(text.as_bytes()).map_err(|error| format!("not a feed: {error}"))?;
    Ok(document(&feed, &times, &links))
}

/// The parser keeps links in normal form; a reference is the link as it is written.
struct WrittenLinks(HashMap<String, String>);

impl WrittenLinks {
    fn of(text: &str) -> Self {
        let written = LINK.find_iter(text).map(|found| unescape(found.as_str()));
        let pairs = written.filter_map(|link| Some((Url::parse(&link).ok()?.into(), link)));
        Self(pairs.filter(|(normal, link): &(String, String)| normal != link).collect())
    }

    fn text<'a>(&'a self, link: &'a str) -> &'a str {
        self.0.get(link).map_or(link, String::as_str)
    }
}

/// The parser keeps instants only; what a feed wrote tells its precision and its offset.
#[derive(Clone, Default)]
struct WrittenTimes(Arc<Mutex<HashMap<DateTime<Utc>, String>>>);

impl WrittenTimes {
    fn keep(&self, text: &str) -> Option<DateTime<Utc>> {
        let day = NaiveDate::from_ymd_opt(2000, 1, 1)?.and_time(NaiveTime::MIN);
        let unused = SHANGHAI.from_local_datetime(&day).single()?.to_utc();
        let at = moment(text, unused)?.at;
        self.lock().insert(at, text.trim().to_owned());
        Some(at)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DateTime<Utc>, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, at: Option<DateTime<Utc>>) -> Value {
        let times = self.lock();
        at.and_then(|at| times.get(&at)).map_or(Value::Null, |text| json!(text))
    }
}

/// An entry without an id is known by its link.
fn own_id(links: &[Link], title: Option<&Text>) -> String {
    let link = main_link(links).map(str::to_owned);
    link.or_else(|| title.map(|title| title.content.clone())).unwrap_or_default()
}

fn main_link(links: &[Link]) -> Option<&str> {
    let alternate = links.iter().find(|link| link.rel.as_deref() == Some("alternate"));
    let main = alternate.or_else(|| links.iter().find(|link| link.rel.is_none()));
    main.or_else(|| links.first()).map(|link| link.href.trim())
}

fn document(feed: &Feed, times: &WrittenTimes, links: &WrittenLinks) -> Value {
    let entries = feed.entries.iter().map(|entry| entry_document(entry, times, links));
    json!({
        "title": feed.title.as_ref().map(|title| title.content.trim()),
        "link": main_link(&feed.links),
        "updated": times.text(feed.updated.or(feed.published)),
        "entries": entries.collect::<Vec<_>>(),
    })
}

fn entry_document(entry: &Entry, times: &WrittenTimes, links: &WrittenLinks) -> Value {
    let body = entry.content.as_ref().and_then(|content| content.body.as_deref());
    let text = body.or_else(|| entry.summary.as_ref().map(|text| text.content.as_str()));
    let id = links.text(entry.id.trim());
    // An item of RSS 0.92 may be nothing but its text.
    let words = text.filter(|text| id.is_empty() && !text.trim().is_empty());
    let words = words.map(|text| sha256(&normalised(text)));
    json!({
        "id": words.as_deref().unwrap_or(id),
        "link": main_link(&entry.links).map(|link| links.text(link)),
        "title": entry.title.as_ref().map(|title| title.content.trim()),
        "text": text,
        "published": times.text(entry.published),
        "updated": times.text(entry.updated),
        "author": entry.authors.first().and_then(|person| person.name.as_deref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_as_they_are_written() {
        let feed = "<?xml version='1.0' encoding='gb2312'?><rss version='2.0'><channel><title>某局\
                    </title><item><title>一</title><link>https://a.example/1</link><pubdate>\
                    Tue, 07 May 2024 00:52:18 +0000</pubdate></item><item><title>二</title>\
                    <guid>x</guid><pubDate>2024-05-06</pubDate></item></channel></rss>";
        let document = parse(feed).unwrap();
        assert_eq!(document["entries"][0]["published"], "Tue, 07 May 2024 00:52:18 +0000");
        assert_eq!(document["entries"][0]["id"], "https://a.example/1");
        assert_eq!(document["entries"][1]["published"], "2024-05-06");
        assert_eq!(document["entries"][1]["id"], "x");
    }

    #[test]
    fn feeds_of_older_forms_and_with_loose_ampersands_are_read() {
        let atom = "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><title>某局</title><entry>\
                    <title>一</title><id>tag:a</id><issued>2004-01-05T10:00:00+08:00</issued>\
                    <modified>2004-01-06T10:00:00Z</modified></entry></feed>";
        let document = parse(atom).unwrap();
        assert_eq!(document["entries"][0]["published"], "2004-01-05T10:00:00+08:00");
        let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
                   xmlns='http://my.netscape.com/rdf/simple/0.9/'><channel><title>某局</title>\
                   </channel><item><title>一</title><link>http://a.example/1</link></item>\
                   </rdf:RDF>";
        assert_eq!(parse(rdf).unwrap()["entries"][0]["link"], "http://a.example/1");
        let loose = "<rss version='2.0'><channel><title>A & B&nbsp;局</title><item><title>一</title>\
                     <link>http://a.example/?a=1&b=2</link></item></channel></rss>";
        let document = parse(loose).unwrap();
        assert_eq!(document["entries"][0]["link"], "http://a.example/?a=1&b=2");
        assert_eq!(document["title"], "A & B 局");
    }

    #[test]
    fn what_is_no_feed_is_refused() {
        assert!(parse("<html><body>请登录</body></html>").is_err());
        assert!(parse("").is_err());
    }
}
