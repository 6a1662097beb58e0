//! Which of several dates of a table's row is the publication.

use crate::html::{Element, Tag};

use super::document::Node;
use super::moment::may_be_time;
use super::reader::Reader;
use super::text::even_blanks;

/// Characters of the longest cell that is a date and nothing else.
const DATE_MAX: usize = 24;

/// Words of a column that says when something was published.
const PUBLISHED: [&str; 5] = ["发布", "公布", "公开", "刊发", "发表"];

/// Where the publication of an item stands.
pub(super) enum Dated<'a> {
    /// In the item, as its paths say.
    Here,
    /// In this cell of it.
    In(Node<'a>),
    /// In one of several cells, and the table does not say in which.
    Untold,
}

/// Looks at the cells of a row: `成文日期` and `发布日期` side by side are two things.
pub(super) fn dated<'a>(reader: &Reader<'a>, node: Node<'a>) -> Dated<'a> {
    let Some(row) = node.element().filter(|row| row.tag() == Tag::Tr) else {
        return Dated::Here;
    };
    let cells = cells(row);
    let days = cells.iter().enumerate().filter_map(|(column, cell)| {
        let text = short_text(*cell).filter(|text| may_be_time(text))?;
        Some((column, reader.day(&text)?))
    });
    let days = days.collect::<Vec<_>>();
    if days.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        return Dated::Here;
    }
    let head = head(row);
    let published = |column: &usize| {
        let words = head.get(*column).map(String::as_str).unwrap_or_default();
        PUBLISHED.iter().any(|word| words.contains(word))
    };
    let mut columns = days.into_iter().map(|(column, _)| column).filter(published);
    match (columns.next(), columns.next()) {
        (Some(column), None) if head.len() == cells.len() => Dated::In(Node::Html(cells[column])),
        _ => Dated::Untold,
    }
}

/// The words of the first row of a row's table; of a long cell none.
pub(super) fn head(row: Element<'_>) -> Vec<String> {
    let table = row.ancestors().find(|above| above.tag() == Tag::Table);
    let first = table.and_then(|table| table.descendants().find(|one| one.tag() == Tag::Tr));
    let cells = first.map(cells).unwrap_or_default();
    cells.into_iter().map(|cell| short_text(cell).unwrap_or_default()).collect()
}

fn cells(row: Element<'_>) -> Vec<Element<'_>> {
    row.child_elements().filter(|cell| matches!(cell.tag(), Tag::Td | Tag::Th)).collect()
}

fn short_text(cell: Element<'_>) -> Option<String> {
    let mut text = String::new();
    for part in cell.texts() {
        text.push_str(part);
        if text.len() > DATE_MAX * 8 {
            return None;
        }
    }
    let text = even_blanks(&text);
    (text.chars().count() <= DATE_MAX).then_some(text)
}
