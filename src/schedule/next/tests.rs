use std::collections::BTreeSet;

use chrono::TimeZone;
use proptest::prelude::*;

use super::super::owed::CONFIRMATIONS_WITHIN;
use super::super::rhythm::Push;
use super::*;
use crate::domain::shanghai_date;

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}:00+08:00").parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-11-22T12:00")
}

/// Just visited, believed to push once a day at no particular hour, nothing owed.
fn visited() -> TargetHistory {
    TargetHistory {
        last_visit_at: Some(now()),
        last_observation_at: Some(now()),
        ..TargetHistory::new(AccountId(7))
    }
}

/// Watched for eighty days without a push.
fn quiet() -> Rhythm {
    Rhythm::new(Some(now() - TimeDelta::days(80)), [])
}

/// So many pushes a day for sixty days, at no particular hour.
fn scattered(per_day: f64) -> Rhythm {
    let count = (60.0 * per_day) as i64;
    let push = |number: i64| {
        let minutes = 60.0 * 1440.0 * ((number as f64 * 0.618_034).fract());
        Push::new(now() - TimeDelta::minutes(minutes as i64 + 1), false)
    };
    Rhythm::new(Some(now() - TimeDelta::days(60)), (0..count).map(push))
}

fn next(history: &TargetHistory, settings: &Settings, at: DateTime<Utc>) -> NextVisit {
    let terms = Terms { settings, habits: &Habits::default(), price: settings.base_price() };
    next_visit(history, &terms, at)
}

/// Without spreading, so that instants can be compared.
fn sharp() -> Settings {
    Settings { spread_minutes: 0, ..Settings::default() }
}

#[track_caller]
fn check(history: &TargetHistory, due: &str, purpose: Purpose, confirming: bool) {
    let planned = next(history, &sharp(), now());
    assert_eq!(
        (planned.due_at, planned.purpose, planned.confirming),
        (at(due), purpose, confirming)
    );
}

fn hours_until_next(history: &TargetHistory) -> f64 {
    (next(history, &sharp(), now()).due_at - now()).as_seconds_f64() / 3600.0
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
    // Believed for certain, so that no habit is read into it.
    let hours = |per_day: f64| {
        let settings = Settings { prior_posts: per_day * 1e6, prior_days: 1e6, ..sharp() };
        (next(&visited(), &settings, now()).due_at - now()).as_seconds_f64() / 3600.0
    };
    assert!((4.0..=8.0).contains(&hours(1.0)), "{}", hours(1.0));
    assert!((1.4..2.9).contains(&(hours(0.5) / hours(2.0))), "{} {}", hours(0.5), hours(2.0));
    let quiet = hours_until_next(&TargetHistory { rhythm: quiet(), ..visited() });
    assert!((43.2..=48.0).contains(&quiet), "{quiet}");
    let dear = Settings { revisit_min_minutes: 600, ..sharp() };
    assert_eq!(next(&visited(), &dear, now()).due_at, at("2026-11-22T22:00"));
}

#[test]
fn twice_the_weight_is_half_the_price_of_a_visit() {
    let history = TargetHistory { rhythm: scattered(1.0), ..visited() };
    let heavy = TargetHistory { weight: 2.0, ..history.clone() };
    let settings = sharp();
    let dear = Terms {
        settings: &settings,
        habits: &Habits::default(),
        price: settings.base_price() / 2.0,
    };
    assert_eq!(next(&heavy, &settings, now()), next_visit(&history, &dear, now()));
}

#[test]
fn a_visit_comes_before_a_page_is_full() {
    let rate = Rate { posts: 2400.0, days: 80.0 };
    let history = TargetHistory { rate, rhythm: quiet(), capacity: Some(20), ..visited() };
    let hours = hours_until_next(&history);
    assert!((8.0..11.0).contains(&hours), "{hours}");
}

#[test]
fn a_canary_is_visited_at_its_own_interval() {
    let history = TargetHistory { canary_every: Some(TimeDelta::hours(1)), ..visited() };
    check(&history, "2026-11-22T13:00", Purpose::Canary, false);
}

#[test]
fn a_crossing_is_visited_on_the_day_before_and_at_it() {
    let mut history = visited();
    history.crossings = vec![at("2026-11-23T15:00"), at("2026-11-27T15:00")];
    check(&history, "2026-11-22T15:00", Purpose::Crossing, true);
    // Confirmed on the day before: the crossing itself is next. The rate would come earlier.
    history.rhythm = quiet();
    history.confirmations = vec![at("2026-11-22T11:00")];
    history.crossings = vec![at("2026-11-23T11:00"), at("2026-11-27T15:00")];
    check(&history, "2026-11-23T11:00", Purpose::Crossing, true);
}

