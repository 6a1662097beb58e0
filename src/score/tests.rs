use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;

use std::collections::BTreeMap;

use crate::calendar::Calendar;
use crate::domain::{Count, Moment, SourceText};
use crate::scheme::{Catalog, IndexCatalog};

use super::*;

mod beside;
mod local;
mod words;

pub(super) fn at(text: &str) -> DateTime<Utc> {
    let text = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00") };
    format!("{text}+08:00").parse().unwrap()
}

fn catalog() -> Catalog {
    let text = include_str!("../../config/schemes/default.toml").to_owned();
    let source = SourceText { file: "default.toml".to_owned(), text };
    Catalog::compile(&[source], &measure_ids(&IndexCatalog::default())).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>())
    })
}

/// Working days as shipped, and the built-in formulas.
pub(super) fn calendar() -> Calendar {
    let files = [
        ("2025.json", include_str!("../../config/calendar/2025.json")),
        ("2026.json", include_str!("../../config/calendar/2026.json")),
        ("2027.json", include_str!("../../config/calendar/2027.json")),
    ]
    .map(|(file, text)| SourceText { file: file.to_owned(), text: text.to_owned() });
    Calendar::compile(&files).unwrap()
}

fn with_tables<T>(use_them: impl FnOnce(Tables<'_>) -> T) -> T {
    let (calendar, indices) = (calendar(), IndexCatalog::default());
    use_them(Tables { calendar: &calendar, indices: &indices })
}

fn card_of(scheme: &str, facts: &PeriodFacts, beside: &BTreeMap<String, Reading>) -> ScoreCard {
    let catalog = catalog();
    with_tables(|tables| score(catalog.get(scheme).unwrap(), facts, beside, tables).unwrap())
}

/// Beside peers among whom the account is in the middle, wherever it can be compared.
fn card(facts: &PeriodFacts) -> ScoreCard {
    let compared = [
        ("interactions_percentile", "interactions_7d_per_post"),
        ("followers_percentile", "followers"),
    ];
    let place = |of: &str| match read(facts, of) {
        Reading::Known(_) => Reading::exact(0.5),
        unknown @ Reading::Unknown(_) => unknown,
    };
    let beside = compared.map(|(id, of)| (id.to_owned(), place(of))).into();
    card_of("default", facts, &beside)
}

fn post(published: &str) -> PostFact {
    PostFact {
        published: Moment::second(at(published)).into(),
        original: Some(true),
        reads: None,
        likes: Some(Count::Exact(10)),
        comments: Some(Count::Exact(4)),
        shares: Some(Count::Exact(6)),
        form: None,
        title: None,
        text_digest: None,
        late: false,
        aged: vec![Aged {
            hours: 168,
            reads: None,
            likes: Some(Count::Exact(10)),
            comments: Some(Count::Exact(4)),
            shares: Some(Count::Exact(6)),
        }],
    }
}

/// 2026-06, thirty days, fully covered, no post.
fn quiet() -> PeriodFacts {
    PeriodFacts {
        period: "2026-06".parse().unwrap(),
        cutoff: at("2026-08-01"),
        existed_from: None,
        existed_until: None,
        covered: vec![Stretch { from: at("2026-05-01"), to: at("2026-07-02") }],
        posts: vec![],
        inquiries: None,
        followers: None,
        followers_before: None,
        subject: SubjectFact { platform: "weibo".to_owned(), ..SubjectFact::default() },
        silence: None,
        entered: BTreeMap::new(),
        record: None,
    }
}

/// The same with a post every `days` days at noon, from the first day on.
pub(super) fn every(days: usize) -> PeriodFacts {
    let noon = at("2026-06-01T12:00:00");
    let posts = (0_i64..30).step_by(days).map(|day| PostFact {
        published: Moment::second(noon + Duration::days(day)).into(),
        ..post("2026-06-01")
    });
    PeriodFacts { posts: posts.collect(), ..quiet() }
}

fn asked(asked: &str, replied: Option<&str>) -> InquiryFact {
    InquiryFact {
        kind: "message".to_owned(),
        asked: Some(Moment::second(at(asked)).into()),
        replied: replied.map(|replied| Moment::second(at(replied)).into()),
        open_until: None,
    }
}

fn all(facts: &PeriodFacts) -> Readings {
    with_tables(|tables| readings(facts, 72, &[], &BTreeMap::new(), tables))
}

fn read(facts: &PeriodFacts, measure: &str) -> Reading {
    all(facts)[measure].clone()
}

/// Checks one measure: value, low, high, to six decimals; `None` for no upper end.
fn check(facts: &PeriodFacts, measure: &str, want: (f64, f64, Option<f64>)) {
    let Reading::Known(got) = read(facts, measure) else {
        panic!("{measure}: {:?}", read(facts, measure))
    };
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    let high = match (got.high, want.2) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    };
    assert!(near(got.value, want.0) && near(got.low, want.1) && high, "{measure}: {got:?}");
}

