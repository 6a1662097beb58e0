//! Data that a page's script carries for itself.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::platform::ScriptPlace;

use super::document::html;
use super::json;

/// How deep JSON written as text is unpacked.
const UNPACKED_MAX: usize = 3;

/// The data at a place of a page; of several matches the first that holds any.
///
/// # Errors
/// Why there is none.
pub(super) fn script(text: &str, place: &ScriptPlace) -> Result<Value, String> {
    let candidates: Vec<Cow<'_, str>> = match place {
        ScriptPlace::After(pattern) => {
            pattern.find_iter(text).map(|found| Cow::from(&text[found.end()..])).collect()
        }
        ScriptPlace::Element(selector) => {
            let page = html(Cow::Borrowed(text))?;
            let mut texts = Vec::new();
            let _: Option<()> = selector.find(page.root(), |element| {
                texts.push(Cow::from(element.texts().collect::<String>()));
                None
            });
            texts
        }
    };
    let mut reason = "the script with the data is missing".to_owned();
    for candidate in candidates.iter().take(CANDIDATES_MAX) {
        match data(candidate) {
            Ok(value) => return Ok(value),
            Err(told) => reason = told,
        }
    }
    Err(reason)
}

/// The most places of one page that are tried.
const CANDIDATES_MAX: usize = 20;

/// An object or a list, written as JSON, as a script writes it, percent-encoded or as a string.
fn data(text: &str) -> Result<Value, String> {
    let mut text = Cow::from(text.trim_start());
    for _ in 0..UNPACKED_MAX {
        if starts_encoded(&text) {
            let end = text.find(|c: char| c.is_whitespace() || "\"'<;".contains(c));
            let encoded = &text[..end.unwrap_or(text.len())];
            text = Cow::from(percent_decode_str(encoded).decode_utf8_lossy().into_owned());
        }
        if let Some(inner) = text.strip_prefix("JSON.parse(") {
            text = Cow::from(inner.trim_start().to_owned());
        }
        match first_value(&text)? {
            Value::String(inner) => text = Cow::from(inner.trim_start().to_owned()),
            value @ (Value::Object(_) | Value::Array(_)) => return Ok(value),
            _ => break,
        }
    }
    Err("no data in the script".to_owned())
}

fn starts_encoded(text: &str) -> bool {
    ["%7B", "%7b", "%5B", "%5b"].iter().any(|start| text.starts_with(start))
}

fn first_value(text: &str) -> Result<Value, String> {
    let ours = json::first(text).or_else(|| json::first(&without_script_words(text)));
    if let Some(value) = ours {
        return Ok(value);
    }
    match serde_json::Deserializer::from_str(text).into_iter().next() {
        Some(read) => read.map_err(|error| format!("not JSON in the script: {error}")),
        None => Err("the script is empty".to_owned()),
    }
}

/// Words that a script may write where JSON has `null`.
const SCRIPT_WORDS: [&str; 4] = ["undefined", "NaN", "Infinity", "void 0"];

/// The text with `null` for what JSON has no word for; strings stay as they are.
fn without_script_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut in_string) = (text, false);
    while let Some(character) = rest.chars().next() {
        let word = SCRIPT_WORDS.iter().find(|word| !in_string && rest.starts_with(**word));
        let taken = match (character, word) {
            (_, Some(word)) => {
                out.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
            ('"', None) => {
                in_string = !in_string;
                1
            }
            ('\\', None) if in_string => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (other, None) => other.len_utf8(),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use serde_json::json;

    use crate::platform::Css;

    use super::*;

    fn check(text: &str, place: &ScriptPlace, wanted: Option<&Value>) {
        assert_eq!(script(text, place).ok().as_ref(), wanted, "{text}");
    }

    #[test]
    fn data_is_found_however_a_script_writes_it() {
        let after = ScriptPlace::After(Regex::new(r"window\.STATE\s*=\s*").unwrap());
        let a = json!({ "a": 1 });
        check(r#"<script>window.STATE = {"a":1};next()</script>"#, &after, Some(&a));
        let words = json!({ "a": null, "b": "undefined \" NaN" });
        let script = r#"<script>window.STATE={"a":undefined,"b":"undefined \" NaN"}"#;
        check(script, &after, Some(&words));
        check(r#"<script>window.STATE=JSON.parse("{\"a\":1}")"#, &after, Some(&a));
        check("<script>window.STATE=null;window.STATE={\"a\":1}", &after, Some(&a));
        check("<script>window.STATE={\"a\":", &after, None);
        check("<script>window.OTHER={}", &after, None);
        let element = ScriptPlace::Element(Css::parse("#RENDER_DATA").unwrap());
        check("<script id=RENDER_DATA>%7B%22a%22%3A1%7D</script>", &element, Some(&a));
        check("<script id=RENDER_DATA></script>", &element, None);
    }
}
