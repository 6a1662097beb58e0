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
fn a_reader_that_has_gone_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/default.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["platform", "test", "--config"])
        .arg(config)
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), None, "ended by the signal: {:?}", output.status);
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

#[test]
fn a_platform_tells_who_can_see_what_and_what_its_pages_prove() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let told = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
            .args(["platform", "show", "--config"])
            .arg(shipped.join("default.toml"))
            .args(arguments)
            .env_clear()
            .env("HOME", "/nowhere")
            .output()
            .unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let (out, code) = told(&["微博"]);
    assert_eq!(code, Some(0));
    for line in [
        "weibo 微博: public_page\n",
        "(never checked)\n",
        "\n  reads         owner_only: ",
        "\n  page timeline: list, crawled, verified 2019-09-11\n",
        "\n  page post: article, never verified: proves activity, never silence\n",
    ] {
        assert!(out.contains(line), "{line:?} is not in {out}");
    }
    let (all, _) = told(&[]);
    assert!(
        all.contains("\nwechat 微信公众号: public_feed\n") && all.contains("\nboard "),
        "{all}"
    );
    assert_eq!(told(&["wiebo"]).1, Some(2));
}

/// Runs `xunjian` with the settings of an office's own folder; output, reason, exit code.
fn in_office(office: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(arguments)
        .arg("--config")
        .arg(office.join("xunjian.toml"))
        .env_clear()
        .env("HOME", "/nowhere")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// The code blocks of the recipe in one language, in order.
pub(crate) fn recipe(language: &str) -> Vec<String> {
    let recipe = include_str!("../../docs/platform-author.md");
    let blocks = recipe.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.map(str::to_owned).collect()
}

#[test]
fn a_platform_is_added_by_its_file_and_its_pages_alone() {
    let office = tempfile::tempdir().unwrap();
    let (platforms, pages) =
        (office.path().join("platforms"), office.path().join("fixtures/example"));
    for folder in [&platforms, &pages, &office.path().join("schemes")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(office.path().join("xunjian.toml"), "").unwrap();
    let [file, head, ..] = &recipe("toml")[..] else { panic!("the recipe has lost its file") };
    let page = &recipe("json")[0];
    fs::write(platforms.join("example.toml"), file).unwrap();
    fs::write(pages.join("list.json"), page).unwrap();
    fs::write(pages.join("list.toml"), head).unwrap();
    assert_eq!(
        in_office(office.path(), &["check"]),
        (String::new(), String::new(), Some(0)),
        "the file of the recipe"
    );

    let list = pages.join("list.json");
    let look = ["extract", "--platform", "示例平台", "--page", "timeline", "--handle", "42"];
    let seen = ["--observed-at", "2026-11-22T20:15:00+08:00", "--explain", list.to_str().unwrap()];
    let (out, reason, code) = in_office(office.path(), &[&look[..], &seen[..]].concat());
    assert_eq!((reason.as_str(), code), ("", Some(0)), "{out}");
    for told in ["\"verdict\": \"observation\"", "posts[1].likes = ", "$.likes: \"1.2万\""] {
        assert!(out.contains(told), "{told} is not in {out}");
    }

    let (out, _, code) = in_office(office.path(), &["platform", "test", "example", "--draft"]);
    assert!(code == Some(0) && out.contains("draft example/list"), "{out}");
    let (out, _, code) = in_office(office.path(), &["platform", "test", "example"]);
    assert!(code == Some(0) && out.ends_with("1 passed, 0 failed\n"), "{out}");
    let drafted = fs::read_to_string(pages.join("list.toml")).unwrap();
    for told in ["posts = 2", "pinned = [\"100\"]", "newest = 2026-11-22T19:00:00+08:00"] {
        assert!(drafted.contains(told), "{told} is not in {drafted}");
    }
}
