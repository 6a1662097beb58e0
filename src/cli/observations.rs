//! `xunjian observations`: what cannot be crawled comes in as authorised exports and forms.

mod books;
mod rows;

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use chrono::{DateTime, FixedOffset, Utc};
use sha2::{Digest, Sha256};

use super::registry::with_store;
use super::{Context, Misused};
use crate::app::clock::SystemClock;
use crate::app::{imports, platforms};
use crate::domain::{Clock, Moment, SHANGHAI, shanghai_date};
use crate::extract::{Declared, DeclaredList, read_import};
use crate::jobs::import::{HandedIn, import_observations};
use crate::platform::{ImportAccount, ImportMapping};
use crate::registry::ReadError;
use crate::settings::{self, Settings};
use crate::store::{ImportConflict, Imported, StoredImport};

use books::Books;
use rows::{Rows, read_bytes, rows};

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
    let (catalog, mappings) = (platforms(&settings)?, imports(&settings)?);
    let Some(mapping) = mappings.get(&args.source) else {
        let known = mappings.ids().collect::<Vec<_>>().join(", ");
        let folder = settings.imports_dir.display();
        let message = format!("no mapping {:?} in {folder}; known are {known}", args.source);
        return Err(Misused(message).into());
    };
    if matches!(mapping.account, ImportAccount::Given) != args.account.is_some() {
        let message = match args.account {
            Some(_) => {
                format!("the rows of {} name their accounts; leave out --account", args.source)
            }
            None => format!("the rows of {} name no account; name --account", args.source),
        };
        return Err(Misused(message).into());
    }
    let now = SystemClock.now();
    if args.complete_to.is_some_and(|to| to > now) {
        return Err(Misused("--complete-to lies in the future".to_owned()).into());
    }
    let bytes = read_bytes(&args.file, &settings)?;
    let rows = rows(mapping, &bytes, &settings).with_context(|| args.file.display().to_string())?;
    let summary = with_store(&settings, async |store| {
        let books = Books::new(store.accounts().await?, &catalog, args.account.as_deref());
        let lists = declared(mapping, rows, &args, &books, now)?;
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        let posts: usize = lists.iter().map(|list| list.posts.len()).sum();
        if args.dry_run {
            tell(&lists, &books)?;
            return Ok(format!(
                "dry run, nothing is stored: {} accounts, {posts} posts",
                lists.len()
            ));
        }
        let file = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
        let utc = |at: Option<DateTime<FixedOffset>>| at.map(|at| at.to_utc());
        let handed = HandedIn {
            mapping,
            lists: &lists,
            file: file.as_deref().unwrap_or_default(),
            digest: &digest,
            account: args.account.as_deref(),
            complete_from: utc(args.complete_from),
            complete_to: utc(args.complete_to),
            actor: &actor,
        };
        Ok(told(&import_observations(store, &settings.observe, &handed, now).await?))
    });
    println!("{}", summary.await?);
    Ok(())
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

/// What the export declares, or every error of every row.
fn declared(
    mapping: &ImportMapping,
    rows: Rows,
    args: &Import,
    books: &Books<'_>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<DeclaredList>> {
    let utc = |at: Option<DateTime<FixedOffset>>| at.map(|at| at.to_utc());
    let known = Declared {
        entered_at: now,
        complete_from: utc(args.complete_from),
        complete_to: utc(args.complete_to),
        account: &|name| books.find(name),
    };
    let Rows { rows, mut errors, shown_max } = rows;
    match read_import(mapping, &rows, &known) {
        Ok(lists) if errors.is_empty() => return Ok(lists),
        Ok(_) => {}
        Err(more) => errors.extend(more),
    }
    errors.sort();
    Err(ReadError::Rows { errors, shown_max }.into())
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
fn tell(lists: &[DeclaredList], books: &Books<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for list in lists {
        let key = books.accounts.get(&list.account).map_or("-", |one| one.entry.key.as_str());
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
