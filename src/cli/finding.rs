//! `xunjian finding`: findings, those a person enters included.

mod lists;
mod shown;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, FixedOffset, NaiveDate};
use sha2::{Digest, Sha256};

use super::{Context, Misused};
use crate::domain::{EvidenceRef, FindingId, Step};
use crate::jobs::findings::{PersonFinding, act, add};
use crate::{jobs, settings};

/// Evidence files larger than this are refused, in bytes: 256 MiB.
const EVIDENCE_BYTES_MAX: u64 = 256 << 20;

/// Lists findings, enters those that only a person can see, and takes persons' steps.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    List(lists::List),
    /// Shows one finding with its log and its notices.
    Show(Show),
    Add(Add),
    /// Confirms a finding; who raised it may not.
    Approve(Taken),
    Explain(Explain),
    /// Takes down that the fault is repaired; the next look at the data checks it.
    Rectify(Taken),
    /// Finds that the repair, or the explanation, holds.
    Recheck(Taken),
    /// Finds that it does not; the sponsor is told again.
    Reopen(Taken),
    /// Ends a finding as no fault.
    Dismiss(Taken),
    Exempt(Exempt),
    Letters(lists::Letters),
    Warnings(lists::Warnings),
    Triage(lists::TriageList),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The finding's number.
    id: i64,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Enters a finding that no crawler can see, such as a severe wording error.
#[derive(Debug, clap::Args)]
struct Add {
    /// The rule's id; `check = { kind = "person" }` in config/rules.
    #[arg(long, value_name = "ID")]
    rule: String,
    /// 账号编号 of the account.
    #[arg(long, value_name = "KEY")]
    account: String,
    /// What was found, in a Chinese sentence.
    #[arg(long, value_name = "TEXT")]
    statement: String,
    /// When it was found [default: now].
    #[arg(long, value_name = "RFC3339")]
    found_at: Option<DateTime<FixedOffset>>,
    /// A file that shows it; its digest is kept. May be repeated.
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// What was seen. May be repeated.
    #[arg(long, value_name = "TEXT")]
    note: Vec<String>,
    /// Who enters it [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Taken {
    /// The findings' numbers.
    #[arg(required = true)]
    ids: Vec<i64>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

/// Takes down the sponsor's explanation; naming is suppressed through its last day.
#[derive(Debug, clap::Args)]
struct Explain {
    #[command(flatten)]
    taken: Taken,
    /// The last day through which it is accepted.
    #[arg(long, value_name = "DATE")]
    until: Option<NaiveDate>,
}

/// Exempts an account from being named, beside the ledger's own exemptions.
#[derive(Debug, clap::Args)]
struct Exempt {
    /// 账号编号 of the account.
    #[arg(long, value_name = "KEY")]
    account: String,
    /// Only from this rule [default: from all].
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The last day.
    #[arg(long, value_name = "DATE")]
    until: NaiveDate,
    /// Who grants it [default: the user of this machine].
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    let settings = context.settings()?;
    context.with_jobs(&settings, async |jobs| perform(args.task, jobs).await).await
}

async fn perform(task: Task, jobs: &jobs::Context) -> anyhow::Result<()> {
    let (step, taken, until) = match task {
        Task::List(list) => return lists::list(&list, jobs).await,
        Task::Letters(list) => return lists::letters(&list, jobs).await,
        Task::Warnings(list) => return lists::warnings(&list, jobs).await,
        Task::Triage(list) => return lists::triage(&list, jobs).await,
        Task::Show(show) => return shown::show(FindingId(show.id), show.json, jobs).await,
        Task::Add(entered) => return enter(entered, jobs).await,
        Task::Exempt(exempt) => return grant(&exempt, jobs).await,
        Task::Approve(taken) => (Step::Approve, taken, None),
        Task::Explain(explain) => (Step::Explain, explain.taken, explain.until),
        Task::Rectify(taken) => (Step::Rectify, taken, None),
        Task::Recheck(taken) => (Step::Recheck, taken, None),
        Task::Reopen(taken) => (Step::Reopen, taken, None),
        Task::Dismiss(taken) => (Step::Dismiss, taken, None),
    };
    let actor = actor(taken.actor)?;
    for id in taken.ids {
        let state = act(jobs, FindingId(id), step, (&actor, &taken.reason), until).await?;
        println!("finding {id} is {state}");
    }
    Ok(())
}

fn actor(named: Option<String>) -> Result<String, Misused> {
    let actor = named.or_else(settings::user_name).unwrap_or_default();
    if actor.trim().is_empty() {
        return Err(Misused("--actor must name somebody".to_owned()));
    }
    Ok(actor.trim().to_owned())
}

async fn enter(entered: Add, jobs: &jobs::Context) -> anyhow::Result<()> {
    let actor = actor(entered.actor)?;
    let files = entered.file.iter().map(|path| digested(path));
    let mut evidence: Vec<EvidenceRef> = files.collect::<anyhow::Result<_>>()?;
    evidence.extend(entered.note.into_iter().map(|text| EvidenceRef::Note { text }));
    let now = jobs.clock.now();
    let finding = PersonFinding {
        rule: entered.rule,
        key: entered.account,
        statement: entered.statement,
        found_at: entered.found_at.map_or(now, |at| at.to_utc()),
        evidence,
        actor,
    };
    let id = add(jobs, finding).await?;
    println!("finding {id} is open");
    Ok(())
}

/// The name and digest of a file, read in pieces.
fn digested(path: &Path) -> anyhow::Result<EvidenceRef> {
    let shown = || path.display().to_string();
    let mut file = File::open(path).with_context(shown)?.take(EVIDENCE_BYTES_MAX + 1);
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut piece).with_context(shown)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        digest.update(&piece[..read]);
    }
    if bytes > EVIDENCE_BYTES_MAX {
        let reason = format!("larger than {EVIDENCE_BYTES_MAX} bytes");
        return Err(io::Error::other(reason)).with_context(shown);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(EvidenceRef::File { name, digest: format!("sha256:{}", hex::encode(digest.finalize())) })
}

async fn grant(exempt: &Exempt, jobs: &jobs::Context) -> anyhow::Result<()> {
    let actor = actor(exempt.actor.clone())?;
    let Some(account) = jobs.store.account(&exempt.account).await? else {
        anyhow::bail!("no account {:?} in the ledger", exempt.account);
    };
    if let Some(rule) = exempt.rule.as_ref().filter(|rule| jobs.rules.rule(rule).is_none()) {
        return Err(Misused(format!("no rule {rule:?}")).into());
    }
    let (reason, now) = (exempt.reason.as_str(), jobs.clock.now());
    jobs.store
        .grant_exemption(account.id, exempt.rule.as_deref(), (reason, &actor), exempt.until, now)
        .await?;
    println!("{} is exempt through {}", exempt.account, exempt.until);
    Ok(())
}
