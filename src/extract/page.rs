use chrono::{DateTime, Utc};
use url::Url;

use crate::domain::{Extraction, PageVerdict};
use crate::platform::{IdentityProof, Layout, PageKind, Platform, Role, Rule};

use super::charset::decode;
use super::document::Document;
use super::explain::{Notes, Place};
use super::reader::Reader;
use super::verdict::Seen;
use super::{identity, inquiry, items, verdict};

/// The largest body that is read, in bytes.
const BODY_MAX: usize = 16 << 20;

/// One answer to one request, with everything needed to read it.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The platform file.
    pub platform: &'a Platform,
    /// The page kind that was asked for; one of the platform's own.
    pub kind: &'a PageKind,
    /// The body, decompressed.
    pub body: &'a [u8],
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The HTTP status; 200 for a file.
    pub status: u16,
    /// The address that was asked for.
    pub url: Option<&'a str>,
    /// The address after redirects; absent: the same.
    pub final_url: Option<&'a str>,
    /// Response headers, names in any case.
    pub headers: &'a [(String, String)],
    /// The instant against which relative times are resolved.
    pub observed_at: DateTime<Utc>,
    /// The handle whose page was asked for; absent for an offline look at a file.
    pub handle: Option<&'a str>,
    /// Which page of a paged list this is, from 1.
    pub number: u32,
    /// The installation's key for the ids of citizens' messages.
    pub inquiry_key: &'a [u8],
}

impl Page<'_> {
    /// The address after redirects.
    pub(super) fn address(&self) -> Option<&str> {
        self.final_url.or(self.url)
    }

    /// An extraction without values.
    pub(super) fn empty(&self, verdict: PageVerdict, reason: Option<String>) -> Extraction {
        Extraction {
            platform: self.platform.id.clone(),
            page: self.kind.name.clone(),
            layout: None,
            observed_at: self.observed_at,
            identity: crate::domain::Identity::default(),
            posts: Vec::new(),
            inquiries: Vec::new(),
            columns: Vec::new(),
            exhausted: false,
            empty_marker: false,
            next: None,
            source_time: None,
            verdict,
            reason,
            finding: None,
            warnings: Vec::new(),
        }
    }
}

/// Reads a page.
///
/// Layouts are tried in the order of the file. A sign of a wall or of a page that is gone ends the
/// search; else the first layout wins that proves the identity or yields items. Without any, every
/// layout's reason is told.
pub fn extract(page: &Page<'_>) -> Extraction {
    walk(page, None)
}

/// Tries the layouts, and notes what came of each where somebody wants to know.
pub(super) fn walk(page: &Page<'_>, mut notes: Option<&mut Notes>) -> Extraction {
    if page.body.len() > BODY_MAX {
        let reason = format!("body of {} bytes, at most {BODY_MAX} are read", page.body.len());
        return page.empty(PageVerdict::Drifted, Some(reason));
    }
    let text = decode(page.body, page.content_type);
    let mut failures: Vec<Extraction> = Vec::new();
    for layout in &page.kind.layouts {
        if let Some(early) = verdict::before_parsing(page, layout, &text) {
            if let Some(notes) = notes.as_deref_mut() {
                notes.add(layout, None, &early, true);
            }
            return early;
        }
        let (attempt, trace) = match Document::parse(layout, &text, page.observed_at) {
            Ok(document) => {
                let reader = Reader::new(page, &document);
                let reader = if notes.is_some() { reader.tracing() } else { reader };
                (read(page, layout, &reader), reader.into_trace())
            }
            Err(reason) => {
                let unparsed = page.empty(PageVerdict::Drifted, Some(reason));
                (Attempt::Failed(Box::new(unparsed)), None)
            }
        };
        if let Some(notes) = notes.as_deref_mut() {
            let (Attempt::Decided(read) | Attempt::Failed(read)) = &attempt;
            notes.add(layout, trace, read, matches!(attempt, Attempt::Decided(_)));
        }
        match attempt {
            Attempt::Decided(extraction) => return *extraction,
            Attempt::Failed(extraction) => failures.push(*extraction),
        }
    }
    unread(page, failures)
}

