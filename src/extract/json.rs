//! JSON answers without the members that nothing asks for.
//!
//! Most of an answer is what no path of its layout names. Its texts and numbers are skipped while
//! it is parsed, and what holds nothing else, where no path can come. All other objects and lists
//! stay, since a path may look for a member at any depth; what holds anything goes on to hold
//! something.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::platform::Names;

/// Parses an answer.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(text: &str, asked: &Names) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let whole = Pruned { asked, named: true, unnamed: 0 };
    let (value, _) = whole.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// A value, and where it stands.
#[derive(Clone, Copy)]
struct Pruned<'n> {
    asked: &'n Names,
    /// Whether a path names what it stands in.
    named: bool,
    /// Steps without a name that lead from there to it.
    unnamed: usize,
}

/// A value, and whether a path names it or anything in it.
type Kept = (Value, bool);

impl<'de> DeserializeSeed<'de> for Pruned<'_> {
    type Value = Kept;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kept, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pruned<'_> {
    type Value = Kept;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kept, E> {
        Ok((Value::Bool(value), self.named))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kept, E> {
        Ok((Value::from(value), self.named))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kept, E> {
        Ok((Value::from(value), self.named))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kept, E> {
        Ok((Value::from(value), self.named))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kept, E> {
        Ok((if self.named { Value::from(value) } else { Value::Null }, self.named))
    }

    fn visit_unit<E>(self) -> Result<Kept, E> {
        Ok((Value::Null, self.named))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kept, A::Error> {
        let element = Self { unnamed: self.unnamed + 1, ..self };
        let (mut values, mut asked) = (Vec::new(), self.named);
        while let Some((value, of_it)) = list.next_element_seed(element)? {
            values.push(value);
            asked |= of_it;
        }
        Ok((Value::Array(values), asked))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Kept, A::Error> {
        let (mut members, mut asked, mut skipped) = (Map::new(), self.named, None);
        let mut holds_unnamed = false;
        while let Some(name) = object.next_key_seed(Name)? {
            let named = self.asked.contains(&name);
            let unnamed = if named { 0 } else { self.unnamed + 1 };
            let member = Pruned { named, unnamed, ..self };
            let (value, of_it) = object.next_value_seed(member)?;
            asked |= of_it;
            let within_reach = unnamed <= self.asked.unnamed();
            if of_it || (within_reach && matches!(value, Value::Array(_) | Value::Object(_))) {
                holds_unnamed |= !named;
                members.insert(name.into_owned(), value);
            } else {
                // Of two of one name the last counts.
                if holds_unnamed {
                    members.remove(&*name);
                }
                skipped = Some(name);
            }
        }
        if let Some(name) = skipped.filter(|_| members.is_empty()) {
            members.insert(name.into_owned(), Value::Null);
        }
        Ok((Value::Object(members), asked))
    }
}

/// The name of a member, a part of the answer where it is written plainly.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::domain::SourceText;
    use crate::platform::Catalog;

    use super::*;

    /// What is kept of an answer by a layout with an item's paths.
    fn kept(items: &str, title: &str, answer: &Value) -> Value {
        let asked = asked(items, title).expect("only names are asked for");
        parse(&answer.to_string(), &asked).unwrap()
    }

    /// The names that such a layout asks for.
    fn asked(items: &str, title: &str) -> Option<Names> {
        let text = format!(
            "id = \"a\"\ntitle = \"甲\"\nobservability = \"public_page\"\n[pages.list]\n\
             role = \"list\"\nlists = \"all\"\nidentity = \"nobody\"\norder = \"unordered\"\n\
             verified = \"never\"\nformat = \"json\"\nitems = {items:?}\n[pages.list.item]\n\
             title = {title:?}\n"
        );
        let catalog = Catalog::compile(&[SourceText { file: "a.toml".into(), text }]);
        let catalog = catalog.unwrap_or_else(|problems| panic!("{problems:?}"));
        let layout = &catalog.get("a").unwrap().pages["list"].layouts[0];
        layout.asked.clone()
    }

    #[test]
    fn what_no_path_can_reach_is_left_out() {
        let answer = json!({
            "list": [{ "title": "甲", "n": 1, "far": { "off": { "deep": 1 } } }, { "n": 2 }, {}],
            "other": "text", "lists": { "a": 1 }, "tags": ["b"], "x": { "y": { "title": [2] } },
        });
        let wanted = json!({
            "list": [{ "title": "甲" }, { "n": null }, {}],
            "lists": { "a": null }, "tags": [null], "x": { "y": { "title": [2] } },
        });
        assert_eq!(kept("$.list[*]", "$.title", &answer), wanted);
        let twice = r#"{"list":[{"title":1,"x":{"title":2},"x":3}]}"#;
        let last = json!({ "list": [{ "title": 1 }] });
        assert_eq!(parse(twice, &asked("$.list[*]", "$.title").unwrap()).unwrap(), last);
        assert!(asked("$.list[*]", "$").is_none(), "a text in an object's place is an item");
        let none = json!({ "list": [{ "title": "甲" }, { "n": null }, {}],
            "x": { "y": { "title": [2] } } });
        assert_eq!(kept("$..list", "$.title", &answer), none);
    }
}
