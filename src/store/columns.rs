//! Between columns and nouns: the small conversions that several tables share.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::StoreError;
use crate::domain::{Count, Moment, Reason};
use crate::observe::Source;

/// One column of a batch, for `unnest`.
pub(super) fn column<'r, R, T>(rows: &'r [R], cell: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(cell).collect()
}

/// The error of a stored value that this program does not understand.
pub(super) fn misread(what: &str, value: impl fmt::Debug) -> StoreError {
    StoreError::Database(sqlx::Error::Decode(format!("{what} reads {value:?}").into()))
}

/// A count as stored: a bare number where exact, else the object of the extraction JSON.
pub(super) fn count_json(count: Option<&Count>) -> Option<Value> {
    count.map(|count| match count {
        Count::Exact(value) => Value::from(*value),
        other => serde_json::to_value(other).expect("a count is a map with string keys"),
    })
}

/// Reads what [`count_json`] wrote.
pub(super) fn read_count(stored: Option<Value>) -> Result<Option<Count>, StoreError> {
    match stored {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number
            .as_u64()
            .map(|value| Some(Count::Exact(value)))
            .ok_or_else(|| misread("a count", number)),
        Some(object) => match serde_json::from_value(object.clone()) {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(misread("a count", object)),
        },
    }
}

/// A count read straight from the wire, without a JSON value between: a number where exact.
#[derive(Debug)]
pub(super) struct StoredCount(pub(super) Count);

impl<'de> Deserialize<'de> for StoredCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a count")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Count, E> {
                Ok(Count::Exact(value))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
                Count::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Either).map(Self)
    }
}

/// Reads a time with its precision; absent where either column is null.
pub(super) fn read_moment(
    at: Option<DateTime<Utc>>,
    precision: Option<String>,
) -> Result<Option<Moment>, StoreError> {
    let (Some(at), Some(word)) = (at, precision) else { return Ok(None) };
    let precision = word.parse().map_err(|_| misread("a precision", &word))?;
    Ok(Some(Moment { at, precision }))
}

/// Reads the stable word of a reason.
pub(super) fn read_reason(word: &str) -> Result<Reason, StoreError> {
    Reason::ALL
        .into_iter()
        .find(|reason| reason.as_str() == word)
        .ok_or_else(|| misread("a reason", word))
}

const SOURCES: [(Source, &str); 4] = [
    (Source::Crawl, "crawl"),
    (Source::Bridge, "bridge"),
    (Source::Import, "import"),
    (Source::Person, "person"),
];

/// The stored word of a source.
pub(super) fn source_word(source: Source) -> &'static str {
    SOURCES.into_iter().find(|row| row.0 == source).map_or("", |row| row.1)
}

/// Reads what [`source_word`] wrote.
pub(super) fn read_source(word: &str) -> Result<Source, StoreError> {
    SOURCES
        .into_iter()
        .find(|row| row.1 == word)
        .map(|row| row.0)
        .ok_or_else(|| misread("a source", word))
}

/// Postgres keeps microseconds; what is compared with a stored time is cut to them first.
pub(super) fn to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_as_they_were() {
        let capped = Count::Bounded { value: 100_001, low: 100_001, high: None };
        let rounded = Count::Bounded { value: 12_000, low: 11_500, high: Some(12_499) };
        for count in [Count::Exact(0), capped, rounded, Count::Hidden("login_required".into())] {
            let stored = count_json(Some(&count));
            let text = serde_json::to_string(&stored).unwrap();
            assert_eq!(serde_json::from_str::<StoredCount>(&text).unwrap().0, count);
            assert_eq!(read_count(stored).unwrap(), Some(count));
        }
        assert_eq!(count_json(None), None);
        assert_eq!(read_count(None).unwrap(), None);
        assert_eq!(count_json(Some(&Count::Exact(7))), Some(Value::from(7)));
        assert!(read_count(Some(Value::from(-1))).is_err());
    }

    #[test]
    fn every_source_has_a_word() {
        for (source, word) in SOURCES {
            assert_eq!(source_word(source), word);
            assert_eq!(read_source(word).unwrap(), source);
        }
    }
}
