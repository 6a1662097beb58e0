use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use crate::domain::AccountId;

/// A due target that waits for its host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Whose target it is.
    pub account: AccountId,
    /// Importance; 1 is ordinary.
    pub weight: f64,
    /// The account's rate.
    pub posts_per_day: f64,
    /// As-of time of the last successful observation.
    pub last_observation_at: Option<DateTime<Utc>>,
    /// The instant at which the visit is owed: a crossing, a confirmation, an appointment.
    pub deadline_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// Expected waiting accumulated by undetected posts: W = w·λ·τ²/2, in post-days.
    ///
    /// Visiting the greatest W first leads to intervals in proportion to 1/√(wλ), which is the
    /// least mean delay for a given budget. Infinite for a target never observed.
    pub fn index(&self, now: DateTime<Utc>) -> f64 {
        let Some(last) = self.last_observation_at else { return f64::INFINITY };
        let days = (now - last).as_seconds_f64().max(0.0) / 86_400.0;
        self.weight * self.posts_per_day * days * days / 2.0
    }
}

/// Puts due targets in the order in which their host is to be asked.
///
/// First those whose deadline has come, the earliest first; they are few (about 2 % of a budget of
/// four visits a day). Then by the index, the greatest first. Ties by account, so that the order is
/// the same on every machine.
pub fn order(mut candidates: Vec<Candidate>, now: DateTime<Utc>) -> Vec<Candidate> {
    let owed = |one: &Candidate| one.deadline_at.filter(|at| *at <= now);
    candidates.sort_by(|left, right| {
        let by_deadline = match (owed(left), owed(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => right.index(now).total_cmp(&left.index(now)),
        };
        by_deadline.then(left.account.cmp(&right.account))
    });
    candidates
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone};

    use super::*;

    fn now() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()
    }

    fn candidate(id: i64, posts_per_day: f64, hours_ago: i64) -> Candidate {
        Candidate {
            account: AccountId(id),
            weight: 1.0,
            posts_per_day,
            last_observation_at: Some(now() - TimeDelta::hours(hours_ago)),
            deadline_at: None,
        }
    }

    #[test]
    fn the_longest_expected_waiting_goes_first_and_deadlines_before_it() {
        let due = |id, hours| Candidate {
            deadline_at: Some(now() + TimeDelta::hours(hours)),
            ..candidate(id, 0.01, 1)
        };
        let never = Candidate { last_observation_at: None, ..candidate(6, 0.1, 0) };
        let candidates = vec![
            candidate(1, 1.0, 10),
            candidate(2, 4.0, 6),
            candidate(3, 1.0, 12),
            candidate(4, 4.0, 6),
            due(5, -1),
            never,
            due(7, -2),
            due(8, 1),
        ];
        let ids: Vec<_> = order(candidates, now()).iter().map(|one| one.account.0).collect();
        assert_eq!(ids, [7, 5, 6, 2, 3, 4, 1, 8]);
    }

    #[test]
    fn the_index_rule_visits_by_the_square_root_of_the_rate() {
        // One slot an hour for twenty accounts, half of them sixteen times as busy as the others.
        let rate = |id| if id < 10 { 1.0 } else { 16.0 };
        let mut accounts: Vec<_> = (0..20).map(|id| candidate(id, rate(id), 0)).collect();
        let mut visits = [0, 0];
        for hour in 1..=5_000 {
            let at = now() + TimeDelta::hours(hour);
            let first = order(accounts.clone(), at)[0].account;
            let slot = accounts.iter().position(|one| one.account == first).unwrap();
            accounts[slot].last_observation_at = Some(at);
            visits[slot / 10] += 1;
        }
        let ratio = f64::from(visits[1]) / f64::from(visits[0]);
        assert!((ratio - 4.0).abs() < 0.2, "{visits:?}");
    }
}
