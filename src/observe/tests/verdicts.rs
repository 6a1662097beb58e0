use Activity::{Active, Dormant, Empty, Gone, Undetermined, Watch, Zombie};

use super::*;

/// Noon of day 200, on which the cases are judged unless they say otherwise.
fn noon() -> DateTime<Utc> {
    time(200, 12)
}

/// Lists on the last four days, the last post on `day` at 8 o'clock.
fn quiet_since(day: i64) -> Case {
    Case::new().posted(day, 8).listed(197..=200)
}

#[test]
fn ordinary_accounts_reach_a_verdict() {
    for (day, expected) in [
        (200, Active),
        (191, Active),
        (189, Watch),
        (187, Watch),
        (185, Dormant),
        (111, Dormant),
        // Day 200 is 18 December; three months before are 18 September, day 109. The list was read
        // at 10 o'clock, the post is of 8.
        (110, Dormant),
        (109, Zombie),
        (1, Zombie),
    ] {
        check_live(&format!("day {day}"), &quiet_since(day), noon(), expected);
    }
}

#[test]
fn the_last_post_is_the_newest_of_all_items() {
    let case = quiet_since(108).posted(195, 1).posted(50, 1);
    check_live("newest in the middle", &case, noon(), Active);
    let judgement = judge(&case.0, &Policy::default(), noon(), noon());
    assert_eq!(judgement.last_post_at, Some(time(195, 1)));
    assert_eq!(judgement.silence_deadline_at, Some(time(209, 1)));
    assert_eq!(judgement.next_crossing_at, Some(time(205, 1) + Duration::seconds(1)));
}

#[test]
fn limits_are_met_to_the_second_at_the_confirming_observation() {
    let edge = time(200, 10) - Duration::days(14);
    for (offset, expected) in [(1, Watch), (0, Watch), (-1, Dormant)] {
        let claimed = Moment::second(edge + Duration::seconds(offset));
        let case = Case::new()
            .listed(197..=200)
            .with(|history| history.posts.push(post(Some(claimed), claimed.at)));
        check_live(&format!("{offset} s from the edge"), &case, noon(), expected);
    }
}

#[test]
fn between_crossing_and_observation_the_state_is_unconfirmed() {
    // At 10 o'clock, when the list was read, the ten days were not over.
    check_live("crossed at 11", &quiet_since(190).posted(190, 11), noon(), {
        Undetermined(Reason::Unconfirmed)
    });
    check_live("confirmed on one day only", &Case::new().posted(1, 1).listed([200]), noon(), {
        Undetermined(Reason::Unconfirmed)
    });
    let twice_a_day = Case::new().posted(1, 1).listed([200]).visited(
        200,
        2,
        Outcome::Observed(observation(time(200, 2), time(-100, 0))),
    );
    check_live("two on one day", &twice_a_day, noon(), Undetermined(Reason::Unconfirmed));
    let too_early = Case::new().posted(1, 1).listed([196, 200]);
    check_live("four days apart", &too_early, noon(), Undetermined(Reason::Unconfirmed));
    let two_days_apart = Case::new().posted(1, 1).listed([198, 200]);
    check_live("two days apart", &two_days_apart, noon(), Zombie);
}

#[test]
fn days_are_days_of_shanghai() {
    // 23:30 and 00:30 in Shanghai: two days there, one in UTC.
    let over_midnight = |hour_a, hour_b| {
        let list = |hour| Outcome::Observed(observation(time(199, hour), time(-100, 0)));
        Case::new()
            .posted(1, 1)
            .visited(199, hour_a, list(hour_a))
            .visited(199, hour_b, list(hour_b))
            .looked(200, 9, true)
    };
    check_live("over midnight", &over_midnight(23, 25), noon(), Zombie);
    let same_day = over_midnight(3, 23);
    check_live("one day, two in UTC", &same_day, noon(), Undetermined(Reason::Unconfirmed));
}

#[test]
fn an_old_silence_is_no_silence() {
    let case = quiet_since(1);
    check_live("three days", &case, time(203, 10), Zombie);
    let later = time(203, 10) + Duration::seconds(1);
    check_live("a second more", &case, later, Undetermined(Reason::ObservationTooOld));
    let judgement = judge(&case.0, &Policy::default(), noon(), noon());
    assert_eq!(judgement.next_crossing_at, Some(later));
    assert_eq!(judgement.cutoff, time(200, 10));
}

