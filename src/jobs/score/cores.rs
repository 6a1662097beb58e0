//! Work on very many accounts, on several cores at once.

use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// More would wait for the database all the same.
const THREADS_MAX: usize = 4;

/// What `work` makes of each item, in their order.
pub(super) fn on_all_cores<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get().min(THREADS_MAX));
    let count = items.len().div_ceil(cores).max(1);
    if count >= items.len() {
        return items.into_iter().map(work).collect();
    }
    let work = &work;
    let mut items = items.into_iter();
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(cores);
        loop {
            let part: Vec<T> = items.by_ref().take(count).collect();
            if part.is_empty() {
                break;
            }
            threads.push(scope.spawn(move || part.into_iter().map(work).collect::<Vec<R>>()));
        }
        let parts = threads.into_iter().map(ScopedJoinHandle::join);
        parts.flat_map(|part| part.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
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
