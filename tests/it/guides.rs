//! Every command of the guides, run against a demo; and the files for containers, by their form.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use xunjian::app::clock::SystemClock;
use xunjian::cli::demo::Demo;
use xunjian::domain::{Clock, FindingState, Step};
use xunjian::jobs::Context;
use xunjian::jobs::findings::{act, look, send_notices};
use xunjian::settings::Settings;
use xunjian::store::{FindingFilter, FindingRecord};

use crate::panels_boards::root;
use crate::platform::recipe;
use crate::support::shipped;

/// The guides whose commands are run, in this order.
const GUIDES: [&str; 3] = ["user-guide.zh-CN.md", "operator-guide.md", "platform-author.md"];

/// The page that the recipe of a platform asks for.
const RECIPE_PAGE: &str = "https://m.example.cn/u/42";

/// The commands of a guide's `sh` blocks, each on one line.
fn commands(guide: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs").join(guide)).unwrap();
    let text = text.replace("\\\n", " ");
    let blocks = text.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.flat_map(|block| block.lines().map(str::to_owned)).collect()
}

/// What stands in a guide, and what it is in the demo.
type Names = BTreeMap<&'static str, String>;

fn in_demo(line: &str, names: &Names) -> String {
    let words = line.split(' ').map(|word| names.get(word).cloned().unwrap_or(word.to_owned()));
    let line = words.collect::<Vec<_>>().join(" ");
    line.replace("127.0.0.1:9611", &names["127.0.0.1:9611"])
        .replace("weibo:1669879400", &names["weibo:1669879400"])
}

/// Runs a line as a shell does, with our program under its name.
fn run(line: &str, bin: &Path, work: &Path) -> Result<String, String> {
    let folder = match line.split(' ').next().unwrap() {
        "xunjian" | "curl" | "mkdir" => work.to_owned(),
        // These name files of the project.
        "promtool" | "amtool" => root(),
        other => return Err(format!("{other} is no command that a guide may show as run")),
    };
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
    let output = Command::new("sh")
        .args(["-ec", line])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", work)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{}{}", text(&output.stdout), text(&output.stderr))),
    }
}

fn settings(folder: &Path) -> Settings {
    let mut settings = shipped(folder);
    settings.notify.send_from_hour = 0;
    settings
}

/// What the commands find: settings for our program, and the files that the guides name.
fn prepare(work: &Path, bin: &Path, demo: &Demo, key: &str) {
    let config = root().join("config");
    let mut text = format!("data_dir = {:?}\n", work.join("data"));
    for kind in ["schemes", "indices", "calendar", "rules", "imports"] {
        text += &format!("{kind}_dir = {:?}\n", config.join(kind));
    }
    text += &format!("platforms_dir = {:?}\n", work.join("config/platforms"));
    text += "[log]\nlevel = \"error\"\n[evidence]\nfree_bytes_min = 0\n[fetch.connect_to]\n";
    for (host, address) in demo.simulator().connect_to() {
        text += &format!("{host:?} = \"{address}\"\n");
    }
    fs::write(work.join("xunjian.toml"), text).unwrap();
    fs::create_dir_all(bin).unwrap();
    let script = format!(
        "#!/bin/sh\nexec {} --config {} \"$@\"\n",
        env!("CARGO_BIN_EXE_xunjian"),
        work.join("xunjian.toml").display()
    );
    fs::write(bin.join("xunjian"), script).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(bin.join("xunjian"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(work.join("ledger.csv"), demo.simulator().city().ledger_csv()).unwrap();
    fs::write(work.join("proof.png"), "not really a picture").unwrap();
    let form = format!(
        "账号编号,作品编号,作品链接,作品标题,发布时间,是否原创,阅读量,点赞量,评论量,转发量,数据起始,\
         数据截至\n{key},n1,,通知,2026-01-05 09:00,是,12,1,0,0,2026-01-01,2026-01-31\n"
    );
    fs::write(work.join("form.csv"), form).unwrap();
}

/// The platform files, among them that of the recipe.
fn prepare_platforms(work: &Path) {
    let platforms = work.join("config/platforms");
    fs::create_dir_all(&platforms).unwrap();
    for file in fs::read_dir(root().join("config/platforms")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), platforms.join(file.file_name())).unwrap();
    }
    fs::write(platforms.join("example.toml"), &recipe("toml")[0]).unwrap();
}

/// What the recipe shows of the page that its first commands fetched, and says of it.
fn keep_page(work: &Path) {
    let pages = work.join("tests/fixtures/pages/example");
    fs::write(pages.join("list.json"), &recipe("json")[0]).unwrap();
    fs::write(pages.join("list.toml"), &recipe("toml")[1]).unwrap();
}