#[test]
fn activity_needs_no_coverage_and_does_not_age() {
    let case = Case::new().posted(195, 8).visited(195, 9, Outcome::Failed(Reason::Drifted));
    check_live("read on a drifted list", &case, noon(), Active);
    check_live("to the second", &case, time(205, 8), Active);
    let later = time(205, 8) + Duration::seconds(1);
    check_live("a second more", &case, later, Undetermined(Reason::Drifted));
}

#[test]
fn a_failed_crawl_is_never_silence_and_names_its_cause() {
    check_live("nothing known", &Case::new(), noon(), Undetermined(Reason::NeverVisited));
    for reason in [
        Reason::Blocked,
        Reason::Limited,
        Reason::Unreachable,
        Reason::Drifted,
        Reason::Stale,
        Reason::Disallowed,
    ] {
        let never = Case::new().failed(200, reason);
        check_live("never read", &never, noon(), Undetermined(reason));
        let lately = Case::new().posted(1, 1).listed(100..=196).failed(198, reason);
        check_live("not read lately", &lately, noon(), Undetermined(reason));
        check_at("at the cutoff", &lately, time(198, 0), Undetermined(reason));
        check_live("read before", &quiet_since(1).failed(200, reason), noon(), Zombie);
    }
    let order = Case::new().failed(199, Reason::Blocked).failed(198, Reason::Stale);
    check_live("the newest failure", &order, noon(), Undetermined(Reason::Blocked));
    let recovered = Case::new().posted(1, 1).failed(199, Reason::Blocked).listed([200]);
    check_live("recovered", &recovered, noon(), Undetermined(Reason::Unconfirmed));
}

#[test]
fn gaps_are_unknown() {
    let low = |day| move |seen: &mut Observation| seen.span.as_mut().unwrap().low = time(day, 0);
    let short = |day| {
        let case = Case::new().posted(1, 1).listed([199]).newest_seen(low(day));
        case.listed([200]).newest_seen(low(day))
    };
    check_live("from day 195", &short(195), noon(), Undetermined(Reason::NotCovered));
    check_live("from day 189", &short(189), noon(), Watch);
    check_live("from day 180", &short(180), noon(), Dormant);
    let bridged = short(195).listed([195]);
    check_live("an older span joins", &bridged, noon(), Undetermined(Reason::Unconfirmed));
    check_live("on two days", &bridged.listed([196]), noon(), Zombie);
    let apart = short(195).listed([194]);
    check_live("or do not", &apart, noon(), Undetermined(Reason::NotCovered));
    let judgement = judge(&apart.0, &Policy::default(), noon(), noon());
    let open_hours = 14.0 + 2.0;
    assert!((judgement.coverage - (1.0 - open_hours / 336.0)).abs() < 1e-9);
    let unordered = Case::new().listed([199, 200]).newest_seen(|seen| seen.span = None);
    let unordered = unordered.with(|history| drop(history.visits.remove(0)));
    check_live("no span at all", &unordered, noon(), Undetermined(Reason::NotCovered));
}

#[test]
fn observations_wait_for_a_canary_and_a_failed_one_freezes() {
    let no_looks = quiet_since(1).with(|history| history.canaries.clear());
    check_live("no look yet", &no_looks, noon(), Undetermined(Reason::Provisional));
    let before = no_looks.clone().looked(200, 9, true);
    check_live("the last one waits", &before, noon(), Zombie);
    let judgement = judge(&before.0, &Policy::default(), noon(), noon());
    assert_eq!(judgement.cutoff, time(199, 10), "the newest observation is still provisional");
    let frozen = quiet_since(1).looked(200, 11, false);
    check_live("failed", &frozen, noon(), Undetermined(Reason::Frozen));
    let failed_later = quiet_since(1).looked(200, 12, false);
    check_live("failed after", &failed_later, noon(), Undetermined(Reason::Frozen));
    let thawed = failed_later.looked(200, 12, true).with(|history| {
        history.canaries.last_mut().unwrap().at += Duration::minutes(1);
    });
    check_live("healthy again", &thawed, noon() + Duration::hours(1), Zombie);
    let voided = Case::new().posted(1, 1).listed([199]);
    let voided = voided.visited(200, 8, Outcome::Observed(observation(time(200, 8), time(0, 0))));
    let voided = voided.looked(200, 9, false).looked(200, 10, true);
    check_live("void", &voided, noon(), Undetermined(Reason::Provisional));
    check_live("active all the same", &frozen.posted(199, 1), noon(), Active);
    let other_adapter = no_looks.looked(200, 11, true);
    let other_adapter = other_adapter.with(|history| history.canaries[0].adapter = "b".into());
    check_live("another adapter", &other_adapter, noon(), Undetermined(Reason::Provisional));
}

