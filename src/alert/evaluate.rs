//! One rule held against one account.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::{Activity, EvidenceRef, Lifecycle, Reason, SHANGHAI};

use super::facts::AccountFacts;
use super::rule::{Check, Rule, SilentTier};
use super::{books, drift, measured, posts};

/// What a rule says of its subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It holds: a finding is raised, or the open one brought up to date.
    Holds(Holding),
    /// It holds as well, but a graver rule says so already: nothing is raised, what is open stays.
    Covered,
    /// A proven fact refutes it: what is open is mended.
    Refuted {
        /// The fact, in Chinese.
        proof: String,
        /// When it happened, as of a post.
        at: Option<DateTime<Utc>>,
    },
    /// It cannot be told: nothing is raised, nothing is mended.
    Undetermined(Doubt),
    /// It does not hold, and nothing proven speaks against an open one.
    Quiet,
}

/// Why a rule cannot be told, in Chinese or as a stable word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt(pub String);

/// What a rule that holds rests on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holding {
    /// Names the fact, so that one that was dismissed is not raised again, and another is.
    pub occasion: String,
    /// The Chinese sentence.
    pub statement: String,
    /// The window looked at.
    pub window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// What the rule was given.
    pub inputs: Value,
    /// Where that can be found again.
    pub evidence: Vec<EvidenceRef>,
    /// A person must approve, whatever the rule says: no canary stood behind it.
    pub needs_approval: bool,
}

/// What a rule says of an account. Rules about the books, about matrices, of the ladder and for
/// persons are quiet here.
pub fn judge_account(rule: &Rule, facts: &AccountFacts) -> Verdict {
    let entry = &facts.account.entry;
    if !entry.lifecycle.is_judged() {
        if rule.check.is_of_a_deed() {
            return Verdict::Quiet;
        }
        let proof = format!("台账状态为{}", entry.lifecycle.title());
        return Verdict::Refuted { proof, at: None };
    }
    if !rule.lifecycles.is_empty() && !rule.lifecycles.contains(&entry.lifecycle) {
        return Verdict::Quiet;
    }
    let category = entry.category.as_ref();
    if !rule.categories.is_empty() && !category.is_some_and(|one| rule.categories.contains(one)) {
        return Verdict::Quiet;
    }
    match &rule.check {
        Check::Silence(tier) => silence(*tier, facts),
        Check::Gone => gone(facts),
        Check::ClosingSilent => closing_silent(facts),
        Check::Measures { period, coverage_min, conditions } => {
            measured::measures(*period, *coverage_min, conditions, facts)
        }
        Check::InquiryOverdue { limit, within_days } => {
            measured::overdue(*limit, *within_days, facts)
        }
        Check::Unfiled => books::unfiled(facts),
        Check::ExemptionExpired => books::exemption_expired(facts),
        Check::IdentityDrift { within_days } => drift::drift(*within_days, facts),
        Check::Backdated { within_days } => posts::backdated(*within_days, facts),
        Check::Deleted { within_days, at_least } => posts::deleted(*within_days, *at_least, facts),
        Check::Burst { posts_min, share_min, chance_max, .. } => {
            posts::burst(*posts_min, *share_min, *chance_max, facts)
        }
        Check::DuplicateAccount
        | Check::MainAccount
        | Check::NearDuplicate(_)
        | Check::MissedNotices
        | Check::Closure
        | Check::Assessment
        | Check::Person => Verdict::Quiet,
    }
}

/// An instant as people read it.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    at.with_timezone(&SHANGHAI).format("%Y-%m-%d %H:%M").to_string()
}

pub(super) fn doubt(reason: &str) -> Verdict {
    Verdict::Undetermined(Doubt(reason.to_owned()))
}

/// A short name for a set of things, the same for the same set in any order.
pub(super) fn name_of(mut things: Vec<&str>) -> String {
    things.sort_unstable();
    things.dedup();
    hex::encode(&Sha256::digest(things.join("\n"))[..8])
}

fn silent_holding(facts: &AccountFacts, words: &str) -> Holding {
    let judgement = &facts.judgement;
    let key = &facts.account.entry.key;
    let last = judgement.last_post_at;
    let since =
        last.map_or_else(|| "从未发布".to_owned(), |at| format!("最近一次发布为 {}", shown(at)));
    let days = judgement.confirmations.len();
    let evidence = facts.confirmed.iter().map(|visit| EvidenceRef::Visit {
        key: key.clone(),
        page: visit.page.clone(),
        started_at: visit.started_at,
    });
    Holding {
        occasion: last.map_or_else(|| "never_posted".to_owned(), |at| at.to_rfc3339()),
        statement: format!(
            "截至 {}(北京时间),{since},{words},经 {days} 次观察确认。",
            shown(judgement.cutoff)
        ),
        window: None,
        inputs: json!({
            "activity": judgement.activity.as_str(),
            "last_post_at": last,
            "cutoff": judgement.cutoff,
            "coverage": judgement.coverage,
            "confirmations": judgement.confirmations,
            "no_canary": judgement.no_canary,
        }),
        evidence: evidence.collect(),
        needs_approval: judgement.no_canary,
    }
}

