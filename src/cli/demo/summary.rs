use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::domain::SHANGHAI;
use crate::jobs;

/// How often the summary on the terminal is renewed; ten times as long where it goes to a file.
const SUMMARY_EVERY: Duration = Duration::from_secs(2);

/// Shows how many accounts are in which activity, for as long as it is let.
pub(super) async fn summarise(jobs: &jobs::Context) -> anyhow::Result<()> {
    let live = io::stdout().is_terminal();
    loop {
        let line = summary(jobs).await?;
        if live {
            print!("\r\x1b[K{line}");
        } else {
            println!("{line}");
        }
        io::stdout().flush()?;
        tokio::time::sleep(if live { SUMMARY_EVERY } else { SUMMARY_EVERY * 10 }).await;
    }
}

async fn summary(jobs: &jobs::Context) -> anyhow::Result<String> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for cell in jobs.store.fleet().await? {
        *counts.entry(cell.activity).or_default() += cell.accounts;
    }
    let now = jobs.clock.now().with_timezone(&SHANGHAI);
    let mut line = now.format("%m-%d %H:%M").to_string();
    for (word, title) in [
        ("active", "活跃"),
        ("watch", "关注"),
        ("dormant", "休眠"),
        ("zombie", "僵尸"),
        ("empty", "空壳"),
        ("gone", "已注销"),
        ("undetermined", "未能判定"),
    ] {
        write!(line, "  {title} {}", counts.get(word).unwrap_or(&0))?;
    }
    Ok(line)
}
