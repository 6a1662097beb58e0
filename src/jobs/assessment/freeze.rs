use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use crate::jobs::Context;
use crate::jobs::score::{Judging, compare};
use crate::scheme::Scheme;
use crate::score::frozen::{
    BundleDigest, ChainHead, FORMAT, FrozenHead, FrozenSample, FrozenText, Summary, Summing,
};
use crate::score::{Period, VerdictWord};
use crate::store::{Freezing, NewAssessment};

use super::lines::{batch, pin, row};

/// Accounts frozen at once: their facts are in memory together, beside the rows of the next.
const ACCOUNTS: usize = 50;

/// What is to be frozen.
#[derive(Debug, Clone, Copy)]
pub struct Freeze<'a> {
    /// The period.
    pub period: Period,
    /// The scheme for every account; absent: the assigned ones.
    pub scheme: Option<&'a Scheme>,
    /// 监测时间点.
    pub cutoff: DateTime<Utc>,
    /// The accounts drawn (账号编号) and how; absent: all.
    pub sample: Option<(&'a BTreeSet<String>, &'a str)>,
    /// Who freezes.
    pub actor: &'a str,
    /// Why; needed for a correction.
    pub reason: &'a str,
}

/// What was frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The number of the assessment.
    pub id: i64,
    /// Its version.
    pub version: u32,
    /// Its digest.
    pub digest: String,
    /// How many accounts it holds.
    pub accounts: u64,
    /// How many of each verdict; those without one are not counted.
    pub verdicts: BTreeMap<&'static str, u64>,
}

/// Freezes a period as it is known now: computes every card from stored facts and writes facts,
/// cards and rules into one assessment that never changes. The evidence of accounts that fail is
/// pinned.
///
/// # Errors
/// The cutoff lies in the future; the period has an assessment and no reason is given for a new
/// one; no account is judged; an account of the sample is not in the ledger; the database does not
/// answer.
pub async fn freeze(context: &Context, wanted: &Freeze<'_>) -> anyhow::Result<Frozen> {
    let now = context.clock.now();
    let (period, cutoff) = (wanted.period, wanted.cutoff);
    ensure!(cutoff <= now, "the cutoff {cutoff} has not come yet");
    ensure!(cutoff > period.from(), "the cutoff {cutoff} lies before the period {period}");
    let judging = Judging {
        period,
        cutoff,
        known_at: now,
        scheme: wanted.scheme,
        only: wanted.sample.map(|(keys, _)| keys),
    };
    let running = running(context, wanted).await?;
    let id = wanted.scheme.map(|scheme| scheme.id.as_str());
    let frozen = context.store.assessments(Some(&period.to_string())).await?;
    let newest = frozen.iter().filter(|one| one.scheme.as_deref() == id).map(|one| one.version);
    reasoned(wanted, newest.max().unwrap_or(0))?;
    // A nation is read for minutes: not within a transaction, which the server ends where nothing
    // is asked in it for long.
    let beside = compare(context, &judging).await?;
    let mut freezing = context.store.begin_freezing(&period.to_string(), id).await?;
    let (version, _) = freezing.version();
    reasoned(wanted, version - 1)?;
    let head = head(context, wanted, &freezing, (running, now)).await?;
    let mut digest = BundleDigest::default();
    digest.line(&head.line());
    let mut verdicts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut accounts = 0;
    let mut summing = Summing::default();
    let inputs = context.store.score_inputs(judging.facts(context)).try_chunks(ACCOUNTS);
    let mut inputs = std::pin::pin!(inputs);
    while let Some(inputs) = inputs.try_next().await.context("reading facts to freeze")? {
        let batch = batch(context, &judging, &beside, inputs).await?;
        let mut rows = Vec::with_capacity(batch.len());
        for (id, mut account) in batch {
            let verdict = account.card.verdict.as_ref().map(|one| one.result);
            if verdict == Some(VerdictWord::Fail) {
                account.evidence = Some(pin(&mut freezing, id, &account, now).await?);
            }
            if let Some(word) = verdict {
                *verdicts.entry(word.as_str()).or_default() += 1;
            }
            let scheme = wanted.scheme.or_else(|| context.schemes.get(&account.scheme));
            if let Some(scheme) = scheme {
                let answering = (account.sponsor.as_str(), account.supervisor.as_deref());
                let subject = &account.facts.subject;
                summing.take(scheme, &account.key, answering, subject, &account.card);
            }
            rows.push(row(&account, &mut digest));
            accounts += 1;
        }
        freezing.accounts(&rows).await?;
    }
    ensure!(accounts > 0, "no account is judged: there is nothing to freeze");
    let summaries: Vec<String> = summing.finish().iter().map(Summary::line).collect();
    summaries.iter().for_each(|line| digest.line(line));
    freezing.summaries(&summaries).await?;
    let new = NewAssessment {
        cutoff,
        known_at: now,
        frozen_at: now,
        actor: wanted.actor.to_owned(),
        reason: wanted.reason.to_owned(),
        digest: digest.finish(),
        head: head.line(),
    };
    let id = freezing.finish(&new).await?;
    Ok(Frozen { id, version, digest: new.digest, accounts, verdicts })
}

