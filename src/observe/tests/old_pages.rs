//! Old pages shown as new, and sources that move their times, told by what was seen before and after.

use super::*;
use crate::observe::{Bracket, MarkKind, PostMark, Presence, presences};
use Activity::{Dormant, Undetermined, Watch, Zombie};

fn noon() -> DateTime<Utc> {
    time(200, 12)
}

/// A post of day 100 and one of day 185; lists on these days, each with the day of its newest item.
fn lists(lists: &[(i64, i64)]) -> Case {
    lists.iter().fold(Case::new().posted(100, 8).posted(185, 8), |case, (day, newest)| {
        case.listed([*day]).newest_seen(|seen| {
            seen.bracket = Some(Bracket { older: time(50, 0), newer: time(*newest, 8) });
        })
    })
}

#[test]
fn a_list_without_a_post_known_before_and_after_confirms_nothing() {
    check_live("twice", &lists(&[(199, 185), (200, 185)]), noon(), Dormant);
    let unconfirmed = Undetermined(Reason::Unconfirmed);
    check_live("old on day 199", &lists(&[(199, 100), (200, 185)]), noon(), unconfirmed);
    check_live("again", &lists(&[(198, 185), (199, 100), (200, 185)]), noon(), Dormant);
    let two_days = lists(&[(198, 100), (199, 100), (200, 185)]);
    check_live("old on two days", &two_days, noon(), unconfirmed);
}

#[test]
fn a_list_that_lacks_the_newest_post_confirms_nothing_until_another_day_says_the_same() {
    let unconfirmed = Undetermined(Reason::Unconfirmed);
    // Whether the post was deleted or the page is old cannot be told yet.
    check_live("once", &lists(&[(199, 185), (200, 100)]), noon(), unconfirmed);
    check_live("twice", &lists(&[(198, 185), (199, 100), (200, 100)]), noon(), Dormant);
    let twice_a_day = lists(&[(199, 185), (200, 100)]).listed([200]).newest_seen(|seen| {
        seen.bracket = Some(Bracket { older: time(50, 0), newer: time(100, 8) });
    });
    check_live("twice on one day", &twice_a_day, noon(), unconfirmed);
    let apart = lists(&[(190, 185), (196, 100), (200, 100)]);
    check_live("days apart", &apart, noon(), unconfirmed);
    let between = lists(&[(197, 185), (198, 100), (199, 185), (200, 100)]);
    check_live("with another between", &between, noon(), Dormant);
    let nobody_vouches = |case: Case| case.with(|history| history.has_canary = false);
    let two = nobody_vouches(lists(&[(197, 185), (198, 185), (199, 100), (200, 100)]));
    check_live("twice without a canary", &two, noon(), unconfirmed);
    let three = nobody_vouches(lists(&[(197, 185), (198, 100), (199, 100), (200, 100)]));
    check_live("three times without a canary", &three, noon(), Dormant);
    // A date in the future is no newest item.
    check_live("after next year", &lists(&[(198, 600), (199, 185), (200, 185)]), noon(), Dormant);
}

#[test]
fn a_post_between_an_old_page_and_the_next_look_is_not_silence() {
    // Published after the list of day 199, and shown by nobody before day 202.
    let old_page = lists(&[(199, 185), (200, 100), (201, 185)]).with(|history| {
        history.posts.push(post(Some(Moment::second(time(199, 20))), time(201, 10)));
    });
    check_at("by what is known later", &old_page, time(200, 8), Activity::Active);
    let missed = old_page.clone().with(|history| {
        history.posts[2].missed_by = Some(time(200, 10));
    });
    // The old page may have been none: then the post appeared late, and saves nobody.
    check_at("missed by it", &missed, time(200, 8), Undetermined(Reason::TimeAmbiguous));
    let told = judge(&old_page.0, &Policy::default(), time(200, 12), time(200, 12));
    assert_eq!(told.activity, Undetermined(Reason::Unconfirmed), "{:?}", told.explanation);
}

#[test]
fn a_list_before_a_post_that_was_then_seen_for_the_first_time_is_not_old() {
    let moved = lists(&[(186, 100), (187, 185)]).with(|history| {
        history.posts[1].first_seen = time(187, 10);
    });
    check_at("seen on day 187", &moved.listed([199, 200]), time(185, 0), Dormant);
    let known = lists(&[(186, 100), (187, 185)]).listed([199, 200]);
    check_at("seen on day 185", &known, time(198, 0), Watch);
}

