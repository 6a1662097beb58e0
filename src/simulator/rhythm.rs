use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc, Weekday};

use crate::domain::shanghai_midnight;

use super::chance::Chance;

/// How often and when in the day an account posts. Hours are those of Asia/Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// Once in every hour.
    Hourly,
    /// On workdays between 08:30 and 18:00, at least this often; seldom at weekends.
    Office(u64),
    /// Every so many days one push between 17:30 and 21:00, of one to five articles.
    EveningPush(i64),
    /// This often, at any hour of any day.
    RoundTheClock(u64),
    /// Once or twice on every so many-th day, in office hours.
    EveryFewDays(i64),
    /// Exactly this long after each other, counted from an instant.
    Interval(DateTime<Utc>, Duration),
}

/// One publication: the instant, and how many articles it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Push {
    /// When it is published, to the second.
    pub(super) at: DateTime<Utc>,
    /// Articles published together, from 1.
    pub(super) articles: u8,
}

const OFFICE: (u64, u64) = (8 * 3600 + 1800, 18 * 3600);
const EVENING: (u64, u64) = (17 * 3600 + 1800, 21 * 3600);
const DAY: (u64, u64) = (0, 24 * 3600);

impl Rhythm {
    /// The publications of one Shanghai day, oldest first; `number` shifts the days of those who
    /// do not post daily.
    pub(super) fn on_day(self, chance: &mut Chance, day: NaiveDate, number: u64) -> Vec<Push> {
        let midnight = shanghai_midnight(day);
        let mut seconds = match self {
            Self::Hourly => (0..24).map(|hour| hour * 3600 + chance.below(3600)).collect(),
            Self::Office(least) => {
                let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
                let posts = match weekend {
                    true => u64::from(chance.percent(20)),
                    false => least + chance.below(least / 2 + 2),
                };
                within(chance, OFFICE, posts)
            }
            Self::EveningPush(days) => {
                within(chance, EVENING, u64::from(falls_on(day, days, number)))
            }
            Self::RoundTheClock(posts) => within(chance, DAY, posts),
            Self::EveryFewDays(days) => {
                let posts = u64::from(falls_on(day, days, number)) * (1 + chance.below(2));
                within(chance, OFFICE, posts)
            }
            Self::Interval(anchor, step) => return interval_on(anchor, step, midnight),
        };
        seconds.sort_unstable();
        seconds.dedup();
        let pushes = seconds.into_iter().map(|second| Push {
            at: midnight + Duration::seconds(second.cast_signed()),
            articles: match self {
                Self::EveningPush(_) => 1 + u8::try_from(chance.below(5)).unwrap_or(0),
                _ => 1,
            },
        });
        pushes.collect()
    }
}

fn falls_on(day: NaiveDate, every_days: i64, number: u64) -> bool {
    (i64::from(day.num_days_from_ce()) + number.cast_signed()).rem_euclid(every_days) == 0
}

fn within(chance: &mut Chance, hours: (u64, u64), posts: u64) -> Vec<u64> {
    (0..posts).map(|_| hours.0 + chance.below(hours.1 - hours.0)).collect()
}

fn interval_on(anchor: DateTime<Utc>, step: Duration, midnight: DateTime<Utc>) -> Vec<Push> {
    let step_seconds = step.num_seconds().max(1);
    let since = (midnight - anchor).num_seconds();
    let first = since.div_euclid(step_seconds) + i64::from(since.rem_euclid(step_seconds) != 0);
    let times = (first..).map(|turn| anchor + Duration::seconds(turn * step_seconds));
    times
        .take_while(|at| *at < midnight + Duration::days(1))
        .map(|at| Push { at, articles: 1 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::chance::Use;
    use super::*;

    fn gaps_hours(rhythm: Rhythm, number: u64) -> Vec<i64> {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let posts = first.iter_days().take(120).flat_map(|day| {
            let labels = [number, u64::try_from(day.num_days_from_ce()).unwrap()];
            rhythm.on_day(&mut Chance::of(1, Use::Posts, &labels), day, number)
        });
        let times = posts.map(|push| push.at).collect::<Vec<_>>();
        assert!(times.is_sorted(), "{rhythm:?}");
        times.windows(2).map(|pair| (pair[1] - pair[0]).num_hours()).collect()
    }

    #[test]
    fn no_rhythm_of_an_active_account_leaves_a_gap_of_ten_days() {
        for (rhythm, days) in [
            (Rhythm::Hourly, 1),
            (Rhythm::Office(1), 5),
            (Rhythm::Office(6), 5),
            (Rhythm::EveningPush(1), 2),
            (Rhythm::EveningPush(3), 4),
            (Rhythm::RoundTheClock(6), 3),
            (Rhythm::EveryFewDays(6), 7),
        ] {
            for number in 0..4 {
                let longest = gaps_hours(rhythm, number).into_iter().max().unwrap();
                assert!(longest <= days * 24, "{rhythm:?} {number}: {longest} h");
            }
        }
    }

    #[test]
    fn an_interval_is_kept_over_midnight() {
        let anchor = "2026-02-03T10:11:12Z".parse().unwrap();
        let gaps = gaps_hours(Rhythm::Interval(anchor, Duration::hours(30)), 3);
        assert!(gaps.len() > 80 && gaps.iter().all(|gap| *gap == 30), "{gaps:?}");
    }
}
