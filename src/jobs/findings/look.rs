//! The periodic looks: at what is new, and at what was mended.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use crate::alert::{Check, Rhythm, Verdict, warn};
use crate::domain::{AccountId, FindingState, Step, Subject, shanghai_date, shanghai_midnight};
use crate::jobs::Context;
use crate::store::{FindingFilter, FindingRecord, StoredWarning};

use super::apply::{apply, by_place, is_outlived, take};
use super::ladder::of_ladders;
use super::ledger::Ledger;
use super::propose::{At, Proposal, of_accounts};
use super::{BATCH, outcomes};

/// More open findings of rules about the books than this are not read at once.
const OPEN_MAX: u32 = 100_000;

/// Holds every account of which something new is known against the rules, each at least once a day,
/// then the books, the matrices and the ladder.
///
/// # Errors
/// The database does not answer.
pub async fn look(context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    let today = shanghai_midnight(shanghai_date(now));
    // Texts are compared once a day: with the first look of a day.
    let (mut after, mut is_new_day) = (None, false);
    loop {
        let limit = u32::try_from(BATCH)?;
        let looks = context.store.to_look(after, today, limit).await.context("what is new")?;
        let Some(last) = looks.last() else { break };
        after = Some(last.account);
        is_new_day |= looks.iter().any(|one| one.looked_at.is_none_or(|at| at < today));
        let batch: Vec<AccountId> = looks.iter().map(|one| one.account).collect();
        examine(context, &batch, now).await?;
        context.store.looked(&looks, now).await.context("noting the look")?;
    }
    of_all(context, is_new_day, now).await
}

/// Checks what came of notices, looks again at what was said to be mended or explained, and ends
/// what has passed its check.
///
/// # Errors
/// The database does not answer.
pub async fn recheck(context: &Context) -> anyhow::Result<()> {
    let now = context.clock.now();
    outcomes::tell(context, now).await.context("what came of notices")?;
    let mut accounts = BTreeSet::new();
    for state in [FindingState::Rectified, FindingState::Explained, FindingState::Rechecked] {
        let wanted = FindingFilter { state: Some(state), limit: OPEN_MAX, ..Default::default() };
        for record in context.store.findings(&wanted).await? {
            if state == FindingState::Rechecked {
                take(context, record.id, Step::Close, "复查通过").await?;
            } else if is_left_to_persons(context, &record) && is_outlived(context, &record, now) {
                take(context, record.id, Step::Reopen, "说明的有效期已过").await?;
            } else if let Subject::Account(account) = record.found.subject {
                accounts.insert(account);
            }
        }
    }
    let accounts: Vec<AccountId> = accounts.into_iter().collect();
    for batch in accounts.chunks(BATCH) {
        examine(context, batch, now).await?;
    }
    Ok(())
}

/// Whether no data can check it: its explanation ends with its day alone.
fn is_left_to_persons(context: &Context, record: &FindingRecord) -> bool {
    let by_data = context.rules.rule(&record.found.rule).is_some_and(|r| r.check.is_automatic());
    record.state == FindingState::Explained && !by_data
}

/// Holds accounts against the rules about single accounts, and renews their warnings.
async fn examine(
    context: &Context,
    accounts: &[AccountId],
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let accounts = context.store.entries_known_at(accounts, now).await.context("the ledger")?;
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    let open = by_place(context.store.open_findings_of(&ids).await?);
    warn_of(context, &ids, now).await.context("warnings")?;
    let proposals = of_accounts(context, At::now(now), accounts).await?;
    apply(context, proposals, &open, now).await
}

/// Renews the warnings of accounts that are not silent yet.
async fn warn_of(
    context: &Context,
    accounts: &[AccountId],
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let rates: BTreeMap<AccountId, _> =
        context.store.posting_rates(accounts).await?.into_iter().collect();
    let quiet = context.store.quiet_accounts(accounts).await?;
    let warnings: Vec<StoredWarning> = quiet
        .into_iter()
        .filter_map(|(account, last_post_at, deadline_at)| {
            let rate = rates.get(&account)?;
            let rhythm = Rhythm {
                posts: rate.alpha + context.schedule.prior_posts,
                days: rate.beta + context.schedule.prior_days,
            };
            let warning = warn(rhythm, last_post_at, deadline_at, now, &context.alert)?;
            Some(StoredWarning {
                account,
                quiet_days: warning.quiet_days,
                surprise_bits: warning.surprise_bits,
                silent_by_deadline: warning.silent_by_deadline,
                last_post_at,
                deadline_at,
            })
        })
        .collect();
    context.store.save_warnings(accounts, &warnings, now).await?;
    Ok(())
}

/// Rules about more than one account. What the books no longer show is mended by them; copied
/// content and the ladder speak for themselves.
async fn of_all(context: &Context, is_new_day: bool, now: DateTime<Utc>) -> anyhow::Result<()> {
    let at = At::now(now);
    let ledger = Ledger::known_at(context, now, is_new_day).await?;
    let mut proposals = ledger.of_books();
    let mut records = Vec::new();
    for rule in context.rules.sets().iter().flat_map(|set| &set.rules) {
        let of_books = rule.check.is_of_books();
        let of_many =
            matches!(rule.check, Check::NearDuplicate(_) | Check::MissedNotices | Check::Closure);
        if !of_books && !of_many {
            continue;
        }
        let rule_id = Some(rule.id.clone());
        let wanted =
            FindingFilter { open: true, rule: rule_id, limit: OPEN_MAX, ..Default::default() };
        let open = context.store.findings(&wanted).await?;
        if of_books {
            proposals.extend(mended(&proposals, &open));
        }
        records.extend(open);
    }
    proposals.extend(ledger.of_matrices(at).await?);
    proposals.extend(of_ladders(context, at).await?);
    apply(context, proposals, &by_place(records), now).await
}

fn mended(holding: &[Proposal], open: &[FindingRecord]) -> Vec<Proposal> {
    let holds = |record: &&FindingRecord| {
        holding
            .iter()
            .any(|one| one.rule == record.found.rule && one.subject == record.found.subject)
    };
    let gone = open.iter().filter(|record| !holds(record)).map(|record| Proposal {
        rule: record.found.rule.clone(),
        subject: record.found.subject.clone(),
        key: None,
        verdict: Verdict::Refuted { proof: "台账已更正".to_owned(), at: None },
    });
    gone.collect()
}
