use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::forecast::Forecast;
use crate::domain::AccountId;

/// A due target that waits for its host.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Whose target it is.
    pub account: AccountId,
    /// Importance; 1 is ordinary.
    pub weight: f64,
    /// What the account is expected to publish.
    pub forecast: Forecast,
    /// As-of time of the last successful observation.
    pub last_observation_at: Option<DateTime<Utc>>,
    /// The instant at which the visit is owed: a crossing, a confirmation, an appointment.
    pub deadline_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// Expected waiting accumulated by undetected pushes: W = w·∫ N du since the last observation,
    /// in push-hours.
    ///
    /// For a constant rate it is w·λ·τ²/2, and visiting the greatest W first leads to intervals in
    /// proportion to 1/√(wλ), which is the least mean delay for a given budget. Infinite for a
    /// target never observed.
    pub fn index(&self, now: DateTime<Utc>) -> f64 {
        self.weight * self.forecast.waiting(self.last_observation_at, now)
    }
}

/// Puts due targets in the order in which their host is to be asked.
///
/// First those whose deadline has come, the earliest first; they are few (about 2 % of a budget of
/// four visits a day). Then by the index, the greatest first. Ties by account, so that the order is
/// the same on every machine. Two of one account keep the order given.
pub fn order(candidates: &[Candidate], now: DateTime<Utc>) -> Vec<usize> {
    let owed = |one: &Candidate| one.deadline_at.filter(|at| *at <= now);
    let index: Vec<f64> = candidates.iter().map(|one| one.index(now)).collect();
    let mut places: Vec<usize> = (0..candidates.len()).collect();
    places.sort_by(|&left, &right| {
        let (one, other) = (&candidates[left], &candidates[right]);
        let by_deadline = match (owed(one), owed(other)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => index[right].total_cmp(&index[left]),
        };
        by_deadline.then(one.account.cmp(&other.account))
    });
    places
}

#[cfg(test)]
mod tests;
