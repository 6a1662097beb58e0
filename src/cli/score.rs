//! `xunjian score`: computes without storing; with one account, explains every point.

mod explanation;
mod summary;

use std::io::{self, Write};

use anyhow::{Context as _, bail};
use chrono::{DateTime, FixedOffset, Utc};
use futures::TryStreamExt;
use serde_json::json;

pub(super) use explanation::text;
pub(super) use summary::summary_text;

use super::{Context, Misused};
use crate::jobs::score::{Judging, cards, compare, measure, take};
use crate::registry::guarded;
use crate::score::frozen::Summing;
use crate::score::{Period, ScoreCard};

/// Computes the scores of a period from stored facts; nothing is stored.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The period: `2026Q3`, `2026-11` or `2026`.
    #[arg(long)]
    period: Period,
    /// The scheme's id [default: the one that schemes/assign.toml names for each account].
    #[arg(long)]
    scheme: Option<String>,
    /// 监测时间点: facts at or after it are not judged [default: now, or the end of the period].
    #[arg(long)]
    cutoff: Option<DateTime<FixedOffset>>,
    /// 账号编号 of one account: explains every point.
    #[arg(long, value_name = "KEY")]
    account: Option<String>,
    /// Roll-ups to whoever answers for the accounts, and rankings, instead of the accounts.
    #[arg(long, conflicts_with = "account")]
    summary: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Accounts printed at once.
const ACCOUNTS: i64 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    context.with_jobs(&settings, async |jobs| print(&args, jobs).await).await
}

async fn print(args: &Args, jobs: &crate::jobs::Context) -> anyhow::Result<()> {
    let scheme = match &args.scheme {
        None => None,
        Some(id) => match jobs.schemes.get(id) {
            Some(scheme) => Some(scheme),
            None => {
                let known: Vec<&str> = jobs.schemes.iter().map(|one| one.id.as_str()).collect();
                let message = format!("no scheme {id:?}; known are {}", known.join(", "));
                return Err(Misused(message).into());
            }
        },
    };
    if args.summary && args.format == Format::Csv {
        return Err(Misused("--summary is printed as table or json".to_owned()).into());
    }
    let now = jobs.clock.now();
    let cutoff = args.cutoff.map_or(now, |at| at.with_timezone(&Utc)).min(args.period.to());
    let judging = Judging { period: args.period, cutoff, known_at: now, scheme, only: None };
    if let Some(key) = &args.account {
        let Some(account) = jobs.store.account(key).await? else {
            bail!("no account {key:?} in the ledger");
        };
        let beside = compare(jobs, &judging).await?;
        let input = jobs.store.score_input(account, judging.facts(jobs)).await?;
        let cards = cards(jobs, &judging, &beside, vec![input]).await?;
        return cards.iter().try_for_each(|(_, card)| explain(args.format, key, jobs, card));
    }
    let whole = measure(jobs, judging).await?;
    let mut rows = match args.summary {
        true => None,
        false => Some(Rows::begin(args.format)?),
    };
    let mut summing = Summing::default();
    let mut batches = std::pin::pin!(jobs.store.account_batches(ACCOUNTS));
    while let Some(accounts) = batches.try_next().await.context("reading the ledger")? {
        for account in accounts {
            let Some(card) = whole.card(&account)? else { continue };
            match &mut rows {
                Some(rows) => rows.write(&account.entry.key, &account.entry.name, &card)?,
                None => take(jobs, &mut summing, &account, &card, |_| true),
            }
        }
    }
    match rows {
        Some(rows) => rows.end(),
        None => summarise(&summing, args.format),
    }
}

fn summarise(summing: &Summing<'_>, format: Format) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for one in summing.finish() {
        match format {
            Format::Json => writeln!(out, "{}", one.line())?,
            _ => write!(out, "{}", summary_text(&one))?,
        }
    }
    Ok(())
}

enum Rows {
    Csv(Box<csv::Writer<io::Stdout>>),
    Lines(Format),
}

impl Rows {
    fn begin(format: Format) -> anyhow::Result<Self> {
        let mut rows = match format {
            Format::Csv => Self::Csv(Box::new(csv::Writer::from_writer(io::stdout()))),
            other => Self::Lines(other),
        };
        if let Self::Csv(out) = &mut rows {
            out.write_record([
                "key",
                "name",
                "dimension",
                "points",
                "low",
                "high",
                "coverage",
                "reason",
                "scheme",
                "scheme_digest",
                "facts_digest",
                "calendar_digest",
                "cutoff",
            ])?;
        }
        Ok(rows)
    }

    fn write(&mut self, key: &str, name: &str, card: &ScoreCard) -> anyhow::Result<()> {
        match self {
            Self::Lines(Format::Json) => {
                let line = json!({ "key": key, "name": name, "card": card });
                writeln!(io::stdout().lock(), "{line}")?;
            }
            Self::Lines(_) => {
                let verdict = card.verdict.as_ref().map(|one| one.result.title().to_owned());
                let points: Vec<String> = verdict
                    .into_iter()
                    .chain(card.dimensions.iter().map(explanation::short))
                    .collect();
                writeln!(io::stdout().lock(), "{key}\t{name}\t{}", points.join("\t"))?;
            }
            Self::Csv(out) => {
                for one in &card.dimensions {
                    let points = one.outcome.points();
                    let text = |value: Option<String>| value.unwrap_or_default();
                    out.write_record([
                        guarded(key),
                        guarded(name),
                        one.id.clone(),
                        text(points.map(|points| points.points.to_string())),
                        text(points.map(|points| points.low.to_string())),
                        text(points.map(|points| points.high.to_string())),
                        text(one.coverage.map(|share| share.to_string())),
                        guarded(explanation::reason(&one.outcome)),
                        card.scheme.clone(),
                        card.scheme_digest.clone(),
                        card.facts_digest.clone(),
                        card.calendar_digest.clone(),
                        card.cutoff.to_rfc3339(),
                    ])?;
                }
            }
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        if let Self::Csv(mut out) = self {
            out.flush()?;
        }
        Ok(())
    }
}

fn explain(
    format: Format,
    key: &str,
    jobs: &crate::jobs::Context,
    card: &ScoreCard,
) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if format == Format::Json {
        writeln!(out, "{}", json!({ "key": key, "card": card }))?;
        return Ok(());
    }
    let title = jobs.schemes.get(&card.scheme).map_or("", |scheme| scheme.title.as_str());
    write!(out, "{}", text(key, title, card))?;
    Ok(())
}
