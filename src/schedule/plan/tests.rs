use chrono::TimeDelta;
use proptest::prelude::*;

use super::super::{Habits, Push, Rhythm, Settings};
use super::*;

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}:00+08:00").parse().unwrap()
}

fn forecast(rhythm: &Rhythm, now: DateTime<Utc>) -> Forecast {
    Forecast::new(rhythm, &Habits::default(), &Settings::default(), now)
}

/// A push on each of the sixty days before `now`, at this minute of the Shanghai day.
fn daily(minute: i64, now: DateTime<Utc>) -> Rhythm {
    let midnight = at("2026-11-22T00:00");
    let push = |day| Push::new(midnight - TimeDelta::days(day) + TimeDelta::minutes(minute), false);
    Rhythm::new(Some(now - TimeDelta::days(61)), (1..=60).map(push))
}

#[test]
fn a_daily_account_is_visited_right_after_its_usual_minute() {
    let now = at("2026-11-22T06:00");
    let plan = plan(&forecast(&daily(12 * 60, now), now), now, 0.3);
    assert_eq!(plan.at, at("2026-11-22T12:03"));
}

#[test]
fn once_the_push_of_the_day_is_found_the_next_is_tomorrow() {
    let now = at("2026-11-22T12:03");
    let mut rhythm = daily(12 * 60, now);
    rhythm.learn(now, [Push::new(at("2026-11-22T12:00"), false)]);
    let plan = plan(&forecast(&rhythm, now), now, 1.0);
    assert!(plan.at > at("2026-11-23T11:00"), "{}", plan.at);
}

#[test]
fn a_constant_rate_is_visited_by_the_square_root_rule() {
    // No habits known: intervals √(2ν/λ), here 6 h for one push a day.
    let settings = Settings { prior_posts: 1e6, prior_days: 1e6, ..Settings::default() };
    let price = settings.base_price();
    let forecast =
        Forecast::new(&Rhythm::default(), &Habits::default(), &settings, at("2026-11-22T12:00"));
    let hours = |price| {
        let at = at("2026-11-22T12:00");
        (plan(&forecast, at, price).at - at).as_seconds_f64() / 3600.0
    };
    assert!((hours(price) - 6.0).abs() < 1.2, "{}", hours(price));
    assert!((hours(price * 4.0) - 12.0).abs() < 2.5, "{}", hours(price * 4.0));
}

fn any_rhythm() -> impl Strategy<Value = Rhythm> {
    let now = at("2026-11-22T00:00");
    prop::collection::vec(1..60 * 24 * 60_i64, 0..100).prop_map(move |ago| {
        let pushes =
            ago.into_iter().map(|minutes| Push::new(now - TimeDelta::minutes(minutes), false));
        Rhythm::new(Some(now - TimeDelta::days(60)), pushes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_dearer_a_visit_the_fewer_and_the_cheaper_never_costs_more(
        rhythm in any_rhythm(), minute in 0..1440_i64, price in 0.01..3.0f64, more in 1.2..10.0f64,
    ) {
        let now = at("2026-11-22T00:00") + TimeDelta::minutes(minute);
        let forecast = forecast(&rhythm, now);
        let (cheap, dear) = (plan(&forecast, now, price), plan(&forecast, now, price * more));
        prop_assert!(dear.cost * 1.01 + 1e-9 >= cheap.cost);
        // Values between strides are interpolated, so the count may be off by a little.
        prop_assert!(dear.visits <= cheap.visits + 0.5, "{} {}", cheap.visits, dear.visits);
        for plan in [cheap, dear] {
            prop_assert!(plan.at > now && plan.at <= now + TimeDelta::hours(48) + TimeDelta::minutes(10));
            prop_assert!(plan.visits >= 1.0 && plan.cost.is_finite());
        }
    }
}
