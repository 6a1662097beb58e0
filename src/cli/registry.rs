//! `xunjian registry`: the office's ledger (台账) into the database, out of it, and audited.

mod audit;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::{Context, Misused};
use crate::app::clock::SystemClock;
use crate::app::{open_store, platforms};
use crate::domain::Clock;
use crate::registry::{self, Area, Changes, Format, Ledger, ReadError};
use crate::settings::{self, Settings};
use crate::store::{LedgerChanges, Store};

/// Brings in the office's ledger, writes it out, or lists what is wrong with the books.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Import(Import),
    Export(Export),
    Audit(audit::Audit),
}

/// Brings in a ledger, CSV (UTF-8, GB18030) or XLSX: all of it or, on any error, nothing.
///
/// Rows are matched by 账号编号. Columns that the file lacks keep their values.
#[derive(Debug, clap::Args)]
struct Import {
    /// The ledger.
    file: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
    /// The file lists every account of this area (`44`, `4415`, `441521` or `all`): what it lacks
    /// is withdrawn (注销).
    #[arg(long, value_name = "AREA")]
    complete_for: Option<Area>,
    /// Withdraw more accounts than registry.withdrawn_percent_max allows.
    #[arg(long)]
    yes: bool,
    /// Who imports, for the history [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

/// Writes the ledger, withdrawn accounts included, in a form that import reads back unchanged.
#[derive(Debug, clap::Args)]
struct Export {
    /// The form of the file: csv or xlsx.
    #[arg(long, value_parser = format_of)]
    format: Format,
    /// The file to write; stdout without it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn format_of(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| "must be csv or xlsx".to_owned())
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    match args.task {
        Task::Import(import) => run_import(&import, &settings).await,
        Task::Export(export) => run_export(&export, &settings).await,
        Task::Audit(args) => audit::run(&args, &settings).await,
    }
}

async fn run_import(args: &Import, settings: &Settings) -> anyhow::Result<()> {
    let actor = args.actor.clone().or_else(settings::user_name).unwrap_or_else(|| "cli".to_owned());
    if actor.trim().is_empty() {
        return Err(Misused("--actor must name somebody".to_owned()).into());
    }
    // Read before the database is opened: a bad file needs no server.
    let ledger = read(&args.file, settings)?;
    let summary = with_store(settings, async |store| {
        let current = store.ledger().await?;
        let changes = registry::compare(&current, &ledger, args.complete_for.as_ref());
        if args.dry_run {
            tell(&changes)?;
        }
        changes.permit(args.yes, &settings.registry)?;
        if args.dry_run {
            let (added, changed) = (changes.added.len(), changes.changed.len());
            let counts = [added, changed, changes.unchanged, changes.withdrawn.len()];
            return Ok(format!("dry run, nothing is changed: {}", counted(counts)));
        }
        apply(store, changes, &actor, &args.file).await
    });
    println!("{}", summary.await?);
    Ok(())
}

/// Writes the changes and says what they came to.
async fn apply(
    store: &Store,
    changes: Changes,
    actor: &str,
    file: &Path,
) -> anyhow::Result<String> {
    let Changes { added, changed, withdrawn, unchanged, .. } = changes;
    let changed = changed.into_iter().map(|change| change.entry).collect();
    let changes = LedgerChanges { added, changed, withdrawn };
    let reason = format!("import of {}", file.display());
    let done = store.apply_ledger(&changes, actor, &reason, SystemClock.now()).await?;
    Ok(counted([done.added, done.changed, unchanged, done.withdrawn]))
}

fn counted([added, changed, unchanged, withdrawn]: [usize; 4]) -> String {
    format!("{added} added, {changed} changed, {unchanged} unchanged, {withdrawn} withdrawn")
}

/// Every change, one a line; values about persons are not shown.
fn tell(changes: &Changes) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for entry in &changes.added {
        writeln!(out, "added {} {}", entry.key, entry.name)?;
    }
    for change in &changes.changed {
        for field in &change.fields {
            writeln!(out, "changed {} {field}", change.entry.key)?;
        }
    }
    for entry in &changes.withdrawn {
        writeln!(out, "withdrawn {} {}", entry.key, entry.name)?;
    }
    Ok(())
}

/// The ledger of a file; each row error is told on a line of stderr.
fn read(path: &Path, settings: &Settings) -> anyhow::Result<Ledger> {
    let catalog = platforms(settings)?;
    let platform_id = |name: &str| catalog.find(name).map(|platform| platform.id.clone());
    let shown = path.display().to_string();
    // One byte more than allowed shows that there is more.
    let bytes_max = settings.registry.file_bytes_max as u64;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes))
        .with_context(|| shown.clone())?;
    match registry::read(&bytes, &platform_id, &settings.registry) {
        Ok(ledger) => Ok(ledger),
        Err(ReadError::Rows { errors, shown_max }) => {
            let mut out = io::stderr().lock();
            for error in errors.iter().take(shown_max) {
                writeln!(out, "{error}")?;
            }
            let total = match errors.len() {
                1 => "1 error".to_owned(),
                total if total > shown_max => {
                    format!("{total} errors, the first {shown_max} of them shown")
                }
                total => format!("{total} errors"),
            };
            bail!("{shown}: {total}; nothing was imported")
        }
        Err(unreadable) => Err(anyhow!(unreadable).context(shown)),
    }
}

async fn run_export(args: &Export, settings: &Settings) -> anyhow::Result<()> {
    if args.out.is_none() && args.format == Format::Xlsx && io::stdout().is_terminal() {
        return Err(Misused("a workbook is nothing for a terminal; name --out".to_owned()).into());
    }
    let entries = with_store(settings, async |store| Ok(store.ledger().await?)).await?;
    let bytes = registry::export(&entries, args.format)?;
    match &args.out {
        Some(path) => std::fs::write(path, bytes).with_context(|| path.display().to_string()),
        None => {
            let mut out = io::stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush()).context("stdout")
        }
    }
}

/// Opens the database, does the work, and closes everything again, even where the work failed.
pub(super) async fn with_store<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (store, database) = open_store(settings).await?;
    let done = work(&store).await;
    store.close().await;
    let stopped = database.stop().await;
    let done = done?;
    stopped?;
    Ok(done)
}
