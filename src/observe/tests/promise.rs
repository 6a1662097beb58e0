//! The promise: for any truth and any adversarial view of it, silent ⇒ the truth is silent.
//!
//! A world is a truth (posts, pins, deletions, posts that only the counter shows, a visible delay)
//! with the weather of each visit. A small crawler visits it through [`compose`] and [`late`], as
//! the real one does, and what it wrote down is judged. Bounds of the adversary, as in reality: a
//! broken page is noticed by the next look at a canary, caches tell their `Age` or `Date` or repeat
//! an earlier body, and what was deleted before anybody could see it counts for nobody.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::{IdTime, PageVerdict, Post, Precision};
use crate::observe::canary::Trust;
use crate::observe::view::View;
use crate::observe::{
    Answer, Composed, DateRules, Judgement, Known, LatePost, PageRules, Proof, Provenance, Reading,
    Role, compose, coverage, late, late_posts,
};

#[derive(Debug, Clone)]
struct TruePost {
    minute: i64,
    precision: Precision,
    /// Pinned, with or without a mark.
    pinned: Option<bool>,
    deleted_after_hours: Option<i64>,
    /// Shown by the counter only.
    hidden: bool,
    /// Published, but visible only so much later.
    delay_hours: i64,
}

#[derive(Debug, Clone)]
enum Weather {
    Fresh,
    Failed(Reason),
    /// An old body with an honest `Age`.
    Aged(i64),
    /// An old body with an honest `Date`.
    Dated(i64),
    /// An earlier body once more, as if it were new.
    Repeated(Index),
    /// The server's clock is wrong by so many minutes.
    Skewed(i64),
    /// The items in another order.
    Shuffled(Vec<Index>),
    /// The newest items are not read, on any page of the host.
    Broken(usize),
}

/// What canaries look at, of the page kinds that list the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Watch {
    Nothing,
    /// The only one.
    Timeline,
    /// Another one of the host, which does not list the account.
    Beside,
    /// One of two that take turns.
    OneOfTwo,
}

#[derive(Debug, Clone)]
struct Attempt {
    minute: i64,
    weather: Weather,
    items_max: usize,
    cache_buster: bool,
    looked: bool,
}

#[derive(Debug, Clone)]
struct World {
    posts: Vec<TruePost>,
    attempts: Vec<Attempt>,
    counts: bool,
    marks_end: bool,
    watch: Watch,
    opening_known: bool,
    gone_at: Option<i64>,
}

fn minute(minute: i64) -> DateTime<Utc> {
    time(0, 0) + Duration::minutes(minute)
}

const DAY: i64 = 24 * 60;

const TIMELINE: &str = "timeline";
const VIDEOS: &str = "videos";
const BESIDE: &str = "profile";

impl TruePost {
    fn claimed(&self) -> Moment {
        let at = minute(self.minute);
        match self.precision {
            Precision::Day => Moment::day(crate::domain::shanghai_date(at)),
            precision => Moment { at, precision },
        }
    }

    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        let visible_at = minute(self.minute + self.delay_hours * 60);
        self.deleted_after_hours.map(|hours| visible_at + Duration::hours(hours))
    }

    fn exists_at(&self, at: DateTime<Utc>) -> bool {
        minute(self.minute + self.delay_hours * 60) <= at
            && self.deleted_at().is_none_or(|deleted| at < deleted)
    }
}

/// What a visitor would be shown: items by their number, and the counter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Body {
    items: Vec<usize>,
    counter: u64,
    whole: bool,
}

impl World {
    fn body(&self, at: DateTime<Utc>, items_max: usize) -> Body {
        let existing = || (0..self.posts.len()).filter(|index| self.posts[*index].exists_at(at));
        let mut items: Vec<usize> = existing().filter(|index| !self.posts[*index].hidden).collect();
        items.sort_by_key(|index| {
            let post = &self.posts[*index];
            (post.pinned.is_none(), -post.minute)
        });
        let whole = items.len() <= items_max;
        items.truncate(items_max);
        Body { items, counter: existing().count() as u64, whole }
    }
}