/// A post proves that a silence has ended; nothing else does.
fn ended_by_post(facts: &AccountFacts) -> Verdict {
    let at = facts.judgement.last_post_at;
    let proof = at.map_or_else(|| "已有新发布".to_owned(), |at| format!("{} 有新发布", shown(at)));
    Verdict::Refuted { proof, at }
}

fn silence(tier: SilentTier, facts: &AccountFacts) -> Verdict {
    let judgement = &facts.judgement;
    if facts.account.entry.lifecycle == Lifecycle::Closing {
        return Verdict::Quiet;
    }
    let (found, threshold) = match judgement.activity {
        Activity::Active => return ended_by_post(facts),
        Activity::Undetermined(reason) => return doubt(reason.as_str()),
        Activity::Gone => return Verdict::Covered,
        Activity::Watch => (SilentTier::Watch, facts.policy.watch),
        Activity::Dormant => (SilentTier::Dormant, facts.policy.dormant),
        Activity::Zombie => (SilentTier::Zombie, facts.policy.zombie),
        Activity::Empty => (SilentTier::Empty, facts.policy.dormant),
    };
    if found < tier {
        return Verdict::Quiet;
    }
    if found > tier {
        return Verdict::Covered;
    }
    let words = format!("已{}无更新", beyond(threshold));
    let window = Some((threshold.edge(judgement.cutoff), judgement.cutoff));
    Verdict::Holds(Holding { window, ..silent_holding(facts, &words) })
}

/// `超过 14 天`, `满 3 个月`.
fn beyond(threshold: crate::observe::Threshold) -> String {
    use crate::observe::Operator as Edge;
    let verb = if threshold.operator == Edge::MoreThan { "超过" } else { "满" };
    format!("{verb} {} {}", threshold.amount, threshold.unit.title())
}

fn closing_silent(facts: &AccountFacts) -> Verdict {
    if facts.account.entry.lifecycle != Lifecycle::Closing {
        return Verdict::Quiet;
    }
    match facts.judgement.activity {
        Activity::Active => ended_by_post(facts),
        Activity::Undetermined(reason) => doubt(reason.as_str()),
        Activity::Watch => Verdict::Quiet,
        Activity::Gone => {
            Verdict::Refuted { proof: "账号已从平台注销".to_owned(), at: None }
        }
        Activity::Dormant | Activity::Zombie | Activity::Empty => {
            let threshold = facts.policy.dormant;
            let words = format!("拟关停期间已{}无更新", beyond(threshold));
            let cutoff = facts.judgement.cutoff;
            let window = Some((threshold.edge(cutoff), cutoff));
            Verdict::Holds(Holding { window, ..silent_holding(facts, &words) })
        }
    }
}

fn gone(facts: &AccountFacts) -> Verdict {
    let entry = &facts.account.entry;
    let max_age = facts.policy.max_age();
    match facts.judgement.activity {
        Activity::Gone if entry.lifecycle == Lifecycle::Closing => Verdict::Quiet,
        Activity::Gone => {
            let words = format!("平台显示账号已不存在,台账状态仍为{}", entry.lifecycle.title());
            let mut holding = silent_holding(facts, &words);
            let seen = facts.judgement.last_observation_at;
            holding.occasion = seen.map_or_else(|| "never_seen".to_owned(), |at| at.to_rfc3339());
            // What showed it gone is kept as long as the finding.
            let first = facts.judgement.confirmations.iter().min();
            holding.window = first.map(|first| (*first, facts.judgement.cutoff));
            Verdict::Holds(holding)
        }
        Activity::Undetermined(reason) => doubt(reason.as_str()),
        // Active by a post of days ago, with nothing but failed visits since it was seen gone.
        _ if facts.judgement.last_observation_at.is_none_or(|at| facts.cutoff - at > max_age) => {
            doubt(Reason::ObservationTooOld.as_str())
        }
        _ => Verdict::Refuted { proof: "账号页面可以正常访问".to_owned(), at: None },
    }
}