#[test]
fn without_a_canary_a_third_day_is_needed_and_shown() {
    let without = |days: &[i64]| {
        let case = Case::new().posted(1, 1).listed(days.iter().copied());
        case.with(|history| {
            history.has_canary = false;
            history.canaries.clear();
        })
    };
    let two = without(&[199, 200]);
    check_live("two days", &two, noon(), Undetermined(Reason::Unconfirmed));
    let three = without(&[198, 199, 200]);
    check_live("three days", &three, noon(), Zombie);
    assert!(judge(&three.0, &Policy::default(), noon(), noon()).no_canary);
    assert!(!judge(&quiet_since(1).0, &Policy::default(), noon(), noon()).no_canary);
}

#[test]
fn beside_canaries_of_other_page_kinds_a_third_day_is_needed_and_shown() {
    let of = |watched: &[&str], left: &[&str]| {
        let [watched, left] =
            [watched, left].map(|pages| pages.iter().map(|page| (*page).to_owned()).collect());
        Unwatched::Beside { watched, left }
    };
    let beside = |days: &[i64], looks: &[(i64, i64, bool)]| {
        let listed = Case::new().posted(1, 1).listed(days.iter().copied());
        let case = listed.with(|history| {
            history.canaries.clear();
            history.unwatched = [("timeline".to_owned(), of(&["profile"], &[]))].into();
        });
        looks.iter().fold(case, |case, (day, hour, healthy)| {
            let case = case.looked(*day, *hour, *healthy);
            case.with(|history| history.canaries.last_mut().unwrap().page = "profile".into())
        })
    };
    let days = [198, 199, 200];
    let live = |case: &Case| judge(&case.0, &Policy::default(), noon(), noon());
    let silent = beside(&days, &[(200, 11, true)]);
    check_live("three days", &silent, noon(), Zombie);
    assert!(live(&silent).no_canary);
    let two = beside(&days[1..], &[(200, 11, true)]);
    check_live("two days", &two, noon(), Undetermined(Reason::Unconfirmed));
    let waits = beside(&days, &[(199, 9, true)]);
    check_live("no look since", &waits, noon(), Undetermined(Reason::Provisional));
    let failed = beside(&days, &[(198, 11, true), (199, 11, false), (200, 11, true)]);
    check_live("another page kind failed", &failed, noon(), Undetermined(Reason::Unconfirmed));
    let frozen = beside(&days, &[(200, 11, true), (200, 12, false)]);
    check_live("and fails now", &frozen, noon(), Undetermined(Reason::Frozen));
    // Two others, of which one is looked at no more: the other speaks for both.
    let two_others = silent.clone().with(|history| {
        history.unwatched.insert("timeline".to_owned(), of(&["profile", "album"], &[]));
    });
    check_live("one of two others", &two_others, noon(), Zombie);
    // Nothing of its own host is looked at, but something of another.
    let apart = beside(&days, &[]).with(|history| {
        history.unwatched.insert("timeline".to_owned(), of(&[], &[]));
    });
    check_live("another host", &apart, noon(), Zombie);
    assert!(live(&apart).no_canary);
    // What failed on a page kind that is visited no more counts, and ends no verdict after that.
    let left = |looks: &[(i64, i64, bool)]| {
        beside(&days, looks).with(|history| {
            history.unwatched.insert("timeline".to_owned(), of(&[], &["profile"]));
        })
    };
    check_live("left", &left(&[(199, 9, true)]), noon(), Zombie);
    let failed = left(&[(198, 11, true), (199, 11, false)]);
    check_live("left, and failed", &failed, noon(), Undetermined(Reason::Unconfirmed));
    check_live("before all", &left(&[(197, 11, false)]), noon(), Zombie);
    // What was held against its own canaries before is as good as any.
    let held = beside(&days[1..], &[]).with(|history| {
        history.unwatched.insert("timeline".to_owned(), Unwatched::Held);
    });
    check_live("held", &held, noon(), Zombie);
    assert!(!live(&held).no_canary);
    // What has a canary of its own is enough without the third day and the mark, whenever the
    // other was looked at last.
    let both = silent.with(|history| {
        for day in [199, 200] {
            let mut own = history.visits.last().unwrap().clone();
            own.page = "videos".into();
            own.started_at = time(day, 7);
            own.recorded_at = time(day, 7);
            own.outcome = Outcome::Observed(observation(time(day, 7), time(-100, 0)));
            history.visits.push(own);
            let page = "videos".into();
            history.canaries.push(CanaryLook { page, ..look(time(day, 8), true) });
        }
    });
    check_live("both", &both, noon(), Zombie);
    assert!(!live(&both).no_canary && live(&both).cutoff == time(200, 7));
}

