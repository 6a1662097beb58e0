//! `xunjian report`: the bulletin (通报) of a frozen assessment, its publication, its notices.

mod files;
mod issues;
mod notices;

use std::path::PathBuf;

use anyhow::Context as _;
use chrono::{Days, NaiveDate};

use super::assessment::Which;
use super::{Context, Misused};
use crate::domain::shanghai_date;
use crate::jobs;
use crate::jobs::publishing::newest_issue;
use crate::jobs::report::check_of;
use crate::report::{Bulletin, Document, Wording, bulletin_document};
use crate::score::Period;
use crate::store::{Assessment, PublishedBulletin};

use files::{Format, write};

/// Days that failed accounts are given to mend, where nobody says otherwise.
const DUE_DAYS: u64 = 30;

/// Writes, publishes and corrects the bulletin of a frozen assessment, and the notices to sponsors.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// The bulletin as files: the published issue with its list, else a draft, which names nobody.
    Bulletin {
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        words: Words,
        #[command(flatten)]
        files: Files,
        /// The draft of the newest assessment, although an issue is published.
        #[arg(long)]
        draft: bool,
    },
    Publish(issues::Publish),
    Correct(issues::Correct),
    Issues(issues::Issues),
    Notices(notices::Notices),
}

/// Which assessment is reported.
#[derive(Debug, clap::Args)]
struct About {
    /// The newest assessment of this period: `2026Q3`, `2026-11` or `2026`.
    #[arg(long, required_unless_present = "assessment")]
    period: Option<Period>,
    /// The scheme it was frozen under; needed where there are several.
    #[arg(long, requires = "period")]
    scheme: Option<String>,
    /// The number of the assessment, as `assessment list` tells.
    #[arg(long, value_name = "ID", conflicts_with = "period")]
    assessment: Option<i64>,
}

/// What the office itself decides.
#[derive(Debug, clap::Args)]
struct Words {
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

#[derive(Debug, clap::Args)]
struct Files {
    /// The folder to write into; files that are there are left alone.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Which form.
    #[arg(long, value_enum, default_value = "all")]
    format: Format,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    context.with_jobs(&settings, async |jobs| perform(args.task, jobs).await).await
}

async fn perform(task: Task, jobs: &jobs::Context) -> anyhow::Result<()> {
    match task {
        Task::Bulletin { about, words, files, draft } => {
            let one = about.find(jobs).await?;
            match about.issue(jobs, &one).await?.filter(|_| !draft) {
                Some(issue) => files.issue(jobs, &issue).await,
                None => {
                    let check = check_of(&jobs.store, &one, None).await?;
                    let document = bulletin_document(&Bulletin::of(&check), &words.wording(jobs)?);
                    let name = format!("bulletin-{}-v{}-draft", one.period, one.version);
                    write(&files.out, &name, &document, files.format)
                }
            }
        }
        Task::Publish(args) => args.run(jobs).await,
        Task::Correct(args) => args.run(jobs).await,
        Task::Issues(args) => args.run(jobs).await,
        Task::Notices(args) => args.run(jobs).await,
    }
}

impl About {
    async fn find(&self, jobs: &jobs::Context) -> anyhow::Result<Assessment> {
        let scheme = self.scheme.clone();
        let which = Which { id: self.assessment, period: self.period, scheme };
        let one = which.find(&jobs.store).await?;
        if let Some(newer) = one.superseded_by {
            eprintln!("注意: assessment {} is superseded by {newer}", one.id);
        }
        Ok(one)
    }

    /// The newest issue of the period; of an assessment that was named by its number, its own.
    async fn issue(
        &self,
        jobs: &jobs::Context,
        one: &Assessment,
    ) -> anyhow::Result<Option<PublishedBulletin>> {
        if self.assessment.is_none() {
            return newest_issue(&jobs.store, one).await;
        }
        let all = jobs.store.bulletins(Some(&one.period)).await?;
        Ok(all.into_iter().find(|issue| issue.assessment == one.id))
    }
}

impl Words {
    fn wording(&self, jobs: &jobs::Context) -> anyhow::Result<Wording> {
        let date = self.date.unwrap_or_else(|| shanghai_date(jobs.clock.now()));
        let due = match self.due {
            Some(due) if due < date => {
                let message = format!("--due {due} lies before the day it bears, {date}");
                return Err(Misused(message).into());
            }
            Some(due) => due,
            None => date.checked_add_days(Days::new(DUE_DAYS)).context("beyond the calendar")?,
        };
        let issuer = self.issuer.clone().unwrap_or_else(|| jobs.notify.signature.clone());
        Ok(Wording { issuer, date, due, decimals: self.decimals })
    }
}

impl Files {
    /// An issue exactly as it was published.
    async fn issue(&self, jobs: &jobs::Context, issue: &PublishedBulletin) -> anyhow::Result<()> {
        let document = jobs.store.bulletin_document(issue.id).await?;
        let document = document.with_context(|| format!("no bulletin {}", issue.id))?;
        let document = Document::read(&document).map_err(anyhow::Error::msg)?;
        let name = format!("bulletin-{}-no{}", issue.period, issue.issue);
        write(&self.out, &name, &document, self.format)
    }
}
