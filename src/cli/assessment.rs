//! `xunjian assessment`: a period's scores frozen, shown, verified, corrected and compared.

mod compared;
mod freezing;
mod shown;
mod which;

pub(super) use which::Which;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Context, Misused};
use crate::domain::SourceText;
use crate::jobs;
use crate::jobs::assessment::{export, frozen_rules, lay_draft_over, verify_stored};
use crate::score::Period;
use crate::score::frozen::{FrozenRules, FrozenTail, Verification, Verified};

/// Freezes the scores of a period with everything they rest on; verifies and compares frozen ones.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    Freeze(freezing::Args),
    /// Every version of every assessment, the newest period first.
    List {
        /// Only of this period: `2026Q3`, `2026-11` or `2026`.
        #[arg(long)]
        period: Option<Period>,
        /// As JSON, one a line.
        #[arg(long)]
        json: bool,
    },
    /// What was frozen: the head and each account's verdict and points; of one account, every line.
    Show {
        #[command(flatten)]
        which: Which,
        /// 账号编号 of one account.
        #[arg(long, value_name = "KEY")]
        account: Option<String>,
        /// Roll-ups to whoever answers for the accounts, and rankings, instead of the accounts.
        #[arg(long, conflicts_with = "account")]
        summary: bool,
        /// As JSON, one a line, as it stands in the bundle.
        #[arg(long)]
        json: bool,
    },
    /// Computes cards, roll-ups and rankings again from the frozen facts, compares bit for bit.
    Verify {
        #[command(flatten)]
        which: Which,
        /// An exported bundle, verified with nothing else at hand: no settings, no database.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "period"])]
        bundle: Option<PathBuf>,
    },
    /// Writes the bundle into one file that verifies anywhere.
    Export {
        #[command(flatten)]
        which: Which,
        /// The file to write; one that is there is left alone.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Lays a draft scheme over a frozen period and shows what it would change.
    Compare {
        #[command(flatten)]
        which: Which,
        /// The draft: a scheme file, or the id of an installed scheme.
        #[arg(long, value_name = "FILE|ID")]
        draft: String,
        /// The frozen scheme in whose stead it judges [default: that of its id].
        #[arg(long, value_name = "ID")]
        instead_of: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    // A bundle is verified without settings: they may not be at hand.
    if let Task::Verify { bundle: Some(path), .. } = &args.task {
        let verified = verify_file(path).with_context(|| path.display().to_string())?;
        tell(&path.display().to_string(), &verified);
        return Ok(());
    }
    let settings = context.settings()?;
    context.with_jobs(&settings, async |jobs| perform(args.task, jobs).await).await
}

async fn perform(task: Task, jobs: &jobs::Context) -> anyhow::Result<()> {
    let store = &jobs.store;
    match task {
        Task::Freeze(args) => freezing::freeze_period(args, jobs).await,
        Task::List { period, json } => {
            let period = period.map(|period| period.to_string());
            shown::list(&store.assessments(period.as_deref()).await?, json)
        }
        Task::Show { which, summary: true, json, .. } => {
            let one = which.find(store).await?;
            shown::summary(&store.assessment_summaries(one.id).await?, json)
        }
        Task::Show { which, account, json, .. } => {
            let one = which.find(store).await?;
            shown::show(store, &one, account.as_deref(), json).await
        }
        Task::Verify { which, .. } => {
            let one = which.find(store).await?;
            let verified = verify_stored(store, &one).await?;
            tell(&format!("assessment {}", one.id), &verified);
            Ok(())
        }
        Task::Export { which, out } => {
            let one = which.find(store).await?;
            let file = File::create_new(&out).with_context(|| out.display().to_string())?;
            let mut file = BufWriter::new(file);
            export(store, &one, &mut file).await?;
            file.flush()?;
            file.get_ref().sync_all()?;
            println!("{}: {} accounts, {}", out.display(), one.accounts, one.digest);
            Ok(())
        }
        Task::Compare { which, draft, instead_of, json } => {
            compare(jobs, &which, &draft, instead_of.as_deref(), json).await
        }
    }
}

fn tell(what: &str, verified: &Verified) {
    println!("{what}: {} accounts, all as they were frozen", verified.accounts);
    println!("{} lines of roll-ups and rankings too", verified.summaries);
    println!("{}", verified.digest);
}

/// Reads a bundle twice, a line at a time.
fn verify_file(path: &Path) -> anyhow::Result<Verified> {
    let lines = || -> anyhow::Result<_> { Ok(BufReader::new(File::open(path)?).lines()) };
    let mut first = lines()?;
    let head = first.next().context("an empty file")??;
    let rules = FrozenRules::read(&head).map_err(anyhow::Error::msg)?;
    let mut verification = Verification::new(&rules, &head);
    let mut tail: Option<FrozenTail> = None;
    for line in first {
        let line = line?;
        anyhow::ensure!(tail.is_none(), "lines follow the tail");
        tail = serde_json::from_str(&line).ok();
        if tail.is_none() {
            verification.first(&line).map_err(anyhow::Error::msg)?;
        }
    }
    let tail = tail.context("the tail is missing: the file is cut off")?;
    verification.compare();
    let count = usize::try_from(tail.accounts)?;
    for line in lines()?.skip(1).take(count) {
        verification.second(&line?).map_err(anyhow::Error::msg)?;
    }
    verification.finish(&tail).map_err(anyhow::Error::msg)
}

async fn compare(
    jobs: &jobs::Context,
    which: &Which,
    draft: &str,
    instead_of: Option<&str>,
    json: bool,
) -> anyhow::Result<()> {
    let one = which.find(&jobs.store).await?;
    let (_, rules) = frozen_rules(&jobs.store, one.id).await?;
    let source = match jobs.schemes.get(draft) {
        Some(scheme) => SourceText { file: draft.to_owned(), text: scheme.text.clone() },
        None => SourceText {
            file: draft.to_owned(),
            text: fs::read_to_string(draft).with_context(|| draft.to_owned())?,
        },
    };
    let drafts = rules.draft(&source).map_err(crate::app::Misconfigured)?;
    let draft = drafts.iter().next().context("the draft is empty")?;
    let ids: Vec<&str> = rules.schemes().map(|scheme| scheme.id.as_str()).collect();
    let instead = match (instead_of, ids.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) => only,
        (None, _) => &draft.id,
    };
    let Some(frozen) = rules.scheme(instead) else {
        let known = ids.join(", ");
        let message = format!("{instead:?} was not frozen; name --instead-of: {known}");
        return Err(Misused(message).into());
    };
    let comparison = lay_draft_over(&jobs.store, one.id, &rules, (frozen, draft)).await?;
    compared::print(&comparison, json)
}
