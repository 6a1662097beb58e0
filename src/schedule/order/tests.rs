use chrono::{TimeDelta, TimeZone};
use proptest::prelude::*;

use super::super::{Habits, Push, Rhythm, Settings};
use super::*;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()
}

/// An account of a known constant rate.
fn candidate(id: i64, per_day: f64, hours_ago: i64) -> Candidate {
    let settings = Settings { prior_posts: per_day * 1e6, prior_days: 1e6, ..Settings::default() };
    Candidate {
        account: AccountId(id),
        weight: 1.0,
        forecast: Forecast::new(&Rhythm::default(), &Habits::default(), &settings, now()),
        last_observation_at: Some(now() - TimeDelta::hours(hours_ago)),
        deadline_at: None,
    }
}

fn ids(candidates: &[Candidate], at: DateTime<Utc>) -> Vec<i64> {
    order(candidates, at).into_iter().map(|turn| candidates[turn].account.0).collect()
}

#[test]
fn the_longest_expected_waiting_goes_first_and_deadlines_before_it() {
    let due = |id, hours| Candidate {
        deadline_at: Some(now() + TimeDelta::hours(hours)),
        ..candidate(id, 0.01, 1)
    };
    let never = Candidate { last_observation_at: None, ..candidate(6, 0.1, 0) };
    let candidates = [
        candidate(1, 1.0, 9),
        candidate(2, 4.0, 6),
        candidate(3, 1.0, 11),
        candidate(4, 4.0, 6),
        due(5, -1),
        never,
        due(7, -2),
        due(8, 1),
    ];
    assert_eq!(ids(&candidates, now()), [7, 5, 6, 2, 4, 3, 1, 8]);
}

#[test]
fn the_index_of_a_constant_rate_is_half_the_rate_times_the_square_of_the_time() {
    let index = candidate(1, 1.0, 6).index(now());
    assert!((index - 36.0 / 48.0).abs() < 0.05, "{index}");
    // Longer than the forecast is walked through, it still grows.
    let index = |days: i64| candidate(1, 1.0, 24 * days).index(now());
    assert!((index(14) / (14.0 * 14.0 * 12.0) - 1.0).abs() < 0.05, "{}", index(14));
    assert!(index(100) > 40.0 * index(14), "{}", index(100));
}

#[test]
fn the_index_rule_visits_by_the_square_root_of_the_rate() {
    // One slot an hour for ten accounts, half of them nine times as busy as the others.
    let rate = |id| if id < 5 { 0.5 } else { 4.5 };
    let mut accounts: Vec<_> = (0..10).map(|id| candidate(id, rate(id), 0)).collect();
    let mut visits = [0, 0];
    for hour in 1..=800 {
        let at = now() + TimeDelta::hours(hour);
        let first = order(&accounts, at)[0];
        accounts[first].last_observation_at = Some(at);
        visits[first / 5] += 1;
    }
    let ratio = f64::from(visits[1]) / f64::from(visits[0]);
    // Whole slots, and days that know whether they had a push, leave it near three.
    assert!((ratio - 3.0).abs() < 0.5, "{visits:?}");
}

#[test]
fn deadlines_that_fall_together_are_kept_within_a_slot_each() {
    let mut candidates: Vec<_> = (0..50).map(|id| candidate(id, 50.0, 100)).collect();
    for (number, late) in [(7, 30), (20, 20), (3, 10)] {
        candidates[number].deadline_at = Some(now() - TimeDelta::minutes(late));
    }
    assert_eq!(ids(&candidates, now())[..3], [7, 20, 3]);
}

fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (0.05..20.0f64, prop::option::of(0..200_i64), prop::option::of(-50..50_i64));
    prop::collection::vec(one, 1..12).prop_map(|list| {
        let of =
            |(id, (rate, ago, deadline)): (usize, (f64, Option<i64>, Option<i64>))| Candidate {
                last_observation_at: ago.map(|hours| now() - TimeDelta::hours(hours)),
                deadline_at: deadline.map(|hours| now() + TimeDelta::hours(hours)),
                ..candidate(id as i64, rate, 0)
            };
        list.into_iter().enumerate().map(of).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_does_not_depend_on_the_order_given(
        candidates in any_candidates(), turn in 0..12usize,
    ) {
        let mut turned = candidates.clone();
        turned.rotate_left(turn % candidates.len());
        prop_assert_eq!(ids(&candidates, now()), ids(&turned, now()));
        turned.reverse();
        prop_assert_eq!(ids(&candidates, now()), ids(&turned, now()));
    }

    // Up to five pushes a day: who is busier than that and has sent none by this hour is held to
    // rest today, so that what is expected of the day falls again.
    #[test]
    fn the_index_grows_with_weight_rate_and_time(
        rate in 0.05..2.5f64, more in 1.0..2.0f64, hours in 1..100_i64, later in 1..50_i64,
        minutes in prop::collection::vec(1..60 * 1440_i64, 0..60),
    ) {
        let one = candidate(1, rate, hours);
        let busier = candidate(1, rate * more, hours);
        prop_assert!(busier.index(now()) >= one.index(now()) - 1e-9);
        let heavier = Candidate { weight: more, ..one.clone() };
        prop_assert!(heavier.index(now()) >= one.index(now()));
        let push = |ago: &i64| Push::new(now() - TimeDelta::minutes(*ago), false);
        let rhythm = Rhythm::new(Some(now() - TimeDelta::days(60)), minutes.iter().map(push));
        let settings = Settings::default();
        let forecast = Forecast::new(&rhythm, &Habits::default(), &settings, now());
        let known = Candidate { forecast, ..one };
        let after = now() + TimeDelta::hours(later);
        prop_assert!(known.index(after) >= known.index(now()));
        prop_assert!(known.index(now()) >= 0.0 && known.index(after).is_finite());
    }

    #[test]
    fn nobody_starves_and_no_slot_is_used_twice(
        rates in prop::collection::vec(0.3..10.0f64, 2..12),
    ) {
        // A slot each three hours; whoever is not chosen waits, and waiting grows without bound.
        let mut accounts: Vec<_> =
            rates.iter().zip(0..).map(|(rate, id)| candidate(id, *rate, 0)).collect();
        let mut visited = vec![0; accounts.len()];
        for slot in 1..=120 {
            let at = now() + TimeDelta::hours(3 * slot);
            let first = order(&accounts, at)[0];
            accounts[first].last_observation_at = Some(at);
            visited[first] += 1;
        }
        prop_assert!(visited.iter().all(|visits| *visits > 0), "{rates:?} {visited:?}");
        prop_assert_eq!(visited.iter().sum::<i32>(), 120);
    }
}
