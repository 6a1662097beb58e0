//! Comparisons: percentiles, places with ties, runs of places.

use super::*;
use crate::scheme::{GroupKey, Peers, Rank};

fn entrant(group: &str, value: Reading) -> Entrant {
    Entrant { group: group.to_owned(), value }
}

fn field(values: &[f64]) -> Vec<Entrant> {
    values.iter().map(|value| entrant("weibo/市", Reading::exact(*value))).collect()
}

fn peers(at_least: u32) -> Peers {
    Peers { of: "followers".to_owned(), group: vec![GroupKey::Platform], at_least }
}

fn bounds(value: f64, low: f64, high: Option<f64>) -> Reading {
    Reading::Known(Quantity { value, low, high })
}

#[test]
fn percentiles_run_from_the_least_to_the_most() {
    let got = percentiles(&peers(5), &field(&[10.0, 20.0, 30.0, 40.0, 50.0]));
    let want = [0.0, 0.25, 0.5, 0.75, 1.0].map(Reading::exact);
    assert_eq!(got, want);
    let ties = percentiles(&peers(2), &field(&[7.0, 7.0, 7.0]));
    assert!(ties.iter().all(|one| *one == Reading::exact(0.5)), "{ties:?}");
}

#[test]
fn groups_are_apart_and_small_ones_say_nothing() {
    let mut entrants = field(&[1.0, 2.0, 3.0]);
    entrants.push(entrant("douyin/市", Reading::exact(9.0)));
    let hidden = Reading::unknown(UnknownKind::NotObservable, "平台不显示");
    entrants.push(entrant("weibo/市", hidden.clone()));
    let got = percentiles(&peers(3), &entrants);
    assert_eq!(got[2], Reading::exact(1.0), "the hidden one compares with nobody");
    assert!(matches!(&got[3], Reading::Unknown(why) if why.reason.contains("少于 3 个")));
    assert_eq!(got[4], hidden, "and keeps its own reason");
}

#[test]
fn bounds_of_others_and_of_oneself_make_an_interval() {
    let entrants = [
        entrant("", bounds(12_000.0, 11_500.0, Some(12_499.0))),
        entrant("", Reading::exact(12_200.0)),
        entrant("", bounds(100_001.0, 100_001.0, None)),
    ];
    let got = percentiles(&peers(2), &entrants);
    assert_eq!(got[0], bounds(0.0, 0.0, Some(0.5)));
    assert_eq!(got[1], bounds(0.5, 0.0, Some(0.5)));
    assert_eq!(got[2], Reading::exact(1.0));
}

#[test]
fn whose_bounds_overlap_share_their_places() {
    let place = |value, low, high| Some(Quantity { value, low, high: Some(high) });
    let got = places(&[
        entrant("", bounds(90.0, 85.0, Some(95.0))),
        entrant("", bounds(88.0, 86.0, Some(91.0))),
        entrant("", Reading::exact(70.0)),
        entrant("", Reading::unknown(UnknownKind::Undetermined, "覆盖不足")),
    ]);
    assert_eq!(got, [place(1.0, 1.0, 2.0), place(2.0, 1.0, 2.0), place(3.0, 3.0, 3.0), None]);
}

#[test]
fn a_run_of_places_ends_where_one_was_missed() {
    let rank = Rank { of: "effect".to_owned(), group: vec![], top: 5 };
    let place = |value| Some(Quantity::exact(value));
    let run = |now, earlier: &[Option<Quantity>]| {
        place_and_run("place", &rank, now, earlier)["place_run"].clone()
    };
    assert_eq!(run(place(5.0), &[place(1.0), place(6.0), place(1.0)]), Reading::exact(2.0));
    assert_eq!(run(place(6.0), &[place(1.0)]), Reading::exact(0.0));
    assert_eq!(run(place(2.0), &[]), Reading::exact(1.0));
    // A period without a place may have been within the top.
    assert_eq!(run(place(2.0), &[None, place(1.0)]), bounds(1.0, 1.0, Some(3.0)));
    let tied = Some(Quantity { value: 5.0, low: 4.0, high: Some(6.0) });
    assert_eq!(run(tied, &[]), bounds(1.0, 0.0, Some(1.0)));
    assert!(matches!(run(None, &[]), Reading::Unknown(_)));
}

#[test]
fn groups_are_made_of_what_the_scheme_names() {
    let subject = SubjectFact {
        platform: "weibo".to_owned(),
        level: Some("市".to_owned()),
        region: "441200".to_owned(),
        ..SubjectFact::default()
    };
    let keys = [GroupKey::Platform, GroupKey::Level, GroupKey::City, GroupKey::Province];
    assert_eq!(group_of(&keys, &subject), "weibo/市/4412/44");
    assert_eq!(group_of(&[], &subject), "");
}
