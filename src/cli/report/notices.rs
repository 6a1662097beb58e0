//! The notices to sponsors that go with a bulletin.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;

use super::files::{Format, plain, write};
use super::{About, Words, issues};
use crate::domain::SHANGHAI;
use crate::jobs;
use crate::jobs::publishing::{TellingState, tell_sponsors};
use crate::jobs::report::check_of;
use crate::report::{Bulletin, notice_documents};
use crate::store::{Assessment, PublishedBulletin};

/// Tells the sponsors of a published bulletin's named accounts: puts their letters into the outbox
/// and says how far each has come. With `--out`, writes the letters as files instead.
#[derive(Debug, clap::Args)]
pub(super) struct Notices {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    words: Words,
    /// Write one letter to each sponsor into this folder, and none into the outbox; before a
    /// bulletin is published, to the sponsors of all failed accounts.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Which form the files have.
    #[arg(long, value_enum, default_value = "all", requires = "out")]
    format: Format,
}

impl Notices {
    pub(super) async fn run(self, jobs: &jobs::Context) -> anyhow::Result<()> {
        let one = self.about.find(jobs).await?;
        let issue = self.about.issue(jobs, &one).await?;
        match (&self.out, issue) {
            (Some(_), issue) => self.files(jobs, &one, issue).await,
            (None, Some(issue)) => tell(jobs, &issue).await,
            (None, None) => bail!(
                "{} is not published: letters of a draft are written as files, with --out",
                one.period
            ),
        }
    }

    async fn files(
        &self,
        jobs: &jobs::Context,
        one: &Assessment,
        issue: Option<PublishedBulletin>,
    ) -> anyhow::Result<()> {
        let Some(out) = &self.out else { return Ok(()) };
        let check = match &issue {
            Some(issue) => issues::check_of_issue(jobs, issue).await?,
            None => check_of(&jobs.store, one, None).await?,
        };
        let mut wording = self.words.wording(jobs)?;
        if let (Some(issue), None) = (&issue, self.words.due) {
            wording.due = issue.due;
        }
        let base = format!("{}-v{}", one.period, check.origin.version);
        for (number, notice) in (1..).zip(notice_documents(&Bulletin::of(&check), &wording)) {
            let name = format!("notice-{base}-{number:03}-{}", plain(&notice.sponsor));
            write(out, &name, &notice.document, self.format)?;
        }
        Ok(())
    }
}

async fn tell(jobs: &jobs::Context, issue: &PublishedBulletin) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for one in tell_sponsors(jobs, issue).await? {
        let minute = |at: chrono::DateTime<chrono::Utc>| {
            at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M").to_string()
        };
        let state = match one.state {
            TellingState::Sent(at, deadline) => {
                format!("已发出\t{}\t期限 {}", minute(at), minute(deadline))
            }
            TellingState::InOutbox(day, channel, state) => {
                format!("在发件箱\t{day}\t{channel} {state}")
            }
            TellingState::NotDue(state) => format!("无需通知\t问题{}", state.title()),
        };
        writeln!(out, "{}\t{}\t问题 {}\t{state}", one.sponsor, one.key, one.finding)?;
    }
    Ok(())
}
