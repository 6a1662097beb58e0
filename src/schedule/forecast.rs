use chrono::{DateTime, TimeDelta, Utc};

use super::habits::Habits;
use super::profile::{Mark, Profile, normal, profile};
use super::rhythm::{BINS, Place, Rhythm, bin_end, weekday};
use super::settings::Settings;

/// Days of the past that are looked at; what is older weighs next to nothing.
const DAYS_BACK: i64 = 365;
/// Pseudo-days behind the share of days with a push: of the Poisson belief, of an account's mean
/// day behind each of its weekdays, and of the long memory behind the short one.
const BELIEVED_DAYS: f64 = 2.0;
const WEEKDAY_DAYS: f64 = 6.0;
const LATELY_DAYS: f64 = 12.0;
/// Pseudo-days behind the number of further pushes of a day.
const LATER_DAYS: f64 = 3.0;
/// Half-life of the short memory, in days.
pub(super) const SHORT_HALF_LIFE: f64 = 10.0;
/// After so long without an observation the forecast is no longer computed bin by bin.
const WALKED: TimeDelta = TimeDelta::days(14);

/// What an account is expected to publish, hour by hour.
///
/// A day brings a first push or none, and further ones after the first: many accounts may push
/// once a day, so that a push already seen says that no other comes, and a day without one that it
/// is still to come. Where an account shows no such habit, this is the Poisson process of its rate
/// with the profile of its platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Probability of at least one push, by weekday.
    posting: [f64; 7],
    /// Where in the day the first push falls, given that there is one.
    first: Profile,
    /// The share of first pushes before each bin.
    before: Profile,
    /// Pushes expected in each bin of a day whose first push was made before.
    later: Profile,
    /// Days (Shanghai) of the newest pushes, to know whether a day has had one.
    last_push: Option<Place>,
}

impl Forecast {
    /// Reads a rhythm as of `now`, with the platform's habits behind it.
    pub fn new(rhythm: &Rhythm, habits: &Habits, settings: &Settings, now: DateTime<Utc>) -> Self {
        let days = Days::of(rhythm, settings, now);
        let rate = (settings.prior_posts + days.pushes) / (settings.prior_days + days.watched());
        let posting = days.posting(rate, habits);
        let (first_usual, later_usual) = poisson(rate, &habits.day);
        let first = profile(&days.first, &first_usual);
        let share = -(-rate).exp_m1();
        let usual_later = (rate / share.max(1e-9) - 1.0).max(0.0);
        let firsts: f64 = days.posted.iter().sum();
        let further = (days.further + LATER_DAYS * usual_later) / (firsts + LATER_DAYS);
        let later_profile = profile(&days.later, &later_usual);
        let mut before = [0.0; BINS];
        let mut later = [0.0; BINS];
        let mut sum = 0.0;
        for bin in 0..BINS {
            before[bin] = sum;
            sum += first[bin];
            // The share of days that have had their first push by then; few have early ones.
            later[bin] = further * later_profile[bin] / sum.max(0.05);
        }
        let last_push = rhythm.pushes().last().map(|push| push.place());
        Self { posting, first, before, later, last_push }
    }

    /// Pushes expected in a bin: the first of the day if there was none, and a further one else.
    pub(super) fn expected(&self, day: i64, bin: usize) -> (f64, f64) {
        let posting = self.posting[weekday(day)];
        let first = posting * self.first[bin] / (1.0 - posting * self.before[bin]).max(1e-3);
        (first.min(0.999), self.later[bin])
    }

    /// Whether the day of this instant had a push at or before it, as far as is known.
    pub(super) fn posted_by(&self, place: Place) -> bool {
        self.last_push.is_some_and(|last| last.day == place.day && last.minute <= place.minute)
    }

    /// Expected waiting of undetected pushes, ∫ N du from the last observation to `now`, in
    /// push-hours; infinite for an account never observed.
    pub fn waiting(&self, observed_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
        let Some(since) = observed_at else { return f64::INFINITY };
        let until = now.min(since + WALKED);
        let mut belief = Belief::at(self, since);
        while belief.at < until {
            belief.step(self, until);
        }
        let beyond = (now - until).as_seconds_f64().max(0.0) / 3600.0;
        let hours = WALKED.as_seconds_f64() / 3600.0;
        belief.waiting + beyond * (belief.undetected + belief.undetected / hours * beyond / 2.0)
    }

    /// Pushes expected between two instants of which the first is an observation's.
    pub fn expected_between(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
        let mut belief = Belief::at(self, since);
        while belief.at < until.min(since + WALKED) {
            belief.step(self, until);
        }
        belief.undetected
    }
}

/// What is believed of an account at an instant after its last observation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Belief {
    pub(super) at: DateTime<Utc>,
    place: Place,
    /// Probability that the day has had no push yet.
    pub(super) without: f64,
    /// Expected undetected pushes.
    pub(super) undetected: f64,
    /// Their waiting so far, in push-hours.
    pub(super) waiting: f64,
}

impl Belief {
    pub(super) fn at(forecast: &Forecast, observed_at: DateTime<Utc>) -> Self {
        let place = Place::of(observed_at);
        let without = if forecast.posted_by(place) { 0.0 } else { 1.0 };
        Self { at: observed_at, place, without, undetected: 0.0, waiting: 0.0 }
    }

