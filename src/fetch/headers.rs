//! What an answer's header lines say about its age and about when to come back.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{AGE, DATE, HeaderMap, HeaderName, RETRY_AFTER, SET_COOKIE};

const VALUE_MAX_BYTES: usize = 8 * 1024;

/// A header as text; values that are not visible ASCII or UTF-8 are read as if absent.
pub(super) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    std::str::from_utf8(value.as_bytes()).ok().map(|value| value.trim().to_owned())
}

/// The origin's `Date`.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = httpdate::parse_http_date(&text(headers, &DATE)?).ok()?;
    Some(DateTime::<Utc>::from(date))
}

/// `Age` in seconds; of several lines or list members the greatest.
pub(super) fn age_seconds(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all(AGE).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|one| one.trim().parse().ok()).max()
}

/// Whether any header says that a cache answered.
///
/// There is no one header: `Cache-Status` (RFC 9211), `X-Cache`, `X-Cache-Lookup`,
/// `CF-Cache-Status`, `X-Cache-Hits` and a dozen others say it in words of their own, so every
/// header with `cache` in its name is searched. A false alarm costs a confirmation, a miss would
/// let a stale page confirm.
pub(super) fn cache_hit(headers: &HeaderMap) -> bool {
    if age_seconds(headers).is_some_and(|seconds| seconds > 0) {
        return true;
    }
    headers.iter().any(|(name, value)| {
        let name = name.as_str();
        if !name.contains("cache") || name == "cache-control" {
            return false;
        }
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let counted = name.ends_with("hits")
            && value.split(',').any(|one| one.trim().parse().is_ok_and(|hits: u64| hits > 0));
        counted
            || ["hit", "stale", "updating", "revalidated"].iter().any(|word| value.contains(word))
    })
}

/// `Retry-After` as a wait, in either form, at most `max`.
///
/// A date is set against the answer's own `Date`, so that the two clocks need not agree.
pub(super) fn retry_after(
    headers: &HeaderMap,
    now: DateTime<Utc>,
    max: Duration,
) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a wish for very long.
        value.parse().map_or(max, Duration::from_secs)
    } else {
        let until = DateTime::<Utc>::from(httpdate::parse_http_date(&value).ok()?);
        (until - date(headers).unwrap_or(now)).to_std().unwrap_or_default()
    };
    Some(wait.min(max))
}

/// The header lines worth keeping, names in lower case.
pub(super) fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let wanted = headers
        .iter()
        .filter(|(name, value)| *name != SET_COOKIE && value.len() <= VALUE_MAX_BYTES);
    wanted
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use reqwest::header::HeaderValue;

    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let now = Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap();
        let check = |lines: &[(&'static str, &'static str)], expected: Option<u64>| {
            let wait = retry_after(&map(lines), now, Duration::from_secs(3600));
            assert_eq!(wait, expected.map(Duration::from_secs), "{lines:?}");
        };
        check(&[], None);
        check(&[("retry-after", "120")], Some(120));
        check(&[("retry-after", "0")], Some(0));
        check(&[("retry-after", "99999999999999999999999")], Some(3600));
        check(&[("retry-after", "7200")], Some(3600));
        check(&[("retry-after", "-5")], None);
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "")], None);
        check(&[("retry-after", "Sun, 22 Nov 2026 12:05:00 GMT")], Some(300));
        check(&[("retry-after", "Sun, 22 Nov 2026 11:05:00 GMT")], Some(0));
        let skewed = ("date", "Sun, 22 Nov 2026 09:00:00 GMT");
        check(&[skewed, ("retry-after", "Sun, 22 Nov 2026 09:01:00 GMT")], Some(60));
    }

    #[test]
    fn a_cache_is_recognised_in_many_words() {
        let check = |name: &'static str, value: &'static str, expected: bool| {
            assert_eq!(cache_hit(&map(&[(name, value)])), expected, "{name}: {value}");
        };
        check("age", "1", true);
        check("age", "0", false);
        check("age", "0, 17", true);
        check("x-cache", "HIT from cdn.example.cn", true);
        check("x-cache", "MISS from cdn.example.cn", false);
        check("x-cache-lookup", "Cache Hit", true);
        check("cf-cache-status", "HIT", true);
        check("cf-cache-status", "STALE", true);
        check("cf-cache-status", "DYNAMIC", false);
        check("cache-status", "ExampleCache; hit", true);
        check("ohc-cache-hit", "bj1 [1]", false);
        check("x-cache-hits", "0, 3", true);
        check("x-cache-hits", "0", false);
        check("cache-control", "stale-while-revalidate=30", false);
    }

    #[test]
    fn cookies_and_very_long_values_are_not_kept() {
        let mut headers = map(&[("set-cookie", "id=1"), ("x-one", "1")]);
        headers.insert("x-long", HeaderValue::from_str(&"a".repeat(9000)).unwrap());
        assert_eq!(kept(&headers), [("x-one".to_owned(), "1".to_owned())]);
    }
}
