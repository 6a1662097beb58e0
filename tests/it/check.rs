//! `xunjian check` as an operator sees it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `xunjian` with a settings file and nothing else from outside.
fn xunjian(settings: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(arguments)
        .arg("--config")
        .arg(settings)
        .env_clear()
        .env("HOME", "/nowhere")
        .output()
        .unwrap()
}

/// The folder of a configuration with that settings file.
fn configuration(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("platforms")).unwrap();
    fs::create_dir(folder.path().join("schemes")).unwrap();
    fs::write(folder.path().join("xunjian.toml"), settings).unwrap();
    folder
}

fn check(settings: &str, arguments: &[&str], code: i32) -> (String, String) {
    let folder = configuration(settings);
    let output = xunjian(&folder.path().join("xunjian.toml"), arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, reason) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{reason}");
    (out, reason)
}

#[test]
fn a_valid_configuration_is_passed_in_silence() {
    assert_eq!(check("", &["check"], 0), (String::new(), String::new()));
}

#[test]
fn the_shipped_settings_are_passed_in_silence() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/default.toml");
    let output = xunjian(&shipped, &["check"]);
    assert_eq!((output.status.code(), output.stdout), (Some(0), Vec::new()));
}

#[test]
fn what_a_stage_finds_wrong_is_printed_at_the_host_it_is_about() {
    let settings = "[fetch.limits]\n\"a.cn\" = {}\n\"b.cn\" = { concurrent = 0 }\n";
    let (out, _) = check(settings, &["check"], 1);
    assert!(out.contains("xunjian.toml:3: fetch.limits.b.cn: concurrent must be"), "{out}");
}

#[test]
fn every_problem_is_printed_with_its_place() {
    let (out, reason) = check("[log]\nlevl = 1\nformat = 2\n", &["check"], 1);
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].contains("xunjian.toml:2: log.levl: unknown field"), "{out}");
    assert!(lines[1].contains("xunjian.toml:3: log.format: "), "{out}");
    assert_eq!((lines.len(), reason.as_str()), (2, "xunjian: 2 problems\n"));
}

#[test]
fn the_effective_settings_are_shown_without_passwords() {
    let settings = "[database]\nurl = \"postgres://me:hunter2@db/x\"\n";
    let (out, _) = check(settings, &["check", "--print"], 0);
    assert!(out.contains("postgres://me:***@db/x") && out.contains("data_dir = "), "{out}");
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn a_settings_file_that_is_not_there_is_named() {
    let output = xunjian(Path::new("/no/such/file.toml"), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out, "/no/such/file.toml:0: -: no such file\n");
}

#[test]
fn wrong_usage_has_a_code_of_its_own() {
    check("", &["chekc"], 2);
    check("", &["check", "--quickly"], 2);
}