#[test]
fn a_counter_that_falls_beside_an_old_list_hides_nothing() {
    let profiles = |case: Case, counts: &[(i64, u64)]| {
        counts.iter().fold(case, |case, &(day, count)| {
            let seen = observation(time(day, 9), time(0, 0));
            let case = case.visited(day, 9, Outcome::Observed(seen)).newest_seen(|seen| {
                (seen.span, seen.confirming, seen.posts_total) = (None, false, exact(count));
            });
            case.newest(|visit| visit.page = "profile".into())
        })
    };
    let dip = [(198, 9), (199, 8), (200, 9)];
    let old = profiles(lists(&[(198, 185), (199, 100), (200, 185)]), &dip);
    check_live("beside an old list", &old, noon(), Dormant);
    let hidden = Undetermined(Reason::HiddenPost);
    let whole = profiles(lists(&[(198, 185), (199, 185), (200, 185)]), &dip);
    check_live("beside a whole list", &whole, noon(), hidden);
    // Five were deleted on the day of the old page, and four came afterwards that no list shows.
    let fell = profiles(
        lists(&[(198, 185), (199, 100), (200, 185), (201, 185)]),
        &[(198, 9), (199, 4), (200, 4), (201, 8)],
    );
    check_live("deleted, and hidden afterwards", &fell, time(201, 12), hidden);
}

#[test]
fn a_counter_of_an_old_page_fetched_afterwards_hides_nothing_and_covers_nothing_up() {
    // The list of day 199 shows a post for the first time that an older page, fetched on day 200,
    // may show as well. The counters of days 180 and 199, and of that page and its day.
    let counted = |(first, last): (u64, u64), (day, old): (i64, u64)| {
        let case = Case::new().posted(1, 1).listed([150]);
        let case = case.newest_seen(|seen| seen.posts_total = exact(first)).listed([198, 199]);
        let case = case.newest_seen(|seen| {
            (seen.posts_total, seen.new_items) = (exact(last), 1);
        });
        let case = case.with(|history| {
            history.posts.push(post(Some(Moment::second(time(160, 8))), time(199, 10)));
        });
        let page = observation(time(day, 10), time(-100, 0));
        let case = case.visited(day, 10, Outcome::Observed(page));
        case.newest_seen(|seen| seen.posts_total = exact(old)).newest(|visit| {
            (visit.started_at, visit.recorded_at) = (time(200, 9), time(200, 9));
        })
    };
    let hidden = Undetermined(Reason::HiddenPost);
    check_live("the listed one", &counted((3, 4), (190, 4)), noon(), Dormant);
    check_live("one more by the day of the page", &counted((3, 5), (190, 5)), noon(), hidden);
    check_live("one more after it", &counted((3, 5), (180, 4)), noon(), hidden);
}

/// The source wrote its times eight hours early when it listed the post of day 185 first.
fn moved_later() -> Case {
    let first_seen = |history: &mut History| history.posts[1].first_seen = time(186, 10);
    let lists = lists(&[(199, 185), (200, 185)]).with(first_seen);
    lists.newest_seen(|seen| seen.claims_shift_seconds = 8 * 3600)
}

#[test]
fn a_post_counts_by_whichever_time_its_source_gave_it() {
    let at = |hours| time(185, 8) + Duration::days(14) + Duration::hours(hours);
    let known = |cutoff| judge_at(&moved_later().0, &preview(), cutoff, noon()).activity;
    assert_eq!(known(at(4)), Watch, "the dormant limit may not be reached");
    assert_eq!(known(at(8)), Watch);
    assert_eq!(known(at(9)), Dormant);
}

fn preview() -> Policy {
    Policy { visibility_lag_hours: 0, ..Policy::default() }
}

#[test]
fn a_post_whose_source_moved_its_times_is_not_proven_deleted() {
    let absent = |day: i64, case: &Case| PostMark {
        reference: case.0.posts[1].reference.to_string(),
        page: "timeline".to_owned(),
        started_at: time(day, 10),
        at: time(day, 10),
        kind: MarkKind::Absent,
        last_seen: time(198, 10),
        recorded_at: time(day, 10),
    };
    let told = |case: &Case| {
        let marks = [absent(199, case), absent(200, case)];
        presences(&case.0, &marks, time(300, 0)).pop().map(|told| told.presence)
    };
    let lists = lists(&[(198, 185), (199, 185), (200, 185)]);
    assert!(matches!(told(&lists), Some(Presence::Deleted(_))));
    let moved = lists.with(|history| {
        let Outcome::Observed(seen) = &mut history.visits[0].outcome else { panic!() };
        seen.claims_shift_seconds = -8 * 3600;
    });
    assert_eq!(told(&moved), None);
}

