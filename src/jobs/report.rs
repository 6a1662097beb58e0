//! A frozen assessment as the check that a bulletin reports.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use futures::TryStreamExt;

use crate::domain::Lifecycle;
use crate::report::{
    Before, Check, Earlier, Examined, Issue, Item, ItemKind, Judged, Kind, Origin, RecheckState,
};
use crate::score::frozen::{FrozenAccount, FrozenRules};
use crate::score::{FlagScore, FlagState, Period, ScoreCard, VerdictWord};
use crate::store::{Assessment, Store};

use super::assessment::frozen_rules;

/// The platforms whose accounts are sites, which bulletins count apart.
const SITES: [&str; 2] = ["site", "portal"];

/// What stands where a score decides and not a veto.
const BELOW_THE_LINE: &str = "评分未达合格线";

/// The outcome of flags after which an account is named whether it failed or not.
const NAMED: &str = "name";

/// Who is named in a published issue.
#[derive(Debug, Clone)]
pub struct Listed<'a> {
    /// The issue.
    pub issue: Issue,
    /// Every failed account and every other that is to be named (账号编号), with why it is not
    /// named; `None` where it is.
    pub withheld: &'a BTreeMap<String, Option<String>>,
}

/// Reads what a frozen assessment found, and what has become of those that were named, or failed,
/// in the period before under the same scheme. Without a list it is a draft, which names nobody.
///
/// # Errors
/// None of its accounts has a verdict; the database does not answer.
pub async fn check_of(
    store: &Store,
    one: &Assessment,
    listed: Option<&Listed<'_>>,
) -> anyhow::Result<Check> {
    let (_, rules) = frozen_rules(store, one.id).await?;
    let mut examined = Vec::new();
    let (mut without_verdict, mut not_judged) = (0, 0);
    let mut states: BTreeMap<String, RecheckState> = BTreeMap::new();
    let mut schemes: BTreeMap<String, (String, String, String)> = BTreeMap::new();
    let mut lines = store.frozen_lines(one.id);
    while let Some(line) = lines.try_next().await? {
        let account = FrozenAccount::read(&line).map_err(anyhow::Error::msg)?;
        states.insert(account.key.clone(), state(&account));
        match examined_of(&account, listed) {
            Some(found) => {
                schemes.entry(account.scheme.clone()).or_insert_with(|| named(&rules, &account));
                examined.push(found);
            }
            None if account.card.verdict.is_none() => without_verdict += 1,
            None => not_judged += 1,
        }
    }
    ensure!(
        !examined.is_empty(),
        "assessment {} passes and fails nobody: its schemes have no vetoes and no [pass]",
        one.id
    );
    let head = &rules.head;
    let mut earlier = earlier(store, one, head.period.previous(), &states).await?;
    let to_be_named: BTreeSet<&str> =
        examined.iter().filter(|one| one.is_to_be_named()).map(|one| one.key.as_str()).collect();
    for account in earlier.iter_mut().flat_map(|before| &mut before.accounts) {
        account.is_named_again = listed.is_some() && to_be_named.contains(account.key.as_str());
    }
    Ok(Check {
        period: period_words(head.period),
        cutoff: head.cutoff,
        running: head.running,
        sample: head.sample.as_ref().map(|sample| sample.note.clone()),
        without_verdict,
        not_judged,
        earlier,
        issue: listed.map(|listed| listed.issue.clone()),
        origin: Origin {
            assessment: one.id,
            version: one.version,
            digest: one.digest.clone(),
            schemes: schemes.into_values().collect(),
            chain: head.chain.as_ref().map(|chain| (chain.day, chain.value.clone())),
        },
        examined,
    })
}

fn named(rules: &FrozenRules, account: &FrozenAccount) -> (String, String, String) {
    let title = rules.scheme(&account.scheme).map_or(&account.scheme, |scheme| &scheme.title);
    (title.clone(), account.card.version.clone(), account.card.scheme_digest.clone())
}

/// `None` for an account that its scheme does not judge, or gives no verdict.
fn examined_of(account: &FrozenAccount, listed: Option<&Listed<'_>>) -> Option<Examined> {
    let verdict = account.card.verdict.as_ref()?;
    let judged = match verdict.result {
        VerdictWord::Pass => Judged::Passed,
        VerdictWord::Fail => Judged::Failed,
        VerdictWord::Undetermined => Judged::Undetermined(open(&account.card)),
        VerdictWord::NotJudged => return None,
    };
    let withheld = match listed.and_then(|listed| listed.withheld.get(&account.key)) {
        Some(withheld) => withheld.clone(),
        // Whom an issue does not list it does not name, whatever is made of it later.
        None => account.exemption.clone().or_else(|| listed.map(|_| "未列入该期通报".to_owned())),
    };
    let is_site = SITES.contains(&account.platform.as_str());
    Some(Examined {
        key: account.key.clone(),
        name: account.name.clone(),
        platform: account.platform_title.clone(),
        kind: if is_site { Kind::Site } else { Kind::Account },
        sponsor: account.sponsor.clone(),
        supervisor: account.supervisor.clone(),
        judged,
        items: items(&account.card),
        last_post_at: account.last_post_at,
        withheld,
    })
}

