//! Finds the values of a page: places, patterns, named functions, kinds.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Display;

use url::Url;

use crate::domain::Count;
use crate::platform::{Candidate, Path, Place, Rule, Source};

use super::ahead::Ahead;
use super::count::count;
use super::document::{Document, Node};
use super::explain::{Place as Told, Trace};
use super::page::Page;
use super::text::{page_titles, plain, unescape};
use super::value::{group, is_container, longest, node_text, readable, refine};

/// The most warnings that are told one by one.
const WARNINGS_MAX: usize = 20;

/// The most links of which the longest is looked for.
const LINKS_MAX: usize = 12;

/// Characters of a page that a warning or reason quotes.
const QUOTED_MAX: usize = 60;

/// Reads the values of one parsed page.
pub(crate) struct Reader<'a> {
    pub(super) page: &'a Page<'a>,
    document: &'a Document<'a>,
    /// The address against which links count.
    base: Option<Url>,
    warnings: RefCell<Vec<String>>,
    /// What was read before it is asked for.
    pub(super) ahead: Ahead,
    /// Only where the reading is to be explained.
    trace: Option<Trace>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(page: &'a Page<'a>, document: &'a Document<'a>) -> Self {
        let warnings = document.note.map(str::to_owned).into_iter().collect::<Vec<_>>();
        let base = page.address().and_then(|address| Url::parse(address).ok());
        Self {
            page,
            document,
            base,
            warnings: RefCell::new(warnings),
            ahead: Ahead::default(),
            trace: None,
        }
    }

    /// This reader, which notes the places that it asks.
    pub(crate) fn tracing(self) -> Self {
        Self { trace: Some(Trace::new()), ahead: Ahead::nothing(), ..self }
    }

    pub(super) fn into_trace(self) -> Option<Trace> {
        self.trace
    }

    /// What is asked from here on is asked for this place.
    pub(super) fn begin(&self, place: Told) {
        if let Some(trace) = &self.trace {
            trace.begin(place);
        }
    }

    /// The item begun last is no post.
    pub(super) fn left_out(&self, why: &'static str) {
        if let Some(trace) = &self.trace {
            trace.left_out(why);
        }
    }

    pub(crate) fn root(&self) -> Node<'a> {
        self.document.root()
    }

    pub(crate) fn nodes(&self, path: &Path, node: Node<'a>) -> Vec<Node<'a>> {
        node.select(path)
    }

    pub(crate) fn warn(&self, place: impl Display + Copy, what: &str) {
        self.warnings.borrow_mut().push(format!("{place}: {what}"));
    }

    /// What could not be read since this was asked last: all of it.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// What could not be read; a long list is cut, and says so.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.borrow().clone();
        let more = warnings.len().saturating_sub(WARNINGS_MAX);
        if more > 0 {
            warnings.truncate(WARNINGS_MAX);
            warnings.push(format!("and {more} more"));
        }
        warnings
    }

    /// The first result of `found` that is one, over the texts at a candidate's place, before its
    /// pattern is asked.
    fn at<R>(
        &self,
        candidate: &Candidate,
        node: Node<'a>,
        found: &mut dyn FnMut(&str) -> Option<R>,
    ) -> Option<R> {
        let Some(trace) = &self.trace else { return self.texts_at(candidate, node, found) };
        let mut texts = Vec::new();
        let _: Option<()> = self.texts_at(candidate, node, &mut |text| {
            texts.push(text.to_owned());
            None
        });
        trace.asked(candidate, &texts);
        texts.iter().find_map(|text| found(text))
    }

    fn texts_at<R>(
        &self,
        candidate: &Candidate,
        node: Node<'a>,
        found: &mut dyn FnMut(&str) -> Option<R>,
    ) -> Option<R> {
        let mut text_of = |node: Node<'a>| found(&node_text(candidate, node)?);
        match &candidate.place {
            Place::Here => text_of(node),
            Place::At(path) if candidate.longest => {
                let mut links = Vec::new();
                node.find(path, |link| {
                    links.push(link);
                    (links.len() == LINKS_MAX).then_some(())
                });
                longest(&links).and_then(text_of)
            }
            Place::At(path) => node.find(path, text_of),
            Place::Page(path) => self.root().find(path, text_of),
            Place::Raw(pattern) => {
                pattern.captures(self.document.text).and_then(|text| found(group(&text)))
            }
            Place::Header(name) => {
                let mut headers = self.page.headers.iter();
                let fits = |header: &str| header.eq_ignore_ascii_case(name);
                headers.find_map(|(header, text)| if fits(header) { found(text) } else { None })
            }
            Place::Handle => self.page.handle.and_then(found),
            Place::Address => self.page.address().and_then(found),
            Place::Joined(parts, with) => {
                let texts = parts.iter().map(|part| self.text(part, node));
                let texts = texts.collect::<Option<Vec<_>>>();
                found(&texts?.join(with))
            }
        }
    }

    /// The first result of `found` that is one, over the values of a candidate: what stands at its
    /// place, through its pattern and functions.
    pub(super) fn value<R>(
        &self,
        candidate: &Candidate,
        node: Node<'a>,
        found: &mut dyn FnMut(&str) -> Option<R>,
    ) -> Option<R> {
        self.at(candidate, node, &mut |text| {
            let text = match text.contains('\0') {
                true => Cow::Owned(text.replace('\0', "\u{fffd}")),
                false => Cow::Borrowed(text),
            };
            let value = refine(candidate, &text).filter(|value| !value.is_empty())?;
            found(&value)
        })
    }

    /// The values of a candidate.
    pub(super) fn values(&self, candidate: &Candidate, node: Node<'a>) -> Vec<String> {
        let mut values = Vec::new();
        let _: Option<()> = self.value(candidate, node, &mut |value| {
            values.push(value.to_owned());
            None
        });
        values
    }

    /// Every value of every candidate.
    pub(crate) fn all_texts(&self, source: &Source, node: Node<'a>) -> Vec<String> {
        let values = source.candidates.iter().flat_map(|one| self.values(one, node));
        values.map(|text| readable(&text)).filter(|text| !text.is_empty()).collect()
    }

    /// The first value, as readable text.
    pub(crate) fn text(&self, source: &Source, node: Node<'a>) -> Option<String> {
        if let Some(known) = self.ahead.take_text(source, node) {
            return known;
        }
        source.candidates.iter().find_map(|candidate| {
            self.value(candidate, node, &mut |text| {
                Some(readable(text)).filter(|text| !text.is_empty())
            })
        })
    }

    /// Whether there is a text, kept for whoever asks for it next.
    pub(super) fn text_ahead(&self, source: &Source, node: Node<'a>) -> bool {
        let text = self.text(source, node);
        let found = text.is_some();
        self.ahead.keep_text(source, node, text);
        found
    }

    /// The first value that is an address, made absolute.
    pub(crate) fn address(
        &self,
        source: &Source,
        node: Node<'a>,
        place: impl Display + Copy,
    ) -> Option<String> {
        let base = self.base.as_ref();
        let mut candidates = source.candidates.iter();
        candidates.find_map(|candidate| {
            self.value(candidate, node, &mut |value| {
                let value = decoded(value.trim());
                if value.starts_with('#') || value.is_empty() {
                    return None;
                }
                let joined = match base {
                    Some(base) => base.join(&value).ok(),
                    None => Url::parse(&value).ok(),
                };
                match joined {
                    Some(address) if matches!(address.scheme(), "http" | "https") => {
                        // Without a base the text stays as it is: normalising changes nothing.
                        Some(if base.is_some() { address.into() } else { value.into_owned() })
                    }
                    Some(_) => None,
                    None if base.is_none() => Some(value.into_owned()),
                    None => {
                        self.warn(place, &format!("no address: {}", quoted(&value)));
                        None
                    }
                }
            })
        })
    }

    /// Whether there is a value that is an address.
    pub(crate) fn has_address(&self, source: &Source, node: Node<'a>) -> bool {
        let first = source.candidates.first();
        let plain = first.is_some_and(|candidate| {
            let is_path = |value: &str| is_path(value.trim()).then_some(());
            self.base.is_some()
                && self.value(candidate, node, &mut |value| is_path(value)).is_some()
        });
        plain || self.address(source, node, "").is_some()
    }

    /// Whether any candidate says yes; `None` where the platform file has none.
    pub(crate) fn flag(&self, source: &Source, node: Node<'a>) -> Option<bool> {
        if source.candidates.is_empty() {
            return None;
        }
        Some(source.candidates.iter().any(|candidate| self.says_yes(candidate, node).is_some()))
    }

    fn says_yes(&self, candidate: &Candidate, node: Node<'a>) -> Option<String> {
        let told = |text: &str| Some(text.to_owned());
        if candidate.matches.is_some() {
            return self.value(candidate, node, &mut |text| told(text));
        }
        let no = |text: &str| matches!(text.trim(), "" | "0" | "false");
        let yes = self.at(candidate, node, &mut |text| if no(text) { None } else { told(text) });
        yes.or_else(|| {
            // A container holds no text of its own, yet it is there.
            let Place::At(path) = &candidate.place else { return None };
            node.find(path, |node| is_container(node).then(String::new))
        })
    }

    /// The first readable number, or why it is hidden.
    pub(crate) fn count(
        &self,
        source: &Source,
        node: Node<'a>,
        place: impl Display + Copy,
    ) -> Option<Count> {
        let mut candidates = source.candidates.iter();
        let found = candidates.find_map(|candidate| {
            self.value(candidate, node, &mut |text| {
                let number = count(text, candidate.rounding);
                if number.is_none() {
                    self.warn(place, &format!("not a number: {}", quoted(text)));
                }
                number.map(|number| limited(candidate, number))
            })
        });
        found.or_else(|| source.hidden.clone().map(Count::Hidden))
    }

    /// The words of the page that fulfil a rule.
    pub(crate) fn hit(&self, rule: &Rule, node: Node<'a>) -> Option<String> {
        match rule {
            Rule::Content(candidate) => {
                self.says_yes(candidate, node).map(|text| quoted(&plain(&text)))
            }
            Rule::Status(codes) => {
                codes.contains(&self.page.status).then(|| format!("status {}", self.page.status))
            }
            Rule::Redirect(pattern) => {
                let address = self.page.address().filter(|address| pattern.is_match(address));
                address.map(|address| format!("redirected to {}", quoted(address)))
            }
            Rule::Body(pattern) => pattern.find(self.document.text).map(|m| quoted(m.as_str())),
            Rule::Title(pattern) => {
                let titles = page_titles(self.document.text);
                let found = titles.into_iter().find_map(|title| pattern.find(title));
                found.map(|found| quoted(found.as_str()))
            }
        }
    }
}

/// A text without character references.
fn decoded(text: &str) -> Cow<'_, str> {
    match text.contains(['&', '\0']) {
        true => Cow::Owned(unescape(text)),
        false => Cow::Borrowed(text),
    }
}

/// Whether a text is the path of a page, which against any address makes one.
fn is_path(text: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-?=".contains(byte);
    text.as_bytes().first().is_some_and(begins)
        && !text.starts_with("//")
        && text.as_bytes().iter().all(goes_on)
}

/// The part of a text that is told.
pub(crate) fn quoted(text: &str) -> String {
    let short = text.chars().take(QUOTED_MAX).collect::<String>();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

fn limited(candidate: &Candidate, number: Count) -> Count {
    match (&number, &candidate.zero_hidden, candidate.capped) {
        (Count::Exact(0), Some(reason), _) => Count::Hidden(reason.clone()),
        (Count::Exact(value), _, Some(cap)) if *value == cap => {
            Count::Bounded { value: cap, low: cap, high: None }
        }
        _ => number,
    }
}
