//! What a saved page is expected to say: a file beside the page, quick to write by hand.
//!
//! ```toml
//! page = "timeline"
//! observed_at = 2026-11-22T20:15:00+08:00
//! handle = "9990000001"
//!
//! [expect]
//! verdict = "observation"
//! posts = 4
//! newest = 2026-11-22T20:10:00+08:00
//!
//! [[expect.post]]
//! ref = "5234567890123456"
//! likes = 3
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value as Json;
use toml::value::Datetime;
use toml::{Table, Value};

use crate::domain::{Extraction, Moment, Origin, Problem, SourceText};
use crate::platform::Platform;

use super::page::{Page, extract};

/// The key of citizens' message ids for offline looks: public, so that digests can be compared.
pub const PUBLIC_INQUIRY_KEY: &[u8] = b"xunjian offline extraction, not a secret";

/// How a page was saved, and what is expected of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// The page kind.
    page: String,
    /// When the page was saved: relative times count from here.
    observed_at: Datetime,
    /// The file of the body; absent: the file of the same name.
    body: Option<String>,
    handle: Option<String>,
    url: Option<String>,
    final_url: Option<String>,
    #[serde(default = "success")]
    status: u16,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Absent in a file that is still to be drafted.
    expect: Option<Table>,
    #[serde(skip)]
    at: DateTime<Utc>,
}

fn success() -> u16 {
    200
}

impl Fixture {
    /// Reads a fixture's file.
    ///
    /// # Errors
    /// What is wrong with it, with its line.
    pub fn parse(source: &SourceText) -> Result<Self, Vec<Problem>> {
        let mut fixture: Self = toml::from_str(&source.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            vec![source.problem_at(offset, "", error.message())]
        })?;
        let mut problems = Vec::new();
        match instant(&fixture.observed_at) {
            Some(at) => fixture.at = at,
            None => problems.push(source.problem("observed_at", "needs date, time and offset")),
        }
        for key in fixture.expect.iter().flat_map(Table::keys) {
            if !EXPECTED_KEYS.contains(&key.as_str()) {
                let reason = format!("unknown; known are {}", EXPECTED_KEYS.join(", "));
                problems.push(source.problem(&format!("expect.{key}"), reason));
            }
        }
        if problems.is_empty() { Ok(fixture) } else { Err(problems) }
    }

    /// The page kind that the page is of.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The name of the body's file, where it is not that of the fixture.
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// Whether anything is expected yet.
    pub fn expects(&self) -> bool {
        self.expect.as_ref().is_some_and(|expected| !expected.is_empty())
    }

    /// Has `work` done on the saved answer; `None` where the platform has no such page kind.
    pub fn answer<T>(
        &self,
        platform: &Platform,
        body: &[u8],
        work: impl FnOnce(&Page<'_>) -> T,
    ) -> Option<T> {
        let headers = self.headers.clone().into_iter().collect::<Vec<_>>();
        Some(work(&Page {
            platform,
            kind: platform.pages.get(&self.page)?,
            body,
            content_type: self.content_type.as_deref(),
            status: self.status,
            url: self.url.as_deref(),
            final_url: self.final_url.as_deref(),
            headers: &headers,
            observed_at: self.at,
            handle: self.handle.as_deref(),
            number: 1,
            inquiry_key: PUBLIC_INQUIRY_KEY,
        }))
    }

    /// Reads the page and tells every difference to what is expected, one a line; empty: none.
    pub fn differences(&self, platform: &Platform, body: &[u8]) -> Vec<String> {
        let Some(read) = self.answer(platform, body, extract) else {
            return vec![format!("{} has no page kind {:?}", platform.id, self.page)];
        };
        let Some(expected) = self.expect.as_ref().filter(|expected| !expected.is_empty()) else {
            return vec!["expects nothing yet".to_owned()];
        };
        let found = summary(&read);
        let mut differences = Vec::new();
        for (key, wanted) in expected {
            match key.as_str() {
                "post" => posts_differ(wanted, &read, &mut differences),
                "reason" => {
                    let said = read.reason.as_deref().unwrap_or_default();
                    if !wanted.as_str().is_some_and(|part| said.contains(part)) {
                        differences.push(format!("reason: {said:?} does not say {wanted}"));
                    }
                }
                _ => differs(key, wanted, found.get(key), &mut differences),
            }
        }
        differences
    }
}

