use super::document::{Block, Document, Table, chinese_day};

/// The document as Markdown; what accounts call themselves cannot become markup.
pub fn markdown(document: &Document) -> String {
    let mut text = format!("# {}\n\n", escaped(&document.title));
    if let Some(addressee) = &document.addressee {
        text += &format!("{}：\n\n", escaped(addressee));
    }
    for block in &document.blocks {
        match block {
            Block::Heading(title) => text += &format!("## {}\n\n", escaped(title)),
            Block::Subheading(title) => text += &format!("### {}\n\n", escaped(title)),
            Block::Paragraph(words) => text += &format!("{}\n\n", escaped(words)),
            Block::Table(one) => text += &table(one),
        }
    }
    text += &format!("{}\n\n{}\n", escaped(&document.issuer), chinese_day(document.date));
    if !document.notes.is_empty() {
        text += "\n---\n\n";
        document.notes.iter().for_each(|note| text += &format!("- {}\n", escaped(note)));
    }
    text
}

fn table(table: &Table) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("**{}**\n\n", escaped(&table.title));
    text += &row(table.columns.iter().map(|(head, _)| head.to_string()).collect());
    text += &row(table.columns.iter().map(|_| "---".to_owned()).collect());
    for cells in &table.rows {
        text += &row(cells.iter().map(|cell| escaped(&cell.shown())).collect());
    }
    text + "\n"
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => safe.push(' '),
            letter if letter.is_control() => {}
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~' | '&' => {
                safe.push('\\');
                safe.push(letter);
            }
            letter => safe.push(letter),
        }
    }
    safe
}
