//! The scheduler beside others, at one budget.
//!
//! `cargo run --release --example schedule -- [--sets stationary,habitual,recorded]
//! [--from 2025-01-01] [--to 2026-01-01] [--half all|even|odd] [--per-account 4] [--pace 2]
//! [--accounts 600] [--seed 1] [--write-fixture FOLDER] [--check]`
//!
//! Recorded histories are read from the folder in `XUNJIAN_CORPUS`, or its subfolder `replay`;
//! without it, that set is left out. `README.md` holds the figures.

mod histories;
mod host;
mod ours;
mod peers;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, Utc};
use xunjian::domain::shanghai_midnight;

use histories::{Half, Set};
use host::{Budget, play};
use ours::{Extent, Ours};
use peers::{Kind, Peer};
use report::Report;

struct Arguments {
    sets: Vec<String>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    half: Half,
    budget: Budget,
    accounts: usize,
    seed: u64,
    only: Option<String>,
    write_fixture: Option<PathBuf>,
    check: bool,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let day = |text: &str| -> anyhow::Result<DateTime<Utc>> {
            Ok(shanghai_midnight(text.parse::<NaiveDate>().with_context(|| text.to_owned())?))
        };
        let mut read = Self {
            sets: ["stationary", "habitual", "recorded"].map(str::to_owned).to_vec(),
            from: day("2025-01-01")?,
            to: day("2026-01-01")?,
            half: Half::All,
            budget: Budget { per_account: 4.0, pace: 2.0 },
            accounts: 600,
            seed: 1,
            only: None,
            write_fixture: None,
            check: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--sets" => read.sets = value()?.split(',').map(str::to_owned).collect(),
                "--from" => read.from = day(&value()?)?,
                "--to" => read.to = day(&value()?)?,
                "--half" => {
                    read.half = match value()?.as_str() {
                        "all" => Half::All,
                        "even" => Half::Even,
                        "odd" => Half::Odd,
                        other => bail!("--half all, even or odd, not {other}"),
                    }
                }
                "--per-account" => read.budget.per_account = value()?.parse().context(word)?,
                "--pace" => read.budget.pace = value()?.parse().context(word)?,
                "--accounts" => read.accounts = value()?.parse().context(word)?,
                "--seed" => read.seed = value()?.parse().context(word)?,
                "--only" => read.only = Some(value()?),
                "--write-fixture" => read.write_fixture = Some(value()?.into()),
                "--check" => read.check = true,
                _ => bail!("{word}: no such argument; the head of main.rs lists them"),
            }
        }
        Ok(read)
    }

    fn load(&self, name: &str) -> anyhow::Result<Option<Set>> {
        match name {
            "stationary" => Ok(Some(histories::stationary(self.accounts, self.seed))),
            "habitual" => Ok(Some(histories::habitual(self.accounts.min(100), self.seed))),
            "recorded" => {
                let Some(folder) = std::env::var_os("XUNJIAN_CORPUS").map(PathBuf::from) else {
                    eprintln!("XUNJIAN_CORPUS is not set: no recorded histories");
                    return Ok(None);
                };
                let below = folder.join("replay");
                let folder = if below.is_dir() { below } else { folder };
                let set = histories::recorded(&folder, (self.from, self.to), self.half);
                Ok(Some(set.with_context(|| folder.display().to_string())?))
            }
            other => bail!("--sets: no set {other}"),
        }
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    if let Some(folder) = &arguments.write_fixture {
        histories::write(&histories::habitual(60, arguments.seed), folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut kept = true;
    for name in &arguments.sets {
        if let Some(set) = arguments.load(name)? {
            kept &= replay(&set, name, &arguments);
        }
    }
    Ok(if kept || !arguments.check { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays every rule over a set; returns whether ours kept what it promises of such a set.
fn replay(set: &Set, name: &str, arguments: &Arguments) -> bool {
    let mut report = Report::new(set, arguments.budget);
    let count = set.accounts.len();
    let wanted = |title: &str| arguments.only.as_ref().is_none_or(|only| title.contains(only));
    let peers = [
        ("round robin", Kind::RoundRobin),
        ("proportional", Kind::Proportional),
        ("plain index", Kind::SquareRoot),
        ("Nutch", Kind::Nutch),
        ("StormCrawler", Kind::StormCrawler),
        ("Miniflux", Kind::Miniflux),
    ];
    for (title, kind) in peers {
        if kind == Kind::RoundRobin || wanted(title) {
            report.add(title, &play(set, arguments.budget, &mut Peer::new(kind, count)));
        }
    }
    for (title, extent) in [("ours, index", Extent::Index), ("ours, all", Extent::All)] {
        if wanted(title) {
            let mut ours = Ours::new(extent, count, arguments.budget);
            let outcome = play(set, arguments.budget, &mut ours);
            report.add(title, &outcome);
            report.note(&format!("price at the end {:.3} push-hours", ours.price()));
            if extent == Extent::All {
                report.silences(&ours.silences);
            }
        }
    }
    report.keeps(name)
}

#[cfg(test)]
mod tests;
