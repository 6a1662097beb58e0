use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Duration, Utc};

use super::facts::{CanaryLook, History, Outcome};
use super::policy::Policy;

/// Why an account serves as a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanaryKind {
    /// Named in the platform file as known to be busy: its quiet is a failure.
    Named,
    /// A busy registered account standing in: it may fall quiet like any other.
    StandIn,
}

/// What stands in for the canaries of a page kind that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwatched {
    /// It is visited no more, and what was seen on it was held against its own canaries of then
    /// before the history was told.
    Held,
    /// Other page kinds of its host.
    Beside {
        /// At which canaries look: what was seen waits for them.
        watched: Vec<String>,
        /// At which canaries looked while they were visited: what failed there counts as well.
        left: Vec<String>,
    },
}

/// Reads the health of a canary from one visit to it.
///
/// Healthy is an observation with a post newer than three times (`canary_gap_factor`) its usual
/// longest gap. Whatever could not be read is a failure. `None`: a stand-in that is only quiet; no
/// look is to be recorded.
pub fn canary_health(
    kind: CanaryKind,
    outcome: &Outcome,
    newest_post: Option<DateTime<Utc>>,
    longest_gap: Duration,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Option<bool> {
    if !matches!(outcome, Outcome::Observed(_)) {
        return Some(false);
    }
    let factor = i32::try_from(policy.canary_gap_factor).unwrap_or(i32::MAX);
    let allowed = longest_gap.checked_mul(factor).unwrap_or(Duration::MAX);
    let is_busy = newest_post.is_some_and(|post| now.signed_duration_since(post) < allowed);
    match kind {
        _ if is_busy => Some(true),
        CanaryKind::Named => Some(false),
        CanaryKind::StandIn => None,
    }
}

/// Chooses the stand-ins of a host and page kind: the busiest tenth of its registered accounts,
/// at least `stand_ins_min` (3) where so many post at least once a day.
///
/// `rates` are posts per day by account. An account is judged without its own looks, so a caller
/// leaves the judged account out of `rates` or its looks out of the history.
pub fn stand_ins<K: Ord + Clone>(rates: &[(K, f64)], policy: &Policy) -> Vec<K> {
    let wanted = policy.stand_ins_min.max(rates.len().div_ceil(10));
    let mut busy: Vec<&(K, f64)> = rates.iter().filter(|(_, rate)| *rate >= 1.0).collect();
    busy.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    busy.into_iter().take(wanted).map(|(key, _)| key.clone()).collect()
}

/// How far an observation may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// A later healthy canary stands behind it, or no page of the account has any.
    Settled,
    /// No canary looks at its page kind; those of the host's other page kinds were healthy next.
    Beside,
    /// It waits for a healthy canary.
    Provisional,
    /// A canary failed after it, before any was healthy.
    Void,
    /// An authorised import or a person's check: it needs no canary.
    Attested,
}

/// Which observations count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admit {
    /// Those a healthy canary stands behind, and the attested: what a verdict may rest on.
    Settled,
    /// Those of page kinds without a canary too, which take a day more: what it may rest on else.
    Beside,
    /// Provisional ones too: what a verdict could rest on once a canary was healthy.
    Provisional,
}

impl Admit {
    pub(super) fn lets_in(self, trust: Trust) -> bool {
        match trust {
            Trust::Settled | Trust::Attested => true,
            Trust::Beside => self != Self::Settled,
            Trust::Provisional => self == Self::Provisional,
            Trust::Void => false,
        }
    }
}

/// The looks of a history, in order of time by page kind.
#[derive(Debug)]
pub(super) struct Canaries<'a> {
    looks: Vec<&'a CanaryLook>,
    /// Which of them are a page kind's.
    pages: BTreeMap<&'a str, Range<usize>>,
    exist: bool,
    unwatched: &'a BTreeMap<String, Unwatched>,
}