/// The section `[expect]` that a page fulfils as it is read now, to be looked over by a person.
pub fn draft(read: &Extraction) -> String {
    let mut expected = summary(read);
    if let Some(mut first) = post_rows(read).into_iter().next() {
        // Nobody can look over a digest.
        first.retain(|key, _| !key.starts_with("text_"));
        expected.insert("post".to_owned(), Value::Array(vec![Value::Table(first)]));
    }
    let whole = Table::from_iter([("expect".to_owned(), Value::Table(expected))]);
    toml::to_string(&whole).unwrap_or_default()
}

const EXPECTED_KEYS: [&str; 20] = [
    "verdict",
    "reason",
    "layout",
    "handle",
    "name",
    "followers",
    "posts_total",
    "posts",
    "newest",
    "refs",
    "pinned",
    "reposts",
    "undated",
    "inquiries",
    "answered",
    "exhausted",
    "empty_marker",
    "next",
    "warnings",
    "post",
];

/// What a page says, in the words of `[expect]`; what it does not say is left out.
fn summary(read: &Extraction) -> Table {
    let count = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let text = |text: &String| Value::String(text.clone());
    let named = |wanted: fn(&crate::domain::Post) -> bool| {
        let posts = read.posts.iter().filter(|post| wanted(post));
        let names = posts.filter_map(|post| post.reference.as_ref().or(post.url.as_ref()));
        let names: Vec<Value> = names.map(text).collect();
        (!names.is_empty()).then_some(Value::Array(names))
    };
    let identity = &read.identity;
    let as_count = |count: &Option<crate::domain::Count>| value(&json(count));
    let newest = read.posts.iter().filter_map(|post| post.published).max_by_key(|at| at.at);
    let undated = read.posts.iter().filter(|post| post.published.is_none()).count();
    let answered = read.inquiries.iter().filter(|one| one.replied_at.is_some()).count();
    let flag = |flag: bool| flag.then_some(Value::Boolean(true));
    let above_none = |number: usize| (number > 0).then(|| count(number));
    let rows = [
        ("verdict", value(&json(&read.verdict))),
        ("reason", read.reason.as_ref().map(text)),
        ("layout", read.layout.as_ref().map(text)),
        ("handle", identity.handle.as_ref().map(text)),
        ("name", identity.name.as_ref().map(text)),
        ("followers", as_count(&identity.followers)),
        ("posts_total", as_count(&identity.posts_total)),
        ("posts", Some(count(read.posts.len()))),
        ("newest", newest.and_then(|at| Moment::to_rfc3339(at).parse().ok().map(Value::Datetime))),
        ("refs", named(|_| true)),
        ("pinned", named(|post| post.pinned)),
        ("reposts", named(|post| post.origin == Origin::Repost)),
        ("undated", above_none(undated)),
        ("inquiries", above_none(read.inquiries.len())),
        ("answered", above_none(answered)),
        ("exhausted", flag(read.exhausted)),
        ("empty_marker", flag(read.empty_marker)),
        ("next", read.next.as_ref().map(text)),
        ("warnings", Some(count(read.warnings.len()))),
    ];
    rows.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn json(part: &impl serde::Serialize) -> Json {
    serde_json::to_value(part).unwrap_or_default()
}

/// A value of the extraction JSON as a fixture writes it: times as times, exact counts as numbers.
fn value(part: &Json) -> Option<Value> {
    Some(match part {
        Json::Null => return None,
        Json::Bool(yes) => Value::Boolean(*yes),
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::String(text) => match text.parse::<Datetime>() {
            Ok(at) if at.offset.is_some() => Value::Datetime(at),
            _ => Value::String(text.clone()),
        },
        Json::Array(list) => Value::Array(list.iter().filter_map(value).collect()),
        Json::Object(map) if map.len() == 1 && map.contains_key("value") => value(&map["value"])?,
        Json::Object(map) => {
            let rows = map.iter().filter_map(|(key, part)| Some((key.clone(), value(part)?)));
            Value::Table(rows.collect())
        }
    })
}

fn post_rows(read: &Extraction) -> Vec<Table> {
    let rows = read.posts.iter().filter_map(|post| match value(&json(post)) {
        Some(Value::Table(row)) => Some(row),
        _ => None,
    });
    rows.collect()
}

/// Rows are told apart by `ref` or `url`; one without either is compared with the first post.
fn posts_differ(wanted: &Value, read: &Extraction, differences: &mut Vec<String>) {
    let rows = post_rows(read);
    for wanted in wanted.as_array().into_iter().flatten().filter_map(Value::as_table) {
        let name = ["ref", "url"].into_iter().find(|name| wanted.contains_key(*name));
        let told = name.map_or_else(String::new, |name| wanted[name].to_string());
        let row = match name {
            Some(name) => rows.iter().find(|row| row.get(name) == wanted.get(name)),
            None => rows.first(),
        };
        let Some(row) = row else {
            differences.push(format!("post {told}: not found"));
            continue;
        };
        for (key, wanted) in wanted {
            differs(&format!("post {told}: {key}"), wanted, row.get(key), differences);
        }
    }
}

/// A number, a flag or a list of nothing is what the page does not say.
fn differs(key: &str, wanted: &Value, found: Option<&Value>, differences: &mut Vec<String>) {
    let nothing = match wanted {
        Value::Boolean(yes) => !yes,
        Value::Integer(number) => {
            *number == 0 && ["undated", "inquiries", "answered"].contains(&key)
        }
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    let same = found.map_or(nothing, |found| same(wanted, found));
    if !same {
        let found = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        differences.push(format!("{key}: {found}, expected {wanted}"));
    }
}

fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Datetime(wanted), Value::Datetime(found)) => {
            wanted == found || (instant(wanted).is_some() && instant(wanted) == instant(found))
        }
        _ => wanted == found,
    }
}

