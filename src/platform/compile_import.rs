//! From the text of a mapping file to an [`ImportMapping`], with everything that is wrong with it.

use std::collections::BTreeMap;

use chrono::Duration;
use chrono::format::{Item, StrftimeItems};
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::domain::{Problem, SourceText};

use super::asked::Asked;
use super::catalog::{Limit, Observability, Platform};
use super::compile_source::{FieldKind, PathLanguage, ROUNDINGS, SourceCompiler};
use super::import::{ImportAccount, ImportMapping};
use super::layout::{Format, ItemFields, Layout};
use super::page::{IdentityProof, Order, PageKind, Role, TimeSource};
use super::section::{Entry, Report, Section};
use super::source::Source;

const KEYS: [&str; 10] = [
    "id",
    "title",
    "provenance",
    "lists",
    "rounding",
    "rows",
    "time_formats",
    "account",
    "complete",
    "item",
];

const ITEM_KEYS: [&str; 10] = [
    "ref",
    "url",
    "title",
    "published_at",
    "original",
    "repost",
    "reads",
    "likes",
    "comments",
    "shares",
];

const PROVENANCES: [(&str, Observability); 4] = [
    ("授权接口", Observability::OwnerApi),
    ("owner_api", Observability::OwnerApi),
    ("人工填报", Observability::OfficeFile),
    ("office_file", Observability::OfficeFile),
];

pub(super) fn compile_import(source: &SourceText) -> Result<ImportMapping, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if let Some(error) = errors.first() {
        let offset = error.span().map_or(0, |span| span.start);
        return Err(vec![source.problem_at(offset, "", error.message())]);
    }
    let report = Report::new(source);
    let mapping = mapping(&Section::root(&report, &table), source);
    let problems = report.finish();
    match mapping {
        Some(mapping) if problems.is_empty() => Ok(mapping),
        _ => Err(problems),
    }
}

fn mapping(root: &Section<'_>, source: &SourceText) -> Option<ImportMapping> {
    root.only(&KEYS);
    let id = root.require("id").and_then(|entry| entry.text());
    let title = root.require("title").and_then(|entry| entry.text());
    let provenance = root.require("provenance").and_then(|entry| entry.word(&PROVENANCES));
    let rounding = root.get("rounding").and_then(|entry| entry.word(&ROUNDINGS));
    let rounding = rounding.unwrap_or_default();
    let asked = Asked::default();
    let compiler = SourceCompiler { language: PathLanguage::Column, rounding, asked: &asked };
    let complete = root.section("complete");
    if let Some(complete) = &complete {
        complete.only(&["from", "to"]);
    }
    let item = root.require("item").and_then(|entry| entry.section());
    let formats = root.get("time_formats").map(|entry| entry.one_or_more()).unwrap_or_default();
    let account = root.require("account").and_then(|entry| entry.section());
    let account = account.and_then(|section| account_of(compiler, &section));
    let lists = root.get("lists").and_then(|entry| entry.text()).unwrap_or("all");
    let item = item.map(|section| item_of(compiler, &section));
    let time_formats = formats.iter().filter_map(time_format).collect();
    let platform = Platform {
        id: id?.to_owned(),
        title: title?.to_owned(),
        aliases: Vec::new(),
        observability: provenance?,
        hosts: Vec::new(),
        limit: Limit { per_minute: 1, concurrent: 1, backoff_max_s: 1 },
        canaries: Vec::new(),
        visibility_lag: Duration::zero(),
        robots: None,
        visibility: BTreeMap::new(),
        notes: String::new(),
        pages: BTreeMap::from([("import".to_owned(), page_kind(lists, item?))]),
        digest: format!("sha256:{}", hex::encode(Sha256::digest(source.text.as_bytes()))),
    };
    Some(ImportMapping {
        platform,
        rows: root.get("rows").and_then(|entry| compiler.path(&entry)),
        account: account?,
        complete_from: compiler.field(complete.as_ref(), "from", FieldKind::Time),
        complete_to: compiler.field(complete.as_ref(), "to", FieldKind::Time),
        time_formats,
    })
}

fn time_format(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text()?;
    if StrftimeItems::new(text).any(|item| matches!(item, Item::Error)) {
        entry.wrong(format!("{text:?} is no time format; write one like \"%Y-%m-%d %H:%M\""));
        return None;
    }
    Some(text.to_owned())
}

fn account_of(compiler: SourceCompiler<'_>, section: &Section<'_>) -> Option<ImportAccount> {
    section.only(&["key", "platform", "platform_column", "handle", "given"]);
    let field = |key: &str| compiler.field(Some(section), key, FieldKind::Text);
    let ways = ["key", "handle", "given"].into_iter().filter(|key| section.has_own(key));
    match ways.collect::<Vec<_>>().as_slice() {
        ["key"] => Some(ImportAccount::Key(field("key"))),
        ["handle"] => {
            let fixed = section.get("platform").and_then(|entry| entry.text());
            if fixed.is_some() == section.has_own("platform_column") {
                section.wrong("platform", "needs either platform or platform_column");
            }
            let (platform, handle) = (field("platform_column"), field("handle"));
            Some(ImportAccount::Handle { fixed: fixed.map(str::to_owned), platform, handle })
        }
        ["given"] => {
            if section.get("given")?.flag() == Some(false) {
                section.wrong("given", "is true or left out");
            }
            Some(ImportAccount::Given)
        }
        _ => {
            section.wrong("key", "needs exactly one of: key, handle, given");
            None
        }
    }
}

fn item_of(compiler: SourceCompiler<'_>, section: &Section<'_>) -> ItemFields {
    section.only(&ITEM_KEYS);
    section.require("published_at");
    if !section.has_own("ref") && !section.has_own("url") {
        section.wrong("ref", "is missing: a post is known by ref or url");
    }
    let field = |key: &str, kind| compiler.field(Some(section), key, kind);
    ItemFields {
        reference: field("ref", FieldKind::Text),
        url: field("url", FieldKind::Text),
        title: field("title", FieldKind::Text),
        published_at: field("published_at", FieldKind::Time),
        original: field("original", FieldKind::Flag),
        repost: field("repost", FieldKind::Flag),
        reads: field("reads", FieldKind::Count),
        likes: field("likes", FieldKind::Count),
        comments: field("comments", FieldKind::Count),
        shares: field("shares", FieldKind::Count),
        ..ItemFields::default()
    }
}

/// A row is read like an item of a list whose order says nothing.
fn page_kind(lists: &str, item: ItemFields) -> PageKind {
    let layout = Layout {
        name: "row".to_owned(),
        format: Format::Json,
        prepare: None,
        items: Vec::new(),
        innermost: false,
        main_only: false,
        require: Vec::new(),
        list: None,
        identity: Vec::new(),
        item,
        skip: Vec::new(),
        inquiries: None,
        blocked: Vec::new(),
        gone: Vec::new(),
        empty_marker: Vec::new(),
        empty_unless: Vec::new(),
        exhausted: Vec::new(),
        next: Source::default(),
        source_time: Source::default(),
        asked: None,
    };
    PageKind {
        name: "import".to_owned(),
        role: Role::List,
        crawl: false,
        url: None,
        order: Order::Unordered,
        lists: lists.to_owned(),
        time_source: TimeSource::Author,
        ref_time: None,
        ref_place: None,
        short_page_is_end: false,
        verified: None,
        cache_buster: None,
        identity: IdentityProof::Nobody,
        personal: false,
        pages_max: 1,
        layouts: vec![layout],
    }
}