#[test]
fn only_confirming_observations_confirm() {
    let passing = Case::new().posted(1, 1).listed([198, 199, 200]).with(|history| {
        for visit in &mut history.visits[..2] {
            let Outcome::Observed(seen) = &mut visit.outcome else { panic!() };
            seen.confirming = false;
        }
    });
    check_live("304s cover only", &passing, noon(), Undetermined(Reason::Unconfirmed));
}

#[test]
fn silence_needs_every_part() {
    let listed = |case: Case, days: &[i64], part: &str| {
        let list =
            |case: Case, day: &i64| case.listed([*day]).newest(|visit| visit.part = part.into());
        days.iter().fold(case, list)
    };
    let parts = |case: Case| {
        case.with(|history| history.parts = vec!["videos".to_owned(), "articles".to_owned()])
    };
    let base = Case::new().posted(1, 1);
    let one = parts(listed(base.clone(), &[198, 199, 200], "videos"));
    check_live("one part", &one, noon(), Undetermined(Reason::PartsMissing));
    let both = listed(one.clone(), &[198, 199], "articles");
    check_live("both", &both, noon(), Zombie);
    assert_eq!(judge(&both.0, &Policy::default(), noon(), noon()).cutoff, time(199, 10));
    let once = listed(one, &[199], "articles");
    check_live("one of them once", &once, noon(), Undetermined(Reason::Unconfirmed));
    check_live("a list of all serves for both", &parts(base.listed([199, 200])), noon(), Zombie);
}

#[test]
fn a_counter_that_grew_by_more_than_was_listed_tells_of_a_hidden_post() {
    let counted = |counts: [u64; 4], new: u32| {
        let mut case = Case::new().posted(1, 1);
        for (day, count) in [150, 198, 199, 200].into_iter().zip(counts) {
            case = case.listed([day]).newest_seen(|seen| {
                seen.posts_total = exact(count);
                seen.new_items = if day == 198 { new } else { 0 };
            });
        }
        case
    };
    check_live("unchanged", &counted([9, 9, 9, 9], 0), noon(), Zombie);
    check_live("a post deleted", &counted([9, 8, 8, 8], 0), noon(), Zombie);
    check_live("listed", &counted([9, 10, 10, 10], 1), noon(), Zombie);
    let hidden = Undetermined(Reason::HiddenPost);
    check_live("hidden", &counted([9, 10, 10, 10], 0), noon(), hidden);
    check_live("one of two hidden", &counted([9, 11, 11, 11], 1), noon(), hidden);
    check_live("hidden behind a deletion", &counted([9, 8, 9, 9], 0), noon(), hidden);
    // The hidden post lies between day 150 and day 198: after fifteen more days it is over.
    let over = counted([9, 10, 10, 10], 0).listed([213, 214]);
    check_live("over", &over, time(214, 12), Dormant);
    let rounded = counted([9, 9, 9, 9], 0).newest_seen(|seen| {
        seen.posts_total = Some(Count::Bounded { value: 12, low: 9, high: Some(14) });
    });
    check_live("rounded", &rounded, noon(), Zombie);
}

