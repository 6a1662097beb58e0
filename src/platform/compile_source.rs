//! Field sources: text, table, or a list of them in order.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::Regex;

use crate::html::AttributeName;

use super::asked::Asked;
use super::css::Css;
use super::query::Query;
use super::quirk::Quirk;
use super::raw::Raw;
use super::section::{Entry, Section};
use super::source::{Candidate, Path, Place, Rounding, Source};

/// The language in which a layout's paths are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathLanguage {
    Json,
    Css,
    /// Names of columns, or JSONPath beginning with `$`.
    Column,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Text,
    Time,
    Count,
    Flag,
}

const KINDS: [(&str, FieldKind); 5] = [
    ("text", FieldKind::Text),
    ("url", FieldKind::Text),
    ("datetime", FieldKind::Time),
    ("count", FieldKind::Count),
    ("bool", FieldKind::Flag),
];

pub(super) const PLACES: [&str; 6] = ["at", "page", "raw", "header", "from", "parts"];

const CANDIDATE_KEYS: [&str; 18] = [
    "at", "page", "raw", "header", "from", "parts", "with", "attr", "longest", "without",
    "matches", "as", "prefix", "is", "capped", "zero", "rounding", "or",
];

pub(super) const ROUNDINGS: [(&str, Rounding); 3] =
    [("half_up", Rounding::HalfUp), ("floor", Rounding::Floor), ("unknown", Rounding::Unknown)];

/// Compiles sources and rules of one layout.
#[derive(Clone, Copy)]
pub(super) struct SourceCompiler<'n> {
    pub(super) language: PathLanguage,
    pub(super) rounding: Rounding,
    /// Where the members that the paths ask for are noted.
    pub(super) asked: &'n Asked,
}

impl SourceCompiler<'_> {
    pub(super) fn path(self, entry: &Entry<'_>) -> Option<Path> {
        entry.parsed(|text| match self.language {
            PathLanguage::Column if !text.starts_with('$') => Ok(Path::Column(text.to_owned())),
            PathLanguage::Json | PathLanguage::Column => Query::parse(text)
                .inspect(|query| self.asked.note(query))
                .map(Path::Json)
                .map_err(|error| format!("bad JSONPath {text:?}: {error}")),
            PathLanguage::Css => Css::parse(text)
                .map(Path::Css)
                .map_err(|error| format!("bad CSS selector {text:?}: {error}")),
        })
    }

    /// A path to the value of a field.
    fn value_path(self, entry: &Entry<'_>) -> Option<Path> {
        self.path(entry).inspect(|path| self.asked.note_values(path))
    }

    pub(super) fn paths(self, entry: Option<&Entry<'_>>) -> Vec<Path> {
        let entries = entry.map(Entry::one_or_more).unwrap_or_default();
        let paths = entries.iter().filter_map(|entry| self.path(entry));
        paths.inspect(|path| self.asked.note_items(path)).collect()
    }

    /// The source of a field; without candidates where the section does not have it.
    pub(super) fn field(self, section: Option<&Section<'_>>, key: &str, kind: FieldKind) -> Source {
        let entry = section.and_then(|section| section.get(key));
        entry.map(|entry| self.source(&entry, kind)).unwrap_or_default()
    }

    fn source(self, entry: &Entry<'_>, kind: FieldKind) -> Source {
        let entries = entry.one_or_more();
        let hidden = entries.iter().find_map(|entry| hidden_otherwise(entry, kind));
        let candidates =
            entries.iter().filter_map(|entry| self.candidate(entry, kind, &[])).collect();
        Source { candidates, hidden }
    }

    pub(super) fn candidate(
        self,
        entry: &Entry<'_>,
        kind: FieldKind,
        further: &[&str],
    ) -> Option<Candidate> {
        if entry.is_text() {
            return self.value_path(entry).map(|path| self.plain(Place::At(path)));
        }
        let table = entry.section()?;
        table.only(&[&CANDIDATE_KEYS[..], further].concat());
        let text = |key: &str| table.get(key).and_then(|entry| entry.text().map(str::to_owned));
        let mut candidate = self.plain(self.place(entry, &table)?);
        candidate.attribute = text("attr").map(|name| AttributeName::of(&name));
        candidate.longest = table.get("longest").and_then(|entry| entry.flag()).unwrap_or(false);
        candidate.without = table.get("without").and_then(|entry| entry.parsed(selector));
        candidate.matches = table.get("matches").and_then(|entry| entry.parsed(pattern));
        candidate.quirks = table.get("as").map(|entry| quirks(&entry, kind)).unwrap_or_default();
        candidate.prefix = text("prefix");
        candidate.is = text("is");
        candidate.zero_hidden = table.get("zero").and_then(|entry| hidden_reason(&entry));
        candidate.capped = table
            .get("capped")
            .and_then(|entry| entry.integer(1..=i64::MAX))
            .and_then(|number| u64::try_from(number).ok());
        if let Some(rounding) = table.get("rounding").and_then(|entry| entry.word(&ROUNDINGS)) {
            candidate.rounding = rounding;
        }
        self.refuse_misplaced(&table, kind);
        Some(candidate)
    }

    fn refuse_misplaced(self, table: &Section<'_>, kind: FieldKind) {
        let counts_only = ["capped", "zero", "rounding", "or"];
        for key in counts_only.into_iter().filter(|_| kind != FieldKind::Count) {
            if let Some(entry) = table.get(key) {
                entry.wrong("holds for counts only");
            }
        }
        for key in ["attr", "longest", "without"]
            .into_iter()
            .filter(|_| self.language != PathLanguage::Css)
        {
            if let Some(entry) = table.get(key) {
                entry.wrong("holds for HTML only");
            }
        }
    }

    fn plain(self, place: Place) -> Candidate {
        Candidate {
            place,
            attribute: None,
            longest: false,
            without: None,
            matches: None,
            quirks: Vec::new(),
            prefix: None,
            is: None,
            capped: None,
            zero_hidden: None,
            rounding: self.rounding,
        }
    }

    fn place(self, entry: &Entry<'_>, table: &Section<'_>) -> Option<Place> {
        let given = PLACES.into_iter().filter(|key| table.has_own(key)).collect::<Vec<_>>();
        if given.len() > 1 {
            entry.wrong(format!("names several places: {}; one is wanted", given.join(", ")));
            return None;
        }
        let Some(key) = given.first() else {
            self.asked.note_itself();
            return Some(Place::Here);
        };
        let value = table.get(key)?;
        match *key {
            "at" => self.value_path(&value).map(Place::At),
            "page" => self.value_path(&value).map(Place::Page),
            "raw" => value.parsed(pattern).map(|pattern| Place::Raw(Raw::new(pattern))),
            "header" => value.text().map(|name| Place::Header(name.to_owned())),
            "from" => value
                .word(&[("handle", true), ("address", false)])
                .map(|handle| if handle { Place::Handle } else { Place::Address }),
            _ => {
                let with = table.get("with").and_then(|entry| entry.text()).unwrap_or_default();
                let parts = value.list();
                let parts = parts.iter().map(|part| self.source(part, FieldKind::Text)).collect();
                Some(Place::Joined(parts, with.to_owned()))
            }
        }
    }
}

