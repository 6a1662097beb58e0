//! Whether a page kind still yields what it used to: no account alone can tell, many together can.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What one reading of a page yielded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yield {
    /// When it was read.
    pub at: DateTime<Utc>,
    /// Digest of the platform file that read it.
    pub adapter: String,
    /// Whether it was read as the page it should be; if not, it yielded nothing.
    pub read: bool,
    /// Items on the first page.
    pub items: u32,
    /// Those of them with a time.
    pub dated: u32,
    /// Those with an id or an address.
    pub named: u32,
    /// Those with a number of any kind.
    pub counted: u32,
    /// Whether the page said whose it is.
    pub identified: bool,
}

impl Yield {
    fn share(&self, part: u32) -> Option<f64> {
        (self.items > 0).then(|| f64::from(part.min(self.items)) / f64::from(self.items))
    }
}

/// What readings of a page usually yield.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// Items: the median, and the median distance from it.
    pub items: f64,
    /// See `items`.
    pub items_spread: f64,
    /// Share of items with a time, 0–1: the median over readings that had any.
    pub dated: f64,
    /// Share with an id or an address.
    pub named: f64,
    /// Share with a number.
    pub counted: f64,
    /// Share of readings that said whose page it is.
    pub identified: f64,
}

/// Readings that are kept of a page, the newest last.
pub const READINGS_KEPT: usize = 12;

/// So many earlier readings must have been read before one can have fallen.
const READINGS_MIN: usize = 3;

/// A median distance is so many standard deviations of a normal distribution short.
const MAD_TO_SIGMA: f64 = 1.4826;

/// Beyond three standard deviations of its own past, and below half of it.
const SIGMAS: f64 = 3.0;

/// The newest readings of so many pages are looked at together.
pub const PAGES_COMPARED: u32 = 20;

/// Fewer cannot tell a page kind from a few unlucky accounts.
const PAGES_MIN: u32 = 5;

/// From this share of fallen readings on a page kind has drifted, in percent.
const DRIFTED_PERCENT: u32 = 50;

/// Below this share it yields again.
const RECOVERED_PERCENT: u32 = 25;

/// What earlier readings usually yielded; `None` where too few were read.
///
/// Those of the same adapter count where there are enough of them; else all do, so that a platform
/// file changed for the worse is compared with what it was before.
pub fn usual(past: &[Yield], adapter: &str) -> Option<Usual> {
    let read = |own: bool| -> Vec<&Yield> {
        past.iter().filter(|one| one.read && (!own || one.adapter == adapter)).collect()
    };
    let own = read(true);
    let used = if own.len() >= READINGS_MIN { own } else { read(false) };
    if used.len() < READINGS_MIN {
        return None;
    }
    let items: Vec<f64> = used.iter().map(|one| f64::from(one.items)).collect();
    let middle = median(items.clone());
    let share = |part: fn(&Yield) -> u32| {
        let shares = used.iter().filter_map(|one| one.share(part(one))).collect::<Vec<_>>();
        median(shares)
    };
    let identified = used.iter().map(|one| f64::from(u8::from(one.identified)));
    Some(Usual {
        items: middle,
        items_spread: median(items.iter().map(|items| (items - middle).abs()).collect()),
        dated: share(|one| one.dated),
        named: share(|one| one.named),
        counted: share(|one| one.counted),
        identified: median(identified.collect()),
    })
}

/// Whether a reading fell far below what the page used to yield; `None` where too little is known
/// of what it used to.
///
/// It fell where it was not read at all; where it has far fewer items than ever; where most of its
/// items lack a time, a name or a number that they used to have; where it no longer says whose it
/// is. A list that is simply quiet lists its old posts as before.
pub fn fell(past: &[Yield], latest: &Yield) -> Option<bool> {
    let usual = usual(past, &latest.adapter)?;
    if !latest.read {
        return Some(true);
    }
    let items = f64::from(latest.items);
    let floor = (usual.items - SIGMAS * MAD_TO_SIGMA * usual.items_spread).min(usual.items / 2.0);
    let lost =
        |part: u32, before: f64| latest.share(part).is_some_and(|share| share < before - 0.5);
    Some(
        (usual.items >= 2.0 && items < floor)
            || lost(latest.dated, usual.dated)
            || lost(latest.named, usual.named)
            || lost(latest.counted, usual.counted)
            || (usual.identified >= 1.0 && !latest.identified),
    )
}

/// Whether a page kind counts as drifted, from how many of the pages read last had fallen and
/// whether it did before.
///
/// It begins where half of at least five have, and ends where fewer than a quarter have: in between
/// and with fewer pages it stays as it is, so that it does not flicker.
pub fn drifted(compared: u32, fallen: u32, before: bool) -> bool {
    let at_least =
        |percent: u32| u64::from(fallen) * 100 >= u64::from(compared) * u64::from(percent);
    match before {
        _ if compared < PAGES_MIN => before,
        true => at_least(RECOVERED_PERCENT),
        false => at_least(DRIFTED_PERCENT),
    }
}

