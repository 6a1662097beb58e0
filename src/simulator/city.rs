use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use crate::domain::LedgerEntry;

use super::chance::{Chance, Use};
use super::character::{Character, Venue, character_at};
use super::ledger;
use super::names;
use super::plan::Cast;
use super::resident::{Look, Resident};

/// The made-up city of 鹿城: units, accounts and everything they ever publish.
///
/// A city is a pure function of seed, given time and size. Keys, handles, names and characters
/// depend on seed and place alone; dates are counted from the given time.
#[derive(Debug)]
pub struct City {
    pub(super) seed: u64,
    born: DateTime<Utc>,
    pub(super) residents: Vec<Resident>,
    pub(super) by_key: BTreeMap<String, usize>,
    by_handle: BTreeMap<(Venue, String), usize>,
    by_host: BTreeMap<String, Vec<usize>>,
}

/// A busy public account of the city, to tell trouble of a platform from silence of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// The platform id.
    pub platform: &'static str,
    /// The key by which [`City::truth`] knows it.
    pub key: String,
    /// The platform's id of the account.
    pub handle: String,
    /// The address of its page.
    pub url: String,
}

/// What an account is before its life is decided.
#[derive(Clone, Copy)]
pub(super) struct Role {
    pub(super) venue: Venue,
    pub(super) place: usize,
    pub(super) character: Character,
    pub(super) turn: usize,
}

impl City {
    /// Makes a city of `size` registered accounts; 200 or more have the whole cast of characters.
    pub fn generate(seed: u64, born: DateTime<Utc>, size: usize) -> Self {
        let mut city = Self {
            seed,
            born,
            residents: Vec::new(),
            by_key: BTreeMap::new(),
            by_handle: BTreeMap::new(),
            by_host: BTreeMap::new(),
        };
        let mut places = BTreeMap::<Venue, usize>::new();
        for place in 0..size {
            let venue = Venue::of_place(place);
            let among = places.entry(venue).or_default();
            let mut chance = Chance::of(seed, Use::Look, &[place as u64]);
            let (character, turn) = character_at(venue, *among, chance.below(100));
            let look = Look::draw(&mut chance, turn);
            city.settle(Role { venue, place: *among, character, turn }, look, None);
            *among += 1;
        }
        city
    }

    /// The city of `config/ledger.sample.csv`: always the same, to look at and to import.
    pub fn sample() -> Self {
        let born = "2026-11-01T00:00:00Z".parse().expect("the literal is a time");
        Self::generate(339_900, born, 240)
    }

    /// Adds a busy public account that is in no ledger, under a handle of the caller's choice: so
    /// that canaries named in a platform file are found in the city as well. An account the city
    /// has already stays as it is.
    #[must_use]
    pub fn with_canary(mut self, venue: Venue, handle: &str) -> Self {
        if !self.by_handle.contains_key(&(venue, handle.to_owned())) {
            let mut chance = Chance::of(self.seed, Use::Look, &[self.residents.len() as u64]);
            let look = Look::draw(&mut chance, 0);
            let role = Role { venue, place: 0, character: Character::Canary, turn: 0 };
            self.settle(role, look, Some(handle));
        }
        self
    }

    pub(super) fn settle(&mut self, role: Role, look: Look, handle: Option<&str>) {
        let Role { venue, place, character, turn } = role;
        let index = self.residents.len();
        let cast = Cast {
            seed: self.seed,
            number: index as u64,
            place: place as u64,
            turn: turn as u64,
            venue,
            character,
            born: self.born,
        };
        let plan = cast.plan(&mut Chance::of(self.seed, Use::Plan, &[index as u64]));
        let unit = names::unit(ledger::unit_of(venue, place));
        let entry = ledger::entry(&cast, &plan, &unit, handle);
        self.by_key.insert(entry.key.clone(), index);
        self.by_handle.insert((venue, entry.handle.clone()), index);
        let resident =
            Resident { venue, character, look, entry, plan, registered: handle.is_none() };
        self.by_host.entry(resident.host().to_owned()).or_default().push(index);
        self.residents.push(resident);
    }

    /// The seed the city grew from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The given time from which all dates are counted.
    pub fn born(&self) -> DateTime<Utc> {
        self.born
    }

    /// The office's ledger, in the order of registration.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        let registered = self.residents.iter().filter(|resident| resident.registered);
        registered.map(|resident| resident.entry.clone()).collect()
    }

    /// The ledger as a CSV file with Chinese column names, UTF-8 without a byte order mark.
    pub fn ledger_csv(&self) -> String {
        ledger::csv(&self.ledger())
    }

    /// Every host name of the city, and those its pages lead to: none may be looked up outside.
    pub fn hosts(&self) -> Vec<String> {
        let mut hosts = self.by_host.keys().cloned().collect::<Vec<_>>();
        hosts.extend(super::answer::OTHER_HOSTS.map(str::to_owned));
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// The busy accounts, registered or added, one or more for each platform.
    pub fn canaries(&self) -> Vec<Canary> {
        let busy = self.residents.iter().filter(|one| one.character == Character::Canary);
        busy.map(|resident| Canary {
            platform: resident.venue.platform(),
            key: resident.entry.key.clone(),
            handle: resident.entry.handle.clone(),
            url: resident.entry.url.clone().unwrap_or_default(),
        })
        .collect()
    }

    /// The character of an account, for tests that want one of each.
    pub fn character(&self, key: &str) -> Option<Character> {
        self.resident(key).map(|resident| resident.character)
    }

    /// The keys of the registered accounts of one character, in the order of the ledger.
    pub fn keys_of(&self, character: Character) -> Vec<String> {
        let cast = self.residents.iter().filter(|one| one.registered && one.character == character);
        cast.map(|resident| resident.entry.key.clone()).collect()
    }

    /// Lets the last single post of an account claim a time so much later than it was made, as
    /// authors do who mistype the year. Accounts that fell silent by script have one.
    pub fn claim_later(&mut self, key: &str, by: Duration) {
        let resident = self.by_key.get(key).and_then(|index| self.residents.get_mut(*index));
        if let Some(last) = resident.and_then(|one| one.plan.script.singles.last_mut()) {
            last.shown_at = last.at + by;
        }
    }

    /// An account of the same venue that was silent long before the given time.
    pub(super) fn silent_beside(&self, resident: &Resident) -> Option<&Resident> {
        let silent = |one: &&Resident| {
            one.venue == resident.venue
                && one.entry.key != resident.entry.key
                && matches!(one.character, Character::Dormant | Character::Zombie)
        };
        self.residents.iter().find(silent)
    }

    pub(super) fn resident(&self, key: &str) -> Option<&Resident> {
        self.by_key.get(key).and_then(|index| self.residents.get(*index))
    }

    pub(super) fn by_handle(&self, venue: Venue, handle: &str) -> Option<&Resident> {
        let index = self.by_handle.get(&(venue, handle.to_owned()))?;
        self.residents.get(*index)
    }

    /// The first account of a host; the only one, where the host is an account's own.
    pub(super) fn first_on_host(&self, host: &str) -> Option<&Resident> {
        self.by_number(*self.by_host.get(host)?.first()?)
    }

    pub(super) fn by_number(&self, number: usize) -> Option<&Resident> {
        self.residents.get(number)
    }
}