/// What could not be told, and why: each veto that is open with its reason, else the verdict's own.
fn open(card: &ScoreCard) -> String {
    let vetoes = card.vetoes.iter().filter_map(|veto| match &veto.state {
        FlagState::Undetermined { reason, taken_as: None } => {
            Some(format!("{}：{reason}", veto.title))
        }
        _ => None,
    });
    let open: Vec<String> = vetoes.collect();
    match (open.is_empty(), &card.verdict) {
        (true, Some(verdict)) => verdict.reasons.join("；"),
        _ => open.join("；"),
    }
}

/// Whether a flag is proven to hold after which the account is named whether it failed or not.
pub(super) fn is_naming(flag: &FlagScore) -> bool {
    flag.outcome == NAMED && flag.state == FlagState::Holds
}

/// What is proven wrong: vetoes that hold, a score below the line, points surely lost, and what the
/// scheme names for without failing.
pub(super) fn items(card: &ScoreCard) -> Vec<Item> {
    let item = |kind, title: &str| Item { kind, title: title.to_owned() };
    let held = card.vetoes.iter().filter(|veto| veto.state.holds() == Some(true));
    let mut items: Vec<Item> = held.map(|veto| item(ItemKind::Veto, &veto.title)).collect();
    let failed = card.verdict.as_ref().is_some_and(|one| one.result == VerdictWord::Fail);
    if failed && items.is_empty() {
        items.push(item(ItemKind::Score, BELOW_THE_LINE));
    }
    for line in card.dimensions.iter().flat_map(|dimension| &dimension.lines) {
        let lost = |loss: &crate::score::Loss| {
            loss.outcome.points().is_some_and(|points| !points.low.is_zero())
        };
        if line.losses.iter().any(lost) {
            items.push(item(ItemKind::Deduction, &line.title));
        }
    }
    let called = card.flags.iter().filter(|flag| is_naming(flag));
    items.extend(called.map(|flag| item(ItemKind::Called, &flag.title)));
    items.sort();
    items.dedup();
    items
}

fn state(account: &FrozenAccount) -> RecheckState {
    if matches!(account.lifecycle, Lifecycle::Closed | Lifecycle::Cancelled) {
        return RecheckState::Closed;
    }
    let is_called = account.card.flags.iter().any(is_naming);
    match account.card.verdict.as_ref().map(|verdict| verdict.result) {
        Some(VerdictWord::Pass | VerdictWord::Undetermined) if is_called => {
            RecheckState::NotRectified
        }
        Some(VerdictWord::Pass) => RecheckState::Rectified,
        Some(VerdictWord::Fail) => RecheckState::NotRectified,
        Some(VerdictWord::Undetermined) => RecheckState::Undetermined,
        Some(VerdictWord::NotJudged) | None => RecheckState::NotExamined,
    }
}

/// Who was named in the newest issue of the period before; where none was published, who failed in
/// its newest assessment.
async fn earlier(
    store: &Store,
    one: &Assessment,
    period: Period,
    states: &BTreeMap<String, RecheckState>,
) -> anyhow::Result<Option<Before>> {
    let text = period.to_string();
    let issues = store.bulletins(Some(&text)).await.context("the bulletin before")?;
    let issue = issues.into_iter().find(|it| it.superseded_by.is_none() && it.scheme == one.scheme);
    let mut failed = Vec::new();
    if let Some(issue) = &issue {
        for listed in store.bulletin_accounts(issue.id).await? {
            let line = store.frozen_account(issue.assessment, &listed.key).await?;
            if let Some(line) = line.filter(|_| listed.withheld.is_none()) {
                failed.push(FrozenAccount::read(&line).map_err(anyhow::Error::msg)?);
            }
        }
    } else {
        let before = store.assessments(Some(&text)).await.context("the period before")?;
        let newest =
            before.into_iter().find(|it| it.superseded_by.is_none() && it.scheme == one.scheme);
        let Some(newest) = newest else { return Ok(None) };
        let mut lines = store.frozen_lines(newest.id);
        while let Some(line) = lines.try_next().await? {
            let account = FrozenAccount::read(&line).map_err(anyhow::Error::msg)?;
            let verdict = account.card.verdict.as_ref().map(|verdict| verdict.result);
            if verdict == Some(VerdictWord::Fail) && account.exemption.is_none() {
                failed.push(account);
            }
        }
    }
    let accounts = failed.into_iter().map(|account| Earlier {
        now: states.get(&account.key).copied().unwrap_or(RecheckState::NotExamined),
        items: items(&account.card),
        key: account.key,
        name: account.name,
        platform: account.platform_title,
        sponsor: account.sponsor,
        is_named_again: false,
    });
    let accounts = accounts.collect();
    Ok(Some(Before { period: period_words(period), is_published: issue.is_some(), accounts }))
}

/// `2026年第三季度`, `2026年11月`, `2026年`.
pub(super) fn period_words(period: Period) -> String {
    let text = period.to_string();
    let (year, rest) = text.split_at(4);
    let quarters = [("Q1", "第一季度"), ("Q2", "第二季度"), ("Q3", "第三季度"), ("Q4", "第四季度")];
    match (quarters.into_iter().find(|(word, _)| *word == rest), rest.strip_prefix('-')) {
        (Some((_, words)), _) => format!("{year}年{words}"),
        (_, Some(month)) => format!("{year}年{}月", month.trim_start_matches('0')),
        _ => format!("{year}年"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_written_as_circulars_write_them() {
        for (period, words) in [
            ("2026Q3", "2026年第三季度"),
            ("2026-09", "2026年9月"),
            ("2026-11", "2026年11月"),
            ("2026", "2026年"),
        ] {
            assert_eq!(period_words(period.parse().unwrap()), words);
        }
    }
}
