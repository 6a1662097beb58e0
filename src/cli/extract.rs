//! `xunjian extract`: an offline look at one saved page.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chrono::{DateTime, FixedOffset};
use clap::Args;

use crate::domain::{Problem, SourceText};
use crate::extract::{Page, extract};
use crate::platform::Catalog;

/// The key of citizens' message ids for offline looks: public, so that digests can be compared.
const PUBLIC_INQUIRY_KEY: &[u8] = b"xunjian offline extraction, not a secret";

/// Where platform files stand, relative to the configuration.
const PLATFORMS: &str = "platforms";

/// Reads one saved page, without a database or the network.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// The platform's id or Chinese name.
    #[arg(long)]
    platform: String,
    /// The page kind, as in the platform file.
    #[arg(long)]
    page: String,
    /// When the page was saved: relative times count from here.
    #[arg(long)]
    observed_at: DateTime<FixedOffset>,
    /// The handle whose page it should be.
    #[arg(long)]
    handle: Option<String>,
    /// The address it was saved from.
    #[arg(long)]
    url: Option<String>,
    /// The settings file; platform files stand beside it in `platforms`.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The saved body.
    file: PathBuf,
}

/// Prints the extraction of a saved page as JSON.
///
/// # Errors
/// The file cannot be read, or no such platform or page kind exists, or a platform file is wrong.
pub fn run(args: &ExtractArgs) -> anyhow::Result<()> {
    let catalog = load_catalog(&platforms_folder(args.config.as_deref())?)?;
    let platform = catalog.find(&args.platform).with_context(|| {
        let known = catalog.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(", ");
        format!("no platform {:?}; known are {known}", args.platform)
    })?;
    let kind = platform.pages.get(&args.page).with_context(|| {
        let known = platform.pages.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("{} has no page kind {:?}; known are {known}", platform.id, args.page)
    })?;
    let body = std::fs::read(&args.file).with_context(|| format!("{}", args.file.display()))?;
    let extraction = extract(&Page {
        platform,
        kind,
        body: &body,
        content_type: None,
        status: 200,
        url: args.url.as_deref(),
        final_url: None,
        headers: &[],
        observed_at: args.observed_at.to_utc(),
        handle: args.handle.as_deref(),
        number: 1,
        inquiry_key: PUBLIC_INQUIRY_KEY,
    });
    println!("{}", serde_json::to_string_pretty(&extraction)?);
    Ok(())
}

/// Compiles every `*.toml` of a folder.
///
/// # Errors
/// The folder cannot be read, or holds no platform, or a file is wrong: every problem is told.
pub fn load_catalog(folder: &Path) -> anyhow::Result<Catalog> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    if paths.is_empty() {
        bail!("no platform files in {}", folder.display());
    }
    let read = |path: &PathBuf| -> anyhow::Result<SourceText> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| file.clone())?;
        Ok(SourceText { file, text })
    };
    let files = paths.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    Catalog::compile(&files).map_err(|problems| {
        let lines = problems.iter().map(Problem::to_string).collect::<Vec<_>>();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

/// Beside the settings file; else in `./config`; else in a `config` above the program.
fn platforms_folder(config: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(file) = config {
        return Ok(file.parent().unwrap_or(Path::new(".")).join(PLATFORMS));
    }
    let program = std::env::current_exe().context("the program's own place")?;
    let above = program.ancestors().skip(1).map(|folder| folder.join("config").join(PLATFORMS));
    let mut candidates = std::iter::once(Path::new("config").join(PLATFORMS)).chain(above);
    candidates.find(|folder| folder.is_dir()).context("no folder config/platforms; name --config")
}
