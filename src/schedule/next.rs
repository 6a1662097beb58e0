use chrono::{DateTime, Days, TimeDelta, Utc};

use super::rate::Rate;
use super::settings::Settings;
use crate::domain::{AccountId, shanghai_date, shanghai_midnight};

/// Confirmations of one silence lie within this time (design: at or after T − 3 days).
const CONFIRMATIONS_WITHIN: TimeDelta = TimeDelta::days(3);

/// What is known of a target when its next visit is set. Lists are in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetHistory {
    /// Whose target it is; it also spreads visits that would fall together.
    pub account: AccountId,
    /// Importance; 1 is ordinary.
    pub weight: f64,
    /// How often the account posts.
    pub rate: Rate,
    /// When it was last visited, with whatever result.
    pub last_visit_at: Option<DateTime<Utc>>,
    /// As-of time of the last successful observation.
    pub last_observation_at: Option<DateTime<Utc>>,
    /// When the account crosses each silence threshold if it does not post: its last post (or its
    /// opening) plus every threshold of its scheme, past and future.
    pub crossings: Vec<DateTime<Utc>>,
    /// As-of times of confirming observations; those of the last week are enough.
    pub confirmations: Vec<DateTime<Utc>>,
    /// Instants at or soon after which a visit is wanted: scheme cutoffs, samples at fixed ages,
    /// rechecks. One is kept by an observation at or after it.
    pub appointments: Vec<DateTime<Utc>>,
    /// Failed visits since the last successful one.
    pub failures: u32,
    /// The host's wish not to be asked before (`Retry-After`).
    pub retry_not_before: Option<DateTime<Utc>>,
    /// Whether the account is a canary.
    pub canary: bool,
}

impl TargetHistory {
    /// A target that nothing is known of.
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            weight: 1.0,
            rate: Rate::default(),
            last_visit_at: None,
            last_observation_at: None,
            crossings: Vec::new(),
            confirmations: Vec::new(),
            appointments: Vec::new(),
            failures: 0,
            retry_not_before: None,
            canary: false,
        }
    }
}

/// What a visit is for; it decides nothing but explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The first look.
    First,
    /// New posts are likely enough.
    Posts,
    /// A canary's turn.
    Canary,
    /// The day before a silence crossing, or the crossing itself.
    Crossing,
    /// A silence that is not confirmed yet, or not any longer.
    Confirmation,
    /// An appointment.
    Appointment,
    /// The time that a failure or the host asked for has passed.
    Retry,
}

/// When a target is visited next, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextVisit {
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// What for.
    pub purpose: Purpose,
    /// Whether it must be unconditional, so that it may confirm; see [`wants_confirmation`].
    pub confirming: bool,
    /// The instant at which a crossing, confirmation or appointment is owed, whatever failures
    /// stand before it: `deadline_at` of [`super::Candidate`].
    pub deadline_at: Option<DateTime<Utc>>,
}

/// Sets the next visit of a target.
///
/// The earliest of: the interval by the square-root rule, I ∝ 1/√(wλ), within the bounds; the
/// canary's interval; the day before each crossing and the crossing itself; the confirmations that
/// a silence still needs; appointments. Failures and `Retry-After` only ever put it off. Never
/// before `now` + `revisit_min`, but for a target never visited, which is due at once.
pub fn next_visit(history: &TargetHistory, settings: &Settings, now: DateTime<Utc>) -> NextVisit {
    let earliest = now + settings.revisit_min();
    let spread = settings.spread().as_seconds_f64() * share(history.account);
    let spread = TimeDelta::milliseconds((spread * 1000.0) as i64);
    let owed = [
        crossing_ahead(history, settings, now).map(|at| (at, Purpose::Crossing)),
        crossing(history, now).map(|at| (at, Purpose::Crossing)),
        confirmation(history, settings, now).map(|at| (at, Purpose::Confirmation)),
        appointment(history, now).map(|at| (at, Purpose::Appointment)),
    ];
    let deadline_at = owed.iter().flatten().map(|wish| wish.0).min();
    // Wishes for a fixed instant are shared by many accounts, so they are spread.
    let wishes = owed.into_iter().flatten().filter_map(|(at, purpose)| {
        // A page that is always cached, say, never confirms: not every visit is worth another.
        let last = history.last_visit_at?;
        let at = if last >= at { last + settings.owed_retry() } else { at };
        Some((at + spread, purpose))
    });
    let ordinary = ordinary(history, settings, now);
    let (at, mut purpose) =
        wishes.fold(ordinary, |one, other| std::cmp::min_by_key(one, other, |wish| wish.0));
    let mut due_at = if purpose == Purpose::First { at } else { at.max(earliest) };
    let put_off = [
        backoff(history.failures, settings).map(|delay| now + delay),
        history.retry_not_before.filter(|at| *at > now).map(|at| at + spread),
    ];
    if let Some(until) = put_off.into_iter().flatten().max().filter(|until| *until > due_at) {
        due_at = until;
        purpose = Purpose::Retry;
    }
    let confirming = wants_confirmation(history, settings, due_at);
    NextVisit { due_at, purpose, confirming, deadline_at }
}

