use chrono::{DateTime, Utc};

use super::profile::{Profile, normal};
use super::rhythm::{Rhythm, bin_end, bin_start, weekday};
use super::settings::Settings;

/// Pseudo-pushes of an even day behind a platform's profile, and pseudo-weeks behind its week.
const EVEN_PUSHES: f64 = 20.0;
const EVEN_WEEKS: f64 = 10.0;

/// What is usual on a platform: the belief about an account of which little is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Habits {
    /// Share of the pushes in each bin of the day.
    pub(super) day: Profile,
    /// Pushes on each weekday against the mean day, 1 on average.
    pub(super) week: [f64; 7],
}

impl Default for Habits {
    /// No hour and no day is better than another.
    fn default() -> Self {
        Self { day: even(), week: [1.0; 7] }
    }
}

impl Habits {
    /// Learns from the rhythms of a platform's accounts, each with the same say however much it
    /// posts, so that a few busy ones do not speak for all.
    pub fn of<'a>(
        rhythms: impl IntoIterator<Item = &'a Rhythm>,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Self {
        let mut day = even().map(|share| share * EVEN_PUSHES);
        let mut week = [EVEN_WEEKS / 7.0; 7];
        for rhythm in rhythms {
            let timed = || rhythm.pushes().iter().filter(|push| !push.day_only);
            let weight = |at| settings.kept(now - at);
            let total: f64 = timed().map(|push| weight(push.at())).sum();
            // The say of an account grows with what is known of it, up to one.
            let say = 1.0 / (total + 5.0);
            for push in timed() {
                let place = push.place();
                day[place.bin()] += 10.0 * say * weight(push.at());
                week[weekday(place.day)] += say * weight(push.at());
            }
        }
        let mean = week.iter().sum::<f64>() / 7.0;
        Self { day: normal(day), week: week.map(|pushes| pushes / mean) }
    }
}

/// In proportion to the length of each bin.
fn even() -> Profile {
    normal(std::array::from_fn(|bin| (bin_end(bin) - bin_start(bin)) as f64))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::rhythm::Push;
    use super::*;

    #[test]
    fn a_platform_is_known_by_its_accounts_and_not_by_its_busiest() {
        let now: DateTime<Utc> = "2026-11-22T00:00:00+08:00".parse().unwrap();
        let daily = |hour: i64, each_day: i64| {
            let pushes = (1..=20).flat_map(|day| {
                (0..each_day).map(move |n| {
                    let at = now - TimeDelta::days(day) + TimeDelta::hours(hour);
                    Push::new(at + TimeDelta::minutes(n), false)
                })
            });
            Rhythm::new(Some(now - TimeDelta::days(30)), pushes)
        };
        let mut rhythms = vec![daily(12, 1); 20];
        rhythms.push(daily(3, 3));
        let habits = Habits::of(&rhythms, &Settings::default(), now);
        let bin = |hour: usize| hour * 6;
        assert!(habits.day[bin(12)] > 0.6, "{}", habits.day[bin(12)]);
        assert!(habits.day[bin(3)] < 0.08, "{}", habits.day[bin(3)]);
        assert!((habits.week.iter().sum::<f64>() - 7.0).abs() < 1e-9);
        let nothing = Habits::of(&[], &Settings::default(), now);
        assert!((nothing.day[70] - Habits::default().day[70]).abs() < 1e-12);
    }
}
