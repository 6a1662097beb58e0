use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::domain::{Count, Moment, PageVerdict, Post, Precision, Reason};

use super::facts::{Observation, Outcome, Span};
use super::freshness::{Answer, Freshness, freshness, is_relative};
use super::list::{distinct, enclosed, latest, read_order};
use super::policy::Policy;

/// What a page kind that speaks for an account shows. Articles, comments and boards do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Posts.
    List,
    /// Only the account itself, with its counter.
    Profile,
}

/// What the platform file says of the page kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRules {
    /// What it shows.
    pub role: Role,
    /// Whether its items stand newest first.
    pub newest_first: bool,
    /// Whether its reading has ever been verified against the real platform; if not, it never
    /// confirms.
    pub verified: bool,
    /// Whether a page shorter than usual is the last, proven by a recorded fixture.
    pub short_page_is_end: bool,
}

/// How the answer shows whose page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// By the platform's id in the answer.
    Id {
        /// Whether the answer shows an id and it is the account's; absent where it shows none.
        matches: Option<bool>,
        /// Whether the final address is the one asked for.
        address_kept: bool,
    },
    /// By address (columns, feeds).
    Address {
        /// Whether the final address equals the registered one.
        address_kept: bool,
        /// Whether the list container was found.
        list_found: bool,
    },
}

impl Proof {
    fn is_proven(self) -> bool {
        match self {
            Self::Id { matches, .. } => matches == Some(true),
            Self::Address { address_kept, list_found } => address_kept && list_found,
        }
    }

    /// A page that says "gone" shows neither id nor list: the address must be the one asked for.
    fn is_proven_gone(self) -> bool {
        match self {
            Self::Id { matches, address_kept } => matches.unwrap_or(address_kept),
            Self::Address { address_kept, .. } => address_kept,
        }
    }
}

/// Where the answer comes from, with what that source declares of its own time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// The platform's public page, with what its transport says.
    Crawl(Answer),
    /// A feed bridge.
    Bridge {
        /// When we asked it.
        sent_at: DateTime<Utc>,
        /// Its last success upstream for this account, where it tells.
        upstream_success: Option<DateTime<Utc>>,
    },
    /// An authorised export, or a person's check entered with evidence.
    Declared {
        /// When it was handed in.
        entered_at: DateTime<Utc>,
        /// From when on it is complete; absent: from its oldest item.
        complete_from: Option<DateTime<Utc>>,
        /// Until when it is complete.
        complete_to: Option<DateTime<Utc>>,
    },
}

/// Everything the crawl knows at the end of a visit, all its pages together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Where the answer comes from.
    pub provenance: Provenance,
    /// Why no page could be had at all: blocked, limited, unreachable, disallowed.
    pub failure: Option<Reason>,
    /// What the extraction says of the page.
    pub verdict: PageVerdict,
    /// What the platform file says of the page kind.
    pub rules: PageRules,
    /// Whose page it is.
    pub proof: Proof,
    /// The account's own items in the order of the pages, first page first.
    pub posts: Vec<Post>,
    /// Whether the last page carries the explicit end marker.
    pub end_marker: bool,
    /// Whether the last page was shorter than usual.
    pub short_page: bool,
    /// Whether the page shows the platform's own sign of an empty list.
    pub empty_marker: bool,
    /// The profile's own counter of posts.
    pub posts_total: Option<Count>,
    /// The registration date shown.
    pub registered_at: Option<Moment>,
}

/// A visit read: what it proves, and what may be kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// What the visit proves of the account.
    pub outcome: Outcome,
    /// As-of time for the first sight of the posts; present exactly where they were read under
    /// proven identity and may be kept. A drifted list still shows that somebody posted, and so
    /// does one that a cache held for nobody knows how long.
    pub posts_as_of: Option<DateTime<Utc>>,
}

impl Composed {
    /// Whether a post of the reading may be kept. Of a page of unknown age only those whose date
    /// does not depend on that age: `3小时前` says nothing there.
    pub fn keeps(&self, post: &Post) -> bool {
        let of_unknown_age = self.outcome == Outcome::Failed(Reason::Stale);
        self.posts_as_of.is_some()
            && !(of_unknown_age && post.published_text.as_deref().is_some_and(is_relative))
    }

    fn failed(reason: Reason) -> Self {
        Self { outcome: Outcome::Failed(reason), posts_as_of: None }
    }
}

/// What earlier visits listed, to tell new items from old ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// References and addresses of every item listed so far.
    pub names: HashSet<String>,
    /// As-of time of the newest earlier observation. An unknown item that claims to be older comes
    /// from reading deeper than before; it is not new and explains no growth of the counter.
    pub observed_to: Option<DateTime<Utc>>,
    /// The time that each item claimed when it was first listed, by reference or address.
    pub claims: HashMap<String, Moment>,
}

