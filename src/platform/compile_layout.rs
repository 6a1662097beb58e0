//! Layouts: how a page is read.

use super::asked::Asked;
use super::compile_source::{FieldKind, PathLanguage, SourceCompiler, pattern, selector};
use super::layout::{
    Format, IdentityFields, InquiryFields, ItemFields, Layout, Prepare, ScriptPlace, Sign,
};
use super::section::{Entry, Section};
use super::source::{Path, Rounding};

pub(super) const LAYOUT_KEYS: [&str; 19] = [
    "format",
    "script",
    "prepare",
    "items",
    "innermost",
    "main_only",
    "require",
    "list",
    "identity",
    "item",
    "skip",
    "inquiry",
    "blocked",
    "gone",
    "empty_marker",
    "empty_unless",
    "exhausted",
    "next",
    "source_time",
];

const ITEM_KEYS: [&str; 14] = [
    "ref",
    "url",
    "title",
    "text",
    "published_at",
    "pinned",
    "form",
    "repost",
    "original",
    "author",
    "reads",
    "likes",
    "comments",
    "shares",
];

const IDENTITY_KEYS: [&str; 8] =
    ["by", "of", "handle", "name", "verified_as", "followers", "posts_total", "registered_at"];

const INQUIRY_KEYS: [&str; 10] = [
    "author",
    "items",
    "require",
    "innermost",
    "ref",
    "asked_at",
    "replies",
    "replied_at",
    "reply_author",
    "official",
];

const PREPARES: [(&str, Prepare); 5] = [
    ("wechat_messages", Prepare::WechatMessages),
    ("cdata_records", Prepare::CdataRecords),
    ("beijing_written_as_utc", Prepare::BeijingWrittenAsUtc),
    ("html_in_json", Prepare::HtmlInJson),
    ("nested_json", Prepare::NestedJson),
];

pub(super) fn compile_layout(name: &str, section: &Section<'_>, rounding: Rounding) -> Layout {
    let format = format(section);
    let language = match format {
        Format::Html | Format::Generic => PathLanguage::Css,
        Format::Json | Format::Feed | Format::HtmlJson(_) => PathLanguage::Json,
    };
    if matches!(format, Format::Generic) {
        only_what_is_not_found(section);
    }
    let asked = Asked::default();
    let compiler = SourceCompiler { language, rounding, asked: &asked };
    let blocked = compiler.signs(section, "blocked", &Sign::WALLS);
    let gone = compiler.signs(section, "gone", &Sign::ENDS);
    let layout = Layout {
        name: name.to_owned(),
        prepare: section.get("prepare").and_then(|entry| entry.word(&PREPARES)),
        items: compiler.paths(section.get("items").as_ref()),
        innermost: section.get("innermost").and_then(|entry| entry.flag()).unwrap_or(false),
        main_only: section.get("main_only").and_then(|entry| entry.flag()).unwrap_or(false),
        require: required(section, &ITEM_KEYS),
        list: section.get("list").and_then(|entry| compiler.path(&entry)),
        identity: identity(compiler, section),
        item: item(compiler, section.section("item").as_ref()),
        skip: compiler.rules(section, "skip"),
        inquiries: section.section("inquiry").map(|section| inquiries(compiler, &section)),
        blocked,
        gone,
        empty_marker: compiler.rules(section, "empty_marker"),
        empty_unless: compiler.rules(section, "empty_unless"),
        exhausted: compiler.rules(section, "exhausted"),
        next: compiler.field(Some(section), "next", FieldKind::Text),
        source_time: compiler.field(Some(section), "source_time", FieldKind::Time),
        asked: None,
        format,
    };
    Layout { asked: asked.names(), ..layout }
}

fn format(section: &Section<'_>) -> Format {
    let words = [("json", 0), ("html", 1), ("feed", 2), ("html_json", 3), ("generic", 4)];
    let word = section.require("format").and_then(|entry| entry.word(&words));
    let script = section.get("script");
    match word {
        Some(3) => match section.require("script").as_ref().and_then(script_place) {
            Some(place) => Format::HtmlJson(place),
            None => Format::Json,
        },
        other => {
            if let Some(entry) = script {
                entry.wrong("holds for html_json only");
            }
            match other {
                Some(1) => Format::Html,
                Some(2) => Format::Feed,
                Some(4) => Format::Generic,
                _ => Format::Json,
            }
        }
    }
}

