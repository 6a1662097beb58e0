//! Posts that appear late, disappear, or are dated wrongly.

use super::*;
use crate::domain::{IdTime, Precision, Word};
use crate::observe::{
    Bracket, DateRules, DeletionProof, Doubt, LatePost, MarkKind, PostMark, Presence, SetAside,
    claims_shift_seconds, is_redated, late_posts, presences,
};

/// A portal watched at 10 o'clock of days 101 to 105. A post of the last list claims noon of day
/// 100; each list shows items from fifteen days before to its own midnight.
fn portal() -> Case {
    (101..=105).fold(Case::new(), shown).with(|history| {
        let claimed = Some(Moment::second(time(100, 12)));
        let mut late = post(claimed, time(105, 10));
        late.reference = "late".into();
        late.missed_by = Some(time(104, 10));
        history.posts.insert(0, late);
    })
}

fn shown(case: Case, day: i64) -> Case {
    let newest = |history: &mut History| {
        history.posts.push(post(Some(Moment::second(time(day, 0))), time(day, 10)));
    };
    case.with(newest).listed([day]).newest_seen(|seen| {
        let low = time(day - 15, 0);
        seen.span = Some(Span { low, high: seen.as_of });
        seen.bracket = Some(Bracket { older: low, newer: time(day, 0) });
    })
}

fn of_author(page: &str) -> Option<DateRules> {
    let rules = DateRules { author_time: true, visibility_lag: Duration::hours(24) };
    (page == "timeline").then_some(rules)
}

fn told(case: &Case, rules: Option<DateRules>, id: impl Fn(&str) -> IdTime) -> Vec<LatePost> {
    let by_page = |page: &str| of_author(page).and(rules);
    late_posts(&case.0, by_page, |post| id(&post.reference), time(10_000, 0))
}

fn late_post(case: &Case) -> LatePost {
    let mut told = told(case, of_author("timeline"), |_| IdTime::Untold);
    assert_eq!(told.len(), 1, "{told:#?}");
    told.remove(0)
}

#[track_caller]
fn check_doubts(case: &Case, expected: &[Doubt]) {
    let late = late_post(case);
    assert_eq!(late.doubts, expected, "{late:#?}");
    assert_eq!(late.is_candidate(), expected.is_empty());
}

fn seen_on(day: i64, change: impl FnOnce(&mut Observation)) -> impl FnOnce(&mut History) {
    move |history| {
        let visit = history.visits.iter_mut().find(|one| one.started_at == time(day, 10)).unwrap();
        let Outcome::Observed(seen) = &mut visit.outcome else { panic!() };
        change(seen);
    }
}

fn visits_before_the_last(change: impl Fn(&mut Visit)) -> impl FnOnce(&mut History) {
    move |history| {
        let before = history.visits.iter_mut().filter(|one| one.started_at < time(105, 0));
        before.for_each(change);
    }
}

#[test]
fn a_date_that_four_full_observations_contradict_is_a_candidate_with_its_evidence() {
    let late = late_post(&portal());
    assert!(late.is_candidate(), "{late:#?}");
    let missed: Vec<_> = late.missed_by.iter().map(|sight| sight.as_of).collect();
    assert_eq!(missed, [101, 102, 103, 104].map(|day| time(day, 10)));
    assert_eq!(late.listed_by.unwrap().started_at, time(105, 10));
    assert_eq!(late.late_by, time(105, 10) - time(100, 12));
    assert!(late.missed_by.iter().all(|sight| sight.page == "timeline"));
    assert_eq!(late.set_aside, []);
}

#[test]
fn what_the_platform_stamps_is_never_backdated() {
    let stamped = DateRules { author_time: false, visibility_lag: Duration::hours(24) };
    for rules in [Some(stamped), None] {
        let told = told(&portal(), rules, |_| IdTime::Untold);
        assert_eq!(told[0].doubts, [Doubt::NotTheAuthorsTime]);
    }
}

