//! Ids, words of a list, lists, times: what is read by more than its type.

use chrono::NaiveTime;
use toml::de::DeValue;

use crate::domain::Problem;

use super::super::Certainty;
use super::Reader;

impl Reader<'_> {
    /// Whether the file has the key.
    pub(in super::super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// An id: lower-case letters, digits, `-` and `_`.
    pub(in super::super) fn id(&mut self, problems: &mut Vec<Problem>) -> String {
        let id = self.text("id", problems);
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if !id.chars().all(allowed) {
            let reason = format!("{id:?} is no id: lower-case letters, digits, - and _");
            problems.push(self.problem("id", reason));
        }
        id
    }

    /// An id that can stand in an expression: a lower-case letter, then letters, digits, `_`.
    pub(in super::super) fn name(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> String {
        let id = self.text(key, problems);
        let begins = id.chars().next().is_none_or(|c| c.is_ascii_lowercase());
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !begins || !id.chars().all(allowed) {
            let reason = format!(
                "{id:?} is no id of a number: a lower-case letter, then letters, digits, _"
            );
            problems.push(self.problem(key, reason));
        }
        id
    }

    /// One of some words.
    pub(in super::super) fn word(
        &mut self,
        key: &'static str,
        words: &[&str],
        problems: &mut Vec<Problem>,
    ) -> Option<String> {
        let word = self.text(key, problems);
        if word.is_empty() {
            return None;
        }
        if !words.contains(&word.as_str()) {
            let reason = format!("{word:?} is none of {}", words.join(", "));
            problems.push(self.problem(key, reason));
            return None;
        }
        Some(word)
    }

    /// One of some words, or nothing.
    pub(in super::super) fn optional_word(
        &mut self,
        key: &'static str,
        words: &[&str],
        problems: &mut Vec<Problem>,
    ) -> Option<String> {
        self.asked.insert(key);
        if self.has(key) { self.word(key, words, problems) } else { None }
    }

    /// `certainty`, which must be written.
    pub(in super::super) fn certainty(&mut self, problems: &mut Vec<Problem>) -> Certainty {
        let word = self.word("certainty", &Certainty::WORDS, problems);
        word.and_then(|word| Certainty::from_word(&word)).unwrap_or(Certainty::Unverified)
    }

    /// `certainty`, or that of the whole.
    pub(in super::super) fn certainty_or(
        &mut self,
        whole: Certainty,
        problems: &mut Vec<Problem>,
    ) -> Certainty {
        self.asked.insert("certainty");
        if self.has("certainty") { self.certainty(problems) } else { whole }
    }

    /// `true` or `false`; left out means `false`.
    pub(in super::super) fn flag(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> bool {
        self.asked.insert(key);
        self.has(key)
            && self
                .value(key, "true or false", problems, |value| match value {
                    DeValue::Boolean(value) => Some(*value),
                    _ => None,
                })
                .unwrap_or_default()
    }

    /// A list of texts, which may be left out.
    pub(in super::super) fn texts(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Vec<String> {
        self.asked.insert(key);
        if !self.has(key) {
            return Vec::new();
        }
        self.value(key, "a list of texts", problems, |value| {
            let texts: Option<Vec<String>> = value
                .as_array()?
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect();
            texts.filter(|texts| !texts.is_empty() && texts.iter().all(|text| !text.is_empty()))
        })
        .unwrap_or_default()
    }

    /// A time of day, written "09:00".
    pub(in super::super) fn time(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<NaiveTime> {
        self.value(key, "a time of day, as \"09:00\"", problems, |value| {
            NaiveTime::parse_from_str(value.as_str()?, "%H:%M").ok()
        })
    }
}
