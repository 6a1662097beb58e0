//! The first command of the README as it is typed: the demo shows its city and leaves nothing behind.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::panels_boards::root;

/// Generous: a debug build on a busy machine.
const WITHIN: Duration = Duration::from_secs(300);

/// A demo that is killed, should the test fail, before its folder goes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// What was shown, once it holds these words.
fn shown(demo: &mut Running, screen: &Path, words: &str) -> String {
    let began = Instant::now();
    while began.elapsed() < WITHIN {
        let text = fs::read_to_string(screen).unwrap();
        if text.contains(words) {
            return text;
        }
        let ended = demo.0.try_wait().unwrap();
        assert!(ended.is_none(), "it ended with {ended:?} after\n{text}");
        sleep(Duration::from_millis(200));
    }
    panic!("{words} is not in\n{}", fs::read_to_string(screen).unwrap());
}

#[test]
fn the_demo_of_the_readme_answers_as_it_says_and_ends_on_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let screen = folder.path().join("screen");
    let started = Command::new(env!("CARGO_BIN_EXE_xunjian"))
        .args(["demo", "--listen", "127.0.0.1:0", "--accounts", "120"])
        .current_dir(root())
        .env("TMPDIR", folder.path())
        .env("XUNJIAN__EVIDENCE__FREE_BYTES_MIN", "0")
        .stdin(Stdio::null())
        .stdout(fs::File::create(&screen).unwrap())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn();
    let mut demo = Running(started.unwrap());
    let text = shown(&mut demo, &screen, "巡检       http://");
    let address = text.split("巡检       http://").nth(1).unwrap().split('/').next().unwrap();
    let text = shown(&mut demo, &screen, "与虚构城市的真相不符的判定：");
    for line in ["第 1 天：", "第 2 天：", "第 3 天：", "判定 120 个账号"] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }

    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let asked: Vec<&str> = readme.lines().filter(|line| line.starts_with("curl -s ")).collect();
    let told = asked.iter().map(|line| {
        let line = line.replace("127.0.0.1:9611", address);
        let output = Command::new("sh").args(["-ec", &line]).output().unwrap();
        assert!(output.status.success(), "{line}");
        String::from_utf8(output.stdout).unwrap()
    });
    let [counts, unknown] = &told.collect::<Vec<_>>()[..] else { panic!("{asked:?}") };
    let total: f64 = counts
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap())
        .fold(0.0, |total, count| total + count.parse::<f64>().unwrap());
    assert!((total - 120.0).abs() < 0.5, "{counts}");
    assert!(unknown.contains("\"undetermined\"") && unknown.contains("reason"), "{unknown}");

    let pid = Pid::from_raw(demo.0.id().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ended = demo.0.wait().unwrap();
    assert!(ended.success(), "{ended:?}: {}", fs::read_to_string(&screen).unwrap());
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "only what was shown: {left:?}");
}