#[derive(Default)]
struct Crawler {
    history: History,
    known: Known,
    /// By page kind.
    bodies: BTreeMap<&'static str, Vec<(Body, DateTime<Utc>)>>,
    listed: BTreeMap<usize, ListedPost>,
    broken_since_look: bool,
}

impl Crawler {
    fn visit(&mut self, world: &World, attempt: &Attempt) {
        let sent_at = minute(attempt.minute);
        let hours_ago = |hours: i64| sent_at - Duration::hours(hours);
        let fresh = || world.body(sent_at, attempt.items_max);
        let (mut age_seconds, mut date) = (None, Some(sent_at));
        let page = world.page(attempt);
        let bodies = self.bodies.entry(page).or_default();
        let body = match &attempt.weather {
            Weather::Aged(hours) => {
                age_seconds = u64::try_from(hours * 3600).ok();
                world.body(hours_ago(*hours), attempt.items_max)
            }
            Weather::Dated(hours) => {
                date = Some(hours_ago(*hours));
                world.body(hours_ago(*hours), attempt.items_max)
            }
            Weather::Repeated(which) if !bodies.is_empty() => which.get(bodies).0.clone(),
            Weather::Skewed(minutes) => {
                date = Some(sent_at + Duration::minutes(*minutes));
                fresh()
            }
            Weather::Shuffled(order) => {
                let mut body = fresh();
                for (index, other) in order.iter().enumerate().take(body.items.len()) {
                    let other = other.index(body.items.len());
                    body.items.swap(index, other);
                }
                body
            }
            Weather::Broken(newest) if world.watch != Watch::Nothing => {
                self.broken_since_look = true;
                let mut body = fresh();
                body.items.drain(..(*newest).min(body.items.len()));
                body
            }
            _ => fresh(),
        };
        let repeats = matches!(attempt.weather, Weather::Repeated(_));
        let same_since = bodies.iter().find(|(known, _)| *known == body).map(|one| one.1);
        let answer = Answer {
            sent_at,
            not_modified: false,
            conditional: false,
            no_cache: true,
            date,
            age_seconds,
            cache_hit: false,
            cache_buster: attempt.cache_buster && !repeats,
            peers_changed: false,
            same_since,
            unchanged_times: Vec::new(),
        };
        let reading = world.reading(&body, answer, attempt);
        let composed = compose(&reading, &self.known, &Policy::default());
        if let (Some(as_of), None) = (composed.posts_as_of, same_since) {
            bodies.push((body.clone(), as_of));
        }
        self.write_down(world, &body, composed, (page, sent_at));
        if attempt.looked {
            let healthy = !std::mem::take(&mut self.broken_since_look);
            let page = if world.watch == Watch::Beside { BESIDE } else { TIMELINE };
            let look = look(sent_at + Duration::minutes(1), healthy);
            self.history.canaries.push(CanaryLook { page: page.into(), ..look });
        }
    }

    fn write_down(
        &mut self,
        world: &World,
        body: &Body,
        composed: Composed,
        (page, sent_at): (&str, DateTime<Utc>),
    ) {
        let spans: Vec<Span> = self.observations().filter_map(|seen| seen.span).collect();
        if let Some(first_seen) = composed.posts_as_of {
            for index in &body.items {
                let claimed = Some(world.posts[*index].claimed());
                let before = self.observations().map(|seen| seen.as_of);
                let seen_before = before.filter(|as_of| *as_of < first_seen).max();
                self.listed.entry(*index).or_insert_with(|| ListedPost {
                    reference: index.to_string().into(),
                    page: page.into(),
                    claimed,
                    first_seen,
                    missed_by: late(&spans, claimed, first_seen),
                    seen_before,
                    text_digest: None,
                    recorded_at: sent_at,
                });
                self.known.names.insert(index.to_string());
            }
        }
        if let Outcome::Observed(seen) = &composed.outcome {
            self.known.observed_to = self.known.observed_to.max(Some(seen.as_of));
        }
        let visit = visit(sent_at, composed.outcome);
        self.history.visits.push(Visit { page: page.into(), ..visit });
    }

    fn observations(&self) -> impl Iterator<Item = &Observation> {
        self.history.visits.iter().filter_map(|visit| match &visit.outcome {
            Outcome::Observed(observation) => Some(observation),
            _ => None,
        })
    }
}

