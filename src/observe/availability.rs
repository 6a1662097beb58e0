//! Whether a site can be opened: what a week of probes proves.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};

use crate::domain::{shanghai_date, shanghai_midnight};

use super::site::SiteRules;

/// How one attempt to open a site's home page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeOutcome {
    /// The page came within the time allowed.
    Open,
    /// It did not, though our own network was up.
    Failed,
    /// Says nothing of the site: our own outage, our own pacing, a wall in front of us, robots.txt.
    Unknown,
}

impl ProbeOutcome {
    /// Every outcome with its stable word.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Open, "open"), (Self::Failed, "failed"), (Self::Unknown, "unknown")];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// One attempt to open a site's home page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// When it was asked for.
    pub at: DateTime<Utc>,
    /// How it ended.
    pub outcome: ProbeOutcome,
}

/// What a set of probes says of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reachability {
    /// Fewer failures than the rule names, over a whole time of monitoring.
    Reachable,
    /// 站点无法访问: at least the share of failures that the rule names.
    Unreachable,
    /// Not enough was seen.
    Undetermined,
}

impl Reachability {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Unreachable => "unreachable",
            Self::Undetermined => "undetermined",
        }
    }
}

/// The probes of one monitoring, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The first day monitored, at 00:00 Asia/Shanghai.
    pub from: DateTime<Utc>,
    /// The end of the last one.
    pub to: DateTime<Utc>,
    /// Probes that count: opened or failed, and far enough apart.
    pub counted: u32,
    /// Those of them that failed.
    pub failed: u32,
    /// Probes that say nothing.
    pub unknown: u32,
    /// Days with fewer counted probes than the rule asks for.
    pub short_days: Vec<NaiveDate>,
    /// What that proves.
    pub verdict: Reachability,
}

