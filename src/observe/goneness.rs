use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::canary::{Admit, Trust};
use super::policy::Policy;
use super::silence::{Live, Silence, needed, together};
use super::view::{GoneSign, View};

/// Proves that the account was gone at a cutoff.
///
/// The first sign must lie at or before the cutoff, the last at or after `confirmed_from`, on as
/// many days as silence needs, and nothing may have shown the account in between; for the live
/// state, not after either.
pub(super) fn prove_gone(
    view: &View,
    policy: &Policy,
    cutoff: DateTime<Utc>,
    confirmed_from: DateTime<Utc>,
    live: Option<Live>,
) -> Option<Silence> {
    let prove = |admit: &Admit| prove_by(view, policy, cutoff, confirmed_from, live, *admit);
    view.admissions().iter().find_map(prove)
}

fn prove_by(
    view: &View,
    policy: &Policy,
    cutoff: DateTime<Utc>,
    confirmed_from: DateTime<Utc>,
    live: Option<Live>,
    admit: Admit,
) -> Option<Silence> {
    let observed = view.seen.iter().map(|seen| seen.as_of);
    let listed = view.posts.iter().map(|times| times.post.first_seen);
    let alive = || observed.clone().chain(listed.clone());
    let before = alive().filter(|at| *at <= cutoff).max();
    let after = alive().filter(|at| *at > cutoff).min();
    if live.is_some() && after.is_some() {
        return None;
    }
    let signs = || {
        view.gone
            .iter()
            .filter(|sign| sign.confirming && admit.lets_in(sign.trust))
            .filter(|sign| before.is_none_or(|at| sign.as_of > at))
            .filter(|sign| after.is_none_or(|at| sign.as_of < at))
    };
    if !signs().any(|sign| sign.as_of <= cutoff) {
        return None;
    }
    // One attested is enough after a sign that is trusted by itself.
    let is_sure = signs().any(|sign| sign.as_of <= cutoff && sign.trust != Trust::Beside);
    let attested = |sign: &&GoneSign| sign.trust == Trust::Attested && sign.as_of >= cutoff;
    if let Some(sign) = signs().find(attested).filter(|_| is_sure) {
        return Some(Silence { confirmations: vec![sign.as_of], no_canary: false });
    }
    let frozen = live.is_some_and(|live| live.frozen);
    let own = || signs().filter(|sign| sign.trust != Trust::Attested && !frozen);
    let is_vouched = view.canaries.exist() && own().all(|sign| sign.trust != Trust::Beside);
    let times: BTreeSet<DateTime<Utc>> =
        own().map(|sign| sign.as_of).filter(|at| *at >= cutoff - policy.confirm_within()).collect();
    let confirmations =
        together(&times, confirmed_from, needed(is_vouched, policy), policy).ok()?;
    Some(Silence { confirmations, no_canary: !is_vouched })
}
