//! Where each value of an extraction came from, for who writes a platform file.

mod shown;
mod trace;

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::Extraction;
use crate::platform::{Candidate, IdentityFields, ItemFields, Layout, Rule, Source};

use super::page::{Page, walk};
use super::value::refine;

pub(super) use trace::{Place, Trace};

use trace::Group;

/// An extraction with the way to each of its values.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What [`extract`](super::extract) says of the page.
    pub extraction: Extraction,
    /// The layouts in the order of the platform file.
    pub layouts: Vec<TriedLayout>,
    /// The values, in the order in which they were looked for.
    pub values: Vec<ExplainedValue>,
    /// Items of the page that are no posts of the account: the place on the page, and why not.
    pub left_out: Vec<(String, &'static str)>,
}

/// A layout and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedLayout {
    /// Its name.
    pub name: String,
    /// Whether it was asked at all; a layout behind the chosen one is not.
    pub tried: bool,
    /// Whether its reading is the result.
    pub chosen: bool,
    /// Why it was not chosen; or, where it was, why the page is no observation.
    pub reason: Option<String>,
}

/// A value and where it was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedValue {
    /// The place in the extraction JSON, such as `posts[2].likes`.
    pub place: String,
    /// The value as the extraction JSON has it; `null` where there is none.
    pub value: Value,
    /// The places that were asked, in order.
    pub asked: Vec<AskedPlace>,
}

/// One place that was asked for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedPlace {
    /// Path, pattern and functions, as the platform file has them.
    pub source: String,
    /// The text there, and what pattern and functions made of it; `None` where the text is not of
    /// the kind they understand. Empty where the page has nothing at the place.
    pub found: Vec<(String, Option<String>)>,
}

/// Reads a page as [`extract`](super::extract) does, and notes every place that it asks.
pub fn explain(page: &Page<'_>) -> Explanation {
    let mut notes = Notes::default();
    let extraction = walk(page, Some(&mut notes));
    let tried = notes.layouts.len();
    let further = page.kind.layouts.iter().skip(tried).map(|layout| TriedLayout {
        name: layout.name.clone(),
        tried: false,
        chosen: false,
        reason: None,
    });
    notes.layouts.extend(further);
    let Notes { layouts, values, left_out } = notes;
    Explanation { extraction, layouts, values, left_out }
}

/// What is noted while layout after layout is tried.
#[derive(Default)]
pub(super) struct Notes {
    layouts: Vec<TriedLayout>,
    values: Vec<ExplainedValue>,
    left_out: Vec<(String, &'static str)>,
}

impl Notes {
    /// A layout came to an end; `trace` where it could parse the page.
    pub(super) fn add(
        &mut self,
        layout: &Layout,
        trace: Option<Trace>,
        read: &Extraction,
        chosen: bool,
    ) {
        let (name, reason) = (layout.name.clone(), read.reason.clone());
        self.layouts.push(TriedLayout { name, tried: true, chosen, reason });
        let Some(trace) = trace.filter(|_| chosen) else { return };
        let said = serde_json::to_value(read).unwrap_or_default();
        let list = if read.columns.is_empty() { "posts" } else { "columns" };
        let mut kept = 0;
        for group in trace.0.into_inner() {
            let place = match (&group.place, group.left_out) {
                (Place::Item(index), Some(why)) => {
                    self.left_out.push((format!("item {index} of the page"), why));
                    continue;
                }
                (Place::Item(_), None) => {
                    kept += 1;
                    format!("/{list}/{}", kept - 1)
                }
                (Place::Message(index), _) => format!("/inquiries/{index}"),
                (Place::Identity, _) => "/identity".to_owned(),
                (Place::Page, _) => String::new(),
                (Place::Unnamed, _) => continue,
            };
            self.explain(&group, &place, fields(layout, &group.place), &said);
        }
    }

