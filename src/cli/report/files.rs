use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;

use crate::report::{Document, docx, markdown, xlsx};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    Docx,
    Xlsx,
    Md,
    All,
}

/// What of a name may stand in the name of a file.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).take(40).collect()
}

/// Writes a document in the forms that are wanted, and tells where.
pub(super) fn write(
    folder: &Path,
    name: &str,
    document: &Document,
    format: Format,
) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let wanted = |one: Format| format == one || format == Format::All;
    if wanted(Format::Docx) {
        write_new(&folder.join(format!("{name}.docx")), &docx(document))?;
    }
    if wanted(Format::Xlsx) {
        write_new(&folder.join(format!("{name}.xlsx")), &xlsx(document)?)?;
    }
    if wanted(Format::Md) {
        write_new(&folder.join(format!("{name}.md")), markdown(document).as_bytes())?;
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let shown = || path.display().to_string();
    let mut file = File::create_new(path).with_context(shown)?;
    file.write_all(bytes).with_context(shown)?;
    file.sync_all().with_context(shown)?;
    println!("{}", path.display());
    Ok(())
}
