//! `xunjian extract`: an offline look at one saved page.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, FixedOffset};

use super::{Context, Misconfigured, Misused};
use crate::app::files;
use crate::domain::Problem;
use crate::extract::{PUBLIC_INQUIRY_KEY, Page, explain, extract};
use crate::platform::{Catalog, PageKind, Platform};

/// Reads one saved page, without a database or the network.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The platform's id or Chinese name.
    #[arg(long)]
    platform: String,
    /// The page kind, as in the platform file.
    #[arg(long)]
    page: String,
    /// When the page was saved: relative times count from here.
    #[arg(long, value_name = "RFC3339")]
    observed_at: DateTime<FixedOffset>,
    /// The handle whose page it should be.
    #[arg(long)]
    handle: Option<String>,
    /// The address it was saved from.
    #[arg(long)]
    url: Option<String>,
    /// Also print, after the extraction, where each value came from.
    #[arg(long)]
    explain: bool,
    /// The saved body.
    file: PathBuf,
}

#[expect(clippy::unused_async, reason = "every command has this shape")]
pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let folder = platforms_folder(context)?;
    let catalog = catalog(&folder)?;
    let platform = platform(&catalog, &args.platform, &folder)?;
    let kind = page_kind(platform, &args.page)?;
    let body = std::fs::read(&args.file).with_context(|| args.file.display().to_string())?;
    let page = Page {
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
    };
    if args.explain {
        let explanation = explain(&page);
        println!("{}", serde_json::to_string_pretty(&explanation.extraction)?);
        println!("\n{}", explanation.to_string().trim_end());
    } else {
        println!("{}", serde_json::to_string_pretty(&extract(&page))?);
    }
    Ok(())
}

/// The platform files of a folder, compiled.
pub(super) fn catalog(folder: &Path) -> Result<Catalog, Misconfigured> {
    let sources = files::read_folder(folder, "toml").map_err(Misconfigured)?;
    Catalog::compile(&sources).map_err(Misconfigured)
}

pub(super) fn platform<'a>(
    catalog: &'a Catalog,
    name: &str,
    folder: &Path,
) -> Result<&'a Platform, Misused> {
    catalog.find(name).ok_or_else(|| {
        let known = catalog.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(", ");
        Misused(format!("no platform {name:?} in {}; known are {known}", folder.display()))
    })
}

fn page_kind<'a>(platform: &'a Platform, name: &str) -> Result<&'a PageKind, Misused> {
    platform.pages.get(name).ok_or_else(|| {
        let known = platform.pages.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        Misused(format!("{} has no page kind {name:?}; known are {known}", platform.id))
    })
}

/// The settings' folder; without a settings file in sight, the one of the project around us.
pub(super) fn platforms_folder(context: &Context) -> Result<PathBuf, Misconfigured> {
    let folder = context.load_settings().map_err(Misconfigured)?.platforms_dir;
    if folder.is_dir() || context.config.is_some() {
        return Ok(folder);
    }
    let here = std::env::current_dir().map_err(|error| {
        let reason = format!("the working directory: {error}");
        Misconfigured(vec![Problem { file: ".".to_owned(), line: 0, field: String::new(), reason }])
    })?;
    let mut above = here.ancestors().map(|one| one.join("config").join("platforms"));
    Ok(above.find(|folder| folder.is_dir()).unwrap_or(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(config: Option<PathBuf>) -> Context {
        Context { config }
    }

    async fn exit(config: Option<PathBuf>, args: Args) -> anyhow::Error {
        run(args, &context(config)).await.unwrap_err()
    }

    fn args(platform: &str, page: &str, file: &str) -> Args {
        Args {
            platform: platform.to_owned(),
            page: page.to_owned(),
            observed_at: DateTime::parse_from_rfc3339("2026-11-22T20:15:00+08:00").unwrap(),
            handle: None,
            url: None,
            explain: false,
            file: PathBuf::from(file),
        }
    }

    #[tokio::test]
    async fn wrong_names_are_wrong_use_and_the_known_ones_are_told() {
        let error = exit(None, args("wiebo", "timeline", "x")).await;
        assert!(error.is::<Misused>() && error.to_string().contains("weibo"), "{error}");
        let error = exit(None, args("微博", "time", "x")).await;
        assert!(error.is::<Misused>() && error.to_string().contains("timeline"), "{error}");
        let error = exit(None, args("weibo", "timeline", "no such file")).await;
        assert!(!error.is::<Misused>() && !error.is::<Misconfigured>(), "{error}");
    }

    #[tokio::test]
    async fn platform_files_stand_beside_the_settings_and_must_be_right() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("default.toml");
        std::fs::write(&config, "").unwrap();
        let error = exit(Some(config.clone()), args("weibo", "timeline", "x")).await;
        assert!(error.is::<Misconfigured>(), "{error}");
        std::fs::create_dir(folder.path().join("platforms")).unwrap();
        std::fs::write(folder.path().join("platforms/weibo.toml"), "id = 7").unwrap();
        let error = exit(Some(config), args("weibo", "timeline", "x")).await;
        assert!(
            error.is::<Misconfigured>() && error.to_string().contains("weibo.toml:1"),
            "{error}"
        );
    }
}
