//! Claims of what is due: all hosts are looked at seldom, claims are made of those found.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

use super::share::Share;
use super::{Running, STORE_PAUSE, Until};
use crate::jobs::Context;
use crate::store::{ClaimRequest, Claimed};

/// A look at all hosts follows another after so many times as long as that one took, so that
/// thousands of hosts cost half of a hundredth of a core; but no later than a daemon looks that has
/// nothing to do, and at once where all that it could bring is claimed.
const LOOK_PAUSE: u32 = 200;

/// Hosts that a look brings, for each that may be worked on at once.
const LOOK_HOSTS: usize = 8;

/// A claim follows another after so many times as long as that one took, whether many hosts are
/// done at once or one after the other. It waits no longer than this for each host that may be
/// worked on, so that thirty targets a second can always be claimed.
const CLAIM_PAUSE: u32 = 100;
const CLAIM_PAUSE_A_HOST: Duration = Duration::from_millis(30);

/// Makes a daemon's claims, or those of a pass, which looks at all hosts each time and waits for
/// nothing.
pub(super) struct Claims<'a> {
    context: &'a Context,
    running: &'a Running,
    until: Until,
    turns: Turns,
    /// Whether something may wait on more hosts than the last look brought.
    is_cut: bool,
    next_look: Instant,
    /// Busy hosts of which a claim took several targets: more may wait.
    plenty: BTreeSet<String>,
    /// When another claim may be made.
    pub(super) next: Instant,
    /// How long to wait where no host is done sooner.
    pub(super) rest: Duration,
}

impl<'a> Claims<'a> {
    pub(super) fn new(context: &'a Context, running: &'a Running, until: Until) -> Self {
        let now = Instant::now();
        Self {
            context,
            running,
            until,
            turns: Turns::default(),
            is_cut: false,
            next_look: now,
            plenty: BTreeSet::new(),
            next: now,
            rest: Duration::ZERO,
        }
    }

    /// Claims what waits on hosts that are not busy, one target at most for each that may still be
    /// worked on.
    pub(super) async fn make(
        &mut self,
        busy: &BTreeSet<String>,
        share: &Share,
    ) -> anyhow::Result<Vec<Claimed>> {
        let context = self.context;
        let idle = Duration::from_secs(context.settings.idle_seconds_max);
        self.rest = idle;
        let free = context.settings.hosts_max.saturating_sub(busy.len());
        if free == 0 {
            return Ok(Vec::new());
        }
        let busy_hosts: Vec<String> = busy.union(&share.leaving).cloned().collect();
        let request = ClaimRequest {
            owner: &context.owner,
            now: context.clock.now(),
            lease: context.lease(),
            limit: u32::try_from(free)?,
            per_host: context.settings.claims_per_host,
            new_hosts: share.room,
            busy_hosts: &busy_hosts,
            // Who asks for a pass asks for all of it.
            within_budget: self.until == Until::Stopped,
            accounts: self.running.accounts.as_deref(),
        };
        if self.until == Until::Idle {
            let claim = context.timed("claim", context.store.claim(&request));
            return claim.await.context("claiming targets");
        }
        let is_busy = |host: &str| busy.contains(host) || share.leaving.contains(host);
        // Should the database not answer.
        (self.next, self.rest) = (Instant::now() + STORE_PAUSE, STORE_PAUSE);
        let looks = Instant::now() >= self.next_look
            || self.is_cut && self.turns.first(1, is_busy).is_empty();
        if looks {
            self.look(&request, idle).await?;
        }
        let claimed = self.claim(&request, idle, is_busy).await?;
        let is_short = claimed.len() < free && !self.turns.first(1, is_busy).is_empty();
        self.rest = if is_short {
            self.next - Instant::now()
        } else if looks && claimed.is_empty() {
            idle
        } else {
            (self.next_look - Instant::now()).min(idle)
        };
        Ok(claimed)
    }