impl World {
    fn reading(&self, body: &Body, answer: Answer, attempt: &Attempt) -> Reading {
        let posts = body.items.iter().map(|index| Post {
            reference: Some(index.to_string()),
            published: Some(self.posts[*index].claimed()),
            pinned: self.posts[*index].pinned == Some(true),
            ..Post::default()
        });
        let is_gone = self.gone_at.is_some_and(|gone| gone <= attempt.minute);
        Reading {
            provenance: Provenance::Crawl(answer),
            failure: match attempt.weather {
                Weather::Failed(reason) => Some(reason),
                _ => None,
            },
            verdict: if is_gone { PageVerdict::Gone } else { PageVerdict::Observation },
            rules: PageRules {
                role: Role::List,
                newest_first: true,
                verified: true,
                short_page_is_end: false,
            },
            proof: Proof::Id { matches: (!is_gone).then_some(true), address_kept: true },
            posts: if is_gone { Vec::new() } else { posts.collect() },
            end_marker: self.marks_end && body.whole,
            short_page: false,
            empty_marker: body.whole,
            posts_total: self.counts.then_some(Count::Exact(body.counter)),
            registered_at: None,
        }
    }

    fn page(&self, attempt: &Attempt) -> &'static str {
        let is_videos = self.watch == Watch::OneOfTwo && attempt.minute % 2 == 1;
        if is_videos { VIDEOS } else { TIMELINE }
    }

    /// What a crawler writes down of this world.
    fn crawled(&self) -> History {
        let mut crawler = Crawler::default();
        crawler.history.has_canary = self.watch != Watch::Nothing;
        let by = |page: &str| Unwatched::Beside { watched: vec![page.to_owned()], left: vec![] };
        crawler.history.unwatched = match self.watch {
            Watch::Nothing | Watch::Timeline => BTreeMap::new(),
            Watch::Beside => BTreeMap::from([(TIMELINE.to_owned(), by(BESIDE))]),
            Watch::OneOfTwo => BTreeMap::from([(VIDEOS.to_owned(), by(TIMELINE))]),
        };
        crawler.history.opened_at = self.opening_known.then(|| time(0, 0));
        let mut attempts: Vec<&Attempt> = self.attempts.iter().collect();
        attempts.sort_by_key(|attempt| attempt.minute);
        attempts.dedup_by_key(|attempt| attempt.minute);
        attempts.into_iter().for_each(|attempt| crawler.visit(self, attempt));
        crawler.history.posts = crawler.listed.into_values().collect();
        crawler.history
    }

    /// Whether a silent verdict agrees with the truth; a word that does not accuse always does.
    fn bears_out(&self, judgement: &Judgement, history: &History, known_at: DateTime<Utc>) -> bool {
        let policy = Policy::default();
        let cutoff = judgement.cutoff;
        let threshold = match judgement.activity {
            Activity::Watch => Some(policy.watch),
            Activity::Dormant => Some(policy.dormant),
            Activity::Zombie => Some(policy.zombie),
            Activity::Empty => None,
            Activity::Gone => return self.gone_at.is_some_and(|gone| minute(gone) <= cutoff),
            Activity::Active | Activity::Undetermined(_) => return true,
        };
        // A counter that a canary voids may be misread, so that no growth can be told from it.
        let view = View::new(history, known_at);
        let counted = view.seen.iter().filter(|seen| seen.trust != Trust::Void);
        let first_counted = counted.map(|seen| seen.as_of).min();
        let last = judgement.confirmations.last().copied();
        self.posts.iter().enumerate().all(|(index, post)| {
            let at = minute(post.minute);
            let is_listed = history
                .posts
                .iter()
                .any(|one| one.reference == index.to_string() && one.recorded_at <= known_at);
            let could_be_known = is_listed
                || (post.deleted_at().zip(last).is_none_or(|(deleted, last)| deleted > last)
                    && (!post.hidden || Some(at) > first_counted));
            let counts = match threshold {
                Some(threshold) => threshold.window(cutoff).meets(at, at),
                None => at < cutoff,
            };
            !counts || !could_be_known
        })
    }
}