/// A post of day 100, then only what `shown` adds, then lists of days 199 and 200 back to day 196.
fn walled(shown: impl Fn(Case) -> Case) -> Case {
    let case = shown(Case::new().posted(100, 8)).listed([199]).newest_seen(since_day_196);
    case.listed([200]).newest_seen(since_day_196)
}

fn since_day_196(seen: &mut Observation) {
    seen.span = seen.span.map(|span| Span { low: time(196, 0), ..span });
}

#[test]
fn what_one_day_alone_has_shown_is_confirmed_by_no_later_look() {
    let cutoff = time(199, 0);
    let check = |name, case: &Case, expected| {
        let judged = judge_at(&case.0, &preview(), cutoff, noon());
        assert_eq!(judged.activity, expected, "{name}: {:#?}", judged.explanation);
    };
    check("not shown", &walled(|case| case), Undetermined(Reason::NotCovered));
    check("on one day", &walled(|case| case.listed([197])), Undetermined(Reason::Unconfirmed));
    check("on two", &walled(|case| case.listed([196, 197])), Zombie);
    let twice_a_day = walled(|case| {
        let seen = observation(time(197, 20), time(-100, 0));
        case.listed([197]).visited(197, 20, Outcome::Observed(seen)).looked(197, 21, true)
    });
    check("twice on one day", &twice_a_day, Undetermined(Reason::Unconfirmed));
    let attested = walled(|case| case.listed([197]).newest(|visit| visit.source = Source::Person));
    check("by a person's check", &attested, Zombie);
}

#[test]
fn lists_in_order_among_many_out_of_order_tell_nothing_of_what_they_leave_out() {
    let out_of_order = |items: u32| {
        (185..=195).fold(Case::new().posted(100, 8), |case, day| {
            case.failed(day, Reason::Drifted).newest(|visit| visit.items = items)
        })
    };
    let drifted = Undetermined(Reason::Drifted);
    check_live("popular first", &out_of_order(9).listed(197..=200), noon(), drifted);
    check_live("not read at all", &out_of_order(0).listed(197..=200), noon(), Zombie);
    let mended = out_of_order(9).listed(197..=200).with(|history| {
        history.visits.iter_mut().take(11).for_each(|visit| visit.adapter = "b".into());
    });
    check_live("by an older platform file", &mended, noon(), Zombie);
    check_live("a month ago", &out_of_order(9).listed(226..=229), time(229, 12), drifted);
    check_live("long ago", &out_of_order(9).listed(242..=245), time(245, 12), Zombie);
    // What stands as it stood shows its order once, however often it is looked at.
    let in_order = |newest: fn(i64) -> i64| {
        (201..=230).fold(out_of_order(9), |case, day| {
            case.listed([day]).newest_seen(|seen| {
                seen.bracket = Some(Bracket { older: time(50, 0), newer: time(newest(day), 8) });
            })
        })
    };
    check_live("unchanged", &in_order(|_| 100), time(230, 12), drifted);
    check_live("to and fro", &in_order(|day| 100 + day % 2), time(230, 12), drifted);
    check_live("in motion", &in_order(|day| day - 101), time(230, 12), Zombie);
    // Weeks in order say nothing of a page that shows what is popular since.
    let moving = (155..=184).fold(Case::new().posted(100, 8), |case, day| {
        case.listed([day]).newest_seen(|seen| {
            seen.bracket = Some(Bracket { older: time(50, 0), newer: time(day - 60, 8) });
        })
    });
    let turned = (185..=196).fold(moving, |case, day| {
        case.failed(day, Reason::Drifted).newest(|visit| visit.items = 9)
    });
    check_live("popular since", &turned.listed([199, 200]), noon(), drifted);
    // One day of trouble does not silence what a dead account's list says.
    let stirred = Case::new().posted(100, 8).listed(190..=196).failed(197, Reason::Drifted);
    let stirred = stirred.newest(|visit| visit.items = 9).listed(198..=200);
    check_live("one day", &stirred, noon(), Zombie);
}
