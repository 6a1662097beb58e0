//! Lists: findings, what the rules say at a cutoff, warnings, triage.

use std::io::{self, Write};

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};

use super::Misused;
use super::shown::{finding_json, line};
use crate::alert::Verdict;
use crate::domain::{FindingState, SHANGHAI, shanghai_date};
use crate::jobs;
use crate::jobs::findings::{At, Proposal, propose, sort_accounts};
use crate::store::{FindingFilter, SendOutcome};

/// Findings read at once.
const PAGE: u32 = 500;

/// Lists findings; with --cutoff, computes what the rules say at it, and stores nothing.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Also those that are closed or dismissed.
    #[arg(long)]
    all: bool,
    /// Only those in this state.
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only those of this rule.
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Only those of the account with this 账号编号.
    #[arg(long, value_name = "KEY")]
    account: Option<String>,
    /// Only those whose 行政区划代码 begins so.
    #[arg(long, value_name = "AREA")]
    area: Option<String>,
    /// 监测时间点: one JSON line for each finding that holds, or cannot be told, at it.
    #[arg(long, value_name = "RFC3339")]
    cutoff: Option<DateTime<FixedOffset>>,
    /// With --cutoff: facts written down later are not seen [default: now].
    #[arg(long, value_name = "RFC3339", requires = "cutoff")]
    known_at: Option<DateTime<FixedOffset>>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(args: &List, jobs: &jobs::Context) -> anyhow::Result<()> {
    if let Some(cutoff) = args.cutoff {
        let known_at = args.known_at.map_or_else(|| jobs.clock.now(), |at| at.to_utc());
        let at = At { cutoff: cutoff.to_utc(), known_at, live: false };
        let mut out = io::stdout().lock();
        for line in propose(jobs, at).await?.iter().filter_map(Proposal::json) {
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    let state = match &args.state {
        None => None,
        Some(word) => Some(FindingState::from_word(word).ok_or_else(|| {
            let known: Vec<&str> = FindingState::ALL.iter().map(|row| row.1).collect();
            Misused(format!("{word:?} is none of {}", known.join(", ")))
        })?),
    };
    let mut wanted = FindingFilter {
        open: !args.all && state.is_none(),
        state,
        rule: args.rule.clone(),
        key: args.account.clone(),
        area: args.area.clone(),
        after: None,
        limit: PAGE,
        ..FindingFilter::default()
    };
    let today = shanghai_date(jobs.clock.now());
    loop {
        let page = jobs.store.findings(&wanted).await?;
        let Some(last) = page.last() else { return Ok(()) };
        wanted.after = Some(last.id);
        let mut out = io::stdout().lock();
        for record in &page {
            if args.json {
                writeln!(out, "{}", finding_json(record, today))?;
            } else {
                writeln!(out, "{}", line(record, today))?;
            }
        }
    }
}

/// Lists letters to sponsors that were not sent; a person says what becomes of one that was given
/// up, or of which nobody knows whether it arrived.
#[derive(Debug, clap::Args)]
pub(super) struct Letters {
    /// Has this letter sent again.
    #[arg(long, value_name = "ID", conflicts_with = "arrived")]
    resend: Option<i64>,
    /// Takes down that this letter arrived: its deadlines run from now.
    #[arg(long, value_name = "ID")]
    arrived: Option<i64>,
}

pub(super) async fn letters(args: &Letters, jobs: &jobs::Context) -> anyhow::Result<()> {
    let now = jobs.clock.now();
    if let Some(id) = args.resend {
        if !jobs.store.resend_letter(id, now).await? {
            anyhow::bail!("letter {id} was neither given up nor is it uncertain");
        }
        println!("letter {id} is sent again");
        return Ok(());
    }
    let unsent = jobs.store.unsent_letters().await?;
    if let Some(id) = args.arrived {
        if !unsent.iter().any(|letter| letter.id == id && letter.state == "uncertain") {
            anyhow::bail!("letter {id} is not uncertain");
        }
        jobs.store.letter_ended(id, &SendOutcome::Sent, now).await?;
        println!("letter {id} arrived");
        return Ok(());
    }
    let mut out = io::stdout().lock();
    for letter in unsent {
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{} 项\t{}\t{}",
            letter.id,
            letter.day,
            letter.channel,
            letter.state,
            letter.notices,
            letter.sponsor,
            letter.last_error.unwrap_or_default()
        )?;
    }
    Ok(())
}

/// Lists accounts that are unusually quiet by their own rhythm, the most surprising first.
#[derive(Debug, clap::Args)]
pub(super) struct Warnings {
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn warnings(args: &Warnings, jobs: &jobs::Context) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for one in jobs.store.warnings(args.limit).await? {
        let warning = &one.warning;
        if args.json {
            let line = json!({
                "key": one.key,
                "name": one.name,
                "platform": one.platform,
                "quiet_days": warning.quiet_days,
                "surprise_bits": warning.surprise_bits,
                "silent_by_deadline": warning.silent_by_deadline,
                "last_post_at": warning.last_post_at,
                "deadline_at": warning.deadline_at,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let deadline = warning.deadline_at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
        writeln!(
            out,
            "{:.1} 比特\t已静默 {:.1} 天\t到期仍静默的概率 {:.0}%\t{deadline}\t{}\t{}",
            warning.surprise_bits,
            warning.quiet_days,
            warning.silent_by_deadline * 100.0,
            one.key,
            one.name
        )?;
    }
    Ok(())
}

/// Sorts accounts into keep, merge, cancel and review, and says which fail their exit rule; a
/// person decides.
#[derive(Debug, clap::Args)]
pub(super) struct TriageList {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn triage(args: &TriageList, jobs: &jobs::Context) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for one in sort_accounts(jobs).await? {
        if args.json {
            let line = json!({
                "key": one.key,
                "name": one.name,
                "triage": one.triage,
                "exit": one.exit.as_ref().map(exit_json),
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let mut words = Vec::new();
        if let Some(triage) = &one.triage {
            words.push(format!("{}:{}", triage.outcome.title(), triage.reason));
        }
        if let Some(exit) = &one.exit {
            words.push(exit_words(exit));
        }
        writeln!(out, "{}\t{}\t{}", one.key, one.name, words.join("\t"))?;
    }
    Ok(())
}

fn exit_json(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Holds(holding) => {
            json!({ "outcome": "cancel", "reason": holding.occasion, "inputs": holding.inputs })
        }
        Verdict::Refuted { proof, .. } => json!({ "outcome": "keep", "reason": proof }),
        Verdict::Undetermined(doubt) => json!({ "outcome": "undetermined", "reason": doubt.0 }),
        Verdict::Covered | Verdict::Quiet => Value::Null,
    }
}

fn exit_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Holds(holding) => format!("退出:{}", holding.statement),
        Verdict::Refuted { proof, .. } => format!("退出规则:保留({proof})"),
        Verdict::Undetermined(doubt) => format!("退出规则:未能判定({})", doubt.0),
        Verdict::Covered | Verdict::Quiet => String::new(),
    }
}
