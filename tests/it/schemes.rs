//! Scheme files as an operator writes them: one broken file for each rule, and what is told of it.

use std::fs;
use std::path::{Path, PathBuf};

use xunjian::domain::SourceText;
use xunjian::scheme::{Catalog, IndexCatalog};
use xunjian::score::measure_ids;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schemes")
}

fn compile(name: &str) -> Result<Catalog, Vec<String>> {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    let source = SourceText { file: name.to_owned(), text };
    Catalog::compile(&[source], &measure_ids(&IndexCatalog::default()))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn the_whole_language_compiles() {
    let catalog = compile("valid.toml").unwrap_or_else(|problems| panic!("{problems:#?}"));
    let scheme = catalog.get("whole").unwrap();
    assert_eq!(scheme.declared.len(), 7, "six kinds, and the manual line's own");
    assert!(scheme.warnings.is_empty());
}

#[test]
fn each_rule_broken_gives_its_file_line_field_and_reason() {
    let mut files = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with("invalid-") {
            continue;
        }
        let text = fs::read_to_string(folder().join(&name)).unwrap();
        let want = text.lines().next().unwrap().strip_prefix("# want ").unwrap();
        let (field, reason) = want.split_once(": ").unwrap();
        let Err(problems) = compile(&name) else { panic!("{name} compiles") };
        let told = problems.iter().any(|problem| {
            let place = problem.strip_prefix(&format!("{name}:"));
            place.and_then(|rest| rest.split_once(": ")).is_some_and(|(line, rest)| {
                line.parse::<usize>().is_ok_and(|line| line > 0)
                    && rest.starts_with(&format!("{field}: "))
                    && rest.contains(reason)
            })
        });
        assert!(told, "{name}: wanted {want}; told {problems:#?}");
        files += 1;
    }
    assert!(files > 60, "{files}");
}
