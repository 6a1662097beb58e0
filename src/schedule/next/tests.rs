use chrono::TimeZone;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}:00+08:00").parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-11-22T12:00")
}

/// Just visited, one post a day, nothing owed.
fn visited() -> TargetHistory {
    let mut rate = Rate::default();
    rate.observe(60, 60.0, &Settings::default());
    TargetHistory {
        rate,
        last_visit_at: Some(now()),
        last_observation_at: Some(now()),
        ..TargetHistory::new(AccountId(7))
    }
}

/// Without spreading, so that instants can be compared.
fn sharp() -> Settings {
    Settings { spread_minutes: 0, ..Settings::default() }
}

#[track_caller]
fn check(history: &TargetHistory, due: &str, purpose: Purpose, confirming: bool) {
    let next = next_visit(history, &sharp(), now());
    assert_eq!((next.due_at, next.purpose, next.confirming), (at(due), purpose, confirming));
}

fn hours_until_next(history: &TargetHistory) -> f64 {
    (next_visit(history, &sharp(), now()).due_at - now()).as_seconds_f64() / 3600.0
}

#[test]
fn a_new_target_is_due_at_once() {
    let mut history = TargetHistory::new(AccountId(1));
    check(&history, "2026-11-22T12:00", Purpose::First, false);
    // One that was opened long ago and never looked at has crossed already.
    history.crossings = vec![at("2020-01-01T00:00")];
    check(&history, "2026-11-22T12:00", Purpose::First, true);
}

#[test]
fn the_interval_follows_the_square_root_of_the_rate_within_its_bounds() {
    let hours = |posts| {
        let mut history = visited();
        history.rate = Rate::default();
        history.rate.observe(posts, 60.0, &sharp());
        hours_until_next(&history)
    };
    assert!((5.4..=6.0).contains(&hours(60)), "{}", hours(60));
    assert!((hours(60) / hours(240) - 2.0).abs() < 0.02);
    assert!((43.2..=48.0).contains(&hours(0)), "{}", hours(0));
    assert_eq!(hours(60_000), 0.5);
}

#[test]
fn a_canary_is_visited_at_its_own_interval() {
    let history = TargetHistory { canary: true, ..visited() };
    check(&history, "2026-11-22T13:00", Purpose::Canary, false);
}

#[test]
fn a_crossing_is_visited_on_the_day_before_and_at_it() {
    let mut history = visited();
    history.crossings = vec![at("2026-11-23T15:00"), at("2026-11-27T15:00")];
    check(&history, "2026-11-22T15:00", Purpose::Crossing, true);
    // Confirmed on the day before: the crossing itself is next. The rate would come earlier.
    history.rate = Rate { posts: 0.0, days: 80.0 };
    history.confirmations = vec![at("2026-11-22T11:00")];
    history.crossings = vec![at("2026-11-23T11:00"), at("2026-11-27T15:00")];
    check(&history, "2026-11-23T11:00", Purpose::Crossing, true);
}

#[test]
fn a_crossing_whose_day_before_was_missed_is_visited_as_soon_as_allowed() {
    let mut history = visited();
    history.crossings = vec![at("2026-11-22T16:00")];
    history.rate = Rate { posts: 0.0, days: 80.0 };
    history.last_visit_at = Some(at("2026-11-21T12:00"));
    check(&history, "2026-11-22T12:30", Purpose::Crossing, true);
    // It was made and did not confirm: again in a while, and at the crossing anyway.
    history.last_visit_at = Some(now());
    check(&history, "2026-11-22T14:00", Purpose::Crossing, true);
    history.crossings = vec![at("2026-11-22T13:00")];
    check(&history, "2026-11-22T13:00", Purpose::Crossing, true);
}

