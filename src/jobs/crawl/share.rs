use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;

use crate::jobs::Context;
use crate::store::{Claimed, Holding};

/// How often a daemon says that it is there, as a part of the lease: it counts for one lease.
const LOOKS_PER_LEASE: u64 = 8;

/// What is looked at no more often and no less often than this.
const EVERY_MIN: Duration = Duration::from_secs(1);
const EVERY_MAX: Duration = Duration::from_secs(60);

/// The part of all hosts that this daemon works on.
///
/// Every daemon says now and then that it is there. Who holds more than its equal part of the hosts
/// lets go of the rest, each as soon as nothing is being asked of it, and takes no new ones; who
/// holds less takes what is free. A daemon that is not heard of for a lease counts no longer.
pub(super) struct Share {
    every: Duration,
    next_look: Instant,
    /// How many more hosts may be taken; absent: any number.
    pub(super) room: Option<u32>,
    /// Hosts to be let go of; nothing more of them is claimed.
    pub(super) leaving: BTreeSet<String>,
}

impl Share {
    pub(super) fn new(context: &Context) -> Self {
        let every = Duration::from_secs(context.settings.lease_seconds / LOOKS_PER_LEASE);
        Self {
            every: every.clamp(EVERY_MIN, EVERY_MAX),
            next_look: Instant::now(),
            room: None,
            leaving: BTreeSet::new(),
        }
    }

    /// Looks at who else is there, if it is time to, and gives back what is to go and not busy.
    pub(super) async fn keep(&mut self, context: &Context, busy: &BTreeSet<String>) {
        if Instant::now() >= self.next_look {
            self.next_look = Instant::now() + self.every;
            let now = context.clock.now();
            let announce = context.store.announce(&context.owner, now, now + context.lease());
            match context.timed("announce", announce).await {
                Ok(holding) => self.settle(&holding, busy),
                Err(error) => {
                    tracing::warn!(%error, "who else is there is not known; hosts stay");
                }
            }
        }
        self.give_back(context, busy).await;
    }

    fn settle(&mut self, holding: &Holding, busy: &BTreeSet<String>) {
        let mine = u32::try_from(holding.mine.len()).unwrap_or(u32::MAX);
        let part = part(holding.hosts, holding.daemons);
        self.room = part.map(|part| part.saturating_sub(mine));
        let surplus = part.map_or(0, |part| mine.saturating_sub(part)) as usize;
        // Those that leave already leave first, then those that can go at once.
        let mut order: Vec<&String> = holding.mine.iter().collect();
        order.sort_by_key(|host| (!self.leaving.contains(*host), busy.contains(*host)));
        self.leaving = order.into_iter().take(surplus).cloned().collect();
    }

    async fn give_back(&mut self, context: &Context, busy: &BTreeSet<String>) {
        let idle: Vec<String> = self
            .leaving
            .iter()
            .filter(|host| !busy.contains(*host) && context.fetcher.let_go(host))
            .cloned()
            .collect();
        if idle.is_empty() {
            return;
        }
        let hosts: Vec<_> =
            idle.iter().map(|host| (host.clone(), context.fetcher.pace(host))).collect();
        let give_back = context.store.give_back(&context.owner, &hosts, context.clock.now());
        match context.timed("give_back", give_back).await {
            Ok(given) => {
                tracing::info!(hosts = given, "given back, for other daemons to ask");
                self.leaving.retain(|host| !idle.contains(host));
            }
            Err(error) => {
                tracing::warn!(%error, hosts = hosts.len(), "not given back, trying again");
            }
        }
    }

    /// Notes what was claimed.
    pub(super) fn took(&mut self, claimed: &[Claimed]) {
        let taken = claimed.iter().filter(|one| one.terms.taken).map(|one| &one.host);
        let taken = u32::try_from(taken.collect::<BTreeSet<_>>().len()).unwrap_or(u32::MAX);
        self.room = self.room.map(|room| room.saturating_sub(taken));
    }
}

/// How many of the hosts one of the daemons may hold; absent: all. The parts of all together are
/// never less than the whole, so that no host is left out.
fn part(hosts: u32, daemons: u32) -> Option<u32> {
    (daemons > 1).then(|| hosts.div_ceil(daemons))
}

/// Less of a lease than this, or than a quarter of it, does not last for a visit: a turn at the
/// host and a slow answer.
const MARGIN: TimeDelta = TimeDelta::seconds(120);

/// Whether what is left of a lease lasts for a visit.
pub(super) fn lasts(context: &Context, target: &Claimed) -> bool {
    target.lease.until - context.clock.now() >= MARGIN.min(context.lease() / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hosts and how many daemons there are; which are held and busy; room, and who is to go.
    fn check(
        (hosts, daemons): (u32, u32),
        (mine, busy, leaving): (&[&str], &[&str], &[&str]),
        (room, goes): (Option<u32>, &[&str]),
    ) {
        let set = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let mut share = Share {
            every: EVERY_MIN,
            next_look: Instant::now(),
            room: None,
            leaving: set(leaving),
        };
        let mine = mine.iter().map(|name| (*name).to_owned()).collect();
        share.settle(&Holding { daemons, hosts, mine }, &set(busy));
        assert_eq!((share.room, share.leaving), (room, set(goes)));
    }

    #[test]
    fn who_holds_more_than_its_part_lets_go_and_who_holds_less_takes() {
        let four: &[&str] = &["a", "b", "c", "d"];
        check((4, 1), (four, &[], &[]), (None, &[]));
        check((4, 1), (four, &[], &["a"]), (None, &[]));
        check((4, 2), (four, &[], &[]), (Some(0), &["a", "b"]));
        check((4, 2), (four, &["a", "b", "c"], &[]), (Some(0), &["a", "d"]));
        check((4, 2), (four, &["a", "b", "c"], &["b"]), (Some(0), &["b", "d"]));
        check((5, 2), (&["a"], &[], &[]), (Some(2), &[]));
        check((5, 3), (&["a", "b"], &[], &[]), (Some(0), &[]));
        check((2, 3), (&["a", "b"], &[], &[]), (Some(0), &["a"]));
        check((0, 3), (&[], &[], &[]), (Some(0), &[]));
    }

    #[test]
    fn the_parts_leave_no_host_out() {
        for hosts in 0..50 {
            for daemons in 2..9 {
                let part = part(hosts, daemons).unwrap();
                assert!(part * daemons >= hosts && part * daemons < hosts + daemons);
            }
        }
    }
}
