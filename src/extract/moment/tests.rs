use super::*;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn check(text: &str, observed_at: &str, wanted: &str) {
    let found = moment(text, at(observed_at))
        .map_or_else(|| "-".to_owned(), |m| format!("{} {}", &m.to_rfc3339()[..19], m.precision));
    assert_eq!(found, wanted, "{text:?} seen at {observed_at}");
    assert!(wanted == "-" || may_be_time(text), "{text:?} can be a time");
}

fn check_all(observed_at: &str, rows: &[(&str, &str)]) {
    for (text, wanted) in rows {
        check(text, observed_at, wanted);
    }
}

#[test]
fn relative_times_count_back_from_the_observation() {
    check_all(
        "2026-11-22T20:15:00+08:00",
        &[
            ("刚刚", "2026-11-22T20:15:00 minute"),
            ("刚刚发布", "2026-11-22T20:15:00 minute"),
            ("30秒前", "2026-11-22T20:14:30 minute"),
            ("5分钟前", "2026-11-22T20:10:00 minute"),
            ("５分钟前", "2026-11-22T20:10:00 minute"),
            ("15小时前", "2026-11-22T04:15:01 hour"),
            ("半小时前", "2026-11-22T19:15:01 hour"),
            ("4天前", "2026-11-18T00:00:00 day"),
            ("543天前发布", "2025-05-28T00:00:00 day"),
            ("今天 12:30", "2026-11-22T12:30:00 minute"),
            ("今天", "2026-11-22T00:00:00 day"),
            ("昨天 12:25", "2026-11-21T12:25:00 minute"),
            ("昨天&nbsp;12:25", "2026-11-21T12:25:00 minute"),
            ("昨天", "2026-11-21T00:00:00 day"),
            ("前天", "2026-11-20T00:00:00 day"),
            ("08:18", "2026-11-22T08:18:00 minute"),
            ("大前天 8:05", "2026-11-19T08:05:00 minute"),
            ("前天 下午3:05", "2026-11-20T15:05:00 minute"),
            ("今日 9时30分", "2026-11-22T09:30:00 minute"),
            ("昨日12时", "2026-11-21T12:00:00 hour"),
            ("3天前 08:00", "2026-11-19T08:00:00 minute"),
            ("1小时30分钟前", "2026-11-22T18:45:00 minute"),
            ("几秒前", "2026-11-22T20:15:00 minute"),
            ("几分钟前", "2026-11-22T19:15:01 hour"),
            ("3 小时之前", "2026-11-22T16:15:01 hour"),
        ],
    );
}

#[test]
fn what_is_told_in_weeks_months_and_years_has_no_day_and_is_known_as_such() {
    for text in [
        "1周前",
        "2星期前",
        "3个月前",
        "半年前",
        "1年前",
        "两年前",
        "3年多以前",
        "半天前",
        "几天前",
        "几小时前",
        "上个月",
        "2026年11月",
        "2026-11",
        "发布于2025年",
    ] {
        check(text, "2026-11-22T20:15:00+08:00", "-");
        assert!(is_coarse(text), "{text}");
    }
    for text in ["3天前", "2026-11-22", "11月22日", "来自微博", "10万+", "第3周"] {
        assert!(!is_coarse(text), "{text}");
    }
}

#[test]
fn midnight_belongs_to_the_right_day() {
    check("昨天 23:58", "2026-03-01T00:05:00+08:00", "2026-02-28T23:58:00 minute");
    check("昨天 23:58", "2024-03-01T00:05:00+08:00", "2024-02-29T23:58:00 minute");
    check("昨天", "2027-01-01T00:00:00+08:00", "2026-12-31T00:00:00 day");
    // 16:05 UTC is already the next day in Shanghai.
    check("昨天 23:58", "2026-02-28T16:05:00Z", "2026-02-28T23:58:00 minute");
    check("5分钟前", "2027-01-01T00:03:00+08:00", "2026-12-31T23:58:00 minute");
    check("今天 23:59", "2026-11-23T00:00:01+08:00", "2026-11-22T23:59:00 minute");
    check("23:59", "2026-11-23T00:00:01+08:00", "2026-11-22T23:59:00 minute");
}

