//! Publishing, correcting and listing the issues of bulletins.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::{About, Misused, Words};
use crate::domain::SHANGHAI;
use crate::jobs::publishing::{Candidate, Published, Standing, candidates, publish};
use crate::jobs::report::{Listed, check_of};
use crate::report::{Check, Issue, ItemKind};
use crate::score::Period;
use crate::store::PublishedBulletin;
use crate::{jobs, settings};

/// Publishes the bulletin: from here on its failed accounts are named. Those that no finding speaks
/// of get one first; while one waits for a second person's approval, nothing is published.
#[derive(Debug, clap::Args)]
pub(super) struct Publish {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    words: Words,
    /// Who publishes [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only tells who would be named and what stands in the way; raises nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Publishes a correction: the next issue of a published bulletin. What was published stays.
#[derive(Debug, clap::Args)]
pub(super) struct Correct {
    #[command(flatten)]
    publish: Publish,
    /// Why; it stands in the new issue.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Every published issue, the newest first, with its digest.
#[derive(Debug, clap::Args)]
pub(super) struct Issues {
    /// Only of this period.
    #[arg(long)]
    period: Option<Period>,
    /// As JSON, one a line.
    #[arg(long)]
    json: bool,
}

impl Publish {
    pub(super) async fn run(self, jobs: &jobs::Context) -> anyhow::Result<()> {
        self.publish(jobs, None).await
    }

    async fn publish(self, jobs: &jobs::Context, reason: Option<&str>) -> anyhow::Result<()> {
        let assessment = self.about.find(jobs).await?;
        if self.dry_run {
            return tell(&candidates(jobs, &assessment).await?);
        }
        let actor = self.actor.or_else(settings::user_name).unwrap_or_default();
        if actor.trim().is_empty() {
            return Err(Misused("--actor must name somebody".to_owned()).into());
        }
        let wanted = jobs::publishing::Publish {
            assessment: &assessment,
            wording: &self.words.wording(jobs)?,
            actor: &actor,
            correction: reason,
        };
        match publish(jobs, &wanted).await? {
            Published::Issued(issue) => {
                let (period, number) = (&issue.period, issue.issue);
                println!(
                    "{period} 第 {number} 号已印发:点名 {} 个,不点名 {} 个",
                    issue.named, issue.withheld
                );
                println!("{}", issue.digest);
                Ok(())
            }
            Published::Waiting(all) => {
                tell(&all)?;
                let waiting =
                    all.iter().filter(|one| matches!(one.standing, Standing::Waiting(_))).count();
                bail!(
                    "nothing is published: {waiting} namings wait for a second person \
                     (finding approve, or finding dismiss)"
                )
            }
        }
    }
}

impl Correct {
    pub(super) async fn run(self, jobs: &jobs::Context) -> anyhow::Result<()> {
        let reason = self.reason;
        self.publish.publish(jobs, Some(&reason)).await
    }
}

/// One line for each failed account: whether it is named, and what stands in the way.
fn tell(all: &[Candidate]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for one in all {
        let titles: Vec<&str> = one
            .items
            .iter()
            .filter(|item| item.kind != ItemKind::Deduction)
            .map(|item| item.title.as_str())
            .collect();
        let ids = |ids: &[crate::domain::FindingId]| {
            ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let standing = match &one.standing {
            Standing::Ready(findings) => format!("点名\t依据问题 {}", ids(findings)),
            Standing::Waiting(findings) => format!("待第二人复核\t问题 {}", ids(findings)),
            Standing::Withheld(why) => format!("不点名\t{why}"),
            Standing::Unraised => "待提出\t印发时提出点名,由第二人复核".to_owned(),
        };
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{standing}",
            one.key,
            one.name,
            one.platform,
            titles.join("、")
        )?;
    }
    Ok(())
}

/// What an issue reports, with the list that it published.
pub(super) async fn check_of_issue(
    jobs: &jobs::Context,
    issue: &PublishedBulletin,
) -> anyhow::Result<Check> {
    let one = jobs.store.assessment(issue.assessment).await?;
    let one = one.with_context(|| format!("no assessment {}", issue.assessment))?;
    let accounts = jobs.store.bulletin_accounts(issue.id).await?;
    let withheld: BTreeMap<String, Option<String>> =
        accounts.into_iter().map(|account| (account.key, account.withheld)).collect();
    let number = Issue { number: issue.issue, reason: issue.reason.clone() };
    check_of(&jobs.store, &one, Some(&Listed { issue: number, withheld: &withheld })).await
}

impl Issues {
    pub(super) async fn run(self, jobs: &jobs::Context) -> anyhow::Result<()> {
        let period = self.period.map(|period| period.to_string());
        let mut out = io::stdout().lock();
        for one in jobs.store.bulletins(period.as_deref()).await? {
            if self.json {
                let line = json!({
                    "id": one.id, "period": one.period, "scheme": one.scheme, "issue": one.issue,
                    "assessment": one.assessment, "supersedes": one.supersedes,
                    "superseded_by": one.superseded_by, "reason": one.reason,
                    "published_at": one.published_at, "actor": one.actor, "due": one.due,
                    "named": one.named, "withheld": one.withheld, "digest": one.digest,
                });
                writeln!(out, "{line}")?;
                continue;
            }
            let at = one.published_at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
            let stands = match one.superseded_by {
                Some(by) => format!("已由 {by} 更正"),
                None => "有效".to_owned(),
            };
            let scheme = one.scheme.as_deref().unwrap_or("各账号所属方案");
            writeln!(
                out,
                "{}\t{}\t{scheme}\t第 {} 号\t{at}\t{}\t点名 {} 个,不点名 {} 个\t{stands}\t{}\t{}",
                one.id,
                one.period,
                one.issue,
                one.actor,
                one.named,
                one.withheld,
                one.reason,
                one.digest
            )?;
        }
        Ok(())
    }
}
