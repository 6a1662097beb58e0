//! Checks of how single posts changed under observation.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use crate::domain::EvidenceRef;

use super::evaluate::{Holding, Verdict, doubt, name_of, shown};
use super::facts::AccountFacts;

/// A post that claims a time at which two full observations did not list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateAppearance {
    /// The platform's id.
    pub reference: String,
    /// The time it claims.
    pub claimed_at: DateTime<Utc>,
    /// As-of time of the first observation that listed it.
    pub first_seen: DateTime<Utc>,
}

/// A post proven to have been taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The platform's id.
    pub reference: String,
    /// The time it claimed.
    pub claimed_at: Option<DateTime<Utc>>,
    /// By when it was gone.
    pub gone_by: DateTime<Utc>,
}

/// How the posts of a period stand towards its end.
#[derive(Debug, Clone, PartialEq)]
pub struct PostingBurst {
    /// The period, as `2026Q3`.
    pub period: String,
    /// Posts of the whole period.
    pub posts: u32,
    /// Posts of its last days.
    pub posts_last: u32,
    /// The probability that the account's own rhythm puts so many into its last days.
    pub chance: f64,
}

fn posts_of(facts: &AccountFacts, references: &[&str]) -> Vec<EvidenceRef> {
    let key = &facts.account.entry.key;
    let post = |reference: &&str| EvidenceRef::Post {
        key: key.clone(),
        reference: (*reference).to_owned(),
    };
    references.iter().map(post).collect()
}

pub(super) fn since(within_days: u32, facts: &AccountFacts) -> DateTime<Utc> {
    facts.cutoff - Duration::days(i64::from(within_days))
}

/// Nothing that happens later takes a backdated post back.
pub(super) fn backdated(within_days: u32, facts: &AccountFacts) -> Verdict {
    let Some(late) = &facts.late else {
        return doubt("发布时间由平台标注或观察不足");
    };
    let from = since(within_days, facts);
    let recent: Vec<&LateAppearance> =
        late.iter().filter(|one| one.first_seen >= from && one.first_seen < facts.cutoff).collect();
    let Some(first) = recent.first() else { return Verdict::Quiet };
    let names: Vec<&str> = recent.iter().map(|one| one.reference.as_str()).collect();
    Verdict::Holds(Holding {
        occasion: name_of(names.clone()),
        statement: format!(
            "{} 条内容标注的发布时间早于实际出现时间:如标注 {} 的一条,此后两次完整观察均未列出,{} 方才出现。",
            recent.len(),
            shown(first.claimed_at),
            shown(first.first_seen)
        ),
        window: Some((from, facts.cutoff)),
        inputs: json!({
            "posts": recent.len(),
            "claimed_at": first.claimed_at,
            "first_seen": first.first_seen,
        }),
        evidence: posts_of(facts, &names),
        needs_approval: true,
    })
}

/// Nothing that happens later takes a deletion back.
pub(super) fn deleted(within_days: u32, at_least: u32, facts: &AccountFacts) -> Verdict {
    let Some(deleted) = &facts.deleted else { return doubt("删除情况观察不足") };
    let from = since(within_days, facts);
    let recent: Vec<&Deleted> =
        deleted.iter().filter(|one| one.gone_by >= from && one.gone_by < facts.cutoff).collect();
    if recent.len() < at_least as usize {
        return Verdict::Quiet;
    }
    let names: Vec<&str> = recent.iter().map(|one| one.reference.as_str()).collect();
    let newest = recent.iter().map(|one| one.gone_by).max();
    Verdict::Holds(Holding {
        occasion: name_of(names.clone()),
        statement: format!(
            "近 {within_days} 天内有 {} 条已发布内容被删除,最近一次不晚于 {}。",
            recent.len(),
            newest.map(shown).unwrap_or_default()
        ),
        window: Some((from, facts.cutoff)),
        inputs: json!({ "posts": recent.len(), "newest_gone_by": newest }),
        evidence: posts_of(facts, &names),
        needs_approval: false,
    })
}

pub(super) fn burst(
    posts_min: u32,
    share_min: f64,
    chance_max: f64,
    facts: &AccountFacts,
) -> Verdict {
    let Some(burst) = &facts.burst else { return doubt("上一季度的发布情况观察不足") };
    if burst.posts == 0 {
        return Verdict::Quiet;
    }
    let share = f64::from(burst.posts_last) / f64::from(burst.posts);
    if burst.posts_last < posts_min || share < share_min || burst.chance > chance_max {
        return Verdict::Quiet;
    }
    Verdict::Holds(Holding {
        occasion: burst.period.clone(),
        statement: format!(
            "{} 共发布 {} 条,其中 {} 条集中在检查前的最后几天,占 {:.0}%,与其平时节奏不符。",
            burst.period,
            burst.posts,
            burst.posts_last,
            share * 100.0
        ),
        inputs: json!({
            "period": burst.period,
            "posts": burst.posts,
            "posts_last": burst.posts_last,
            "share": share,
            "chance": burst.chance,
        }),
        ..Holding::default()
    })
}