/// A correction of a version, 0 for none, says why.
fn reasoned(wanted: &Freeze<'_>, newest: u32) -> anyhow::Result<()> {
    ensure!(
        newest == 0 || !wanted.reason.trim().is_empty(),
        "{} is frozen already (version {newest}): a correction says why, with --reason",
        wanted.period
    );
    Ok(())
}

/// How many accounts of the ledger run; every account of a sample must be one of the ledger's.
async fn running(context: &Context, wanted: &Freeze<'_>) -> anyhow::Result<u64> {
    let ledger = context.store.accounts().await.context("reading the ledger")?;
    if let Some((drawn, _)) = wanted.sample {
        let known: BTreeSet<&str> = ledger.iter().map(|one| one.entry.key.as_str()).collect();
        let strange: Vec<&str> =
            drawn.iter().map(String::as_str).filter(|key| !known.contains(key)).collect();
        ensure!(strange.is_empty(), "not in the ledger: {}", strange.join(", "));
    }
    Ok(ledger.iter().filter(|one| one.entry.lifecycle.is_judged()).count() as u64)
}

async fn head(
    context: &Context,
    wanted: &Freeze<'_>,
    freezing: &Freezing,
    (running, now): (u64, DateTime<Utc>),
) -> anyhow::Result<FrozenHead> {
    let chain = context.store.newest_chain_day().await.context("the evidence chain")?;
    let (version, supersedes) = freezing.version();
    let text = |scheme: &Scheme| FrozenText::of(&format!("{}.toml", scheme.id), &scheme.text);
    let schemes = match wanted.scheme {
        Some(scheme) => vec![text(scheme)],
        None => context.schemes.iter().map(text).collect(),
    };
    Ok(FrozenHead {
        format: FORMAT.to_owned(),
        software: format!("xunjian {}", env!("CARGO_PKG_VERSION")),
        period: wanted.period,
        scheme: wanted.scheme.map(|scheme| scheme.id.clone()),
        version,
        supersedes: supersedes.map(str::to_owned),
        actor: wanted.actor.to_owned(),
        reason: wanted.reason.to_owned(),
        frozen_at: now,
        cutoff: wanted.cutoff,
        known_at: now,
        running,
        sample: wanted
            .sample
            .map(|(drawn, note)| FrozenSample { drawn: drawn.len() as u64, note: note.to_owned() }),
        chain: chain.map(|day| ChainHead { day: day.day, value: day.chain.to_string() }),
        schemes,
        indices: context.indices.files().iter().map(FrozenText::from).collect(),
        calendar: context.calendar.files().iter().map(FrozenText::from).collect(),
        calendar_digest: context.calendar.digest().to_owned(),
    })
}
