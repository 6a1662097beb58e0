//! Rows of an authorised export, or of a form filled in by hand, as what they declare of accounts.

mod row;
mod time;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::{AccountId, Post, RowError};
use crate::platform::ImportMapping;

use super::document::{Document, Node};
use super::page::Page;
use super::reader::Reader;

use row::{Row, columns};

/// The account of a row, as the export names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountName {
    /// By 账号编号.
    Key(String),
    /// By the platform, id or Chinese name, and the handle there.
    Handle {
        /// The platform.
        platform: String,
        /// The handle.
        handle: String,
    },
    /// Not at all: the account was named with the command.
    Given,
}

/// What is known of an export besides its rows.
pub struct Declared<'a> {
    /// When it was handed in: it speaks for no time after that.
    pub entered_at: DateTime<Utc>,
    /// From when on it is complete, for accounts whose rows do not say.
    pub complete_from: Option<DateTime<Utc>>,
    /// Until when it is, likewise.
    pub complete_to: Option<DateTime<Utc>>,
    /// The account of a name, or why there is none.
    pub account: &'a dyn Fn(&AccountName) -> Result<AccountId, String>,
}

/// Everything that an export declares of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredList {
    /// Whose.
    pub account: AccountId,
    /// From when on no post is missing; absent: from the oldest one.
    pub complete_from: Option<DateTime<Utc>>,
    /// Until when; absent: nothing is said of what is not listed.
    pub complete_to: Option<DateTime<Utc>>,
    /// The posts, in the order of the file.
    pub posts: Vec<Post>,
}

/// The rows of a JSON export, numbered from 1.
///
/// # Errors
/// What makes it unreadable, or that nothing stands where the mapping looks for rows.
pub fn json_rows(mapping: &ImportMapping, bytes: &[u8]) -> Result<Vec<(usize, Value)>, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let whole: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))?;
    let path = mapping.rows.as_ref().ok_or("the mapping is one of tables: it names no rows")?;
    let rows = Node::Json(&whole).select(path).into_iter().filter_map(|node| match node {
        Node::Json(row) => Some(row.clone()),
        Node::Html(_) | Node::Unparsed(_) => None,
    });
    let rows: Vec<_> = rows.enumerate().map(|(index, row)| (index + 1, row)).collect();
    if rows.is_empty() { Err(format!("no rows at {path}")) } else { Ok(rows) }
}

/// Reads all rows, or tells everything that is wrong with any of them.
///
/// A row without any value of a post only says that its account was looked at. A post needs its
/// time and `ref` or `url`; its time must be a full date, in `time_formats` where the mapping has
/// any. A day as `complete_to` means its end.
///
/// # Errors
/// Every error, in the order of the rows.
pub fn read_import(
    mapping: &ImportMapping,
    rows: &[(usize, Value)],
    declared: &Declared<'_>,
) -> Result<Vec<DeclaredList>, Vec<RowError>> {
    let mut errors = Vec::new();
    let mut accounts: BTreeMap<AccountId, Begun> = BTreeMap::new();
    for (number, row) in rows {
        let document = Document::of(row.clone());
        let page = page(mapping, declared.entered_at);
        let reader = Reader::new(&page, &document);
        let mut row = Row { mapping, declared, number: *number, reader, errors: Vec::new() };
        let account = row.account();
        let (from, to) = (row.complete_from(), row.complete_to());
        let post = row.post(to);
        if let Some(account) = account {
            let begun = accounts.entry(account).or_insert_with(|| Begun::at(*number, from, to));
            row.join(begun, (from, to), post);
        }
        errors.append(&mut row.errors);
    }
    for begun in accounts.values() {
        if let Some(reason) = begun.says_nothing() {
            let column = columns(&mapping.complete_to, "complete_to");
            errors.push(RowError { row: begun.row, column, reason });
        }
    }
    errors.sort();
    errors.dedup();
    if !errors.is_empty() {
        return Err(errors);
    }
    let lists = accounts.into_iter().map(|(account, begun)| DeclaredList {
        account,
        complete_from: begun.complete.0,
        complete_to: begun.complete.1,
        posts: begun.posts,
    });
    Ok(lists.collect())
}