#[test]
fn a_crossing_whose_day_before_was_missed_is_visited_as_soon_as_allowed() {
    let mut history = visited();
    history.crossings = vec![at("2026-11-22T16:00")];
    history.rhythm = quiet();
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
    history.rhythm = quiet();
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

fn window(from: &str, until: &str) -> Appointment {
    Appointment { from: at(from), until: at(until) }
}

#[test]
fn an_appointment_is_kept_once_an_observation_reaches_it() {
    let mut history = visited();
    history.appointments = vec![
        window("2026-11-22T14:00", "2026-11-22T14:01"),
        window("2026-11-22T11:00", "2026-11-22T20:00"),
    ];
    let due = next(&history, &sharp(), now());
    assert!(due.due_at >= at("2026-11-22T14:00") && due.due_at < at("2026-11-22T14:01"));
    assert_eq!(due.purpose, Purpose::Appointment);
    history.last_observation_at = Some(at("2026-11-22T14:00"));
    assert_ne!(next(&history, &sharp(), at("2026-11-22T14:00")).purpose, Purpose::Appointment);
}

#[test]
fn several_appointments_share_a_visit_inside_their_tolerance() {
    let mut history = visited();
    history.rhythm = quiet();
    history.appointments = vec![
        window("2026-11-22T13:00", "2026-11-22T19:00"),
        window("2026-11-22T16:00", "2026-11-23T10:00"),
        window("2026-11-22T18:00", "2026-11-25T10:00"),
        window("2026-11-22T20:00", "2026-11-25T10:00"),
    ];
    let due = next(&history, &sharp(), now()).due_at;
    assert!(due >= at("2026-11-22T18:00") && due < at("2026-11-22T19:00"), "{due}");
    // One whose time is over is given up.
    history.appointments = vec![window("2026-11-22T08:00", "2026-11-22T11:00")];
    assert_ne!(next(&history, &sharp(), now()).purpose, Purpose::Appointment);
}

#[test]
fn posts_are_sampled_at_one_three_and_seven_days_and_cutoffs_from_both_sides() {
    let push = Push::new(at("2026-11-21T18:00"), false);
    let rhythm = Rhythm::new(Some(at("2026-11-01T00:00")), [push]);
    let samples = super::super::samples(&rhythm, &sharp(), now());
    let expected = [
        window("2026-11-22T18:00", "2026-11-23T00:00"),
        window("2026-11-24T18:00", "2026-11-25T12:00"),
        window("2026-11-28T18:00", "2026-11-30T12:00"),
    ];
    assert_eq!(samples, expected);
    let cutoff = at("2027-01-01T00:00");
    let around = super::super::around_cutoff(cutoff, TimeDelta::hours(24), &sharp());
    assert_eq!(around[0], window("2026-12-31T00:00", "2027-01-01T00:00"));
    assert_eq!(around[1], window("2027-01-02T00:00", "2027-01-05T00:00"));
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
    let planned = next(&history, &sharp(), now());
    assert_eq!(planned.deadline_at, Some(at("2026-11-21T13:00")), "the debt stays visible");
    history.retry_not_before = Some(at("2026-11-22T11:00"));
    check(&history, "2026-11-22T13:00", Purpose::Crossing, true);
}

#[test]
fn visits_that_would_fall_together_are_spread() {
    let due = |id| {
        let account = AccountId(id);
        let history =
            TargetHistory { account, crossings: vec![at("2026-11-23T15:00")], ..visited() };
        next(&history, &Settings::default(), now()).due_at
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
        pushes in prop::collection::vec(1..60 * 1440_i64, 0..60),
        visited_ago in 0..10 * 86_400_i64,
        observed in prop::option::of(instant()),
        crossings in instants(),
        confirmations in instants(),
        appointments in instants(),
        capacity in prop::option::of(1..50u32),
        failures in 0..40u32,
        retry_not_before in prop::option::of(instant()),
        (canary, vouched) in any::<(bool, bool)>(),
    ) -> TargetHistory {
        let push = |ago: &i64| Push::new(now() - TimeDelta::minutes(*ago), false);
        TargetHistory {
            account: AccountId(id),
            weight,
            rhythm: Rhythm::new(Some(now() - TimeDelta::days(60)), pushes.iter().map(push)),
            rate: Rate { posts: pushes.len() as f64, days: 60.0 },
            capacity,
            last_visit_at: Some(now() - TimeDelta::seconds(visited_ago)),
            last_observation_at: observed,
            crossings,
            confirmations,
            vouched,
            appointments: appointments
                .into_iter()
                .map(|from| Appointment { from, until: from + TimeDelta::hours(6) })
                .collect(),
            failures,
            retry_not_before,
            canary_every: canary.then(|| TimeDelta::hours(1)),
        }
    }
}

/// The same target had nothing gone wrong.
fn untroubled(history: &TargetHistory) -> TargetHistory {
    TargetHistory { failures: 0, retry_not_before: None, ..history.clone() }
}

proptest! {
    // A case plans dozens of visits.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_visit_is_never_too_early_and_never_too_late(history in any_history()) {
        let settings = Settings::default();
        let planned = next(&history, &settings, now());
        prop_assert!(planned.due_at >= now() + settings.revisit_min());
        let calm = next(&untroubled(&history), &settings, now());
        prop_assert!(calm.due_at <= now() + settings.revisit_max());
        let retry = history.retry_not_before.unwrap_or(now()) + settings.spread();
        let latest = (now() + settings.revisit_max().max(settings.retry_max())).max(retry);
        prop_assert!(planned.due_at <= latest);
    }

    #[test]
    fn more_failures_never_bring_a_visit_forward(history in any_history()) {
        let settings = Settings::default();
        let more = TargetHistory { failures: history.failures + 1, ..history.clone() };
        let due = |history: &TargetHistory| next(history, &settings, now()).due_at;
        prop_assert!(due(&more) >= due(&history));
        prop_assert!(due(&history) >= due(&untroubled(&history)));
    }

    #[test]
    fn a_failed_visit_never_brings_the_next_one_forward(history in any_history()) {
        let settings = Settings::default();
        let seen = TargetHistory { last_observation_at: Some(now()), ..untroubled(&history) };
        let seen = TargetHistory { last_visit_at: Some(now()), appointments: Vec::new(), ..seen };
        let missed = TargetHistory {
            last_observation_at: history.last_observation_at,
            failures: history.failures + 1,
            ..seen.clone()
        };
        let due = |history: &TargetHistory| next(history, &settings, now()).due_at;
        prop_assert!(due(&missed) >= due(&seen));
    }

    #[test]
    fn every_crossing_is_met_and_every_silence_confirmed_in_time(
        silent_days in 0..20_i64,
        id in any::<i64>(),
        posts in 0.0..50.0f64,
        vouched in any::<bool>(),
    ) {
        // An account that went silent, visited whenever due, all visits succeeding.
        let settings = Settings::default();
        let last_post = now() - TimeDelta::days(silent_days);
        let mut history = TargetHistory {
            account: AccountId(id),
            rhythm: Rhythm::new(
                Some(last_post - TimeDelta::days(60)),
                (0..posts as i64).map(|day| Push::new(last_post - TimeDelta::days(day), false)),
            ),
            crossings: [10, 14, 30].map(|days| last_post + TimeDelta::days(days)).to_vec(),
            vouched,
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
            time = next(&history, &settings, time).due_at;
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
        // From some days after a crossing on, enough of them always stand together; each that does
        // speaks for three days.
        let needed = if vouched { 2 } else { 3 };
        let stand_together = |last: &DateTime<Utc>| {
            let near = history.confirmations.iter();
            let near = near.filter(|at| *at <= last && **at >= *last - CONFIRMATIONS_WITHIN);
            near.map(|at| shanghai_date(*at)).collect::<BTreeSet<_>>().len() >= needed
        };
        let crossed = history.crossings.iter().copied().find(|one| *one > now()).unwrap();
        let telling = history.confirmations.iter().copied().filter(stand_together);
        let telling = telling.filter(|at| *at >= crossed + TimeDelta::days(3));
        let telling: Vec<DateTime<Utc>> = telling.chain([time]).collect();
        prop_assert!(telling[0] <= crossed + TimeDelta::days(5), "{telling:?}");
        for pair in telling.windows(2) {
            prop_assert!(pair[1] - pair[0] <= CONFIRMATIONS_WITHIN, "the verdict lapsed: {pair:?}");
        }
        for pair in history.confirmations.windows(2) {
            prop_assert!(pair[1] - pair[0] <= CONFIRMATIONS_WITHIN, "confirmation lapsed");
        }
    }
}

#[test]
fn the_day_of_a_confirmation_is_the_one_in_shanghai() {
    let mut history = visited();
    history.rhythm = quiet();
    history.crossings = vec![at("2026-11-21T10:00")];
    // 23:30 and 00:30 in Shanghai are one day in UTC and two days here.
    history.confirmations = vec![at("2026-11-21T23:30"), at("2026-11-22T00:30")];
    check(&history, "2026-11-23T12:30", Purpose::Confirmation, true);
    let utc_evening = Utc.with_ymd_and_hms(2026, 11, 21, 23, 30, 0).unwrap();
    // 07:30 and 11:00 of one Shanghai day are two days in UTC.
    history.confirmations = vec![utc_evening, at("2026-11-22T11:00")];
    check(&history, "2026-11-23T00:00", Purpose::Confirmation, true);
}