/// The generic reader finds items, titles, addresses and times by itself: a path for one of them
/// would never be asked.
fn only_what_is_not_found(section: &Section<'_>) {
    let reason = "has no meaning with format = \"generic\": the reader finds it by itself";
    let refuse = |section: &Section<'_>, keys: &[&str]| {
        for entry in keys.iter().filter_map(|key| section.get(key)) {
            entry.wrong(reason);
        }
    };
    refuse(section, &["items", "innermost", "main_only", "require", "list", "skip"]);
    if let Some(item) = section.section("item") {
        refuse(&item, &["ref", "url", "title", "text", "published_at", "form"]);
    }
}

fn script_place(entry: &Entry<'_>) -> Option<ScriptPlace> {
    if entry.is_text() {
        return entry.parsed(selector).map(ScriptPlace::Element);
    }
    let table = entry.section()?;
    table.only(&["after"]);
    table.require("after")?.parsed(pattern).map(ScriptPlace::After)
}

fn required(section: &Section<'_>, keys: &[&'static str]) -> Vec<String> {
    let entries = section.get("require").map(|entry| entry.list()).unwrap_or_default();
    let known = keys.iter().map(|key| (*key, *key)).collect::<Vec<_>>();
    entries.iter().filter_map(|entry| entry.word(&known)).map(str::to_owned).collect()
}

fn identity(compiler: SourceCompiler<'_>, section: &Section<'_>) -> Vec<IdentityFields> {
    let Some(entry) = section.get("identity").filter(|entry| !entry.is_text()) else {
        return Vec::new();
    };
    let entries = entry.one_or_more();
    let tables = entries.iter().filter_map(Entry::section);
    tables.map(|table| identity_fields(compiler, &table)).collect()
}

fn identity_fields(compiler: SourceCompiler<'_>, table: &Section<'_>) -> IdentityFields {
    table.only(&IDENTITY_KEYS);
    let field = |key, kind| compiler.field(Some(table), key, kind);
    IdentityFields {
        of: table.get("of").and_then(|entry| compiler.path(&entry)),
        handle: field("handle", FieldKind::Text),
        name: field("name", FieldKind::Text),
        verified_as: field("verified_as", FieldKind::Text),
        followers: field("followers", FieldKind::Count),
        posts_total: field("posts_total", FieldKind::Count),
        registered_at: field("registered_at", FieldKind::Time),
    }
}

fn item(compiler: SourceCompiler<'_>, section: Option<&Section<'_>>) -> ItemFields {
    if let Some(section) = section {
        section.only(&ITEM_KEYS);
    }
    let field = |key, kind| compiler.field(section, key, kind);
    ItemFields {
        reference: field("ref", FieldKind::Text),
        url: field("url", FieldKind::Text),
        title: field("title", FieldKind::Text),
        text: field("text", FieldKind::Text),
        published_at: field("published_at", FieldKind::Time),
        pinned: field("pinned", FieldKind::Flag),
        form: field("form", FieldKind::Text),
        repost: field("repost", FieldKind::Flag),
        original: field("original", FieldKind::Flag),
        author: field("author", FieldKind::Text),
        reads: field("reads", FieldKind::Count),
        likes: field("likes", FieldKind::Count),
        comments: field("comments", FieldKind::Count),
        shares: field("shares", FieldKind::Count),
    }
}

fn inquiries(compiler: SourceCompiler<'_>, section: &Section<'_>) -> InquiryFields {
    section.only(&INQUIRY_KEYS);
    let field = |key, kind| compiler.field(Some(section), key, kind);
    let paths = |key| -> Vec<Path> { compiler.paths(section.get(key).as_ref()) };
    section.require("items");
    section.require("asked_at");
    InquiryFields {
        items: paths("items"),
        require: required(section, &["ref", "asked_at", "replied_at"]),
        innermost: section.get("innermost").and_then(|entry| entry.flag()).unwrap_or(false),
        author: field("author", FieldKind::Text),
        reference: field("ref", FieldKind::Text),
        asked_at: field("asked_at", FieldKind::Time),
        replies: paths("replies"),
        replied_at: field("replied_at", FieldKind::Time),
        reply_author: field("reply_author", FieldKind::Text),
        official: field("official", FieldKind::Flag),
    }
}