fn exact(facts: &PeriodFacts, measure: &str, want: f64) {
    let Reading::Known(got) = read(facts, measure) else {
        panic!("{measure}: {:?}", read(facts, measure))
    };
    assert!((got.value - want).abs() < 1e-6, "{measure}: {got:?}");
    assert!((got.low - want).abs() < 1e-4, "{measure}: {got:?}");
    assert!(got.high.is_some_and(|high| (high - want).abs() < 1e-4), "{measure}: {got:?}");
}

fn unknown(facts: &PeriodFacts, measure: &str) -> UnknownKind {
    match read(facts, measure) {
        Reading::Unknown(unknown) => unknown.unknown,
        Reading::Known(quantity) => panic!("{measure}: {quantity:?}"),
    }
}

#[test]
fn posting_measures_of_a_covered_month() {
    let facts = every(10);
    for (measure, want) in [
        ("coverage", 1.0),
        ("days", 30.0),
        ("posts", 3.0),
        ("posts_per_week", 0.7),
        ("original_posts", 3.0),
        ("original_share", 1.0),
        ("active_days", 3.0),
        ("longest_gap_days", 10.0),
        ("silent_days", 9.5),
        ("weeks_without_post", 1.0),
        ("posting_weeks_share", 0.75),
    ] {
        exact(&facts, measure, want);
    }
}

#[test]
fn a_quiet_month_is_known_to_be_quiet() {
    for (measure, want) in
        [("posts", 0.0), ("active_days", 0.0), ("longest_gap_days", 30.0), ("likes", 0.0)]
    {
        exact(&quiet(), measure, want);
    }
    check(&quiet(), "silent_days", (30.0, 30.0, None));
    assert_eq!(unknown(&quiet(), "original_share"), UnknownKind::NotApplicable);
    assert_eq!(unknown(&quiet(), "interactions_per_post"), UnknownKind::NotApplicable);
}

#[test]
fn what_nobody_saw_is_never_silence() {
    let unseen = PeriodFacts { covered: vec![], ..quiet() };
    check(&unseen, "posts", (0.0, 0.0, None));
    check(&unseen, "longest_gap_days", (30.0, 0.0, Some(30.0)));
    check(&unseen, "silent_days", (30.0, 0.0, None));
    check(&unseen, "weeks_without_post", (4.0, 0.0, Some(4.0)));
    check(&unseen, "active_days", (0.0, 0.0, Some(30.0)));
    for measure in ["original_share", "interactions_per_post", "reads_per_post"] {
        assert_eq!(unknown(&unseen, measure), UnknownKind::Undetermined);
    }

    // Ten of thirty days unseen, between the posts of the 1st and the 21st.
    let mut gap = every(20);
    gap.covered = vec![
        Stretch { from: at("2026-05-01"), to: at("2026-06-06") },
        Stretch { from: at("2026-06-16"), to: at("2026-07-01") },
    ];
    check(&gap, "coverage", (2.0 / 3.0, 2.0 / 3.0, Some(2.0 / 3.0)));
    check(&gap, "posts", (2.0, 2.0, None));
    check(&gap, "longest_gap_days", (20.0, 9.5, Some(20.0)));
    check(&gap, "active_days", (2.0, 2.0, Some(12.0)));
}

#[test]
fn only_the_time_of_existence_before_the_cutoff_is_judged() {
    let mut facts = every(1);
    facts.existed_from = Some(at("2026-06-11"));
    facts.cutoff = at("2026-06-21");
    exact(&facts, "days", 10.0);
    exact(&facts, "posts", 10.0);
    facts.existed_until = Some(at("2026-06-16"));
    exact(&facts, "posts", 5.0);
    facts.existed_from = Some(at("2026-07-01"));
    assert_eq!(unknown(&facts, "posts"), UnknownKind::NotApplicable);
}

