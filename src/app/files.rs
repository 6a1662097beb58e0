//! Reads the folders of data files: platforms, schemes.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::domain::{Problem, SourceText};

/// A data file larger than this is refused, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// More files than this in one folder are refused.
const FILES_MAX: usize = 1000;

/// Every file of a folder with an extension, by name; hidden files are left out.
///
/// # Errors
/// The folder or a file that cannot be read, is not UTF-8 or is too large: every one of them.
pub fn read_folder(folder: &Path, extension: &str) -> Result<Vec<SourceText>, Vec<Problem>> {
    let whole = |reason: String| vec![problem(folder, reason)];
    let entries = fs::read_dir(folder).map_err(|error| whole(error.to_string()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| whole(error.to_string()))?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if path.extension().is_some_and(|own| own == extension) && !hidden {
            paths.push(path);
        }
    }
    if paths.len() > FILES_MAX {
        return Err(whole(format!("{} files, at most {FILES_MAX} are read", paths.len())));
    }
    paths.sort();
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        match read_file(&path) {
            Ok(source) => sources.push(source),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(sources) } else { Err(problems) }
}

fn read_file(path: &Path) -> Result<SourceText, Problem> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| problem(path, error.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(problem(path, format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(SourceText { file: path.display().to_string(), text })
}

fn problem(path: &Path, reason: String) -> Problem {
    Problem { file: path.display().to_string(), line: 0, field: String::new(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_by_name_and_only_those_meant() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", ".a.toml.swp", ".hidden.toml", "notes.md"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let texts: Vec<_> = read_folder(folder.path(), "toml")
            .unwrap()
            .into_iter()
            .map(|source| source.text)
            .collect();
        assert_eq!(texts, ["a.toml", "b.toml"]);
    }

    #[test]
    fn every_unreadable_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("binary.toml"), [0xff, 0xfe]).unwrap();
        fs::write(folder.path().join("huge.toml"), " ".repeat(2 << 20)).unwrap();
        let problems = read_folder(folder.path(), "toml").unwrap_err();
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(shown[0].contains("binary.toml:0: -: ") && shown[0].contains("UTF-8"), "{shown:?}");
        assert!(shown[1].contains("huge.toml") && shown[1].contains("larger"), "{shown:?}");
        assert_eq!(read_folder(&folder.path().join("none"), "toml").unwrap_err().len(), 1);
    }
}
