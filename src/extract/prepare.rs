//! Named changes of a document before it is read.

use std::sync::LazyLock;

use chrono::{DateTime, Duration, Utc};
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::platform::Prepare;

use super::json;
use super::moment::{moment, says_utc};

/// How far an item may lie in the future before its offset is doubted.
const FUTURE: Duration = Duration::minutes(5);

/// Applies a change; tells it where values were changed.
pub(crate) fn apply(
    prepare: Prepare,
    value: Value,
    observed_at: DateTime<Utc>,
) -> Result<(Value, Option<&'static str>), String> {
    match prepare {
        Prepare::WechatMessages => Ok((wechat_messages(value)?, None)),
        Prepare::CdataRecords | Prepare::HtmlInJson => Ok((value, None)),
        Prepare::NestedJson => Ok((nested_json(value, 0), None)),
        Prepare::BeijingWrittenAsUtc => Ok(beijing_written_as_utc(value, observed_at)),
    }
}

static CDATA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)<!\[CDATA\[(.*?)\]\]>").expect("a fixed pattern"));

/// The records of a page that a script would unpack, one after the other.
pub(crate) fn unpacked(text: &str) -> String {
    let records = CDATA.captures_iter(text).filter_map(|found| found.get(1));
    records.map(|record| record.as_str()).collect()
}

/// The markup in the strings of a JSON answer, one after the other.
pub(crate) fn markup(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('<') => text.clone(),
        Value::Array(list) => list.iter().map(markup).collect(),
        Value::Object(map) => map.values().map(markup).collect(),
        _ => String::new(),
    }
}

/// How deep JSON written as text inside JSON is unpacked.
const NESTED_MAX: usize = 4;

fn nested_json(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) if depth < NESTED_MAX && text.trim_start().starts_with(['{', '[']) => {
            match json::parse(&text, None) {
                Ok(inner) => nested_json(inner, depth + 1),
                Err(_) => Value::String(text),
            }
        }
        Value::Array(list) => {
            Value::Array(list.into_iter().map(|one| nested_json(one, depth)).collect())
        }
        Value::Object(map) => {
            let pairs = map.into_iter().map(|(key, one)| (key, nested_json(one, depth)));
            Value::Object(pairs.collect())
        }
        other => other,
    }
}

/// One push of a WeChat account holds a first article and further ones; the time is the push's.
fn wechat_messages(mut value: Value) -> Result<Value, String> {
    let Some(answer) = value.as_object_mut() else { return Ok(value) };
    let mut list = match answer.remove("general_msg_list") {
        Some(list) => list,
        None => json!({ "list": answer.remove("list") }),
    };
    if let Value::String(text) = &list {
        list = json::parse(text, None).map_err(|error| format!("general_msg_list: {error}"))?;
    }
    // Error answers have no list; the rules of the layout read them as they are.
    let Some(messages) = list.get("list").and_then(Value::as_array) else { return Ok(value) };
    let mut articles = Vec::new();
    for message in messages {
        let Some(first) = message.get("app_msg_ext_info").and_then(Value::as_object) else {
            continue;
        };
        let push = message.get("comm_msg_info").cloned().unwrap_or(Value::Null);
        let further = first.get("multi_app_msg_item_list").and_then(Value::as_array);
        let further = further.into_iter().flatten().filter_map(Value::as_object);
        for (place, article) in (1_u32..).zip(std::iter::once(first).chain(further)) {
            articles.push(with_push(article, &push, place));
        }
    }
    answer.insert("articles".to_owned(), Value::Array(articles));
    Ok(value)
}

fn with_push(article: &Map<String, Value>, push: &Value, place: u32) -> Value {
    let mut article = article.clone();
    article.remove("multi_app_msg_item_list");
    // Addresses come with the slashes of a string inside a string still escaped.
    for (key, value) in &mut article {
        if let Value::String(text) = value
            && key.ends_with("url")
        {
            *text = text.replace("\\/", "/");
        }
    }
    article.insert("push".to_owned(), push.clone());
    article.insert("place".to_owned(), json!(place));
    Value::Object(article)
}