#[test]
fn dates_without_a_year_are_the_latest_that_are_not_in_the_future() {
    check_all(
        "2026-01-02T09:00:00+08:00",
        &[
            ("12-31", "2025-12-31T00:00:00 day"),
            ("01-02", "2026-01-02T00:00:00 day"),
            ("01-03", "2025-01-03T00:00:00 day"),
            ("11-20 08:00", "2025-11-20T08:00:00 minute"),
            ("06月17日 18:12", "2025-06-17T18:12:00 minute"),
            ("06月17日 18:12&nbsp;来自微博 weibo.com", "2025-06-17T18:12:00 minute"),
            ("1月2日", "2026-01-02T00:00:00 day"),
            ("十二月三十一日", "2025-12-31T00:00:00 day"),
            ("12月31日 星期三 08:00", "2025-12-31T08:00:00 minute"),
            ("12/31 23:59", "2025-12-31T23:59:00 minute"),
            ("1月2日 上午8点", "2026-01-02T08:00:00 hour"),
            ("02-29", "2024-02-29T00:00:00 day"),
            ("13-01", "-"),
            ("02-30", "-"),
        ],
    );
}

#[test]
fn full_dates_keep_the_precision_they_are_written_with() {
    check_all(
        "2026-11-22T20:15:00+08:00",
        &[
            ("2026-11-22", "2026-11-22T00:00:00 day"),
            ("(2026-09-16)", "2026-09-16T00:00:00 day"),
            ("[2026/9/6]", "2026-09-06T00:00:00 day"),
            ("2026.09.06", "2026-09-06T00:00:00 day"),
            ("2026年11月22日", "2026-11-22T00:00:00 day"),
            ("２０２６年１１月２２日", "2026-11-22T00:00:00 day"),
            ("2026年11月22日 星期日 08:18", "2026-11-22T08:18:00 minute"),
            ("2019年06月15日08:18", "2019-06-15T08:18:00 minute"),
            ("2019年06月15日08时18分", "2019-06-15T08:18:00 minute"),
            ("发布时间：2026-08-05 20:40", "2026-08-05T20:40:00 minute"),
            ("发布日期：2016-11-22", "2016-11-22T00:00:00 day"),
            ("2019-09-18 06:23 来源：某网", "2019-09-18T06:23:00 minute"),
            ("2012-06-04 09:20:26", "2012-06-04T09:20:26 second"),
            ("2019/4/25 9:32:09", "2019-04-25T09:32:09 second"),
            ("2024-6-3 11:11", "2024-06-03T11:11:00 minute"),
            ("二〇二六年十一月二十二日", "2026-11-22T00:00:00 day"),
            ("二○二四年二月二十九日", "2024-02-29T00:00:00 day"),
            ("2026-11-22-10:33:00", "2026-11-22T10:33:00 second"),
            ("2026年11月22日 上午9时30分", "2026-11-22T09:30:00 minute"),
            ("2026年11月22日 下午3点半", "2026-11-22T15:30:00 minute"),
            ("2026年11月22日15时", "2026-11-22T15:00:00 hour"),
            ("2026-11-22 中午12:10", "2026-11-22T12:10:00 minute"),
            ("2026-11-22 凌晨12:10", "2026-11-22T00:10:00 minute"),
            ("2026-11-22 3:05 PM", "2026-11-22T15:05:00 minute"),
            ("2026/11/22 PM 3:05", "2026-11-22T15:05:00 minute"),
            ("2026-11-22 24:00", "2026-11-23T00:00:00 minute"),
            ("2026-12-31 24:00:00", "2027-01-01T00:00:00 second"),
            ("&#50;026&ndash;11", "-"),
            ("&#50;026-11-2&#50;", "2026-11-22T00:00:00 day"),
            ("2026&nbsp;年&nbsp;11&nbsp;月&nbsp;22&nbsp;日", "2026-11-22T00:00:00 day"),
            ("２０２６－１１－２２　２０：１０", "2026-11-22T20:10:00 minute"),
            ("20261122153000123", "2026-11-22T15:30:00 second"),
            ("2026-11-22 下午 3:05", "2026-11-22T15:05:00 minute"),
            ("2026-11-22 00:00:00.0", "2026-11-22T00:00:00 second"),
            ("20261122", "2026-11-22T00:00:00 day"),
            ("20261122153000", "2026-11-22T15:30:00 second"),
            ("2020-06-03 00:00", "2020-06-03T00:00:00 minute"),
            ("2027-12-31", "2027-12-31T00:00:00 day"),
            ("2025-02-29", "-"),
            ("2024-02-29", "2024-02-29T00:00:00 day"),
            ("2026-13-01", "-"),
        ],
    );
}

