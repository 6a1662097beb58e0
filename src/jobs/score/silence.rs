//! What the calculus proves, as the tiers of a scheme.

use crate::domain::Activity;
use crate::observe::{self, Judgement, Policy, Threshold, Unit};
use crate::scheme::{Limit, Operator};
use crate::score::SilenceFact;

pub(super) fn threshold(tier: crate::scheme::Threshold) -> Threshold {
    let (amount, unit) = match tier.limit {
        Limit::Hours(hours) => (hours, Unit::Hours),
        Limit::Days(days) => (days, Unit::Days),
        Limit::CalendarDays(days) => (days, Unit::CalendarDays),
        Limit::Months(months) => (months, Unit::Months),
    };
    let operator = match tier.operator {
        Operator::Over => observe::Operator::MoreThan,
        Operator::AtLeast => observe::Operator::AtLeast,
    };
    Threshold { operator, amount, unit }
}

/// The proven tier, and the strongest that a post known to be there still allows.
pub(super) fn silence_fact(judgement: &Judgement, policy: &Policy) -> SilenceFact {
    let tier = match judgement.activity {
        Activity::Active => 0,
        Activity::Watch => 1,
        Activity::Dormant | Activity::Empty => 2,
        Activity::Zombie | Activity::Gone => 3,
        Activity::Undetermined(reason) => {
            return SilenceFact::Undetermined { reason: reason.as_str().to_owned() };
        }
    };
    let crossed = |tier: Threshold| {
        judgement.last_post_at.is_none_or(|last| tier.is_crossed(last, judgement.cutoff))
    };
    let at_most = match judgement.activity {
        Activity::Active => 0,
        Activity::Watch if !crossed(policy.dormant) => 1,
        Activity::Watch | Activity::Dormant if !crossed(policy.zombie) => 2,
        _ => 3,
    };
    SilenceFact::Proven {
        tier,
        at_most: at_most.max(tier),
        empty: judgement.activity == Activity::Empty,
        gone: judgement.activity == Activity::Gone,
    }
}
