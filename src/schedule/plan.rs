use chrono::{DateTime, Utc};

use super::forecast::{Belief, Forecast};
use super::rhythm::{BINS, Place, bin_end, bin_start, instant};

/// Bins that are planned ahead: two days.
const AHEAD: usize = 2 * BINS;
/// After the next visit, visits are planned to the half hour: three bins.
const STRIDE: usize = 3;
/// An interval whose waiting costs so many visits is never the best one.
const COST_MAX: f64 = 6.0;

/// The best time of the next visit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// When it is best made; at most two days after the last.
    pub at: DateTime<Utc>,
    /// Visits expected within the two days, the next one included.
    pub visits: f64,
    /// Waiting within the two days plus the price of the visits, in push-hours.
    pub cost: f64,
}

/// Plans the visits of the two days after an observation at `observed_at` so that waiting and
/// visits cost least, a visit being worth `price` push-hours.
///
/// A dynamic programme over the ends of the bins: at each, what is known then is either that the
/// day has had its first push or that it has not. The greater the price the fewer the visits; one
/// price for all accounts of a host spends the host's budget where it saves most waiting, as the
/// square-root rule does where nothing is known but rates.
pub fn plan(forecast: &Forecast, observed_at: DateTime<Utc>, price: f64) -> Plan {
    let place = Place::of(observed_at);
    let bins: Vec<Bin> = (0..AHEAD).map(|number| Bin::of(forecast, place, number)).collect();
    let begun = (place.minute - bin_start(place.bin())) as f64 / bins[0].minutes;
    let without = if forecast.posted_by(place) { 0.0 } else { 1.0 };
    let beyond = Beyond::of(&bins, price);
    let strides = strides(&bins);
    let ahead = ahead(&strides, price, &beyond);
    // The value after each fine bin: between two strides it lies between theirs.
    let mut values = vec![[Ahead::default(); 2]; AHEAD + 1];
    let mut left = 0;
    for (number, stride) in strides.iter().enumerate() {
        let (one, other) = (ahead[number], ahead[number + 1]);
        for step in 1..=stride.bins {
            let share = step as f64 / stride.bins as f64;
            let same_day = !stride.opens || step == stride.bins;
            let from = if same_day && number > 0 { one } else { other };
            values[left + step] = [0, 1].map(|known| from[known].mixed(other[known], share));
        }
        left += stride.bins;
    }
    let (all, number) = Search { bins: &bins, values: &values, price, beyond: &beyond }.best(
        0,
        without,
        1.0 - begun,
    );
    Plan { at: bins[number].end, visits: all.visits, cost: all.cost }
}

/// What is still to come after a visit.
#[derive(Debug, Clone, Copy, Default)]
struct Ahead {
    cost: f64,
    visits: f64,
}

