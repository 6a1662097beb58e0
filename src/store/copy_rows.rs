//! Rows that COPY sends in binary: no description, buffer and decoder is made for each of them.

use std::str;

use chrono::{DateTime, Utc};

use super::columns::StoredCount;
use super::copying::{EPOCH_MICROS, HEADER, TRAILER};
use crate::domain::{Count, Form, Moment, Origin, Precision};

/// The columns of one row, read from the front.
///
/// Of each method the outer absence is a column that is not there or does not read as it was
/// declared, the inner one null.
pub(super) trait Columns<'a> {
    /// The bytes of the next column.
    fn next(&mut self) -> Option<Option<&'a [u8]>>;

    fn number(&mut self) -> Option<Option<i64>> {
        let Some(bytes) = self.next()? else { return Some(None) };
        Some(Some(i64::from_be_bytes(bytes.try_into().ok()?)))
    }

    fn integer(&mut self) -> Option<Option<i32>> {
        let Some(bytes) = self.next()? else { return Some(None) };
        Some(Some(i32::from_be_bytes(bytes.try_into().ok()?)))
    }

    fn flag(&mut self) -> Option<Option<bool>> {
        match self.next()? {
            None => Some(None),
            Some([0]) => Some(Some(false)),
            Some([1]) => Some(Some(true)),
            Some(_) => None,
        }
    }

    fn time(&mut self) -> Option<Option<DateTime<Utc>>> {
        let Some(micros) = self.number()? else { return Some(None) };
        DateTime::from_timestamp_micros(micros.checked_add(EPOCH_MICROS)?).map(Some)
    }

    fn text(&mut self) -> Option<Option<&'a str>> {
        let Some(bytes) = self.next()? else { return Some(None) };
        str::from_utf8(bytes).ok().map(Some)
    }

    fn precision(&mut self) -> Option<Option<Precision>> {
        Some(Some(match self.next()? {
            None => return Some(None),
            Some(b"second") => Precision::Second,
            Some(b"minute") => Precision::Minute,
            Some(b"hour") => Precision::Hour,
            Some(b"day") => Precision::Day,
            Some(_) => return None,
        }))
    }

    /// A time and its precision, absent where either is null.
    fn moment(&mut self) -> Option<Option<Moment>> {
        let (at, precision) = (self.time()?, self.precision()?);
        Some(at.zip(precision).map(|(at, precision)| Moment { at, precision }))
    }

    fn origin(&mut self) -> Option<Origin> {
        match self.next()?? {
            b"original" => Some(Origin::Original),
            b"repost" => Some(Origin::Repost),
            b"unknown" => Some(Origin::Unknown),
            _ => None,
        }
    }

    fn form(&mut self) -> Option<Option<Form>> {
        Some(Some(match self.next()? {
            None => return Some(None),
            Some(b"text") => Form::Text,
            Some(b"image") => Form::Image,
            Some(b"video") => Form::Video,
            Some(b"article") => Form::Article,
            Some(b"live") => Form::Live,
            Some(_) => return None,
        }))
    }

    fn count(&mut self) -> Option<Option<Count>> {
        let Some(bytes) = self.next()? else { return Some(None) };
        let (_version, text) = bytes.split_first()?;
        // Nearly every count is exact: plain digits, too few to be more than 64 bits hold.
        if !text.is_empty() && text.len() < 19 && text.iter().all(u8::is_ascii_digit) {
            let value = text.iter().fold(0, |all, digit| all * 10 + u64::from(digit - b'0'));
            return Some(Some(Count::Exact(value)));
        }
        // What the column holds where null was written as JSON.
        if text == b"null" {
            return Some(None);
        }
        Some(Some(serde_json::from_slice::<StoredCount>(text).ok()?.0))
    }
}

/// A row as COPY sends it: of each column a length, −1 for null, and so many bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a>(pub(super) &'a [u8]);

impl<'a> Row<'a> {
    /// The row of a message; nothing where it holds what stands before or after all rows alone.
    pub(super) fn of(message: &'a [u8]) -> Option<Self> {
        let rest = message.strip_prefix(HEADER).unwrap_or(message);
        let (columns, row) = rest.split_first_chunk()?;
        (*columns != TRAILER).then_some(Self(row))
    }
}

