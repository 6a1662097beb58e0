//! JSONPath that is compiled once; the plain forms of platform files are walked directly.

use std::fmt;

use serde_json::Value;
use serde_json_path::JsonPath;

/// A JSONPath query (RFC 9535), relative to the value it is asked of.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    path: JsonPath,
    /// The same query as steps, where it has no filters, slices or unions.
    steps: Option<Vec<Step>>,
}

/// One segment of a plain query.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `.name`
    Member(String),
    /// `[*]`
    All,
    /// `..name`
    Deep(String),
}

impl Query {
    /// Compiles a query.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = JsonPath::parse(text).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), steps: steps(text), path })
    }

    /// The first result of `found` that is one, over the values of the query in their order.
    pub fn find<'v, R>(
        &self,
        value: &'v Value,
        found: &mut dyn FnMut(&'v Value) -> Option<R>,
    ) -> Option<R> {
        match &self.steps {
            Some(steps) => walk(steps, value, found),
            None => self.path.query(value).all().into_iter().find_map(found),
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn walk<'v, R>(
    steps: &[Step],
    value: &'v Value,
    found: &mut dyn FnMut(&'v Value) -> Option<R>,
) -> Option<R> {
    let Some((step, rest)) = steps.split_first() else { return found(value) };
    match step {
        Step::Member(name) => walk(rest, value.as_object()?.get(name)?, found),
        Step::All => children(value, &mut |child| walk(rest, child, found)),
        Step::Deep(name) => {
            let own = value.as_object().and_then(|object| object.get(name));
            let own = own.and_then(|own| walk(rest, own, found));
            own.or_else(|| {
                children(value, &mut |child| match child {
                    Value::Array(_) | Value::Object(_) => walk(steps, child, found),
                    _ => None,
                })
            })
        }
    }
}

fn children<'v, R>(value: &'v Value, found: &mut dyn FnMut(&'v Value) -> Option<R>) -> Option<R> {
    match value {
        Value::Array(list) => list.iter().find_map(found),
        Value::Object(object) => object.values().find_map(found),
        _ => None,
    }
}

/// The steps of a plain query; `None` for any other.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.trim().strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[*]") {
            steps.push(Step::All);
            rest = after;
            continue;
        }
        let (deep, after) = match rest.strip_prefix("..") {
            Some(after) => (true, after),
            None => (false, rest.strip_prefix('.')?),
        };
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        steps.push(if deep { Step::Deep(name.to_owned()) } else { Step::Member(name.to_owned()) });
        rest = after;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_queries_find_what_the_standard_says() {
        let value = json!({
            "a": { "b": [{ "c": 1, "x": { "c": { "c": 2 } } }, { "c": [3, 4] }, null], "a": 5 },
            "b": { "c": 6, "d": [7, [8]] },
            "c": "9",
        });
        for text in [
            "$",
            "$.a",
            "$.a.b",
            "$.a.b[*]",
            "$.a.b[*].c",
            "$..c",
            "$..b.c",
            "$.a..c",
            "$..c[*]",
            "$[*]",
            "$[*][*]",
            "$.c.d",
            "$.a.b.c",
            "$..x[*].c",
            "$.b.d[*]",
            "$..a[*]..c",
        ] {
            let query = Query::parse(text).unwrap();
            let mut ours = Vec::new();
            let _: Option<()> = query.find(&value, &mut |found| {
                ours.push(found);
                None
            });
            assert_eq!(ours, query.path.query(&value).all(), "{text}");
        }
    }

    #[test]
    fn other_queries_are_left_to_the_library() {
        for text in ["$.a[0]", "$[?@.a==1].b", "$['a']", "$.a[1:2]", "$.*"] {
            assert_eq!(steps(text), None, "{text}");
            assert!(Query::parse(text).is_ok(), "{text}");
        }
        assert!(Query::parse("$.a[").is_err());
    }
}