#[test]
fn what_the_visibility_lag_explains_is_no_backdating() {
    let claims = |at: DateTime<Utc>| {
        portal().with(|history| history.posts[0].claimed = Some(Moment::second(at)))
    };
    let edge = time(104, 10);
    // Day 104 at 10 o'clock is between no two items of that day's list.
    let case = claims(edge);
    let few = Doubt::TooFewDays(0);
    check_doubts(&case, &[Doubt::WithinLag, few.clone()]);
    let wide = |history: &mut History| {
        for day in [103, 104] {
            seen_on(day, |seen| seen.bracket.as_mut().unwrap().newer = time(200, 0))(history);
        }
        history.posts[0].missed_by = Some(time(104, 10));
    };
    check_doubts(&case.with(wide), &[Doubt::WithinLag, Doubt::TooFewDays(1)]);
    let earlier = claims(edge - Duration::seconds(1)).with(wide);
    check_doubts(&earlier, &[Doubt::TooFewDays(1)]);
    // A date alone reaches to the end of its day.
    let dated = |day| {
        portal().with(move |history| {
            let claimed = Moment { at: time(day, 0), precision: Precision::Day };
            history.posts[0].claimed = Some(claimed);
            history.posts[0].missed_by = Some(time(104, 10));
        })
    };
    check_doubts(&dated(102), &[]);
    check_doubts(&dated(103), &[Doubt::TooFewDays(1)]);
}

#[test]
fn an_old_page_fetched_after_the_post_was_listed_may_list_it_and_misses_nothing() {
    // Days 103 and 104 are known from caches only, asked on days 106 and 107.
    let afterwards = |history: &mut History| {
        for day in [103, 104] {
            let visit = history.visits.iter_mut().find(|one| one.started_at == time(day, 10));
            let visit = visit.unwrap();
            (visit.started_at, visit.recorded_at) = (time(day + 3, 10), time(day + 3, 10));
        }
        history.posts[0].missed_by = Some(time(102, 10));
    };
    let case = portal().with(afterwards);
    let missed: Vec<_> = late_post(&case).missed_by.iter().map(|sight| sight.as_of).collect();
    assert_eq!(missed, [time(101, 10), time(102, 10)]);
    let once = case.with(|history| history.visits.retain(|one| one.started_at != time(102, 10)));
    check_doubts(&once, &[Doubt::TooFewDays(1)]);
}

#[test]
fn two_days_of_full_observations_are_needed() {
    let without = |days: &[i64]| {
        let days: Vec<_> = days.iter().map(|day| time(*day, 10)).collect();
        portal().with(move |history| history.visits.retain(|one| !days.contains(&one.started_at)))
    };
    check_doubts(&without(&[102, 103]), &[]);
    check_doubts(&without(&[102, 103, 104]), &[Doubt::TooFewDays(1)]);
    let twice = without(&[101, 102, 103]).visited(
        104,
        12,
        Outcome::Observed(observation(time(104, 12), time(80, 0))),
    );
    let twice = twice.newest_seen(|seen| {
        seen.bracket = Some(Bracket { older: time(80, 0), newer: time(104, 0) });
    });
    check_doubts(&twice, &[Doubt::TooFewDays(1), Doubt::NobodyLookedThen]);
}