impl<'a> Columns<'a> for Row<'a> {
    fn next(&mut self) -> Option<Option<&'a [u8]>> {
        let (length, rest) = self.0.split_first_chunk()?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            self.0 = rest;
            return Some(None);
        }
        let (column, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(Some(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(bytes: &[u8]) -> Vec<u8> {
        let length = i32::try_from(bytes.len()).unwrap();
        [&length.to_be_bytes()[..], bytes].concat()
    }

    fn null() -> Vec<u8> {
        (-1_i32).to_be_bytes().to_vec()
    }

    #[test]
    fn counts_are_read_whether_exact_bounded_hidden_or_absent() {
        let read = |text: &str| Row(&column(format!("\u{1}{text}").as_bytes())).count();
        assert_eq!(read("0"), Some(Some(Count::Exact(0))));
        assert_eq!(read("18446744073709551615"), Some(Some(Count::Exact(u64::MAX))));
        for text in ["-1", "1.5", "18446744073709551616", "\"7\"", "[]", ""] {
            assert_eq!(read(text), None, "{text}");
        }
        let bounded = r#"{"value": 100001, "low": 100001}"#;
        let capped = Count::Bounded { value: 100_001, low: 100_001, high: None };
        assert_eq!(read(bounded), Some(Some(capped)));
        let hidden = Count::Hidden("login_required".into());
        assert_eq!(read(r#"{"hidden": "login_required"}"#), Some(Some(hidden)));
        assert_eq!(read("null"), Some(None));
        assert_eq!(Row(&null()).count(), Some(None));
        assert_eq!(Row(&column(b"")).count(), None);
    }

    #[test]
    fn columns_are_read_as_declared_or_not_at_all() {
        assert_eq!(Row(&column(&7_i64.to_be_bytes())).number(), Some(Some(7)));
        assert_eq!(Row(&column(&7_i32.to_be_bytes())).number(), None);
        assert_eq!(Row(&column(&(-7_i32).to_be_bytes())).integer(), Some(Some(-7)));
        assert_eq!(Row(&column(&[1])).flag(), Some(Some(true)));
        assert_eq!(Row(&column(&[0])).flag(), Some(Some(false)));
        assert_eq!(Row(&column(&[2])).flag(), None);
        let word = "O'Neil \\ \u{1F600}\n\"";
        assert_eq!(Row(&column(word.as_bytes())).text(), Some(Some(word)));
        assert_eq!(Row(&column(&[0xff])).text(), None);
        assert_eq!(Row(&column(b"")).text(), Some(Some("")));
        let epoch = Row(&column(&0_i64.to_be_bytes())).time().flatten().unwrap();
        assert_eq!(epoch.timestamp(), 946_684_800);
        // The database's infinity is no instant.
        assert_eq!(Row(&column(&i64::MAX.to_be_bytes())).time(), None);
        let none = null();
        assert_eq!(Row(&none).number(), Some(None));
        assert_eq!(Row(&none).integer(), Some(None));
        assert_eq!(Row(&none).flag(), Some(None));
        assert_eq!(Row(&none).time(), Some(None));
        assert_eq!(Row(&none).text(), Some(None));
        assert_eq!(Row(&none).form(), Some(None));
        assert_eq!(Row(&none).precision(), Some(None));
        assert_eq!(Row(&none).origin(), None);
    }

    #[test]
    fn words_of_a_column_are_told_apart() {
        for form in [Form::Text, Form::Image, Form::Video, Form::Article, Form::Live] {
            assert_eq!(Row(&column(form.as_str().as_bytes())).form(), Some(Some(form)));
        }
        for origin in [Origin::Original, Origin::Repost, Origin::Unknown] {
            assert_eq!(Row(&column(origin.as_str().as_bytes())).origin(), Some(origin));
        }
        for word in ["second", "minute", "hour", "day"] {
            let precision = word.parse().unwrap();
            assert_eq!(Row(&column(word.as_bytes())).precision(), Some(Some(precision)));
        }
        for word in ["other", "album", "link", "tex", ""] {
            assert_eq!(Row(&column(word.as_bytes())).form(), None, "{word}");
        }
        assert_eq!(Row(&column(b"week")).precision(), None);
        assert_eq!(Row(&column(b"none")).origin(), None);
        assert_eq!(Row(&column(b"")).form(), None);
    }

    #[test]
    fn a_row_cut_short_is_not_read() {
        assert_eq!(Row(&column(&[0; 8])[..7]).number(), None);
        assert_eq!(Row(&[]).number(), None);
        assert_eq!(Row(&[0, 0, 0]).text(), None);
        assert_eq!(Row(&(-2_i32).to_be_bytes()).next(), None);
    }
}
