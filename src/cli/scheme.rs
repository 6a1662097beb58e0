//! `xunjian scheme`: what schemes there are, what they may use, samples, persons' entries.

use std::io::{self, Write};

use anyhow::bail;
use rust_decimal::Decimal;

use super::{Context, Misused};
use crate::app::{self, Rules};
use crate::scheme::{DeclaredKind, Scheme};
use crate::score::{Period, measures_document};
use crate::store::SchemeEntry;

/// Schemes: list them, list the measures, draw a sample, enter what only persons see.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    does: Does,
}

#[derive(Debug, clap::Subcommand)]
enum Does {
    /// Every scheme with its authority, and the rows that assign accounts to schemes.
    List,
    /// Every measure that a scheme may use, as Markdown (docs/measures.md).
    Measures,
    /// Draws accounts for a check by the scheme's quota and a published seed.
    Sample(Sample),
    /// Keeps a person's entry for a manual item of a scheme; an earlier one stays on record.
    Enter(Enter),
}

#[derive(Debug, clap::Args)]
struct Sample {
    /// The scheme's id.
    #[arg(long)]
    scheme: String,
    /// The published seed, such as the day and number of the announcement.
    #[arg(long)]
    seed: String,
    /// Only accounts of this area: the first digits of the region.
    #[arg(long)]
    area: Option<String>,
    /// Only accounts of this platform.
    #[arg(long)]
    platform: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Enter {
    /// The scheme's id.
    #[arg(long)]
    scheme: String,
    /// 账号编号.
    #[arg(long, value_name = "KEY")]
    account: String,
    /// The period: `2026Q3`, `2026-11` or `2026`.
    #[arg(long)]
    period: Period,
    /// The item, as `xunjian scheme list` names it.
    #[arg(long)]
    item: String,
    /// The number: 1 or 0 for a veto, points for a line.
    #[arg(long)]
    value: Decimal,
    /// Who enters it.
    #[arg(long)]
    by: String,
    /// Why, with the evidence.
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    match args.does {
        Does::List => list(&app::schemes(&settings)?),
        Does::Measures => {
            let rules = app::schemes(&settings)?;
            write!(io::stdout().lock(), "{}", measures_document(&rules.indices))?;
            Ok(())
        }
        Does::Sample(sample) => {
            context.with_jobs(&settings, async |jobs| draw(&sample, jobs).await).await
        }
        Does::Enter(enter) => {
            context.with_jobs(&settings, async |jobs| keep(&enter, jobs).await).await
        }
    }
}

fn list(rules: &Rules) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for scheme in rules.schemes.iter() {
        let until = scheme.effective_until.map_or(String::new(), |day| day.to_string());
        let (id, title, authority) = (&scheme.id, &scheme.title, &scheme.authority);
        let (from, certainty) = (scheme.effective_from, scheme.certainty.title());
        writeln!(out, "{id}\t{title}\t{authority}\t{from}–{until}\t{certainty}")?;
        for (item, title, max) in manual_items(scheme) {
            writeln!(out, "  人工录入 {item}(0–{max}){title}")?;
        }
    }
    for row in rules.schemes.assignments() {
        writeln!(out, "{row} → {}", row.scheme)?;
    }
    Ok(())
}

/// Item, title and most of everything that persons enter.
fn manual_items(scheme: &Scheme) -> impl Iterator<Item = (&str, &str, Decimal)> {
    scheme.declared.iter().filter_map(|one| match &one.kind {
        DeclaredKind::Manual(manual) => Some((one.id.as_str(), one.title.as_str(), manual.max)),
        _ => None,
    })
}

fn named<'a>(jobs: &'a crate::jobs::Context, id: &str) -> anyhow::Result<&'a Scheme> {
    jobs.schemes.get(id).ok_or_else(|| {
        let known: Vec<&str> = jobs.schemes.iter().map(|scheme| scheme.id.as_str()).collect();
        Misused(format!("no scheme {id:?}; known are {}", known.join(", "))).into()
    })
}

async fn draw(sample: &Sample, jobs: &crate::jobs::Context) -> anyhow::Result<()> {
    let scheme = named(jobs, &sample.scheme)?;
    let Some(quota) = scheme.sampling else {
        return Err(Misused(format!("the scheme {:?} draws no samples", scheme.id)).into());
    };
    let accounts = jobs.store.accounts().await?;
    let keys: Vec<&str> = accounts
        .iter()
        .map(|account| &account.entry)
        .filter(|entry| scheme.judges.contains(&entry.lifecycle))
        .filter(|entry| {
            sample.area.as_ref().is_none_or(|area| entry.region.as_str().starts_with(area))
                && sample.platform.as_ref().is_none_or(|platform| *platform == entry.platform)
        })
        .map(|entry| entry.key.as_str())
        .collect();
    let drawn = quota.draw(&sample.seed, keys.iter().copied());
    let mut out = io::stdout().lock();
    for key in &drawn {
        writeln!(out, "{key}")?;
    }
    eprintln!("抽取 {} 个,共 {} 个,种子 {}", drawn.len(), keys.len(), sample.seed);
    Ok(())
}

async fn keep(enter: &Enter, jobs: &crate::jobs::Context) -> anyhow::Result<()> {
    let scheme = named(jobs, &enter.scheme)?;
    let items: Vec<(&str, &str, Decimal)> = manual_items(scheme).collect();
    let Some((_, _, max)) = items.iter().find(|(item, ..)| *item == enter.item) else {
        let known: Vec<&str> = items.iter().map(|(item, ..)| *item).collect();
        let message = format!("no manual item {:?}; known are {}", enter.item, known.join(", "));
        return Err(Misused(message).into());
    };
    if enter.value.is_sign_negative() || enter.value > *max {
        return Err(Misused(format!("--value lies outside 0 to {max}")).into());
    }
    for (option, text) in [("--by", &enter.by), ("--reason", &enter.reason)] {
        if text.trim().is_empty() {
            return Err(Misused(format!("{option} is empty")).into());
        }
    }
    let Some(account) = jobs.store.account(&enter.account).await? else {
        bail!("no account {:?} in the ledger", enter.account);
    };
    let entry = SchemeEntry {
        account: account.id,
        period: enter.period.to_string(),
        item: enter.item.clone(),
        value: enter.value,
        actor: enter.by.clone(),
        reason: enter.reason.clone(),
        recorded_at: jobs.clock.now(),
    };
    jobs.store.enter(&entry).await?;
    Ok(())
}