#[test]
fn observations_that_do_not_count_are_set_aside_with_their_reason() {
    let check = |case: Case, why: SetAside| {
        let late = late_post(&case);
        assert_eq!(late.doubts, [Doubt::TooFewDays(0)], "{why:?}: {late:#?}");
        assert!(!late.set_aside.is_empty());
        assert!(late.set_aside.iter().all(|(_, found)| *found == why), "{why:?}: {late:#?}");
    };
    let bracket = |change: fn(&mut Option<Bracket>)| {
        portal().with(visits_before_the_last(move |visit| {
            let Outcome::Observed(seen) = &mut visit.outcome else { panic!() };
            change(&mut seen.bracket);
        }))
    };
    check(bracket(|bracket| *bracket = None), SetAside::Unbracketed);
    check(
        bracket(|bracket| bracket.as_mut().unwrap().newer = time(100, 12)),
        SetAside::Unbracketed,
    );
    check(
        bracket(|bracket| bracket.as_mut().unwrap().older = time(100, 12)),
        SetAside::Unbracketed,
    );
    let changed = |change: fn(&mut Visit)| portal().with(visits_before_the_last(change));
    check(changed(|visit| visit.source = Source::Person), SetAside::OtherViewer);
    check(changed(|visit| visit.page = "column".into()), SetAside::OtherViewer);
    // The looks are of adapter "a": nothing stands behind another one.
    let by_another = changed(|visit| visit.adapter = "b".into());
    check(by_another, SetAside::OtherAdapter);
    let unsettled = portal().with(|history| {
        history.canaries.retain(|look| look.at > time(105, 0));
        history.canaries.insert(0, look(time(104, 20), false));
        history.visits.push(visit(time(104, 22), Outcome::Failed(Reason::Blocked)));
    });
    // Voided by the failed look: not even late any more, by what is known.
    assert_eq!(told(&unsettled, of_author("timeline"), |_| IdTime::Untold), []);
    let waiting = portal().with(|history| history.canaries.clear());
    let late = late_post(&waiting);
    assert_eq!(late.doubts, [Doubt::FirstListing, Doubt::TooFewDays(0)]);
    assert!(late.set_aside.iter().all(|(_, why)| *why == SetAside::Unsettled));
}

#[test]
fn an_observation_that_a_canary_voids_makes_nothing_late() {
    let one_missed = portal().with(|history| {
        history.visits.retain(|one| one.started_at >= time(104, 0));
        history.canaries.retain(|look| look.at > time(104, 12));
    });
    let doubts = [Doubt::TooFewDays(1), Doubt::NobodyLookedThen];
    assert_eq!(late_post(&one_missed).doubts, doubts);
    let voided = one_missed.clone().looked(104, 12, false);
    assert_eq!(told(&voided, of_author("timeline"), |_| IdTime::Untold), []);
    // As it was known before the look was written down.
    let before = voided.with(|history| {
        history.canaries.last_mut().unwrap().recorded_at = time(300, 0);
    });
    let known = |at| late_posts(&before.0, of_author, |_| IdTime::Untold, at).len();
    assert_eq!((known(time(200, 0)), known(time(300, 0))), (1, 0));
    // What lies before the stretch that the history tells stands as it was written.
    let untold = one_missed.with(|history| {
        history.visits.retain(|one| one.started_at >= time(105, 0));
    });
    assert_eq!(late_post(&untold).doubts, [Doubt::TooFewDays(0)]);
}

#[test]
fn what_lists_it_first_must_be_a_full_observation() {
    let drifted = portal().newest(|visit| visit.outcome = Outcome::Failed(Reason::Drifted));
    check_doubts(&drifted, &[Doubt::FirstListing]);
    let late = late_post(&drifted);
    assert_eq!(late.listed_by, None);
}

#[test]
fn a_text_that_was_seen_before_has_come_back() {
    let with_text = |other: Option<&str>, seen: i64| {
        let other = other.map(Word::from);
        portal().posted(90, 8).with(move |history| {
            history.posts[0].text_digest = Some("sha256:1".into());
            let before = history.posts.last_mut().unwrap();
            (before.reference, before.text_digest) = ("before".into(), other);
            before.first_seen = time(seen, 10);
        })
    };
    let seen_before = Doubt::TextSeenBefore("before".to_owned());
    check_doubts(&with_text(Some("sha256:1"), 95), &[seen_before]);
    check_doubts(&with_text(Some("sha256:2"), 95), &[]);
    check_doubts(&with_text(None, 95), &[]);
    check_doubts(&with_text(Some("sha256:1"), 105), &[]);
}

