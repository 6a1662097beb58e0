use chrono::{DateTime, TimeDelta, Utc};

use super::profile::Mark;
use super::rhythm::{DAY, Place, Rhythm, weekday};
use super::settings::Settings;

/// Days of the past that are looked at; what is older weighs next to nothing.
const DAYS_BACK: i64 = 365;
/// Half-life of the short memory, in days.
const SHORT_HALF_LIFE: f64 = 10.0;

/// The weighed days of a rhythm.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// Where first and further pushes fell.
    pub(super) first: Vec<Mark>,
    pub(super) later: Vec<Mark>,
    /// Whole days watched and those with a push, by weekday.
    pub(super) seen: [Tally; 7],
    pub(super) posted: [f64; 7],
    /// The same over all weekdays, by the short memory.
    pub(super) seen_lately: f64,
    pub(super) posted_lately: f64,
    /// Pushes of whole days that were not the first of their day.
    pub(super) further: Tally,
    /// Days watched, begun ones by their part, and the pushes in them.
    watched: f64,
    pushes: f64,
}

/// A sum of weights.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) sum: f64,
    /// Of their squares: the variance of a weighed count is this often that of one.
    pub(super) squares: f64,
}

impl Tally {
    fn add(&mut self, weight: f64) {
        self.sum += weight;
        self.squares += weight * weight;
    }
}

impl Days {
    pub(super) fn of(rhythm: &Rhythm, settings: &Settings, now: DateTime<Utc>) -> Self {
        let mut days = Self::default();
        let Some(since) = rhythm.since() else { return days };
        let (start, end) = (Place::of(since), Place::of(now));
        let age = |day: i64| end.day - day;
        let weight = |day: i64| settings.kept(TimeDelta::days(age(day)));
        let recent = |day: i64| (-(age(day) as f64) / SHORT_HALF_LIFE).exp2();
        let began = start.day.max(end.day - DAYS_BACK);
        // The first day and today are not whole: whether they have a push says little.
        let whole = |day: i64| day > began && day < end.day;
        for day in began..=end.day {
            let weight = weight(day);
            let from = if day == start.day { start.minute } else { 0 };
            let to = if day == end.day { end.minute } else { DAY };
            days.watched += weight * (to - from).max(0) as f64 / DAY as f64;
            if whole(day) {
                days.seen[weekday(day)].add(weight);
                days.seen_lately += recent(day);
            }
        }
        let mut last = None;
        for push in rhythm.pushes() {
            let place = push.place();
            if place.day < began || place.day > end.day {
                continue;
            }
            let (weight, recent) = (weight(place.day), recent(place.day));
            let is_first = last != Some(place.day);
            last = Some(place.day);
            // Where the watch begins with a push, that one was not met by chance.
            if push.at() > since {
                days.pushes += weight;
            }
            if whole(place.day) && is_first {
                days.posted[place.weekday()] += weight;
                days.posted_lately += recent;
            }
            if whole(place.day) && !is_first {
                days.further.add(weight);
            }
            // Of the day on which the watch began it is not known which was the first.
            let placed = place.day > start.day || !is_first;
            if placed && !push.day_only {
                let marks = if is_first { &mut days.first } else { &mut days.later };
                marks.push(Mark { bin: place.bin(), weight, recent });
            }
        }
        days
    }

    /// Pushes a day, with the prior behind them.
    pub(super) fn rate(&self, settings: &Settings) -> f64 {
        (settings.prior_posts + self.pushes) / (settings.prior_days + self.watched)
    }

    /// Whole days watched.
    pub(super) fn whole(&self) -> Tally {
        self.seen.iter().fold(Tally::default(), |sum, one| Tally {
            sum: sum.sum + one.sum,
            squares: sum.squares + one.squares,
        })
    }

    /// Every push of which more than the day is known.
    pub(super) fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.first.iter().chain(&self.later)
    }

    /// Whole days with a push.
    pub(super) fn firsts(&self) -> f64 {
        self.posted.iter().sum()
    }
}

/// Of a Poisson process of this rate: the share of days with a push, and the further pushes of such
/// a day.
pub(super) fn by_chance(rate: f64) -> (f64, f64) {
    let share = -(-rate).exp_m1();
    (share, (rate / share.max(1e-9) - 1.0).max(0.0))
}
