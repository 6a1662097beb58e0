use super::days::{Days, by_chance};
use super::settings::Settings;

/// Most pseudo-observations behind what is usual on a platform.
const MOST: f64 = 500.0;
/// How firm the belief is beforehand that accounts differ, in what [`Differences`] grow by: of days
/// with a push, about three accounts watched for two months; of further pushes, five accounts.
const DAYS_BELIEVED: f64 = 300.0;
const FURTHER_BELIEVED: f64 = 5.0;

/// How much the accounts of a platform differ from Poisson processes of their rates, and from each
/// other: how soon an account's own days are believed.
///
/// Each number is what is left of the differences between accounts after the part that chance
/// alone makes; where chance explains them all, an account's own days teach its rate only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Variety {
    /// Days with a push against those of a Poisson process, and pseudo-days behind that.
    pub(super) posting: Usual,
    /// Pseudo-days of an account's mean day behind each of its weekdays.
    pub(super) weekday_days: f64,
    /// Further pushes of a day against those of a Poisson process, and pseudo-pushes behind that.
    pub(super) further: Usual,
}

/// A ratio that is usual, and how firmly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    pub(super) ratio: f64,
    pub(super) behind: f64,
}

impl Default for Variety {
    /// Accounts are believed soon.
    fn default() -> Self {
        Self::of(&[], &[1.0; 7], &Settings::default())
    }
}

impl Variety {
    /// Learns from the days of a platform's accounts, whose usual week is known.
    pub(super) fn of(all: &[Days], week: &[f64; 7], settings: &Settings) -> Self {
        Self {
            posting: posting(all, settings),
            weekday_days: weekdays(all, week),
            further: further(all, settings),
        }
    }
}

/// Squared differences, the part of them that chance makes, and how they grow with what is not
/// chance.
#[derive(Debug, Clone, Copy)]
struct Differences {
    seen: f64,
    chance: f64,
    grown: f64,
}

impl Differences {
    /// Begins with the belief that accounts differ by `share`, as firm as `grown`.
    fn believed(share: f64, grown: f64) -> Self {
        Self { seen: share * grown, chance: 0.0, grown }
    }

    fn add(&mut self, difference: f64, chance: f64, grown: f64) {
        self.seen += difference * difference;
        self.chance += chance;
        self.grown += grown;
    }

    /// Pseudo-observations behind what is usual: the fewer, the more accounts differ.
    fn behind(self, least: f64) -> f64 {
        let share = (self.seen - self.chance) / self.grown;
        1.0 / share.clamp(1.0 / MOST, 1.0 / least)
    }
}

fn weekdays(all: &[Days], week: &[f64; 7]) -> f64 {
    let mut differences = Differences::believed(1.0 / 6.0, DAYS_BELIEVED);
    for days in all {
        let mean = (days.firsts() + 0.5) / (days.whole().sum + 1.0);
        for (day, usual) in week.iter().enumerate() {
            let seen = days.seen[day];
            let share = (mean * usual).clamp(0.0, 1.0);
            let vary = share * (1.0 - share);
            // The mean is the account's own: of seven differences six are free.
            let chance = seen.squares * vary * 6.0 / 7.0;
            differences.add(days.posted[day] - seen.sum * share, chance, seen.sum.powi(2) * vary);
        }
    }
    differences.behind(6.0)
}

fn posting(all: &[Days], settings: &Settings) -> Usual {
    let (mut posted, mut usual) = (2.0, 2.0);
    for days in all {
        let seen = days.whole().sum;
        posted += days.firsts() / (seen + 5.0);
        usual += seen * by_chance(days.rate(settings)).0 / (seen + 5.0);
    }
    let ratio = posted / usual;
    let mut differences = Differences::believed(0.5, DAYS_BELIEVED);
    for days in all {
        let seen = days.whole();
        let share = (ratio * by_chance(days.rate(settings)).0).min(1.0);
        let vary = share * (1.0 - share);
        let difference = days.firsts() - seen.sum * share;
        differences.add(difference, seen.squares * vary, seen.sum.powi(2) * vary);
    }
    Usual { ratio, behind: differences.behind(2.0) }
}

