//! JSON values against the part of JSON Schema that the document uses. A keyword that is not known
//! here fails, so that nothing of a schema goes unchecked.

use chrono::{DateTime, NaiveDate};
use regex::Regex;
use serde_json::Value;

/// Everything in which the value is not what the schema says, with its place.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    hold(document, schema, value, "", &mut faults);
    faults
}

fn hold(document: &Value, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let fits = match keyword.as_str() {
            "description" | "default" | "required" | "additionalProperties" => true,
            "$ref" => {
                let target = document.pointer(&rule.as_str().unwrap()[1..]).unwrap();
                hold(document, target, value, place, faults);
                true
            }
            "type" => match rule {
                Value::Array(words) => words.iter().any(|word| is_of(value, word)),
                word => is_of(value, word),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "oneOf" => {
                let fitting = rule.as_array().unwrap().iter();
                fitting.filter(|one| faults_of(document, one, value) == 0).count() == 1
            }
            "pattern" => {
                on_text(value, |text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text))
            }
            "format" => on_text(value, |text| match rule.as_str().unwrap() {
                "date-time" => DateTime::parse_from_rfc3339(text).is_ok(),
                "date" => text.parse::<NaiveDate>().is_ok(),
                "binary" => true,
                other => panic!("{place}: format {other}"),
            }),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    hold(document, rule, item, &format!("{place}/{at}"), faults);
                }
                true
            }
            "properties" => {
                members(document, schema, value, place, faults);
                true
            }
            other => panic!("{place}: keyword {other}"),
        };
        if !fits {
            faults.push(format!("{place}: {value} is not {keyword} {rule}"));
        }
    }
    // A map: members of any name, all of one shape.
    if schema.get("properties").is_none() && schema["additionalProperties"].is_object() {
        for (name, member) in value.as_object().into_iter().flatten() {
            let rule = &schema["additionalProperties"];
            hold(document, rule, member, &format!("{place}/{name}"), faults);
        }
    }
}

fn members(document: &Value, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    let Some(value) = value.as_object() else { return };
    let described = schema["properties"].as_object().unwrap();
    for name in schema["required"].as_array().into_iter().flatten() {
        if !value.contains_key(name.as_str().unwrap()) {
            faults.push(format!("{place}: {name} is missing"));
        }
    }
    for (name, member) in value {
        match described.get(name) {
            Some(rule) => hold(document, rule, member, &format!("{place}/{name}"), faults),
            None if schema["additionalProperties"] == false => {
                faults.push(format!("{place}: {name} is not described"));
            }
            None => {}
        }
    }
}

fn faults_of(document: &Value, schema: &Value, value: &Value) -> usize {
    faults(document, schema, value).len()
}

fn on_text(value: &Value, fits: impl Fn(&str) -> bool) -> bool {
    value.as_str().is_none_or(fits)
}

fn is_of(value: &Value, word: &Value) -> bool {
    match word.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    }
}

#[test]
fn a_value_that_is_not_what_the_schema_says_is_told() {
    let document = serde_json::json!({ "Count": { "type": "integer", "minimum": 0 } });
    let schema = serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["at", "count"],
        "properties": {
            "at": { "type": ["string", "null"], "format": "date-time" },
            "count": { "oneOf": [{ "$ref": "#/Count" }, { "type": "null" }] },
            "word": { "enum": ["a", "b"] },
        },
    });
    let check = |value: Value, count: usize| {
        let found = faults(&document, &schema, &value);
        assert_eq!(found.len(), count, "{value}: {found:?}");
    };
    use serde_json::json;
    check(json!({ "at": null, "count": 3 }), 0);
    check(json!({ "at": "2026-11-22T20:15:00+08:00", "count": null, "word": "b" }), 0);
    check(json!({ "count": 3 }), 1);
    check(json!({ "at": "today", "count": -1, "word": "c", "more": 1 }), 4);
    check(json!([]), 1);
}