#[test]
fn an_id_given_out_by_the_time_it_claims_supports_the_claim() {
    let doubts = |id: &dyn Fn(&str) -> IdTime, case: &Case| {
        told(case, of_author("timeline"), id).remove(0).doubts
    };
    let claimed = time(100, 12);
    for (at, supports) in [
        (claimed - Duration::days(9), true),
        (claimed, true),
        (claimed + Duration::hours(24), true),
        (claimed + Duration::hours(24) + Duration::seconds(1), false),
    ] {
        let expected: &[Doubt] = if supports { &[Doubt::IdSupportsClaim] } else { &[] };
        assert_eq!(doubts(&|_| IdTime::At(at), &portal()), expected, "{at}");
    }
    // "p" with place 7 was seen on a day; "late" has place 5 or 9.
    let beside = |day: i64| {
        portal().posted(day, 8).with(|history| {
            history.posts.last_mut().unwrap().reference = "p".into();
        })
    };
    let place = |late: u64| {
        move |name: &str| match name {
            "late" => IdTime::Place(late),
            "p" => IdTime::Place(7),
            _ => IdTime::Untold,
        }
    };
    assert_eq!(doubts(&place(5), &beside(101)), [Doubt::IdSupportsClaim]);
    assert_eq!(doubts(&place(9), &beside(101)), []);
    assert_eq!(doubts(&place(5), &beside(102)), [], "seen after the first that missed it");
}

#[test]
fn a_date_before_a_gap_in_the_watch_is_not_proven_wrong() {
    let seen_late = |day: i64| {
        (day..=104).fold(Case::new(), shown).listed([105]).with(|history| {
            let late = portal().0.posts.remove(0);
            history.posts.insert(0, late);
        })
    };
    let gap = Duration::days(2);
    assert_eq!(time(102, 12) - time(100, 12), gap);
    check_doubts(&seen_late(102), &[]);
    check_doubts(&seen_late(103), &[Doubt::NobodyLookedThen]);
}

#[test]
fn a_source_that_shifts_its_times_proves_no_date_wrong() {
    for (day, expected) in [
        (100, &[][..]),
        (101, &[Doubt::OffsetShifted][..]),
        (104, &[Doubt::OffsetShifted][..]),
        (105, &[Doubt::OffsetShifted][..]),
    ] {
        let case = shown(portal(), 100).with(seen_on(day, |seen| {
            seen.claims_shift_seconds = -8 * 3600;
        }));
        let case = case.with(|history| history.visits.sort_by_key(|one| one.started_at));
        check_doubts(&case, expected);
    }
}

#[test]
fn an_offset_shifts_where_most_items_move_by_quarters_of_an_hour() {
    let minute =
        |minutes: i64, precision| Moment { at: time(0, 0) + Duration::minutes(minutes), precision };
    let check = |moves: &[i64], precision, expected: i32| {
        let pairs = (0..).zip(moves).map(|(index, moved): (i64, &i64)| {
            (minute(index * 60, precision), minute(index * 60 + moved, precision))
        });
        assert_eq!(claims_shift_seconds(pairs), expected * 60, "{moves:?}");
    };
    check(&[], Precision::Second, 0);
    check(&[480, 480, 480], Precision::Second, 480);
    check(&[-480, -480, 0], Precision::Minute, -480);
    check(&[480, 480, 0, 0], Precision::Second, 0);
    check(&[480, 0, 0], Precision::Second, 0);
    check(&[7, 7, 7], Precision::Second, 0);
    check(&[480, 480, 480], Precision::Hour, 0);
    check(&[1440, 1440], Precision::Day, 0);
}

fn mark(day: i64, kind: MarkKind) -> PostMark {
    PostMark {
        reference: "gone".to_owned(),
        page: "timeline".to_owned(),
        started_at: time(day, 10),
        at: time(day, 10),
        kind,
        last_seen: time(100, 10),
        recorded_at: time(day, 10),
    }
}

