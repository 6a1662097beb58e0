use anyhow::Context as _;
use chrono::{NaiveDate, TimeDelta};
use futures::TryStreamExt;
use serde_json::json;

use crate::alert::Holding;
use crate::domain::{Account, EvidenceRef, SHANGHAI, shanghai_date};
use crate::jobs::Context;
use crate::jobs::assessment::frozen_rules;
use crate::jobs::findings::raise_naming;
use crate::jobs::report::{items, period_words};
use crate::observe::judge_at;
use crate::report::{Item, ItemKind};
use crate::score::VerdictWord;
use crate::score::frozen::{FrozenAccount, FrozenRules};
use crate::store::{Assessment, FindingFilter};

use super::standing::{Found, Standing, fails_by_silence, is_called, standing};

/// Most findings of one account that are looked at, the oldest first.
const FINDINGS_MAX: u32 = 1_000;

/// An account of an assessment that a bulletin is to name: it failed, or its scheme names it
/// without that.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// 账号编号.
    pub key: String,
    /// 账号名称 as it was frozen.
    pub name: String,
    /// The platform's Chinese name.
    pub platform: String,
    /// What it failed for, or is named for.
    pub items: Vec<Item>,
    /// Whether it failed.
    pub failed: bool,
    /// The account as it is now; absent where the ledger has it no longer.
    pub account: Option<Account>,
    /// Whether it may be named.
    pub standing: Standing,
    /// Whether its scheme lets it be named on one person's word.
    without_approval: bool,
}

impl Candidate {
    /// Why it is not named; `None` where it is.
    pub fn withheld(&self) -> Option<String> {
        match &self.standing {
            Standing::Withheld(reason) => Some(reason.clone()),
            _ => None,
        }
    }
}

/// Every account of an assessment that is to be named, in its order, with what stands between it
/// and a naming.
///
/// # Errors
/// The database does not answer; the assessment does not read.
pub async fn candidates(context: &Context, one: &Assessment) -> anyhow::Result<Vec<Candidate>> {
    let (_, rules) = frozen_rules(&context.store, one.id).await?;
    let today = shanghai_date(context.clock.now());
    let mut all = Vec::new();
    let mut lines = context.store.frozen_lines(one.id);
    while let Some(line) = lines.try_next().await? {
        let frozen = FrozenAccount::read(&line).map_err(anyhow::Error::msg)?;
        let is_to_be_named = match frozen.card.verdict.as_ref().map(|verdict| verdict.result) {
            Some(VerdictWord::Fail) => true,
            Some(VerdictWord::Pass | VerdictWord::Undetermined) => is_called(&frozen.card),
            Some(VerdictWord::NotJudged) | None => false,
        };
        if is_to_be_named {
            all.push(candidate(context, one, &rules, &frozen, today).await?);
        }
    }
    Ok(all)
}

async fn candidate(
    context: &Context,
    one: &Assessment,
    rules: &FrozenRules,
    frozen: &FrozenAccount,
    today: NaiveDate,
) -> anyhow::Result<Candidate> {
    let account = context.store.account(&frozen.key).await.context("reading the ledger")?;
    let scheme = rules.scheme(&frozen.scheme);
    let without_approval = scheme.is_some_and(|scheme| scheme.naming_without_approval)
        && !needs_a_person(context, (one, frozen), account.as_ref()).await?;
    let standing = match (&frozen.exemption, &account) {
        (Some(reason), _) => Standing::Withheld(format!("豁免：{reason}")),
        (None, None) => Standing::Withheld("台账中已无此账号".to_owned()),
        (None, Some(_)) => {
            let wanted = FindingFilter {
                key: Some(frozen.key.clone()),
                limit: FINDINGS_MAX,
                ..FindingFilter::default()
            };
            let findings = context.store.findings(&wanted).await?;
            let found = Found { one, frozen, findings: &findings, without_approval };
            standing(context, &found, today)
        }
    };
    Ok(Candidate {
        key: frozen.key.clone(),
        name: frozen.name.clone(),
        platform: frozen.platform_title.clone(),
        items: items(&frozen.card),
        failed: frozen.card.verdict.as_ref().is_some_and(|one| one.result == VerdictWord::Fail),
        account,
        standing,
        without_approval,
    })
}

/// Whether naming the account needs approval whatever the scheme says: its verdict at the cutoff
/// rests on a third day in place of a canary, or is not reached again from what was known then, as
/// where a canary was added since.
async fn needs_a_person(
    context: &Context,
    (one, frozen): (&Assessment, &FrozenAccount),
    account: Option<&Account>,
) -> anyhow::Result<bool> {
    let Some(account) = account else { return Ok(false) };
    let since = one.cutoff - TimeDelta::days(i64::from(context.settings.history_days));
    let mut histories = context.store.histories(&[account.id], since).await?;
    let history = histories.remove(&account.id).unwrap_or_default();
    let judged = judge_at(&history, &context.observe, one.cutoff, one.known_at);
    Ok(judged.no_canary || (fails_by_silence(&frozen.card) && !judged.activity.is_silent()))
}

/// Raises the finding under which a candidate is to be named.
pub(super) async fn raise(
    context: &Context,
    one: &Assessment,
    candidate: &Candidate,
    actor: &str,
) -> anyhow::Result<()> {
    let Some(account) = &candidate.account else { return Ok(()) };
    let titles: Vec<&str> = candidate
        .items
        .iter()
        .filter(|item| item.kind != ItemKind::Deduction)
        .map(|item| item.title.as_str())
        .collect();
    let period = one.period.parse().map_err(anyhow::Error::msg)?;
    let cutoff = one.cutoff.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M");
    let holding = Holding {
        occasion: one.digest.clone(),
        statement: format!(
            "{}检查(监测时间点 {cutoff}){}:{}。",
            period_words(period),
            if candidate.failed { "不合格" } else { "按规定应予通报" },
            titles.join("、")
        ),
        inputs: json!({
            "assessment": one.id, "version": one.version, "digest": one.digest, "items": titles,
        }),
        evidence: vec![
            EvidenceRef::Ledger { key: candidate.key.clone() },
            EvidenceRef::Note { text: format!("考核定格 {} {}", one.id, one.digest) },
        ],
        needs_approval: !candidate.without_approval,
        ..Holding::default()
    };
    raise_naming(context, account, holding, actor).await.map(|_| ())
}
