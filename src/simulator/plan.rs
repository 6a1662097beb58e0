use std::sync::OnceLock;

use chrono::{DateTime, Duration, Utc};

use crate::domain::shanghai_date;

use super::chance::Chance;
use super::character::{Character, Venue};
use super::fault::{Fault, Outage};
use super::rhythm::Rhythm;
use super::script::{Item, Pin, Script, Stretch};

/// What is decided about an account when the city is made.
#[derive(Debug)]
pub(super) struct Plan {
    /// What it publishes.
    pub(super) script: Script,
    /// When the platform took it away.
    pub(super) cancelled_at: Option<DateTime<Utc>>,
    /// What stands between it and a visitor.
    pub(super) obstacle: Option<Fault>,
}

/// An account for which a plan is made.
pub(super) struct Cast {
    pub(super) seed: u64,
    pub(super) number: u64,
    /// Its place among the accounts of its venue.
    pub(super) place: u64,
    /// Its turn among those of its venue and character: variants go by it.
    pub(super) turn: u64,
    pub(super) venue: Venue,
    pub(super) character: Character,
    /// The given time of the city.
    pub(super) born: DateTime<Utc>,
}

impl Cast {
    /// Decides the account's whole life.
    pub(super) fn plan(&self, chance: &mut Chance) -> Plan {
        use Character::*;
        let opened_at = self.opened_at(chance);
        let rhythm = self.rhythm(chance);
        // A century: no demo runs longer, and no calendar overflows.
        let for_ever = self.born + Duration::days(36_525);
        let mut singles = Vec::new();
        let mut stretches = Vec::new();
        let mut cancelled_at = None;
        let mut play = |until, rhythm| {
            stretches.push(Stretch { from: opened_at, until, rhythm });
        };
        // What is hidden is living or dead in turn: nobody outside can tell.
        let hidden_dead = self.character.is_hidden() && self.turn.is_multiple_of(2);
        match self.character {
            NeverPosted => {}
            Quiet => {
                // A day and more from both limits, so that a list of dates alone can tell.
                let last = self.born - days(chance, 11.2, 12.8);
                play(last, rhythm);
                match self.turn.is_multiple_of(2) {
                    true => singles.push(Item::at(last)),
                    false => stretches.push(Stretch {
                        from: last,
                        until: for_ever,
                        rhythm: Rhythm::Interval(last, Duration::hours(13 * 24 + 12)),
                    }),
                }
            }
            Dormant | PinnedDormant | Zombie => {
                let zombie = self.character == Zombie;
                let (least, most) = if zombie { (100.0, 700.0) } else { (15.2, 80.0) };
                let last = self.born - days(chance, least, most);
                play(last, rhythm);
                singles.push(Item::at(last));
            }
            Cancelled => {
                let gone = self.born - days(chance, 3.0, 60.0);
                play(gone, rhythm);
                cancelled_at = Some(gone);
            }
            Backdating => {
                let last = self.born - Duration::days(13);
                play(last, rhythm);
                singles.push(Item::at(last));
                singles.extend(backdated(self.born));
            }
            _ if hidden_dead => {
                let last = self.born - days(chance, 15.0, 80.0);
                play(last, rhythm);
                singles.push(Item::at(last));
            }
            _ => play(for_ever, rhythm),
        }
        if matches!(self.character, PinnedActive | PinnedDormant) {
            singles.extend(self.pins(chance, opened_at));
        }
        let script = Script {
            seed: self.seed,
            number: self.number,
            opened_at,
            stretches,
            singles,
            deletes_one_in: if self.character == Deleting { 5 } else { 0 },
            settled: OnceLock::new(),
            settled_before: shanghai_date(self.born - Duration::days(10)),
        };
        Plan { script, cancelled_at, obstacle: self.obstacle() }
    }

