//! `xunjian platform`: what platform files say, and whether they read their saved pages as they
//! should.

mod show;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::extract::{catalog, platform, platforms_folder};
use super::{Context, Misused};
use crate::app::files;
use crate::domain::{Problem, SourceText};
use crate::extract::{Fixture, draft, extract};
use crate::platform::Platform;

/// Works on platform files, without a database or the network.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Show(Show),
    Test(Test),
}

/// Prints what is publicly visible on a platform, and which page kinds its file reads.
#[derive(Debug, clap::Args)]
struct Show {
    /// The platform's id or Chinese name [default: all].
    platform: Option<String>,
}

/// Reads every saved page of a platform and compares it with what its file says.
///
/// A page `weibo/pinned.json` has its expectations in `weibo/pinned.toml`; see
/// docs/platform-author.md.
#[derive(Debug, clap::Args)]
struct Test {
    /// The platform's id or Chinese name [default: all].
    platform: Option<String>,
    /// The folder with one folder of saved pages a platform [default: fixtures beside the platform
    /// files, else tests/fixtures/pages of the project around them].
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Append to every file without expectations what its page says now, to be looked over.
    #[arg(long)]
    draft: bool,
}

#[expect(clippy::unused_async, reason = "every command has this shape")]
pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let folder = platforms_folder(context)?;
    let catalog = catalog(&folder)?;
    let args = match args.task {
        Task::Test(args) => args,
        Task::Show(args) => {
            let platforms = match &args.platform {
                Some(name) => vec![platform(&catalog, name, &folder)?],
                None => catalog.iter().collect(),
            };
            platforms.into_iter().try_for_each(show::show)?;
            return Ok(());
        }
    };
    let fixtures = match &args.fixtures {
        Some(fixtures) => fixtures.clone(),
        None => fixtures_folder(&folder)?,
    };
    let platforms = match &args.platform {
        Some(name) => vec![platform(&catalog, name, &folder)?],
        None => catalog.iter().collect(),
    };
    let mut tally = Tally::default();
    for platform in platforms {
        let pages = fixtures.join(&platform.id);
        if !pages.is_dir() && args.platform.is_some() {
            bail!("{} has no saved pages: no folder {}", platform.id, pages.display());
        }
        test(platform, &pages, args.draft, &mut tally)?;
    }
    let Tally { passed, failed, drafted } = tally;
    println!("{passed} passed, {failed} failed");
    if failed > 0 {
        bail!("{failed} saved pages are not read as expected");
    }
    if passed + drafted == 0 {
        bail!("no saved pages under {}", fixtures.display());
    }
    Ok(())
}

/// What came of the pages.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    drafted: usize,
}

/// Beside the platform files where an office keeps its own, else those of the project.
fn fixtures_folder(platforms: &Path) -> Result<PathBuf, Misused> {
    let beside = platforms.parent().map(|above| above.join("fixtures"));
    let project = platforms.ancestors().map(|above| above.join("tests/fixtures/pages"));
    beside.into_iter().chain(project).find(|folder| folder.is_dir()).ok_or_else(|| {
        Misused(format!("no fixtures beside {}; name --fixtures", platforms.display()))
    })
}

/// Tests the pages of one platform, one line each.
fn test(
    platform: &Platform,
    pages: &Path,
    drafting: bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut untested: BTreeSet<&str> = platform.pages.keys().map(String::as_str).collect();
    let (sources, bodies) = if pages.is_dir() { listed(pages)? } else { Default::default() };
    let mut unread: BTreeSet<PathBuf> = bodies.iter().cloned().collect();
    for source in &sources {
        let path = Path::new(&source.file);
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let (differences, kind) = match read(source, pages, &bodies) {
            Err(wrong) => (wrong, None),
            Ok((fixture, body)) => {
                unread.remove(&body);
                untested.remove(fixture.page());
                let page = fs::read(&body).with_context(|| body.display().to_string())?;
                if drafting && !fixture.expects() {
                    append_draft(&fixture, platform, &page, path)?;
                    writeln!(out, "draft {}/{name}: look it over, then test again", platform.id)?;
                    tally.drafted += 1;
                    continue;
                }
                (fixture.differences(platform, &page), Some(fixture.page().to_owned()))
            }
        };
        let kind = kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
        let word = if differences.is_empty() { "ok   " } else { "FAIL " };
        writeln!(out, "{word} {}/{name}{kind}", platform.id)?;
        differences.iter().try_for_each(|told| writeln!(out, "        {told}"))?;
        let count = if differences.is_empty() { &mut tally.passed } else { &mut tally.failed };
        *count += 1;
    }
    for body in unread {
        tally.failed += 1;
        let toml = body.with_extension("toml");
        writeln!(out, "FAIL  {}: nothing is expected: no {}", body.display(), toml.display())?;
    }
    if !untested.is_empty() {
        let kinds = untested.into_iter().collect::<Vec<_>>().join(", ");
        writeln!(out, "none  {}: no saved page of {kinds}", platform.id)?;
    }
    Ok(())
}

/// A fixture with the path of its saved page, or what is wrong with it.
fn read(
    source: &SourceText,
    pages: &Path,
    bodies: &[PathBuf],
) -> Result<(Fixture, PathBuf), Vec<String>> {
    let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
    let fixture = Fixture::parse(source).map_err(|problems| -> Vec<String> { told(problems) })?;
    let stem = Path::new(&source.file).file_stem();
    let mut bodies = bodies.iter();
    let body = match fixture.body() {
        Some(name) => bodies.find(|body| **body == pages.join(name)),
        None => bodies.find(|body| body.file_stem() == stem),
    };
    match body.cloned() {
        Some(body) => Ok((fixture, body)),
        None => Err(vec!["the saved page itself is missing".to_owned()]),
    }
}

/// The expectations of a folder and its saved pages, by name.
fn listed(pages: &Path) -> anyhow::Result<(Vec<SourceText>, Vec<PathBuf>)> {
    let sources = files::read_folder(pages, "toml").map_err(super::Misconfigured)?;
    let mut bodies = Vec::new();
    for entry in fs::read_dir(pages).with_context(|| pages.display().to_string())? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if path.is_file() && !hidden && path.extension().is_some_and(|ending| ending != "toml") {
            bodies.push(path);
        }
    }
    bodies.sort();
    Ok((sources, bodies))
}

fn append_draft(
    fixture: &Fixture,
    platform: &Platform,
    page: &[u8],
    path: &Path,
) -> anyhow::Result<()> {
    let Some(read) = fixture.answer(platform, page, extract) else {
        bail!("{}: {} has no page kind {:?}", path.display(), platform.id, fixture.page());
    };
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    write!(file, "\n{}", draft(&read)).with_context(|| path.display().to_string())
}
