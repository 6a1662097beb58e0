//! Whether an answer is the page that was asked for, and if not, what it is.

use std::cell::OnceCell;

use chrono::{DateTime, Utc};
use regex::Regex;

use crate::domain::{Count, Extraction, PageVerdict};
use crate::platform::{IdentityProof, Layout, Place, Role, Rule, Sign};

use super::items::LeftOut;
use super::moment::moment;
use super::page::Page;
use super::reader::{Reader, quoted};
use super::text::page_titles;

/// Why an empty list is not believed: what a script would fill is empty, too.
const UNMARKED: &str = "an empty list without a sign that it is empty";

/// A verdict with its reason.
pub(super) struct Judged {
    pub(super) verdict: PageVerdict,
    pub(super) reason: Option<String>,
    /// Whether no other layout can know better.
    pub(super) final_word: bool,
}

/// Signs that need no parsed document: status, redirect, raw text.
pub(super) fn before_parsing(page: &Page<'_>, layout: &Layout, text: &str) -> Option<Extraction> {
    let titles = OnceCell::new();
    let told = |pattern: &Regex, text| pattern.find(text).map(|found| quoted(found.as_str()));
    let hit = |rule: &Rule| match rule {
        Rule::Status(codes) => {
            codes.contains(&page.status).then(|| format!("status {}", page.status))
        }
        Rule::Redirect(pattern) => {
            let address = page.address().filter(|address| pattern.is_match(address));
            address.map(|address| format!("redirected to {}", quoted(address)))
        }
        Rule::Body(pattern) => told(pattern, text),
        Rule::Title(pattern) => {
            let titles = titles.get_or_init(|| page_titles(text));
            titles.iter().find_map(|title| told(pattern, title))
        }
        Rule::Content(_) => None,
    };
    decide(page, layout, hit)
}

/// Signs inside the document.
pub(super) fn by_content(
    page: &Page<'_>,
    layout: &Layout,
    reader: &Reader<'_>,
) -> Option<Extraction> {
    decide(page, layout, |rule| match rule {
        Rule::Content(_) => reader.hit(rule, reader.root()),
        _ => None,
    })
}

/// A wall is looked for first: what it says of the account is not to be believed.
fn decide(
    page: &Page<'_>,
    layout: &Layout,
    hit: impl Fn(&Rule) -> Option<String>,
) -> Option<Extraction> {
    let said = |signs: &[Sign], verdict| {
        let reason = signs.iter().find_map(|sign| {
            let words = hit(&sign.rule)?;
            Some(sign.means.map_or(words.clone(), |means| format!("{means}: {words}")))
        })?;
        let mut extraction = page.empty(verdict, Some(reason));
        extraction.layout = Some(layout.name.clone());
        extraction.source_time = told_by_header(page, layout);
        Some(extraction)
    };
    said(&layout.blocked, PageVerdict::Blocked).or_else(|| said(&layout.gone, PageVerdict::Gone))
}

/// When a bridge last heard from the platform, where it says so beside a body that is no feed.
fn told_by_header(page: &Page<'_>, layout: &Layout) -> Option<DateTime<Utc>> {
    layout.source_time.candidates.iter().find_map(|candidate| {
        let Place::Header(name) = &candidate.place else { return None };
        let mut headers = page.headers.iter();
        let (_, text) = headers.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        moment(text, page.observed_at).map(|told| told.at)
    })
}

/// An answer that no layout could read and whose status is no success.
pub(super) fn by_status(page: &Page<'_>) -> Option<Extraction> {
    let verdict = match page.status {
        200..=299 => return None,
        401 | 403 | 407 | 418 | 429 | 432 | 451 => PageVerdict::Blocked,
        _ => PageVerdict::Drifted,
    };
    Some(page.empty(verdict, Some(format!("status {}", page.status))))
}

/// What speaks for a page beside what was read of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// Whether it shows the asked handle.
    pub(super) proven: bool,
    /// Whether there is a place for items.
    pub(super) container: bool,
    /// Whether there are messages of the account itself.
    pub(super) own_messages: bool,
    /// What the list shows that is no post.
    pub(super) left_out: LeftOut,
}

