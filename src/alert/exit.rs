use serde_json::{Value, json};

use crate::domain::Count;

use super::evaluate::{Doubt, Holding, Verdict};

/// What an account must reach to be kept (拱墅区, 2022): followers over a share of the resident
/// population and a rank within the first few of the district.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitRule {
    /// The words of the rule.
    pub clause: String,
    /// Followers must be more than this share of the population, 0–1.
    pub followers_share_over: f64,
    /// The rank must be this or better.
    pub rank_at_most: u32,
    /// The score by which accounts of a region are ranked.
    pub dimension: String,
}

/// What the exit rule looks at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExitFacts {
    /// Followers at the newest sample.
    pub followers: Option<Count>,
    /// 常住人口 of the ledger.
    pub population: Option<u64>,
    /// The best and the worst rank that the scores allow, from 1.
    pub rank: Option<(u32, u32)>,
    /// Whether a finding of 单项否决 is approved: it leaves at once.
    pub vetoed: bool,
}

/// Whether an account is to leave: `Holds` means that it is.
///
/// # Errors
/// Never; what is not known makes the verdict undetermined.
pub fn judge_exit(rule: &ExitRule, facts: &ExitFacts) -> Verdict {
    let inputs = json!({
        "followers": facts.followers,
        "population": facts.population,
        "rank": facts.rank.map(|(best, worst)| json!({ "best": best, "worst": worst })),
        "vetoed": facts.vetoed,
    });
    if facts.vetoed {
        return leaves("存在已复核的单项否决问题", inputs);
    }
    let enough = followers_enough(rule, facts);
    let in_front = facts.rank.map(|(best, worst)| {
        if worst <= rule.rank_at_most {
            Some(true)
        } else if best > rule.rank_at_most {
            Some(false)
        } else {
            None
        }
    });
    match (enough, in_front.flatten()) {
        (Some(false), _) => leaves("关注数未超过常住人口的规定比例", inputs),
        (_, Some(false)) => leaves("运营效果指数未进入规定名次", inputs),
        (Some(true), Some(true)) => Verdict::Refuted {
            proof: "关注数和运营效果指数名次均达到要求".to_owned(),
            at: None,
        },
        (None, _) => Verdict::Undetermined(Doubt("关注数或常住人口未知".to_owned())),
        (_, None) => Verdict::Undetermined(Doubt("运营效果指数名次未知".to_owned())),
    }
}

#[expect(clippy::cast_precision_loss, reason = "populations are far below 2^53")]
fn followers_enough(rule: &ExitRule, facts: &ExitFacts) -> Option<bool> {
    let needed = facts.population? as f64 * rule.followers_share_over;
    let followers = facts.followers.as_ref()?;
    if followers.low()? as f64 > needed {
        return Some(true);
    }
    (followers.high()? as f64 <= needed).then_some(false)
}

fn leaves(reason: &str, inputs: Value) -> Verdict {
    Verdict::Holds(Holding {
        occasion: reason.to_owned(),
        statement: format!("{reason},按退出规则提请注销,由人工决定。"),
        inputs,
        ..Holding::default()
    })
}
