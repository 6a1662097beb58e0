use chrono::{DateTime, Duration, TimeDelta, Utc};

/// Ten-minute bins of a Shanghai day. They end three minutes past the round ten minutes, because
/// pushes are set to round minutes: a visit at the end of a bin finds them three minutes old.
pub(super) const BINS: usize = 145;

/// A day in minutes.
pub(super) const DAY: i64 = 24 * 60;

/// Pushes remembered of one target; 4 bytes each. A daily account fills it in four months.
pub const PUSHES_MAX: usize = 128;

/// Something an account published: everything that carries the same minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Push {
    /// Whole minutes since the Unix epoch.
    minute: i32,
    /// Whether only its day is known; it tells how often, but not at what hour, the account posts.
    pub day_only: bool,
}

impl Push {
    /// A push at this instant.
    pub fn new(at: DateTime<Utc>, day_only: bool) -> Self {
        let minute = i32::try_from(at.timestamp().div_euclid(60)).unwrap_or(0);
        Self { minute, day_only }
    }

    /// When it was made, to the minute.
    pub fn at(self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(i64::from(self.minute))
    }

    /// As one number: twice the minute, plus one where only the day is known.
    pub fn code(self) -> i32 {
        self.minute.saturating_mul(2).saturating_add(i32::from(self.day_only))
    }

    /// The push of such a number.
    pub fn of_code(code: i32) -> Self {
        Self { minute: code.div_euclid(2), day_only: code.rem_euclid(2) == 1 }
    }

    pub(super) fn place(self) -> Place {
        Place::of(self.at())
    }
}

/// An instant as a Shanghai day and the minute of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Days since the Unix epoch.
    pub(super) day: i64,
    /// Minute of the day.
    pub(super) minute: i64,
}

impl Place {
    pub(super) fn of(at: DateTime<Utc>) -> Self {
        let minutes = at.timestamp().div_euclid(60) + 8 * 60;
        Self { day: minutes.div_euclid(DAY), minute: minutes.rem_euclid(DAY) }
    }

    pub(super) fn bin(self) -> usize {
        usize::try_from((self.minute + 7) / 10).unwrap_or(0)
    }

    /// 0 to 6; which is which does not matter.
    pub(super) fn weekday(self) -> usize {
        weekday(self.day)
    }
}

pub(super) fn weekday(day: i64) -> usize {
    usize::try_from(day.rem_euclid(7)).unwrap_or(0)
}

/// The minute of the day at which a bin ends.
pub(super) fn bin_end(bin: usize) -> i64 {
    i64::try_from(bin).map_or(DAY, |bin| (10 * bin + 3).min(DAY))
}

/// The minute of the day at which a bin begins.
pub(super) fn bin_start(bin: usize) -> i64 {
    i64::try_from(bin).map_or(DAY, |bin| (10 * bin - 7).max(0))
}

pub(super) fn instant(day: i64, minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::minutes(day * DAY + minute - 8 * 60)
}

/// When an account published, as far as it was watched: all that is learned of its habits.
///
/// Only facts are kept; what they mean is computed when it is needed, with the weights of that
/// moment, so that a better reading of the same facts needs no new ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rhythm {
    /// Since when every push is known; absent until something was observed.
    since: Option<DateTime<Utc>>,
    /// The newest pushes, the oldest first, each minute once.
    pushes: Vec<Push>,
}

impl Rhythm {
    /// What was kept of a rhythm: see [`Rhythm::since`] and [`Rhythm::pushes`].
    pub fn new(since: Option<DateTime<Utc>>, pushes: impl IntoIterator<Item = Push>) -> Self {
        let mut rhythm = Self { since, pushes: pushes.into_iter().collect() };
        rhythm.tidy();
        rhythm
    }