/// The middle of some numbers, 0 of none.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    match numbers.len() {
        0 => 0.0,
        n if n % 2 == 1 => numbers[n / 2],
        n => f64::midpoint(numbers[n / 2 - 1], numbers[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(items: u32, dated: u32, counted: u32) -> Yield {
        Yield {
            at: DateTime::UNIX_EPOCH,
            adapter: "a".to_owned(),
            read: true,
            items,
            dated,
            named: items,
            counted,
            identified: true,
        }
    }

    fn unread() -> Yield {
        Yield { read: false, identified: false, ..reading(0, 0, 0) }
    }

    #[test]
    fn a_reading_is_compared_with_its_own_past() {
        let check = |past: &[Yield], latest: Yield, wanted: Option<bool>| {
            assert_eq!(fell(past, &latest), wanted, "{past:?} {latest:?}");
        };
        let full = vec![reading(10, 10, 10); 4];
        check(&full[..2], unread(), None);
        check(&full, unread(), Some(true));
        check(&full, reading(10, 10, 10), Some(false));
        check(&full, reading(5, 5, 5), Some(false));
        check(&full, reading(4, 4, 4), Some(true));
        check(&full, reading(10, 4, 10), Some(true));
        check(&full, reading(10, 10, 4), Some(true));
        check(&full, Yield { named: 0, ..reading(10, 10, 10) }, Some(true));
        check(&full, Yield { identified: false, ..reading(10, 10, 10) }, Some(true));
        // A page that never bore numbers, or never more than an item, loses nothing by it.
        check(&vec![reading(10, 10, 0); 4], reading(10, 10, 0), Some(false));
        check(&vec![reading(1, 1, 1); 4], reading(0, 0, 0), Some(false));
        // One whose length varies widely has to fall out of its own range.
        let ragged: Vec<Yield> = [2, 9, 20, 4, 15].map(|n| reading(n, n, n)).into();
        check(&ragged, reading(1, 1, 1), Some(false));
        check(&ragged, unread(), Some(true));
    }

    #[test]
    fn a_changed_file_is_compared_with_the_old_one_until_it_has_a_past() {
        let old = vec![reading(10, 10, 10); 4];
        let new = |items| Yield { adapter: "b".to_owned(), ..reading(items, items, items) };
        assert_eq!(fell(&old, &new(2)), Some(true));
        let both = [old, vec![new(3); 3]].concat();
        assert_eq!(fell(&both, &new(2)), Some(false), "three is what the new file yields");
    }

    #[test]
    fn it_takes_many_pages_to_freeze_and_most_of_them_to_thaw() {
        for (compared, fallen, before, after) in [
            (20, 9, false, false),
            (20, 10, false, true),
            (20, 10, true, true),
            (20, 5, true, true),
            (20, 4, true, false),
            (4, 4, false, false),
            (4, 0, true, true),
            (5, 5, false, true),
            (0, 0, true, true),
        ] {
            assert_eq!(drifted(compared, fallen, before), after, "{compared} {fallen} {before}");
        }
    }

    /// A page kind of some pages, each with a past of its own length.
    fn world() -> impl Strategy<Value = Vec<Vec<Yield>>> {
        let page = (2_u32..40, proptest::collection::vec(0_u32..3, 4..12));
        let pages = proptest::collection::vec(page, 5..30);
        pages.prop_map(|pages| {
            let past = |(usual, noise): (u32, Vec<u32>)| {
                noise.into_iter().map(|n| reading(usual + n, usual + n, usual)).collect()
            };
            pages.into_iter().map(past).collect()
        })
    }

    fn judged(
        pages: &[Vec<Yield>],
        latest: impl Fn(usize, &[Yield]) -> Yield,
        before: bool,
    ) -> bool {
        let fallen = pages.iter().enumerate().map(|(n, past)| fell(past, &latest(n, past)));
        let known: Vec<bool> = fallen.flatten().collect();
        let count = |n: usize| u32::try_from(n).unwrap();
        let fallen = known.iter().filter(|fell| **fell).count();
        drifted(count(known.len()), count(fallen), before)
    }

    proptest! {
        /// Whatever a single account does, nothing freezes.
        #[test]
        fn one_quiet_account_freezes_nobody(
            pages in world(), one in 0_usize..30, items in 0_u32..50,
        ) {
            let one = one % pages.len();
            let latest = |n: usize, past: &[Yield]| match n == one {
                true => reading(items, 0, 0),
                false => past[0].clone(),
            };
            prop_assert!(!judged(&pages, latest, false));
            let walled = |n: usize, past: &[Yield]| match n == one {
                true => unread(),
                false => past[0].clone(),
            };
            prop_assert!(!judged(&pages, walled, false));
        }

        /// A layout that no longer reads freezes, and thaws by itself when it reads again.
        #[test]
        fn a_broken_layout_freezes_and_a_mended_one_thaws(pages in world()) {
            prop_assert!(judged(&pages, |_, _| unread(), false));
            let undated = |_: usize, past: &[Yield]| Yield { dated: 0, ..past[0].clone() };
            prop_assert!(judged(&pages, undated, false));
            prop_assert!(!judged(&pages, |_, past| past[0].clone(), true));
            // The broken readings themselves are no baseline.
            let after: Vec<Vec<Yield>> =
                pages.iter().map(|past| [past.clone(), vec![unread(); 3]].concat()).collect();
            prop_assert!(judged(&after, |_, _| unread(), true));
            prop_assert!(!judged(&after, |_, past| past[0].clone(), true));
        }

        /// A platform that lastingly lists less is what it is, once that has a past.
        #[test]
        fn what_lasts_becomes_usual(pages in world()) {
            let less = |past: &Vec<Yield>| {
                vec![reading(1, 1, past[0].counted.min(1)); READINGS_KEPT]
            };
            let less: Vec<Vec<Yield>> = pages.iter().map(less).collect();
            prop_assert!(!judged(&less, |_, past| past[0].clone(), true));
        }
    }
}
