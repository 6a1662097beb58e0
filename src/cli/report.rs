//! `xunjian report`: the bulletin (通报) of a frozen assessment, and the notices to sponsors.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{Days, NaiveDate};

use super::assessment::Which;
use super::{Context, Misused};
use crate::domain::shanghai_date;
use crate::jobs;
use crate::jobs::report::check_of;
use crate::report::{
    Bulletin, Document, Wording, bulletin_document, docx, markdown, notice_documents, xlsx,
};
use crate::score::Period;

/// Days that failed accounts are given to mend, where nobody says otherwise.
const DUE_DAYS: u64 = 30;

/// Writes the bulletin of a frozen assessment, or the notices that go with it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// The bulletin: counts, problems, failed accounts, recheck, next steps. It names nobody until
    /// it is published.
    Bulletin(Asked),
    /// One letter to each sponsor of failed accounts.
    Notices(Asked),
}

#[derive(Debug, clap::Args)]
struct Asked {
    /// The newest assessment of this period: `2026Q3`, `2026-11` or `2026`.
    #[arg(long, required_unless_present = "assessment")]
    period: Option<Period>,
    /// The scheme it was frozen under; needed where there are several.
    #[arg(long, requires = "period")]
    scheme: Option<String>,
    /// The number of the assessment, as `assessment list` tells.
    #[arg(long, value_name = "ID", conflicts_with = "period")]
    assessment: Option<i64>,
    /// The folder to write into; files that are there are left alone.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Which form.
    #[arg(long, value_enum, default_value = "all")]
    format: Format,
    /// Decimals of the rates.
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u32).range(0..=4))]
    decimals: u32,
    /// The day it bears [default: today in Asia/Shanghai].
    #[arg(long, value_name = "DATE")]
    date: Option<NaiveDate>,
    /// By when failed accounts are to be mended [default: 30 days after the day it bears].
    #[arg(long, value_name = "DATE")]
    due: Option<NaiveDate>,
    /// Who issues it [default: notify.signature].
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Docx,
    Xlsx,
    Md,
    All,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    context.with_jobs(&settings, async |jobs| perform(args.task, jobs).await).await
}

async fn perform(task: Task, jobs: &jobs::Context) -> anyhow::Result<()> {
    let (asked, notices) = match task {
        Task::Bulletin(asked) => (asked, false),
        Task::Notices(asked) => (asked, true),
    };
    let wording = wording(&asked, jobs)?;
    let which = Which { id: asked.assessment, period: asked.period, scheme: asked.scheme };
    let one = which.find(&jobs.store).await?;
    if let Some(newer) = one.superseded_by {
        eprintln!("注意: assessment {} is superseded by {newer}", one.id);
    }
    let check = check_of(&jobs.store, &one).await?;
    let bulletin = Bulletin::of(&check);
    fs::create_dir_all(&asked.out).with_context(|| asked.out.display().to_string())?;
    let base = format!("{}-v{}", one.period, one.version);
    if !notices {
        let document = bulletin_document(&bulletin, &wording);
        return write(&asked.out, &format!("bulletin-{base}"), &document, asked.format);
    }
    for (number, notice) in (1..).zip(notice_documents(&bulletin, &wording)) {
        let name = format!("notice-{base}-{number:03}-{}", plain(&notice.sponsor));
        write(&asked.out, &name, &notice.document, asked.format)?;
    }
    Ok(())
}

fn wording(asked: &Asked, jobs: &jobs::Context) -> anyhow::Result<Wording> {
    let date = asked.date.unwrap_or_else(|| shanghai_date(jobs.clock.now()));
    let due = match asked.due {
        Some(due) if due < date => {
            return Err(Misused(format!("--due {due} lies before the day it bears, {date}")).into());
        }
        Some(due) => due,
        None => date.checked_add_days(Days::new(DUE_DAYS)).context("beyond the calendar")?,
    };
    let issuer = asked.issuer.clone().unwrap_or_else(|| jobs.notify.signature.clone());
    Ok(Wording { issuer, date, due, decimals: asked.decimals })
}

/// What of a name may stand in the name of a file.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).take(40).collect()
}

fn write(folder: &Path, name: &str, document: &Document, format: Format) -> anyhow::Result<()> {
    let wanted = |one: Format| format == one || format == Format::All;
    if wanted(Format::Docx) {
        write_new(&folder.join(format!("{name}.docx")), &docx(document))?;
    }
    if wanted(Format::Xlsx) {
        write_new(&folder.join(format!("{name}.xlsx")), &xlsx(document)?)?;
    }
    if wanted(Format::Md) {
        write_new(&folder.join(format!("{name}.md")), markdown(document).as_bytes())?;
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let shown = || path.display().to_string();
    let mut file = File::create_new(path).with_context(shown)?;
    file.write_all(bytes).with_context(shown)?;
    file.sync_all().with_context(shown)?;
    println!("{}", path.display());
    Ok(())
}