#[test]
fn a_passed_crossing_is_confirmed_on_two_days_and_then_kept_confirmed() {
    let mut history = visited();
    history.rate = Rate { posts: 0.0, days: 80.0 };
    history.crossings = vec![at("2026-11-22T10:00")];
    check(&history, "2026-11-22T14:00", Purpose::Confirmation, true);
    history.last_visit_at = Some(at("2026-11-22T09:00"));
    check(&history, "2026-11-22T12:30", Purpose::Confirmation, true);
    // One confirmation: the second on the next Shanghai day.
    history.confirmations = vec![at("2026-11-22T11:00")];
    check(&history, "2026-11-23T00:00", Purpose::Confirmation, true);
    // The one of the day before counts as the first.
    history.confirmations.push(at("2026-11-21T23:59"));
    check(&history, "2026-11-23T23:00", Purpose::Confirmation, true);
    // One of more than three days before does not.
    history.confirmations = vec![at("2026-11-22T11:00"), at("2026-11-19T10:59")];
    check(&history, "2026-11-23T00:00", Purpose::Confirmation, true);
}

#[test]
fn an_appointment_is_kept_once_an_observation_reaches_it() {
    let mut history = visited();
    history.appointments = vec![at("2026-11-22T14:00"), at("2026-11-22T11:00")];
    check(&history, "2026-11-22T14:00", Purpose::Appointment, false);
    history.last_observation_at = Some(at("2026-11-22T10:00"));
    history.last_visit_at = history.last_observation_at;
    check(&history, "2026-11-22T12:30", Purpose::Appointment, false);
}

#[test]
fn failures_double_the_delay_and_never_shorten_it() {
    let due = |failures| hours_until_next(&TargetHistory { failures, ..visited() });
    let ordinary = due(0);
    assert_eq!([due(1), due(2), due(4)], [ordinary; 3]);
    assert_eq!([due(5), due(6), due(7), due(40), due(u32::MAX)], [8.0, 16.0, 24.0, 24.0, 24.0]);
}

#[test]
fn a_retry_after_is_kept_even_against_a_deadline() {
    let mut history = visited();
    history.crossings = vec![at("2026-11-22T13:00")];
    history.retry_not_before = Some(at("2026-11-22T18:00"));
    check(&history, "2026-11-22T18:00", Purpose::Retry, true);
    let next = next_visit(&history, &sharp(), now());
    assert_eq!(next.deadline_at, Some(at("2026-11-21T13:00")), "the debt stays visible");
    history.retry_not_before = Some(at("2026-11-22T11:00"));
    check(&history, "2026-11-22T13:00", Purpose::Crossing, true);
}

#[test]
fn visits_that_would_fall_together_are_spread() {
    let due = |id| {
        let account = AccountId(id);
        let history =
            TargetHistory { account, crossings: vec![at("2026-11-23T15:00")], ..visited() };
        next_visit(&history, &Settings::default(), now()).due_at
    };
    let mut times: Vec<_> = (0..100).map(due).collect();
    times.sort();
    times.dedup();
    assert!(times.len() > 95);
    assert!(times[0] >= at("2026-11-22T15:00") && times[times.len() - 1] < at("2026-11-22T15:30"));
    let widest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(widest < TimeDelta::minutes(4), "{widest}");
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (-20 * 86_400..20 * 86_400_i64).prop_map(|seconds| now() + TimeDelta::seconds(seconds))
}

fn instants() -> impl Strategy<Value = Vec<DateTime<Utc>>> {
    prop::collection::vec(instant(), 0..4)
}

prop_compose! {
    fn any_history()(
        id in any::<i64>(),
        weight in 0.0..10.0f64,
        rate in (0.0..500.0f64, 0.0..80.0f64),
        visited_ago in 0..10 * 86_400_i64,
        observed in prop::option::of(instant()),
        crossings in instants(),
        confirmations in instants(),
        appointments in instants(),
        failures in 0..40u32,
        retry_not_before in prop::option::of(instant()),
        canary in any::<bool>(),
    ) -> TargetHistory {
        TargetHistory {
            account: AccountId(id),
            weight,
            rate: Rate { posts: rate.0, days: rate.1 },
            last_visit_at: Some(now() - TimeDelta::seconds(visited_ago)),
            last_observation_at: observed,
            crossings,
            confirmations,
            appointments,
            failures,
            retry_not_before,
            canary,
        }
    }
}

/// The same target had nothing gone wrong.
fn untroubled(history: &TargetHistory) -> TargetHistory {
    TargetHistory { failures: 0, retry_not_before: None, ..history.clone() }
}

