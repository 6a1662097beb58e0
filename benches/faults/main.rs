//! The fault-injection suite: the shipped adapters and the observation calculus against a city whose
//! truth is known. In memory: pages → extract → observe, one visit a day, no socket, no database.
//!
//! `--accounts 200 --days 30 --seeds 1..3 [--seed N] [--without GUARD] [--naive] [--explain]`
//!
//! Fails (exit code 1) when a silent verdict was false, a provable silence was not told in time, or
//! more account-days stayed undetermined than the simulator's own count allows. `README.md` holds
//! the figures.

mod guard;
mod notebook;
mod oracle;
mod run;
mod tally;
mod visitor;
mod weather;

use std::ops::RangeInclusive;
use std::process::ExitCode;

use anyhow::{Context, bail};

use guard::Guard;
use run::{Run, catalog};
use tally::Tally;

struct Arguments {
    accounts: usize,
    days: usize,
    seeds: RangeInclusive<u64>,
    without: Option<Guard>,
    naive: bool,
    explain: bool,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut read = Self {
            accounts: 200,
            days: 30,
            seeds: 1..=3,
            without: None,
            naive: false,
            explain: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--accounts" => read.accounts = value()?.parse().context("--accounts")?,
                "--days" => read.days = value()?.parse().context("--days")?,
                "--seed" => {
                    let seed = value()?.parse().context("--seed")?;
                    read.seeds = seed..=seed;
                }
                "--seeds" => {
                    let text = value()?;
                    let (first, last) = text.split_once("..").context("--seeds A..B")?;
                    let last = last.trim_start_matches('=');
                    read.seeds = first.parse().context("--seeds")?..=last.parse()?;
                }
                "--without" => {
                    let guard = value()?.parse().map_err(anyhow::Error::msg)?;
                    read.without = Some(guard);
                }
                "--naive" => read.naive = true,
                "--explain" => read.explain = true,
                _ => bail!("{word}: no such argument; the head of main.rs lists them"),
            }
        }
        Ok(read)
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let catalog = catalog();
    let mut all = Tally::default();
    for seed in arguments.seeds {
        let Arguments { accounts, days, without, .. } = arguments;
        all.add(Run { accounts, days, seed, without }.go(&catalog));
    }
    all.print(arguments.without);
    if arguments.naive {
        all.wronged_naively.iter().for_each(|unit| println!("wronged naively: {unit}"));
    }
    if arguments.explain {
        all.avoidable_told.iter().for_each(|told| println!("avoidable: {told}"));
    }
    Ok(if all.broken().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_holds_in_a_small_city() {
        let run = Run { accounts: 80, days: 20, seed: 1, without: None };
        let tally = run.go(&catalog());
        tally.print(None);
        assert_eq!(tally.broken(), Vec::<String>::new());
        assert!(tally.silent > 100, "the dead are told as well");
        assert!(tally.wronged_naively.len() > 1, "the naive rule would have wronged units");
    }
}
