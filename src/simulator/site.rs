use chrono::{DateTime, Utc};

use super::answer::Ask;
use super::city::City;
use super::inbox::beijing;
use super::portal::{article_path, frame};
use super::resident::Resident;
use super::script::Item;

/// Items on a home page, and on a column beside the account's own.
const SHOWN: usize = 6;

/// A column of a made-up site beside the one that is the account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    name: &'static str,
    path: &'static str,
    /// It shows one item of so many; 0 for none.
    one_in: i64,
}

const COLUMNS: [Column; 3] = [
    Column { name: "通知公告", path: "/col/col1230/index.html", one_in: 5 },
    Column { name: "政策文件", path: "/col/col1231/index.html", one_in: 11 },
    Column { name: "专题专栏", path: "/col/col1232/index.html", one_in: 0 },
];

/// What is really the case with a column of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnTruth {
    /// Its name.
    pub name: String,
    /// The day that its newest item shows, as the instant shown; none where it is blank.
    pub newest_at: Option<DateTime<Utc>>,
}

impl City {
    /// The columns that a portal's home page leads to beside the account's own, at an instant.
    pub fn columns(&self, key: &str, now: DateTime<Utc>) -> Vec<ColumnTruth> {
        let Some(resident) = self.resident(key) else { return Vec::new() };
        let truth = |column: &Column| ColumnTruth {
            name: column.name.to_owned(),
            newest_at: items(resident, *column, now).iter().map(|item| item.shown_at).max(),
        };
        linked(resident).iter().map(truth).collect()
    }
}

/// The columns a site has: each third has none that is blank.
fn linked(resident: &Resident) -> &'static [Column] {
    if resident.plan.script.number.is_multiple_of(3) { &COLUMNS[..2] } else { &COLUMNS }
}

/// The column that stands at a path.
pub(super) fn beside(path: &str) -> Option<Column> {
    COLUMNS.into_iter().find(|column| column.path == path)
}

/// The navigation to them.
pub(super) fn links(resident: &Resident) -> String {
    let link =
        |column: &Column| format!("<li><a href=\"{}\">{}</a></li>", column.path, column.name);
    linked(resident).iter().map(link).collect()
}

/// The newest items of the whole site.
pub(super) fn newest(resident: &Resident, now: DateTime<Utc>) -> Vec<Item> {
    resident.plan.script.visible(now).take(SHOWN).collect()
}

fn items(resident: &Resident, column: Column, now: DateTime<Utc>) -> Vec<Item> {
    if column.one_in == 0 {
        return Vec::new();
    }
    let own = |item: &Item| item.at.timestamp().rem_euclid(column.one_in) == 0;
    resident.plan.script.visible(now).take(400).filter(own).take(SHOWN).collect()
}

/// A column's page.
pub(super) fn page(ask: &Ask, resident: &Resident, column: Column) -> String {
    let list = list(resident, &items(resident, column, ask.now));
    let metas = [("ColumnName", column.name)];
    frame(resident, column.name, &metas, &list)
}

/// Items as a list with their dates; the sign of emptiness where there are none.
pub(super) fn list(resident: &Resident, items: &[Item]) -> String {
    if items.is_empty() {
        return "<ul class=\"list\">\n<li class=\"empty\">暂无信息</li>\n</ul>".to_owned();
    }
    let row = |item: &Item| {
        let (link, title) = (article_path(item), resident.title(item));
        let date = beijing(item.shown_at, "%Y-%m-%d");
        format!(
            "<li><a href=\"{link}\" title=\"{title}\" target=\"_blank\">{title}</a>\
             <span>{date}</span></li>\n"
        )
    };
    format!("<ul class=\"list\">\n{}</ul>", items.iter().map(row).collect::<String>())
}
