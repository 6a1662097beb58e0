use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
};
use thiserror::Error;

use super::document::{Block, Cell, Document, Table};

/// The number that workbooks give the paper.
const A4: u8 = 9;

/// A workbook cannot hold the document, such as a table of more than a million rows.
#[derive(Debug, Error)]
#[error("the workbook cannot be written: {0}")]
pub struct XlsxError(#[from] rust_xlsxwriter::XlsxError);

/// Every table of the document as a sheet of its own: typed cells, a filter, a frozen head; text is
/// written as text, so that nothing an account calls itself is ever computed.
///
/// # Errors
/// Only where the form cannot hold it.
pub fn xlsx(document: &Document) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let properties = DocProperties::new().set_title(&document.title).set_author(&document.issuer);
    book.set_properties(&properties.set_creation_datetime(&day(document.date)?));
    for block in &document.blocks {
        if let Block::Table(table) = block {
            write(book.add_worksheet(), table)?;
        }
    }
    let sheet = book.add_worksheet();
    sheet.set_name("说明")?;
    sheet.set_column_width(0, 100)?;
    for (row, note) in (0_u32..).zip(std::iter::once(&document.title).chain(&document.notes)) {
        sheet.write_string(row, 0, note)?;
    }
    Ok(book.save_to_buffer()?)
}

fn day(day: NaiveDate) -> Result<ExcelDateTime, rust_xlsxwriter::XlsxError> {
    let year = u16::try_from(day.year()).unwrap_or(1900);
    let (month, day) =
        (u8::try_from(day.month()).unwrap_or(1), u8::try_from(day.day()).unwrap_or(1));
    ExcelDateTime::from_ymd(year, month, day)
}

fn write(sheet: &mut Worksheet, table: &Table) -> Result<(), rust_xlsxwriter::XlsxError> {
    sheet.set_name(&table.title)?;
    let head =
        Format::new().set_bold().set_border(FormatBorder::Thin).set_align(FormatAlign::Center);
    let words = Format::new().set_border(FormatBorder::Thin).set_text_wrap();
    let number = Format::new().set_border(FormatBorder::Thin);
    let date = Format::new().set_border(FormatBorder::Thin).set_num_format("yyyy-mm-dd");
    let mut last_column = 0;
    for (column, (title, width)) in (0_u16..).zip(&table.columns) {
        sheet.write_string_with_format(0, column, title.as_ref(), &head)?;
        sheet.set_column_width(column, f64::from(*width) * 1.6)?;
        last_column = column;
    }
    let mut last_row = 0;
    for (row, cells) in (1_u32..).zip(&table.rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Text(text) => sheet.write_string_with_format(row, column, text, &words)?,
                Cell::Number(count) => {
                    sheet.write_number_with_format(row, column, as_number(*count), &number)?
                }
                Cell::Share(shown, part, whole) => {
                    let decimals = shown.split_once('.').map_or(0, |(_, rest)| rest.len() - 1);
                    let form = match decimals {
                        0 => "0%".to_owned(),
                        count => format!("0.{}%", "0".repeat(count)),
                    };
                    let share = Format::new().set_border(FormatBorder::Thin).set_num_format(form);
                    let value = as_number(*part) / as_number(*whole);
                    sheet.write_number_with_format(row, column, value, &share)?
                }
                Cell::Day(on) => sheet.write_datetime_with_format(row, column, day(*on)?, &date)?,
                Cell::Unknown => sheet.write_blank(row, column, &number)?,
            };
        }
        last_row = row;
    }
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofilter(0, 0, last_row, last_column)?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "accounts are far fewer than 2^53")]
fn as_number(count: u64) -> f64 {
    count as f64
}
