//! JSONPath that is compiled once; the plain forms of platform files are walked directly.

use std::fmt;

use serde_json::Value;
use serde_json_path::JsonPath;

/// A JSONPath query (RFC 9535), relative to the value it is asked of.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    path: JsonPath,
    /// The same query as steps, where it has no filters or slices.
    steps: Option<Vec<Step>>,
}

/// One segment of a plain query.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `.name`, `['name','other']`
    Members(Vec<String>),
    /// `[*]`
    All,
    /// `..name`, `..['name','other']`
    Deep(Vec<String>),
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

    /// The members that it asks for; none: any may be one of them.
    pub(super) fn names(&self) -> Option<impl Iterator<Item = &str>> {
        let names = self.steps.as_ref()?.iter().flat_map(|step| match step {
            Step::Members(names) | Step::Deep(names) => names.as_slice(),
            Step::All => &[],
        });
        Some(names.map(String::as_str))
    }

    /// How often it asks for all that something holds, one right after the other, at most.
    pub(super) fn alls(&self) -> usize {
        let steps = self.steps.as_deref().unwrap_or_default();
        let runs = steps.split(|step| *step != Step::All).map(<[Step]>::len);
        runs.max().unwrap_or_default()
    }

    /// Whether it is the value of which it is asked.
    pub(super) fn is_itself(&self) -> bool {
        self.steps.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether it ends with all that something holds.
    pub(super) fn ends_with_all(&self) -> bool {
        self.steps.as_ref().is_some_and(|steps| steps.last() == Some(&Step::All))
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
        Step::Members(names) => members(names, value, &mut |child| walk(rest, child, found)),
        Step::All => children(value, &mut |child| walk(rest, child, found)),
        Step::Deep(names) => {
            let own = members(names, value, &mut |child| walk(rest, child, found));
            own.or_else(|| {
                children(value, &mut |child| match child {
                    Value::Array(_) | Value::Object(_) => walk(steps, child, found),
                    _ => None,
                })
            })
        }
    }
}

fn members<'v, R>(
    names: &[String],
    value: &'v Value,
    found: &mut dyn FnMut(&'v Value) -> Option<R>,
) -> Option<R> {
    let object = value.as_object()?;
    names.iter().filter_map(|name| object.get(name)).find_map(found)
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
            None => (false, rest),
        };
        let (names, after) = match after.strip_prefix('[') {
            Some(union) => {
                let (names, after) = union.split_once(']')?;
                let names = names.split(',').map(|name| quoted(name.trim()));
                (names.collect::<Option<Vec<_>>>()?, after)
            }
            None => {
                let after = if deep { after } else { after.strip_prefix('.')? };
                let (name, after) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
                (vec![plain(name)?], after)
            }
        };
        steps.push(if deep { Step::Deep(names) } else { Step::Members(names) });
        rest = after;
    }
    Some(steps)
}

fn quoted(name: &str) -> Option<String> {
    let inner = name.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
    plain(inner.or_else(|| name.strip_prefix('"')?.strip_suffix('"'))?)
}

fn plain(name: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_plain)).then(|| name.to_owned())
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
            "$['a']",
            "$['b','a']['b','zz', 'a']",
            "$..['c','a'].c",
            "$..[\"b\"][*]..c",
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
        for text in ["$.a[0]", "$[?@.a==1].b", "$['a',0]", "$['a.b']", "$.a[1:2]", "$.*"] {
            assert_eq!(steps(text), None, "{text}");
            assert!(Query::parse(text).is_ok(), "{text}");
        }
        assert!(Query::parse("$.a[").is_err());
    }
}