impl Known {
    fn claims_shift_seconds(&self, posts: &[Post]) -> i32 {
        claims_shift_seconds(posts.iter().filter_map(|post| {
            let name = post.reference.as_ref().or(post.url.as_ref())?;
            Some((*self.claims.get(name)?, post.published?))
        }))
    }

    fn is_new(&self, post: &Post) -> bool {
        let names = [&post.reference, &post.url];
        let is_older = self
            .observed_to
            .zip(post.published)
            .is_some_and(|(observed_to, claim)| latest(claim) <= observed_to);
        !is_older && !names.into_iter().flatten().any(|name| self.names.contains(name))
    }
}

/// By how many seconds a source has moved the times it claims, from pairs of the time first claimed
/// and the time claimed now.
///
/// The move that more than half of the items share; 0 where they share none. Only quarters of an
/// hour count, as time zones differ by: an author who corrects a date moves one item, by anything.
/// Claims to the hour and the day move by themselves where they come from words such as `3小时前`.
pub fn claims_shift_seconds(pairs: impl Iterator<Item = (Moment, Moment)>) -> i32 {
    let mut moves: HashMap<i64, usize> = HashMap::new();
    let mut total = 0;
    for (first, now) in pairs {
        if first.precision == now.precision && first.precision <= Precision::Minute {
            total += 1;
            *moves.entry((now.at - first.at).num_seconds()).or_default() += 1;
        }
    }
    let shared = moves.into_iter().find(|(_, count)| count * 2 > total);
    let seconds = shared.map_or(0, |(seconds, _)| seconds);
    if seconds % 900 == 0 { i32::try_from(seconds).unwrap_or(0) } else { 0 }
}

/// Reads one visit.
pub fn compose(reading: &Reading, known: &Known, policy: &Policy) -> Composed {
    if let Some(reason) = reading.failure {
        return Composed::failed(reason);
    }
    match reading.verdict {
        PageVerdict::Blocked => return Composed::failed(Reason::Blocked),
        PageVerdict::Drifted => return Composed::failed(Reason::Drifted),
        PageVerdict::Gone => return gone(reading, policy),
        PageVerdict::Observation if !reading.proof.is_proven() => {
            return Composed::failed(Reason::Drifted);
        }
        PageVerdict::Observation => {}
    }
    let Some(reach) = reach(reading, policy) else {
        let outcome = Outcome::Failed(Reason::Stale);
        return Composed { outcome, posts_as_of: seen_in_a_cache(&reading.provenance) };
    };
    if let Provenance::Crawl(answer) = &reading.provenance
        && answer.not_modified
    {
        return unchanged(reading, reach.as_of, answer.same_since);
    }
    let Some(kind) = ListKind::of(reading) else { return Composed::failed(Reason::Drifted) };
    let order = read_order(&reading.posts, policy);
    let speaks_by_order = reading.rules.newest_first && reading.rules.role == Role::List;
    let declared = matches!(reading.provenance, Provenance::Declared { .. });
    if speaks_by_order && order.drifted && !declared {
        return Composed {
            outcome: Outcome::Failed(Reason::Drifted),
            posts_as_of: Some(reach.as_of),
        };
    }
    let exhausted = kind.is_exhausted(reading);
    let low = match &reading.provenance {
        Provenance::Declared { complete_to: None, .. } => None,
        Provenance::Declared { complete_from, .. } => complete_from.or(oldest(&reading.posts)),
        _ if exhausted => Some(DateTime::UNIX_EPOCH),
        _ if speaks_by_order => order.low,
        _ => None,
    };
    let span = low.map(|low| Span { low, high: reach.as_of }).filter(|span| span.low < span.high);
    let bracket = match &reading.provenance {
        _ if span.is_none() => None,
        Provenance::Declared { .. } => enclosed(&reading.posts),
        _ if speaks_by_order => order.bracket,
        _ => enclosed(&reading.posts),
    };
    let new_items = distinct(&reading.posts).filter(|post| known.is_new(post)).count();
    let observation = Observation {
        as_of: reach.as_of,
        span,
        bracket,
        claims_shift_seconds: known.claims_shift_seconds(&reading.posts),
        exhausted,
        empty: kind == ListKind::Empty,
        confirming: reach.may_confirm && reading.rules.verified && span.is_some(),
        posts_total: reading.posts_total.clone(),
        new_items: u32::try_from(new_items).unwrap_or(u32::MAX),
        upstream_success: match reading.provenance {
            Provenance::Bridge { upstream_success, .. } => upstream_success,
            _ => None,
        },
        registered_at: reading.registered_at,
    };
    Composed { outcome: Outcome::Observed(observation), posts_as_of: Some(reach.as_of) }
}