impl Ahead {
    /// `share` of the other and the rest of this.
    fn mixed(self, other: Self, share: f64) -> Self {
        let mean = |one: f64, other: f64| one + share * (other - one);
        Self { cost: mean(self.cost, other.cost), visits: mean(self.visits, other.visits) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Bin {
    /// First pushes and further ones, as [`Forecast::expected`].
    expected: (f64, f64),
    minutes: f64,
    end: DateTime<Utc>,
    /// Whether it is the first of its day.
    opens: bool,
    /// Whether a stride ends with it.
    closes: bool,
    /// How many bins it holds.
    bins: usize,
}

impl Bin {
    fn of(forecast: &Forecast, from: Place, number: usize) -> Self {
        let bin = from.bin() + number;
        let (days, bin) = (bin / BINS, bin % BINS);
        let day = from.day + i64::try_from(days).unwrap_or(0);
        Self {
            expected: forecast.expected(day, bin),
            minutes: (bin_end(bin) - bin_start(bin)) as f64,
            end: instant(day, bin_end(bin)),
            opens: bin == 0,
            closes: bin % STRIDE == 0 || number + 1 == AHEAD,
            bins: 1,
        }
    }

    /// This and the bin after it as one.
    fn joined(self, next: Self) -> Self {
        let none = (1.0 - self.expected.0) * (1.0 - next.expected.0);
        Self {
            expected: (1.0 - none, self.expected.1 + next.expected.1),
            minutes: self.minutes + next.minutes,
            end: next.end,
            opens: self.opens,
            closes: next.closes,
            bins: self.bins + next.bins,
        }
    }
}

/// Bins joined to half hours that end with a round one.
fn strides(bins: &[Bin]) -> Vec<Bin> {
    let mut strides: Vec<Bin> = Vec::with_capacity(AHEAD / STRIDE + 2);
    for bin in bins {
        match strides.last_mut() {
            Some(last) if !last.closes => *last = last.joined(*bin),
            _ => strides.push(*bin),
        }
    }
    strides
}

/// For each stride, what is ahead after a visit at its beginning: where the day has had no push,
/// and where it has had one.
fn ahead(strides: &[Bin], price: f64, beyond: &Beyond) -> Vec<[Ahead; 2]> {
    let mut values = vec![[Ahead::default(); 2]; strides.len() + 1];
    for number in (1..strides.len()).rev() {
        let search = Search { bins: strides, values: &values, price, beyond };
        let clean = search.best(number, 1.0, 1.0).0;
        let posted = if strides[number].opens { clean } else { search.best(number, 0.0, 1.0).0 };
        values[number] = [clean, posted];
    }
    values
}

/// How an interval goes on that is open when the two days end, were the account's rate constant
/// from there on: it ends when waiting longer costs more than a mean hour.
#[derive(Debug, Clone, Copy)]
struct Beyond {
    price: f64,
    per_hour: f64,
    mean_cost: f64,
}

impl Beyond {
    fn of(bins: &[Bin], price: f64) -> Self {
        let mut belief = Belief::blank(1.0);
        for bin in bins {
            if bin.opens {
                belief.without = 1.0;
            }
            belief.over(bin.expected, 1.0, bin.minutes / 60.0);
        }
        let per_hour = (belief.undetected / 48.0).max(1e-9);
        // Constant rates: interval √(2ν/λ), waiting and visits together √(2νλ) an hour.
        Self { price, per_hour, mean_cost: (2.0 * price * per_hour).sqrt() }
    }

    fn cost(&self, undetected: f64) -> f64 {
        let saved = (self.mean_cost - undetected).max(0.0);
        self.price - saved * saved / (2.0 * self.per_hour)
    }
}

struct Search<'a> {
    bins: &'a [Bin],
    /// What is ahead after the end of the bin before each, as known then.
    values: &'a [[Ahead; 2]],
    price: f64,
    beyond: &'a Beyond,
}

impl Search<'_> {
    /// The best next visit after an observation in bin `from`, of which a `share` is still to come;
    /// `without` is the probability that the day has had no push. Returns what that leads to, and
    /// the bin at whose end the visit is.
    fn best(&self, from: usize, without: f64, share: f64) -> (Ahead, usize) {
        let mut belief = Belief::blank(without);
        let mut best = (Ahead { cost: f64::INFINITY, visits: 0.0 }, from);
        for (number, bin) in self.bins.iter().enumerate().skip(from) {
            if bin.opens && number > from {
                belief.without = 1.0;
            }
            let share = if number == from { share } else { 1.0 };
            belief.over(bin.expected, share, bin.minutes * share / 60.0);
            let hopeless = belief.waiting > COST_MAX * self.price && number > from;
            if belief.waiting >= best.0.cost || hopeless {
                break;
            }
            let reached = self.after(number, &belief);
            if reached.cost < best.0.cost {
                best = (reached, number);
            }
        }
        best
    }

    fn after(&self, number: usize, belief: &Belief) -> Ahead {
        let next = number + 1;
        let Some(bin) = self.bins.get(next) else {
            let cost = belief.waiting + self.beyond.cost(belief.undetected);
            return Ahead { cost, visits: 1.0 };
        };
        let without = if bin.opens { 1.0 } else { belief.without };
        let [clean, posted] = self.values[next];
        let rest = posted.mixed(clean, without);
        Ahead { cost: belief.waiting + self.price + rest.cost, visits: 1.0 + rest.visits }
    }
}

#[cfg(test)]
mod tests;
