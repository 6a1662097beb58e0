use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::{
    Answer, Ladder, LadderWindow, NoticeFact, Operator, Reset, Rung, climb, judge_notice,
};
use crate::domain::Moment;
use crate::observe::{History, ListedPost, Observation, Outcome, Policy, Source, Span, Visit};

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}+08:00").parse().unwrap()
}

/// 汕尾, 汕府办函〔2020〕137号.
fn shanwei() -> Ladder {
    Ladder {
        missed: Rung { operator: Operator::AtLeast, value: 2, window: LadderWindow::Quarter },
        namings: Rung { operator: Operator::Over, value: 2, window: LadderWindow::AllTime },
        reset: Reset::Never,
    }
}

fn notice(day: &str, answer: Answer) -> NoticeFact {
    let issued_at = at(&format!("{day}T09:00:00"));
    NoticeFact { issued_at, deadline: issued_at + TimeDelta::days(7), answer }
}

fn missed(day: &str) -> NoticeFact {
    notice(day, Answer::Missed)
}

/// Requirement 49: 1 missed → not named; 2 → named.
#[test]
fn two_missed_notices_of_a_quarter_name_and_one_does_not() {
    let named = |notices: &[NoticeFact], now: &str| {
        let standing = climb(&shanwei(), notices, &[], at(now));
        (standing.missed.len(), standing.to_be_named)
    };
    assert_eq!(named(&[missed("2026-10-10")], "2026-11-30T00:00:00"), (1, false));
    let two = [missed("2026-10-10"), missed("2026-11-01")];
    assert_eq!(named(&two, "2026-11-30T00:00:00"), (2, true));
    assert_eq!(named(&two, "2026-11-05T00:00:00"), (1, false), "the second is not due yet");
    let unknown = [missed("2026-10-10"), notice("2026-11-01", Answer::Unknown("未能判定"))];
    assert_eq!(
        named(&unknown, "2026-11-30T00:00:00"),
        (1, false),
        "what is not told is not missed"
    );
    // Each in a quarter of its own: by the end of its time.
    let apart = [missed("2026-09-10"), missed("2026-09-28")];
    assert_eq!(named(&apart, "2026-11-30T00:00:00"), (1, false));
    assert_eq!(named(&two, "2027-01-02T00:00:00"), (0, false), "the quarter is over");
    // Asked at its end, whenever that is.
    let end = LadderWindow::Quarter.end_before(at("2027-01-02T00:00:00"));
    assert_eq!(end, Some(at("2027-01-01T00:00:00")));
    assert_eq!(named(&two, "2027-01-01T00:00:00"), (2, true));
    assert_eq!(
        LadderWindow::Year.end_before(at("2026-11-30T00:00:00")),
        Some(at("2026-01-01T00:00:00"))
    );
    assert_eq!(LadderWindow::AllTime.end_before(at("2026-11-30T00:00:00")), None);
}

/// Requirement 50: namings > 2: 2 → no, 3 → proposal.
#[test]
fn the_third_naming_proposes_closure_and_the_second_does_not() {
    let namings = ["2025-03-31T10:00:00", "2026-03-31T10:00:00", "2026-06-30T10:00:00"].map(at);
    let proposed = |count: usize, ladder: &Ladder| {
        climb(ladder, &[], &namings[..count], at("2026-07-01T00:00:00")).closure_proposed
    };
    assert!(!proposed(2, &shanwei()));
    assert!(proposed(3, &shanwei()));
    let by_year =
        Ladder { namings: Rung { window: LadderWindow::Year, ..shanwei().namings }, ..shanwei() };
    assert!(!proposed(3, &by_year), "the window is a parameter");
}

#[test]
fn windows_and_resets_are_parameters() {
    let notices = [missed("2026-10-05"), missed("2026-10-20"), missed("2026-11-10")];
    let naming = [at("2026-11-01T10:00:00")];
    let count = |reset, notices: &[NoticeFact]| {
        climb(&Ladder { reset, ..shanwei() }, notices, &naming, at("2026-12-01T00:00:00"))
            .missed
            .len()
    };
    assert_eq!(count(Reset::Never, &notices), 3);
    assert_eq!(count(Reset::OnNaming, &notices), 1);
    let post = Answer::Answered { post: "p".into(), at: at("2026-10-30T12:00:00") };
    let mut answered = notices.to_vec();
    answered.push(notice("2026-10-29", post));
    assert_eq!(count(Reset::OnAnswer, &answered), 1);
    let half_year =
        Ladder { missed: Rung { window: LadderWindow::Year, ..shanwei().missed }, ..shanwei() };
    let apart = [missed("2026-02-01"), missed("2026-11-01")];
    assert!(climb(&half_year, &apart, &[], at("2026-12-01T00:00:00")).to_be_named);
}