/// What a second person does before a bulletin names anybody.
async fn approve_namings(jobs: &Context) {
    let open = FindingFilter {
        state: Some(FindingState::Open),
        limit: u32::MAX,
        ..FindingFilter::default()
    };
    for one in jobs.store.findings(&open).await.unwrap() {
        if one.found.rule.starts_with("not_updated") || one.found.rule == "failed_assessment" {
            act(jobs, one.id, Step::Approve, ("王五", "已核对"), None).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_command_of_the_guides_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (work, bin) = (folder.path(), folder.path().join("bin"));
    let today = SystemClock.now();
    let mut demo = Demo::start(settings(work), 339_900, 60, today).await.unwrap();
    let address = demo.serve();
    demo.watch_days().await.unwrap();
    let jobs = demo.app().jobs().clone();
    look(&jobs).await.unwrap();
    let wanted = FindingFilter { limit: u32::MAX, ..FindingFilter::default() };
    let found = jobs.store.findings(&wanted).await.unwrap();
    let is_open = |one: &&FindingRecord| one.state == FindingState::Open && one.key.is_some();
    // One that rests on visits, and another.
    let silent = |one: &&FindingRecord| one.found.rule.starts_with("not_updated");
    let first = found.iter().filter(is_open).find(silent).unwrap();
    let second = found.iter().filter(is_open).find(|one| one.id != first.id).unwrap();
    let accounts = jobs.store.accounts().await.unwrap();
    let weibo = accounts.iter().find(|one| one.entry.platform == "weibo").unwrap();
    let names = Names::from([
        ("127.0.0.1:9611", address.to_string()),
        ("weibo:1669879400", weibo.entry.key.clone()),
        ("17", first.id.to_string()),
        ("18", second.id.to_string()),
        (RECIPE_PAGE, format!("http://{address}/healthz")),
        ("FILE", "form.csv".to_owned()),
    ]);
    prepare_platforms(work);
    prepare(work, &bin, &demo, &weibo.entry.key);
    let mut run_lines = 0;
    for guide in GUIDES {
        for line in commands(guide) {
            let shown = in_demo(&line, &names);
            let run_it = async || {
                let (shown, bin, work) = (shown.clone(), bin.clone(), work.to_owned());
                tokio::task::spawn_blocking(move || run(&shown, &bin, &work)).await.unwrap()
            };
            if line.contains("report publish") && !line.contains("--dry-run") {
                // The first time raises what no finding speaks of yet, and waits for a second person.
                assert!(run_it().await.unwrap_err().contains("nothing is published"));
                approve_namings(&jobs).await;
            }
            let done = run_it().await;
            done.unwrap_or_else(|said| panic!("{guide}: {line}\nas {shown}\n{said}"));
            if line.contains(RECIPE_PAGE) {
                keep_page(work);
            }
            if line.contains("finding approve") {
                // What the daemon's own job does next; it sends one letter a day to a sponsor.
                send_notices(&jobs).await.unwrap();
            }
            run_lines += 1;
        }
    }
    assert!(run_lines > 40, "{run_lines}");
    assert!(work.join("bulletin").is_dir() && work.join("xunjian.tar").is_file());
    drop(jobs);
    demo.stop().await.unwrap();
}

#[test]
fn the_program_needs_the_c_library_alone() {
    let output = Command::new("ldd").arg(env!("CARGO_BIN_EXE_xunjian")).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let libraries = told.lines().filter_map(|line| line.split_whitespace().next());
    // Of the compiler's, the part that every Debian has for the C library's own threads.
    let known = ["linux-vdso.so.1", "libc.so.6", "libm.so.6", "libgcc_s.so.1"];
    let others: Vec<&str> =
        libraries.filter(|name| !known.contains(name) && !name.contains("/ld-linux")).collect();
    assert!(told.contains("libc.so.6") && others.is_empty(), "{others:?} of {told}");
}

#[test]
fn the_image_is_built_in_stages_from_fixed_versions_and_runs_as_an_ordinary_user() {
    let text = fs::read_to_string(root().join("deploy/Dockerfile")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let from: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(from.len(), 2);
    let fixed = |image: &str| {
        image.split_once(':').is_some_and(|(_, tag)| tag.contains('.') && !tag.contains("latest"))
    };
    assert!(from.iter().all(|image| fixed(image)), "{from:?}");
    let last = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    let user = lines[last..].iter().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let id: u32 = user.split(':').next().unwrap().parse().unwrap();
    assert!(id > 0);
    assert!(lines[last..].iter().any(|line| line.starts_with("HEALTHCHECK")));
    for line in lines.iter().filter_map(|line| line.strip_prefix("COPY ")) {
        if line.starts_with("--from") {
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists(), "{source} is not there to be copied");
        }
    }
    let compose = fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    let images = compose.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let images: Vec<&str> = images.collect();
    assert_eq!(images.len(), 5);
    assert!(images.iter().all(|image| fixed(image.rsplit('/').next().unwrap())), "{images:?}");
    assert_eq!(compose.matches("healthcheck:").count(), 5);
}
