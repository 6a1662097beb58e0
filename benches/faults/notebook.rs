use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Duration, Utc};
use xunjian::domain::{Count, Extraction, LedgerEntry, Moment, Post, Word, shanghai_midnight};
use xunjian::observe::{
    CanaryKind, Composed, History, Known, ListedPost, MarkKind, Observation, Outcome, Policy,
    PostMark, Provenance, Reading, Source, Span, Visit, canary_health, compose, freshness,
    is_redated, late,
};
use xunjian::platform::{Observability, Platform, Role};

use super::guard::Guard;
use super::visitor::{Gathered, Visitor};

/// A profile shows no posts of its own; its counter must have moved within this time.
const PROFILE_GAP: Duration = Duration::days(1);

/// All that is written down about one account: what the store keeps, in memory.
pub(super) struct Notebook {
    pub(super) history: History,
    /// The newest claim on any page ever read, whatever it proves, and whether one was read: all
    /// that the naive rule knows.
    pub(super) newest_item: Option<DateTime<Utc>>,
    pub(super) was_asked: bool,
    known: BTreeMap<String, Known>,
    bodies: BTreeMap<(String, String), DateTime<Utc>>,
    listed_to: BTreeMap<String, DateTime<Utc>>,
    /// Every post with the as-of time of the newest observation that listed it.
    listed: HashMap<String, DateTime<Utc>>,
    /// Posts that were missing from a list that should show them, or came back.
    pub(super) marks: Vec<PostMark>,
    /// The greatest counter a profile has shown.
    counter: Option<u64>,
}