#[test]
fn a_profile_read_before_its_list_hides_nothing() {
    let profile = |day, count| {
        move |case: Case| {
            let seen = observation(time(day, 9), time(0, 0));
            let case = case.visited(day, 9, Outcome::Observed(seen)).newest_seen(|seen| {
                seen.span = None;
                seen.confirming = false;
                seen.posts_total = exact(count);
            });
            case.newest(|visit| visit.page = "profile".into())
        }
    };
    let first = profile(180, 5)(Case::new().posted(1, 1)).listed([180]);
    let listed = profile(182, 6)(first).listed([182]).newest_seen(|seen| seen.new_items = 1);
    let listed = profile(200, 6)(profile(199, 6)(listed).listed([199])).listed([200]);
    check_live("listed right after", &listed.clone().posted(181, 9), noon(), Dormant);
    // The one new item of day 184 came after the profile of that day; the one it counts is hidden.
    let masked =
        profile(184, 7)(listed.clone()).listed([184]).newest_seen(|seen| seen.new_items = 1);
    let masked = profile(201, 8)(masked).listed([201, 202]);
    check_at("hidden before the profile", &masked, time(183, 12), {
        Undetermined(Reason::HiddenPost)
    });
    let blocked = listed.posted(1, 2).visited(200, 12, Outcome::Failed(Reason::Blocked));
    let blocked = blocked.newest(|visit| visit.page = "profile".into());
    let alone = blocked.with(|history| history.visits.retain(|one| one.started_at > time(200, 0)));
    check_live("a wall before the profile", &alone, time(200, 13), {
        Undetermined(Reason::Unconfirmed)
    });
}

#[test]
fn an_account_must_be_older_than_the_window() {
    let young = |day| {
        let case = quiet_since(185).with(|history| history.posts.clear());
        case.with(|history| history.opened_at = Some(time(day, 0)))
    };
    check_live("opened on day 195", &young(195), noon(), Undetermined(Reason::TooYoung));
    check_live("opened on day 188", &young(188), noon(), Watch);
    check_live("opened on day 185, the day not over", &young(185), noon(), Dormant);
    check_live("opened on day 186", &young(186), noon(), Watch);
    let unknown =
        |change: fn(&mut History)| young(0).with(|history| history.opened_at = None).with(change);
    check_live("first seen on day 197", &unknown(|_| ()), noon(), Undetermined(Reason::TooYoung));
    let filed = unknown(|history| history.filed_at = Some(time(120, 0)));
    check_live("filed on day 120", &filed, noon(), Dormant);
    check_live("oldest known post", &unknown(|_| ()).posted(100, 1), noon(), Zombie);
    let registered = unknown(|_| ()).newest_seen(|seen| {
        seen.registered_at =
            Some(Moment { at: time(150, 0), precision: crate::domain::Precision::Day });
    });
    check_live("registered on day 150", &registered, noon(), Dormant);
}

#[test]
fn an_empty_account_is_empty_when_it_is_old_enough() {
    let empty = |days: std::ops::RangeInclusive<i64>| {
        days.fold(Case::new(), |case, day| {
            case.listed([day]).newest_seen(|seen| {
                seen.empty = true;
                seen.exhausted = true;
                seen.span.as_mut().unwrap().low = DateTime::UNIX_EPOCH;
            })
        })
    };
    check_live("old", &empty(199..=200), noon(), Empty);
    check_live("seen once", &empty(200..=200), noon(), Undetermined(Reason::Unconfirmed));
    let young = empty(199..=200).with(|history| history.opened_at = Some(time(188, 0)));
    check_live("twelve days old", &young, noon(), Undetermined(Reason::TooYoung));
    check_live("emptied", &empty(199..=200).posted(150, 1), noon(), Dormant);
    check_live("active", &empty(199..=200).posted(195, 1), noon(), Active);
    let frozen = empty(199..=200).looked(200, 11, false);
    check_live("frozen", &frozen, noon(), Undetermined(Reason::Frozen));
    check_at("at a cutoff", &empty(199..=203), time(201, 0), Empty);
}