#[track_caller]
fn check_presence(case: &Case, marks: &[PostMark], known: i64, expected: Option<&str>) {
    let told = presences(&case.0, marks, time(known, 0));
    let words = told.iter().map(|one| match &one.presence {
        Presence::Listed => "listed",
        Presence::NotListed => "not_listed",
        Presence::Deleted(DeletionProof::Absent(_)) => "absent",
        Presence::Deleted(DeletionProof::Gone(_)) => "gone",
    });
    assert_eq!(words.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{told:#?}");
}

#[test]
fn two_absences_or_its_own_address_prove_a_deletion() {
    use MarkKind::{Absent, Gone, Listed};
    let case = portal();
    let marks = |marks: &[(i64, MarkKind)]| {
        marks.iter().map(|(day, kind)| mark(*day, *kind)).collect::<Vec<_>>()
    };
    check_presence(&case, &[], 200, None);
    check_presence(&case, &marks(&[(101, Absent)]), 200, Some("not_listed"));
    let twice = marks(&[(102, Absent), (101, Absent), (104, Absent)]);
    check_presence(&case, &twice, 200, Some("absent"));
    check_presence(&case, &twice, 102, Some("not_listed"));
    check_presence(&case, &twice, 101, None);
    let told = presences(&case.0, &twice, time(200, 0)).remove(0);
    assert_eq!(told.last_seen, time(100, 10));
    assert_eq!(told.first_missing, Some(time(101, 10)));
    let Presence::Deleted(DeletionProof::Absent(sights)) = told.presence else { panic!() };
    assert_eq!(
        sights.iter().map(|one| one.as_of).collect::<Vec<_>>(),
        [time(101, 10), time(102, 10)]
    );
    let back = marks(&[(101, Absent), (102, Absent), (103, Listed)]);
    check_presence(&case, &back, 200, Some("listed"));
    check_presence(&case, &back, 103, Some("absent"));
    let again = marks(&[(101, Absent), (102, Listed), (103, Absent)]);
    check_presence(&case, &again, 200, Some("not_listed"));
    check_presence(&case, &marks(&[(150, Gone)]), 200, Some("not_listed"));
    check_presence(&case, &marks(&[(150, Gone), (151, Gone)]), 200, Some("gone"));
    check_presence(&case, &marks(&[(150, Gone), (151, Gone)]), 151, Some("not_listed"));
    check_presence(&case, &marks(&[(101, Absent), (102, Gone)]), 200, Some("gone"));
    check_presence(&case, &marks(&[(101, Gone), (102, Listed)]), 200, Some("listed"));
}

#[test]
fn a_post_that_its_own_address_shows_is_not_deleted() {
    use MarkKind::{Absent, Gone, Open};
    let case = portal();
    let marks = |marks: &[(i64, MarkKind)]| {
        marks.iter().map(|(day, kind)| mark(*day, *kind)).collect::<Vec<_>>()
    };
    let open = marks(&[(101, Absent), (102, Open), (103, Absent), (104, Absent)]);
    check_presence(&case, &open, 200, Some("not_listed"));
    let told = presences(&case.0, &open, time(200, 0)).remove(0);
    assert_eq!((told.last_seen, told.first_missing), (time(102, 10), None));
    // Before its address was asked, two lists were all that was known.
    let late = marks(&[(101, Absent), (102, Absent), (103, Open)]);
    check_presence(&case, &late, 103, Some("absent"));
    check_presence(&case, &late, 200, Some("not_listed"));
    let deleted = [(101, Absent), (102, Open), (103, Absent), (110, Gone), (111, Gone)];
    check_presence(&case, &marks(&deleted), 200, Some("gone"));
    let told = presences(&case.0, &marks(&deleted), time(200, 0)).remove(0);
    assert_eq!((told.last_seen, told.first_missing), (time(102, 10), Some(time(110, 10))));
    check_presence(&case, &marks(&deleted[..4]), 200, Some("not_listed"));
    let back = [&deleted[..], &[(118, Open)]].concat();
    check_presence(&case, &marks(&back), 200, Some("not_listed"));
}

#[test]
fn a_claim_that_was_read_from_an_old_page_misses_nothing() {
    let marks: Vec<_> = [104, 105].map(|day| mark(day, MarkKind::Absent)).into();
    let listed_on = |day: i64| {
        portal().with(move |history| {
            let post = history.posts.last_mut().unwrap();
            (post.reference, post.recorded_at) = ("gone".into(), time(day, 10));
            post.missed_by = None;
        })
    };
    check_presence(&listed_on(102), &marks, 200, Some("absent"));
    let void = listed_on(102).with(|history| {
        history.canaries.retain(|look| look.at != time(102, 11));
        history.canaries.push(look(time(102, 11), false));
    });
    check_presence(&void, &marks, 200, None);
    let shifted = listed_on(102).with(seen_on(102, |seen| seen.claims_shift_seconds = 3600));
    check_presence(&shifted, &marks, 200, None);
    check_presence(&listed_on(50), &marks, 200, Some("absent"));
}

#[test]
fn a_coarse_time_that_was_read_once_misses_nothing() {
    let marks: Vec<_> = [104, 105].map(|day| mark(day, MarkKind::Absent)).into();
    let listed_first = |at: DateTime<Utc>, precision| {
        portal().with(move |history| {
            let post = history.posts.last_mut().unwrap();
            (post.reference, post.first_seen) = ("gone".into(), at);
            post.claimed = Some(Moment { at: at - Duration::hours(3), precision });
            (post.recorded_at, post.missed_by) = (time(50, 10), None);
        })
    };
    // The marks say that it was last listed on day 100, at ten.
    let once = time(100, 10);
    check_presence(&listed_first(once, Precision::Hour), &marks, 200, None);
    check_presence(&listed_first(once, Precision::Day), &marks, 200, None);
    check_presence(&listed_first(once, Precision::Second), &marks, 200, Some("absent"));
    let twice = once - Duration::days(1);
    check_presence(&listed_first(twice, Precision::Hour), &marks, 200, Some("absent"));
    let redated = [&marks[..], &[mark(99, MarkKind::Redated)]].concat();
    check_presence(&listed_first(twice, Precision::Hour), &redated, 200, None);
    check_presence(&listed_first(once, Precision::Second), &redated[2..], 200, None);
    check_presence(&listed_first(twice, Precision::Hour), &redated, 99, None);
}

#[test]
fn a_time_that_cannot_be_the_one_claimed_first_is_another() {
    use Precision::{Day, Hour, Minute, Second};
    // Minutes of the two claims.
    let check = |first: (Precision, i64), now: (Precision, i64), expected| {
        let claim = |(precision, minute)| Moment {
            at: time(100, 0) + Duration::minutes(minute),
            precision,
        };
        assert_eq!(is_redated(claim(first), claim(now)), expected, "{first:?} {now:?}");
        assert_eq!(is_redated(claim(now), claim(first)), expected, "{now:?} {first:?}");
    };
    check((Second, 0), (Second, 0), false);
    check((Second, 0), (Second, 1), false);
    check((Second, 0), (Second, 2), true);
    check((Minute, 10), (Second, 10), false);
    check((Minute, 10), (Second, 11), false);
    check((Minute, 10), (Second, 12), true);
    check((Hour, 600), (Second, 600 + 119), false);
    check((Hour, 600), (Second, 600 + 120), true);
    check((Hour, 1500), (Day, 0), false);
    check((Hour, 1440 * 2), (Day, 0), true);
    check((Day, 1440), (Day, 0), false);
    check((Day, 1440 * 2), (Day, 0), true);
}

#[test]
fn absences_that_no_canary_stands_behind_prove_nothing() {
    let marks: Vec<_> = [101, 102].map(|day| mark(day, MarkKind::Absent)).into();
    let voided = portal().with(|history| {
        history.canaries.retain(|look| look.at > time(103, 0));
        history.canaries.push(look(time(102, 11), false));
    });
    check_presence(&voided, &marks, 200, None);
    let waiting = portal().with(|history| history.canaries.clear());
    check_presence(&waiting, &marks, 200, None);
    let untold = portal().with(|history| history.visits.clear());
    check_presence(&untold, &marks, 200, None);
    let shifted = portal().with(seen_on(101, |seen| seen.claims_shift_seconds = -3600));
    check_presence(&shifted, &marks, 200, Some("not_listed"));
    let cached = portal().with(seen_on(101, |seen| seen.confirming = false));
    check_presence(&cached, &marks, 200, Some("not_listed"));
}
