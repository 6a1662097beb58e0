use super::*;
use crate::domain::{PageVerdict, Post, Precision};
use crate::observe::{
    Answer, Composed, Known, PageRules, Proof, Provenance, Reading, Role, compose, late,
};

/// A list page read on day 100: five posts of the days before, one a day, by proven id.
fn reading() -> Reading {
    let posts = (0..5).map(|back| Post {
        reference: Some(format!("r{back}")),
        published: Some(Moment::second(time(99 - back, 0))),
        ..Post::default()
    });
    Reading {
        provenance: Provenance::Crawl(Answer {
            sent_at: time(100, 0),
            not_modified: false,
            conditional: false,
            no_cache: true,
            date: Some(time(100, 0)),
            age_seconds: None,
            cache_hit: false,
            cache_buster: false,
            peers_changed: false,
            same_since: None,
            unchanged_times: Vec::new(),
        }),
        failure: None,
        verdict: PageVerdict::Observation,
        rules: PageRules {
            role: Role::List,
            newest_first: true,
            verified: true,
            short_page_is_end: false,
        },
        proof: Proof::Id { matches: Some(true), address_kept: true },
        posts: posts.collect(),
        end_marker: false,
        short_page: false,
        empty_marker: false,
        posts_total: None,
        registered_at: None,
    }
}

fn composed(change: impl FnOnce(&mut Reading)) -> Composed {
    let mut reading = reading();
    change(&mut reading);
    compose(&reading, &Known::default(), &Policy::default())
}

#[track_caller]
fn seen(change: impl FnOnce(&mut Reading)) -> Observation {
    match composed(change).outcome {
        Outcome::Observed(observation) => observation,
        other => panic!("not an observation: {other:?}"),
    }
}

/// The low end of the span, in seconds after midnight of a day; `None`: no span.
#[track_caller]
fn check_low(change: impl FnOnce(&mut Reading), low: Option<DateTime<Utc>>) {
    assert_eq!(seen(change).span.map(|span| span.low), low);
}

#[track_caller]
fn check_failed(change: impl FnOnce(&mut Reading), reason: Reason) {
    assert_eq!(composed(change).outcome, Outcome::Failed(reason));
}

fn to_profile(reading: &mut Reading) {
    reading.rules.role = Role::Profile;
    reading.posts.clear();
}

/// The last listed post is of day 95, midnight.
fn oldest() -> DateTime<Utc> {
    time(95, 0) + Duration::seconds(1)
}

#[test]
fn a_list_with_proven_identity_is_an_observation() {
    let observation = seen(|_| ());
    assert_eq!(observation.as_of, time(100, 0));
    assert_eq!(observation.span, Some(Span { low: oldest(), high: time(100, 0) }));
    assert!(observation.confirming && !observation.exhausted && !observation.empty);
    assert_eq!(observation.new_items, 5);
}

#[test]
fn what_is_not_read_as_the_accounts_list_says_nothing() {
    for reason in [Reason::Blocked, Reason::Limited, Reason::Unreachable, Reason::Disallowed] {
        check_failed(|reading| reading.failure = Some(reason), reason);
    }
    check_failed(|reading| reading.verdict = PageVerdict::Blocked, Reason::Blocked);
    check_failed(|reading| reading.verdict = PageVerdict::Drifted, Reason::Drifted);
    let id = |matches| Proof::Id { matches, address_kept: true };
    check_failed(|reading| reading.proof = id(None), Reason::Drifted);
    check_failed(|reading| reading.proof = id(Some(false)), Reason::Drifted);
    for (address_kept, list_found) in [(false, true), (true, false)] {
        let proof = Proof::Address { address_kept, list_found };
        check_failed(|reading| reading.proof = proof, Reason::Drifted);
    }
    let proof = Proof::Address { address_kept: true, list_found: true };
    assert!(seen(|reading| reading.proof = proof).confirming);
}

#[test]
fn an_empty_list_counts_only_with_a_counter_of_zero_or_the_platforms_own_marker() {
    check_failed(|reading| reading.posts.clear(), Reason::Drifted);
    let ended = |reading: &mut Reading| {
        reading.posts.clear();
        reading.end_marker = true;
    };
    check_failed(ended, Reason::Drifted);
    let marked = |counter| {
        move |reading: &mut Reading| {
            reading.posts.clear();
            reading.empty_marker = true;
            reading.posts_total = counter;
        }
    };
    check_failed(marked(exact(3)), Reason::Drifted);
    let zero = |reading: &mut Reading| {
        reading.posts.clear();
        reading.posts_total = exact(0);
    };
    for observation in [seen(marked(None)), seen(marked(exact(0))), seen(zero)] {
        assert!(observation.empty && observation.exhausted && observation.confirming);
        assert_eq!(observation.span.map(|span| span.low), Some(DateTime::UNIX_EPOCH));
    }
}

