use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Repeatable randomness: the same seed and labels give the same draws, on every machine.
///
/// Every use has labels of its own, so that one more draw in one place moves nothing elsewhere.
pub(super) struct Chance(ChaCha8Rng);

/// What a draw is for; the first label of every [`Chance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Handles and looks of an account.
    Look = 1,
    /// When an account was opened, fell silent, was cancelled.
    Plan = 2,
    /// The posts of one account on one day.
    Posts = 3,
    /// Whether and when one post is deleted.
    Deletion = 4,
    /// Words of one post.
    Prose = 5,
    /// Numbers under one post or of a profile.
    Counts = 6,
    /// Messages of citizens and their answers.
    Inbox = 7,
}

impl Chance {
    /// The draws for one use and the numbers that name it.
    pub(super) fn of(seed: u64, purpose: Use, labels: &[u64]) -> Self {
        let mut state = mixed(seed ^ (purpose as u64));
        for label in labels {
            state = mixed(state ^ *label);
        }
        Self(ChaCha8Rng::seed_from_u64(state))
    }

    /// A whole number in `0..limit`; `limit` must not be 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // The bias of a remainder is far below anything a made-up city could show.
        self.0.next_u64() % limit
    }

    /// A whole number in `low..=high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).unsigned_abs()).cast_signed()
    }

    /// True in `percent` of a hundred draws.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the given things; the slice must not be empty.
    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[usize::try_from(self.below(things.len() as u64)).unwrap_or(0)]
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring numbers apart.
fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_labels_give_the_same_draws_and_others_do_not() {
        let draws = |seed, labels: &[u64]| {
            let mut chance = Chance::of(seed, Use::Posts, labels);
            (0..8).map(|_| chance.below(1 << 40)).collect::<Vec<_>>()
        };
        assert_eq!(draws(7, &[1, 2]), draws(7, &[1, 2]));
        assert_ne!(draws(7, &[1, 2]), draws(7, &[2, 1]));
        assert_ne!(draws(7, &[1, 2]), draws(8, &[1, 2]));
    }
}