#[test]
fn gone_needs_the_same_confirmations() {
    let gone = |case: Case, day| {
        let as_of = time(day, 10);
        case.visited(day, 10, Outcome::Gone { as_of, confirming: true }).looked(day, 11, true)
    };
    let base = Case::new().posted(195, 1).listed([196]);
    let twice = gone(gone(base.clone(), 199), 200);
    check_live("twice", &twice, noon(), Gone);
    check_live(
        "once",
        &gone(quiet_since(1).listed([]), 200).with(|history| {
            history.visits.retain(|visit| visit.started_at >= time(200, 0));
        }),
        noon(),
        Undetermined(Reason::Unconfirmed),
    );
    let once = gone(Case::new().posted(1, 1).listed([190]), 200);
    check_live("only once", &once, noon(), Undetermined(Reason::Unconfirmed));
    let back = gone(gone(base, 198), 199).listed([200]);
    check_live("back again", &back, noon(), Active);
    check_live("frozen", &twice.clone().looked(200, 12, false), time(200, 13), Active);
    check_live("too old", &twice, time(210, 0), Undetermined(Reason::ObservationTooOld));
    check_at("at a cutoff between", &gone(twice.clone(), 202), time(200, 12), Gone);
    // A person who says it days later stands for nothing that only a neighbour's canary vouched for.
    let told = |case: Case, unwatched: Option<Unwatched>| {
        case.visited(205, 10, Outcome::Gone { as_of: time(205, 10), confirming: true })
            .newest(|visit| visit.source = Source::Person)
            .with(|history| {
                history.unwatched =
                    unwatched.map(|one| ("timeline".to_owned(), one)).into_iter().collect();
            })
    };
    let sign = gone(Case::new().posted(1, 1).listed([190]), 200);
    check_at("and a person", &told(sign.clone(), None), time(200, 12), Gone);
    let beside = Unwatched::Beside { watched: Vec::new(), left: Vec::new() };
    let told = told(sign, Some(beside));
    assert_ne!(judge_at(&told.0, &Policy::default(), time(200, 12), time(300, 0)).activity, Gone);
    check_at("before it went", &twice, time(198, 0), Active);
}

#[test]
fn bridges_confirm_by_their_own_visits_upstream() {
    let bridge = |upstream: Option<[i64; 2]>| {
        let mut case = Case::new().posted(1, 1);
        for (index, day) in [199, 200].into_iter().enumerate() {
            case = case.listed([day]).newest(|visit| visit.source = Source::Bridge);
            case = case.newest_seen(|seen| {
                seen.upstream_success = upstream.map(|hours| time(hours[index], 3));
            });
        }
        case
    };
    let judged = |case: &Case| judge(&case.0, &Policy::default(), noon(), noon());
    check_live("two days upstream", &bridge(Some([199, 200])), noon(), Zombie);
    assert_eq!(judged(&bridge(Some([199, 200]))).cutoff, time(200, 3));
    let stuck = bridge(Some([199, 199]));
    check_live("stuck upstream", &stuck, noon(), Undetermined(Reason::Unconfirmed));
    let mute = bridge(None);
    check_live("no word", &mute, noon(), Undetermined(Reason::SourceCannotProveSilence));
    let remedies = judged(&mute).explanation.iter().filter(|line| line.code == "remedy").count();
    assert_eq!(remedies, 3);
    check_live("activity", &mute.posted(195, 1), noon(), Active);
}