    /// Since when every push is known.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.since
    }

    /// The remembered pushes, the oldest first.
    pub fn pushes(&self) -> &[Push] {
        &self.pushes
    }

    /// Adds what a list showed. `since` is from when on the list is complete; of the first
    /// observation it begins the account's history, later ones continue it.
    pub fn learn(&mut self, since: DateTime<Utc>, listed: impl IntoIterator<Item = Push>) {
        self.since = Some(self.since.unwrap_or(since));
        self.pushes.extend(listed);
        self.tidy();
    }

    /// As it is stored: since when in seconds, eight bytes, then the code of each push, four bytes,
    /// all big-endian. Empty where nothing was observed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Some(since) = self.since else { return Vec::new() };
        let mut bytes = since.timestamp().to_be_bytes().to_vec();
        bytes.extend(self.pushes.iter().flat_map(|push| push.code().to_be_bytes()));
        bytes
    }

    /// Reads what [`Rhythm::to_bytes`] wrote; of anything else, that nothing is known.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let Some((since, pushes)) = bytes.split_first_chunk() else { return Self::default() };
        let since = DateTime::from_timestamp(i64::from_be_bytes(*since), 0);
        let (codes, rest) = pushes.as_chunks();
        if since.is_none() || !rest.is_empty() {
            return Self::default();
        }
        Self::new(since, codes.iter().map(|code| Push::of_code(i32::from_be_bytes(*code))))
    }

    fn tidy(&mut self) {
        if let Some(since) = self.since {
            self.pushes.retain(|push| push.day_only || push.at() >= since - TimeDelta::minutes(1));
        }
        self.pushes.sort_unstable();
        self.pushes.dedup_by_key(|push| push.minute);
        let surplus = self.pushes.len().saturating_sub(PUSHES_MAX);
        if surplus > 0 {
            self.pushes.drain(..surplus);
            // Before the oldest one kept nothing is known any more.
            self.since = self.pushes.first().map(|push| push.at()).max(self.since);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}+08:00").parse().unwrap()
    }

    #[test]
    fn bins_cover_a_shanghai_day_and_end_three_minutes_past() {
        let bin = |text| Place::of(at(text)).bin();
        assert_eq!(bin("2026-11-22T00:00:00"), 0);
        assert_eq!(bin("2026-11-22T00:02:59"), 0);
        assert_eq!(bin("2026-11-22T00:03:00"), 1);
        assert_eq!(bin("2026-11-22T12:00:00"), bin("2026-11-22T12:02:59"));
        assert_eq!(bin_end(bin("2026-11-22T12:00:00")), 12 * 60 + 3);
        assert_eq!(bin("2026-11-22T23:59:59"), BINS - 1);
        assert_eq!((bin_start(0), bin_end(BINS - 1)), (0, DAY));
        assert!((1..BINS).all(|bin| bin_start(bin) == bin_end(bin - 1)));
    }

    #[test]
    fn a_minute_counts_once_and_the_oldest_are_forgotten_first() {
        let mut rhythm = Rhythm::default();
        let first = at("2026-01-01T08:00:00");
        let push = |day: i64| Push::new(first + TimeDelta::days(day), false);
        rhythm.learn(first, [push(1), push(0), push(1)]);
        assert_eq!(rhythm.pushes(), [push(0), push(1)]);
        rhythm.learn(first + TimeDelta::days(1), (2..200).map(push));
        assert_eq!(rhythm.pushes().len(), PUSHES_MAX);
        assert_eq!(rhythm.since(), Some(push(72).at()));
        // One of before its time is not taken in again.
        rhythm.learn(first, [push(3)]);
        assert_eq!(rhythm.pushes()[0], push(72));
    }

    proptest! {
        #[test]
        fn a_push_comes_back_from_its_code(seconds in 0..4_000_000_000_i64, day_only: bool) {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let push = Push::new(at, day_only);
            prop_assert_eq!(Push::of_code(push.code()), push);
            prop_assert!(push.at() <= at && at - push.at() < TimeDelta::minutes(1));
        }

        #[test]
        fn a_rhythm_comes_back_from_its_bytes_and_nonsense_is_nothing(
            minutes in prop::collection::vec(0..400_000_i64, 0..200),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let first = at("2026-01-01T08:00:00");
            let mut rhythm = Rhythm::default();
            let push = |minute: &i64| Push::new(first + TimeDelta::minutes(*minute), false);
            rhythm.learn(first, minutes.iter().map(push));
            prop_assert_eq!(&Rhythm::from_bytes(&rhythm.to_bytes()), &rhythm);
            prop_assert!(Rhythm::from_bytes(&noise).pushes().len() <= PUSHES_MAX);
        }

        #[test]
        fn the_order_of_learning_within_a_visit_does_not_matter(
            minutes in prop::collection::vec(0..400_000_i64, 0..200),
        ) {
            let first = at("2026-01-01T08:00:00");
            let push = |minute: &i64| Push::new(first + TimeDelta::minutes(*minute), false);
            let (mut one, mut other) = (Rhythm::default(), Rhythm::default());
            one.learn(first, minutes.iter().map(push));
            other.learn(first, minutes.iter().rev().map(push));
            prop_assert_eq!(one, other);
        }
    }
}
