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
use crate::domain::{Clock, Moment, PageVerdict, shanghai_date};
use crate::extract::{Declared, DeclaredList, read_import};
use crate::observe::{Known, PageRules, Proof, Provenance, Reading, Role, Source, Visit, compose};
use crate::platform::{ImportAccount, ImportMapping, Observability};
use crate::registry::ReadError;
use crate::settings::Settings;
use crate::store::{VisitEvidence, VisitRecord};

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
    /// Only say what would be stored.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let Task::Import(args) = args.task;
    let settings = context.settings()?;
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
        let records: Vec<VisitRecord> =
            lists.iter().map(|list| record(mapping, list, &digest, now, &settings)).collect();
        let posts: usize = lists.iter().map(|list| list.posts.len()).sum();
        if args.dry_run {
            tell(&lists, &books)?;
            return Ok(format!(
                "dry run, nothing is stored: {} accounts, {posts} posts",
                lists.len()
            ));
        }
        let new = store.finish(&records).await?.discovered.len();
        Ok(format!("{} accounts, {posts} posts, {new} of them new", lists.len()))
    });
    println!("{}", summary.await?);
    Ok(())
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

/// One account's part of the export as a visit: what it proves is for the calculus to say.
fn record(
    mapping: &ImportMapping,
    list: &DeclaredList,
    digest: &str,
    now: DateTime<Utc>,
    settings: &Settings,
) -> VisitRecord {
    let reading = Reading {
        provenance: Provenance::Declared {
            entered_at: now,
            complete_from: list.complete_from,
            complete_to: list.complete_to,
        },
        failure: None,
        verdict: PageVerdict::Observation,
        rules: PageRules {
            role: Role::List,
            newest_first: false,
            verified: true,
            short_page_is_end: false,
        },
        // The person who hands it in answers for whose it is.
        proof: Proof::Id { matches: Some(true), address_kept: true },
        posts: list.posts.clone(),
        end_marker: false,
        short_page: false,
        empty_marker: false,
        posts_total: None,
        registered_at: None,
    };
    let composed = compose(&reading, &Known::default(), &settings.observe);
    VisitRecord {
        account: list.account,
        host: None,
        lease: None,
        status: None,
        bytes: None,
        duration_ms: None,
        body_digest: Some(digest.to_owned()),
        seen_at: composed.posts_as_of.unwrap_or(now),
        identity: None,
        posts: list.posts.clone(),
        inquiries: Vec::new(),
        next: None,
        visit: Visit {
            page: mapping.platform.id.clone(),
            part: mapping.kind().lists.clone(),
            started_at: now,
            recorded_at: now,
            adapter: mapping.platform.digest.clone(),
            source: match mapping.platform.observability {
                Observability::OfficeFile => Source::Person,
                _ => Source::Import,
            },
            outcome: composed.outcome,
        },
        look: None,
        // What was handed in lies with whoever handed it in; its digest stands above.
        evidence: VisitEvidence::Nothing,
    }
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