#[test]
fn an_import_or_a_persons_check_stands_for_confirmations_and_canary() {
    for source in [Source::Import, Source::Person] {
        let attested = Case::new().posted(1, 1).listed([200]).newest(|visit| visit.source = source);
        let attested = attested.with(|history| history.canaries.clear());
        check_live("one is enough", &attested, noon(), Zombie);
        let frozen = attested.clone().looked(200, 11, false);
        check_live("whatever the canary", &frozen, noon(), Zombie);
        check_at("complete to the cutoff", &attested, time(200, 10), Zombie);
        check_at("complete to before", &attested, time(200, 11), {
            Undetermined(Reason::NotCovered)
        });
        let liar = attested.newest_seen(|seen| {
            seen.as_of = time(300, 0);
            seen.span.as_mut().unwrap().high = time(300, 0);
        });
        check_live("complete to the future", &liar, time(230, 0), {
            Undetermined(Reason::ObservationTooOld)
        });
    }
}

#[test]
fn coarse_times_speak_for_silence_by_their_end_and_for_activity_by_their_start() {
    let on_day = |day: i64, seen_hour| {
        let claimed = Moment { at: time(day, 0), precision: crate::domain::Precision::Day };
        let first_seen = time(day, seen_hour);
        Case::new().listed(197..=200).with(|history| {
            history.posts.push(post(Some(claimed), first_seen));
        })
    };
    check_live("ten days ago, perhaps", &on_day(190, 48), noon(), {
        Undetermined(Reason::TimeAmbiguous)
    });
    check_live("seen early that day", &on_day(190, 9), noon(), Watch);
    check_live("the day after", &on_day(191, 48), noon(), Active);
    check_live("the day before", &on_day(189, 48), noon(), Watch);
    // A list read at 13 o'clock of that day did not show it, so it came later.
    let bracketed = on_day(190, 48).listed([190]).newest(|visit| {
        visit.started_at = time(190, 13);
        visit.recorded_at = time(190, 13);
    });
    let bracketed = bracketed.newest_seen(|seen| {
        seen.as_of = time(190, 13);
        seen.span.as_mut().unwrap().high = time(190, 13);
    });
    check_live("bracketed", &bracketed, noon(), Active);
}

#[test]
fn a_late_post_counts_as_seen_for_silence_and_as_claimed_for_activity() {
    let late = |claimed_day, missed_day, seen_day| {
        Case::new().posted(1, 1).listed(170..=205).with(|history| {
            let claimed = Moment::second(time(claimed_day, 8));
            let mut late = post(Some(claimed), time(seen_day, 10));
            late.missed_by = Some(time(missed_day, 10));
            history.posts.push(late);
        })
    };
    let now = time(205, 12);
    let ambiguous = Undetermined(Reason::TimeAmbiguous);
    check_live("claimed within the watch window", &late(198, 199, 200), now, Active);
    check_live("claimed before, seen within", &late(180, 199, 200), now, ambiguous);
    check_live("both before", &late(180, 181, 182), now, Dormant);
    check_at("first seen after the cutoff", &late(195, 201, 202), time(200, 0), ambiguous);
    check_at("first seen before the cutoff", &late(195, 198, 199), time(200, 0), Active);
    check_at(
        "the verdict does not turn on it",
        &late(195, 201, 202).posted(194, 1),
        time(200, 0),
        Active,
    );
    check_at("claimed before the window", &late(150, 201, 202), time(200, 0), Dormant);
    check_at("it may have come within", &late(150, 199, 202), time(200, 0), ambiguous);
}

#[test]
fn a_date_in_the_future_keeps_nobody_alive() {
    let future = |seen_day: i64| {
        let claimed = Moment::second(time(4000, 0));
        Case::new().posted(1, 1).listed(170..=200).with(|history| {
            let mut one = post(Some(claimed), time(seen_day, 10));
            one.seen_before = Some(time(seen_day - 1, 10));
            history.posts.push(one);
        })
    };
    check_live("first seen long ago", &future(171), noon(), Dormant);
    check_live("first seen lately", &future(195), noon(), Active);
    check_at("first seen after the cutoff", &future(199), time(197, 0), Zombie);
}

#[test]
fn an_undated_item_counts_at_first_sight_for_silence_and_never_for_activity() {
    let undated = |seen_day: i64, before: Option<i64>| {
        Case::new().posted(1, 1).listed(170..=200).with(|history| {
            let mut one = post(None, time(seen_day, 10));
            one.seen_before = before.map(|day| time(day, 10));
            history.posts.push(one);
        })
    };
    let ambiguous = Undetermined(Reason::TimeAmbiguous);
    check_live("lately", &undated(195, Some(194)), noon(), ambiguous);
    check_live("long ago", &undated(180, Some(179)), noon(), Dormant);
    check_at("after the cutoff", &undated(199, Some(198)), time(197, 0), Zombie);
    check_at("perhaps before the cutoff", &undated(199, Some(196)), time(197, 0), ambiguous);
    check_at("perhaps long before", &undated(199, None), time(197, 0), ambiguous);
}

