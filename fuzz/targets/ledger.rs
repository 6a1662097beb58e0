#![no_main]
//! Ledgers and tables: the bytes as they come, or, behind the word `sheet` and a line end, the one
//! sheet of a sound workbook. A mutated archive is hardly ever more than a broken checksum.

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use xunjian::registry::{Format, Settings, export, read, table};
use xunjian_fuzz::{SHIPPED, within_time};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Limits in the measure of the inputs: the shipped ones allow ledgers that take seconds to read.
fn limits() -> Settings {
    Settings { decompressed_bytes_max: 4 << 20, rows_max: 20_000, ..Settings::default() }
}

fuzz_target!(|input: &[u8]| {
    let book;
    let bytes = match input.strip_prefix(b"sheet\n") {
        Some(sheet) => {
            book = workbook(sheet);
            book.as_slice()
        }
        None => input,
    };
    let platform = |name: &str| SHIPPED.find(name).map(|platform| platform.id.clone());
    let settings = limits();
    let columns = ["标题", "阅读", "账号"].map(str::to_owned);
    let ledger = within_time(|| {
        let _ = table(bytes, &columns, &settings);
        read(bytes, &platform, &settings)
    });
    let Ok(ledger) = ledger else { return };
    for format in [Format::Csv, Format::Xlsx] {
        let written = export(&ledger.entries, format).expect("what was read can be written");
        let again = read(&written, &platform, &Settings::default());
        let again = again.unwrap_or_else(|error| panic!("{format:?} is not read back: {error}"));
        assert_eq!(again.entries, ledger.entries, "{format:?} changes the ledger");
    }
});

fn workbook(sheet: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let packages = "http://schemas.openxmlformats.org/package/2006/relationships";
    let book = format!(
        "<workbook xmlns='{main}' xmlns:r='{office}'><sheets>\
         <sheet name='a' sheetId='1' r:id='rId1'/></sheets></workbook>"
    );
    let parts = format!(
        "<Relationships xmlns='{packages}'>\
         <Relationship Id='rId1' Type='{office}/worksheet' Target='worksheets/sheet1.xml'/>\
         </Relationships>"
    );
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    for (name, content) in [
        ("[Content_Types].xml", types.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", parts.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        zip.start_file(name, options).expect("a part of an archive in memory");
        zip.write_all(content).expect("a part of an archive in memory");
    }
    zip.finish().expect("an archive in memory").into_inner()
}