#[test]
fn a_profile_speaks_of_posts_only_when_its_counter_is_zero() {
    let counted = |count| {
        move |reading: &mut Reading| {
            to_profile(reading);
            reading.posts_total = count;
        }
    };
    assert!(seen(counted(exact(0))).empty);
    for counter in [None, exact(5), Some(Count::Hidden("login".to_owned()))] {
        let observation = seen(counted(counter));
        assert!(!observation.empty && !observation.confirming);
        assert_eq!(observation.span, None);
    }
}

#[test]
fn a_list_is_exhausted_by_its_marker_or_its_counter() {
    let epoch = Some(DateTime::UNIX_EPOCH);
    check_low(|reading| reading.end_marker = true, epoch);
    check_low(|reading| reading.posts_total = exact(5), epoch);
    check_low(|reading| reading.posts_total = exact(6), Some(oldest()));
    let half_a_year = |reading: &mut Reading| {
        reading.end_marker = true;
        reading.posts_total = exact(60);
    };
    check_low(half_a_year, Some(oldest()));
    check_low(|reading| reading.short_page = true, Some(oldest()));
    let short_is_end = |reading: &mut Reading| {
        reading.short_page = true;
        reading.rules.short_page_is_end = true;
    };
    check_low(short_is_end, epoch);
    let repeated = |reading: &mut Reading| {
        reading.posts.push(reading.posts[4].clone());
        reading.posts_total = exact(6);
    };
    check_low(repeated, Some(oldest()));
}

#[test]
fn a_list_in_another_order_covers_only_when_exhausted() {
    let unordered = |reading: &mut Reading| {
        reading.rules.newest_first = false;
        reading.posts.reverse();
    };
    check_low(unordered, None);
    assert!(!seen(unordered).confirming);
    let ended = |reading: &mut Reading| {
        unordered(reading);
        reading.end_marker = true;
    };
    check_low(ended, Some(DateTime::UNIX_EPOCH));
}

#[test]
fn a_list_out_of_order_has_drifted_and_its_posts_still_count() {
    let composed = composed(|reading| reading.posts.reverse());
    assert_eq!(composed.outcome, Outcome::Failed(Reason::Drifted));
    assert_eq!(composed.posts_as_of, Some(time(100, 0)));
}

#[test]
fn what_a_cache_held_for_nobody_knows_how_long_shows_posts_and_covers_nothing() {
    let from_cache = |age: Option<u64>| {
        composed(move |reading| {
            if let Provenance::Crawl(answer) = &mut reading.provenance {
                (answer.cache_hit, answer.age_seconds) = (true, age);
            }
        })
    };
    let unknown = from_cache(None);
    assert_eq!(unknown.outcome, Outcome::Failed(Reason::Stale));
    assert_eq!(unknown.posts_as_of, Some(time(100, 0)));
    assert!(matches!(from_cache(Some(60)).outcome, Outcome::Observed(seen) if !seen.confirming));
}

#[test]
fn date_only_items_cover_from_the_end_of_their_day() {
    let by_day = |reading: &mut Reading| {
        for post in &mut reading.posts {
            post.published =
                post.published.map(|claim| Moment { precision: Precision::Day, ..claim });
        }
    };
    check_low(by_day, Some(time(96, 0)));
}

#[test]
fn an_unverified_page_kind_never_confirms() {
    assert!(!seen(|reading| reading.rules.verified = false).confirming);
}

#[test]
fn gone_needs_the_address_that_was_asked_for() {
    let gone = |matches, address_kept| {
        move |reading: &mut Reading| {
            reading.verdict = PageVerdict::Gone;
            reading.posts.clear();
            reading.proof = Proof::Id { matches, address_kept };
        }
    };
    let expected = Outcome::Gone { as_of: time(100, 0), confirming: true };
    assert_eq!(composed(gone(None, true)).outcome, expected);
    assert_eq!(composed(gone(Some(true), false)).outcome, expected);
    check_failed(gone(None, false), Reason::Drifted);
    check_failed(gone(Some(false), true), Reason::Drifted);
}