#[test]
fn a_cutoff_is_judged_by_what_lies_before_it() {
    let case = Case::new().posted(1, 1).listed(150..=203);
    check_at("silent", &case, time(200, 0), Zombie);
    check_at("a post after", &case.clone().posted(201, 1), time(200, 0), Zombie);
    check_at("a post at the cutoff", &case.clone().posted(200, 0), time(200, 0), Zombie);
    check_at("a post at the edge", &case.clone().posted(186, 0), time(200, 0), Watch);
    check_at(
        "a second before the cutoff",
        &case.clone().with(|history| {
            let claimed = Moment::second(time(200, 0) - Duration::seconds(1));
            history.posts.push(post(Some(claimed), time(200, 3)));
        }),
        time(200, 0),
        Active,
    );
    check_at("last confirmation within the lag", &case, time(202, 12), {
        Undetermined(Reason::Unconfirmed)
    });
    let preview = Policy { visibility_lag_hours: 0, ..Policy::default() };
    let judgement = judge_at(&case.0, &preview, time(202, 12), time(300, 0));
    assert_eq!(judgement.activity, Zombie);
    assert_eq!(judgement.next_crossing_at, None);
}

#[test]
fn an_evaluation_sees_only_what_was_recorded_by_then() {
    let case = Case::new().posted(1, 1).listed(150..=203).posted(198, 1).with(|history| {
        history.posts.last_mut().unwrap().recorded_at = time(210, 0);
    });
    let judged = |known_at| judge_at(&case.0, &Policy::default(), time(200, 0), known_at).activity;
    assert_eq!(judged(time(204, 0)), Zombie);
    assert_eq!(judged(time(210, 0)), Active);
    assert_eq!(judged(time(201, 0)), Undetermined(Reason::Unconfirmed));
}

#[test]
fn gaps_of_a_period_keep_their_cause() {
    use crate::observe::{Gap, coverage};
    let low = |seen: &mut Observation| seen.span.as_mut().unwrap().low = time(18, 0);
    let case = Case::new().listed([10]).failed(14, Reason::Blocked).listed([20]);
    let case = case.newest_seen(low);
    let whole = coverage(&case.0, time(5, 0), time(25, 0), time(99, 0));
    let gap = |from, to, cause| Gap { from, to, cause };
    assert_eq!(
        whole.gaps,
        [
            gap(time(10, 10), time(18, 0), Reason::Blocked),
            gap(time(20, 10), time(25, 0), Reason::NotCovered),
        ]
    );
    let open_days = 20.0 - 5.0 - 10.0 / 24.0 - 2.0 - 10.0 / 24.0;
    assert!((whole.ratio - (1.0 - open_days / 20.0)).abs() < 1e-9, "{}", whole.ratio);
}

#[test]
fn the_first_post_tells_nothing_of_an_account_that_was_seen_before_a_silence_began() {
    let judged = |first: bool, seen_from: i64, last: i64, cutoff: i64| {
        let case = Case::new().with(|history| history.opened_at = None);
        let case = case.listed((seen_from..=cutoff + 4).step_by(2)).posted(last, 8);
        let case = if first { case.posted(-50, 8) } else { case };
        judge_at(&case.0, &Policy::default(), time(cutoff, 0), time(10_000, 0))
    };
    let mut found = std::collections::BTreeSet::new();
    for (last, cutoff) in [(96, 200), (120, 200), (187, 200), (189, 200), (195, 200)] {
        let judgement = judged(false, 95, last, cutoff);
        assert_eq!(judged(true, 95, last, cutoff), judgement, "{last} {cutoff}");
        found.insert(judgement.activity.as_str());
    }
    assert_eq!(found.len(), 4, "{found:?}");
}
