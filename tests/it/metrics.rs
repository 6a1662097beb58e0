//! The pages of metrics as promtool reads them.

use std::io::{ErrorKind, Write};
use std::process::{Command, Output, Stdio};

use xunjian::metrics::{AccountsPage, AreaDigits, FAMILIES, render_findings, render_fleet};

use crate::panels_sample;

/// Runs promtool from the repository's root, with `input` on its standard input.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> Output {
    let started = Command::new("promtool")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("promtool is not installed: apt-get install prometheus")
        }
        started => started.unwrap(),
    };
    // Dropping the pipe ends the input; a full page fits no pipe, so promtool reads meanwhile.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) fn assert_passes(arguments: &[&str], input: &str) {
    let output = promtool(arguments, input);
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "promtool {arguments:?}:\n{}", said.join("\n"));
}

/// Both pages of the sample, as a scraper gets them.
fn pages() -> [String; 2] {
    let process = panels_sample::metrics();
    panels_sample::work(&process);
    let fleet = render_fleet(
        &panels_sample::fleet(),
        &panels_sample::score_quantiles(),
        AreaDigits::ByFleetSize,
    );
    let findings =
        render_findings(&panels_sample::finding_cells(), &panels_sample::active_findings(), 6);
    let mut standings = panels_sample::standings();
    standings[0].name = "引号\"反斜\\换\n行".to_owned();
    [process.render() + &fleet + &findings, AccountsPage::of(&standings, 10_000).render()]
}

#[test]
fn promtool_finds_no_fault_in_either_page() {
    for page in pages() {
        assert_passes(&["check", "metrics"], &page);
    }
}

#[test]
fn every_family_of_the_table_is_written_once_and_in_one_piece() {
    let text = pages().concat();
    let typed: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .filter(|(name, _)| !name.starts_with("process_"))
        .collect();
    let mut names: Vec<_> = typed.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let mut table: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
    table.sort_unstable();
    assert_eq!(names, table);
    let mut current = "";
    for line in text.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(rest) => current = rest.split(' ').next().unwrap(),
            None if line.starts_with('#') => {}
            None => assert!(line.starts_with(current), "{line} stands under {current}"),
        }
    }
}

#[test]
fn labels_are_those_of_the_table() {
    let text = pages().concat();
    for family in FAMILIES {
        let start = format!("{}{{", family.name);
        for line in text.lines().filter(|line| line.starts_with(&start)) {
            let mut names: Vec<_> =
                line.split("=\"").filter_map(|part| part.rsplit(['{', ',']).next()).collect();
            names.pop();
            names.sort_unstable();
            let mut labels = family.labels.to_vec();
            labels.sort_unstable();
            assert_eq!(names, labels, "{line}");
        }
    }
}
