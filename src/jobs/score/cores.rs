//! Work on very many accounts, on several cores at once.

use std::iter;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread::{self, ScopedJoinHandle};

/// More would wait for the database all the same.
const THREADS_MAX: usize = 4;

/// What `work` makes of each item, in their order.
pub(super) fn on_all_cores<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS_MAX));
    if items.len() <= 1 || cores == 1 {
        return items.into_iter().map(work).collect();
    }
    // One by one: a core that others need too is no longer waited for than for one item.
    let items = Mutex::new(items.into_iter().enumerate());
    let next = || items.lock().expect("taking an item does not panic").next();
    let on_one = || iter::from_fn(next).map(|(at, item)| (at, work(item))).collect::<Vec<_>>();
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(on_one)).collect();
        let parts = threads.into_iter().map(ScopedJoinHandle::join);
        parts.flat_map(|part| part.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        for count in [0, 1, 2, 3, 7, 100] {
            let items: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = items.iter().map(|one| one * 2).collect();
            assert_eq!(on_all_cores(items, |one| one * 2), doubled);
        }
    }

    #[test]
    #[should_panic(expected = "the seventh")]
    fn a_panic_is_not_swallowed() {
        on_all_cores((0..10).collect(), |one| assert_ne!(one, 7, "the seventh"));
    }
}