#[test]
fn posts_count_from_the_first_instant_to_before_the_last() {
    let mut facts = quiet();
    for (time, counted) in [
        ("2026-05-31T23:59:59", 0.0),
        ("2026-06-01T00:00:00", 1.0),
        ("2026-06-30T23:59:59", 1.0),
        ("2026-07-01T00:00:00", 0.0),
    ] {
        facts.posts = vec![post(time)];
        exact(&facts, "posts", counted);
    }
}

#[test]
fn imprecise_times_make_intervals() {
    let mut facts = quiet();
    let (seen, before) = (at("2026-06-03"), Some(at("2026-05-30")));
    facts.posts =
        vec![PostFact { published: PostFact::published(None, seen, before), ..post("2026-06-01") }];
    check(&facts, "posts", (0.0, 0.0, Some(1.0)));
    let day = Moment::day("2026-06-10".parse().unwrap());
    facts.posts = vec![PostFact { published: day.into(), ..post("2026-06-01") }];
    exact(&facts, "posts", 1.0);
    exact(&facts, "active_days", 1.0);
    check(&facts, "silent_days", (21.0, 20.0, Some(21.0)));
    check(&facts, "longest_gap_days", (21.0, 20.0, Some(21.0)));
}

#[test]
fn a_claim_of_the_future_counts_when_it_was_seen() {
    let seen = at("2026-06-03");
    let claimed = Some(Moment::second(at("2027-01-01")));
    assert_eq!(PostFact::published(claimed, seen, None), Stretch { from: seen, to: seen });
}

#[test]
fn origins_that_are_not_marked_widen_the_share() {
    let mut facts = every(10);
    facts.posts[1].original = None;
    facts.posts[2].original = Some(false);
    check(&facts, "original_share", (0.5, 1.0 / 3.0, Some(2.0 / 3.0)));
    facts.posts.iter_mut().for_each(|post| post.original = None);
    assert_eq!(unknown(&facts, "original_share"), UnknownKind::NotObservable);
    assert_eq!(unknown(&facts, "original_posts"), UnknownKind::NotObservable);
}

#[test]
fn sums_carry_the_bounds_of_their_counts() {
    let mut facts = every(10);
    check(&facts, "likes", (30.0, 30.0, Some(30.0)));
    check(&facts, "interactions_per_post", (20.0, 20.0, Some(20.0)));
    let rounded = Count::Bounded { value: 12_000, low: 11_500, high: Some(12_499) };
    facts.posts[0].likes = Some(rounded);
    check(&facts, "likes", (12_020.0, 11_520.0, Some(12_519.0)));
    facts.posts[0].likes = Some(Count::Bounded { value: 100_001, low: 100_001, high: None });
    check(&facts, "likes", (100_021.0, 100_021.0, None));
    facts.posts[1].likes = Some(Count::Hidden("login_required".to_owned()));
    check(&facts, "likes", (100_011.0, 100_011.0, None));
    assert_eq!(unknown(&facts, "reads"), UnknownKind::NotObservable);
    facts.posts.iter_mut().for_each(|post| post.comments = None);
    assert_eq!(unknown(&facts, "comments"), UnknownKind::NotObservable);
    assert_eq!(unknown(&facts, "bci_registered"), UnknownKind::NotObservable);
}

#[test]
fn reply_measures_of_a_month() {
    let mut facts = quiet();
    assert_eq!(unknown(&facts, "inquiries"), UnknownKind::NotObservable);
    facts.inquiries = Some(vec![]);
    exact(&facts, "inquiries", 0.0);
    assert_eq!(unknown(&facts, "reply_rate"), UnknownKind::NotApplicable);
    facts.inquiries = Some(vec![
        asked("2026-06-01", Some("2026-06-01T06:00:00")),
        asked("2026-06-02", Some("2026-06-03")),
        asked("2026-06-10", Some("2026-06-20")),
        asked("2026-06-20", None),
        asked("2026-05-31", Some("2026-06-01")),
    ]);
    for (measure, want) in [
        ("inquiries", 4.0),
        ("replied", 3.0),
        ("reply_rate", 0.75),
        ("overdue_replies", 2.0),
        ("overdue_share", 0.5),
    ] {
        exact(&facts, measure, want);
    }
    check(&facts, "reply_median_hours", (24.0, 24.0, Some(24.0)));
    facts.cutoff = at("2026-06-02T12:00:00");
    exact(&facts, "replied", 1.0);
}