/// What the rows so far say of one account.
struct Begun {
    row: usize,
    complete: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    posts: Vec<Post>,
    rows_of: HashMap<String, usize>,
}

impl Begun {
    fn at(row: usize, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Self {
        Self { row, complete: (from, to), posts: Vec::new(), rows_of: HashMap::new() }
    }

    fn says_nothing(&self) -> Option<String> {
        match self.complete {
            (_, None) if self.posts.is_empty() => {
                Some("neither a post nor until when the export is complete".to_owned())
            }
            (Some(from), Some(to)) if from >= to => {
                Some("the export is complete until no later than from when on".to_owned())
            }
            _ => None,
        }
    }
}

fn page(mapping: &ImportMapping, entered_at: DateTime<Utc>) -> Page<'_> {
    Page {
        platform: &mapping.platform,
        kind: mapping.kind(),
        body: &[],
        content_type: None,
        status: 200,
        url: None,
        final_url: None,
        headers: &[],
        observed_at: entered_at,
        handle: None,
        number: 1,
        inquiry_key: &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Count, Origin, Precision, SourceText};
    use crate::platform::ImportCatalog;

    const MAPPING: &str = "id = \"x\"\ntitle = \"某系统导出\"\nprovenance = \"授权接口\"\n\
        rows = \"$.list[*]\"\n[account]\nkey = \"编号\"\n[complete]\nfrom = \"起\"\nto = \"止\"\n\
        [item]\nref = \"id\"\nurl = \"链接\"\ntitle = \"标题\"\npublished_at = \"时间\"\n\
        repost = { at = \"类型\", matches = \"转发\" }\nreads = \"阅读\"\nlikes = \"点赞\"\n";

