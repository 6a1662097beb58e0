use chrono::{DateTime, Duration, Utc};

use crate::domain::{Post, Precision};

use super::policy::Policy;

/// What the transport says about the age of an answer; for a paged visit, of its first page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When the request was sent, by our own clock.
    pub sent_at: DateTime<Utc>,
    /// Whether the answer was `304 Not Modified`.
    pub not_modified: bool,
    /// Whether the request carried a validator (`If-None-Match`, `If-Modified-Since`).
    pub conditional: bool,
    /// Whether the request carried `Cache-Control: no-cache`.
    pub no_cache: bool,
    /// The `Date` header.
    pub date: Option<DateTime<Utc>>,
    /// The `Age` header, in seconds.
    pub age_seconds: Option<u64>,
    /// Whether a header tells of a cache hit (`X-Cache`, `CF-Cache-Status`, `X-Cache-Lookup`, …).
    pub cache_hit: bool,
    /// Whether the page kind's `cache_buster` parameter was sent.
    pub cache_buster: bool,
    /// Whether another account's page of this host and kind changed since `same_since`.
    pub peers_changed: bool,
    /// Where the body is the one known before, as-of time of the first such body. Bodies are best
    /// compared by what was read from them, so that a nonce or a server's clock is no change.
    pub same_since: Option<DateTime<Utc>>,
    /// Relative times that the body shows unchanged since an earlier body.
    pub unchanged_times: Vec<UnchangedTime>,
}

/// A relative time (`5分钟前`) that one item shows in the same words as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnchangedTime {
    /// Its unit: after one of them has passed the words must have changed.
    pub unit: Precision,
    /// As-of time of the first body that showed these words for this item.
    pub shown_since: DateTime<Utc>,
}

/// The relative times of an identical body that was first seen at `shown_since`.
pub fn relative_times(posts: &[Post], shown_since: DateTime<Utc>) -> Vec<UnchangedTime> {
    let words = posts.iter().filter_map(|post| post.published_text.as_deref());
    words.filter_map(unit_of_words).map(|unit| UnchangedTime { unit, shown_since }).collect()
}

/// The unit after which a relative time must have changed its words; `None` for a date.
pub fn unit_of_words(text: &str) -> Option<Precision> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match () {
        () if has(&["刚刚", "刚才", "片刻", "秒前", "秒钟前", "分钟前", "分前"]) => {
            Some(Precision::Minute)
        }
        () if has(&["小时前", "钟头前"]) => Some(Precision::Hour),
        () if has(&["今天", "今日", "昨天", "昨日", "前天", "天前", "日前"]) => {
            Some(Precision::Day)
        }
        () if is_clock_alone(text) => Some(Precision::Day),
        () => None,
    }
}

/// `08:30` is of today, whichever day that was.
fn is_clock_alone(text: &str) -> bool {
    let clock = text.trim().trim_start_matches(['上', '下', '中', '凌', '早', '晚', '午', '晨']);
    clock.contains([':', '：'])
        && clock.chars().all(|one| one.is_numeric() || [':', '：', ' '].contains(&one))
        && clock.chars().filter(|one| one.is_numeric()).count() <= 6
}

/// Whether the words of a time say what they say only beside the moment at which they were written.
pub(super) fn is_relative(text: &str) -> bool {
    unit_of_words(text).is_some()
        || text.contains('前')
        || ["ago", "now", "yesterday", "today"].iter().any(|word| text.contains(word))
}

/// What an answer proves of its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The instant the answer certainly reaches; never later than the request.
    pub as_of: DateTime<Utc>,
    /// Whether it may confirm silence.
    pub may_confirm: bool,
}