/// When the posts of a cached answer of unknown age had been published at the latest: what a cache
/// shows was once there, though nothing tells what came after it.
fn seen_in_a_cache(provenance: &Provenance) -> Option<DateTime<Utc>> {
    match provenance {
        Provenance::Crawl(answer) if answer.cache_hit && !answer.not_modified => {
            Some(answer.sent_at)
        }
        _ => None,
    }
}

/// A list that has not changed has covered the time since its body was first seen; it never
/// confirms.
fn unchanged(
    reading: &Reading,
    as_of: DateTime<Utc>,
    same_since: Option<DateTime<Utc>>,
) -> Composed {
    let ordered = reading.rules.role == Role::List && reading.rules.newest_first;
    let span = same_since.filter(|low| ordered && *low < as_of);
    let observation = Observation {
        as_of,
        span: span.map(|low| Span { low, high: as_of }),
        bracket: None,
        claims_shift_seconds: 0,
        exhausted: false,
        empty: false,
        confirming: false,
        posts_total: None,
        new_items: 0,
        upstream_success: None,
        registered_at: None,
    };
    Composed { outcome: Outcome::Observed(observation), posts_as_of: None }
}

fn gone(reading: &Reading, policy: &Policy) -> Composed {
    if !reading.proof.is_proven_gone() {
        return Composed::failed(Reason::Drifted);
    }
    let Some(Freshness { as_of, may_confirm }) = reach(reading, policy) else {
        return Composed::failed(Reason::Stale);
    };
    let confirming = may_confirm && reading.rules.verified;
    Composed { outcome: Outcome::Gone { as_of, confirming }, posts_as_of: None }
}

/// How far the answer reaches by what its source proves or declares; `None` where it proves no
/// time.
fn reach(reading: &Reading, policy: &Policy) -> Option<Freshness> {
    let newest = || reading.posts.iter().filter_map(|post| post.published).map(Moment::lower).max();
    let told = |told: Option<DateTime<Utc>>, limit: DateTime<Utc>| {
        told.or_else(newest)
            .map(|as_of| Freshness { as_of: as_of.min(limit), may_confirm: told.is_some() })
    };
    match &reading.provenance {
        Provenance::Crawl(answer) => freshness(answer, policy),
        Provenance::Bridge { sent_at, upstream_success } => told(*upstream_success, *sent_at),
        Provenance::Declared { entered_at, complete_to, .. } => told(*complete_to, *entered_at),
    }
}

fn oldest(posts: &[Post]) -> Option<DateTime<Utc>> {
    posts.iter().filter_map(|post| post.published).map(Moment::upper).min()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListKind {
    Items,
    Empty,
    ProfileOnly,
}

impl ListKind {
    /// `None`: no items and nothing that proves there are none, or a marker and a counter that
    /// contradict each other; that is not the list we know.
    fn of(reading: &Reading) -> Option<Self> {
        if !reading.posts.is_empty() {
            return Some(Self::Items);
        }
        let counter = reading.posts_total.as_ref();
        let counts_posts = counter.and_then(Count::low).is_some_and(|low| low > 0);
        let counts_none = counter.is_some_and(Count::is_zero);
        let declared = matches!(reading.provenance, Provenance::Declared { .. });
        match reading.rules.role {
            _ if counts_none => Some(Self::Empty),
            Role::Profile => Some(Self::ProfileOnly),
            Role::List if declared => Some(Self::Items),
            Role::List if reading.empty_marker && !counts_posts => Some(Self::Empty),
            Role::List => None,
        }
    }

    fn is_exhausted(self, reading: &Reading) -> bool {
        let counter = reading.posts_total.as_ref();
        match self {
            Self::Empty => true,
            Self::ProfileOnly => false,
            Self::Items if matches!(reading.provenance, Provenance::Declared { .. }) => false,
            Self::Items => {
                let listed = u64::try_from(distinct(&reading.posts).count()).unwrap_or(u64::MAX);
                // An end marker below a counter that tells of more is the end of what is shown
                // (half a year, say), not of what exists.
                let counts_more = counter.and_then(Count::low).is_some_and(|low| low > listed);
                let at_end =
                    reading.end_marker || (reading.short_page && reading.rules.short_page_is_end);
                counter == Some(&Count::Exact(listed)) || (at_end && !counts_more)
            }
        }
    }
}