/// A message that was not looked at any more may have been answered unseen.
#[test]
fn what_nobody_looked_at_any_more_bounds_the_reply_measures() {
    let mut facts = quiet();
    let open =
        |at: Option<DateTime<Utc>>| InquiryFact { open_until: at, ..asked("2026-06-02", None) };
    facts.inquiries = Some(vec![
        asked("2026-06-01", Some("2026-06-01T06:00:00")),
        open(Some(at("2026-06-04"))),
        open(Some(at("2026-06-25"))),
        open(None),
    ]);
    check(&facts, "reply_rate", (0.25, 0.25, Some(0.75)));
    check(&facts, "replied", (1.0, 1.0, Some(3.0)));
    // Wilson's lower end for one of four, the upper end for three.
    check(&facts, "reply_share", (0.25, 0.045587, Some(0.954413)));
    // Of a limit of three days: twenty-three open are overdue for certain, two are not; nobody knows
    // of the latter.
    check(&facts, "overdue_replies", (2.0, 2.0, Some(3.0)));
}

/// The points of one line over the given facts: points, low, high.
fn line(facts: &PeriodFacts, dimension: &str, line: &str) -> Outcome {
    let card = card(facts);
    let dimension = card.dimensions.into_iter().find(|one| one.id == dimension).unwrap();
    dimension.lines.into_iter().find(|one| one.id == line).unwrap().outcome
}

/// Facts with this many messages, `replied` of them after `hours`.
fn messages(total: usize, replied: usize, hours: i64) -> PeriodFacts {
    let asked = at("2026-06-01");
    let inquiry = |index: usize| InquiryFact {
        kind: "message".to_owned(),
        asked: Some(Stretch { from: asked, to: asked }),
        replied: (index < replied).then(|| {
            let at = asked + Duration::hours(hours);
            Stretch { from: at, to: at }
        }),
        open_until: None,
    };
    PeriodFacts { inquiries: Some((0..total).map(inquiry).collect()), ..quiet() }
}

fn originals(originals: usize) -> PeriodFacts {
    let mut facts = every(3);
    facts.posts.iter_mut().enumerate().for_each(|(i, post)| post.original = Some(i < originals));
    facts
}

#[test]
fn every_line_is_walked_through_pass_boundary_and_fail() {
    for (dimension, id, facts, want) in [
        ("diligence", "minimum", every(7), "20.00"),
        ("diligence", "minimum", every(14), "10.00"),
        ("diligence", "minimum", quiet(), "0.00"),
        ("diligence", "gap", every(5), "40.00"),
        ("diligence", "gap", every(10), "17.78"),
        ("diligence", "gap", every(14), "0.00"),
        ("diligence", "gap", every(15), "0.00"),
        ("diligence", "regularity", every(7), "25.00"),
        ("diligence", "regularity", every(10), "12.50"),
        ("diligence", "regularity", every(15), "0.00"),
        ("diligence", "original", originals(5), "15.00"),
        ("diligence", "original", originals(2), "6.00"),
        ("diligence", "original", originals(0), "0.00"),
        ("responsiveness", "reply_rate", messages(10, 10, 1), "50.00"),
        ("responsiveness", "reply_rate", messages(10, 3, 1), "15.00"),
        ("responsiveness", "reply_rate", messages(10, 0, 1), "0.00"),
        ("responsiveness", "reply_speed", messages(10, 10, 24), "30.00"),
        ("responsiveness", "reply_speed", messages(10, 10, 132), "15.00"),
        ("responsiveness", "reply_speed", messages(10, 10, 240), "0.00"),
        ("responsiveness", "overdue", messages(10, 10, 360), "20.00"),
        ("responsiveness", "overdue", messages(10, 9, 1), "10.00"),
        ("responsiveness", "overdue", messages(10, 10, 361), "0.00"),
    ] {
        let outcome = line(&facts, dimension, id);
        let points = outcome.points().unwrap_or_else(|| panic!("{id}: {outcome:?}"));
        assert_eq!(points.points, want.parse::<Decimal>().unwrap(), "{id}: {points:?}");
    }
}

fn dimension(facts: &PeriodFacts, id: &str) -> DimensionScore {
    let card = card(facts);
    card.dimensions.into_iter().find(|one| one.id == id).unwrap()
}

fn kind(score: &DimensionScore) -> Option<UnknownKind> {
    match &score.outcome {
        Outcome::Scored(_) => None,
        Outcome::NotScored(why) => Some(why.kind),
    }
}

