//! Accounts and posts that a test plants beside what the seed has grown.

use chrono::{DateTime, Utc};

use crate::domain::shanghai_date;

use super::chance::{Chance, Use};
use super::character::{Character, Venue};
use super::city::{City, Role};
use super::resident::Look;
use super::script::Item;

/// One post beside an account's rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted {
    /// When it becomes public.
    pub public_at: DateTime<Utc>,
    /// The time its page shows.
    pub claims: DateTime<Utc>,
    /// When its id was given out: with its draft, or when it became public.
    pub id_given_at: DateTime<Utc>,
    /// Posts of one account with the same value here have the same text.
    pub text_of: DateTime<Utc>,
    /// From when until when it is taken from sight.
    pub away: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Whether its own address shows it all the same.
    pub answers_when_away: bool,
}

impl Planted {
    /// An ordinary post.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self {
            public_at: at,
            claims: at,
            id_given_at: at,
            text_of: at,
            away: None,
            answers_when_away: false,
        }
    }
}

impl City {
    /// Adds one more registered account of a venue and a character, the `turn`-th of its kind, and
    /// tells its key.
    pub fn add(&mut self, venue: Venue, character: Character, turn: usize) -> String {
        let place = self.residents.iter().filter(|one| one.venue == venue).count();
        let mut chance = Chance::of(self.seed, Use::Look, &[self.residents.len() as u64]);
        let look = Look::draw(&mut chance, turn);
        self.settle(Role { venue, place, character, turn }, look, None);
        self.residents.last().map(|one| one.entry.key.clone()).unwrap_or_default()
    }

    /// Lets an account publish one more post.
    pub fn plant(&mut self, key: &str, post: Planted) {
        let index = self.by_key.get(key).copied();
        let Some(resident) = index.and_then(|index| self.residents.get_mut(index)) else { return };
        let away = post.away;
        let singles = &mut resident.plan.script.singles;
        singles.push(Item {
            shown_at: post.claims,
            made_at: post.id_given_at,
            written_at: post.text_of,
            deleted_at: away.map(|(from, _)| from),
            back_at: away.map(|(_, until)| until),
            answers_when_away: post.answers_when_away,
            ..Item::at(post.public_at)
        });
        singles.sort_by_key(|item| item.at);
    }

    /// Lets an account have been opened at another time.
    pub fn open(&mut self, key: &str, at: DateTime<Utc>) {
        let index = self.by_key.get(key).copied();
        let Some(resident) = index.and_then(|index| self.residents.get_mut(index)) else { return };
        resident.plan.script.opened_at = at;
        resident.entry.opened_on = Some(shanghai_date(at));
        resident.entry.filed_on = Some(shanghai_date(at));
    }
}
