use chrono::{DateTime, Utc};

use super::days::Days;
use super::forecast::Poisson;
use super::profile::{BELIEVED, Mixture, Profile, foretold, normal, settled};
use super::rhythm::{BINS, Rhythm, bin_end, bin_start};
use super::settings::Settings;
use super::variety::Variety;

/// Accounts without any habit that stand behind what is common to a platform.
const EVEN_ACCOUNTS: f64 = 5.0;
/// Pushes after which an account has half a say.
const HALF_SAY: f64 = 5.0;
/// Pseudo-pushes behind the belief in how habits mix on a platform, the most pushes of one account
/// that count there, and the rounds in which the mixture settles.
const MIXED: f64 = 50.0;
const MIXED_MAX: f64 = 10.0;
const ROUNDS: usize = 30;

/// What is usual on a platform: the belief about an account of which little is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Habits {
    /// Share of the pushes in each bin of the day.
    pub(super) day: Profile,
    /// Pushes on each weekday against the mean day, 1 on average.
    pub(super) week: [f64; 7],
    /// How much the habits of an account speak for the first push of a day, and for later ones.
    pub(super) first: Mixture,
    pub(super) later: Mixture,
    pub(super) variety: Variety,
}

impl Default for Habits {
    /// No hour and no day is better than another, and accounts are believed soon.
    fn default() -> Self {
        let variety = Variety::default();
        Self { day: even(), week: [1.0; 7], first: BELIEVED, later: BELIEVED, variety }
    }
}

impl Habits {
    /// Learns from the rhythms of a platform's accounts, each with the same say however much it
    /// posts, so that a few busy ones do not speak for all.
    ///
    /// Learned is both what they have in common and how far accounts have habits of their own:
    /// where chance explains what they do, no account is soon believed to have any.
    pub fn of<'a>(
        rhythms: impl IntoIterator<Item = &'a Rhythm>,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Self {
        let all: Vec<Days> =
            rhythms.into_iter().map(|rhythm| Days::of(rhythm, settings, now)).collect();
        let day = common(even(), all.iter().map(day_of));
        let week = common([1.0; 7], all.iter().map(week_of));
        let mean = week.iter().sum::<f64>() / 7.0;
        let week = week.map(|pushes| pushes / mean);
        let (first, later) = mixtures(&all, &day, settings);
        let variety = Variety::of(&all, &week, settings);
        Self { day, week, first, later, variety }
    }
}

/// In proportion to the length of each bin.
fn even() -> Profile {
    normal(std::array::from_fn(|bin| (bin_end(bin) - bin_start(bin)) as f64))
}

/// What accounts have in common: `even` and the mean of their differences from it, of which that
/// part is believed which is more than they would add up to if each went its own way.
///
/// Of each account its say is given, and how it differs.
fn common<const N: usize>(
    even: [f64; N],
    accounts: impl Iterator<Item = (f64, [f64; N])>,
) -> [f64; N] {
    let (mut says, mut sums, mut apart) = (EVEN_ACCOUNTS, [0.0; N], 0.0);
    for (say, differences) in accounts {
        says += say;
        for (sum, difference) in sums.iter_mut().zip(differences) {
            *sum += say * difference;
            apart += (say * difference).powi(2);
        }
    }
    let together: f64 = sums.iter().map(|sum| sum * sum).sum();
    let believed = if together > apart { 1.0 - apart / together } else { 0.0 };
    std::array::from_fn(|place| (even[place] + believed * sums[place] / says).max(0.0))
}

fn day_of(days: &Days) -> (f64, Profile) {
    let mut pushes = [0.0; BINS];
    days.marks().for_each(|mark| pushes[mark.bin] += mark.weight);
    let total: f64 = pushes.iter().sum();
    let even = even();
    let difference = |bin: usize| pushes[bin] / total.max(1e-9) - even[bin];
    (total / (total + HALF_SAY), std::array::from_fn(difference))
}

fn week_of(days: &Days) -> (f64, [f64; 7]) {
    let mean = days.firsts() / days.whole().sum.max(1e-9);
    let difference = |day: usize| {
        let usual = mean * days.seen[day].sum;
        if usual > 0.0 { days.posted[day] / usual - 1.0 } else { 0.0 }
    };
    (days.firsts() / (days.firsts() + HALF_SAY), std::array::from_fn(difference))
}

fn mixtures(all: &[Days], day: &Profile, settings: &Settings) -> (Mixture, Mixture) {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for days in all {
        let usual = Poisson::of(days.rate(settings), day);
        let lists =
            [(&mut first, &days.first, &usual.first), (&mut later, &days.later, &usual.later)];
        for (list, marks, usual) in lists {
            let total: f64 = marks.iter().map(|mark| mark.weight).sum();
            let say = MIXED_MAX / (total + MIXED_MAX);
            list.extend(foretold(marks, usual).into_iter().map(|(one, had)| (one, had * say)));
        }
    }
    let settle = |list: &[_]| settled(list, &BELIEVED, MIXED, ROUNDS);
    (settle(&first), settle(&later))
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

    #[test]
    fn accounts_that_go_their_own_ways_have_nothing_in_common() {
        let now: DateTime<Utc> = "2026-11-22T00:00:00+08:00".parse().unwrap();
        let daily = |minute: i64| {
            let midnight = |day| now - TimeDelta::days(day);
            let pushes =
                (1..=20).map(|day| Push::new(midnight(day) + TimeDelta::minutes(minute), false));
            Rhythm::new(Some(now - TimeDelta::days(30)), pushes)
        };
        let rhythms: Vec<Rhythm> = (0..40).map(|n| daily(n * 36)).collect();
        let habits = Habits::of(&rhythms, &Settings::default(), now);
        let even = even();
        assert!(habits.day.iter().zip(even).all(|(one, even)| (one - even).abs() < 1e-9));
        // Yet each has its minute, and that is known of the platform too.
        assert!(habits.first[0] + habits.first[1] > 0.8, "{:?}", habits.first);
    }
}