fn instant(at: &Datetime) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&at.to_string()).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Catalog;

    const BODY: &[u8] = include_bytes!("../../tests/fixtures/pages/weibo/timeline_pins_1.json");

    fn catalog() -> Catalog {
        let text = include_str!("../../config/platforms/weibo.toml").to_owned();
        Catalog::compile(&[SourceText { file: "weibo.toml".to_owned(), text }]).unwrap()
    }

    fn parse(text: &str) -> Result<Fixture, Vec<Problem>> {
        Fixture::parse(&SourceText { file: "page.toml".to_owned(), text: text.to_owned() })
    }

    fn fixture(expect: &str) -> Fixture {
        let head = "page = \"timeline\"\nobserved_at = 2026-11-22T20:15:00+08:00\n\
                    handle = \"9990000001\"\n";
        parse(&format!("{head}{expect}")).unwrap()
    }

    #[test]
    fn what_is_drafted_from_a_page_holds_for_it() {
        let catalog = catalog();
        let weibo = catalog.get("weibo").unwrap();
        let read = fixture("").answer(weibo, BODY, extract).unwrap();
        let drafted = fixture(&draft(&read));
        assert!(drafted.expects());
        assert_eq!(drafted.differences(weibo, BODY), [""; 0]);
    }

    #[test]
    fn every_difference_is_told() {
        let catalog = catalog();
        let weibo = catalog.get("weibo").unwrap();
        let check = |expect: &str, told: &[&str]| {
            let found = fixture(expect).differences(weibo, BODY);
            assert_eq!(found.len(), told.len(), "{found:?}");
            for (found, told) in found.iter().zip(told) {
                assert!(found.contains(told), "{found:?} does not say {told:?}");
            }
        };
        check("", &["expects nothing yet"]);
        check("[expect]\nverdict = \"gone\"\nposts = 77\n", &["expected 77", "expected \"gone\""]);
        check("[expect]\nreason = \"captcha\"\n", &["does not say"]);
        check("[[expect.post]]\nref = \"1\"\n", &["post \"1\": not found"]);
        check("[expect]\nexhausted = false\nundated = 0\nreposts = []\n", &[]);
    }

    #[test]
    fn a_wrong_file_is_told_with_its_line() {
        let check = |text: &str, told: &str| {
            let problems = parse(text).unwrap_err();
            let said = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            assert!(said.contains(told), "{said:?} does not say {told:?}");
        };
        check("page = \"x\"\nobserved_at = 2026-11-22\n", "page.toml:2: observed_at: needs");
        check("page = \"x\"\nobservd_at = 1\n", "page.toml:2");
        let whole = "page = \"x\"\nobserved_at = 2026-11-22T20:15:00+08:00\n[expect]\nposst = 1\n";
        check(whole, "page.toml:4: expect.posst: unknown; known are verdict");
    }
}
