//! One line of a bundle for each account.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use crate::domain::{Account, AccountId, shanghai_date};
use crate::jobs::Context;
use crate::jobs::score::{Beside, Judging, period_facts, tables};
use crate::scheme::Assignment;
use crate::score::frozen::{BundleDigest, FrozenAccount, FrozenEvidence};
use crate::score::{PeriodFacts, ScoreCard, score};
use crate::store::{Freezing, NewFrozenAccount, ScoreInput};

/// The lines of some accounts; those that no scheme judges have none.
pub(super) async fn batch(
    context: &Context,
    judging: &Judging<'_>,
    beside: &Beside,
    inputs: Vec<ScoreInput>,
) -> anyhow::Result<Vec<(AccountId, FrozenAccount)>> {
    let ids: Vec<AccountId> = inputs.iter().map(|input| input.account.id).collect();
    let posted = context.store.last_posts(&ids, judging.cutoff, judging.known_at).await?;
    let mut batch = Vec::with_capacity(inputs.len());
    for (account, facts) in period_facts(context, judging, inputs).await? {
        let Some((scheme, row)) = judging.scheme_of(context, &account) else { continue };
        let facts = facts.canonical();
        let mut card = score(scheme, &facts, &beside.of(account.id), tables(context))?;
        card.assigned_by = row.map(Assignment::to_string);
        let last_post_at = posted.get(&account.id).copied();
        let earlier = beside.earlier.get(&account.id).cloned().unwrap_or_default();
        let frozen = FrozenAccount { last_post_at, earlier, ..of(context, &account, facts, card) };
        let judged_on = shanghai_date(judging.cutoff);
        let exempt = account.entry.exempt_until.is_none_or(|until| judged_on <= until);
        let exemption = account.entry.exemption.clone().filter(|_| exempt);
        batch.push((account.id, FrozenAccount { exemption, ..frozen }));
    }
    Ok(batch)
}

fn of(context: &Context, account: &Account, facts: PeriodFacts, card: ScoreCard) -> FrozenAccount {
    let entry = &account.entry;
    let platform = context.platforms.get(&entry.platform);
    FrozenAccount {
        key: entry.key.clone(),
        name: entry.name.clone(),
        platform: entry.platform.clone(),
        platform_title: platform.map_or(&entry.platform, |one| &one.title).clone(),
        sponsor: entry.sponsor.clone(),
        supervisor: entry.supervisor.clone(),
        region: entry.region.as_str().to_owned(),
        lifecycle: entry.lifecycle,
        exemption: None,
        last_post_at: None,
        scheme: card.scheme.clone(),
        earlier: BTreeMap::new(),
        evidence: None,
        facts,
        card,
    }
}

/// Pins what a failed account's verdict rests on: the period, and before it to the last post.
pub(super) async fn pin(
    freezing: &mut Freezing,
    id: AccountId,
    account: &FrozenAccount,
    now: DateTime<Utc>,
) -> anyhow::Result<FrozenEvidence> {
    let begin = account.facts.period.from();
    let from = account.last_post_at.map_or(begin, |last| last.min(begin));
    let (pinned, leaves) = freezing.pin(id, (from, now), now).await.context("pinning evidence")?;
    Ok(FrozenEvidence {
        from,
        to: now,
        records: pinned.records,
        dropped: pinned.dropped,
        unkept: pinned.unkept,
        leaves,
    })
}

pub(super) fn row(account: &FrozenAccount, digest: &mut BundleDigest) -> NewFrozenAccount {
    let line = account.line();
    digest.line(&line);
    NewFrozenAccount {
        key: account.key.clone(),
        platform: account.platform.clone(),
        region: account.region.clone(),
        verdict: account.card.verdict.as_ref().map(|one| one.result.as_str()),
        line,
    }
}
