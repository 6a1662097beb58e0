use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, FixedOffset, Utc};

use crate::cli::Misused;
use crate::jobs::assessment::{Freeze, freeze};
use crate::score::Period;
use crate::{jobs, settings};

/// Freezes a period as it is known now; a second time is a correction and says why.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The period: `2026Q3`, `2026-11` or `2026`.
    #[arg(long)]
    period: Period,
    /// The scheme's id [default: the one that schemes/assign.toml names for each account].
    #[arg(long)]
    scheme: Option<String>,
    /// 监测时间点: facts at or after it are not judged [default: the end of the period].
    #[arg(long)]
    cutoff: Option<DateTime<FixedOffset>>,
    /// A file with one 账号编号 a line, as `scheme sample` prints: only these are judged.
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// How they were drawn, such as the published seed.
    #[arg(long, value_name = "TEXT", requires = "sample", default_value = "")]
    sample_note: String,
    /// Why; a correction must say.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Who freezes [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

pub(super) async fn freeze_period(args: Args, jobs: &jobs::Context) -> anyhow::Result<()> {
    let actor = args.actor.or_else(settings::user_name).unwrap_or_default();
    if actor.trim().is_empty() {
        return Err(Misused("--actor must name somebody".to_owned()).into());
    }
    let scheme = match &args.scheme {
        None => None,
        Some(id) => Some(jobs.schemes.get(id).ok_or_else(|| {
            let known: Vec<&str> = jobs.schemes.iter().map(|one| one.id.as_str()).collect();
            Misused(format!("no scheme {id:?}; known are {}", known.join(", ")))
        })?),
    };
    let drawn = args.sample.as_deref().map(keys).transpose()?;
    let cutoff = args.cutoff.map_or(args.period.to(), |at| at.with_timezone(&Utc));
    let wanted = Freeze {
        period: args.period,
        scheme,
        cutoff: cutoff.min(args.period.to()),
        sample: drawn.as_ref().map(|keys| (keys, args.sample_note.as_str())),
        actor: actor.trim(),
        reason: args.reason.trim(),
    };
    let frozen = freeze(jobs, &wanted).await?;
    println!("assessment {} is version {} of {}", frozen.id, frozen.version, args.period);
    println!("{} accounts, {}", frozen.accounts, frozen.digest);
    for (word, count) in &frozen.verdicts {
        println!("{word} {count}");
    }
    Ok(())
}

/// The keys of a file, one a line; empty lines are passed over.
fn keys(path: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut keys = BTreeSet::new();
    for (line, key) in text.lines().map(str::trim).enumerate().filter(|(_, key)| !key.is_empty()) {
        if !keys.insert(key.to_owned()) {
            bail!("{}:{}: {key:?} stands twice", path.display(), line + 1);
        }
    }
    if keys.is_empty() {
        bail!("{}: names no account", path.display());
    }
    Ok(keys)
}
