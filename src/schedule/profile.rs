use super::rhythm::{BINS, bin_end, bin_start};

/// Shares of a whole over the bins of a day.
pub(super) type Profile = [f64; BINS];

/// Where in a day something happened, and how much it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) bin: usize,
    /// Its weight by the long memory, at most 1.
    pub(super) weight: f64,
    /// Its weight by the short memory.
    pub(super) recent: f64,
}

/// Pseudo-pushes behind the belief in how habits mix, and behind the platform's profile where an
/// account has few pushes of its own.
const MIXING: f64 = 10.0;
const SHRINKING: f64 = 3.0;
/// What is believed beforehand: the usual minute, the usual minute lately, the usual hour, the
/// platform's profile.
pub(super) const BELIEVED: Mixture = [0.2, 0.15, 0.3, 0.35];
/// Rounds in which the mixture settles; it moves little after the third.
const ROUNDS: usize = 4;
/// Reach of the kernel of the usual hour, in bins to each side: an hour and a half.
const REACH: usize = 9;
/// Share of the usual minute's own bin; the rest goes to its two neighbours.
const SHARP: f64 = 0.8;

/// How much each habit speaks: the usual minute, the usual minute lately, the usual hour, the
/// platform's profile.
pub(super) type Mixture = [f64; 4];

/// The profile of an account: a mixture of its usual minutes, its usual minutes of late, its usual
/// hours and what is usual on its platform.
///
/// How much each speaks is learned from how well it foretells each push from all others: an account
/// that posts on the minute is believed on the minute, one without habits has its platform's.
/// `believed` is how much they speak for accounts of the platform.
pub(super) fn profile(marks: &[Mark], platform: &Profile, believed: &Mixture) -> Profile {
    let voices = Voices::of(marks);
    if voices.total <= 0.0 {
        return *platform;
    }
    let foretold = voices.foretold(marks, platform);
    let mixture = settled(&foretold, believed, MIXING, ROUNDS);
    let own = voices.total / (voices.total + SHRINKING);
    let mut profile = [0.0; BINS];
    for bin in 0..BINS {
        let likely = voices.likely(bin, platform);
        let mixed: f64 = likely.iter().zip(mixture).map(|(one, share)| one * share).sum();
        profile[bin] = own * mixed + (1.0 - own) * platform[bin];
    }
    normal(profile)
}

/// How likely each habit made each push, known by all others, and the weight of the push.
pub(super) fn foretold(marks: &[Mark], platform: &Profile) -> Vec<(Mixture, f64)> {
    Voices::of(marks).foretold(marks, platform)
}

/// How much each habit speaks by what it foretold, with so many pseudo-pushes behind what is
/// believed.
pub(super) fn settled(
    foretold: &[(Mixture, f64)],
    believed: &Mixture,
    behind: f64,
    rounds: usize,
) -> Mixture {
    let total: f64 = foretold.iter().map(|one| one.1).sum();
    let mut mixture = *believed;
    for _ in 0..rounds {
        let mut heard = believed.map(|share| share * behind);
        for (likely, weight) in foretold {
            let all: f64 = likely.iter().zip(mixture).map(|(one, share)| one * share).sum();
            for ((heard, one), share) in heard.iter_mut().zip(likely).zip(mixture) {
                *heard += weight * one * share / all.max(1e-12);
            }
        }
        mixture = heard.map(|one| one / (behind + total));
    }
    mixture
}

/// What an account's pushes say of its habits, in weights per bin.
struct Voices {
    total: f64,
    lately: f64,
    minute: Profile,
    recent: Profile,
    hour: Profile,
}

impl Voices {
    fn of(marks: &[Mark]) -> Self {
        Self {
            total: marks.iter().map(|mark| mark.weight).sum(),
            lately: marks.iter().map(|mark| mark.recent).sum(),
            minute: sharp(marks, |mark| mark.weight),
            recent: sharp(marks, |mark| mark.recent),
            hour: smooth(marks),
        }
    }