fn beijing_written_as_utc(
    mut feed: Value,
    observed_at: DateTime<Utc>,
) -> (Value, Option<&'static str>) {
    let written = entry_times(&mut feed).map(|text| text.clone()).collect::<Vec<_>>();
    let newest = written.iter().filter_map(|text| moment(text, observed_at)).map(|m| m.at).max();
    let Some(newest) = newest else { return (feed, None) };
    let limit = observed_at + FUTURE;
    let shifted = newest - Duration::hours(8);
    if newest <= limit || shifted > limit || !written.iter().all(|text| says_utc(text)) {
        return (feed, None);
    }
    for text in entry_times(&mut feed) {
        let end = text.trim_end_matches(|c: char| "+-0:GMTUCZ".contains(c)).trim_end().len();
        text.truncate(end);
        text.push_str(" +0800");
    }
    (feed, Some("published_at: Beijing times written as UTC, taken as Beijing times"))
}

fn entry_times(feed: &mut Value) -> impl Iterator<Item = &mut String> {
    let entries = feed.get_mut("entries").and_then(Value::as_array_mut);
    entries.into_iter().flatten().filter_map(|entry| match entry.get_mut("published") {
        Some(Value::String(text)) => Some(text),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(published: &[&str], observed_at: &str) -> Vec<String> {
        let entries = published.iter().map(|at| json!({ "published": at })).collect::<Vec<_>>();
        let at = DateTime::parse_from_rfc3339(observed_at).unwrap().to_utc();
        let (mut feed, _) = beijing_written_as_utc(json!({ "entries": entries }), at);
        entry_times(&mut feed).map(|text| text.clone()).collect()
    }

    #[test]
    fn beijing_time_written_as_utc_is_known_by_items_of_the_future() {
        let feed = ["Wed, 06 Dec 2023 10:21:14 +0000", "Tue, 05 Dec 2023 10:00:00 GMT"];
        assert_eq!(
            repaired(&feed, "2023-12-06T14:10:01+08:00"),
            ["Wed, 06 Dec 2023 10:21:14 +0800", "Tue, 05 Dec 2023 10:00:00 +0800"]
        );
        assert_eq!(repaired(&feed, "2023-12-06T19:00:00+08:00"), feed);
        let mixed = ["Wed, 06 Dec 2023 10:21:14 +0000", "Tue, 05 Dec 2023 10:00:00 +0800"];
        assert_eq!(repaired(&mixed, "2023-12-06T14:10:01+08:00"), mixed);
    }

    #[test]
    fn json_inside_json_is_unpacked_and_markup_is_found() {
        let inner = json!({ "list": [{ "info": json!({ "a": 1 }).to_string() }] }).to_string();
        let answer = json!({ "page": inner, "text": "{not json", "n": "[1]" });
        let wanted = json!({ "page": { "list": [{ "info": { "a": 1 } }] }, "text": "{not json",
            "n": [1] });
        assert_eq!(nested_json(answer, 0), wanted);
        let answer = json!({ "success": true, "data": { "html": "<li>一</li>", "n": 3 } });
        assert_eq!(markup(&answer), "<li>一</li>");
    }

    #[test]
    fn every_article_of_a_push_has_its_time() {
        let list = json!({ "list": [
            { "comm_msg_info": { "datetime": 1 }, "app_msg_ext_info": {
                "title": "甲", "content_url": "http:\\/\\/a",
                "multi_app_msg_item_list": [{ "title": "乙" }] } },
            { "comm_msg_info": { "datetime": 2, "type": 1 } },
        ] });
        let inside = json!({ "ret": 0, "general_msg_list": list.to_string() });
        for value in [list, inside] {
            let articles = wechat_messages(value).unwrap();
            assert_eq!(articles["articles"].as_array().map(Vec::len), Some(2));
            assert_eq!(articles["articles"][0]["content_url"], "http://a");
            assert_eq!(articles["articles"][1]["push"]["datetime"], 1);
        }
    }
}
