use chrono::{DateTime, TimeDelta, Utc};

use super::floor::page_capacity;
use super::forecast::Forecast;
use super::habits::Habits;
use super::owed::{Appointment, appointment, confirmation, crossing, crossing_ahead};
use super::plan::plan;
use super::rate::Rate;
use super::rhythm::Rhythm;
use super::settings::Settings;
use crate::domain::AccountId;

/// What is known of a target when its next visit is set. Lists are in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetHistory {
    /// Whose target it is; it also spreads visits that would fall together.
    pub account: AccountId,
    /// Importance; 1 is ordinary.
    pub weight: f64,
    /// When it was seen to publish.
    pub rhythm: Rhythm,
    /// How many posts it lists a day; several may make one push.
    pub rate: Rate,
    /// The most posts that one visit can list; absent where no list was read yet.
    pub capacity: Option<u32>,
    /// When it was last visited, with whatever result.
    pub last_visit_at: Option<DateTime<Utc>>,
    /// As-of time of the last successful observation.
    pub last_observation_at: Option<DateTime<Utc>>,
    /// When the account crosses each silence threshold if it does not post: its last post (or its
    /// opening) plus every threshold of its scheme, past and future.
    pub crossings: Vec<DateTime<Utc>>,
    /// As-of times of confirming observations; those of the last week are enough.
    pub confirmations: Vec<DateTime<Utc>>,
    /// Whether a canary vouches for what is read: two days confirm a silence then, else three.
    pub vouched: bool,
    /// When else an observation is wanted: scheme cutoffs, samples at fixed ages, rechecks.
    pub appointments: Vec<Appointment>,
    /// Failed visits since the last successful one.
    pub failures: u32,
    /// The host's wish not to be asked before (`Retry-After`).
    pub retry_not_before: Option<DateTime<Utc>>,
    /// How often it is visited as a canary, where it is one.
    pub canary_every: Option<TimeDelta>,
}

impl TargetHistory {
    /// A target that nothing is known of.
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            weight: 1.0,
            rhythm: Rhythm::default(),
            rate: Rate::default(),
            capacity: None,
            last_visit_at: None,
            last_observation_at: None,
            crossings: Vec::new(),
            confirmations: Vec::new(),
            vouched: true,
            appointments: Vec::new(),
            failures: 0,
            retry_not_before: None,
            canary_every: None,
        }
    }
}

/// Under which terms a target's next visit is set: what is the same for many of them.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The installation's settings.
    pub settings: &'a Settings,
    /// What is usual on the platform.
    pub habits: &'a Habits,
    /// What a visit to the host costs, in push-hours of waiting; see [`super::next_price`].
    pub price: f64,
}

impl Terms<'_> {
    /// What an account is expected to publish, as of `now`.
    pub fn forecast(&self, rhythm: &Rhythm, now: DateTime<Utc>) -> Forecast {
        Forecast::new(rhythm, self.habits, self.settings, now)
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

impl Purpose {
    /// The stable word, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Posts => "posts",
            Self::Canary => "canary",
            Self::Crossing => "crossing",
            Self::Confirmation => "confirmation",
            Self::Appointment => "appointment",
            Self::Retry => "retry",
        }
    }
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
/// The earliest of: the time that saves most waiting for the price of a visit ([`plan`]), within
/// the floors (`revisit_max`, and the time in which a page fills); the canary's interval; the day
/// before each crossing and the crossing itself; the confirmations that a silence still needs;
/// appointments. Failures and `Retry-After` only ever put it off. Never before `now` +
/// `revisit_min`, but for a target never visited, which is due at once.
pub fn next_visit(history: &TargetHistory, terms: &Terms<'_>, now: DateTime<Utc>) -> NextVisit {
    let settings = terms.settings;
    let earliest = now + settings.revisit_min();
    let spread = settings.spread().as_seconds_f64() * share(history.account);
    let spread = TimeDelta::milliseconds((spread * 1000.0) as i64);
    let owed = [
        crossing_ahead(history, settings, now).map(|at| (at, Purpose::Crossing)),
        crossing(history, now).map(|at| (at, Purpose::Crossing)),
        confirmation(history, settings, now).map(|at| (at, Purpose::Confirmation)),
        appointment(history, now).map(|at| (at, Purpose::Appointment)),
    ];
    let ordinary = ordinary(history, terms, now);
    // A canary is owed at its turn: others wait for what it says of their host.
    let turn = Some(ordinary).filter(|one| one.1 == Purpose::Canary);
    let deadline_at = owed.iter().flatten().chain(&turn).map(|wish| wish.0).min();
    // Wishes for a fixed instant are shared by many accounts, so they are spread.
    let wishes = owed.into_iter().flatten().filter_map(|(at, purpose)| {
        // A page that is always cached, say, never confirms: not every visit is worth another.
        let last = history.last_visit_at?;
        let at = if last >= at { last + settings.owed_retry() } else { at };
        Some((at + spread, purpose))
    });
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

/// A failed visit counts as one here: what it did not see is no reason to come back sooner.
fn ordinary(
    history: &TargetHistory,
    terms: &Terms<'_>,
    now: DateTime<Utc>,
) -> (DateTime<Utc>, Purpose) {
    let Some(last) = history.last_visit_at else { return (now, Purpose::First) };
    let settings = terms.settings;
    let (min, max) = (settings.revisit_min(), settings.revisit_max());
    let from = last.min(now);
    // Up to a tenth earlier, by account: those at the upper bound would keep step for ever.
    let floor = max.as_seconds_f64() * (1.0 - 0.1 * share(history.account));
    let mut longest = TimeDelta::seconds(floor as i64);
    if let Some(capacity) = history.capacity {
        let posts_per_day = history.rate.posts_per_day(settings);
        longest = longest.min(page_capacity(posts_per_day, capacity, settings.page_full_max));
    }
    let price = terms.price / history.weight.max(1e-9);
    let planned = plan(&terms.forecast(&history.rhythm, from), from, price).at;
    let planned = planned.clamp(from + min, from + longest.max(min));
    match history.canary_every.map(|every| from + every) {
        Some(turn) if turn < planned => (turn, Purpose::Canary),
        _ => (planned, Purpose::Posts),
    }
}

fn backoff(failures: u32, settings: &Settings) -> Option<TimeDelta> {
    let doublings = failures.checked_sub(1)?;
    let factor = 1_i32.checked_shl(doublings).filter(|factor| *factor > 0 && doublings < 20);
    let delay = factor.and_then(|factor| settings.retry_first().checked_mul(factor));
    Some(delay.unwrap_or(settings.retry_max()).min(settings.retry_max()))
}

/// A number in [0, 1) of an account, the same for ever: the finaliser of SplitMix64.
pub(super) fn share(account: AccountId) -> f64 {
    let mut bits = account.0.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests;