proptest! {
    #[test]
    fn a_visit_is_never_too_early_and_never_too_late(history in any_history()) {
        let settings = Settings::default();
        let next = next_visit(&history, &settings, now());
        prop_assert!(next.due_at >= now() + settings.revisit_min());
        let calm = next_visit(&untroubled(&history), &settings, now());
        prop_assert!(calm.due_at <= now() + settings.revisit_max());
        let retry = history.retry_not_before.unwrap_or(now()) + settings.spread();
        let latest = (now() + settings.revisit_max().max(settings.retry_max())).max(retry);
        prop_assert!(next.due_at <= latest);
    }

    #[test]
    fn more_failures_never_bring_a_visit_forward(history in any_history()) {
        let settings = Settings::default();
        let more = TargetHistory { failures: history.failures + 1, ..history.clone() };
        let due = |history: &TargetHistory| next_visit(history, &settings, now()).due_at;
        prop_assert!(due(&more) >= due(&history));
        prop_assert!(due(&history) >= due(&untroubled(&history)));
    }

    #[test]
    fn a_higher_rate_never_puts_a_visit_off(history in any_history(), more in 0.0..100.0f64) {
        let settings = Settings::default();
        let mut busier = history.clone();
        busier.rate.posts += more;
        let due = |history: &TargetHistory| next_visit(history, &settings, now()).due_at;
        prop_assert!(due(&busier) <= due(&history));
    }

    #[test]
    fn every_crossing_is_met_and_every_silence_confirmed_in_time(
        silent_days in 0..20_i64,
        id in any::<i64>(),
        posts in 0.0..50.0f64,
    ) {
        // An account that went silent, visited whenever due, all visits succeeding.
        let settings = Settings::default();
        let last_post = now() - TimeDelta::days(silent_days);
        let mut history = TargetHistory {
            account: AccountId(id),
            rate: Rate { posts, days: 80.0 },
            crossings: [10, 14, 30].map(|days| last_post + TimeDelta::days(days)).to_vec(),
            ..TargetHistory::new(AccountId(id))
        };
        let mut time = now();
        while time < now() + TimeDelta::days(40) {
            let confirming = wants_confirmation(&history, &settings, time);
            history.last_visit_at = Some(time);
            history.last_observation_at = Some(time);
            if confirming {
                history.confirmations.push(time);
            }
            time = next_visit(&history, &settings, time).due_at;
        }
        let slack = settings.spread() + settings.revisit_min();
        for crossing in history.crossings.iter().filter(|one| **one > now() + TimeDelta::days(1)) {
            let mut near = history.confirmations.iter().filter(|at| {
                **at >= *crossing - settings.deadline_lead() && **at <= *crossing
            });
            prop_assert!(near.next().is_some(), "no visit on the day before {crossing}");
            let after = history.confirmations.iter().find(|at| **at >= *crossing);
            prop_assert!(after.is_some_and(|at| *at <= *crossing + slack), "{after:?} {crossing}");
        }
        for pair in history.confirmations.windows(2) {
            prop_assert!(pair[1] - pair[0] <= CONFIRMATIONS_WITHIN, "confirmation lapsed");
        }
    }
}

#[test]
fn the_day_of_a_confirmation_is_the_one_in_shanghai() {
    let mut history = visited();
    history.rate = Rate { posts: 0.0, days: 80.0 };
    history.crossings = vec![at("2026-11-21T10:00")];
    // 23:30 and 00:30 in Shanghai are one day in UTC and two days here.
    history.confirmations = vec![at("2026-11-21T23:30"), at("2026-11-22T00:30")];
    check(&history, "2026-11-23T12:30", Purpose::Confirmation, true);
    let utc_evening = Utc.with_ymd_and_hms(2026, 11, 21, 23, 30, 0).unwrap();
    // 07:30 and 11:00 of one Shanghai day are two days in UTC.
    history.confirmations = vec![utc_evening, at("2026-11-22T11:00")];
    check(&history, "2026-11-23T00:00", Purpose::Confirmation, true);
}