pub(super) fn selector(text: &str) -> Result<Css, String> {
    Css::parse(text).map_err(|error| format!("bad CSS selector {text:?}: {error}"))
}

/// The pattern, compiled once for all page kinds and files that write it the same: many do, and a
/// compiled one takes up to megabytes.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pattern) = compiled.get(text) {
        return Ok(pattern.clone());
    }
    let pattern = Regex::new(text).map_err(|error| {
        let last = error.to_string();
        let last = last.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("bad pattern {text:?}: {last}")
    })?;
    compiled.insert(text.to_owned(), pattern.clone());
    Ok(pattern)
}

fn quirks(entry: &Entry<'_>, kind: FieldKind) -> Vec<Quirk> {
    let mut quirks = Vec::new();
    for name in entry.one_or_more() {
        let Some(text) = name.text() else { continue };
        if let Some((_, named)) = KINDS.iter().find(|(word, _)| *word == text) {
            if *named != kind {
                name.wrong(format!("{text:?} is not what this field holds ({kind:?})"));
            }
        } else if let Some(quirk) = Quirk::named(text) {
            quirks.push(quirk);
        } else {
            name.wrong(format!("unknown transform {text:?}"));
        }
    }
    quirks
}

fn hidden_otherwise(entry: &Entry<'_>, kind: FieldKind) -> Option<String> {
    if entry.is_text() || entry.is_list() || kind != FieldKind::Count {
        return None;
    }
    entry.section()?.get("or").and_then(|entry| hidden_reason(&entry))
}

fn hidden_reason(entry: &Entry<'_>) -> Option<String> {
    let reason = entry.text()?.strip_prefix("hidden:").map(str::to_owned);
    if reason.is_none() {
        entry.wrong("is no \"hidden:<reason>\"");
    }
    reason
}
