use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::{Activity, Count, Lifecycle};

use super::facts::Measured;

/// How accounts are sorted (浙政办发〔2022〕15号): 保留, 归集整合, 注销清理, or a person's look.
#[derive(Debug, Clone, PartialEq)]
pub struct TriageRule {
    /// The words of the rule.
    pub clause: String,
    /// Fewer followers than this are few.
    pub weak_followers_below: u32,
    /// Fewer posts a week than this are few.
    pub weak_posts_per_week_below: f64,
}

/// What triage looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct TriageFacts {
    /// The ledger's state.
    pub lifecycle: Lifecycle,
    /// What is proven now.
    pub activity: Activity,
    /// 主账号.
    pub is_main: bool,
    /// Followers at the newest sample.
    pub followers: Option<Count>,
    /// Posts a week over the last whole quarter.
    pub posts_per_week: Measured,
}

/// Where an account goes; a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TriageOutcome {
    /// 保留.
    Keep,
    /// 归集整合.
    Merge,
    /// 注销清理.
    Cancel,
    /// 人工研判.
    Review,
}

impl TriageOutcome {
    /// The Chinese name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Keep => "保留",
            Self::Merge => "归集整合",
            Self::Cancel => "注销清理",
            Self::Review => "人工研判",
        }
    }
}

/// An outcome with the rule that fired and what it was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Triage {
    /// Where the account goes.
    pub outcome: TriageOutcome,
    /// The stable word of the rule that fired.
    pub fired: &'static str,
    /// The same in Chinese.
    pub reason: &'static str,
    /// What it was given.
    pub inputs: Value,
}

/// Sorts one account. A closure that the sponsor asks for always cancels; what is not known is for
/// a person to look at.
pub fn triage(rule: &TriageRule, facts: &TriageFacts) -> Triage {
    let inputs = json!({
        "lifecycle": facts.lifecycle.as_str(),
        "activity": facts.activity.as_str(),
        "main": facts.is_main,
        "followers": facts.followers,
        "posts_per_week": facts.posts_per_week,
        "weak_followers_below": rule.weak_followers_below,
        "weak_posts_per_week_below": rule.weak_posts_per_week_below,
    });
    let (outcome, fired, reason) = fired(rule, facts);
    Triage { outcome, fired, reason, inputs }
}

fn fired(rule: &TriageRule, facts: &TriageFacts) -> (TriageOutcome, &'static str, &'static str) {
    use TriageOutcome::{Cancel, Keep, Merge, Review};
    let is_main = facts.is_main;
    if facts.lifecycle == Lifecycle::Closing {
        return (Cancel, "closure_asked_for", "主动申请关停的账号");
    }
    match facts.activity {
        Activity::Zombie | Activity::Dormant | Activity::Empty if is_main => {
            return (Review, "main_account_silent", "主账号长期无更新,不宜直接注销");
        }
        Activity::Zombie => return (Cancel, "zombie", "长期无更新的“僵尸”账号"),
        Activity::Dormant => return (Cancel, "dormant", "长期无更新的“休眠”账号"),
        Activity::Empty => return (Cancel, "empty_shell", "开设后从未发布的“空壳”账号"),
        Activity::Gone => return (Review, "gone", "平台上已不存在,核实后在台账注销"),
        Activity::Undetermined(_) => return (Review, "undetermined", "活跃情况未能判定"),
        Activity::Active | Activity::Watch => {}
    }
    if is_main {
        return (Keep, "main_account", "运行中的主账号");
    }
    match (few_followers(rule, facts), few_posts(rule, facts)) {
        (Some(true), Some(true)) => (Merge, "weak", "关注数少、更新少的弱运营账号"),
        (Some(false), _) => (Keep, "followed", "关注数达到要求"),
        (_, Some(false)) => (Keep, "updated", "更新频次达到要求"),
        _ => (Review, "not_known", "关注数或更新频次未知"),
    }
}

fn few_followers(rule: &TriageRule, facts: &TriageFacts) -> Option<bool> {
    let limit = u64::from(rule.weak_followers_below);
    let followers = facts.followers.as_ref()?;
    if followers.low()? >= limit {
        return Some(false);
    }
    (followers.high()? < limit).then_some(true)
}

fn few_posts(rule: &TriageRule, facts: &TriageFacts) -> Option<bool> {
    let Measured::Known { low, high, .. } = facts.posts_per_week else { return None };
    if low >= rule.weak_posts_per_week_below {
        return Some(false);
    }
    (high? < rule.weak_posts_per_week_below).then_some(true)
}