impl Notebook {
    pub(super) fn new(entry: &LedgerEntry, platform: &Platform, has_canary: bool) -> Self {
        let lists = platform.crawled().filter(|kind| kind.role == Role::List);
        let history = History {
            opened_at: entry.opened_on.map(shanghai_midnight),
            filed_at: entry.filed_on.map(shanghai_midnight),
            parts: lists
                .map(|kind| kind.lists.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            has_canary,
            ..History::default()
        };
        Self {
            history,
            newest_item: None,
            was_asked: false,
            known: BTreeMap::new(),
            bodies: BTreeMap::new(),
            listed_to: BTreeMap::new(),
            listed: HashMap::new(),
            marks: Vec::new(),
            counter: None,
        }
    }

    /// Makes a visit and writes it down. Returns what it says of a canary: `None` where a visit
    /// to a canary says nothing.
    pub(super) fn visit(
        &mut self,
        visitor: &Visitor<'_>,
        policy: &Policy,
        quarter: DateTime<Utc>,
    ) -> Option<bool> {
        let page = visitor.kind.name.clone();
        let gathered = visitor.gather(self.listed_to.get(&page).copied().unwrap_or(quarter))?;
        self.was_asked = true;
        let said = gathered.pages.first().map(said);
        let body = said.map(|said| (page.clone(), said));
        let same_since = body.as_ref().and_then(|body| self.bodies.get(body)).copied();
        let reading = visitor.reading(&gathered, same_since);
        let known = self.known.entry(page.clone()).or_default();
        let mut composed = compose(&reading, known, policy);
        unguarded(visitor, &mut composed, &reading, policy);
        if let (Some(body), Outcome::Observed(seen)) = (body, &composed.outcome) {
            self.bodies.entry(body).or_insert(seen.as_of);
        }
        self.note_naively(&gathered);
        let health = self.health(visitor, &composed.outcome, &reading.posts, policy);
        self.write_down(visitor, composed, &reading.posts);
        health
    }

    fn note_naively(&mut self, gathered: &Gathered) {
        let items = gathered.pages.iter().flat_map(|page| &page.posts);
        let newest = items.filter_map(|post| post.published).map(Moment::lower).max();
        self.newest_item = self.newest_item.max(newest);
    }

    fn write_down(&mut self, visitor: &Visitor<'_>, composed: Composed, posts: &[Post]) {
        let kind = visitor.kind;
        // The rule of the first item looks no further.
        let posts = match visitor.without {
            Some(Guard::Newest) => &posts[..posts.len().min(1)],
            _ => posts,
        };
        let part = if kind.role == Role::List { kind.lists.clone() } else { "all".to_owned() };
        let kept = |post: &&Post| composed.keeps(post);
        let items = u32::try_from(posts.iter().filter(kept).count()).unwrap_or(u32::MAX);
        let known = self.known.entry(kind.name.clone()).or_default();
        if let Some(first_seen) = composed.posts_as_of {
            let earlier = self.history.visits.iter().filter(|visit| visit.part == part);
            let earlier = earlier.filter_map(|visit| match &visit.outcome {
                Outcome::Observed(seen) => Some(seen),
                _ => None,
            });
            let spans: Vec<Span> = earlier.clone().filter_map(|seen| seen.span).collect();
            let before = earlier.map(|seen| seen.as_of).filter(|at| *at < first_seen).max();
            let observed_unmoved = matches!(&composed.outcome,
                Outcome::Observed(seen) if seen.claims_shift_seconds == 0);
            for post in posts.iter().filter(kept) {
                let Some(name) = post.reference.clone().or(post.url.clone()) else { continue };
                known.names.extend([&post.reference, &post.url].into_iter().flatten().cloned());
                let last_seen = self.listed.get(&name).copied();
                if last_seen.is_none_or(|at| at < first_seen) {
                    self.listed.insert(name.clone(), first_seen);
                }
                let mut again = Vec::new();
                let first = known.claims.get(&name).copied();
                if observed_unmoved
                    && first.zip(post.published).is_some_and(|(a, b)| is_redated(a, b))
                {
                    again.push((MarkKind::Redated, first_seen));
                }
                again.extend(last_seen.map(|last_seen| (MarkKind::Listed, last_seen)));
                again.retain(|(kind, _)| is_news(&self.marks, &name, *kind, first_seen));
                self.marks.extend(again.into_iter().map(|(kind, last_seen)| {
                    mark(visitor, name.clone(), kind, first_seen, last_seen)
                }));
                if last_seen.is_none() {
                    if let Some(claim) = post.published {
                        known.claims.insert(name.clone(), claim);
                    }
                    self.history.posts.push(ListedPost {
                        reference: name.into(),
                        page: kind.name.as_str().into(),
                        claimed: post.published,
                        first_seen,
                        missed_by: late(&spans, post.published, first_seen),
                        seen_before: before,
                        text_digest: post.text_digest.as_deref().map(Word::from),
                        recorded_at: visitor.now,
                    });
                }
            }
        }
        if let Outcome::Observed(seen) = &composed.outcome {
            self.marks.extend(missing(&self.history, &self.listed, &self.marks, visitor, seen));
            let known = self.known.entry(kind.name.clone()).or_default();
            known.observed_to = known.observed_to.max(Some(seen.as_of));
            if let Some(span) = seen.span {
                let listed_to = self.listed_to.entry(kind.name.clone()).or_insert(span.high);
                *listed_to = span.high.max(*listed_to);
            }
        }
        self.history.visits.push(Visit {
            page: kind.name.as_str().into(),
            part: part.into(),
            started_at: visitor.now,
            recorded_at: visitor.now,
            adapter: visitor.platform.digest.as_str().into(),
            source: match visitor.platform.observability {
                Observability::PublicFeed => Source::Bridge,
                _ => Source::Crawl,
            },
            items,
            outcome: composed.outcome,
        });
    }

    /// What a look at a canary says. Of a profile, that its counter has grown since the last one:
    /// the canaries of the city post every hour and are looked at once a day.
    fn health(
        &mut self,
        visitor: &Visitor<'_>,
        outcome: &Outcome,
        posts: &[Post],
        policy: &Policy,
    ) -> Option<bool> {
        let (newest, gap) = match visitor.kind.role {
            Role::Profile => {
                let counter = match outcome {
                    Outcome::Observed(seen) => seen.posts_total.as_ref().and_then(Count::low),
                    _ => None,
                };
                let has_grown = counter > self.counter;
                self.counter = self.counter.max(counter);
                (has_grown.then_some(visitor.now), PROFILE_GAP)
            }
            _ => {
                let posts = posts.iter().filter(|post| !post.pinned);
                let mut times: Vec<DateTime<Utc>> =
                    posts.filter_map(|post| visitor.kind.published_by(post)).collect();
                times.sort_unstable();
                let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
                (times.last().copied(), longest.unwrap_or_default().max(PROFILE_GAP))
            }
        };
        canary_health(CanaryKind::Named, outcome, newest, gap, policy, visitor.now)
    }
}

/// What a page says, times as written: `3小时前` is the same words a day later.
fn said(page: &Extraction) -> String {
    let mut posts = page.posts.clone();
    for post in posts.iter_mut().filter(|post| post.published_text.is_some()) {
        post.published = None;
    }
    format!("{:?}{posts:?}{}", page.identity, page.exhausted)
}

/// Whether a mark is to be made: that a post is listed again if it was missing, that it is dated anew
/// once.
fn is_news(marks: &[PostMark], name: &str, kind: MarkKind, at: DateTime<Utc>) -> bool {
    let (redated, others): (Vec<&PostMark>, Vec<&PostMark>) = marks
        .iter()
        .filter(|mark| mark.reference == name)
        .partition(|mark| mark.kind == MarkKind::Redated);
    match kind {
        MarkKind::Redated => redated.is_empty(),
        _ => others.last().is_some_and(|mark| mark.kind == MarkKind::Absent && mark.at < at),
    }
}

fn mark(
    visitor: &Visitor<'_>,
    reference: String,
    kind: MarkKind,
    at: DateTime<Utc>,
    last_seen: DateTime<Utc>,
) -> PostMark {
    PostMark {
        reference,
        page: visitor.kind.name.clone(),
        started_at: visitor.now,
        at,
        kind,
        last_seen,
        recorded_at: visitor.now,
    }
}

/// The posts that a list should show and does not: one mark a day, as in the store.
fn missing(
    history: &History,
    listed: &HashMap<String, DateTime<Utc>>,
    marks: &[PostMark],
    visitor: &Visitor<'_>,
    seen: &Observation,
) -> Vec<PostMark> {
    let Some(bracket) = seen.bracket else { return Vec::new() };
    let of_page = history.posts.iter().filter(|post| post.page == visitor.kind.name);
    let between = of_page.filter(|post| post.claimed.is_some_and(|claim| bracket.holds(claim)));
    let missing = between.filter_map(|post| {
        let last_seen = *listed.get(post.reference.as_str())?;
        let noted =
            marks.iter().any(|mark| mark.reference == post.reference && mark.at == seen.as_of);
        (last_seen < seen.as_of && !noted).then(|| {
            mark(visitor, post.reference.to_string(), MarkKind::Absent, seen.as_of, last_seen)
        })
    });
    missing.collect()
}

/// Takes guards out of what a visit proves.
fn unguarded(visitor: &Visitor<'_>, composed: &mut Composed, reading: &Reading, policy: &Policy) {
    if let (Some(Guard::Failures), Outcome::Failed(_)) = (visitor.without, &composed.outcome) {
        composed.outcome = Outcome::Observed(nothing_new(visitor.now));
    }
    let Outcome::Observed(seen) = &mut composed.outcome else { return };
    match visitor.without {
        Some(Guard::Hidden) => seen.posts_total = None,
        Some(Guard::Coverage) if seen.span.is_none() => {
            seen.span = Some(Span { low: DateTime::UNIX_EPOCH, high: seen.as_of });
            seen.confirming = match &reading.provenance {
                Provenance::Crawl(answer) => {
                    freshness(answer, policy).is_some_and(|fresh| fresh.may_confirm)
                }
                _ => true,
            };
        }
        _ => {}
    }
}

/// What a failed visit would be if it were taken for a list without anything on it.
fn nothing_new(now: DateTime<Utc>) -> Observation {
    Observation {
        as_of: now,
        span: Some(Span { low: DateTime::UNIX_EPOCH, high: now }),
        bracket: None,
        claims_shift_seconds: 0,
        exhausted: false,
        empty: false,
        confirming: true,
        posts_total: None,
        new_items: 0,
        upstream_success: Some(now),
        registered_at: None,
    }
}
