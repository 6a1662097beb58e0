use chrono::{DateTime, TimeDelta, Utc};

use super::days::{Days, by_chance};
use super::habits::Habits;
use super::profile::{Profile, normal, profile};
use super::rhythm::{BINS, Place, Rhythm, bin_end, weekday};
use super::settings::Settings;
use super::variety::{Usual, Variety};

/// Share of days with a first push that stands behind the later pushes of a time of day.
const FEW: f64 = 0.3;
/// Pseudo-days of the long memory behind the short one.
const LATELY_DAYS: f64 = 24.0;
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
        let rate = days.rate(settings);
        let posting = posting(&days, rate, habits);
        let usual = Poisson::of(rate, &habits.day);
        let first = profile(&days.first, &usual.first, &habits.first);
        let later_profile = profile(&days.later, &usual.later, &habits.later);
        let further = usual.further * further(&days, rate, habits);
        let mut before = [0.0; BINS];
        let mut later = [0.0; BINS];
        let (mut sum, mut usual_sum) = (0.0, 0.0);
        for bin in 0..BINS {
            before[bin] = sum;
            // Of the days that have had their first push by then; where few have early ones, of
            // usual days.
            let falling = later_profile[bin] + FEW * usual.later[bin];
            let begun = sum + FEW * usual_sum;
            // None is before the first bin.
            later[bin] = if bin > 0 { further * falling / begun.max(1e-9) } else { 0.0 };
            sum += first[bin];
            usual_sum += usual.first[bin];
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
        let later = later * share;
        let pushes = self.without * first * (1.0 + later / 2.0) + (1.0 - self.without) * later;
        self.waiting += (self.undetected + pushes / 2.0) * hours;
        self.undetected += pushes;
        self.without *= 1.0 - first;
    }
}

/// Probability of a push on each weekday: the weekday's own share of days, shrunk to the account's
/// mean day, itself to what is usual at its rate, and all moved to how it has been lately.
fn posting(days: &Days, rate: f64, habits: &Habits) -> [f64; 7] {
    let Variety { posting, weekday_days, .. } = habits.variety;
    let usual = (posting.ratio * by_chance(rate).0).min(1.0);
    let mean = (days.firsts() + posting.behind * usual) / (days.whole().sum + posting.behind);
    let lately = (days.posted_lately + LATELY_DAYS * mean) / (days.seen_lately + LATELY_DAYS);
    let moved = if mean > 0.0 { lately / mean } else { 1.0 };
    std::array::from_fn(|day| {
        let usual = (mean * habits.week[day]).min(1.0);
        let seen = days.seen[day].sum;
        let own = (days.posted[day] + weekday_days * usual) / (seen + weekday_days);
        (own * moved).clamp(1e-4, 0.995)
    })
}

/// Pushes of a day after its first, against those of a Poisson process.
fn further(days: &Days, rate: f64, habits: &Habits) -> f64 {
    let Usual { ratio, behind } = habits.variety.further;
    let usual = by_chance(rate).1;
    (behind + days.further.sum) / (behind / ratio + days.firsts() * usual)
}

/// Where the pushes of a day fall in a Poisson process.
pub(super) struct Poisson {
    pub(super) first: Profile,
    /// Those in a later bin than the first of their day.
    pub(super) later: Profile,
    /// How many those are on a day with a push.
    further: f64,
}

impl Poisson {
    /// Of so many pushes a day, spread like this.
    pub(super) fn of(rate: f64, day: &Profile) -> Self {
        let (mut first, mut later) = ([0.0; BINS], [0.0; BINS]);
        let mut sum = 0.0;
        for (bin, share) in day.iter().enumerate() {
            let none: f64 = (-rate * sum).exp();
            first[bin] = none * -(-rate * share).exp_m1();
            later[bin] = rate * share * (1.0 - none);
            sum += share;
        }
        let further = later.iter().sum::<f64>() / by_chance(rate).0.max(1e-9);
        Self { first: normal(first), later: normal(later), further }
    }
}