impl<'a> Canaries<'a> {
    pub(super) fn new(history: &'a History, known_at: DateTime<Utc>) -> Self {
        let known = history.canaries.iter().filter(|look| look.recorded_at <= known_at);
        let mut looks: Vec<&CanaryLook> = known.collect();
        // At one instant the failed look comes first where an observation seeks its healthy one.
        looks.sort_unstable_by_key(|look| (look.page.as_str(), look.at, look.healthy));
        let mut pages: BTreeMap<&str, Range<usize>> = BTreeMap::new();
        for looks in looks.chunk_by(|a, b| a.page == b.page) {
            let begin = pages.values().map(|range| range.end).max().unwrap_or(0);
            pages.insert(&looks[0].page, begin..begin + looks.len());
        }
        Self { looks, pages, exist: history.has_canary, unwatched: &history.unwatched }
    }

    /// The trust in an observation by the next looks that bear on it: at its page kind, or, where
    /// no canary looks at that, at each of the host's others.
    pub(super) fn trust(&self, page: &str, adapter: &str, at: DateTime<Utc>) -> Trust {
        if !self.exist {
            return Trust::Settled;
        }
        let next = |page: &str| self.next(page, adapter, at).map(|look| look.healthy);
        match self.unwatched.get(page) {
            None => match next(page) {
                Some(true) => Trust::Settled,
                Some(false) => Trust::Void,
                None => Trust::Provisional,
            },
            Some(Unwatched::Held) => Trust::Settled,
            Some(Unwatched::Beside { watched, left }) => {
                let words: Vec<bool> = watched.iter().filter_map(|page| next(page)).collect();
                let has_failed = |page: &String| next(page) == Some(false);
                if words.contains(&false) || left.iter().any(has_failed) {
                    Trust::Void
                } else if words.is_empty() && !watched.is_empty() {
                    Trust::Provisional
                } else {
                    Trust::Beside
                }
            }
        }
    }

