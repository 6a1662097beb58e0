//! From the text of a platform file to a [`Platform`], with everything that is wrong with it.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};
use regex::Regex;
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::domain::{Problem, SourceText};

use super::catalog::{Canary, Limit, Observability, Platform, Robots};
use super::compile_layout::{LAYOUT_KEYS, compile_layout};
use super::compile_source::ROUNDINGS;
use super::layout::{Format, Layout};
use super::page::{AddressTemplate, IdentityProof, Order, PageKind, Role, TimeSource};
use super::quirk::Quirk;
use super::section::{Entry, Report, Section};
use super::source::Rounding;
use super::visibility::visibility;

const PLATFORM_KEYS: [&str; 13] = [
    "id",
    "title",
    "aliases",
    "observability",
    "hosts",
    "limit",
    "canaries",
    "visibility_lag_hours",
    "rounding",
    "robots",
    "visibility",
    "notes",
    "pages",
];

const PAGE_KEYS: [&str; 15] = [
    "role",
    "like",
    "crawl",
    "url",
    "order",
    "lists",
    "time_source",
    "ref_time",
    "ref_place",
    "short_page_is_end",
    "verified",
    "cache_buster",
    "personal",
    "pages_max",
    "alternatives",
];

const OBSERVABILITIES: [(&str, Observability); 4] = [
    ("public_page", Observability::PublicPage),
    ("public_feed", Observability::PublicFeed),
    ("owner_api", Observability::OwnerApi),
    ("office_file", Observability::OfficeFile),
];

const ROLES: [(&str, Role); 6] = [
    ("list", Role::List),
    ("profile", Role::Profile),
    ("article", Role::Article),
    ("comments", Role::Comments),
    ("board", Role::Board),
    ("inventory", Role::Inventory),
];

pub(super) fn compile_platform(source: &SourceText) -> Result<Platform, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let problem = |error: &toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            source.problem_at(offset, "", error.message())
        };
        let mut problems = errors.iter().map(problem).collect::<Vec<_>>();
        // What follows the first mistake of a line is mostly its echo.
        problems.dedup_by_key(|problem| problem.line);
        return Err(problems);
    }
    let report = Report::new(source);
    let platform = platform(&Section::root(&report, &table), source);
    let problems = report.finish();
    match platform {
        Some(platform) if problems.is_empty() => Ok(platform),
        _ => Err(problems),
    }
}

fn platform(root: &Section<'_>, source: &SourceText) -> Option<Platform> {
    root.only(&PLATFORM_KEYS);
    let id = root.require("id").and_then(|entry| {
        entry.parsed(|text| {
            let fits =
                text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if fits { Ok(text.to_owned()) } else { Err(format!("{text:?} is not [a-z0-9_]+")) }
        })
    });
    let rounding =
        root.get("rounding").and_then(|entry| entry.word(&ROUNDINGS)).unwrap_or_default();
    let title = root.require("title").and_then(|entry| entry.text());
    let observability =
        root.require("observability").and_then(|entry| entry.word(&OBSERVABILITIES));
    let limit = limit(root);
    let lag = root.get("visibility_lag_hours").and_then(|entry| entry.integer(0..=24 * 30));
    let robots = robots(root);
    let visibility = visibility(root);
    let pages = pages(root, rounding);
    Some(Platform {
        id: id?,
        title: title?.to_owned(),
        aliases: root.texts("aliases"),
        observability: observability?,
        hosts: root.texts("hosts"),
        limit,
        canaries: root.texts("canaries").into_iter().map(Canary).collect(),
        visibility_lag: Duration::hours(lag.unwrap_or(24)),
        robots,
        visibility,
        notes: root.get("notes").and_then(|entry| entry.text()).unwrap_or_default().to_owned(),
        pages,
        digest: format!("sha256:{}", hex::encode(Sha256::digest(source.text.as_bytes()))),
    })
}

