use std::sync::OnceLock;

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};

use crate::domain::shanghai_date;

use super::chance::{Chance, Use};
use super::rhythm::Rhythm;

/// How an old post is kept on top of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pin {
    /// The page says that it is pinned.
    Marked,
    /// It just stands there.
    Unmarked,
}

/// One item that an account published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    /// When it became public.
    pub(super) at: DateTime<Utc>,
    /// The time its page shows: earlier than `at` where the account backdates.
    pub(super) shown_at: DateTime<Utc>,
    /// When its draft was made and its id given out: at or before `at`.
    pub(super) made_at: DateTime<Utc>,
    /// When its text was written: what comes back under another id has the text it had.
    pub(super) written_at: DateTime<Utc>,
    /// Its place among the articles of one push, from 1.
    pub(super) place: u8,
    /// Whether it is kept on top.
    pub(super) pin: Option<Pin>,
    /// When it is taken away again.
    pub(super) deleted_at: Option<DateTime<Utc>>,
    /// When it is put back.
    pub(super) back_at: Option<DateTime<Utc>>,
    /// Whether its own address shows it all the same.
    pub(super) answers_when_away: bool,
}

/// A time in which an account keeps one rhythm: `[from, until)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) rhythm: Rhythm,
}

/// All that an account ever publishes, as a function of time: nothing is stored, so the past is
/// the same whenever it is asked for, and the future goes on for ever.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) number: u64,
    pub(super) opened_at: DateTime<Utc>,
    pub(super) stretches: Vec<Stretch>,
    /// Items beside the rhythm, oldest first.
    pub(super) singles: Vec<Item>,
    /// One item of so many is deleted after some days; 0 for none.
    pub(super) deletes_one_in: u64,
    /// The number of items before [`Script::settled_before`].
    pub(super) settled: OnceLock<u64>,
    /// A day so far back that every deletion of an earlier item is done at the given time.
    pub(super) settled_before: NaiveDate,
}

/// No item is deleted later than this after its publication.
const DELETION_DAYS_MAX: i64 = 5;

impl Script {
    /// Every item published up to and at `now`, the deleted ones too, oldest first.
    pub(super) fn published(&self, now: DateTime<Utc>) -> Vec<Item> {
        self.between(shanghai_date(self.opened_at), now)
    }

    /// The items on the page at `now`, newest first by the time they became public.
    pub(super) fn visible(&self, now: DateTime<Utc>) -> impl Iterator<Item = Item> + '_ {
        let first = shanghai_date(self.opened_at);
        let days = std::iter::successors(Some(shanghai_date(now)), NaiveDate::pred_opt);
        days.take_while(move |day| *day >= first)
            .flat_map(|day| self.on_day(day).into_iter().rev())
            .filter(move |item| item.is_visible(now))
    }

    /// The number of items on the page at `now`: the profile's own counter.
    pub(super) fn visible_total(&self, now: DateTime<Utc>) -> u64 {
        let count = |items: Vec<Item>| items.iter().filter(|item| item.is_visible(now)).count();
        let first = shanghai_date(self.opened_at);
        let settled_after = self.settled_before + Duration::days(DELETION_DAYS_MAX + 1);
        if first >= self.settled_before || shanghai_date(now) < settled_after {
            return count(self.published(now)) as u64;
        }
        let settled = self.settled.get_or_init(|| {
            let days = first.iter_days().take_while(|day| *day < self.settled_before);
            let items = days.flat_map(|day| self.on_day(day));
            items.filter(|item| item.deleted_at.is_none()).count() as u64
        });
        settled + count(self.between(self.settled_before, now)) as u64
    }

    fn between(&self, first: NaiveDate, now: DateTime<Utc>) -> Vec<Item> {
        let last = shanghai_date(now);
        let days = first.iter_days().take_while(|day| *day <= last);
        days.flat_map(|day| self.on_day(day)).filter(|item| item.at <= now).collect()
    }

    /// The items of one Shanghai day, oldest first.
    pub(super) fn on_day(&self, day: NaiveDate) -> Vec<Item> {
        let number = u64::try_from(day.num_days_from_ce()).unwrap_or(0);
        let mut items = Vec::new();
        for stretch in &self.stretches {
            if shanghai_date(stretch.from) > day || shanghai_date(stretch.until) < day {
                continue;
            }
            let mut chance = Chance::of(self.seed, Use::Posts, &[self.number, number]);
            for push in stretch.rhythm.on_day(&mut chance, day, self.number) {
                if push.at >= stretch.from && push.at < stretch.until {
                    let articles = (1..=push.articles).map(|place| self.item(push.at, place));
                    items.extend(articles);
                }
            }
        }
        items.extend(self.singles.iter().filter(|item| shanghai_date(item.at) == day));
        // Within a push the first article stands on top of a list that is newest first.
        items.sort_by_key(|item| (item.at, std::cmp::Reverse(item.place)));
        items.dedup_by_key(|item| (item.at, item.place));
        items
    }

    /// The items whose ids were given out at a second.
    pub(super) fn made_at(&self, second: i64) -> impl Iterator<Item = Item> + '_ {
        let day = DateTime::from_timestamp(second, 0).map(shanghai_date);
        let of_rhythm = day.into_iter().flat_map(|day| self.on_day(day));
        let singles = self.singles.iter().copied();
        of_rhythm.chain(singles).filter(move |item| item.made_at.timestamp() == second)
    }

    fn item(&self, at: DateTime<Utc>, place: u8) -> Item {
        let labels = [self.number, at.timestamp().cast_unsigned(), u64::from(place)];
        let mut chance = Chance::of(self.seed, Use::Deletion, &labels);
        let deleted = self.deletes_one_in > 0 && chance.below(self.deletes_one_in) == 0;
        let after = Duration::seconds(chance.between(86_400, DELETION_DAYS_MAX * 86_400));
        Item { deleted_at: deleted.then_some(at + after), place, ..Item::at(at) }
    }
}

impl Item {
    /// An ordinary item of an instant.
    pub(super) fn at(at: DateTime<Utc>) -> Self {
        Self {
            at,
            shown_at: at,
            made_at: at,
            written_at: at,
            place: 1,
            pin: None,
            deleted_at: None,
            back_at: None,
            answers_when_away: false,
        }
    }

    /// Whether its own address shows it at an instant.
    pub(super) fn answers(&self, now: DateTime<Utc>) -> bool {
        self.is_visible(now) || (self.at <= now && self.answers_when_away)
    }

    /// Whether it is on the page at an instant.
    pub(super) fn is_visible(&self, now: DateTime<Utc>) -> bool {
        let is_away = self.deleted_at.is_some_and(|gone| gone <= now)
            && self.back_at.is_none_or(|back| back > now);
        self.at <= now && !is_away
    }
}
