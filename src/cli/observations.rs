//! `xunjian observations`: what cannot be crawled comes in as authorised exports and forms.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, FixedOffset, Utc};

use super::registry::with_store;
use super::{Context, Misused};
use crate::app::clock::SystemClock;
use crate::app::importer;
use crate::domain::{Area, Clock, Moment, SHANGHAI, shanghai_date};
use crate::jobs::import::{DeclaredExport, Export, ImportError};
use crate::settings::{self, Settings};
use crate::store::{ImportConflict, Imported, StoredImport};

/// Brings in what somebody else observed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Import(Import),
    /// Every file that was handed in: number, when, by whom, class, source, file, digest, counts.
    List,
    /// Values that sources tell differently; both are kept, and the first stays in force.
    Conflicts {
        /// Only those of this import.
        #[arg(long, value_name = "NUMBER")]
        import: Option<i64>,
    },
}

/// Brings in an authorised export or a filled-in form, CSV, XLSX or JSON: all of it or, on any
/// error, nothing.
///
/// A mapping in config/imports says which column is which field. What an export declares to be
/// complete can prove silence; what it merely lists proves activity.
#[derive(Debug, clap::Args)]
struct Import {
    /// The export.
    file: PathBuf,
    /// The id of the mapping in config/imports.
    #[arg(long, value_name = "ID")]
    source: String,
    /// 账号编号 of the account, for exports that name none.
    #[arg(long, value_name = "KEY")]
    account: Option<String>,
    /// No post since this time is missing, where the rows do not say.
    #[arg(long, value_name = "RFC3339")]
    complete_from: Option<DateTime<FixedOffset>>,
    /// No post until this time is missing, where the rows do not say.
    #[arg(long, value_name = "RFC3339")]
    complete_to: Option<DateTime<FixedOffset>>,
    /// Who hands it in [default: the user of the system].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only say what would be stored.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    let args = match args.task {
        Task::Import(args) => args,
        Task::List => return list(&settings, What::Imports).await,
        Task::Conflicts { import } => return list(&settings, What::Conflicts(import)).await,
    };
    let actor = args.actor.clone().or_else(settings::user_name).unwrap_or_else(|| "cli".to_owned());
    let importer = importer(&settings)?;
    let bytes = read_bytes(&args.file, &settings)?;
    let file = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let utc = |at: Option<DateTime<FixedOffset>>| at.map(|at| at.to_utc());
    let everything = Area::default();
    let export = Export {
        source: &args.source,
        account: args.account.as_deref(),
        complete_from: utc(args.complete_from),
        complete_to: utc(args.complete_to),
        file: file.as_deref().unwrap_or_default(),
        bytes: &bytes,
        actor: &actor,
        area: &everything,
    };
    let now = SystemClock.now();
    let summary = with_store(&settings, async |store| {
        let declared = importer.declared(store, &export, now).await;
        let declared = declared.map_err(|error| refused(error, &args.file))?;
        if args.dry_run {
            tell(&declared)?;
            let posts: usize = declared.lists.iter().map(|(_, list)| list.posts.len()).sum();
            let accounts = declared.lists.len();
            return Ok(format!("dry run, nothing is stored: {accounts} accounts, {posts} posts"));
        }
        Ok(told(&importer.bring_in(store, &export, declared, now).await?))
    });
    println!("{}", summary.await?);
    Ok(())
}

/// A wrong use ends with another code than a wrong file, whose name stands before its errors.
fn refused(error: ImportError, file: &Path) -> anyhow::Error {
    match error {
        ImportError::Misused(reason) => Misused(reason).into(),
        ImportError::Unread(error) => {
            anyhow::Error::from(error).context(file.display().to_string())
        }
        ImportError::Store(error) => error.into(),
    }
}

/// The bytes of an export within the limit.
fn read_bytes(path: &Path, settings: &Settings) -> anyhow::Result<Vec<u8>> {
    let bytes_max = settings.registry.file_bytes_max;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| path.display().to_string())?;
    if bytes.len() > bytes_max {
        bail!("{}: more than the {bytes_max} bytes allowed", path.display());
    }
    Ok(bytes)
}

fn told(imported: &Imported) -> String {
    match imported {
        Imported::Stored(one) => {
            let conflicts = match one.conflicts {
                0 => String::new(),
                n => format!("; {n} values contradict another source and are kept apart"),
            };
            format!(
                "{} accounts, {} posts, {} of them new{conflicts}",
                one.accounts, one.posts, one.new_posts
            )
        }
        Imported::Before(one) => format!(
            "nothing changed: brought in already by {} at {} (import {})",
            one.record.actor,
            one.record.imported_at.with_timezone(&SHANGHAI).to_rfc3339(),
            one.id
        ),
    }
}

/// Every file that was handed in, or what sources tell differently, one a line.
async fn list(settings: &Settings, what: What) -> anyhow::Result<()> {
    let lines = with_store(settings, async |store| match what {
        What::Imports => Ok(store.imports().await?.iter().map(import_line).collect::<Vec<_>>()),
        What::Conflicts(import) => {
            let conflicts = store.import_conflicts(import).await?;
            Ok(conflicts.iter().map(conflict_line).collect())
        }
    });
    let mut out = io::stdout().lock();
    lines.await?.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    Ok(())
}

enum What {
    Imports,
    Conflicts(Option<i64>),
}

fn import_line(import: &StoredImport) -> String {
    let record = &import.record;
    let class = if record.class == "office_file" { "人工填报" } else { "授权接口" };
    let at = record.imported_at.with_timezone(&SHANGHAI).to_rfc3339();
    format!(
        "{}\t{at}\t{}\t{class}\t{}\t{}\t{}\t{} accounts, {} posts, {} new, {} conflicts",
        import.id,
        record.actor,
        record.source,
        record.file,
        record.file_digest,
        import.accounts,
        import.posts,
        import.new_posts,
        import.conflicts
    )
}

fn conflict_line(one: &ImportConflict) -> String {
    let from = one.kept_from.map_or_else(|| "公开页面".to_owned(), |id| format!("import {id}"));
    format!(
        "{}\t{}\t{}\tkept {} ({from})\toffered {} (import {})",
        one.key, one.reference, one.field, one.kept, one.offered, one.import
    )
}

/// What would be stored, one account a line.
fn tell(declared: &DeclaredExport<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (key, list) in &declared.lists {
        let posts = list.posts.len();
        let newest = list.posts.iter().filter_map(|post| post.published).map(Moment::lower).max();
        let day = |at: Option<DateTime<Utc>>| {
            at.map_or_else(|| "-".to_owned(), |at| shanghai_date(at).to_string())
        };
        let (from, to) = (list.complete_from, list.complete_to);
        let complete = match to {
            Some(to) => format!("complete {} to {}", day(from), to.to_rfc3339()),
            None => "not declared complete".to_owned(),
        };
        writeln!(out, "{key}: {posts} posts, newest {}, {complete}", day(newest))?;
    }
    Ok(())
}
