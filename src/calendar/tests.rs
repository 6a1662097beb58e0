use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::*;

fn shipped() -> Calendar {
    let files = [
        ("2025.json", include_str!("../../config/calendar/2025.json")),
        ("2026.json", include_str!("../../config/calendar/2026.json")),
        ("2027.json", include_str!("../../config/calendar/2027.json")),
    ]
    .map(|(file, text)| SourceText { file: file.to_owned(), text: text.to_owned() });
    Calendar::compile(&files).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}+08:00").parse().unwrap()
}

#[test]
fn days_of_the_notices_are_what_the_notices_say() {
    let calendar = shipped();
    // Make-up working days of both years, weekends off and on, holidays on working weekdays.
    let working = "2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11 2026-01-04 2026-02-14 \
        2026-02-28 2026-05-09 2026-09-20 2026-10-10 2026-11-27 2025-01-02 2026-12-24";
    let off = "2025-01-01 2025-01-28 2025-02-04 2025-06-02 2025-10-08 2026-01-01 2026-01-02 \
        2026-02-16 2026-02-23 2026-04-06 2026-05-05 2026-06-19 2026-09-25 2026-10-07 2026-11-28";
    for text in working.split_whitespace() {
        assert_eq!(calendar.is_working(day(text)), Ok(true), "{text}");
    }
    for text in off.split_whitespace() {
        assert_eq!(calendar.is_working(day(text)), Ok(false), "{text}");
    }
    // Counts of chinesecalendar 1.11.0: docs/working-days.md has the command.
    for (from, until, count) in
        [("2024-12-31", "2025-12-24", 243), ("2025-12-31", "2026-12-24", 243)]
    {
        assert_eq!(calendar.working_days_between(day(from), day(until)), Ok(count), "{from}");
    }
}

#[test]
fn a_year_without_a_notice_is_unknown_and_never_guessed() {
    let calendar = shipped();
    assert_eq!(calendar.years().collect::<Vec<_>>(), [2025, 2026]);
    for (text, year) in [("2024-06-03", 2024), ("2027-01-05", 2027), ("2026-12-31", 2027)] {
        assert_eq!(calendar.is_working(day(text)), Err(UnknownYear(year)), "{text}");
    }
    assert_eq!(calendar.is_working(day("2025-12-31")), Ok(true), "2026 is known and leaves it");
    let counting = Counting::default();
    let asked = at("2026-12-22T10:00:00");
    assert_eq!(calendar.deadline(asked, 2, &counting), Ok(at("2026-12-25T00:00:00")));
    assert_eq!(calendar.deadline(asked, 3, &counting), Err(UnknownYear(2027)));
    let none = Calendar::default();
    assert_eq!(none.is_working(day("2026-11-28")), Err(UnknownYear(2026)), "not even a Saturday");
}

#[test]
fn terms_end_at_midnight_of_their_last_working_day() {
    let calendar = shipped();
    let plain = Counting::default();
    let hours = OfficeHours {
        from: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
        until: NaiveTime::from_hms_opt(17, 0, 0).unwrap(),
    };
    let office = Counting { office_hours: Some(hours), ..plain };
    let counted = Counting { receipt_day_counted: true, ..plain };
    for (received, days, counting, ends) in [
        // 2026-02-13 is a Friday; the 14th is worked, the 15th to 23rd are off.
        ("2026-02-13T10:00:00", 1, plain, "2026-02-15T00:00:00"),
        ("2026-02-13T10:00:00", 2, plain, "2026-02-25T00:00:00"),
        ("2026-02-13T10:00:00", 1, counted, "2026-02-14T00:00:00"),
        ("2026-02-13T16:59:59", 1, office, "2026-02-15T00:00:00"),
        ("2026-02-13T17:00:00", 1, office, "2026-02-25T00:00:00"),
        ("2026-02-13T03:00:00", 1, office, "2026-02-15T00:00:00"),
        ("2026-02-18T10:00:00", 1, office, "2026-02-26T00:00:00"),
        ("2026-02-18T10:00:00", 1, plain, "2026-02-25T00:00:00"),
        ("2026-02-18T10:00:00", 1, counted, "2026-02-25T00:00:00"),
        ("2026-11-27T23:59:59", 5, plain, "2026-12-05T00:00:00"),
        // A month of ten working days over the October holiday with its two make-up days.
        ("2026-09-18T12:00:00", 10, plain, "2026-10-10T00:00:00"),
        ("2026-09-18T12:00:00", 0, plain, "2026-09-19T00:00:00"),
    ] {
        assert_eq!(
            calendar.deadline(at(received), days, &counting),
            Ok(at(ends)),
            "{received} {days} {counting:?}"
        );
    }
}

#[test]
fn every_broken_file_is_told_with_its_line() {
    let file = |text: &str| SourceText { file: "c.json".to_owned(), text: text.to_owned() };
    for (text, want) in [
        ("{\n\"year\": 2026", "c.json:2: -: EOF"),
        ("{\"year\": 26, \"days\": []}", "c.json:1: year: 26 is out of range"),
        ("{\"year\": 2026, \"dayz\": []}", "unknown field `dayz`"),
        (
            "{\"year\": 2026, \"days\": [\n{\"date\": \"2026-02-30\", \"isOffDay\": true}]}",
            "c.json:2: days[0].date: \"2026-02-30\" is no day",
        ),
        (
            "{\"year\": 2026, \"days\": [\n{\"date\": \"2025-11-30\", \"isOffDay\": true}]}",
            "c.json:2: days[0].date: 2025-11-30 lies neither in 2026",
        ),
        (
            "{\"year\": 2026, \"days\": [\n{\"date\": \"2026-01-01\", \"isOffDay\": true},\n\
             {\"date\": \"2026-01-01\", \"isOffDay\": false}]}",
            "c.json:3: days[1].date: 2026-01-01 stands twice",
        ),
    ] {
        let problems = Calendar::compile(&[file(text)]).unwrap_err();
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(shown.iter().any(|problem| problem.contains(want)), "{text}: {shown:?}");
    }
    let twice = [file("{\"year\": 2026, \"days\": []}"), file("{\"year\": 2026, \"days\": []}")];
    assert!(Calendar::compile(&twice).unwrap_err()[0].reason.contains("already"));
}
