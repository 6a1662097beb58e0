use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Duration, Utc};
use xunjian::simulator::{Character, City, Fault, Faults, Outage, Venue};

use super::stage::{CURTAIN, Staged};

/// Hosts that many accounts share.
const HOSTS: [&str; 3] = ["m.weibo.cn", "bridge.lucheng.example", "feeds.lucheng.example"];

/// Of so many account-days one begins a trouble of the account's own.
const OWN_TROUBLE_ONE_IN: u64 = 40;

/// In so many percent of days a trouble of a whole shared host begins.
const HOST_TROUBLE_PERCENT: u64 = 12;

/// A shared host shows an old page as new for so many days at most; only its canary can tell.
const LIE_DAYS_MAX: usize = 2;

/// On these days one host says of everybody that they are gone: as many as silence takes where a
/// page kind has no canary of its own, so that those of the host's others must tell.
const GONE_HOST: &str = HOSTS[0];
const GONE_DAYS: Range<usize> = 15..18;

/// So many days in a row the daemon is down.
const DOWN_DAYS: usize = 3;

/// Repeatable chance: the finalizer of SplitMix64 over seed and labels.
pub(super) fn draw(seed: u64, labels: &[u64]) -> u64 {
    labels.iter().fold(seed, |state, label| {
        let mut z = (state ^ label).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// What goes wrong on each simulated day, for whom: all of it drawn from the seed.
pub(super) struct Weather {
    days: Vec<Faults>,
    /// Days on which nothing is visited.
    down: Range<usize>,
}

/// Where a fault strikes, and where its labels begin.
#[derive(Clone, Copy)]
struct Place<'a> {
    seed: u64,
    number: u64,
    target: &'a str,
    start: DateTime<Utc>,
}

type Days = Vec<BTreeMap<String, Fault>>;

impl Weather {
    pub(super) fn of(
        city: &City,
        stage: &BTreeMap<&str, &Staged>,
        seed: u64,
        start: DateTime<Utc>,
        days: usize,
    ) -> Self {
        let mut plan: Days = vec![BTreeMap::new(); days];
        for (number, host) in (1_000_000..).zip(HOSTS) {
            hinder_host(&mut plan, Place { seed, number, target: host, start });
            // A post shown on this day alone, and put back later, is one that was seen.
            if let Some(faults) = plan.get_mut(CURTAIN) {
                faults.remove(host);
            }
        }
        strike(&mut plan, GONE_HOST, GONE_DAYS.start, GONE_DAYS.len(), Fault::SaysGone);
        let mut turns = BTreeMap::<(Venue, Character), u64>::new();
        for (number, entry) in (0..).zip(city.ledger()) {
            if let Some(staged) = stage.get(entry.key.as_str()) {
                for (days, fault) in &staged.faults {
                    strike(&mut plan, &entry.key, days.start, days.len(), *fault);
                }
                continue;
            }
            let place = Place { seed, number, target: &entry.key, start };
            let character = city.character(&entry.key).unwrap_or(Character::Active);
            let venue = Venue::of_platform(&entry.platform).unwrap_or(Venue::Feed);
            let turn = turns.entry((venue, character)).or_default();
            *turn += 1;
            match lasting(start, character, venue, *turn) {
                Some((from, fault)) => {
                    for day in plan.iter_mut().skip(from) {
                        day.insert(entry.key.clone(), fault);
                    }
                }
                // The canary's own trouble would be taken for its host's.
                None if character == Character::Canary => {}
                None => hinder_account(&mut plan, place, character),
            }
        }
        let first = 3 + usize::try_from(draw(seed, &[7]) % 8).unwrap_or(0);
        let first = first.min(days.saturating_sub(DOWN_DAYS));
        let faults = plan.into_iter().map(|day| {
            let mut faults = Faults::default();
            for (target, fault) in day {
                faults.set(&target, Some(fault));
            }
            faults
        });
        Self { days: faults.collect(), down: first..first + DOWN_DAYS }
    }

    /// The faults of a day.
    pub(super) fn on(&self, day: usize) -> &Faults {
        &self.days[day]
    }

    /// Whether the daemon is down all day.
    pub(super) fn is_down(&self, day: usize) -> bool {
        self.down.contains(&day)
    }
}

/// Some accounts are never shown whole; they have no other trouble. Taken by turns, so that the
/// smallest run has one of each.
fn lasting(
    start: DateTime<Utc>,
    character: Character,
    venue: Venue,
    turn: u64,
) -> Option<(usize, Fault)> {
    let followers = Fault::FollowersOnly { since: start + Duration::days(5) };
    match (character, venue, turn % 10) {
        (Character::PinnedActive, _, _) if !turn.is_multiple_of(2) => Some((0, Fault::Shallow)),
        (Character::Active, Venue::Weibo, 1 | 5) => Some((5, followers)),
        (Character::Active, _, 2) => Some((0, Fault::OtherAccount)),
        (Character::Active | Character::Dormant, _, 3) => Some((0, Fault::HotOrder)),
        (Character::Active | Character::Dormant, _, 6) => Some((0, Fault::Shallow)),
        _ => None,
    }
}

/// The host that lies to those who come for the first time, when nothing contradicts it.
pub(super) fn lies_at_first(seed: u64) -> &'static str {
    let hosts = HOSTS.len() as u64;
    HOSTS[usize::try_from((seed + hosts - 1) % hosts).unwrap_or(0)]
}

fn hinder_host(plan: &mut Days, place: Place<'_>) {
    let mut day = 0;
    if place.target == lies_at_first(place.seed) {
        let since = place.start - Duration::days(20);
        strike(plan, place.target, 0, LIE_DAYS_MAX, Fault::Replica { since });
        day = 4;
    }
    while day < plan.len() {
        let chance = |label| draw(place.seed, &[place.number, day as u64, label]);
        if chance(2) % 100 >= HOST_TROUBLE_PERCENT {
            day += 1;
            continue;
        }
        let long = 1 + usize::try_from(chance(3) % 3).unwrap_or(0);
        let now = place.start + Duration::days(day.try_into().unwrap_or(0));
        let since = now - Duration::days(12 + (chance(4) % 9).cast_signed());
        let kind = chance(5) % 13;
        let long = if matches!(kind, 9 | 10) { long.min(LIE_DAYS_MAX) } else { long };
        let fault = match kind {
            0 => Fault::Blocked,
            1 => Fault::HollowSuccess,
            2 => Fault::Outage(Outage::Status(503)),
            3 => Fault::Outage(Outage::Hanging),
            4 => Fault::LayoutBreak,
            5 => Fault::RobotsRefusal,
            6 => Fault::UpstreamStuck { since: now },
            7 => Fault::Stale { since, with_age: true },
            8 => Fault::Stale { since, with_age: false },
            9 => Fault::Replica { since },
            10 => Fault::SaysGone,
            11 => wrong_offset(chance(6)),
            _ => wrong_clock(chance(6)),
        };
        strike(plan, place.target, day, long, fault);
        day += long + 1;
    }
}

fn hinder_account(plan: &mut Days, place: Place<'_>, character: Character) {
    let mut day = 0;
    while day < plan.len() {
        let chance = |label| draw(place.seed, &[place.number, day as u64, label]);
        let first_sight = day == 0 && chance(7) % 12 == 0;
        if !first_sight && chance(2) % OWN_TROUBLE_ONE_IN != 0 {
            day += 1;
            continue;
        }
        let mut long = 1 + usize::try_from(chance(3) % 4).unwrap_or(0);
        let now = place.start + Duration::days(day.try_into().unwrap_or(0));
        let since = now - Duration::days(12 + (chance(4) % 9).cast_signed());
        let kind = if first_sight { 9 } else { chance(5) % 14 };
        let fault = match kind {
            0 => Fault::Blocked,
            1 => Fault::HollowSuccess,
            2 => Fault::Outage(Outage::Status(502)),
            3 => Fault::Outage(Outage::Closed),
            4 => Fault::LayoutBreak,
            5 => Fault::RobotsRefusal,
            6 => Fault::UpstreamStuck { since: now },
            7 => Fault::Stale { since, with_age: true },
            8 => Fault::Stale { since, with_age: false },
            9 => {
                // The bound of this adversary: no single account's page lies on two days of three
                // with nothing to show it.
                long = 1;
                Fault::Replica { since }
            }
            10 => Fault::OtherAccount,
            11 => {
                long = 1;
                Fault::SaysGone
            }
            12 => wrong_offset(chance(6)),
            _ => wrong_clock(chance(6)),
        };
        // Nobody is seen by times alone that lie too early: a page that is never read without them
        // contradicts nothing.
        let is_early = matches!(fault, Fault::WrongOffset { seconds } if seconds < 0);
        if !(is_early && character == Character::Unreachable) {
            strike(plan, place.target, day, long, fault);
        }
        day += long + 4;
    }
}

/// Beijing time written as universal time is eight hours too late, the other way round too early.
fn wrong_offset(chance: u64) -> Fault {
    let seconds = 8 * 3600;
    Fault::WrongOffset { seconds: if chance.is_multiple_of(2) { seconds } else { -seconds } }
}

fn wrong_clock(chance: u64) -> Fault {
    let seconds = 400 + (chance % 36_000).cast_signed();
    Fault::WrongClock { seconds: if chance.is_multiple_of(2) { seconds } else { -seconds } }
}

fn strike(plan: &mut Days, target: &str, day: usize, long: usize, fault: Fault) {
    for struck in plan.iter_mut().skip(day).take(long) {
        struck.insert(target.to_owned(), fault);
    }
}
