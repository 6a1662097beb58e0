//! Everything the rules look at, for a batch of accounts.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::{AccountFacts, AskedFact, Check, Confirmed, Deleted, LateAppearance};
use crate::domain::{Account, AccountId, IdTime};
use crate::jobs::Context;
use crate::observe::{
    self, DateRules, History, Judgement, LatePost, ListedPost, Outcome, Policy, PostMark, Presence,
};
use crate::platform::{Platform, Role, TimeSource};

use super::identities;
use super::measures::{self, AllMeasures};
use super::propose::At;

/// How long back messages are read, in days; rules look back less.
const INQUIRY_DAYS: i64 = 366;

/// The facts of accounts, in their order.
pub(super) async fn gather(
    context: &Context,
    at: At,
    accounts: Vec<Account>,
) -> anyhow::Result<Vec<AccountFacts>> {
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    let since = at.cutoff - TimeDelta::days(i64::from(context.settings.history_days));
    let read = context.timed("histories", context.store.histories(&ids, since)).await;
    let histories = read.context("histories")?;
    let mut measures = measures::measured(context, at, &accounts).await?;
    let mut inquiries = inquiries(context, at, &ids).await?;
    let mut marks = context.store.post_marks(&ids, since).await.context("marks of posts")?;
    let runs = context.store.identity_runs(&ids).await.context("identities")?;
    let mut identities = identities::shown(runs, at);
    let facts = accounts.into_iter().map(|account| {
        let empty = History::default();
        let history = histories.get(&account.id).unwrap_or(&empty);
        let measured = measures.remove(&account.id).unwrap_or_default();
        let asked = inquiries.remove(&account.id).unwrap_or_default();
        let marks = marks.remove(&account.id).unwrap_or_default();
        let shown = identities.remove(&account.id).unwrap_or_default();
        let mut facts = of_one(context, at, account, history, measured);
        if !asked.is_empty() || facts.inquiries.is_some() {
            facts.inquiries = Some(asked);
        }
        facts.identities = shown;
        facts.deleted = deleted(history, &marks, at.known_at);
        facts
    });
    Ok(facts.collect())
}

fn of_one(
    context: &Context,
    at: At,
    account: Account,
    history: &History,
    measured: AllMeasures,
) -> AccountFacts {
    let policy = policy_for(context, &account.entry.platform);
    let judgement = judge(history, &policy, at);
    let platform = context.platforms.get(&account.entry.platform);
    let reads_messages = platform.is_some_and(|platform| {
        platform.crawled().any(|kind| matches!(kind.role, Role::Board | Role::Comments))
    });
    AccountFacts {
        platform_title: platform.map_or_else(String::new, |platform| platform.title.clone()),
        cutoff: at.cutoff,
        confirmed: confirmed(history, &judgement, at.known_at),
        judgement,
        policy,
        measures: measured.periods,
        inquiries: reads_messages.then(Vec::new),
        identities: Vec::new(),
        late: platform.and_then(|platform| late(history, platform, at.known_at)),
        deleted: None,
        burst: measured.burst,
        account,
    }
}

/// Posts that appeared late and for which no innocent cause is known; `None` where the platform
/// stamps the times itself.
fn late(
    history: &History,
    platform: &Platform,
    known_at: DateTime<Utc>,
) -> Option<Vec<LateAppearance>> {
    let by_author = |kind: &crate::platform::PageKind| kind.time_source == TimeSource::Author;
    if !platform.crawled().any(by_author) {
        return None;
    }
    let rules = |page: &str| {
        let kind = platform.pages.get(page)?;
        let visibility_lag = platform.visibility_lag;
        Some(DateRules { author_time: by_author(kind), visibility_lag })
    };
    let id_time = |post: &ListedPost| {
        platform
            .pages
            .get(post.page.as_str())
            .map_or(IdTime::Untold, |kind| kind.id_time(&post.reference))
    };
    let late = observe::late_posts(history, rules, id_time, known_at).into_iter();
    let late = late.filter(LatePost::is_candidate).map(|post| LateAppearance {
        claimed_at: post.claimed.at,
        first_seen: post.first_seen,
        reference: post.reference,
    });
    Some(late.collect())
}

/// Posts proven deleted; `None` where no list was ever read.
fn deleted(history: &History, marks: &[PostMark], known_at: DateTime<Utc>) -> Option<Vec<Deleted>> {
    let known = history.visits.iter().filter(|visit| visit.recorded_at <= known_at);
    if !known.into_iter().any(|visit| matches!(visit.outcome, Outcome::Observed(_))) {
        return None;
    }
    let gone = observe::presences(history, marks, known_at).into_iter().filter_map(|post| {
        let is_gone = matches!(post.presence, Presence::Deleted(_));
        let gone_by = post.first_missing.filter(|_| is_gone)?;
        Some(Deleted { reference: post.reference, claimed_at: None, gone_by })
    });
    Some(gone.collect())
}

/// The numbers that judge an account: a platform's own lag of visibility comes first.
pub(super) fn policy_for(context: &Context, platform: &str) -> Policy {
    let lag = context.platforms.get(platform).map(|platform| platform.visibility_lag.num_hours());
    let own = lag.and_then(|hours| u32::try_from(hours).ok());
    let visibility_lag_hours = own.unwrap_or(context.observe.visibility_lag_hours);
    Policy { visibility_lag_hours, ..*context.observe }
}

fn judge(history: &History, policy: &Policy, at: At) -> Judgement {
    if at.live {
        observe::judge(history, policy, at.cutoff, at.known_at)
    } else {
        observe::judge_at(history, policy, at.cutoff, at.known_at)
    }
}

/// The visits that confirm a judgement, oldest first.
fn confirmed(history: &History, judgement: &Judgement, known_at: DateTime<Utc>) -> Vec<Confirmed> {
    let known = history.visits.iter().filter(|visit| visit.recorded_at <= known_at);
    let mut confirmed: Vec<Confirmed> = known
        .filter_map(|visit| {
            let as_of = match &visit.outcome {
                Outcome::Observed(seen) if seen.confirming => {
                    seen.span.map_or(seen.as_of, |span| span.high)
                }
                Outcome::Gone { as_of, confirming: true } => *as_of,
                _ => return None,
            };
            let (page, started_at) = (visit.page.to_string(), visit.started_at);
            judgement.confirmations.contains(&as_of).then_some(Confirmed {
                page,
                started_at,
                as_of,
            })
        })
        .collect();
    confirmed.sort_by(|a, b| (a.started_at, &a.page).cmp(&(b.started_at, &b.page)));
    confirmed
}

async fn inquiries(
    context: &Context,
    at: At,
    ids: &[AccountId],
) -> anyhow::Result<BTreeMap<AccountId, Vec<AskedFact>>> {
    let wanted = context.rules.sets().iter().flat_map(|set| &set.rules);
    let mut asked: BTreeMap<AccountId, Vec<AskedFact>> = BTreeMap::new();
    if !wanted.into_iter().any(|rule| matches!(rule.check, Check::InquiryOverdue { .. })) {
        return Ok(asked);
    }
    let since = at.cutoff - TimeDelta::days(INQUIRY_DAYS);
    let read = context.store.inquiries_known_at(ids, since, at.known_at).await;
    for (account, inquiry) in read.context("messages")? {
        let fact = AskedFact {
            reference: inquiry.reference,
            asked: inquiry.asked,
            replied: inquiry.replied,
            last_seen: inquiry.last_seen,
        };
        asked.entry(account).or_default().push(fact);
    }
    Ok(asked)
}