/// Counts the probes of the last whole days of Asia/Shanghai before `cutoff`, as many as the rule
/// monitors, and says what they prove.
///
/// A probe that says nothing is neither numerator nor denominator. Of probes closer together than
/// the rule allows the first counts: a burst must not outweigh a day. A day with too few leaves the
/// whole undetermined, whatever the others say: the rule asks for every one of them.
pub fn availability(probes: &[Probe], rules: &SiteRules, cutoff: DateTime<Utc>) -> Availability {
    let last = shanghai_date(cutoff);
    let first = last.checked_sub_days(Days::new(rules.probe_days.into())).unwrap_or(last);
    let (from, to) = (shanghai_midnight(first), shanghai_midnight(last));
    let mut probes: Vec<Probe> =
        probes.iter().copied().filter(|probe| probe.at >= from && probe.at < to).collect();
    probes.sort_by_key(|probe| (probe.at, probe.outcome == ProbeOutcome::Failed));
    let apart = Duration::minutes(rules.probe_apart_minutes.into());
    let (mut failed, mut unknown) = (0, 0);
    let mut by_day: BTreeMap<NaiveDate, u32> = BTreeMap::new();
    let mut newest: Option<DateTime<Utc>> = None;
    for probe in probes {
        if probe.outcome == ProbeOutcome::Unknown {
            unknown += 1;
        } else if newest.is_none_or(|newest| probe.at - newest >= apart) {
            newest = Some(probe.at);
            failed += u32::from(probe.outcome == ProbeOutcome::Failed);
            *by_day.entry(shanghai_date(probe.at)).or_default() += 1;
        }
    }
    let days = first.iter_days().take_while(|day| *day < last);
    let is_short =
        |day: &NaiveDate| by_day.get(day).copied().unwrap_or(0) < rules.probes_per_day_min;
    let short_days: Vec<NaiveDate> = days.filter(is_short).collect();
    let counted = by_day.values().sum();
    let verdict = match () {
        () if !short_days.is_empty() || counted == 0 => Reachability::Undetermined,
        () if rules.fails(failed, counted) => Reachability::Unreachable,
        () => Reachability::Reachable,
    };
    Availability { from, to, counted, failed, unknown, short_days, verdict }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CUTOFF: &str = "2026-11-22T10:00:00+08:00";

    fn cutoff() -> DateTime<Utc> {
        CUTOFF.parse().unwrap()
    }

    /// Probes an hour apart over the seven days before, each as `outcome` says by its number.
    fn week(outcome: impl Fn(u32) -> ProbeOutcome) -> Vec<Probe> {
        let from: DateTime<Utc> = "2026-11-15T00:00:00+08:00".parse().unwrap();
        let probe = |n: u32| Probe { at: from + Duration::hours(n.into()), outcome: outcome(n) };
        (0..7 * 24).map(probe).collect()
    }

    fn check(probes: &[Probe], counted: u32, failed: u32, verdict: Reachability) {
        let found = availability(probes, &SiteRules::default(), cutoff());
        assert_eq!((found.counted, found.failed, found.verdict), (counted, failed, verdict));
    }

    use ProbeOutcome::{Failed, Open, Unknown};

    #[test]
    fn five_in_a_hundred_are_too_many_and_a_little_less_is_not() {
        check(&week(|_| Open), 168, 0, Reachability::Reachable);
        // 9 of 168 are 5.36 %, 8 are 4.76 %.
        check(
            &week(|n| if n % 20 == 0 { Failed } else { Open }),
            168,
            9,
            Reachability::Unreachable,
        );
        check(&week(|n| if n % 21 == 0 { Failed } else { Open }), 168, 8, Reachability::Reachable);
        // Exactly 5 %, 7 of 140, is "超过(含)5%".
        let mut twenty = week(|n| if n % 24 == 0 { Failed } else { Open });
        twenty.retain(|probe| (probe.at - cutoff()).num_hours().rem_euclid(24) < 20);
        let found = availability(&twenty, &SiteRules::default(), cutoff());
        assert_eq!((found.counted, found.short_days.len()), (140, 0));
        let share = (found.failed, found.verdict);
        assert_eq!(share, (7, Reachability::Unreachable));
    }

    #[test]
    fn a_day_with_too_few_probes_leaves_it_undetermined() {
        let mut probes = week(|_| Failed);
        probes.retain(|probe| {
            probe.at >= "2026-11-15T04:30:00+08:00".parse::<DateTime<Utc>>().unwrap()
        });
        let found = availability(&probes, &SiteRules::default(), cutoff());
        assert_eq!(found.verdict, Reachability::Undetermined);
        assert_eq!(found.short_days, ["2026-11-15".parse().unwrap()]);
        check(&[], 0, 0, Reachability::Undetermined);
    }

    #[test]
    fn what_says_nothing_counts_nowhere() {
        // Four of the day's probes are our own outage: twenty are left.
        let ours = week(|n| if n % 24 < 4 { Unknown } else { Open });
        check(&ours, 140, 0, Reachability::Reachable);
        let more = week(|n| if n % 24 < 5 { Unknown } else { Open });
        check(&more, 133, 0, Reachability::Undetermined);
    }

    #[test]
    fn a_burst_counts_once() {
        let mut probes = week(|_| Open);
        let first = probes[0].at + Duration::minutes(1);
        probes.extend((0..50).map(|n| Probe { at: first + Duration::seconds(n), outcome: Failed }));
        check(&probes, 168, 0, Reachability::Reachable);
    }

    #[test]
    fn only_whole_days_before_the_cutoff_are_monitored() {
        let mut probes = week(|_| Open);
        let today = "2026-11-22T00:30:00+08:00".parse().unwrap();
        probes.push(Probe { at: today, outcome: Failed });
        let before = "2026-11-14T23:59:00+08:00".parse().unwrap();
        probes.push(Probe { at: before, outcome: Failed });
        check(&probes, 168, 0, Reachability::Reachable);
    }

    proptest! {
        /// Unknown probes, wherever they lie, change no count and no verdict.
        #[test]
        fn our_own_outages_accuse_nobody(hours in proptest::collection::vec(0_i64..168, 0..60)) {
            let probes = week(|n| if n % 40 == 0 { Failed } else { Open });
            let start = probes[0].at;
            let mut with = probes.clone();
            with.extend(hours.iter().map(|hour| Probe {
                at: start + Duration::hours(*hour) + Duration::minutes(30),
                outcome: Unknown,
            }));
            let rules = SiteRules::default();
            let (one, other) =
                (availability(&probes, &rules, cutoff()), availability(&with, &rules, cutoff()));
            prop_assert_eq!(one.verdict, other.verdict);
            prop_assert_eq!((one.counted, one.failed), (other.counted, other.failed));
        }

        /// The order in which probes are told changes nothing, and failures never exceed the count.
        #[test]
        fn the_order_of_telling_changes_nothing(
            mut outcomes in proptest::collection::vec(0_u8..3, 168), seed in 0_usize..168,
        ) {
            let of = |n: u32| match outcomes[n as usize] { 0 => Open, 1 => Failed, _ => Unknown };
            let mut probes = week(of);
            let rules = SiteRules::default();
            let told = availability(&probes, &rules, cutoff());
            probes.rotate_left(seed);
            prop_assert_eq!(&availability(&probes, &rules, cutoff()), &told);
            prop_assert!(told.failed <= told.counted);
            outcomes.clear();
        }
    }
}