#[test]
fn coverage_below_the_floor_leaves_the_dimension_not_scored() {
    let mut facts = every(1);
    facts.covered = vec![Stretch { from: at("2026-06-01"), to: at("2026-06-28") }];
    assert_eq!(kind(&dimension(&facts, "diligence")), None, "exactly the floor is enough");
    facts.covered[0].to -= Duration::hours(1);
    let score = dimension(&facts, "diligence");
    assert_eq!(kind(&score), Some(UnknownKind::Undetermined));
    assert_eq!(score.lines.len(), 4, "the lines are listed all the same");
    let Outcome::NotScored(why) = &score.outcome else { panic!() };
    assert!(why.reason.contains("覆盖率 0.8986 低于方案要求的 0.9"), "{}", why.reason);
}

#[test]
fn unknown_never_becomes_zero() {
    let card = card(&PeriodFacts { covered: vec![], ..quiet() });
    for dimension in &card.dimensions {
        assert_eq!(dimension.outcome.points(), None, "{}", dimension.id);
        assert!(!dimension.ranked);
    }
    let mute = PeriodFacts { posts: vec![bare("2026-06-03")], ..quiet() };
    assert_eq!(kind(&dimension(&mute, "influence")), Some(UnknownKind::NotObservable));
}

/// A post of which the page shows no count and no origin.
fn bare(published: &str) -> PostFact {
    let aged = vec![Aged { hours: 168, reads: None, likes: None, comments: None, shares: None }];
    let (likes, comments, shares) = (None, None, None);
    PostFact { original: None, likes, comments, shares, aged, ..post(published) }
}

#[test]
fn covered_silence_is_known_and_followers_do_not_outweigh_it() {
    let followed = PeriodFacts { followers: Some(Count::Exact(500_000)), ..quiet() };
    let points =
        |card: &ScoreCard, id| card.score(id).unwrap().outcome.points().map(|points| points.points);
    // Its interactions are what nothing to compare is, its followers the most of its peers.
    let interactions = read(&followed, "interactions_7d_per_post");
    let beside = BTreeMap::from([
        ("interactions_percentile".to_owned(), interactions),
        ("followers_percentile".to_owned(), Reading::exact(1.0)),
    ]);
    let card = card_of("default", &followed, &beside);
    assert_eq!(points(&card, "diligence"), Some(Decimal::ZERO));
    assert_eq!(points(&card, "influence"), Some(40.into()));
}

#[test]
fn messages_decide_whether_responsiveness_is_scored_and_ranked() {
    let none = dimension(&messages(0, 0, 0), "responsiveness");
    assert_eq!(kind(&none), Some(UnknownKind::NotApplicable));
    let nine = dimension(&messages(9, 9, 1), "responsiveness");
    assert_eq!((nine.outcome.points().map(|p| p.points), nine.ranked), (Some(100.into()), false));
    assert!(dimension(&messages(10, 10, 1), "responsiveness").ranked);
}

#[test]
fn a_bounded_count_makes_an_interval_of_points() {
    let known = |value: f64, low: f64, high: Option<f64>| Entrant {
        group: "weibo".to_owned(),
        value: Reading::Known(Quantity { value, low, high }),
    };
    let exact = |value: f64| known(value, value, Some(value));
    // Rounded to 1.2万 beside one of 12,200: above or below cannot be told.
    let entrants = [
        known(12_000.0, 11_500.0, Some(12_499.0)),
        exact(10_000.0),
        exact(12_200.0),
        exact(20_000.0),
        exact(30_000.0),
    ];
    let catalog = catalog();
    let scheme = catalog.get("default").unwrap();
    let peers = scheme.declared.iter().find_map(|one| match &one.kind {
        crate::scheme::DeclaredKind::Peers(peers) => Some(peers),
        _ => None,
    });
    let readings = percentiles(peers.unwrap(), &entrants);
    let beside = BTreeMap::from([
        ("interactions_percentile".to_owned(), readings[0].clone()),
        ("followers_percentile".to_owned(), Reading::exact(0.5)),
    ]);
    let card = card_of("default", &every(1), &beside);
    let points = card.score("influence").unwrap().outcome.points().unwrap();
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(points.points, decimal("35"));
    assert_eq!((points.low, points.high), (decimal("35"), decimal("50")));
}