    async fn look(&mut self, request: &ClaimRequest<'_>, idle: Duration) -> anyhow::Result<()> {
        let context = self.context;
        let most = context.settings.hosts_max * LOOK_HOSTS;
        let asked = Instant::now();
        let look = context.store.waiting_hosts(request, u32::try_from(most)?);
        let hosts = context.timed("look", look).await.context("looking for due targets")?;
        self.is_cut = hosts.len() >= most;
        self.turns = Turns(hosts.into());
        self.next_look = Instant::now() + (asked.elapsed() * LOOK_PAUSE).min(idle);
        Ok(())
    }

    async fn claim(
        &mut self,
        request: &ClaimRequest<'_>,
        idle: Duration,
        is_busy: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Vec<Claimed>> {
        let context = self.context;
        let limit = request.limit as usize;
        let hosts = self.turns.first(limit, is_busy);
        let asked = Instant::now();
        let claim = context.timed("claim", context.store.claim_of(request, &hosts));
        let claimed = claim.await.context("claiming targets")?;
        let longest = CLAIM_PAUSE_A_HOST * u32::try_from(context.settings.hosts_max)?;
        self.next = Instant::now() + (asked.elapsed() * CLAIM_PAUSE).min(longest).min(idle);
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        for one in &claimed {
            *taken.entry(&one.host).or_default() += 1;
        }
        let several = taken.iter().filter(|(_, targets)| **targets > 1);
        self.plenty.extend(several.map(|(host, _)| (*host).to_owned()));
        self.turns.passed(&hosts, &taken, limit);
        Ok(claimed)
    }

    /// A host that is done waits for its next turn, or for the next look where it had one target
    /// alone: most likely nothing waits there, and a claim asks in vain.
    pub(super) fn done(&mut self, host: String) {
        if self.plenty.remove(&host) {
            self.turns.again(host);
        }
    }
}

/// Hosts on which something waits, as far as is known, in the order of their turns.
#[derive(Default)]
struct Turns(VecDeque<String>);

impl Turns {
    /// Those whose turn is next, for a claim of so many targets at most; some more, since others
    /// may be claiming the first of them.
    fn first(&self, limit: usize, is_busy: impl Fn(&str) -> bool) -> Vec<String> {
        self.0.iter().filter(|host| !is_busy(host)).take(limit * 4).cloned().collect()
    }

    /// Those of which a claim took targets have had their turn. Had it room for more, so have those
    /// that it tried in vain: all if it took nothing, else as many as it could try at least.
    fn passed(&mut self, asked: &[String], taken: &BTreeMap<&str, usize>, limit: usize) {
        let is_full = taken.values().sum::<usize>() >= limit;
        let tried = if is_full {
            0
        } else if taken.is_empty() {
            asked.len()
        } else {
            limit
        };
        let in_vain = asked.iter().take(tried).map(String::as_str);
        let passed: BTreeSet<&str> = in_vain.chain(taken.keys().copied()).collect();
        self.0.retain(|host| !passed.contains(host.as_str()));
    }

    /// A host has its next turn after those that wait already.
    fn again(&mut self, host: String) {
        if !self.0.contains(&host) {
            self.0.push_back(host);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn hosts_have_their_turns_one_after_the_other() {
        let mut turns = Turns(names("a b c d e f").into());
        assert_eq!(turns.first(2, |_| false), names("a b c d e f"));
        assert_eq!(turns.first(1, |host| host == "a"), names("b c d e"));
        // The claim was full: what it left may have something still.
        turns.passed(&names("a b c d"), &BTreeMap::from([("b", 2)]), 2);
        assert_eq!(turns.0, names("a c d e f"));
        // It was not: three were tried at least, and two had nothing.
        turns.passed(&names("a c d e"), &BTreeMap::from([("c", 1)]), 3);
        assert_eq!(turns.0, names("e f"));
        turns.again("b".to_owned());
        turns.again("e".to_owned());
        assert_eq!(turns.0, names("e f b"));
        turns.passed(&names("e f"), &BTreeMap::new(), 1);
        assert_eq!(turns.first(9, |_| false), names("b"));
    }
}