    fn read(mapping: &str, rows: &Value) -> Result<Vec<DeclaredList>, Vec<String>> {
        let file = SourceText { file: "x.toml".to_owned(), text: mapping.to_owned() };
        let catalog = ImportCatalog::compile(&[file]).unwrap();
        let mapping = catalog.get("x").unwrap();
        let bytes = serde_json::to_vec(&json!({ "list": rows })).unwrap();
        let rows = json_rows(mapping, &bytes).unwrap();
        let declared = Declared {
            entered_at: at("2026-11-22T12:00:00Z"),
            complete_from: None,
            complete_to: None,
            account: &|name| match name {
                AccountName::Key(key) if key == "A-1" => Ok(AccountId(1)),
                AccountName::Key(key) if key == "A-2" => Ok(AccountId(2)),
                name => Err(format!("no account {name:?}")),
            },
        };
        read_import(mapping, &rows, &declared)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn rows_become_what_each_account_declares() {
        let lists = read(
            MAPPING,
            &json!([
                {"编号": "A-1", "id": 7, "时间": "2026-11-20 08:30", "阅读": "10万+", "点赞": 3,
                 "类型": "转发", "止": "2026-11-21"},
                {"编号": "A-1", "id": "8", "时间": 1_763_000_000, "止": "2026-11-21"},
                {"编号": "A-2", "起": "2026-10-01", "止": "2026-11-22 18:00"},
            ]),
        )
        .unwrap();
        let [one, two] = lists.as_slice() else { panic!("{lists:?}") };
        assert_eq!(one.complete_to, Some(at("2026-11-21T16:00:00Z")), "the day's end in Shanghai");
        let post = &one.posts[0];
        assert_eq!(post.reference.as_deref(), Some("7"));
        assert_eq!((post.origin, post.likes.clone()), (Origin::Repost, Some(Count::Exact(3))));
        assert_eq!(post.reads.as_ref().and_then(Count::low), Some(100_001));
        assert_eq!(post.published.unwrap().precision, Precision::Minute);
        assert_eq!((one.posts[1].reads.clone(), one.posts.len()), (None, 2), "unknown is not 0");
        assert_eq!(two.complete_from, Some(at("2026-09-30T16:00:00Z")));
        assert_eq!((two.complete_to, two.posts.len()), (Some(at("2026-11-22T10:00:00Z")), 0));
    }

    #[test]
    fn every_error_of_every_row_is_told() {
        let errors = read(
            MAPPING,
            &json!([
                {"编号": "A-9", "id": 1, "时间": "昨天", "阅读": "很多"},
                {"编号": "A-1", "标题": "无编号", "时间": "2026-11-20"},
                {"编号": "A-1", "id": 2, "链接": "无", "时间": "11-20 08:00"},
                {"编号": "A-1", "id": 3, "时间": "2026-11-23 08:00"},
                {"编号": "A-1", "id": 4, "时间": "2026-11-20"},
                {"编号": "A-1", "id": 4, "时间": "2026-11-20"},
                {"编号": "A-1", "id": 5, "时间": "2026-11-20", "止": "2026-11-21"},
                {"编号": "A-2", "止": "2026-11-22"},
                {"id": 6},
            ]),
        )
        .unwrap_err();
        let told = errors.join("\n");
        for part in [
            "row 1, column 编号: no account",
            "row 1, column 时间: \"昨天\" is not a time with its full date",
            "row 1, column 阅读: not a number",
            "row 2, column 链接: a post needs its ref or its url",
            "row 3, column 链接: \"无\" is no address",
            "row 3, column 时间: \"11-20 08:00\" is not",
            "row 4, column 时间: 2026-11-23 08:00 lies after now",
            "row 6, column id: stands already in row 5",
            "row 7, column 止: is not what row 2 says of the same account",
            "row 8, column 止: 2026-11-22 is not over yet",
            "row 9, column 编号: a value is required",
            "row 9, column 时间: a value is required",
        ] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
    }

    #[test]
    fn an_account_without_posts_must_say_until_when() {
        let errors = read(MAPPING, &json!([{"编号": "A-1"}])).unwrap_err();
        assert_eq!(
            errors,
            ["row 1, column 止: neither a post nor until when the export is complete"]
        );
        let backwards = json!([{"编号": "A-1", "起": "2026-11-02", "止": "2026-11-01"}]);
        assert!(read(MAPPING, &backwards).unwrap_err()[0].contains("complete until no later"));
    }

    #[test]
    fn formats_hold_where_the_mapping_has_them() {
        let mapping = |formats: &str| format!("time_formats = {formats}\n{MAPPING}");
        let published = |formats: &str, text: &str| {
            let row = json!([{"编号": "A-1", "id": 1, "时间": text}]);
            let lists = read(&mapping(formats), &row).ok()?;
            Some((
                lists[0].posts[0].published?.to_rfc3339(),
                lists[0].posts[0].published?.precision,
            ))
        };
        let check = |formats, text, wanted: Option<(&str, Precision)>| {
            let wanted = wanted.map(|(at, precision)| (at.to_owned(), precision));
            assert_eq!(published(formats, text), wanted, "{formats} {text}");
        };
        let minute = Some(("2026-11-02T08:30:00+08:00", Precision::Minute));
        check("[\"%d/%m/%Y %H:%M\"]", "02/11/2026 08:30", minute);
        check("[\"%d/%m/%Y %H:%M\"]", "2026-11-02 08:30:00", minute);
        check("[\"%d/%m/%Y %H:%M\"]", "2026年11月2日", None);
        let day = Some(("2026-11-02T00:00:00+08:00", Precision::Day));
        check("[\"%Y%m%d\"]", "20261102", day);
        check("[\"%Y%m%d\"]", "2026-11-02 08:30:00", day);
        let second = Some(("2026-11-02T08:30:00+08:00", Precision::Second));
        check("[\"%s\"]", "1793579400", second);
        check("[\"%Y-%m-%dT%H:%M:%S%z\"]", "2026-11-02T00:30:00+0000", second);
    }
}