fn any_post(last_day: i64) -> impl Strategy<Value = TruePost> {
    let precision = prop_oneof![
        6 => Just(Precision::Second),
        1 => Just(Precision::Minute),
        1 => Just(Precision::Hour),
        2 => Just(Precision::Day),
    ];
    let pinned = prop_oneof![8 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    let deleted = prop_oneof![6 => Just(None), 1 => (1i64..400).prop_map(Some)];
    (0..last_day * DAY, precision, pinned, deleted, prop::bool::weighted(0.15), 0i64..24).prop_map(
        |(minute, precision, pinned, deleted_after_hours, hidden, delay_hours)| TruePost {
            minute,
            precision,
            pinned,
            deleted_after_hours,
            hidden,
            delay_hours,
        },
    )
}

fn any_weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        24 => Just(Weather::Fresh),
        2 => Just(Weather::Failed(Reason::Blocked)),
        1 => Just(Weather::Failed(Reason::Drifted)),
        2 => (1i64..300).prop_map(Weather::Aged),
        2 => (1i64..300).prop_map(Weather::Dated),
        2 => any::<Index>().prop_map(Weather::Repeated),
        2 => (-600i64..600).prop_map(Weather::Skewed),
        1 => prop::collection::vec(any::<Index>(), 2..8).prop_map(Weather::Shuffled),
        2 => (1usize..6).prop_map(Weather::Broken),
    ]
}

/// From day 60 on the account is visited, most often in the last days; it is judged up to day 120.
/// After some day the weather turns: one kind of it stays, while one more post is published.
fn any_world(delayed: bool) -> impl Strategy<Value = World> {
    let when = prop_oneof![1 => 60 * DAY..120 * DAY, 2 => 110 * DAY..120 * DAY];
    let attempt = (when, any_weather(), 1usize..20, prop::bool::weighted(0.9)).prop_flat_map(
        |(minute, weather, items_max, cache_buster)| {
            prop::bool::weighted(0.8).prop_map(move |looked| Attempt {
                minute,
                weather: weather.clone(),
                items_max,
                cache_buster,
                looked,
            })
        },
    );
    let posts = (1i64..119).prop_flat_map(|last| prop::collection::vec(any_post(last), 0..16));
    let turn = prop::option::of((any_weather(), 108 * DAY..120 * DAY, any_post(1)));
    let watch = prop_oneof![
        2 => Just(Watch::Nothing),
        2 => Just(Watch::Timeline),
        1 => Just(Watch::Beside),
        2 => Just(Watch::OneOfTwo),
    ];
    let flags = (any::<bool>(), any::<bool>(), watch, any::<bool>());
    let gone = prop_oneof![9 => Just(None), 1 => (70 * DAY..120 * DAY).prop_map(Some)];
    (posts, prop::collection::vec(attempt, 1..90), flags, gone, turn).prop_map(
        move |(mut posts, mut attempts, flags, gone_at, turn)| {
            if let Some((weather, turned, post)) = turn {
                for attempt in attempts.iter_mut().filter(|one| one.minute >= turned) {
                    attempt.weather = weather.clone();
                }
                posts.push(TruePost { minute: turned, ..post });
            }
            let (counts, marks_end, watch, opening_known) = flags;
            let deletes = posts.iter().any(|post| post.deleted_after_hours.is_some());
            for post in &mut posts {
                // Only a counter that nothing else moves can tell of a hidden post.
                post.hidden &= counts && !deletes;
                post.pinned = post.pinned.filter(|_| !post.hidden);
                post.delay_hours *= i64::from(delayed && !post.hidden);
            }
            let pins = posts.iter_mut().filter(|post| post.pinned.is_some()).skip(3);
            pins.for_each(|post| post.pinned = None);
            World { posts, attempts, counts, marks_end, watch, opening_known, gone_at }
        },
    )
}

/// So many cases, unless the environment asks for another number.
fn cases(count: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if is_asked { asked.cases } else { count };
    ProptestConfig { cases, failure_persistence: None, ..asked }
}