/// Judges what was read.
pub(super) fn judge(page: &Page<'_>, read: &Extraction, seen: Seen) -> Judged {
    let Seen { proven, container, own_messages, left_out } = seen;
    if let Some(reason) = another_owner(page, read, proven) {
        return Judged { verdict: PageVerdict::Blocked, reason: Some(reason), final_word: true };
    }
    let failed = |verdict, reason: &str| Judged {
        verdict,
        reason: Some(reason.to_owned()),
        final_word: false,
    };
    let answer = page.kind.identity == IdentityProof::Answer;
    let found = !read.posts.is_empty()
        || !read.inquiries.is_empty()
        || !read.columns.is_empty()
        || own_messages;
    let marked = read.empty_marker || read.exhausted;
    match page.kind.role {
        Role::Profile if !proven => failed(PageVerdict::Drifted, "no identity on the page"),
        Role::Profile => observation(),
        // Feeds and columns are known by their form; an id is wanted where the kind has one.
        _ if found && answer && page.handle.is_some() && !proven => {
            failed(PageVerdict::Drifted, "items, but no proof of whose they are")
        }
        _ if found => observation(),
        Role::Article => failed(PageVerdict::Drifted, "no article on the page"),
        // The end of a list says that it is empty only where there is nothing in it.
        Role::List if read.exhausted && left_out.incomplete && !says_empty(read) => {
            failed(PageVerdict::Drifted, "items, but none has what an item must have")
        }
        Role::List if read.exhausted && left_out.passed_over && !says_empty(read) => {
            failed(PageVerdict::Drifted, "items, but none is a post of the account")
        }
        Role::List if answer && !proven && (marked || container) => {
            failed(PageVerdict::Blocked, "an empty list without proof of whose it is")
        }
        Role::List if answer && !proven => {
            failed(PageVerdict::Drifted, "neither list nor identity")
        }
        Role::List => empty_list(read, marked, container),
        Role::Comments | Role::Board if marked => observation(),
        Role::Comments | Role::Board if container => failed(PageVerdict::Blocked, UNMARKED),
        Role::Comments | Role::Board => failed(PageVerdict::Drifted, "no messages on the page"),
        Role::Inventory => failed(PageVerdict::Drifted, "no columns on the page"),
    }
}

fn observation() -> Judged {
    Judged { verdict: PageVerdict::Observation, reason: None, final_word: false }
}

/// Whether the platform says itself that there is nothing: by its sign, by a counter at 0.
fn says_empty(read: &Extraction) -> bool {
    read.empty_marker || read.identity.posts_total.as_ref().is_some_and(Count::is_zero)
}

/// An empty list counts only with the platform's own sign of it, or with a counter at 0: a list
/// that a script would fill is empty, too.
fn empty_list(read: &Extraction, marked: bool, container: bool) -> Judged {
    let total = read.identity.posts_total.as_ref();
    let some = total.and_then(Count::low).is_some_and(|low| low > 0);
    if some && !read.exhausted {
        return Judged {
            verdict: PageVerdict::Blocked,
            reason: Some("an empty list, but the counter is not 0".to_owned()),
            final_word: true,
        };
    }
    if says_empty(read) || marked {
        return Judged { final_word: true, ..observation() };
    }
    let (verdict, reason) = if container {
        (PageVerdict::Blocked, UNMARKED)
    } else {
        (PageVerdict::Drifted, "the list was not found")
    };
    Judged { verdict, reason: Some(reason.to_owned()), final_word: false }
}

/// The answer speaks of another account than the one that was asked for.
fn another_owner(page: &Page<'_>, read: &Extraction, proven: bool) -> Option<String> {
    match page.kind.identity {
        IdentityProof::Nobody => None,
        IdentityProof::Answer => {
            let asked = page.handle.filter(|_| !proven)?;
            let shown = read.identity.handle.as_deref()?;
            Some(format!("the page of {}, not of {}", quoted(shown), quoted(asked)))
        }
        IdentityProof::Address => {
            let (asked, reached) = (page.url?, page.final_url?);
            let same = bare(asked) == bare(reached);
            (!same).then(|| format!("redirected to {}", quoted(reached)))
        }
    }
}

/// An address without what a polite redirect may add: the secure scheme, a slash at the end.
fn bare(address: &str) -> &str {
    let address = address.split('#').next().unwrap_or(address);
    let address = address.strip_prefix("https:").or_else(|| address.strip_prefix("http:"));
    address.unwrap_or_default().trim_end_matches('/')
}