/// What is told where no layout could read the page: the first one's finding, everyone's reason.
fn unread(page: &Page<'_>, mut failures: Vec<Extraction>) -> Extraction {
    if let Some(failure) = verdict::by_status(page) {
        return failure;
    }
    // A layout that could parse the page knows more than one of another format.
    if failures.iter().any(|one| one.layout.is_some()) {
        failures.retain(|one| one.layout.is_some());
    }
    let mut reasons = failures.iter().filter_map(|one| one.reason.clone()).collect::<Vec<_>>();
    reasons.dedup();
    let best = failures.into_iter().max_by_key(|one| one.verdict == PageVerdict::Blocked);
    let mut told = best.unwrap_or_else(|| page.empty(PageVerdict::Drifted, None));
    if reasons.len() > 1 {
        told.reason = Some(reasons.join("; "));
    }
    told
}

enum Attempt {
    Decided(Box<Extraction>),
    Failed(Box<Extraction>),
}

fn read(page: &Page<'_>, layout: &Layout, reader: &Reader<'_>) -> Attempt {
    let root = reader.root();
    if let Some(early) = verdict::by_content(page, layout, reader) {
        return Attempt::Decided(Box::new(early));
    }
    if let Some(failure) = verdict::by_status(page) {
        return Attempt::Failed(Box::new(failure));
    }
    let found = identity::identify(page, layout, reader);
    let owner = match page.kind.identity {
        IdentityProof::Answer => found.identity.handle.as_deref().or(page.handle),
        IdentityProof::Address | IdentityProof::Nobody => None,
    };
    let listed = items::listed(page, layout, reader, owner);
    let messages = layout.inquiries.as_ref();
    let messages = messages
        .map(|fields| inquiry::messages(page, fields, reader, owner.or(page.handle)))
        .unwrap_or_default();
    let (posts, columns) = match page.kind.role {
        Role::Inventory => (Vec::new(), items::columns(listed.posts)),
        _ => (listed.posts, Vec::new()),
    };
    let shown = posts.len().max(usize::from(listed.left_out.incomplete));
    reader.begin(Place::Page);
    let said = |rules: &[Rule]| rules.iter().any(|rule| reader.hit(rule, root).is_some());
    let mut extraction = Extraction {
        layout: Some(layout.name.clone()),
        identity: identity::plausible(page.kind.role, found.identity, shown),
        posts,
        finding: listed.finding,
        inquiries: messages.inquiries,
        columns,
        exhausted: said(&layout.exhausted),
        empty_marker: said(&layout.empty_marker) && !said(&layout.empty_unless),
        source_time: reader.moment(&layout.source_time, root, "source_time").map(|(at, _)| at.at),
        ..page.empty(PageVerdict::Observation, None)
    };
    let container = layout.list.as_ref().is_some_and(|path| !reader.nodes(path, root).is_empty());
    let seen = Seen {
        proven: found.proven,
        container,
        own_messages: messages.own,
        left_out: listed.left_out,
    };
    let judged = verdict::judge(page, &extraction, seen);
    (extraction.verdict, extraction.reason) = (judged.verdict, judged.reason);
    if extraction.verdict == PageVerdict::Drifted && listed.refused.is_some() {
        extraction.reason = listed.refused;
    }
    // Of items that cannot be read nobody knows which is the last.
    extraction.exhausted &= !(extraction.posts.is_empty() && listed.left_out.incomplete);
    if extraction.verdict == PageVerdict::Observation && !extraction.exhausted {
        extraction.next = next(page, layout, reader, &extraction);
    }
    extraction.warnings = reader.warnings();
    let decided = judged.final_word
        || found.proven
        || !extraction.posts.is_empty()
        || !extraction.inquiries.is_empty()
        || !extraction.columns.is_empty();
    let extraction = Box::new(extraction);
    if decided { Attempt::Decided(extraction) } else { Attempt::Failed(extraction) }
}

fn next(
    page: &Page<'_>,
    layout: &Layout,
    reader: &Reader<'_>,
    extraction: &Extraction,
) -> Option<String> {
    if let Some(address) = reader.address(&layout.next, reader.root(), "next") {
        // A list does not go on at another host: such a link is none of the account's.
        return same_host(page.address(), &address).then_some(address);
    }
    let template = page.kind.url.as_ref().filter(|template| template.is_paged())?;
    let handle = page.handle.or(extraction.identity.handle.as_deref())?;
    if extraction.posts.is_empty() {
        return None;
    }
    template.fill(handle, page.url, page.number.max(1) + 1)
}

fn same_host(page: Option<&str>, next: &str) -> bool {
    let host = |address: &str| Some(Url::parse(address).ok()?.host_str()?.to_owned());
    page.is_none_or(|page| host(page) == host(next))
}
