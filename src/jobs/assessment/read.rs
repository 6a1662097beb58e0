use std::io::Write;

use anyhow::{Context as _, anyhow};
use futures::TryStreamExt;

use crate::scheme::Scheme;
use crate::score::frozen::{
    DraftComparison, FrozenAccount, FrozenRules, FrozenTail, Recomputation, Verification, Verified,
    lay_over,
};
use crate::store::{Assessment, Store};

/// The rules that a stored assessment carries.
///
/// # Errors
/// There is no such assessment, or this program does not compile what it carries.
pub async fn frozen_rules(store: &Store, id: i64) -> anyhow::Result<(String, FrozenRules)> {
    let head = store.assessment_head(id).await?;
    let head = head.with_context(|| format!("there is no assessment {id}"))?;
    let rules = FrozenRules::read(&head).map_err(anyhow::Error::msg)?;
    Ok((head, rules))
}

/// Computes a stored assessment again and holds it against what was frozen, bit for bit.
///
/// # Errors
/// Everything that does not hold, one a line; the database does not answer.
pub async fn verify_stored(store: &Store, one: &Assessment) -> anyhow::Result<Verified> {
    let (head, rules) = frozen_rules(store, one.id).await?;
    let mut verification = Verification::new(&rules, &head);
    let mut lines = store.frozen_lines(one.id);
    while let Some(line) = lines.try_next().await? {
        verification.first(&line).map_err(anyhow::Error::msg)?;
    }
    for line in store.assessment_summaries(one.id).await? {
        verification.first(&line).map_err(anyhow::Error::msg)?;
    }
    verification.compare();
    let mut lines = store.frozen_lines(one.id);
    while let Some(line) = lines.try_next().await? {
        verification.second(&line).map_err(anyhow::Error::msg)?;
    }
    verification.finish(&tail(one)).map_err(anyhow::Error::msg)
}

fn tail(one: &Assessment) -> FrozenTail {
    let (accounts, summaries, digest) = (one.accounts, one.summaries, one.digest.clone());
    FrozenTail { accounts, summaries, digest }
}

/// Writes the bundle of a stored assessment: a file that verifies with nothing else at hand.
///
/// # Errors
/// The database does not answer, or the writer refuses.
pub async fn export(store: &Store, one: &Assessment, out: &mut impl Write) -> anyhow::Result<()> {
    let head = store.assessment_head(one.id).await?;
    let head = head.ok_or_else(|| anyhow!("there is no assessment {}", one.id))?;
    writeln!(out, "{head}")?;
    let mut lines = store.frozen_lines(one.id);
    while let Some(line) = lines.try_next().await? {
        writeln!(out, "{line}")?;
    }
    for line in store.assessment_summaries(one.id).await? {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", tail(one).line())?;
    Ok(())
}

/// Lays a draft over the accounts that a frozen scheme judged.
///
/// # Errors
/// The database does not answer, or the draft uses measures that this program does not have.
pub async fn lay_draft_over(
    store: &Store,
    id: i64,
    rules: &FrozenRules,
    (frozen, draft): (&Scheme, &Scheme),
) -> anyhow::Result<DraftComparison> {
    let mut recomputation = Recomputation::new(rules, Some((&frozen.id, draft)));
    let mut accounts = Vec::new();
    let mut lines = store.frozen_lines(id);
    while let Some(line) = lines.try_next().await? {
        let account = FrozenAccount::read(&line).map_err(anyhow::Error::msg)?;
        if account.scheme == frozen.id {
            recomputation.enter(&account).map_err(anyhow::Error::msg)?;
            accounts.push(Ok(account));
        }
    }
    recomputation.compare();
    lay_over(&recomputation, (frozen, draft), accounts).map_err(anyhow::Error::msg)
}