#[test]
fn times_with_an_offset_are_instants() {
    check_all(
        "2026-11-22T20:15:00+08:00",
        &[
            ("Sat Jun 15 11:44:46 +0800 2019", "2019-06-15T11:44:46 second"),
            ("Fri, 21 Aug 2026 11:35:00 +0800", "2026-08-21T11:35:00 second"),
            ("Tue, 07 May 2024 00:52:18 +0000", "2024-05-07T08:52:18 second"),
            ("Tue, 7 May 2024 00:52:18 -0000", "2024-05-07T08:52:18 second"),
            ("Mon, 06 Sep 2021 16:00:00 GMT", "2021-09-07T00:00:00 second"),
            ("mer, 16 nov 2022 00:38:15 +0100", "2022-11-16T07:38:15 second"),
            ("16 Nov 2022 00:38 EST", "2022-11-16T13:38:00 minute"),
            ("07 May 24 00:52:18 Z", "2024-05-07T08:52:18 second"),
            ("2022-07-30T11:11:45+08:00", "2022-07-30T11:11:45 second"),
            ("2022-07-30T03:11:45.123Z", "2022-07-30T11:11:45 second"),
            ("2022-07-30T11:11+0800", "2022-07-30T11:11:00 minute"),
            ("Sat Jun 15 11:44:46 CST 2019", "2019-06-15T11:44:46 second"),
            ("Sun Nov 22 2026 20:15:00 GMT+0800 (中国标准时间)", "2026-11-22T20:15:00 second"),
            ("Nov 22, 2026", "2026-11-22T00:00:00 day"),
            ("November 22, 2026 8:15 PM", "2026-11-22T20:15:00 minute"),
            ("Mon, 06 Sep 2021 16:00:00 CST", "2021-09-06T16:00:00 second"),
            ("Fri, 20 Nov 2026 10:20:30 GMT+8", "2026-11-20T10:20:30 second"),
            ("Fri, 20 Nov 2026 10:20:30 GMT+0800", "2026-11-20T10:20:30 second"),
            ("Fri, 20 Nov 2026 10:20:30 UTC+08:00", "2026-11-20T10:20:30 second"),
            ("Fri, 20 Nov 2026 10:20:30 Asia/Shanghai", "2026-11-20T10:20:30 second"),
            ("Nov 20, 2026 02:20:30 GMT", "2026-11-20T10:20:30 second"),
            ("星期五, 20 十一月 2026 10:20:30 +0800", "2026-11-20T10:20:30 second"),
            ("周五, 20 11月 2026 10:20:30 +0800", "2026-11-20T10:20:30 second"),
            ("2022-07-30T11:11:45", "2022-07-30T11:11:45 second"),
        ],
    );
}

