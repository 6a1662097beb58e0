//! A command of the program, with the time it takes and the most memory it holds.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// Processor time of the program alone, without the server's.
    pub(crate) own_seconds: f64,
    pub(crate) memory_kb: u64,
}

/// Runs `program` with the scratch database; what it keeps and prints goes to `place`.
pub(crate) fn run(program: &str, url: &str, place: &Path, words: &[&str]) -> anyhow::Result<Cost> {
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(words)
        .env("XUNJIAN__DATABASE__URL", url)
        .env("XUNJIAN__DATA_DIR", place.join("kept"))
        .stdin(Stdio::null())
        .stdout(File::create(place.join(format!("{}.out", words[..2].join("-"))))?)
        .spawn()
        .with_context(|| format!("starting {program}"))?;
    let folder = format!("/proc/{}", child.id());
    let (mut memory_kb, mut own_seconds) = (0, 0.0);
    let status = loop {
        memory_kb = resident_max_kb(&format!("{folder}/status")).unwrap_or(memory_kb);
        own_seconds = cpu_seconds(&format!("{folder}/stat")).unwrap_or(own_seconds);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        bail!("{} ended with {status}", words.join(" "));
    }
    Ok(Cost { seconds: begun.elapsed().as_secs_f64(), own_seconds, memory_kb })
}

/// The most memory that a process has held, from its status file.
pub(crate) fn resident_max_kb(status: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(status)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// User and system time, in ticks of a hundredth of a second.
#[expect(clippy::cast_precision_loss, reason = "ticks of a few hours")]
fn cpu_seconds(stat: &str) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(stat)?;
    let rest = stat.rsplit_once(") ").context("stat")?.1;
    let ticks = rest.split(' ').skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.collect::<Result<Vec<_>, _>>()?.into_iter().sum();
    Ok(ticks as f64 / 100.0)
}