/// The default is slow on purpose: a file that says nothing must not hurt a host.
fn limit(root: &Section<'_>) -> Limit {
    let section = root.section("limit");
    if let Some(section) = &section {
        section.only(&["per_minute", "concurrent", "backoff_max_s"]);
    }
    let number = |key: &str, max: i64, default: u32| {
        let entry = section.as_ref().and_then(|section| section.get(key));
        let number = entry.and_then(|entry| entry.integer(1..=max));
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
    };
    Limit {
        per_minute: number("per_minute", 6000, 10),
        concurrent: number("concurrent", 64, 1),
        backoff_max_s: number("backoff_max_s", 7 * 86_400, 3600),
    }
}

fn robots(root: &Section<'_>) -> Option<Robots> {
    let section = root.section("robots")?;
    section.only(&["verdict", "checked"]);
    let verdict = section.require("verdict").and_then(|entry| entry.text().map(str::to_owned));
    let checked = section.require("checked").and_then(|entry| date_or_never(&entry));
    Some(Robots { verdict: verdict?, checked: checked? })
}

fn pages(root: &Section<'_>, rounding: Rounding) -> BTreeMap<String, PageKind> {
    let mut pages = BTreeMap::new();
    let Some(section) = root.require("pages").and_then(|entry| entry.section()) else {
        return pages;
    };
    for name in section.keys() {
        let Some(page) = section.get(&name).and_then(|entry| entry.section()) else { continue };
        let reading = reading(&section, &name, &page);
        if let Some(kind) = page_kind(&name, &page, &reading, rounding) {
            pages.insert(name, kind);
        }
    }
    pages
}

/// How a page kind is read: as another one of the file where it says `like`, but for what it says
/// itself. What a page is (its role, address, order, day of proof) is never taken from another.
fn reading<'a>(pages: &Section<'a>, name: &str, page: &Section<'a>) -> Section<'a> {
    let Some(like) = page.get("like") else { return page.clone() };
    let Some(other) = like.text() else { return page.clone() };
    let model = pages.get(other).filter(|_| other != name).and_then(|entry| entry.section());
    let model = model.filter(|model| !model.has_own("like"));
    if model.is_none() {
        like.wrong(format!("{other:?} is no other page kind that says itself how it is read"));
    }
    page.clone().inheriting(model)
}

fn page_kind(
    name: &str,
    page: &Section<'_>,
    reading: &Section<'_>,
    rounding: Rounding,
) -> Option<PageKind> {
    page.only(&[&PAGE_KEYS[..], &LAYOUT_KEYS[..]].concat());
    let flag = |key: &str| page.get(key).and_then(|entry| entry.flag()).unwrap_or(false);
    let role = page.require("role").and_then(|entry| entry.word(&ROLES));
    let order = [("newest_first", Order::NewestFirst), ("unordered", Order::Unordered)];
    let time_source = [("platform", TimeSource::Platform), ("author", TimeSource::Author)];
    let text = |key: &str| page.get(key).and_then(|entry| entry.text().map(str::to_owned));
    let url = page.get("url").and_then(|entry| entry.parsed(AddressTemplate::parse));
    let pages_max = page.get("pages_max").and_then(|entry| entry.integer(1..=100)).unwrap_or(1);
    let role = role?;
    let layouts = layouts(reading, role, rounding);
    let kind = PageKind {
        name: name.to_owned(),
        role,
        crawl: flag("crawl"),
        identity: proof(reading, role, &layouts)?,
        url,
        order: page.get("order").and_then(|entry| entry.word(&order)).unwrap_or(Order::Unordered),
        lists: text("lists").unwrap_or_else(|| "all".to_owned()),
        time_source: page
            .get("time_source")
            .and_then(|entry| entry.word(&time_source))
            .unwrap_or(TimeSource::Author),
        ref_time: page.get("ref_time").and_then(|entry| entry.parsed(quirk)),
        ref_place: page.get("ref_place").and_then(|entry| entry.parsed(counting)),
        short_page_is_end: flag("short_page_is_end"),
        verified: verified(page),
        cache_buster: text("cache_buster"),
        personal: flag("personal"),
        pages_max: u32::try_from(pages_max).unwrap_or(1),
        layouts,
    };
    judge(page, &kind);
    Some(kind)
}

fn quirk(name: &str) -> Result<Quirk, String> {
    Quirk::named(name).ok_or_else(|| format!("no quirk {name:?}"))
}

