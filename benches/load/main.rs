//! Figures at the size of a nation; `benches/load.sh` starts a scratch server and passes its
//! address and a folder.
//!
//!     load series URL FOLDER [ACCOUNTS]             /metrics and /metrics/accounts
//!     load visits URL FOLDER [ACCOUNTS] [VISITS]    claiming and storing visits
//!     load crawl URL FOLDER [ACCOUNTS] [SECONDS]    the whole daemon beside loopback hosts
//!     load whole URL FOLDER [PAGES]                 from request to row, beside bare parts and Scrapy
//!
//! Work is measured in processor time, ours and the server's apart, and each figure beside the same
//! done barely, in turn in one run. It fails if a goal is missed.

#![recursion_limit = "256"] // one json! of a whole page

#[path = "../extraction/bare.rs"]
#[expect(dead_code, reason = "the extraction bench has more pages")]
mod bare;
mod column;
mod columnar;
mod copy;
mod cpu;
mod crawl;
mod fleet;
mod helper;
mod pages;
#[path = "../extraction/pages.rs"]
#[expect(dead_code, reason = "the extraction bench has more pages")]
mod sample;
mod series;
mod serve;
mod statements;
mod verdict;
mod visits;
mod whole;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use verdict::Verdicts;

/// Where the scratch server is, and where files may lie.
struct Place {
    url: String,
    folder: PathBuf,
}

impl Place {
    /// The process that is the parent of all of the server's.
    fn postmaster(&self) -> anyhow::Result<u32> {
        let file = self.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(file).context("postmaster.pid")?;
        Ok(text.lines().next().context("an empty postmaster.pid")?.parse()?)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<bool> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| words.get(at).cloned().context("load WHAT URL FOLDER [NUMBERS]");
    let number = |at: usize, default: u32| match words.get(at) {
        Some(word) => word.parse().with_context(|| format!("{word} is no number")),
        None => Ok(default),
    };
    let place = Place { url: word(1)?, folder: word(2)?.into() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut verdicts = Verdicts::default();
    match word(0)?.as_str() {
        "series" => {
            runtime.block_on(series::measure(&place, number(3, 100_000)?, &mut verdicts))?;
        }
        "visits" => {
            let (accounts, visits) = (number(3, 100_000)?, number(4, 260_000)?);
            // The daemon claims and commits on the threads at which answers arrive; a thread that only
            // waits for the others would have to be woken for each of them.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(visits::measure(&place, accounts, visits, &mut verdicts))?;
        }
        "crawl" => {
            let (accounts, seconds) = (number(3, 100_000)?, number(4, 300)?);
            runtime.block_on(crawl::measure(&place, accounts, seconds, &mut verdicts))?;
        }
        "whole" => runtime.block_on(whole::measure(&place, number(3, 4_000)?, &mut verdicts))?,
        "crawler" => {
            let keeps_evidence = words.get(4).is_none_or(|word| word != "without-evidence");
            runtime.block_on(whole::crawler(&place, number(3, 0)?, keeps_evidence))?;
        }
        "daemon" => runtime.block_on(crawl::daemon(&place, number(3, 0)?))?,
        "pages" => {
            let gap = Duration::from_millis(number(3, 0)?.into());
            runtime.block_on(pages::answer(gap))?;
        }
        "serve" => runtime.block_on(serve::serve(&place))?,
        other => bail!("unknown {other}"),
    }
    Ok(verdicts.met())
}