#[test]
fn lines_that_a_platform_does_not_show_are_scaled_over() {
    let hidden = Reading::unknown(UnknownKind::NotObservable, "平台不显示");
    let beside = BTreeMap::from([
        ("interactions_percentile".to_owned(), Reading::exact(1.0)),
        ("followers_percentile".to_owned(), hidden),
    ]);
    let card = card_of("default", &every(1), &beside);
    let score = card.score("influence").unwrap();
    assert_eq!(score.rescaled_from, Some(60.into()));
    assert_eq!(score.outcome.points().map(|points| points.points), Some(100.into()));
    let mut facts = every(1);
    facts.posts.iter_mut().for_each(|post| post.original = None);
    let diligence = dimension(&facts, "diligence");
    assert_eq!(diligence.rescaled_from, Some(85.into()));
    assert_eq!(diligence.outcome.points().map(|points| points.points), Some(100.into()));
}

#[test]
fn the_same_facts_give_the_same_bits_in_whatever_order_they_come() {
    let mut facts = every(2);
    facts.inquiries = messages(12, 7, 30).inquiries;
    facts.inquiries.as_mut().unwrap().push(asked("2026-06-07", Some("2026-06-09")));
    facts.followers = Some(Count::Bounded { value: 12_000, low: 11_500, high: None });
    let first = card(&facts);
    let mut shuffled = facts.clone();
    shuffled.posts.reverse();
    shuffled.inquiries.as_mut().unwrap().reverse();
    assert_eq!(card(&shuffled), first);
    assert_eq!(shuffled.canonical_json(), facts.canonical_json());

    let thawed: PeriodFacts = serde_json::from_str(&facts.canonical_json()).unwrap();
    assert_eq!(card(&thawed), first);
    assert!(first.inputs.starts_with("{\"active_days\":{\"value\":15.0,"), "{}", first.inputs);
}

#[test]
fn a_scheme_over_other_measures_is_refused() {
    let text = include_str!("../../config/schemes/default.toml")
        .replace("ramp(longest_gap_days,", "ramp(fans,");
    let source = SourceText { file: "other.toml".to_owned(), text };
    let indices = IndexCatalog::default();
    let known: Vec<&str> = measure_ids(&indices).into_iter().chain(["fans"]).collect();
    let catalog = Catalog::compile(&[source], &known).unwrap();
    let scored = with_tables(|tables| {
        score(catalog.get("default").unwrap(), &quiet(), &BTreeMap::new(), tables)
    });
    assert_eq!(scored, Err(ScoreError::UnknownMeasure("fans".to_owned())));
}

/// Times in minutes from the begin of the month; the month has 43,200.
fn minute(minutes: i64) -> DateTime<Utc> {
    at("2026-06-01") + Duration::minutes(minutes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever part of a truth is seen, and however roughly, the bounds hold the truth.
    #[test]
    fn bounds_hold_the_truth_whatever_was_seen(
        posts in proptest::collection::vec((-2000i64..45_000, 0i64..3000, 0i64..3000, any::<bool>()), 0..12),
        seen in proptest::collection::vec((-3000i64..44_000, 0i64..20_000), 0..5),
    ) {
        let instant = |at| Stretch { from: at, to: at };
        let made = |published, original: bool| PostFact {
            published,
            original: Some(original),
            ..post("2026-06-01")
        };
        let mut truth = quiet();
        let mut view = quiet();
        view.covered = seen.iter().map(|(from, length)| Stretch {
            from: minute(*from),
            to: minute(from + length),
        }).collect();
        for (time, before, after, original) in posts {
            let published = minute(time);
            truth.posts.push(made(instant(published), original));
            if view.covered.iter().any(|span| span.from < published && published <= span.to) {
                let rough = Stretch { from: minute(time - before), to: minute(time + after) };
                view.posts.push(made(rough, original));
            }
        }
        let (truth, view) = (all(&truth), all(&view));
        for measure in [
            "posts", "posts_per_week", "original_posts", "active_days", "longest_gap_days",
            "weeks_without_post", "posting_weeks_share", "likes", "bci_registered",
        ] {
            let both = (&truth[measure], &view[measure]);
            if let (Reading::Known(truth), Reading::Known(view)) = both {
                prop_assert!(view.low <= truth.value + 1e-9, "{measure}: {truth:?} {view:?}");
                let high = view.high.unwrap_or(f64::INFINITY);
                prop_assert!(truth.value <= high + 1e-9, "{measure}: {truth:?} {view:?}");
            }
        }
        let (Reading::Known(truth), Reading::Known(view)) =
            (&truth["silent_days"], &view["silent_days"]) else { panic!() };
        let high = view.high.unwrap_or(f64::INFINITY);
        prop_assert!(view.low <= truth.value + 1e-9, "{truth:?} {view:?}");
        prop_assert!(truth.value <= high + 1e-9, "{truth:?} {view:?}");
    }
}