/// Whether a visit made at `at` should be unconditional: the account is silent beyond a threshold,
/// or will be within the lead time, unless the visit finds a new post.
pub fn wants_confirmation(history: &TargetHistory, settings: &Settings, at: DateTime<Utc>) -> bool {
    history.crossings.iter().any(|crossing| *crossing - settings.deadline_lead() <= at)
}

fn ordinary(
    history: &TargetHistory,
    settings: &Settings,
    now: DateTime<Utc>,
) -> (DateTime<Utc>, Purpose) {
    let Some(last) = history.last_visit_at else { return (now, Purpose::First) };
    let demand = history.weight * history.rate.posts_per_day(settings);
    let hours = settings.revisit_at_one_post_a_day_hours / demand.max(1e-9).sqrt();
    let (min, max) = (settings.revisit_min(), settings.revisit_max());
    // Up to a tenth earlier, by account: those at the upper bound would keep step for ever.
    let hours = hours.min(max.as_seconds_f64() / 3600.0) * (1.0 - 0.1 * share(history.account));
    let interval = TimeDelta::milliseconds((hours * 3_600_000.0) as i64).clamp(min, max);
    let from = last.min(now);
    if history.canary && settings.canary_interval() < interval {
        return (from + settings.canary_interval(), Purpose::Canary);
    }
    (from + interval, Purpose::Posts)
}

/// The visit owed on the day before the next crossing, until one has confirmed.
fn crossing_ahead(
    history: &TargetHistory,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let ahead = history.crossings.iter().filter(|at| **at > now);
    let days_before = ahead.map(|at| *at - settings.deadline_lead());
    days_before
        .filter(|before| !history.confirmations.iter().any(|at| at >= before && *at <= now))
        .min()
}

/// The visit owed at the next crossing.
fn crossing(history: &TargetHistory, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    history.crossings.iter().copied().filter(|at| *at > now).min()
}

/// The next confirmation owed to a crossing that has passed: one at or after it, one on another
/// Shanghai day within three days, then one each interval, so that the verdict does not lapse.
fn confirmation(
    history: &TargetHistory,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let crossed = history.crossings.iter().copied().filter(|crossing| *crossing <= now).max()?;
    let made = history.confirmations.iter().copied().filter(|at| *at <= now);
    let Some(last) = made.clone().filter(|at| *at >= crossed).max() else { return Some(crossed) };
    let on_another_day = made
        .filter(|at| *at >= last - CONFIRMATIONS_WITHIN)
        .any(|at| shanghai_date(at) != shanghai_date(last));
    if on_another_day {
        return Some(last + settings.confirmation_interval());
    }
    let next_day = shanghai_date(last).checked_add_days(Days::new(1))?;
    Some(shanghai_midnight(next_day).max(last))
}

fn appointment(history: &TargetHistory, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let seen = history.last_observation_at.filter(|at| *at <= now);
    let open = |at: &DateTime<Utc>| seen.is_none_or(|seen| seen < *at);
    history.appointments.iter().copied().filter(open).min()
}

fn backoff(failures: u32, settings: &Settings) -> Option<TimeDelta> {
    let doublings = failures.checked_sub(1)?;
    let factor = 1_i32.checked_shl(doublings).filter(|factor| *factor > 0 && doublings < 20);
    let delay = factor.and_then(|factor| settings.retry_first().checked_mul(factor));
    Some(delay.unwrap_or(settings.retry_max()).min(settings.retry_max()))
}

/// A number in [0, 1) of an account, the same for ever: the finaliser of SplitMix64.
fn share(account: AccountId) -> f64 {
    let mut bits = account.0.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests;
