//! Rules and signs: what an answer is known by.

use regex::Regex;

use super::compile_source::{FieldKind, PLACES, SourceCompiler, pattern};
use super::layout::{Rule, Sign};
use super::section::{Entry, Section};

impl SourceCompiler<'_> {
    /// The signs of a key: rules, each of which may say what it means.
    pub(super) fn signs(
        self,
        section: &Section<'_>,
        key: &str,
        words: &[&'static str],
    ) -> Vec<Sign> {
        let Some(entry) = section.get(key) else { return Vec::new() };
        let words = words.iter().map(|word| (*word, *word)).collect::<Vec<_>>();
        let sign = |entry: &Entry<'_>| {
            let table = if entry.is_text() { None } else { entry.section() };
            let means = table.and_then(|table| table.get("means"));
            let means = means.and_then(|means| means.word(&words));
            Some(Sign { means, rule: self.rule(entry, &["means"])? })
        };
        entry.one_or_more().iter().filter_map(sign).collect()
    }

    /// The rules of a key: each says by `status`, `redirect`, `body`, `title` or a field source.
    pub(super) fn rules(self, section: &Section<'_>, key: &str) -> Vec<Rule> {
        let Some(entry) = section.get(key) else { return Vec::new() };
        entry.one_or_more().iter().filter_map(|entry| self.rule(entry, &[])).collect()
    }

    fn rule(self, entry: &Entry<'_>, further: &[&str]) -> Option<Rule> {
        if entry.is_text() {
            return self.candidate(entry, FieldKind::Flag, &[]).map(Box::new).map(Rule::Content);
        }
        let table = entry.section()?;
        let patterns = [
            ("redirect", Rule::Redirect as fn(Regex) -> Rule),
            ("body", Rule::Body),
            ("title", Rule::Title),
        ];
        for (key, wrap) in patterns {
            if let Some(value) = table.get(key) {
                table.only(&[&[key][..], further].concat());
                return value.parsed(pattern).map(wrap);
            }
        }
        if let Some(value) = table.get("status") {
            table.only(&[&["status"][..], further].concat());
            let codes = value.one_or_more();
            let codes = codes.iter().filter_map(|code| code.integer(100..=599));
            return Some(Rule::Status(codes.filter_map(|code| u16::try_from(code).ok()).collect()));
        }
        if PLACES.iter().all(|key| !table.has_own(key)) && !table.has_own("attr") {
            entry.wrong("needs one of: at, page, raw, header, attr, status, redirect, body, title");
            return None;
        }
        self.candidate(entry, FieldKind::Flag, further).map(Box::new).map(Rule::Content)
    }
}
