//! Which of several dates of a table's row is the publication.

use scraper::ElementRef;

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
    let Some(row) = node.element().filter(|row| row.value().name() == "tr") else {
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
    let table = row.ancestors().filter_map(ElementRef::wrap);
    let table = table.into_iter().find(|above| above.value().name() == "table");
    let head = table.and_then(first_row).map(self::cells).unwrap_or_default();
    let published = |column: &usize| {
        let words = head.get(*column).and_then(|cell| short_text(*cell));
        words.is_some_and(|words| PUBLISHED.iter().any(|word| words.contains(word)))
    };
    let mut columns = days.into_iter().map(|(column, _)| column).filter(published);
    match (columns.next(), columns.next()) {
        (Some(column), None) if head.len() == cells.len() => Dated::In(Node::Html(cells[column])),
        _ => Dated::Untold,
    }
}

fn first_row(table: ElementRef<'_>) -> Option<ElementRef<'_>> {
    let mut below = table.descendants().filter_map(ElementRef::wrap);
    below.find(|one| one.value().name() == "tr")
}

fn cells(row: ElementRef<'_>) -> Vec<ElementRef<'_>> {
    let cells = row.children().filter_map(ElementRef::wrap);
    cells.filter(|cell| matches!(cell.value().name(), "td" | "th")).collect()
}

fn short_text(cell: ElementRef<'_>) -> Option<String> {
    let mut text = String::new();
    for part in cell.text() {
        text.push_str(part);
        if text.len() > DATE_MAX * 8 {
            return None;
        }
    }
    let text = even_blanks(&text);
    (text.chars().count() <= DATE_MAX).then_some(text)
}