    /// How likely each makes a push in a bin.
    fn likely(&self, bin: usize, platform: &Profile) -> Mixture {
        [
            self.minute[bin] / self.total,
            self.recent[bin] / self.lately.max(1e-9),
            self.hour[bin] / self.total,
            platform[bin],
        ]
    }

    /// The same of each push, by all others.
    fn foretold(&self, marks: &[Mark], platform: &Profile) -> Vec<(Mixture, f64)> {
        // Each push is foretold by the others alone.
        let without = |at: f64, weight: f64, total: f64| {
            if total - weight > 1e-9 { (at - weight).max(0.0) / (total - weight) } else { 0.0 }
        };
        let likely = |mark: &Mark| {
            [
                without(self.minute[mark.bin], mark.weight * SHARP, self.total),
                without(self.recent[mark.bin], mark.recent * SHARP, self.lately),
                without(self.hour[mark.bin], mark.weight * kernel(0) * width(mark.bin), self.total),
                platform[mark.bin],
            ]
        };
        marks.iter().map(|mark| (likely(mark), mark.weight)).collect()
    }
}

/// Scaled so that the whole is 1; flat where there is nothing.
pub(super) fn normal(mut profile: Profile) -> Profile {
    let total: f64 = profile.iter().sum();
    if total <= 0.0 {
        return [1.0 / BINS as f64; BINS];
    }
    profile.iter_mut().for_each(|share| *share /= total);
    profile
}

fn sharp(marks: &[Mark], weight: impl Fn(&Mark) -> f64) -> Profile {
    let mut profile = [0.0; BINS];
    for mark in marks {
        let weight = weight(mark);
        profile[mark.bin] += weight * SHARP;
        for beside in [(mark.bin + 1) % BINS, (mark.bin + BINS - 1) % BINS] {
            profile[beside] += weight * (1.0 - SHARP) / 2.0;
        }
    }
    profile
}

fn smooth(marks: &[Mark]) -> Profile {
    let mut profile = [0.0; BINS];
    for mark in marks {
        for offset in 0..=2 * REACH {
            let bin = (mark.bin + BINS + offset - REACH) % BINS;
            // The first and the last bin of a day are short.
            profile[bin] += mark.weight * kernel(offset.abs_diff(REACH)) * width(bin);
        }
    }
    profile
}

/// In ten minutes.
fn width(bin: usize) -> f64 {
    (bin_end(bin) - bin_start(bin)) as f64 / 10.0
}

/// A triangle of area 1.
fn kernel(away: usize) -> f64 {
    let side = (REACH + 1) as f64;
    (side - away as f64) / (side * side)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: Profile = [1.0 / BINS as f64; BINS];

    fn marks(bins: impl IntoIterator<Item = usize>) -> Vec<Mark> {
        bins.into_iter().map(|bin| Mark { bin, weight: 1.0, recent: 0.5 }).collect()
    }

    #[test]
    fn a_profile_is_a_whole() {
        for list in [marks([]), marks([3]), marks([0, 144, 72]), marks((0..128).map(|n| n % 145))] {
            let total: f64 = profile(&list, &FLAT, &BELIEVED).iter().sum();
            assert!((total - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn who_posts_on_the_minute_is_believed_and_who_does_not_is_smoothed() {
        let punctual = profile(&marks(std::iter::repeat_n(72, 40)), &FLAT, &BELIEVED);
        assert!(punctual[72] > 0.5, "{}", punctual[72]);
        // Forty pushes at forty different times: no spike is left of any of them.
        let scattered = profile(&marks((0..40).map(|n| n * 3)), &FLAT, &BELIEVED);
        assert!(scattered.iter().all(|share| *share < 0.025), "{scattered:?}");
    }

    #[test]
    fn an_account_without_history_has_the_profile_of_its_platform() {
        let platform = normal(std::array::from_fn(|bin| bin as f64));
        assert_eq!(profile(&[], &platform, &BELIEVED), platform);
    }
}
