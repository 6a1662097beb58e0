//! One row: its account, its completeness, its post.

use chrono::{DateTime, Utc};
use url::Url;

use crate::domain::{AccountId, Moment, Post, Precision, RowError};
use crate::platform::{ImportAccount, ImportMapping, Source};

use super::time::{formatted, full_date};
use super::{AccountName, Begun, Declared};
use crate::extract::items::origin;
use crate::extract::reader::{Reader, quoted};

/// The column of a field as the mapping names it.
pub(super) fn columns(source: &Source, field: &str) -> String {
    let first = source.candidates.first();
    first.map_or_else(|| field.to_owned(), |candidate| candidate.place.to_string())
}

pub(super) struct Row<'a> {
    pub(super) mapping: &'a ImportMapping,
    pub(super) declared: &'a Declared<'a>,
    pub(super) number: usize,
    pub(super) reader: Reader<'a>,
    pub(super) errors: Vec<RowError>,
}

impl Row<'_> {
    fn refuse(&mut self, column: String, reason: impl Into<String>) {
        self.errors.push(RowError { row: self.number, column, reason: reason.into() });
    }

    fn text(&self, source: &Source) -> Option<String> {
        self.reader.text(source, self.reader.root())
    }

    /// A text that must be there.
    fn required(&mut self, source: &Source, field: &str) -> Option<String> {
        let text = self.text(source);
        if text.is_none() {
            self.refuse(columns(source, field), "a value is required");
        }
        text
    }

    pub(super) fn account(&mut self) -> Option<AccountId> {
        let mapping = self.mapping;
        let (name, column) = match &mapping.account {
            ImportAccount::Key(key) => {
                (AccountName::Key(self.required(key, "key")?), columns(key, "key"))
            }
            ImportAccount::Handle { fixed, platform, handle } => {
                let platform = match fixed {
                    Some(fixed) => Some(fixed.clone()),
                    None => self.required(platform, "platform"),
                };
                let named = self.required(handle, "handle");
                let name = AccountName::Handle { platform: platform?, handle: named? };
                (name, columns(handle, "handle"))
            }
            ImportAccount::Given => (AccountName::Given, "account".to_owned()),
        };
        let account = (self.declared.account)(&name);
        account.map_err(|reason| self.refuse(column, reason)).ok()
    }

    pub(super) fn complete_from(&mut self) -> Option<DateTime<Utc>> {
        let source = &self.mapping.complete_from;
        let Some(text) = self.text(source) else { return self.declared.complete_from };
        Some(self.time(&text, source, "complete_from")?.lower())
    }

    pub(super) fn complete_to(&mut self) -> Option<DateTime<Utc>> {
        let source = &self.mapping.complete_to;
        let Some(text) = self.text(source) else { return self.declared.complete_to };
        let to = self.time(&text, source, "complete_to")?;
        let to = if to.precision == Precision::Day { to.upper() } else { to.lower() };
        if to > self.declared.entered_at {
            let reason = format!("{text} is not over yet; write the time of the export");
            self.refuse(columns(source, "complete_to"), reason);
            return None;
        }
        Some(to)
    }

    fn time(&mut self, text: &str, source: &Source, field: &str) -> Option<Moment> {
        let read = match self.mapping.time_formats.as_slice() {
            [] => full_date(text, self.declared.entered_at),
            formats => formatted(text, formats),
        };
        if read.is_none() {
            let wanted = match self.mapping.time_formats.as_slice() {
                [] => "a time with its full date".to_owned(),
                formats => format!("a time like {}", formats.join(" or ")),
            };
            self.refuse(columns(source, field), format!("{:?} is not {wanted}", quoted(text)));
        }
        read
    }

    /// The post of the row; `None` where it has none, or where something is wrong with it.
    pub(super) fn post(&mut self, complete_to: Option<DateTime<Utc>>) -> Option<Post> {
        let item = self.mapping.item();
        let root = self.reader.root();
        let shown = self.text(&item.published_at);
        let mut post = Post {
            reference: self.text(&item.reference),
            url: self.text(&item.url),
            title: self.text(&item.title),
            origin: origin(
                self.reader.flag(&item.repost, root),
                self.reader.flag(&item.original, root),
            ),
            ..Post::default()
        };
        let counts = [
            (&mut post.reads, &item.reads, "reads"),
            (&mut post.likes, &item.likes, "likes"),
            (&mut post.comments, &item.comments, "comments"),
            (&mut post.shares, &item.shares, "shares"),
        ];
        let mut counted = false;
        for (count, source, field) in counts {
            *count = self.reader.count(source, root, field);
            counted |= count.as_ref().is_some_and(|count| count.value().is_some());
            for warning in self.reader.take_warnings() {
                let reason = warning.split_once(": ").map_or(warning.as_str(), |(_, what)| what);
                self.refuse(columns(source, field), reason);
                counted = true;
            }
        }
        let named = post.reference.is_some() || post.url.is_some();
        if !named && post.title.is_none() && shown.is_none() && !counted {
            return None;
        }
        if !named {
            let source = if item.url.candidates.is_empty() { &item.reference } else { &item.url };
            self.refuse(columns(source, "ref"), "a post needs its ref or its url");
        }
        self.check_address(post.url.as_deref());
        let shown = self.required(&item.published_at, "published_at")?;
        let published = self.time(&shown, &item.published_at, "published_at")?;
        if published.lower() >= complete_to.unwrap_or(self.declared.entered_at) {
            let limit = if complete_to.is_some() { "what the export declares" } else { "now" };
            let column = columns(&item.published_at, "published_at");
            self.refuse(column, format!("{shown} lies after {limit}"));
        }
        post.published = Some(published);
        post.published_text = Some(shown);
        self.errors.is_empty().then_some(post)
    }

    fn check_address(&mut self, url: Option<&str>) {
        let Some(url) = url else { return };
        let parsed = Url::parse(url).ok();
        if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
            let column = columns(&self.mapping.item().url, "url");
            self.refuse(column, format!("{:?} is no address", quoted(url)));
        }
    }

    /// Adds the row to what its account's earlier rows say.
    pub(super) fn join(
        &mut self,
        begun: &mut Begun,
        complete: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        post: Option<Post>,
    ) {
        let mapping = self.mapping;
        let sides = [
            (complete.0, begun.complete.0, &mapping.complete_from, "complete_from"),
            (complete.1, begun.complete.1, &mapping.complete_to, "complete_to"),
        ];
        for (this, first, source, field) in sides {
            if this != first && self.errors.is_empty() {
                let reason = format!("is not what row {} says of the same account", begun.row);
                self.refuse(columns(source, field), reason);
            }
        }
        let Some(post) = post else { return };
        if let Some(name) = post.reference.clone().or_else(|| post.url.clone()) {
            let first = *begun.rows_of.entry(name).or_insert(self.number);
            if first != self.number {
                let item = mapping.item();
                let known_by = if post.reference.is_some() { &item.reference } else { &item.url };
                self.refuse(columns(known_by, "ref"), format!("stands already in row {first}"));
            }
        }
        begun.posts.push(post);
    }
}