/// Posts that would be findings if every time were the author's and no id told anything.
fn candidates(history: &History, known_at: DateTime<Utc>) -> Vec<LatePost> {
    let lag = Policy::default().visibility_lag_hours;
    let visibility_lag = Duration::hours(i64::from(lag));
    let rules = |_: &str| Some(DateRules { author_time: true, visibility_lag });
    let mut late = late_posts(history, rules, |_| IdTime::Untold, known_at);
    late.retain(LatePost::is_candidate);
    late
}

fn judged(history: &History, at_minute: i64) -> Judgement {
    judge(history, &Policy::default(), minute(at_minute), minute(at_minute))
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn silent_now_implies_that_the_truth_is_silent(
        world in any_world(false), nows in prop::collection::vec(100 * DAY..121 * DAY, 6),
    ) {
        let history = world.crawled();
        for now in nows.into_iter().chain([119 * DAY, 120 * DAY]) {
            let judgement = judged(&history, now);
            let is_true = world.bears_out(&judgement, &history, minute(now));
            prop_assert!(is_true, "{:?}", judgement);
        }
    }

    #[test]
    fn silent_at_a_cutoff_implies_that_the_truth_is_silent(
        world in any_world(true), cutoffs in prop::collection::vec(100 * DAY..120 * DAY, 6),
    ) {
        let history = world.crawled();
        for cutoff in cutoffs {
            let known_at = minute(130 * DAY);
            let judgement = judge_at(&history, &Policy::default(), minute(cutoff), known_at);
            prop_assert!(world.bears_out(&judgement, &history, known_at), "{:?}", judgement);
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn less_sight_is_never_more_silence(
        mut world in any_world(false), now in 61 * DAY..121 * DAY, lost: Vec<Index>, fail: bool,
    ) {
        // A growing counter, a missing account and a post that a look missed are sights that speak
        // against silence.
        world.counts = false;
        world.gone_at = None;
        let history = world.crawled();
        let before = judged(&history, now);
        let mut poorer = history.clone();
        for index in lost.iter().filter(|_| !history.visits.is_empty()) {
            let index = index.index(poorer.visits.len());
            let Outcome::Observed(seen) = &poorer.visits[index].outcome else { continue };
            if history.posts.iter().any(|post| post.missed_by == Some(seen.as_of)) {
                continue;
            }
            poorer.visits[index].outcome = Outcome::Failed(Reason::Blocked);
        }
        if !fail {
            poorer.visits.retain(|visit| !matches!(visit.outcome, Outcome::Failed(_)));
        }
        let after = judged(&poorer, now);
        prop_assert!(
            before.activity.is_silent() || !after.activity.is_silent(),
            "{before:#?} became {after:#?}"
        );
    }

    #[test]
    fn the_order_of_the_facts_changes_nothing(
        world in any_world(false), now in 61 * DAY..121 * DAY, order: Vec<Index>,
    ) {
        let history = world.crawled();
        let mut shuffled = history.clone();
        shuffled.visits.reverse();
        shuffled.posts.reverse();
        shuffled.canaries.reverse();
        for (one, other) in order.iter().zip(order.iter().skip(1)) {
            if !shuffled.visits.is_empty() {
                let length = shuffled.visits.len();
                shuffled.visits.swap(one.index(length), other.index(length));
            }
        }
        prop_assert_eq!(judged(&history, now), judged(&shuffled, now));
        let at = |history| judge_at(history, &Policy::default(), minute(now), minute(130 * DAY));
        prop_assert_eq!(at(&history), at(&shuffled));
        let covered = |history| coverage(history, minute(60 * DAY), minute(now), minute(now));
        prop_assert_eq!(covered(&history), covered(&shuffled));
        let end = minute(130 * DAY);
        prop_assert_eq!(candidates(&history, end), candidates(&shuffled, end));
    }

    #[test]
    fn honest_dates_are_never_candidates_for_backdating(world in any_world(true)) {
        let candidates = candidates(&world.crawled(), minute(130 * DAY));
        prop_assert!(candidates.is_empty(), "{candidates:#?}");
    }

    #[test]
    fn what_is_written_down_later_changes_no_earlier_answer(
        world in any_world(true), cutoff in 61 * DAY..120 * DAY, lag in 0..5 * DAY,
    ) {
        let history = world.crawled();
        let known_at = minute(cutoff + lag);
        let mut earlier = history.clone();
        earlier.visits.retain(|visit| visit.recorded_at <= known_at);
        earlier.posts.retain(|post| post.recorded_at <= known_at);
        earlier.canaries.retain(|look| look.recorded_at <= known_at);
        let at = |history| judge_at(history, &Policy::default(), minute(cutoff), known_at);
        prop_assert_eq!(at(&history), at(&earlier));
        let covered = |history| coverage(history, minute(60 * DAY), minute(cutoff), known_at);
        prop_assert_eq!(covered(&history), covered(&earlier));
        prop_assert_eq!(candidates(&history, known_at), candidates(&earlier, known_at));
    }

    #[test]
    fn what_is_not_recorded_yet_is_not_known(
        world in any_world(false), now in 61 * DAY..120 * DAY,
    ) {
        let history = world.crawled();
        let mut earlier = history.clone();
        earlier.visits.retain(|visit| visit.recorded_at <= minute(now));
        earlier.posts.retain(|post| post.recorded_at <= minute(now));
        earlier.canaries.retain(|look| look.recorded_at <= minute(now));
        prop_assert_eq!(judged(&history, now), judged(&earlier, now));
    }

    #[test]
    fn ordinary_accounts_reach_the_right_verdict(
        last_day in 0i64..119,
        gaps in prop::collection::vec(1i64..15 * DAY, 4..20),
        offset in 0..DAY,
    ) {
        let mut minutes = vec![last_day * DAY];
        gaps.iter().for_each(|gap| minutes.push(minutes[minutes.len() - 1] - gap));
        let posts = minutes.iter().map(|minute| TruePost {
            minute: *minute,
            precision: Precision::Second,
            pinned: None,
            deleted_after_hours: None,
            hidden: false,
            delay_hours: 0,
        });
        let attempts = (20..120).map(|day| Attempt {
            minute: day * DAY + offset,
            weather: Weather::Fresh,
            items_max: 10,
            cache_buster: true,
            looked: true,
        });
        let world = World {
            posts: posts.collect(),
            attempts: attempts.collect(),
            counts: true,
            marks_end: true,
            watch: Watch::Timeline,
            opening_known: false,
            gone_at: None,
        };
        let now = 119 * DAY + offset + 5;
        let observed_at = minute(119 * DAY + offset);
        let policy = Policy::default();
        let last = minute(last_day * DAY);
        let expected = [
            (policy.zombie, Activity::Zombie),
            (policy.dormant, Activity::Dormant),
            (policy.watch, Activity::Watch),
        ];
        let silent = expected.into_iter().find(|one| one.0.is_crossed(last, observed_at));
        let expected = match silent {
            Some((_, activity)) => activity,
            // Crossed in the minutes since the list was read.
            None if policy.watch.is_crossed(last, minute(now)) => {
                Activity::Undetermined(Reason::Unconfirmed)
            }
            None => Activity::Active,
        };
        prop_assert_eq!(judged(&world.crawled(), now).activity, expected);
    }
}

/// The promise is worth nothing if the worlds hardly ever lead to a silent verdict.
#[test]
fn the_worlds_do_lead_to_every_silent_verdict() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut silent: BTreeMap<(Watch, bool), usize> = BTreeMap::new();
    for _ in 0..600 {
        let world = any_world(false).new_tree(&mut runner).unwrap().current();
        let judgement = judged(&world.crawled(), 119 * DAY);
        *verdicts.entry(judgement.activity.as_str()).or_default() += 1;
        if judgement.activity.is_silent() {
            *silent.entry((world.watch, judgement.no_canary)).or_default() += 1;
        }
    }
    let ways = [
        (Watch::Nothing, true),
        (Watch::Timeline, false),
        (Watch::Beside, true),
        (Watch::OneOfTwo, false),
        (Watch::OneOfTwo, true),
    ];
    for way in ways {
        assert!(silent.get(&way).is_some_and(|count| *count >= 2), "{way:?}: {silent:?}");
    }
    assert_eq!(silent.len(), ways.len(), "{silent:?}");
    for word in ["watch", "dormant", "zombie", "empty", "gone", "active", "undetermined"] {
        assert!(verdicts.get(word).is_some_and(|count| *count >= 2), "{word}: {verdicts:?}");
    }
}