    fn explain(
        &mut self,
        group: &Group,
        above: &str,
        fields: Vec<(&'static str, Vec<&Candidate>)>,
        said: &Value,
    ) {
        let words_are_told = !matches!(group.place, Place::Message(_));
        for (name, candidates) in fields {
            let asked = |candidate: &&Candidate| {
                let asked = group.asked.iter().find(|(at, _)| std::ptr::eq(*at, *candidate));
                asked.map(|(_, texts)| AskedPlace {
                    source: candidate.to_string(),
                    found: texts
                        .iter()
                        .map(|text| {
                            let refined = refine(candidate, text).map(Cow::into_owned);
                            let raw = if words_are_told { text.as_str() } else { "…" };
                            (raw.to_owned(), refined)
                        })
                        .collect(),
                })
            };
            let asked = candidates.iter().filter_map(asked).collect::<Vec<_>>();
            let pointer = format!("{above}/{name}");
            let value = said.pointer(&pointer).cloned().unwrap_or_default();
            if !asked.is_empty() {
                self.values.push(ExplainedValue { place: dotted(&pointer), value, asked });
            }
        }
    }
}

/// `posts[2].likes` of `/posts/2/likes`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').split('/').fold(String::new(), |mut place, part| {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            place.push_str(&format!("[{part}]"));
        } else if place.is_empty() {
            place.push_str(part);
        } else {
            place.push_str(&format!(".{part}"));
        }
        place
    })
}

/// The fields that may be asked for at a place, by their names in the extraction JSON.
fn fields<'a>(layout: &'a Layout, place: &Place) -> Vec<(&'static str, Vec<&'a Candidate>)> {
    match place {
        Place::Item(_) => item_fields(&layout.item),
        Place::Identity => layout.identity.iter().flat_map(identity_fields).collect(),
        Place::Page => {
            let signs = [("blocked", &layout.blocked), ("gone", &layout.gone)];
            let signs = signs
                .into_iter()
                .map(|(name, signs)| (name, contents(signs.iter().map(|sign| &sign.rule))));
            let rules = [
                ("exhausted", &layout.exhausted),
                ("empty_marker", &layout.empty_marker),
                ("empty_unless", &layout.empty_unless),
            ];
            let rules = rules.into_iter().map(|(name, rules)| (name, contents(rules.iter())));
            let sources = [("source_time", &layout.source_time), ("next", &layout.next)];
            signs.chain(rules).chain(sources.map(|(name, source)| (name, all(source)))).collect()
        }
        Place::Message(_) => {
            let inquiries = layout.inquiries.iter();
            let times = inquiries.flat_map(|fields| {
                [("asked_at", all(&fields.asked_at)), ("replied_at", all(&fields.replied_at))]
            });
            times.collect()
        }
        Place::Unnamed => Vec::new(),
    }
}

fn contents<'a>(rules: impl Iterator<Item = &'a Rule>) -> Vec<&'a Candidate> {
    let contents = rules.filter_map(|rule| match rule {
        Rule::Content(candidate) => Some(candidate.as_ref()),
        _ => None,
    });
    contents.collect()
}

fn all(source: &Source) -> Vec<&Candidate> {
    source.candidates.iter().collect()
}

fn item_fields(item: &ItemFields) -> Vec<(&'static str, Vec<&Candidate>)> {
    let fields = [
        ("ref", &item.reference),
        ("url", &item.url),
        ("title", &item.title),
        ("text_digest", &item.text),
        ("published_at", &item.published_at),
        ("pinned", &item.pinned),
        ("form", &item.form),
        ("origin", &item.repost),
        ("origin", &item.original),
        ("author", &item.author),
        ("reads", &item.reads),
        ("likes", &item.likes),
        ("comments", &item.comments),
        ("shares", &item.shares),
    ];
    fields.map(|(name, source)| (name, all(source))).into()
}

fn identity_fields(fields: &IdentityFields) -> Vec<(&'static str, Vec<&Candidate>)> {
    let fields = [
        ("handle", &fields.handle),
        ("name", &fields.name),
        ("verified_as", &fields.verified_as),
        ("followers", &fields.followers),
        ("posts_total", &fields.posts_total),
        ("registered_at", &fields.registered_at),
    ];
    fields.map(|(name, source)| (name, all(source))).into()
}