    fn opened_at(&self, chance: &mut Chance) -> DateTime<Utc> {
        let (least, most) = match self.character {
            Character::Young => (2.0, 8.0),
            Character::Zombie => (750.0, 950.0),
            Character::PinnedActive | Character::PinnedDormant => (500.0, 900.0),
            _ => (120.0, 700.0),
        };
        self.born - days(chance, least, most)
    }

    fn rhythm(&self, chance: &mut Chance) -> Rhythm {
        use Rhythm::{EveningPush, EveryFewDays, Hourly, Office, RoundTheClock};
        match (self.character, self.venue) {
            (Character::Canary, _) => Hourly,
            (Character::Deleting, _) => RoundTheClock(5),
            (Character::Young, _) => Office(2),
            (_, Venue::Weibo) => {
                *chance.pick(&[Office(1), Office(3), Office(6), RoundTheClock(8), EveryFewDays(3)])
            }
            (_, Venue::Wechat) => {
                *chance.pick(&[EveningPush(1), EveningPush(1), EveningPush(2), Office(1)])
            }
            (_, Venue::Portal) => *chance.pick(&[Office(1), Office(2), EveryFewDays(4)]),
            (_, Venue::Feed) => {
                *chance.pick(&[Office(1), Office(4), RoundTheClock(2), EveryFewDays(6)])
            }
        }
    }

    fn pins(&self, chance: &mut Chance, opened_at: DateTime<Utc>) -> Vec<Item> {
        let count = 1 + self.turn % 3;
        let pin = if self.turn.is_multiple_of(2) { Pin::Marked } else { Pin::Unmarked };
        let mut pins = (0..count)
            .map(|_| {
                let age = days(chance, 100.0, 450.0);
                Item { pin: Some(pin), ..Item::at((self.born - age).max(opened_at)) }
            })
            .collect::<Vec<_>>();
        pins.sort_by_key(|item| item.at);
        pins
    }

    fn obstacle(&self) -> Option<Fault> {
        let month_ago = self.born - Duration::days(30);
        Some(match (self.character, self.venue) {
            // A walled bridge is one that the platform no longer lets in.
            (Character::Walled, Venue::Wechat) => Fault::UpstreamStuck { since: month_ago },
            (Character::Walled, _) => Fault::Blocked,
            (Character::Cached, _) => {
                Fault::Stale { since: month_ago, with_age: self.turn.is_multiple_of(2) }
            }
            (Character::Redesigned, _) => Fault::LayoutBreak,
            // The bridge's host is shared: only its upstream can fail for one account.
            (Character::Unreachable, Venue::Wechat) => Fault::Outage(Outage::Status(503)),
            (Character::Unreachable, _) => Fault::Outage(match self.turn % 3 {
                0 => Outage::Closed,
                1 => Outage::Status(502),
                _ => Outage::Hanging,
            }),
            (Character::RobotsRefused, _) => Fault::RobotsRefusal,
            (Character::HollowSuccess, _) => Fault::HollowSuccess,
            (Character::Slow, _) => Fault::Slow { milliseconds: 1000 + (self.number * 137) % 2000 },
            (Character::RateLimiting, venue) => Fault::TooManyRequests {
                // Everybody on a shared host waits for this one account.
                retry_after_seconds: if venue == Venue::Portal { 300 } else { 20 },
            },
            _ => return None,
        })
    }
}

/// Three items that become public on the second day after the given time, with dates in the gap.
fn backdated(born: DateTime<Utc>) -> Vec<Item> {
    [9, 5, 1]
        .into_iter()
        .zip(0..)
        .map(|(days_before, minute)| Item {
            shown_at: born - Duration::days(days_before),
            ..Item::at(born + Duration::days(2) + Duration::minutes(minute))
        })
        .collect()
}

fn days(chance: &mut Chance, least: f64, most: f64) -> Duration {
    let seconds = |days: f64| (days * 86_400.0) as i64;
    Duration::seconds(chance.between(seconds(least), seconds(most)))
}