/// Reads how far an answer reaches; `None` where it is stale or proves no time at all.
///
/// An answer reaches the request less its `Age`, and never later than the origin's `Date`: with a
/// server clock that is behind this gives away minutes. A cache hit without `Age` proves no time,
/// whatever its `Date`: many caches write their own.
pub fn freshness(answer: &Answer, policy: &Policy) -> Option<Freshness> {
    let age = answer.age_seconds.unwrap_or(0).min(u64::from(u32::MAX));
    let age = Duration::seconds(i64::try_from(age).unwrap_or(i64::MAX));
    let sent_less_age = answer.sent_at - age;
    let reach = answer.date.map_or(sent_less_age, |date| date.min(sent_less_age));
    let is_stale = |time: &UnchangedTime| sent_less_age - time.shown_since > time.unit.step();
    if answer.unchanged_times.iter().any(is_stale) {
        return None;
    }
    if answer.not_modified {
        let as_of = answer.date.map(|_| reach).or(answer.same_since)?;
        return Some(Freshness { as_of, may_confirm: false });
    }
    let date_is_near =
        |date: DateTime<Utc>| (date - answer.sent_at).abs() <= policy.date_tolerance();
    let from_cache = answer.age_seconds.is_some() || answer.cache_hit;
    let asked_anew = !answer.conditional && answer.no_cache && !from_cache;
    if let Some(first) = answer.same_since {
        let moved_on = answer.cache_buster || answer.peers_changed;
        if asked_anew && moved_on && answer.date.is_some_and(date_is_near) {
            return Some(Freshness { as_of: reach, may_confirm: true });
        }
        return Some(Freshness { as_of: first.min(reach), may_confirm: false });
    }
    if answer.cache_hit && answer.age_seconds.is_none() {
        return None;
    }
    let may_confirm = asked_anew && answer.date.is_none_or(date_is_near);
    Some(Freshness { as_of: reach, may_confirm })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "2026-09-15T08:00:00Z";

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn minutes(minutes: i64) -> DateTime<Utc> {
        at(SENT) + Duration::minutes(minutes)
    }

    fn plain() -> Answer {
        Answer {
            sent_at: at(SENT),
            not_modified: false,
            conditional: false,
            no_cache: true,
            date: Some(at(SENT)),
            age_seconds: None,
            cache_hit: false,
            cache_buster: false,
            peers_changed: false,
            same_since: None,
            unchanged_times: Vec::new(),
        }
    }

    fn identical() -> Answer {
        Answer { same_since: Some(minutes(-600)), ..plain() }
    }

    /// `expected`: minutes from the request, and whether it may confirm; absent: stale.
    fn check(answer: &Answer, expected: Option<(i64, bool)>) {
        let expected =
            expected.map(|(minute, may_confirm)| Freshness { as_of: minutes(minute), may_confirm });
        assert_eq!(freshness(answer, &Policy::default()), expected, "{answer:?}");
    }

    #[test]
    fn a_changed_answer_reaches_the_request_less_its_age() {
        check(&plain(), Some((0, true)));
        check(&Answer { date: None, ..plain() }, Some((0, true)));
        check(&Answer { age_seconds: Some(600), ..plain() }, Some((-10, false)));
        check(&Answer { cache_hit: true, ..plain() }, None);
        check(&Answer { cache_hit: true, date: None, ..plain() }, None);
        check(&Answer { cache_hit: true, date: Some(minutes(-600)), ..plain() }, None);
        let aged = Answer { cache_hit: true, age_seconds: Some(600), ..plain() };
        check(&aged, Some((-10, false)));
        check(&Answer { conditional: true, ..plain() }, Some((0, false)));
        check(&Answer { no_cache: false, ..plain() }, Some((0, false)));
    }

    #[test]
    fn a_wrong_server_clock_never_moves_the_reach_past_the_request() {
        check(&Answer { date: Some(minutes(90)), ..plain() }, Some((0, false)));
        check(&Answer { date: Some(minutes(5)), ..plain() }, Some((0, true)));
        check(&Answer { date: Some(minutes(-5)), ..plain() }, Some((-5, true)));
        check(&Answer { date: Some(minutes(-6)), ..plain() }, Some((-6, false)));
    }

    #[test]
    fn not_modified_reaches_the_date_and_never_confirms() {
        let answer = Answer { not_modified: true, conditional: true, ..identical() };
        check(&answer, Some((0, false)));
        check(&Answer { date: Some(minutes(-45)), ..answer.clone() }, Some((-45, false)));
        check(&Answer { date: Some(minutes(45)), ..answer.clone() }, Some((0, false)));
        check(&Answer { date: None, ..answer.clone() }, Some((-600, false)));
        check(&Answer { date: None, same_since: None, ..answer }, None);
    }

    #[test]
    fn an_identical_answer_reaches_now_only_if_provably_fresh() {
        let fresh = Answer { cache_buster: true, ..identical() };
        check(&fresh, Some((0, true)));
        check(&Answer { peers_changed: true, ..identical() }, Some((0, true)));
        check(&identical(), Some((-600, false)));
        for spoiled in [
            Answer { date: None, ..fresh.clone() },
            Answer { date: Some(minutes(6)), ..fresh.clone() },
            Answer { date: Some(minutes(-6)), ..fresh.clone() },
            Answer { age_seconds: Some(0), ..fresh.clone() },
            Answer { cache_hit: true, ..fresh.clone() },
            Answer { conditional: true, ..fresh.clone() },
            Answer { no_cache: false, ..fresh.clone() },
        ] {
            check(&spoiled, Some((-600, false)));
        }
    }

    #[test]
    fn words_that_should_have_changed_are_stale() {
        let shows = |unit, minute| Answer {
            unchanged_times: vec![UnchangedTime { unit, shown_since: minutes(minute) }],
            cache_buster: true,
            ..identical()
        };
        check(&shows(Precision::Minute, -1), Some((0, true)));
        check(&shows(Precision::Minute, -2), None);
        check(&shows(Precision::Hour, -60), Some((0, true)));
        check(&shows(Precision::Hour, -61), None);
        check(&shows(Precision::Day, -1440), Some((0, true)));
        check(&shows(Precision::Day, -1441), None);
    }

    #[test]
    fn words_that_move_with_time_tell_their_unit() {
        for (text, unit) in [
            ("刚刚", Some(Precision::Minute)),
            ("5分钟前", Some(Precision::Minute)),
            ("3小时前", Some(Precision::Hour)),
            ("昨天 12:30", Some(Precision::Day)),
            ("2天前", Some(Precision::Day)),
            ("今日 08:00", Some(Precision::Day)),
            ("昨日", Some(Precision::Day)),
            ("刚才", Some(Precision::Minute)),
            ("08:30", Some(Precision::Day)),
            ("下午 3:05", Some(Precision::Day)),
            ("12月5日 08:30", None),
            ("11-20", None),
            ("2026-11-20 08:00", None),
        ] {
            assert_eq!(unit_of_words(text), unit, "{text}");
            assert_eq!(is_relative(text), unit.is_some(), "{text}");
        }
    }

    #[test]
    fn words_without_a_unit_of_their_own_are_relative_too() {
        for text in ["3个月前", "1周前", "3 hours ago", "yesterday"] {
            assert!(is_relative(text) && unit_of_words(text).is_none(), "{text}");
        }
    }
}