fn counting(pattern: &str) -> Result<Regex, String> {
    let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
    if pattern.captures_len() != 2 {
        return Err("needs exactly one group, around the number".to_owned());
    }
    Ok(pattern)
}

fn verified(page: &Section<'_>) -> Option<NaiveDate> {
    date_or_never(&page.require("verified")?).flatten()
}

/// A date, or the word `"never"`.
fn date_or_never(entry: &Entry<'_>) -> Option<Option<NaiveDate>> {
    let never = entry.is_text() && entry.text() == Some("never");
    if never { Some(None) } else { entry.date().map(Some) }
}

/// What a page kind must have as a whole.
fn judge(page: &Section<'_>, kind: &PageKind) {
    if kind.crawl && page.get("url").is_none() {
        page.wrong("url", "is missing: a page kind with crawl = true needs an address");
    }
    let of_a_post = kind.url.as_ref().is_some_and(AddressTemplate::is_of_a_post);
    if of_a_post != (kind.role == Role::Comments && kind.crawl) {
        let reason = "must hold {post} exactly where comments are visited with crawl = true";
        page.wrong("url", reason);
    }
    let nameless = |layout: &Layout| {
        layout.inquiries.as_ref().is_some_and(|one| one.reference.candidates.is_empty())
    };
    if kind.crawl && kind.layouts.iter().any(nameless) {
        let reason = "is missing: a message without it would be a new one at every visit";
        page.wrong("inquiry.ref", reason);
    }
    if matches!(kind.role, Role::Comments | Role::Board) && !kind.personal {
        page.wrong("personal", "must be true: comments and boards show citizens' words");
    }
}

fn layouts(page: &Section<'_>, role: Role, rounding: Rounding) -> Vec<Layout> {
    let layout = |name: &str, section: &Section<'_>| {
        let layout = compile_layout(name, section, rounding);
        let finds_items = matches!(layout.format, Format::Generic);
        let lists = matches!(role, Role::List | Role::Inventory);
        if lists && section.get("items").is_none() && !finds_items {
            section.wrong("items", "is missing: a list needs its items");
        }
        layout
    };
    let Some(alternatives) = page.get("alternatives") else {
        return vec![layout("default", page)];
    };
    let known = [&["name"][..], &LAYOUT_KEYS[..]].concat();
    let mut layouts: Vec<Layout> = Vec::new();
    for entry in alternatives.list() {
        let Some(section) = entry.section() else { continue };
        section.only(&known);
        let name = section.require("name").and_then(|entry| entry.text()).unwrap_or_default();
        if layouts.iter().any(|layout| layout.name == name) {
            section.wrong("name", format!("{name:?} is used twice"));
        }
        // Paths of another format would mean nothing here, so nothing is inherited across formats.
        let inherited = (!section.has_own("format")).then(|| page.clone());
        layouts.push(layout(name, &section.inheriting(inherited)));
    }
    if layouts.is_empty() {
        alternatives.wrong("needs at least one layout");
    }
    layouts
}

/// A list or profile must say how it proves whose page it is.
fn proof(page: &Section<'_>, role: Role, layouts: &[Layout]) -> Option<IdentityProof> {
    let entry = page.get("identity");
    let words = [("address", IdentityProof::Address), ("nobody", IdentityProof::Nobody)];
    if let Some(entry) = entry.as_ref().filter(|entry| entry.is_text()) {
        return entry.word(&words);
    }
    let table = entry.filter(|entry| !entry.is_list()).and_then(|entry| entry.section());
    if let Some(by) = table.and_then(|table| table.get("by")) {
        return by.word(&words);
    }
    let proven =
        |layout: &Layout| layout.identity.iter().any(|fields| !fields.handle.candidates.is_empty());
    if layouts.iter().all(proven) {
        return Some(IdentityProof::Answer);
    }
    if role.speaks_for_account() {
        let reason = "is missing: a list or profile names the handle, or says \"address\" or \
                      \"nobody\"";
        page.wrong("identity", reason);
        return None;
    }
    Some(IdentityProof::Nobody)
}
