use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::document::{Block, Cell, Document, Table, chinese_day};
use super::styles::{DOCUMENT_RELATIONS, FOOTER, PAGE, RELATIONS, STYLES, TYPE_AREA, TYPES};

const NAMESPACES: &str = concat!(
    r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" "#,
    r#"xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships""#
);

/// The document as an official document in OOXML; the same bytes for the same document.
pub fn docx(document: &Document) -> Vec<u8> {
    let (text, core) = (body(document), core(document));
    let parts = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("docProps/core.xml", &core),
        ("word/document.xml", &text),
        ("word/styles.xml", STYLES),
        ("word/footer1.xml", FOOTER),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in parts {
        zip.start_file(name, SimpleFileOptions::default()).expect("names are few and short");
        zip.write_all(part.as_bytes()).expect("memory takes what is written");
    }
    zip.finish().expect("memory takes what is written").into_inner()
}

fn body(document: &Document) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <w:document {NAMESPACES}><w:body>"
    );
    text += &paragraph("Title", &document.title);
    if let Some(addressee) = &document.addressee {
        text += &paragraph("Addressee", &format!("{addressee}："));
    }
    for block in &document.blocks {
        match block {
            Block::Heading(title) => text += &paragraph("Heading1", title),
            Block::Subheading(title) => text += &paragraph("Heading2", title),
            Block::Paragraph(words) => text += &paragraph("Normal", words),
            Block::Table(one) => text += &table(one),
        }
    }
    text += &paragraph("Normal", "");
    text += &paragraph("Signature", &document.issuer);
    text += &paragraph("Signature", &chinese_day(document.date));
    for (at, note) in document.notes.iter().enumerate() {
        if at == 0 {
            text += &paragraph("Normal", "");
        }
        text += &paragraph("Note", note);
    }
    text + PAGE.trim_end() + "</w:body></w:document>"
}

fn paragraph(style: &str, words: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>{}</w:p>", run(words))
}

fn run(words: &str) -> String {
    if words.is_empty() {
        return String::new();
    }
    format!("<w:r><w:t xml:space=\"preserve\">{}</w:t></w:r>", escaped(words))
}

fn table(table: &Table) -> String {
    let sum: u32 = table.columns.iter().map(|(_, width)| width).sum();
    let widths: Vec<u32> =
        table.columns.iter().map(|(_, width)| TYPE_AREA * width / sum.max(1)).collect();
    let mut text = paragraph("TableTitle", &table.title);
    text += &format!(
        "<w:tbl><w:tblPr><w:tblStyle w:val=\"Ledger\"/><w:tblW w:w=\"{TYPE_AREA}\" \
         w:type=\"dxa\"/><w:tblLayout w:type=\"fixed\"/></w:tblPr><w:tblGrid>"
    );
    for width in &widths {
        text += &format!("<w:gridCol w:w=\"{width}\"/>");
    }
    text += "</w:tblGrid><w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>";
    for ((head, _), width) in table.columns.iter().zip(&widths) {
        text += &cell(head, *width, true, true);
    }
    text += "</w:tr>";
    for row in &table.rows {
        text += "<w:tr><w:trPr><w:cantSplit/></w:trPr>";
        for (one, width) in row.iter().zip(&widths) {
            let centred = !matches!(one, Cell::Text(_));
            text += &cell(&one.shown(), *width, centred, false);
        }
        text += "</w:tr>";
    }
    text + "</w:tbl>"
}

fn cell(words: &str, width: u32, centred: bool, head: bool) -> String {
    let align = if centred { "<w:jc w:val=\"center\"/>" } else { "" };
    let bold = if head { "<w:rPr><w:rFonts w:eastAsia=\"黑体\"/></w:rPr>" } else { "" };
    format!(
        "<w:tc><w:tcPr><w:tcW w:w=\"{width}\" w:type=\"dxa\"/><w:vAlign w:val=\"center\"/>\
         </w:tcPr><w:p><w:pPr><w:pStyle w:val=\"Cell\"/>{align}</w:pPr><w:r>{bold}\
         <w:t xml:space=\"preserve\">{}</w:t></w:r></w:p></w:tc>",
        escaped(words)
    )
}

fn core(document: &Document) -> String {
    let (title, issuer, date) = (&document.title, &document.issuer, document.date);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<cp:coreProperties \
         xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>{}</dc:title>\
         <dc:creator>{}</dc:creator><dcterms:created xsi:type=\"dcterms:W3CDTF\">\
         {date}T00:00:00Z</dcterms:created></cp:coreProperties>",
        escaped(title),
        escaped(issuer)
    )
}

/// Text as XML 1.0 can hold it: what it forbids altogether is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\n' | '\r' | '\t' => safe.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => {}
            letter => safe.push(letter),
        }
    }
    safe
}
