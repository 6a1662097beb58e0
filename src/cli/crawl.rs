//! `xunjian crawl`: visits now, once, through the same path as the daemon.

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::ensure;
use futures::StreamExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Context, Misused};
use crate::app::clock::SystemClock;
use crate::app::lifecycle::{Notice, signals};
use crate::domain::{Moment, SHANGHAI};
use crate::jobs::crawl::{self, Running, outcome_word};
use crate::observe::Outcome;
use crate::store::{Claimed, VisitRecord};

/// Visits accounts now, once; one line per visit.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// 账号编号 of an account to visit; may be repeated.
    #[arg(long = "account", value_name = "KEY")]
    accounts: Vec<String>,
    /// Visits every account.
    #[arg(long, conflicts_with = "accounts")]
    all: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<()> {
    if args.accounts.is_empty() && !args.all {
        return Err(Misused("name accounts with --account, or visit --all".to_owned()).into());
    }
    let settings = context.settings()?;
    let jobs = crate::app::Jobs::open(&settings, Arc::new(SystemClock)).await?;
    let visited = visit(&args, jobs.context()).await;
    jobs.close().await?;
    visited
}

async fn visit(args: &Args, jobs: &crate::jobs::Context) -> anyhow::Result<()> {
    let known: Vec<String> =
        jobs.store.accounts().await?.into_iter().map(|account| account.entry.key).collect();
    for key in &args.accounts {
        ensure!(known.contains(key), "no account {key:?} in the ledger");
    }
    let json = args.json;
    let stop = CancellationToken::new();
    let running = Running {
        on_visit: Arc::new(move |target, record| print(json, target, record)),
        ..Running::quietly(stop.clone(), CancellationToken::new())
    };
    let mut notices = std::pin::pin!(signals()?);
    let visiting = async {
        if args.all {
            crawl::pass(jobs, &running).await
        } else {
            crawl::visit_accounts(jobs, &running, &args.accounts).await
        }
    };
    let stopping = async {
        while notices.next().await.is_some_and(|notice| notice != Notice::Stop) {}
        stop.cancel();
        std::future::pending::<()>().await;
    };
    let summary = tokio::select! {
        summary = visiting => summary?,
        () = stopping => return Ok(()),
    };
    eprintln!("{} pages visited, {} accounts judged", summary.visits, summary.judged);
    if summary.visits == 0 {
        eprintln!("a daemon at work keeps its hosts to itself; it visits these pages next");
    }
    Ok(())
}

fn print(json: bool, target: &Claimed, record: &VisitRecord) {
    let outcome = &record.visit.outcome;
    let newest = record.posts.iter().filter_map(|post| post.published).max_by_key(|at| at.at);
    let newest = newest.map(Moment::to_rfc3339);
    let as_of = match outcome {
        Outcome::Observed(observation) => Some(observation.as_of),
        Outcome::Gone { as_of, .. } => Some(*as_of),
        Outcome::Failed(_) => None,
    };
    let as_of = as_of.map(|at| at.with_timezone(&SHANGHAI).to_rfc3339());
    let line = if json {
        json!({
            "key": target.key, "platform": target.platform, "page": target.page,
            "outcome": outcome_word(outcome), "status": record.status,
            "items": record.posts.len(), "newest_post_at": newest, "as_of": as_of,
        })
        .to_string()
    } else {
        format!(
            "{}\t{}/{}\t{}\t{} items\tnewest {}",
            target.key,
            target.platform,
            target.page,
            outcome_word(outcome),
            record.posts.len(),
            newest.as_deref().unwrap_or("-"),
        )
    };
    // A closed pipe is the reader's wish; the visits are stored all the same.
    let _closed = writeln!(io::stdout().lock(), "{line}");
}
