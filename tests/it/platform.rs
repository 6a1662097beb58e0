//! `xunjian platform test` as somebody who adds a platform sees it.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs it with the shipped settings; output, reason, exit code.
fn test(arguments: &[&str]) -> (String, String, Option<i32>) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["platform", "test", "--config"])
        .arg(project.join("config/default.toml"))
        .args(arguments)
        .env_clear()
        .env("HOME", "/nowhere")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn every_shipped_page_is_read_as_its_file_says() {
    let (out, reason, code) = test(&[]);
    assert_eq!((reason.as_str(), code), ("", Some(0)), "{out}");
    assert!(out.contains("ok    weibo/timeline_pins_2 (timeline)\n"), "{out}");
    assert!(out.ends_with(" passed, 0 failed\n"), "{out}");
}

#[test]
fn a_page_is_drafted_then_passes_and_a_change_fails() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("weibo");
    fs::create_dir(&pages).unwrap();
    let fixtures = folder.path().to_str().unwrap();
    let saved = include_str!("../fixtures/pages/weibo/profile.json");
    fs::write(pages.join("mine.json"), saved).unwrap();
    let (out, _, code) = test(&["weibo", "--fixtures", fixtures]);
    assert!(code == Some(1) && out.contains("mine.json: nothing is expected"), "{out}");

    let expectations = pages.join("mine.toml");
    let head = "page = \"profile\"\nobserved_at = 2026-11-22T20:15:00+08:00\n";
    fs::write(&expectations, head).unwrap();
    let (out, _, code) = test(&["微博", "--fixtures", fixtures]);
    assert!(code == Some(1) && out.contains("expects nothing yet"), "{out}");
    let (out, _, code) = test(&["weibo", "--fixtures", fixtures, "--draft"]);
    assert!(code == Some(0) && out.contains("draft weibo/mine"), "{out}");
    let (out, _, code) = test(&["weibo", "--fixtures", fixtures]);
    assert!(code == Some(0) && out.ends_with("1 passed, 0 failed\n"), "{out}");

    let drafted = fs::read_to_string(&expectations).unwrap();
    fs::write(&expectations, drafted.replace("海岚发布", "海岚")).unwrap();
    let (out, reason, code) = test(&["weibo", "--fixtures", fixtures]);
    assert!(code == Some(1) && out.contains("name: \"海岚发布\", expected \"海岚\""), "{out}");
    assert_eq!(reason, "xunjian: 1 saved pages are not read as expected\n");
}

#[test]
fn a_platform_that_is_unknown_or_has_no_pages_is_told() {
    let (_, reason, code) = test(&["wiebo"]);
    assert!(code == Some(2) && reason.contains("known are"), "{reason}");
    let (_, reason, code) = test(&["douyin", "--fixtures", "/nowhere"]);
    assert!(code == Some(1) && reason.contains("no saved pages"), "{reason}");
}