#[test]
fn epochs_are_seconds_milliseconds_or_microseconds() {
    check_all(
        "2026-11-22T20:15:00+08:00",
        &[
            ("1560515883", "2019-06-14T20:38:03 second"),
            ("1560515883000", "2019-06-14T20:38:03 second"),
            ("1560515883000000", "2019-06-14T20:38:03 second"),
            ("1560515883.5", "2019-06-14T20:38:03 second"),
            ("1560515883000.0", "2019-06-14T20:38:03 second"),
            ("/Date(1560515883000)/", "2019-06-14T20:38:03 second"),
            ("/Date(1560515883000+0800)/", "2019-06-14T20:38:03 second"),
            ("9999999999", "-"),
            ("0", "-"),
        ],
    );
}

#[test]
fn what_is_no_time_is_unknown() {
    for text in ["", "来自微博", "第1/3页", "10万+", "0000-00-00", "3-5万", "25:61"] {
        check(text, "2026-11-22T20:15:00+08:00", "-");
    }
}

#[test]
fn zero_offsets_are_recognised() {
    assert!(says_utc("Wed, 06 Dec 2023 10:21:14 +0000"));
    assert!(!says_utc("Wed, 06 Dec 2023 10:21:14 +0800"));
}

/// The words that a platform shows for a post of that age, each with the truth that they stand for.
fn shown(truth: DateTime<Utc>, seen: DateTime<Utc>) -> Vec<String> {
    let local = truth.with_timezone(&SHANGHAI);
    let age = seen - truth;
    let days = (shanghai_date(seen) - shanghai_date(truth)).num_days();
    let mut shown = vec![
        local.format("%Y-%m-%d").to_string(),
        local.format("%Y年%-m月%-d日 %H:%M").to_string(),
        local.format("%Y/%m/%d %H:%M:%S").to_string(),
        local.to_rfc2822(),
        local.to_rfc3339(),
        truth.timestamp().to_string(),
        truth.timestamp_millis().to_string(),
    ];
    if days < 365 {
        shown.push(local.format("%m-%d").to_string());
        shown.push(local.format("%-m月%-d日 %H:%M").to_string());
    }
    if age.num_minutes() < 60 {
        shown.push(format!("{}分钟前", age.num_minutes()));
    } else if age.num_hours() < 24 {
        shown.push(format!("{}小时前", age.num_hours()));
    }
    match days {
        0 => shown.push(local.format("今天 %H:%M").to_string()),
        1 => shown.extend(["昨天".to_owned(), local.format("昨天 %H:%M").to_string()]),
        2 => shown.push(local.format("前天%H:%M").to_string()),
        _ => shown.push(format!("{days}天前")),
    }
    shown
}

proptest::proptest! {
    /// Whatever a page shows of a time, the truth lies within what is read from it.
    #[test]
    fn the_truth_lies_within_the_bounds(
        seen in 1_500_000_000_i64..2_000_000_000, age in 0_i64..400 * 86_400, close in 0_i64..2
    ) {
        let age = if close == 0 { age } else { age % (3 * 86_400) };
        let seen = DateTime::from_timestamp(seen, 0).unwrap();
        let truth = seen - Duration::seconds(age);
        for text in shown(truth, seen) {
            let read = moment(&text, seen);
            let read = read.unwrap_or_else(|| panic!("{text:?} seen at {seen} is not read"));
            // Minutes are counted back in whole ones: the one before is as likely.
            let play = if text.ends_with("分钟前") { Duration::minutes(1) } else { Duration::zero() };
            let within = read.lower() - play <= truth && truth < read.upper();
            proptest::prop_assert!(within, "{text:?} seen at {seen}: {read:?}, truth {truth}");
        }
    }
}

#[test]
fn a_clock_that_was_never_set_is_no_time() {
    let at = DateTime::parse_from_rfc3339("2026-11-22T20:15:00+08:00").unwrap().to_utc();
    assert_eq!(moment("Thu, 01 Jan 1970 00:00:00 GMT", at), None);
}