    /// The first look at a page kind at or after an instant that bears on what was seen then: a
    /// failure with any adapter, a healthy look with the same one.
    fn next(&self, page: &str, adapter: &str, at: DateTime<Utc>) -> Option<&'a CanaryLook> {
        let looks = &self.looks[self.pages.get(page)?.clone()];
        let from = looks.partition_point(|look| look.at < at);
        looks[from..].iter().find(|look| !look.healthy || look.adapter == adapter).copied()
    }

    /// Whether canaries of its own speak for a page kind.
    pub(super) fn speak_for(&self, page: &str) -> bool {
        self.exist && !matches!(self.unwatched.get(page), Some(Unwatched::Beside { .. }))
    }

    /// Whether only what was said of a page kind before it was left still counts.
    fn is_left(&self, page: &str) -> bool {
        self.unwatched.values().any(|one| match one {
            Unwatched::Beside { left, .. } => left.iter().any(|one| one == page),
            Unwatched::Held => false,
        })
    }

    /// When the newest look of some page kind failed, the time of that failure: verdicts freeze.
    /// Where nobody looks any more nothing would end it.
    pub(super) fn frozen_since(&self) -> Option<DateTime<Utc>> {
        let by_page = self.looks.chunk_by(|a, b| a.page == b.page);
        let by_page = by_page.filter(|looks| !self.is_left(&looks[0].page));
        let newest_by_page = by_page.filter_map(|looks| {
            let newest = looks.last()?.at;
            looks.iter().find(|look| look.at == newest && !look.healthy)
        });
        newest_by_page.map(|look| look.at).max()
    }

    pub(super) fn exist(&self) -> bool {
        self.exist
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;
    use crate::observe::Observation;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::hours(hour)
    }

    fn look(page: &str, adapter: &str, hour: i64, healthy: bool) -> CanaryLook {
        CanaryLook {
            page: page.into(),
            adapter: adapter.into(),
            at: at(hour),
            healthy,
            recorded_at: at(hour),
        }
    }

    fn watched(looks: impl IntoIterator<Item = CanaryLook>) -> History {
        let canaries = looks.into_iter().collect();
        History { canaries, has_canary: true, ..History::default() }
    }

    /// Looks as (hour, healthy) by adapter `a`; the observation is made at hour 10 with `a`.
    fn check(looks: &[(i64, bool)], trust: Trust, frozen: bool) {
        let history = watched(looks.iter().map(|(hour, ok)| look("list", "a", *hour, *ok)));
        let canaries = Canaries::new(&history, at(1000));
        assert_eq!(canaries.trust("list", "a", at(10)), trust, "{looks:?}");
        assert_eq!(canaries.frozen_since().is_some(), frozen, "{looks:?}");
    }

    #[test]
    fn an_observation_waits_for_a_later_healthy_look_and_a_failed_one_voids_it() {
        check(&[], Trust::Provisional, false);
        check(&[(9, true)], Trust::Provisional, false);
        check(&[(9, true), (11, true)], Trust::Settled, false);
        check(&[(11, true), (12, false)], Trust::Settled, true);
        check(&[(9, true), (11, false)], Trust::Void, true);
        check(&[(9, true), (11, false), (12, true)], Trust::Void, false);
        check(&[(9, false), (11, true)], Trust::Settled, false);
        check(&[(11, true), (11, false)], Trust::Void, true);
    }

    #[test]
    fn a_look_speaks_only_for_its_page_kind_and_adapter() {
        let history = watched([look("list", "b", 11, true), look("album", "a", 12, true)]);
        let canaries = Canaries::new(&history, at(1000));
        assert_eq!(canaries.trust("list", "a", at(10)), Trust::Provisional);
        assert_eq!(canaries.trust("list", "b", at(10)), Trust::Settled);
        assert_eq!(canaries.trust("album", "a", at(10)), Trust::Settled);
        let history = watched([look("list", "b", 11, false), look("list", "a", 12, true)]);
        let canaries = Canaries::new(&history, at(1000));
        assert_eq!(canaries.trust("list", "a", at(10)), Trust::Void);
    }

    #[test]
    fn a_quiet_stand_in_is_no_failure_and_an_unreadable_one_is() {
        let observed = Outcome::Observed(Observation {
            as_of: at(100),
            span: None,
            bracket: None,
            claims_shift_seconds: 0,
            exhausted: false,
            empty: false,
            confirming: true,
            posts_total: None,
            new_items: 0,
            upstream_success: None,
            registered_at: None,
        });
        let failed = Outcome::Failed(Reason::Blocked);
        let (named, stand_in) = (CanaryKind::Named, CanaryKind::StandIn);
        for (kind, outcome, newest, expected) in [
            (named, &observed, Some(71), Some(true)),
            (named, &observed, Some(70), Some(false)),
            (named, &observed, None, Some(false)),
            (named, &failed, Some(99), Some(false)),
            (stand_in, &observed, Some(71), Some(true)),
            (stand_in, &observed, Some(70), None),
            (stand_in, &failed, Some(99), Some(false)),
        ] {
            let gap = Duration::hours(10);
            let policy = Policy::default();
            let newest_at = newest.map(at);
            let health = canary_health(kind, outcome, newest_at, gap, &policy, at(100));
            assert_eq!(health, expected, "{kind:?} {newest:?}");
        }
    }

    #[test]
    fn stand_ins_are_the_busiest_tenth_with_a_post_a_day() {
        let policy = Policy::default();
        let rates = |count: i32| (0..count).map(|n| (n, f64::from(n) / 10.0)).collect::<Vec<_>>();
        assert_eq!(stand_ins(&rates(20), &policy), [19, 18, 17]);
        assert_eq!(stand_ins(&rates(12), &policy), [11, 10]);
        assert_eq!(stand_ins(&rates(50), &policy), [49, 48, 47, 46, 45]);
        assert_eq!(stand_ins(&rates(10), &policy), Vec::<i32>::new());
    }
}
