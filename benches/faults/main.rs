//! The fault-injection suite: the shipped adapters and the observation calculus against a city whose
//! truth is known. In memory: pages → extract → observe, one visit a day, no socket, no database.
//!
//! `--accounts 200 --days 30 --seeds 1..3 [--seed N] [--without GUARD] [--guards] [--naive]
//! [--explain] [--threads 2] [--follow KEY]`
//!
//! Fails (exit code 1) when a silent verdict or a case of backdating was false, a provable silence
//! was not told in time, or more account-days stayed undetermined than the simulator's own count
//! allows. `--guards` runs it without each guard in turn and fails where nobody misses one.
//! `--follow KEY` visits and judges that account alone (and the canaries) and prints all that is
//! known of it. `README.md` holds the figures.

mod appearances;
mod files;
mod follow;
mod guard;
mod notebook;
mod oracle;
mod run;
mod stage;
mod tally;
mod verdict;
mod visitor;
mod weather;

use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use xunjian::platform::Catalog;

use files::catalog;
use guard::Guard;
use run::Run;
use tally::Tally;

struct Arguments {
    accounts: usize,
    days: usize,
    seeds: RangeInclusive<u64>,
    without: Option<Guard>,
    guards: bool,
    naive: bool,
    explain: bool,
    threads: usize,
    follow: Option<String>,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut read = Self {
            accounts: 200,
            days: 30,
            seeds: 1..=3,
            without: None,
            guards: false,
            naive: false,
            explain: false,
            threads: 2,
            follow: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--accounts" => read.accounts = value()?.parse().context("--accounts")?,
                "--days" => read.days = value()?.parse().context("--days")?,
                "--threads" => read.threads = value()?.parse().context("--threads")?,
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
                "--follow" => read.follow = Some(value()?),
                "--guards" => read.guards = true,
                "--naive" => read.naive = true,
                "--explain" => read.explain = true,
                _ => bail!("{word}: no such argument; the head of main.rs lists them"),
            }
        }
        Ok(read)
    }

    /// All seeds, a few at a time.
    fn run(&self, catalog: &Catalog, without: Option<Guard>) -> Tally {
        let (next, all) = (AtomicU64::new(*self.seeds.start()), Mutex::new(Tally::default()));
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !self.seeds.contains(&seed) {
                    return;
                }
                let (accounts, days) = (self.accounts, self.days);
                let follow = self.follow.as_deref();
                let tally = Run { accounts, days, seed, without, follow }.go(catalog);
                eprintln!("seed {seed}: {} page visits", tally.visits);
                all.lock().expect("no run panics while it adds").add(tally);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(work);
            }
        });
        all.into_inner().expect("every run is over")
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let catalog = catalog();
    if arguments.guards {
        let unmissed = Guard::ALL.iter().filter(|guard| {
            let broken = arguments.run(&catalog, Some(**guard)).broken();
            println!(
                "without {guard}: {}",
                if broken.is_empty() { "-".into() } else { broken.join("; ") }
            );
            broken.is_empty()
        });
        return Ok(if unmissed.count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let all = arguments.run(&catalog, arguments.without);
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
        let run = Run { accounts: 80, days: 20, seed: 1, without: None, follow: None };
        let tally = run.go(&catalog());
        tally.print(None);
        assert_eq!(tally.broken(), Vec::<String>::new());
        assert!(tally.silent > 100, "the dead are told as well");
        assert!(tally.wronged_naively.len() > 1, "the naive rule would have wronged units");
        assert!(tally.backdated_found > 1, "planted backdating is found");
    }
}