#[test]
fn a_bridge_reaches_its_own_success_upstream_or_its_newest_item() {
    let bridge = |upstream_success| {
        move |reading: &mut Reading| {
            reading.provenance = Provenance::Bridge { sent_at: time(100, 0), upstream_success };
        }
    };
    let told = seen(bridge(Some(time(99, 20))));
    assert_eq!((told.as_of, told.confirming), (time(99, 20), true));
    let liar = seen(bridge(Some(time(120, 0))));
    assert_eq!(liar.as_of, time(100, 0));
    let mute = seen(bridge(None));
    assert_eq!((mute.as_of, mute.confirming), (time(99, 0), false));
    let undated = |reading: &mut Reading| {
        bridge(None)(reading);
        reading.posts.iter_mut().for_each(|post| post.published = None);
    };
    check_failed(undated, Reason::Stale);
}

#[test]
fn an_import_or_check_covers_what_it_declares() {
    let declared = |complete_from, complete_to| {
        move |reading: &mut Reading| {
            let entered_at = time(100, 0);
            reading.provenance = Provenance::Declared { entered_at, complete_from, complete_to };
            reading.posts.reverse();
        }
    };
    let (from, to) = (Some(time(80, 0)), Some(time(99, 12)));
    let whole = seen(declared(from, to));
    assert_eq!(whole.span, Some(Span { low: time(80, 0), high: time(99, 12) }));
    assert!(whole.confirming);
    check_low(declared(None, to), Some(oldest()));
    let open = seen(declared(from, None));
    assert_eq!((open.as_of, open.span, open.confirming), (time(99, 0), None, false));
    let nothing_posted = |reading: &mut Reading| {
        declared(from, to)(reading);
        reading.posts.clear();
    };
    check_low(nothing_posted, Some(time(80, 0)));
    assert!(!seen(nothing_posted).empty, "none in a period is not none ever");
}

#[test]
fn items_known_or_older_than_the_last_look_are_not_new() {
    let names = ["r0", "r1"].map(str::to_owned).into_iter().collect();
    let known = Known { names, observed_to: Some(time(96, 12)), ..Known::default() };
    let Outcome::Observed(observation) = compose(&reading(), &known, &Policy::default()).outcome
    else {
        panic!()
    };
    assert_eq!(observation.new_items, 1, "r2 of day 97; r3 and r4 were only deeper");
}

#[test]
fn a_post_is_late_when_an_earlier_list_should_have_shown_it() {
    let spans =
        [(80, 90), (85, 95)].map(|(low, high)| Span { low: time(low, 0), high: time(high, 0) });
    let second = |day, hour| Some(Moment::second(time(day, hour)));
    let day = |day| Some(Moment { at: time(day, 0), precision: Precision::Day });
    for (claimed, seen_on, expected) in [
        (second(88, 0), 99, Some(95)),
        (second(84, 0), 99, Some(90)),
        (second(88, 0), 95, Some(90)),
        (second(80, 0), 99, None),
        (second(95, 0), 99, Some(95)),
        (second(95, 1), 99, None),
        (day(94), 99, Some(95)),
        (day(95), 99, None),
        (day(80), 99, None),
        (None, 99, None),
    ] {
        let missed = late(&spans, claimed, time(seen_on, 0));
        assert_eq!(missed, expected.map(|day| time(day, 0)), "{claimed:?} seen on {seen_on}");
    }
}

#[test]
fn a_list_that_has_not_changed_covers_the_time_since_and_never_confirms() {
    let unchanged = |reading: &mut Reading| {
        let Provenance::Crawl(answer) = &mut reading.provenance else { return };
        answer.not_modified = true;
        answer.conditional = true;
        answer.same_since = Some(time(99, 0));
        reading.posts.clear();
    };
    let seen_again = seen(unchanged);
    assert_eq!(seen_again.span, Some(Span { low: time(99, 0), high: time(100, 0) }));
    assert!(!seen_again.confirming && !seen_again.exhausted && !seen_again.empty);
    assert_eq!(composed(unchanged).posts_as_of, None);
    let unordered = seen(|reading| {
        unchanged(reading);
        reading.rules.newest_first = false;
    });
    assert_eq!(unordered.span, None);
}