    /// Of an account observed just now, whose day had no push with this probability; only
    /// [`Belief::over`] may follow.
    pub(super) fn blank(without: f64) -> Self {
        let at = DateTime::UNIX_EPOCH;
        let place = Place { day: 0, minute: 0 };
        Self { at, place, without, undetected: 0.0, waiting: 0.0 }
    }

    /// To the end of the bin, or to `until` if that is sooner.
    pub(super) fn step(&mut self, forecast: &Forecast, until: DateTime<Utc>) {
        let bin = self.place.bin();
        let end = super::rhythm::instant(self.place.day, bin_end(bin));
        let width = (end - super::rhythm::instant(self.place.day, super::rhythm::bin_start(bin)))
            .as_seconds_f64();
        let reached = end.min(until);
        let seconds = (reached - self.at).as_seconds_f64().max(0.0);
        self.over(forecast.expected(self.place.day, bin), seconds / width, seconds / 3600.0);
        self.at = reached;
        if reached == end {
            self.place.minute = bin_end(bin);
            if self.place.minute >= super::rhythm::DAY {
                self.place = Place { day: self.place.day + 1, minute: 0 };
                self.without = 1.0;
            }
        }
    }

    /// Over a share of a bin that lasts so many hours.
    pub(super) fn over(&mut self, (first, later): (f64, f64), share: f64, hours: f64) {
        let first = first * share;
        let pushes = self.without * first + (1.0 - self.without) * later * share;
        self.waiting += (self.undetected + pushes / 2.0) * hours;
        self.undetected += pushes;
        self.without *= 1.0 - first;
    }
}

/// The weighed days of a rhythm.
struct Days {
    /// Where first and further pushes fell.
    first: Vec<Mark>,
    later: Vec<Mark>,
    /// Weighed days watched and days with a push, by weekday.
    seen: [f64; 7],
    posted: [f64; 7],
    /// The same over all weekdays, by the short memory.
    seen_lately: f64,
    posted_lately: f64,
    /// Weighed pushes, and those that were not the first of their day.
    pushes: f64,
    further: f64,
}

impl Days {
    fn of(rhythm: &Rhythm, settings: &Settings, now: DateTime<Utc>) -> Self {
        let today = Place::of(now).day;
        let mut days = Self {
            first: Vec::with_capacity(rhythm.pushes().len()),
            later: Vec::new(),
            seen: [0.0; 7],
            posted: [0.0; 7],
            seen_lately: 0.0,
            posted_lately: 0.0,
            pushes: 0.0,
            further: 0.0,
        };
        let Some(since) = rhythm.since() else { return days };
        let weight = |day: i64| settings.kept(TimeDelta::days(today - day));
        let recent = |day: i64| (-((today - day) as f64) / SHORT_HALF_LIFE).exp2();
        // Today is not over: its pushes count, whether it will have one is not known yet.
        let began = Place::of(since).day.max(today - DAYS_BACK);
        for day in began..today {
            days.seen[weekday(day)] += weight(day);
            days.seen_lately += recent(day);
        }
        let mut last = None;
        for push in rhythm.pushes() {
            let place = push.place();
            if place.day < began || place.day > today {
                continue;
            }
            let (weight, recent) = (weight(place.day), recent(place.day));
            let is_first = last != Some(place.day);
            last = Some(place.day);
            let mark = Mark { bin: place.bin(), weight, recent };
            days.pushes += weight;
            if is_first && place.day < today {
                days.posted[place.weekday()] += weight;
                days.posted_lately += recent;
            }
            if !is_first {
                days.further += weight;
            }
            if !push.day_only {
                if is_first { days.first.push(mark) } else { days.later.push(mark) }
            }
        }
        days
    }

    fn watched(&self) -> f64 {
        self.seen.iter().sum()
    }

    /// Probability of a push on each weekday: the weekday's own share of days, shrunk to the
    /// account's mean day, itself to a Poisson process of its rate, and all moved to how it has
    /// been lately.
    fn posting(&self, rate: f64, habits: &Habits) -> [f64; 7] {
        let usual = -(-rate).exp_m1();
        let posted: f64 = self.posted.iter().sum();
        let mean = (posted + BELIEVED_DAYS * usual) / (self.watched() + BELIEVED_DAYS);
        let lately = (self.posted_lately + LATELY_DAYS * mean) / (self.seen_lately + LATELY_DAYS);
        let moved = if mean > 0.0 { lately / mean } else { 1.0 };
        std::array::from_fn(|day| {
            let usual = (mean * habits.week[day]).min(1.0);
            let own = (self.posted[day] + WEEKDAY_DAYS * usual) / (self.seen[day] + WEEKDAY_DAYS);
            (own * moved).clamp(1e-4, 0.995)
        })
    }
}

/// Where first and further pushes of a day fall in a Poisson process of this rate and profile.
fn poisson(rate: f64, day: &Profile) -> (Profile, Profile) {
    let (mut first, mut later) = ([0.0; BINS], [0.0; BINS]);
    let mut sum = 0.0;
    for (bin, share) in day.iter().enumerate() {
        let none: f64 = (-rate * sum).exp();
        first[bin] = none * -(-rate * share).exp_m1();
        later[bin] = (rate * share - first[bin]).max(0.0);
        sum += share;
    }
    (normal(first), normal(later))
}