fn further(all: &[Days], settings: &Settings) -> Usual {
    let usual = |days: &Days| days.firsts() * by_chance(days.rate(settings)).1;
    // A busy account has no more say than one with a few further pushes.
    let say = |usual: f64| 1.0 / (1.0 + usual);
    let (mut made, mut expected) = (2.0, 2.0);
    for days in all {
        made += say(usual(days)) * days.further.sum;
        expected += say(usual(days)) * usual(days);
    }
    let ratio = made / expected;
    let mut differences = Differences::believed(1.0, FURTHER_BELIEVED);
    for days in all {
        let usual = usual(days);
        let (expected, say) = (ratio * usual, say(usual));
        let chance =
            if days.further.sum > 0.0 { days.further.squares / days.further.sum } else { 1.0 };
        let difference = say * (days.further.sum - expected);
        differences.add(difference, say * say * chance * expected, (say * expected).powi(2));
    }
    Usual { ratio, behind: differences.behind(0.5) }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::super::rhythm::{Push, Rhythm};
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T00:00:00+08:00".parse().unwrap()
    }

    fn days(ago: impl IntoIterator<Item = i64>) -> Days {
        let push = |minutes| Push::new(now() - TimeDelta::minutes(minutes), false);
        let rhythm = Rhythm::new(Some(now() - TimeDelta::days(60)), ago.into_iter().map(push));
        Days::of(&rhythm, &Settings::default(), now())
    }

    fn variety(all: &[Days]) -> Variety {
        Variety::of(all, &[1.0; 7], &Settings::default())
    }

    /// Pushes by chance, one a day: the account's number decides when.
    fn by_lot(account: u64) -> Days {
        let mut bits = account.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = || {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            i64::try_from(bits % (60 * 24 * 60)).unwrap()
        };
        days((0..60).map(|_| next()).collect::<Vec<_>>())
    }

    #[test]
    fn where_chance_explains_all_no_account_is_soon_believed() {
        let all: Vec<Days> = (1..=200).map(by_lot).collect();
        let variety = variety(&all);
        assert!(variety.weekday_days > 60.0, "{variety:?}");
        assert!(variety.posting.behind > 60.0, "{variety:?}");
        assert!(variety.further.behind > 20.0, "{variety:?}");
        assert!((variety.posting.ratio - 1.0).abs() < 0.05, "{variety:?}");
        assert!((variety.further.ratio - 1.0).abs() < 0.1, "{variety:?}");
    }

    #[test]
    fn where_accounts_go_their_own_ways_each_is_soon_believed() {
        // One push a day and never two, every other account on five days of the week only.
        let daily = |account: i64| {
            let kept = move |day: &i64| account % 2 == 0 || (day + account) % 7 < 5;
            days((1..60).filter(kept).map(move |day| day * 24 * 60 - 60 * (account % 12) - 1))
        };
        let all: Vec<Days> = (0..100).map(daily).collect();
        let variety = variety(&all);
        assert!(variety.weekday_days < 10.0, "{variety:?}");
        assert!(variety.further.ratio < 0.1, "{variety:?}");
        assert!(variety.posting.ratio > 1.3, "{variety:?}");
    }

    proptest! {
        #[test]
        fn whatever_was_seen_the_numbers_can_be_used(
            all in prop::collection::vec(prop::collection::vec(1..90_000_i64, 0..140), 0..6),
        ) {
            let all: Vec<Days> = all.into_iter().map(days).collect();
            let Variety { posting, weekday_days, further } = variety(&all);
            for behind in [posting.behind, weekday_days, further.behind] {
                prop_assert!((0.5..=MOST + 1e-6).contains(&behind));
            }
            prop_assert!(posting.ratio > 0.0 && posting.ratio.is_finite());
            prop_assert!(further.ratio > 0.0 && further.ratio.is_finite());
        }
    }
}