/// Watched every twelve hours from 1 to 30 November, by lists that reach back four days, posts as
/// given; `blind` is not covered.
fn watched(posts: &[&str], blind: Option<(&str, &str)>) -> History {
    let (begin, end) = (at("2026-11-01T00:00:00"), at("2026-11-30T00:00:00"));
    let mut history = History { opened_at: Some(at("2020-01-01T00:00:00")), ..Default::default() };
    let mut now = begin;
    while now < end {
        let next = now + TimeDelta::hours(12);
        let unseen = blind.is_some_and(|(from, to)| next > at(from) && now < at(to));
        let low = now - TimeDelta::hours(84);
        let seen_from = blind.map(|(_, to)| at(to)).filter(|to| now >= *to);
        let span = Span { low: seen_from.map_or(low, |to| low.max(to)), high: next };
        let outcome = if unseen {
            Outcome::Failed(crate::domain::Reason::Blocked)
        } else {
            Outcome::Observed(Observation {
                as_of: next,
                span: Some(span),
                bracket: None,
                claims_shift_seconds: 0,
                exhausted: false,
                empty: false,
                confirming: true,
                posts_total: None,
                new_items: 0,
                upstream_success: None,
                registered_at: None,
            })
        };
        history.visits.push(Visit {
            page: "timeline".into(),
            part: "all".into(),
            started_at: next,
            recorded_at: next,
            adapter: "a".into(),
            source: Source::Crawl,
            items: 0,
            outcome,
        });
        now = next;
    }
    history.posts = posts
        .iter()
        .map(|text| ListedPost {
            reference: (*text).into(),
            page: "timeline".into(),
            claimed: Some(Moment::second(at(text))),
            first_seen: at(text) + TimeDelta::hours(6),
            missed_by: None,
            seen_before: Some(at(text) - TimeDelta::hours(6)),
            text_digest: None,
            recorded_at: at(text) + TimeDelta::hours(6),
        })
        .collect();
    history
}

fn told(history: &History, issued: &str, deadline: &str, known_at: &str) -> Answer {
    judge_notice(at(issued), at(deadline), history, &Policy::default(), at(known_at))
}

/// Requirement 49: two notices answered by one post → both answered.
#[test]
fn one_post_answers_two_notices() {
    let history = watched(&["2026-11-10T12:00:00"], None);
    let answered =
        Answer::Answered { post: "2026-11-10T12:00:00".into(), at: at("2026-11-10T12:00:00") };
    let later = "2026-11-25T00:00:00";
    assert_eq!(told(&history, "2026-11-05T09:00:00", "2026-11-13T00:00:00", later), answered);
    assert_eq!(told(&history, "2026-11-08T09:00:00", "2026-11-16T00:00:00", later), answered);
}

#[test]
fn a_post_before_the_notice_or_after_its_deadline_answers_nothing() {
    let history = watched(&["2026-11-04T12:00:00", "2026-11-14T12:00:00"], None);
    let check = |deadline: &str, known_at: &str, answer: Answer| {
        assert_eq!(told(&history, "2026-11-05T09:00:00", deadline, known_at), answer, "{deadline}");
    };
    check("2026-11-13T00:00:00", "2026-11-20T00:00:00", Answer::Missed);
    let post = "2026-11-14T12:00:00";
    let answered = Answer::Answered { post: post.into(), at: at(post) };
    check("2026-11-15T00:00:00", "2026-11-20T00:00:00", answered);
    // As long as its time runs, and until it is confirmed, it is not missed.
    check("2026-11-13T00:00:00", "2026-11-12T23:00:00", Answer::Unknown("期限未到"));
    let waiting = Answer::Unknown("期限后的观察尚不足以确认未更新");
    check("2026-11-13T00:00:00", "2026-11-13T12:00:00", waiting);
}

#[test]
fn what_was_not_watched_is_not_missed() {
    let blind = watched(&[], Some(("2026-11-08T00:00:00", "2026-11-08T12:00:00")));
    let answer = told(&blind, "2026-11-05T09:00:00", "2026-11-13T00:00:00", "2026-11-20T00:00:00");
    assert_eq!(answer, Answer::Unknown("通知至期限之间有未观察到的时段"));
}
